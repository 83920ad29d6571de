/* The board is counted by a thread of its own, and frozen by the writer.
 *
 * It is not read in one transaction: that may last half a minute in a large store, in which the log of the
 * database could not be folded. Figures of one board may thus be a moment apart; what came meanwhile is news,
 * and counted anew. What is frozen is of days that are counted to their end.
 */
#include "board/board.h"

#include <event2/event.h>
#include <inttypes.h>

#include "base/clock.h"
#include "crew/hands.h"

enum {
	FIRST_S = 1,
	SHARE = 20, /* of its thread's time, one part in so many is spent at most */
	FROZEN_AT_ONCE = 100,
	OLDEST_MS = 600000, /* counted anew though nothing has happened: times go on */
	JUMP_MS = 3600000,  /* the wall clock against the one that nobody sets */
	STEADY_MS = 86400000,
};

struct frozen {
	struct store_snapshot snapshot;
	struct buf json;
};

struct board {
	struct board_parts parts;
	struct snapshot *snapshot; /* held: for the next round */
	struct event *timer;
	bool is_under_way, is_asked_again;
	bool is_in_trouble;

	struct board_result *result;
	struct snapshot *shown; /* held: by which the result was counted, which borrows from it */
	int64_t counted_ms;     /* by the monotonic clock */

	/* of the round under way: the counter's, then the loop's */
	struct change work;
	struct snapshot *making; /* held */
	int64_t keep_snapshots_ms;
	struct board_result *made; /* NULL: nothing has happened since */
	bool is_forced;
	struct frozen frozen[FROZEN_AT_ONCE];
	size_t frozen_count, froze, forgot;

	int64_t ahead_ms;  /* the wall clock of the monotonic one */
	int64_t steady_ms; /* by the monotonic clock: from then on the wall clock is believed */
};

static struct board *board_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct board, work);
}

/* ---- counting ---- */

/* All is being counted anew, and has not come to its end: what was counted before is nearer to the truth. */
static bool is_partial(const struct board_result *result, const struct store_tally *now)
{
	return now->is_emptying ||
	       (now->edition != result->counted_edition && now->last < now->newest);
}

static bool is_news(const struct board *board, const struct store_tally *now, int64_t now_ms)
{
	const struct board_result *result = board->result;

	if (result != NULL && is_partial(result, now))
		return false;
	return result == NULL || board->is_forced || now->last != result->counted_last ||
	       now->stays != result->counted_stays || calendar_day(now_ms) != result->today ||
	       clock_monotonic_ms() - board->counted_ms > OLDEST_MS;
}

/* What is not counted to its end yet must not be frozen: nor what a clock set to next year has ended. */
static bool may_freeze(struct board *board, const struct store_tally *tally, int64_t now_ms)
{
	const int64_t monotonic_ms = clock_monotonic_ms();
	const int64_t jump_ms = now_ms - monotonic_ms - board->ahead_ms;

	board->ahead_ms += jump_ms;
	if (jump_ms > JUMP_MS || jump_ms < -JUMP_MS)
		board->steady_ms = monotonic_ms + STEADY_MS;
	return monotonic_ms >= board->steady_ms && !tally->is_emptying &&
	       (tally->last == tally->newest ||
		tally->until_ms >= calendar_begins_ms(calendar_day(now_ms)));
}

/* What was frozen of it was kept long enough: it would be frozen again, with other figures and another date. */
static bool is_forgotten(const struct board *board, const struct board_row *row, int64_t now_ms)
{
	return calendar_begins_ms(row->end) < now_ms - board->making->config->keep_snapshots_ms;
}

static void choose_frozen(struct board *board, int64_t now_ms)
{
	for (size_t i = 0; i < board->made->row_count; i++) {
		const struct board_row *row = &board->made->rows[i];
		struct frozen *frozen = &board->frozen[board->frozen_count];

		if (row->is_as_frozen || !row->has_ended || row->frozen[0] != '\0' ||
		    is_forgotten(board, row, now_ms))
			continue;
		if (board->frozen_count == FROZEN_AT_ONCE)
			return; /* the others in the next round */
		targets_write_row(row, &frozen->json);
		frozen->snapshot = (struct store_snapshot){
			.programme = row->programme,
			.window = row->window,
			.indicator = row->indicator,
			.place = row->place,
			.frozen_ms = now_ms,
			.json = buf_slice(&frozen->json).p,
		};
		board->frozen_count++;
	}
}

static int count(struct board *board, struct hands *hands, struct err *err)
{
	const int64_t now_ms = clock_now_ms(), begun_ms = clock_monotonic_ms();
	struct store *reader = hands_reader(hands, err);
	struct store_tally tally;

	if (reader == NULL || store_tally_now(reader, &tally, err) < 0)
		return -1;
	if (!is_news(board, &tally, now_ms))
		return 0;
	if (board_make(&(struct board_asked){ board->making->config, board->making->targets, reader,
					      now_ms },
		       &board->made, err) < 0)
		return -1;
	board->made->took_ms = clock_monotonic_ms() - begun_ms;
	if (may_freeze(board, &tally, now_ms))
		choose_frozen(board, now_ms);
	return 0;
}

/* Counter. */
static void make(struct job *job, void *hands)
{
	struct board *board = board_of(job);

	board->work.err = (struct err){ 0 };
	(void)!count(board, hands, &board->work.err);
}

/* ---- freezing ---- */

/* Writer. */
static int freeze(struct change *change, struct store *store, struct err *err)
{
	struct board *board = container_of(change, struct board, work);
	int rc;

	board->froze = 0;
	for (size_t i = 0; i < board->frozen_count; i++) {
		rc = store_freeze(store, &board->frozen[i].snapshot, err);
		if (rc < 0)
			return -1;
		board->froze += (size_t)rc;
	}
	return store_forget_snapshots(store, clock_now_ms() - board->keep_snapshots_ms,
				      &board->forgot, err);
}

/* ---- one round after the other ---- */

static void wait(struct board *board, int64_t pause_ms)
{
	const struct timeval pause = { pause_ms / 1000, pause_ms % 1000 * 1000 };

	board->is_under_way = false;
	event_add(board->timer, &pause);
}

static bool is_closing(const struct board *board)
{
	return pipeline_figures(board->parts.pipeline).closing;
}

/* Loop. Trouble is told once: the store tells of itself where a document is at stake. */
static void note_trouble(struct board *board)
{
	const bool is_in_trouble = board->work.err.kind != ERR_NONE;

	if (is_in_trouble && !board->is_in_trouble && !is_closing(board))
		log_warning("targets are not counted: %s", board->work.err.text);
	board->is_in_trouble = is_in_trouble;
}

static void end_round(struct board *board)
{
	const int64_t took_ms = board->result ? board->result->took_ms : 0;

	for (size_t i = 0; i < board->frozen_count; i++)
		buf_done(&board->frozen[i].json);
	board->frozen_count = 0;
	wait(board, board->is_asked_again
			    ? 0
			    : max(board->snapshot->config->targets_every_ms, took_ms * SHARE));
}

/* Loop. */
static void frozen(struct job *job)
{
	struct board *board = board_of(job);

	note_trouble(board);
	if (board->work.err.kind == ERR_NONE && board->froze > 0)
		log_info("targets frozen=%zu: their windows have ended", board->froze);
	if (board->work.err.kind == ERR_NONE && board->forgot > 0)
		log_info("targets forgotten=%zu: their frozen figures were kept long enough",
			 board->forgot);
	board->is_asked_again = board->is_asked_again || board->froze > 0; /* now they show */
	end_round(board);
}

/* Loop. */
static void made(struct job *job)
{
	struct board *board = board_of(job);

	note_trouble(board);
	board->keep_snapshots_ms = board->snapshot->config->keep_snapshots_ms;
	if (board->made != NULL) {
		board_result_free(&board->result);
		snapshot_let_go(&board->shown);
		board->result = take(board->made);
		board->shown = take(board->making);
		log_debug("targets counted rows=%zu until=%" PRIu64 " ms=%" PRId64,
			  board->result->row_count, board->result->counted_last,
			  board->result->took_ms);
		board->counted_ms = clock_monotonic_ms();
	}
	snapshot_let_go(&board->making);
	if (board->frozen_count == 0 || is_closing(board)) {
		end_round(board);
		return;
	}
	board->work.apply = freeze;
	board->work.job.done = frozen;
	writer_submit(board->parts.writer, &board->work);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct board *board = arg;

	(void)fd;
	(void)what;
	if (is_closing(board))
		return;
	board->is_under_way = true;
	board->is_forced = board->is_asked_again;
	board->is_asked_again = false;
	board->making = snapshot_hold(board->snapshot);
	board->work.job = (struct job){ .run = make, .done = made };
	workers_submit(board->parts.counter, &board->work.job);
}

const struct board_result *board_now(const struct board *board)
{
	return board->result;
}

void board_again(struct board *board)
{
	board->is_asked_again = true;
	if (!board->is_under_way)
		wait(board, 0);
}

void board_follow(struct board *board, struct snapshot *snapshot)
{
	snapshot_let_go(&board->snapshot);
	board->snapshot = snapshot_hold(snapshot);
	board_again(board);
}

struct board *board_new(const struct board_parts *parts)
{
	struct board *board = xcalloc(1, sizeof(*board));

	board->parts = *parts;
	board->snapshot = snapshot_hold(parts->snapshot);
	board->ahead_ms = clock_now_ms() - clock_monotonic_ms();
	board->timer = event_new(parts->loop, -1, 0, on_timer, board);
	wait(board, FIRST_S * 1000);
	return board;
}

void board_free(struct board **board)
{
	struct board *b = *board;

	if (b == NULL)
		return;
	event_free(b->timer);
	for (size_t i = 0; i < b->frozen_count; i++)
		buf_done(&b->frozen[i].json);
	board_result_free(&b->made);
	board_result_free(&b->result);
	snapshot_let_go(&b->making);
	snapshot_let_go(&b->shown);
	snapshot_let_go(&b->snapshot);
	free_ptr(board);
}
