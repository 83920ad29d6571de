/* What sources hear of their messages after the end.
 *
 *     wants                    loop     the link to a source is ready
 *     fetch                    worker   the next that is due, and the message made of it
 *     fetched                  loop     it is handed to the link
 *     ended                    loop     the source has answered, or not
 *     write_outcome            writer   it has it; or when it goes again
 *     written                  loop     one line in the journal
 *
 * Nothing is claimed: dying between the answer and the commit sends the same message again under the
 * same MSH-10, which is all that a source needs to know it.
 */
#include "business_acks.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "hands.h"
#include "hl7/zam.h"

enum {
	READ_AGAIN_MS = 30000, /* the queue, when it could not be read */
	LOOK_AGAIN_MS = 60000, /* into it, though nobody said that something is ready */
	WRITE_AGAIN_S = 1,     /* an outcome that could not be written, for the world's fault */
	WRITE_HALTED_S = 900,  /* for the installation's */
};

/* One source, and at most one acknowledgement of its own on the way. */
struct way_back {
	struct business_acks *acks;
	const struct config_source *source;
	struct mllp_sender *sender;

	struct change work;
	struct arena arena; /* of what follows */
	struct store_ack ack;
	struct buf message;
	bool found;
	int64_t wait_ms;

	enum mllp_sent sent;
	char why[ERR_TEXT];
	struct store_ack_outcome row;
	struct event *again; /* to write an outcome that the store would not take */
	bool halted;         /* it takes it only once a human has acted: said in the journal */
};

struct business_acks {
	struct business_acks_parts parts;
	struct way_back *ways; /* by source */
	struct change strays;
};

static struct way_back *way_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct way_back, work);
}

/* ---- out of the queue ---- */

/* The DMP's words, or ours in French: the source's people read them. */
static void build(struct way_back *way)
{
	const struct store_ack *ack = &way->ack;
	const struct reason_row *reason = reason_row(ack->reason);
	bool is_ours = outcome_code_is_ours(ack->code) && ack->reason != REASON_NONE;
	const struct zam zam = {
		.now_ms = ack->ready_ms, /* the same bytes, however often they are sent */
		.control_id = ack->control_id,
		.positive = ack->positive,
		.code = is_ours ? reason->code : ack->code,
		.text = is_ours || ack->text[0] == '\0' ? reason->french : ack->text,
		.code_is_ours = is_ours,
	};

	zam_build(ack->header, &zam, &way->message);
}

static int fetch_one(struct way_back *way, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);
	int got = reader ? store_next_ack(reader, way->source->name, clock_now_ms(),
					  2 * way->source->ack.retry.most_ms, &way->arena,
					  &way->ack, &way->wait_ms, err)
			 : -1;

	way->found = got > 0;
	if (way->found)
		build(way);
	return got < 0 ? -1 : 0;
}

/* Worker. */
static void fetch(struct job *job, void *hands)
{
	struct way_back *way = way_of(job);

	way->work.err = (struct err){ 0 };
	(void)!fetch_one(way, hands, &way->work.err);
}

/* Loop. */
static void fetched(struct job *job)
{
	struct way_back *way = way_of(job);
	const struct err *err = &way->work.err;

	if (err->kind != ERR_NONE) {
		log_warning("ack_queue source=%s cannot be read: %s", way->source->name, err->text);
		mllp_sender_nothing(way->sender, READ_AGAIN_MS);
	} else if (!way->found) {
		mllp_sender_nothing(way->sender, min(way->wait_ms, (int64_t)LOOK_AGAIN_MS));
	} else {
		mllp_sender_send(way->sender, buf_slice(&way->message), way->ack.control_id);
	}
	crew_end(way->acks->parts.crew);
}

/* Loop: the link is ready. */
static void wants(void *arg)
{
	struct way_back *way = arg;
	struct crew *crew = way->acks->parts.crew;

	arena_done(&way->arena);
	buf_clear(&way->message);
	crew_begin(crew);
	crew_on_worker(crew, &way->work, fetch, fetched);
}

/* ---- back into it ---- */

/* Writer. */
static int write_outcome(struct change *change, struct store *store, struct err *err)
{
	return store_settle_ack(store, &container_of(change, struct way_back, work)->row, err);
}

static void log_outcome(const struct way_back *way)
{
	const struct store_ack *ack = &way->ack;
	char doc[ULID_TEXT], again[CLOCK_TEXT];

	if (way->row.told)
		log_info("doc=%s told source=%s zam=%s positive=%s attempt=%u",
			 ulid_text(&ack->doc, doc), way->source->name, ack->control_id,
			 ack->positive ? "Y" : "N", ack->attempt);
	else
		log_warning("doc=%s untold source=%s zam=%s positive=%s attempt=%u again=%s: %s",
			    ulid_text(&ack->doc, doc), way->source->name, ack->control_id,
			    ack->positive ? "Y" : "N", ack->attempt,
			    clock_iso(way->row.due_ms, again), way->why);
}

static void written(struct job *job);

static void write_again(evutil_socket_t fd, short what, void *arg)
{
	struct way_back *way = arg;

	(void)fd;
	(void)what;
	if (way->halted)
		crew_begin(way->acks->parts.crew);
	crew_on_writer(way->acks->parts.crew, &way->work, write_outcome, written);
}

/* A store in trouble is tried again every second. What only a human can put right is said once, and tried as
 * rarely as a lane that stopped: it says nothing of the store, which may be well but for this one row.
 */
static void write_later(struct way_back *way)
{
	const bool is_halt = way->work.err.kind == ERR_HALT;
	const struct timeval later = { is_halt ? WRITE_HALTED_S : WRITE_AGAIN_S, 0 };

	if (!is_halt)
		crew_note_store(way->acks->parts.crew, &way->work.err);
	else if (!way->halted)
		log_error(
			"ack_queue source=%s zam=%s what became of it cannot be written down: %s; "
			"tried every %d minutes, and nothing more is told until then",
			way->source->name, way->ack.control_id, way->work.err.text,
			WRITE_HALTED_S / 60);
	way->halted = is_halt;
	event_add(way->again, &later);
	if (is_halt) /* nobody who stops the gateway waits for that */
		crew_end(way->acks->parts.crew);
}

/* Loop. */
static void written(struct job *job)
{
	struct way_back *way = way_of(job);

	if (way->work.err.kind != ERR_NONE) {
		write_later(way);
		return;
	}
	crew_note_store(way->acks->parts.crew, &way->work.err);
	way->halted = false;
	log_outcome(way);
	mllp_sender_settled(way->sender);
	crew_end(way->acks->parts.crew);
}

/* Loop: a source that was not reached costs the queue nothing; what may have reached it goes again
 * later, and lets others pass.
 */
static void ended(void *arg, enum mllp_sent sent, const char *why)
{
	struct way_back *way = arg;
	struct crew *crew = way->acks->parts.crew;
	const int64_t now_ms = clock_now_ms();

	if (sent == MLLP_SENT_NOT) {
		mllp_sender_settled(way->sender);
		return;
	}
	snprintf(way->why, sizeof(way->why), "%s", why);
	way->row = (struct store_ack_outcome){
		.number = way->ack.number,
		.now_ms = now_ms,
		.due_ms = now_ms +
			  retry_delay_ms(&way->source->ack.retry, way->ack.attempt, random_u32()),
		.told = sent == MLLP_SENT_ACCEPTED,
	};
	crew_begin(crew);
	crew_on_writer(crew, &way->work, write_outcome, written);
}

/* ---- birth and end ---- */

static void tell_stray(void *arg, const char *source, uint64_t ready, int64_t oldest_ms)
{
	const struct business_acks *acks = arg;
	char since[CLOCK_TEXT];

	if (config_source_of(acks->parts.config, source) == NULL)
		log_warning("ack_queue source=%s waiting=%" PRIu64 " oldest=%s: the configuration "
			    "has no entry for it under sources, and they stay",
			    source, ready, clock_iso(oldest_ms, since));
}

/* Worker: what waits for a source that is configured no more is said, not forgotten. */
static void find_strays(struct job *job, void *hands)
{
	struct business_acks *acks =
		container_of(container_of(job, struct change, job), struct business_acks, strays);
	struct err err = { 0 };
	struct store *reader = hands_reader(hands, &err);

	if (reader == NULL || store_count_acks(reader, tell_stray, acks, &err) < 0)
		log_warning("ack_queue cannot be read: %s", err.text);
}

static void found_strays(struct job *job)
{
	struct business_acks *acks =
		container_of(container_of(job, struct change, job), struct business_acks, strays);

	crew_end(acks->parts.crew);
}

int business_acks_new(struct business_acks **ret_acks, const struct business_acks_parts *parts,
		      struct err *err)
{
	scoped(business_acks_free) struct business_acks *acks = xcalloc(1, sizeof(*acks));
	struct event_base *loop = parts->crew->loop;

	acks->parts = *parts;
	acks->ways = xcalloc(parts->config->source_count, sizeof(struct way_back));
	for (size_t i = 0; i < parts->config->source_count; i++) {
		struct way_back *way = &acks->ways[i];
		const struct mllp_sender_calls calls = { wants, ended, way };

		way->acks = acks;
		way->source = &parts->config->sources[i];
		way->again = event_new(loop, -1, 0, write_again, way);
		if (mllp_sender_new(&way->sender, loop, &way->source->ack, &calls, err) < 0)
			return err_within(err, "source %s", way->source->name);
	}
	*ret_acks = take(acks);
	return 0;
}

void business_acks_start(struct business_acks *acks)
{
	for (size_t i = 0; i < acks->parts.config->source_count; i++)
		log_info("telling source=%s address=%s", acks->ways[i].source->name,
			 acks->ways[i].source->ack.address);
	crew_begin(acks->parts.crew);
	crew_on_worker(acks->parts.crew, &acks->strays, find_strays, found_strays);
	business_acks_poke(acks);
}

void business_acks_poke(struct business_acks *acks)
{
	for (size_t i = 0; i < acks->parts.config->source_count; i++)
		mllp_sender_poke(acks->ways[i].sender);
}

void business_acks_close(struct business_acks *acks)
{
	for (size_t i = 0; i < acks->parts.config->source_count; i++)
		mllp_sender_close(acks->ways[i].sender);
}

void business_acks_free(struct business_acks **acks)
{
	struct business_acks *a = *acks;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->parts.config->source_count; i++) {
		struct way_back *way = &a->ways[i];

		mllp_sender_free(&way->sender);
		if (way->again != NULL)
			event_free(way->again);
		arena_done(&way->arena);
		buf_done(&way->message);
	}
	free(a->ways);
	free_ptr(acks);
}

struct mllp_sender_figures business_acks_link(const struct business_acks *acks, size_t index)
{
	return mllp_sender_figures(acks->ways[index].sender);
}
