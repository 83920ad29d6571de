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
#include "outbound/business_acks.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "crew/hands.h"
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
	LIST_ENTRY(way_back) link;
	struct snapshot *snapshot; /* held: the one that it was made of */
	const struct config_source *source;
	struct mllp_sender *sender;
	bool is_busy; /* the work is with a thread */
	bool is_gone; /* another took its place, or none */

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

LIST_HEAD(way_list, way_back);

struct business_acks {
	struct business_acks_parts parts;
	struct way_back **ways; /* by source */
	size_t way_count;
	struct way_list all_ways; /* those too that are gone, and busy */

	struct change strays;
	struct snapshot *strays_snapshot; /* held while they are looked for */
};

static void way_free(struct way_back **way)
{
	struct way_back *w = *way;

	if (w == NULL)
		return;
	LIST_REMOVE(w, link);
	mllp_sender_free(&w->sender);
	if (w->again != NULL)
		event_free(w->again);
	arena_done(&w->arena);
	buf_done(&w->message);
	snapshot_let_go(&w->snapshot);
	free_ptr(way);
}

static void begin(struct way_back *way)
{
	way->is_busy = true;
	crew_begin(way->acks->parts.crew);
}

/* true: the way is gone, and has been freed. */
static bool end(struct way_back *way)
{
	way->is_busy = false;
	crew_end(way->acks->parts.crew);
	if (!way->is_gone)
		return false;
	way_free(&way);
	return true;
}

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

	if (end(way))
		return;
	if (err->kind != ERR_NONE) {
		log_warning("ack_queue source=%s cannot be read: %s", way->source->name, err->text);
		mllp_sender_nothing(way->sender, READ_AGAIN_MS);
	} else if (!way->found) {
		mllp_sender_nothing(way->sender, min(way->wait_ms, (int64_t)LOOK_AGAIN_MS));
	} else {
		mllp_sender_send(way->sender, buf_slice(&way->message), way->ack.control_id);
	}
}

/* Loop: the link is ready. */
static void wants(void *arg)
{
	struct way_back *way = arg;
	struct crew *crew = way->acks->parts.crew;

	arena_done(&way->arena);
	buf_clear(&way->message);
	begin(way);
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
		begin(way);
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
		(void)end(way);
}

/* Loop. */
static void written(struct job *job)
{
	struct way_back *way = way_of(job);

	if (way->work.err.kind != ERR_NONE) {
		if (way->is_gone)
			(void)end(way);
		else
			write_later(way);
		return;
	}
	crew_note_store(way->acks->parts.crew, &way->work.err);
	way->halted = false;
	log_outcome(way);
	if (!end(way))
		mllp_sender_settled(way->sender);
}

/* Loop: a source that was not reached costs the queue nothing; what may have reached it goes again
 * later, and lets others pass.
 */
static void ended(void *arg, enum mllp_sent sent, const char *why)
{
	struct way_back *way = arg;
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
	begin(way);
	crew_on_writer(way->acks->parts.crew, &way->work, write_outcome, written);
}

/* ---- birth and end ---- */

static void tell_stray(void *arg, const char *source, uint64_t ready, int64_t oldest_ms)
{
	const struct business_acks *acks = arg;
	char since[CLOCK_TEXT];

	if (config_source_of(acks->strays_snapshot->config, source) == NULL)
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

	snapshot_let_go(&acks->strays_snapshot);
	crew_end(acks->parts.crew);
}

static void look_for_strays(struct business_acks *acks, struct snapshot *snapshot)
{
	if (acks->strays_snapshot != NULL)
		return; /* they are looked for */
	acks->strays_snapshot = snapshot_hold(snapshot);
	crew_begin(acks->parts.crew);
	crew_on_worker(acks->parts.crew, &acks->strays, find_strays, found_strays);
}

static int way_new(struct way_back **ret_way, struct business_acks *acks,
		   const struct config_source *source, struct err *err)
{
	struct event_base *loop = acks->parts.crew->loop;
	struct way_back *way = xcalloc(1, sizeof(*way));
	const struct mllp_sender_calls calls = { wants, ended, way };

	LIST_INSERT_HEAD(&acks->all_ways, way, link);
	way->acks = acks;
	way->source = source;
	way->again = event_new(loop, -1, 0, write_again, way);
	if (mllp_sender_new(&way->sender, loop, &source->ack, &calls, err) < 0) {
		way_free(&way);
		return err_within(err, "source %s", source->name);
	}
	*ret_way = way;
	return 0;
}

/* What is on its way is given up, and goes again on the link that takes its place: the source knows it by its
 * MSH-10.
 */
static void way_leave(struct way_back *way)
{
	mllp_sender_close(way->sender);
	way->is_gone = true;
	if (!way->is_busy) {
		way_free(&way);
	} else if (event_pending(way->again, EV_TIMEOUT, NULL)) {
		event_del(way->again);
		(void)end(way);
	}
}

/* ---- reloading ---- */

struct business_acks_plan {
	const struct business_acks *acks;
	struct way_back **ways; /* by source */
	size_t count;
};

static struct way_back *way_of_source(const struct business_acks *acks, const char *name)
{
	for (size_t i = 0; i < acks->way_count; i++)
		if (strcmp(acks->ways[i]->source->name, name) == 0)
			return acks->ways[i];
	return NULL;
}

/* One that has certificates may have got new ones. */
static bool is_same_link(const struct mllp_sender_settings *a, const struct mllp_sender_settings *b)
{
	return a->tls.ca[0] == '\0' && b->tls.ca[0] == '\0' &&
	       strcmp(a->address, b->address) == 0 && a->timeout_ms == b->timeout_ms &&
	       a->idle_ms == b->idle_ms && a->retry.first_ms == b->retry.first_ms &&
	       a->retry.most_ms == b->retry.most_ms;
}

static bool is_there(const struct business_acks *acks, const struct way_back *way)
{
	for (size_t i = 0; i < acks->way_count; i++)
		if (acks->ways[i] == way)
			return true;
	return false;
}

int business_acks_prepare(struct business_acks *acks, const struct snapshot *snapshot,
			  struct business_acks_plan **ret_plan, struct err *err)
{
	const struct config *config = snapshot->config;
	scoped(business_acks_plan_free) struct business_acks_plan *plan = xcalloc(1, sizeof(*plan));

	plan->acks = acks;
	plan->ways = xcalloc(config->source_count, sizeof(struct way_back *));
	for (; plan->count < config->source_count; plan->count++) {
		const struct config_source *source = &config->sources[plan->count];
		struct way_back *there = way_of_source(acks, source->name);

		if (there != NULL && is_same_link(&there->source->ack, &source->ack))
			plan->ways[plan->count] = there;
		else if (way_new(&plan->ways[plan->count], acks, source, err) < 0)
			return -1;
	}
	*ret_plan = take(plan);
	return 0;
}

void business_acks_plan_free(struct business_acks_plan **plan)
{
	struct business_acks_plan *p = *plan;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (!is_there(p->acks, p->ways[i]))
			way_free(&p->ways[i]);
	free(p->ways);
	free_ptr(plan);
}

void business_acks_follow(struct business_acks *acks, struct snapshot *snapshot,
			  struct business_acks_plan **plan)
{
	struct way_back **before = acks->ways;
	const size_t before_count = acks->way_count;

	for (size_t i = 0; i < (*plan)->count; i++) {
		struct way_back *way = (*plan)->ways[i];

		if (way->snapshot != NULL)
			continue; /* it is the same */
		way->snapshot = snapshot_hold(snapshot);
		log_info("telling source=%s address=%s", way->source->name,
			 way->source->ack.address);
	}
	acks->ways = (*plan)->ways;
	acks->way_count = (*plan)->count;
	free_ptr(plan);
	for (size_t i = 0; i < before_count; i++)
		if (!is_there(acks, before[i]))
			way_leave(before[i]);
	free(before);
	look_for_strays(acks, snapshot);
	business_acks_poke(acks);
}

struct business_acks *business_acks_new(const struct business_acks_parts *parts)
{
	struct business_acks *acks = xcalloc(1, sizeof(*acks));

	acks->parts = *parts;
	return acks;
}

void business_acks_poke(struct business_acks *acks)
{
	for (size_t i = 0; i < acks->way_count; i++)
		mllp_sender_poke(acks->ways[i]->sender);
}

void business_acks_close(struct business_acks *acks)
{
	for (size_t i = 0; i < acks->way_count; i++)
		mllp_sender_close(acks->ways[i]->sender);
}

void business_acks_free(struct business_acks **acks)
{
	struct business_acks *a = *acks;
	struct way_back *way;

	if (a == NULL)
		return;
	while ((way = LIST_FIRST(&a->all_ways)) != NULL)
		way_free(&way);
	free(a->ways);
	snapshot_let_go(&a->strays_snapshot);
	free_ptr(acks);
}

struct mllp_sender_figures business_acks_link(const struct business_acks *acks, size_t index)
{
	return mllp_sender_figures(acks->ways[index]->sender);
}
