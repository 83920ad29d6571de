/* Follows the ledger and counts. */
#include "tally.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "crew/hands.h"

enum {
	ROWS_AT_ONCE = 500, /* of the ledger: the writer is held for some milliseconds */
	REMOVED_AT_ONCE = 500,
	LATER_S = 1,
	TROUBLE_S = 10,
	FORGET_MS = 3600000, /* old days are looked for this often */
};

struct tally {
	struct tally_parts parts;
	struct snapshot *snapshot;   /* held: of the piece under way, */
	struct snapshot *next;       /* and of those to come; NULL: the same */
	struct store_alias *aliases; /* as the configuration has them */
	size_t alias_count;
	struct change work;
	struct event *timer;

	/* of the piece under way */
	enum piece { NOTHING, FOLDED, EMPTIES, FORGETS, NOTES_SITES } piece;
	struct store_tally now;
	struct counters *counters;
	bool is_more;

	bool has_noted_sites;
	int64_t forget_ms; /* by the monotonic clock: when old days are looked for again */
	bool is_in_trouble;
	bool closed;
};

/* ---- the fold ---- */

static int past_root(void *store, int64_t seq, int64_t *ret_root, struct err *err)
{
	return store_tally_root(store, seq, ret_root, err);
}

static int past_acceptance(void *store, int64_t root, struct arena *arena,
			   struct count_acceptance *ret_acceptance, struct err *err)
{
	return store_tally_acceptance(store, root, arena, ret_acceptance, err);
}

static int past_first_try(void *store, int64_t seq, uint64_t before, int64_t otherwise,
			  int64_t *ret_ms, struct err *err)
{
	return store_tally_first_try(store, seq, before, otherwise, ret_ms, err);
}

static int past_is_here(void *store, int64_t root, int64_t except, uint64_t before, bool *ret_is,
			struct err *err)
{
	return store_tally_is_here(store, root, except, before, ret_is, err);
}

static int past_facts(void *store, int64_t seq, struct arena *arena, struct count_facts *ret_facts,
		      struct err *err)
{
	return store_tally_facts(store, seq, arena, ret_facts, err);
}

static int add_event(void *counters, const struct count_event *event, struct err *err)
{
	return counters_add(counters, event, err);
}

int tally_fold(struct store *store, size_t most, struct store_tally *ret_now,
	       struct counters **ret_counters, struct err *err)
{
	const struct counters_past past = { past_root,    past_acceptance, past_first_try,
					    past_is_here, past_facts,      store };
	scoped(counters_free) struct counters *counters = NULL;

	if (store_tally_now(store, ret_now, err) < 0)
		return -1;
	if (ret_now->is_emptying || ret_now->newest == ret_now->last)
		return 0;
	counters = counters_new(&past);
	if (store_tally_read(store, ret_now->last, most, add_event, counters, err) < 0)
		return -1;
	*ret_counters = take(counters);
	return 1;
}

/* ---- a piece ---- */

static struct tally *tally_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct tally, work);
}

/* What is to be done beside the fold, which has come to the end. */
static enum piece piece_of(const struct tally *tally)
{
	if (tally->now.is_emptying)
		return EMPTIES;
	return clock_monotonic_ms() >= tally->forget_ms ? FORGETS : NOTHING;
}

/* Keeper. */
static void look(struct job *job, void *hands)
{
	struct tally *tally = tally_of(job);
	struct store *reader = hands_reader(hands, &tally->work.err);
	int folded = -1;

	if (reader != NULL)
		folded = tally_fold(reader, ROWS_AT_ONCE, &tally->now, &tally->counters,
				    &tally->work.err);
	tally->piece = folded > 0 ? FOLDED : folded == 0 ? piece_of(tally) : NOTHING;
}

static int apply_fold(struct tally *tally, struct store *store, struct err *err)
{
	const struct count_changes changes = counters_changes(tally->counters);

	tally->is_more = changes.last < tally->now.newest;
	return store_tally_apply(store, &tally->now, &changes, err);
}

static int oldest_day(const struct tally *tally)
{
	return calendar_day(clock_now_ms() - tally->snapshot->config->keep_days_ms);
}

/* Writer. */
static int write_piece(struct change *change, struct store *store, struct err *err)
{
	struct tally *tally = container_of(change, struct tally, work);
	int rc = 0;

	tally->is_more = true;
	switch (tally->piece) {
	case NOTHING:
		break;
	case FOLDED:
		return apply_fold(tally, store, err);
	case EMPTIES:
		return store_tally_empty(store, REMOVED_AT_ONCE, err);
	case FORGETS:
		rc = store_tally_forget(store, oldest_day(tally), REMOVED_AT_ONCE, err);
		tally->is_more = rc > 0;
		return rc;
	case NOTES_SITES:
		return store_note_aliases(store, tally->aliases, tally->alias_count, err);
	}
	return rc;
}

/* ---- one after the other ---- */

static void begin(struct tally *tally);

static void wait(struct tally *tally, int seconds)
{
	const struct timeval pause = { seconds, 0 };

	counters_free(&tally->counters);
	if (!tally->closed)
		event_add(tally->timer, &pause);
}

/* A store in trouble is told of by whoever has a document at stake; that nothing is counted is told once. */
static bool has_failed(struct tally *tally)
{
	bool failed = tally->work.err.kind != ERR_NONE;

	if (failed && !tally->is_in_trouble && !tally->closed)
		log_warning("counting waits: %s", tally->work.err.text);
	tally->is_in_trouble = failed;
	if (failed)
		wait(tally, TROUBLE_S);
	return failed;
}

/* Loop. */
static void wrote(struct job *job)
{
	struct tally *tally = tally_of(job);

	crew_end(tally->parts.crew);
	if (has_failed(tally))
		return;
	if (tally->piece == FOLDED)
		log_debug("counted to=%llu",
			  (unsigned long long)counters_changes(tally->counters).last);
	tally->has_noted_sites = true; /* it came first */
	if (tally->piece == FORGETS && !tally->is_more)
		tally->forget_ms = clock_monotonic_ms() + FORGET_MS;
	counters_free(&tally->counters);
	if (tally->is_more && !tally->closed)
		begin(tally);
	else
		wait(tally, LATER_S);
}

static void hand_to_writer(struct tally *tally)
{
	crew_begin(tally->parts.crew);
	crew_on_writer(tally->parts.crew, &tally->work, write_piece, wrote);
}

/* Loop. */
static void looked(struct job *job)
{
	struct tally *tally = tally_of(job);

	if (has_failed(tally))
		return;
	if (tally->piece == NOTHING || tally->closed) {
		wait(tally, LATER_S);
		return;
	}
	hand_to_writer(tally);
}

static void add_aliases(struct tally *tally, const struct config_site *site)
{
	const size_t count = tally->alias_count + site->formerly_count;

	if (count == tally->alias_count)
		return;
	tally->aliases = xrealloc(tally->aliases, count * sizeof(*tally->aliases));
	for (size_t i = 0; i < site->formerly_count; i++)
		tally->aliases[tally->alias_count++] =
			(struct store_alias){ site->formerly[i], site->metadata.finess_eg };
}

/* Between two pieces. */
static void take_next(struct tally *tally)
{
	const struct config *config = tally->next->config;

	snapshot_let_go(&tally->snapshot);
	tally->snapshot = take(tally->next);
	tally->alias_count = 0;
	for (size_t i = 0; i < config->establishment_count; i++)
		for (size_t j = 0; j < config->establishments[i].site_count; j++)
			add_aliases(tally, &config->establishments[i].sites[j]);
	tally->has_noted_sites = false;
}

/* On the keeper it is not counted as under way: that may be at something that takes minutes, for which
 * nobody who stops the daemon waits.
 */
static void begin(struct tally *tally)
{
	if (tally->next != NULL)
		take_next(tally);
	tally->work.err = (struct err){ 0 };
	tally->piece = NOTES_SITES;
	if (tally->has_noted_sites)
		crew_on_keeper(tally->parts.crew, &tally->work, look, looked);
	else
		hand_to_writer(tally);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin(arg);
}

struct tally *tally_new(const struct tally_parts *parts)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));

	tally->parts = *parts;
	tally->next = snapshot_hold(parts->snapshot);
	tally->timer = event_new(parts->crew->loop, -1, 0, on_timer, tally);
	wait(tally, LATER_S);
	return tally;
}

void tally_follow(struct tally *tally, struct snapshot *snapshot)
{
	snapshot_let_go(&tally->next);
	tally->next = snapshot_hold(snapshot);
}

void tally_close(struct tally *tally)
{
	tally->closed = true;
	event_del(tally->timer);
}

void tally_free(struct tally **tally)
{
	struct tally *t = *tally;

	if (t == NULL)
		return;
	event_free(t->timer);
	counters_free(&t->counters);
	free(t->aliases);
	snapshot_let_go(&t->snapshot);
	snapshot_let_go(&t->next);
	free_ptr(tally);
}
