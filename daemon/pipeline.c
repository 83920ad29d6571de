/* The life of a document, top to bottom. Read this one first, then inbound.c and outbound.c, which
 * are its two halves.
 *
 *     message_came, file_came          loop     bytes arrive                               inbound
 *     read_message, read_file          worker   parse, normalise, decide: send, hold, refuse
 *                                               (a PDF to convert: on a thread for that)
 *     take_in                          writer   INSERT, COMMIT: the sync
 *     acknowledge, move_file           loop     the sender hears "yes", the file moves aside
 *                                      ---- from here the document is ours ----
 *     was_taken                        loop     its lane is told                           here
 *     claim                            writer   a lane takes what is due                   outbound
 *     prepare                          worker   read it back: what is to be done with it
 *     plan                             loop     the next request of its course, or the end
 *     build                            worker   the request, its signatures, its frame
 *     post                             loop     POST over mutual TLS
 *     conclude                         worker   read the reply, decide the outcome; then plan again
 *     write_outcome                    writer   UPDATE, COMMIT
 *     settled                          loop     one line in the journal
 *     have_moved                       loop     one less of a state, one more of another   here
 *
 * A message about a patient (ADT) comes in the same way and leaves what it says (adt.c): who the patient
 * is, what they chose, their stay. What that does to documents that wait, or were sent, the store decides in
 * the same transaction (queue/store_sqlite_subject.c); they move by have_moved as all others do.
 *
 * What every step goes by is a snapshot of the configuration (snapshot.h): a reload brings another one, and
 * what began under the old one ends under it.
 *
 * A source that wants to hear of the end is told by business_acks.c, at its own pace; a collector
 * of the audit trail, by trail.c, likewise. What time alone does to the queue (holds that end,
 * bodies that are purged) is upkeep.c's. What is counted of it all follows the ledger, in tally.c.
 *
 * Each step is a small function that runs where the table says (crew.h has the threads); the step
 * after it is named in the call that hands the work over. A document keeps one id from the first
 * step to the last log line. Dying at any point (kill -9) is a supported way to stop: before
 * take_in's commit the sender was not answered and sends again; after it, the document is in the
 * store, and what was being sent goes again under the same ids.
 */
#include "pipeline.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "crew/crew.h"
#include "inbound/inbound.h"
#include "outbound/business_acks.h"
#include "outbound/outbound.h"
#include "outbound/trail.h"
#include "tally.h"
#include "upkeep.h"

struct pipeline {
	struct crew crew;
	struct inbound *inbound;
	struct outbound *outbound;
	struct upkeep *upkeep;
	struct tally *tally;
	struct business_acks *business_acks;
	struct trail *trail;
	struct pipeline_figures figures;

	void (*watch)(void *arg, const struct store_moves *moves); /* NULL: nobody */
	void *watch_arg;

	struct event *closing; /* fires when all is done, or patience has ended */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* A new document is on disk, to be sent. */
static void was_taken(void *arg, const struct config_establishment *establishment)
{
	struct pipeline *pipeline = arg;

	outbound_poke(pipeline->outbound, establishment->finess_ej);
}

static void ack_is_wanted(void *arg)
{
	struct pipeline *pipeline = arg;

	business_acks_poke(pipeline->business_acks);
}

static void dmp_is_told(void *arg, const char *ins, const char *ins_oid, enum identity_dmp dmp,
			int64_t said_ms)
{
	static const enum existence existences[] = {
		[DMP_UNSAID] = EXISTENCE_UNKNOWN,
		[DMP_OPEN] = EXISTENCE_ACTIVE,
		[DMP_CLOSED] = EXISTENCE_CLOSED,
		[DMP_ABSENT] = EXISTENCE_ABSENT,
	};
	struct pipeline *pipeline = arg;

	outbound_tell_existence(pipeline->outbound, ins, ins_oid, existences[dmp], said_ms);
}

/* What nobody named has nobody else to tell of it. */
static void log_told(const struct store_moves *moves)
{
	char doc[ULID_TEXT];

	for (size_t i = 0; i < moves->told_count; i++) {
		const struct store_told *told = &moves->told[i];

		log_info("doc=%s %s from=%s state=%s%s%s%s%s", ulid_text(&told->doc, doc),
			 told->what, doc_state_text(told->from), doc_state_text(told->to),
			 told->reason ? " reason=" : "", reason_row(told->reason)->code,
			 told->note[0] ? " note=" : "", told->note);
	}
}

void pipeline_moved(struct pipeline *pipeline, struct store_moves *moves)
{
	struct pipeline_figures *figures = &pipeline->figures;
	int64_t born =
		0; /* a move takes from one state what it gives to another: the rest is new */
	bool ended = false;

	for (enum doc_state state = 0; state < DOC_STATE_COUNT; state++) {
		figures->documents[state] += (uint64_t)moves->change[state];
		figures->reached[state] += (uint64_t)max(moves->change[state], (int64_t)0);
		born += moves->change[state];
		ended = ended || (moves->change[state] > 0 && doc_state_is_final(state));
	}
	for (size_t i = 0; i < moves->told_count; i++) /* only its source can mend that */
		ended = ended || moves->told[i].reason == REASON_INS_NOT_IN_DOCUMENT;
	figures->received += (uint64_t)max(born, (int64_t)0);
	if (moves->change[DOC_DELIVERED] > 0)
		figures->last_delivered_ms = clock_now_ms();
	if (ended)
		business_acks_poke(pipeline->business_acks);
	if (moves->woke)
		outbound_poke_all(pipeline->outbound);
	log_told(moves);
	if (pipeline->watch != NULL)
		pipeline->watch(pipeline->watch_arg, moves);
	store_moves_done(moves);
}

/* Documents are in other states: on disk. */
static void have_moved(void *arg, struct store_moves *moves)
{
	pipeline_moved(arg, moves);
}

/* ---- birth and end ---- */

static struct upkeep_times upkeep_times_of(const struct config *config)
{
	return (struct upkeep_times){ config->keep_bodies_ms, config->keep_identities_ms,
				      config->keep_stays_ms };
}

int pipeline_new(struct pipeline **ret_pipeline, const struct pipeline_parts *parts,
		 struct err *err)
{
	scoped(pipeline_free) struct pipeline *pipeline = xcalloc(1, sizeof(*pipeline));
	struct snapshot *snapshot = parts->snapshot;
	const struct inbound_parts inbound = { &pipeline->crew, snapshot,    was_taken, have_moved,
					       ack_is_wanted,   dmp_is_told, pipeline };
	const struct outbound_parts outbound = { &pipeline->crew, snapshot, have_moved, pipeline };
	scoped(business_acks_plan_free) struct business_acks_plan *links = NULL;
	scoped(trail_plan_free) struct trail_plan *trail = NULL;

	memcpy(pipeline->figures.documents, parts->counts.documents,
	       sizeof(parts->counts.documents));
	pipeline->figures.last_delivered_ms = parts->counts.last_delivered_ms;
	pipeline->crew = (struct crew){ .loop = parts->loop,
					.workers = parts->workers,
					.disk = parts->disk,
					.converters = parts->converters,
					.keeper = parts->keeper,
					.writer = parts->writer };
	crew_start(&pipeline->crew);
	pipeline->outbound = outbound_new(&outbound);
	pipeline->business_acks =
		business_acks_new(&(struct business_acks_parts){ &pipeline->crew });
	pipeline->trail = trail_new(&pipeline->crew);
	if (business_acks_prepare(pipeline->business_acks, snapshot, &links, err) < 0 ||
	    trail_prepare(pipeline->trail, snapshot, &trail, err) < 0 ||
	    inbound_new(&pipeline->inbound, &inbound, err) < 0)
		return -1;
	pipeline->upkeep = upkeep_new(&(struct upkeep_parts){
		&pipeline->crew, upkeep_times_of(snapshot->config), have_moved, pipeline });
	pipeline->tally = tally_new(&(struct tally_parts){ &pipeline->crew, snapshot });
	outbound_poke_all(pipeline->outbound); /* what waited in the store */
	business_acks_follow(pipeline->business_acks, snapshot, &links);
	trail_follow(pipeline->trail, snapshot, &trail);
	*ret_pipeline = take(pipeline);
	return 0;
}

/* ---- another configuration ---- */

struct pipeline_plan {
	struct outbound_plan *outbound;
	struct business_acks_plan *business_acks;
	struct trail_plan *trail;
	struct doors_plan *doors;
};

int pipeline_prepare(struct pipeline *pipeline, const struct snapshot *snapshot,
		     struct pipeline_plan **ret_plan, struct err *err)
{
	scoped(pipeline_plan_free) struct pipeline_plan *plan = xcalloc(1, sizeof(*plan));

	if (outbound_prepare(pipeline->outbound, snapshot, &plan->outbound, err) < 0 ||
	    business_acks_prepare(pipeline->business_acks, snapshot, &plan->business_acks, err) <
		    0 ||
	    trail_prepare(pipeline->trail, snapshot, &plan->trail, err) < 0 ||
	    inbound_prepare(pipeline->inbound, snapshot, &plan->doors, err) < 0)
		return -1;
	*ret_plan = take(plan);
	return 0;
}

void pipeline_plan_free(struct pipeline_plan **plan)
{
	struct pipeline_plan *p = *plan;

	if (p == NULL)
		return;
	outbound_plan_free(&p->outbound);
	business_acks_plan_free(&p->business_acks);
	trail_plan_free(&p->trail);
	inbound_plan_free(&p->doors);
	free_ptr(plan);
}

/* The ways out first: what comes in may be for a new one. */
void pipeline_follow(struct pipeline *pipeline, struct snapshot *snapshot,
		     struct pipeline_plan **plan)
{
	outbound_follow(pipeline->outbound, snapshot, &(*plan)->outbound);
	business_acks_follow(pipeline->business_acks, snapshot, &(*plan)->business_acks);
	trail_follow(pipeline->trail, snapshot, &(*plan)->trail);
	inbound_follow(pipeline->inbound, snapshot, &(*plan)->doors);
	upkeep_follow(pipeline->upkeep, upkeep_times_of(snapshot->config));
	tally_follow(pipeline->tally, snapshot);
	outbound_poke_all(pipeline->outbound); /* what waited for a way that is new, or mended */
	pipeline_plan_free(plan);
}

static void has_closed(evutil_socket_t fd, short what, void *arg)
{
	struct pipeline *pipeline = arg;

	(void)fd;
	(void)what;
	pipeline->closed(pipeline->closed_arg);
}

static void is_idle(void *closing)
{
	event_active(closing, EV_TIMEOUT, 0);
}

void pipeline_close(struct pipeline *pipeline, int64_t patience_ms, void (*closed)(void *arg),
		    void *arg)
{
	const struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };

	if (pipeline->figures.closing)
		return;
	pipeline->figures.closing = true;
	inbound_close(pipeline->inbound);
	outbound_close(pipeline->outbound);
	upkeep_close(pipeline->upkeep);
	tally_close(pipeline->tally);
	business_acks_close(pipeline->business_acks);
	trail_close(pipeline->trail);
	pipeline->closed = closed;
	pipeline->closed_arg = arg;
	pipeline->closing = event_new(pipeline->crew.loop, -1, 0, has_closed, pipeline);
	event_add(pipeline->closing, &patience);
	pipeline->crew.idle = is_idle;
	pipeline->crew.idle_arg = pipeline->closing;
	if (pipeline_is_idle(pipeline))
		is_idle(pipeline->closing);
}

bool pipeline_is_idle(const struct pipeline *pipeline)
{
	return pipeline->crew.under_way == 0;
}

void pipeline_free(struct pipeline **pipeline)
{
	struct pipeline *p = *pipeline;

	if (p == NULL)
		return;
	inbound_free(&p->inbound);
	outbound_free(&p->outbound);
	upkeep_free(&p->upkeep);
	tally_free(&p->tally);
	business_acks_free(&p->business_acks);
	trail_free(&p->trail);
	crew_done(&p->crew);
	if (p->closing != NULL)
		event_free(p->closing);
	free_ptr(pipeline);
}

/* ---- for people ---- */

void pipeline_watch(struct pipeline *pipeline,
		    void (*moved)(void *arg, const struct store_moves *moves), void *arg)
{
	pipeline->watch = moved;
	pipeline->watch_arg = arg;
}

struct pipeline_figures pipeline_figures(const struct pipeline *pipeline)
{
	const struct inbound_figures inbound = inbound_figures(pipeline->inbound);
	struct pipeline_figures figures = pipeline->figures;

	figures.identities = inbound.identities;
	figures.identities_ignored = inbound.identities_ignored;
	figures.identities_unusable = inbound.identities_unusable;
	figures.answers = inbound.answers;
	figures.not_asked = inbound.not_asked;
	figures.store_trouble = pipeline->crew.store_trouble;
	figures.store_damaged = pipeline->crew.store_damaged;
	return figures;
}

struct lane_figures pipeline_lane(const struct pipeline *pipeline, size_t index)
{
	return outbound_lane(pipeline->outbound, index);
}

const struct outbound_tally *pipeline_tally(const struct pipeline *pipeline, size_t index)
{
	return outbound_tally(pipeline->outbound, index);
}

const struct histogram *pipeline_acks(const struct pipeline *pipeline, size_t index)
{
	return inbound_acks(pipeline->inbound, index);
}

struct mllp_figures pipeline_listener(const struct pipeline *pipeline, size_t index)
{
	return inbound_listener(pipeline->inbound, index);
}

struct drop_figures pipeline_folder(const struct pipeline *pipeline, size_t index)
{
	return inbound_folder(pipeline->inbound, index);
}

struct mllp_sender_figures pipeline_way_back(const struct pipeline *pipeline, size_t index)
{
	return business_acks_link(pipeline->business_acks, index);
}

bool pipeline_trail(const struct pipeline *pipeline, struct collector_figures *ret_figures,
		    uint64_t *ret_waiting)
{
	return trail_figures(pipeline->trail, ret_figures, ret_waiting);
}
