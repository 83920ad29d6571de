/* Going out: a document that is due, from the claim to the line that tells what became of it.
 *
 *     claim                            writer   a lane takes what is due
 *     prepare                          worker   read it back: what is to be done with it
 *     plan                             loop     the next request of its course, or the end
 *     build                            worker   the request, its signatures, its frame
 *     post                             loop     POST over mutual TLS
 *     conclude                         worker   read the reply, decide the outcome; then plan again
 *     write_outcome                    writer   UPDATE, COMMIT
 *     settled                          loop     one number, one line
 *
 * Dying anywhere in between is safe: what was being sent goes again under the same ids.
 */
#include "outbound/outbound.h"

#include <event2/event.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log_text.h"
#include "crew/hands.h"
#include "dispatch/course.h"
#include "outbound/assemble.h"
#include "outbound/document_out.h"
#include "outbound/outbound_way.h"

/* An outcome that could not be written is written again: soon, while the disk is in trouble; ever more rarely,
 * when a damaged file takes it never.
 */
static const struct retry_settings damaged = { .first_ms = 1000, .most_ms = 300000 };
enum { WRITE_AGAIN_MS = 1000 };

LIST_HEAD(delivery_list, delivery);

struct outbound {
	struct outbound_parts parts;
	struct snapshot *snapshot; /* held */
	struct ways ways;
	struct existence_cache *existence_cache;
	struct delivery_list deliveries;
};

static void moved(const struct outbound *outbound, struct change *work)
{
	outbound->parts.moved(outbound->parts.arg, &work->moves);
}

/* What a lane asks of the queue. */
struct claim {
	struct change work;
	struct way *way;
	size_t most, count, set_right;
	int64_t now_ms, before_ms, next_due_ms;
	struct store_due due[];
};

/* One document on its way out. */
struct delivery {
	struct change work;
	LIST_ENTRY(delivery) link;
	struct way *way;
	/* what it began with, and ends with */
	struct snapshot *snapshot;
	size_t index;
	const struct config_establishment *establishment;
	struct client *client;
	struct store_due due;
	struct arena arena;
	struct buf document; /* as the store has it, while it is needed */
	struct metadata metadata;
	struct buf target; /* the unique id of what it replaces or deletes, in the DMP */
	struct course course;
	struct course_step step;
	char message_id[UUID_TEXT];
	struct assembled request; /* but for the document */
	struct http_request http;
	const char *oddity;  /* of the last reply */
	int64_t duration_ms; /* of all exchanges */
	struct outcome outcome;
	struct store_outcome row;
	bool was_posted;
	struct event *again; /* to write an outcome that the store would not take */
	unsigned refusals;   /* by a damaged store */
};

static struct delivery *delivery_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct delivery, work);
}

static struct delivery *delivery_new(struct way *way, const struct store_due *due)
{
	struct delivery *delivery = xcalloc(1, sizeof(*delivery));

	delivery->way = way;
	delivery->snapshot = snapshot_hold(way->snapshot);
	delivery->index = way->index;
	delivery->establishment = way->establishment;
	delivery->client = client_hold(way->client);
	delivery->due = *due;
	LIST_INSERT_HEAD(&way->outbound->deliveries, delivery, link);
	way_begin(way);
	crew_begin(way->outbound->parts.crew);
	return delivery;
}

static void delivery_free(struct delivery *delivery)
{
	LIST_REMOVE(delivery, link);
	crew_end(delivery->way->outbound->parts.crew);
	arena_done(&delivery->arena);
	buf_done(&delivery->document);
	buf_done(&delivery->target);
	assembled_done(&delivery->request);
	buf_done(&delivery->http.reply);
	if (delivery->again != NULL)
		event_free(delivery->again);
	client_let_go(&delivery->client);
	snapshot_let_go(&delivery->snapshot);
	way_end(delivery->way);
	free(delivery);
}

static int claim(struct change *change, struct store *store, struct err *err);
static void claimed(struct job *job);
static void prepare(struct job *job, void *worker);
static void plan(struct job *job);
static void build(struct job *job, void *worker);
static void post(struct job *job);
static void answered(struct http_request *http);
static void conclude(struct job *job, void *worker);
static void concluded(struct job *job);
static int write_outcome(struct change *change, struct store *store, struct err *err);
static void settled(struct job *job);

/* Loop: a lane has room. */
static void lane_has_room(void *arg, struct lane *lane, size_t most)
{
	struct way *way = arg;
	struct claim *claiming = xcalloc(1, sizeof(*claiming) + most * sizeof(claiming->due[0]));

	(void)lane;
	claiming->way = way;
	claiming->most = most;
	claiming->before_ms = way->claimed_ms;
	way_begin(way);
	crew_begin(way->outbound->parts.crew);
	crew_on_writer(way->outbound->parts.crew, &claiming->work, claim, claimed);
}

/* Writer. */
static int claim(struct change *change, struct store *store, struct err *err)
{
	struct claim *claiming = container_of(change, struct claim, work);
	const char *lane = claiming->way->name;

	claiming->now_ms = clock_now_ms();
	if (claiming->now_ms < claiming->before_ms &&
	    store_clock_went_back(store, lane, claiming->now_ms, &claiming->set_right, err) < 0)
		return -1;
	return store_claim(store, lane, claiming->now_ms, claiming->most, claiming->due,
			   &claiming->count, &claiming->next_due_ms, err);
}

static void claim_free(struct claim *claiming)
{
	struct way *way = claiming->way;

	crew_end(way->outbound->parts.crew);
	way_end(way);
	free(claiming);
}

/* Loop. */
static void claimed(struct job *job)
{
	struct claim *claiming =
		container_of(container_of(job, struct change, job), struct claim, work);
	struct way *way = claiming->way;
	struct outbound *outbound = way->outbound;

	way->claimed_ms = claiming->work.err.kind ? INT64_MAX : claiming->now_ms;
	if (claiming->work.err.kind != ERR_NONE) {
		crew_note_store(outbound->parts.crew, &claiming->work.err);
		lane_claim_failed(way->lane);
		claim_free(claiming);
		return;
	}
	if (claiming->set_right > 0)
		log_warning("lane=%s documents=%zu: the clock was set back since they were queued; "
			    "their pauses are counted from now",
			    way->name, claiming->set_right);
	moved(outbound, &claiming->work);
	for (size_t i = 0; i < claiming->count; i++) {
		struct delivery *delivery = delivery_new(way, &claiming->due[i]);

		crew_on_worker(outbound->parts.crew, &delivery->work, prepare, plan);
	}
	lane_claimed(way->lane, claiming->count, claiming->next_due_ms);
	claim_free(claiming);
}

static int load(struct delivery *delivery, struct hands *hands, struct metadata *ret_metadata,
		struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	if (reader == NULL)
		return -1;
	return document_out(reader, &delivery->due.doc, &delivery->document, ret_metadata,
			    &delivery->arena, err);
}

static int read_back(struct delivery *delivery, struct hands *hands, struct err *err)
{
	return load(delivery, hands, &delivery->metadata, err);
}

/* It was sent once already, and is carried again. */
static int load_again(struct delivery *delivery, struct hands *hands, struct err *err)
{
	struct metadata same;

	return load(delivery, hands, &same, err);
}

/* A document that was not sent, as it changed nothing, has its predecessor's name in the DMP. */
static int find_target(struct delivery *delivery, enum action action, struct hands *hands,
		       struct err *err)
{
	if (action == ACTION_SUBMIT)
		return 0;
	return store_target(hands_reader(hands, err), &delivery->due.doc, &delivery->target, err);
}

/* The DMP knows plain OIDs: an id that has an extension (root^extension) names nothing that it could hold. */
static enum course_target target_of(const struct delivery *delivery)
{
	return strchr(slice_of(delivery->target.p).p, '^') ? TARGET_ABSENT : TARGET_NOT_SOUGHT;
}

static int begin_course(struct delivery *delivery, struct hands *hands, struct err *err)
{
	const struct metadata *metadata = &delivery->metadata;

	if (read_back(delivery, hands, err) < 0 ||
	    find_target(delivery, metadata->action, hands, err) < 0)
		return -1;
	delivery->course = (struct course){
		.action = metadata->action,
		.ins = metadata->patient_ins,
		.ins_oid = metadata->patient_ins_oid,
		.was_doubtful = delivery->due.doubtful,
		.check_existence = delivery->establishment->check_existence,
		.absent_as_new = delivery->snapshot->config->absent_as_new || delivery->due.as_new,
		.target = target_of(delivery),
	};
	return 0;
}

/* Worker: what is to be done. */
static void prepare(struct job *job, void *worker)
{
	struct delivery *delivery = delivery_of(job);

	delivery->work.err = (struct err){ 0 };
	(void)!begin_course(delivery, worker, &delivery->work.err);
}

/* What an error of ours means for the document, as if the DMP had answered it. The error is the
 * job's, which has others to come: its text is kept.
 */
static struct outcome outcome_of_error(const struct err *err, struct arena *arena)
{
	static const enum outcome_kind kinds[] = {
		[ERR_RETRY] = OUTCOME_RETRY,
		[ERR_REJECT] = OUTCOME_REJECTED,
		[ERR_HALT] = OUTCOME_REJECTED, /* this document's row is damaged: others may pass */
	};
	bool is_of_lane = err->kind == ERR_HALT && err->reason == REASON_LANE_STOPPED;

	return (struct outcome){
		.kind = is_of_lane ? OUTCOME_HALT : kinds[err->kind],
		.reason = err->reason ? err->reason : REASON_DOCUMENT_INVALID,
		.note = "",
		.code = "not_built",
		.text = arena_dup(arena, slice_of(err->text)),
		.text_is_ours = true,
	};
}

static void log_oddity(struct delivery *delivery)
{
	char doc[ULID_TEXT];

	if (delivery->oddity != NULL && delivery->oddity[0] != '\0')
		log_warning("doc=%s request=%s: %s", ulid_text(&delivery->due.doc, doc),
			    transaction_text(delivery->course.last), delivery->oddity);
	delivery->oddity = NULL;
}

/* What other documents of the patient have taught, and what this one teaches them. */
static void share_existence(struct delivery *delivery)
{
	struct course *course = &delivery->course;
	struct existence_cache *cache = delivery->way->outbound->existence_cache;
	enum existence learnt = course_existence(course);
	int64_t now_ms =
		clock_monotonic_ms(); /* a clock set back must not make it believed longer */

	if (!course->has_asked)
		course->existence =
			existence_cache_find(cache, course->ins, course->ins_oid, now_ms);
	else if (course->check_existence && learnt != EXISTENCE_UNKNOWN)
		existence_cache_put(cache, course->ins, course->ins_oid, learnt, now_ms);
}

/* Loop: the next request, or the end. */
static void plan(struct job *job)
{
	struct delivery *delivery = delivery_of(job);

	if (delivery->work.err.kind != ERR_NONE) {
		delivery->outcome = outcome_of_error(&delivery->work.err, &delivery->arena);
		concluded(job);
		return;
	}
	log_oddity(delivery);
	share_existence(delivery);
	delivery->step = course_next(&delivery->course);
	if (delivery->step.ended) {
		delivery->outcome = delivery->step.outcome;
		concluded(job);
		return;
	}
	crew_on_worker(delivery->way->outbound->parts.crew, &delivery->work, build, post);
}

static bool carries_document(const struct delivery *delivery)
{
	return delivery->step.request == TRANSACTION_SUBMIT;
}

static int build_frame(struct delivery *delivery, struct hands *hands, struct err *err)
{
	const struct config_establishment *establishment = delivery->establishment;
	const struct course_step *step = &delivery->step;
	struct pen *pen = hands_pen(hands, delivery->snapshot->credentials, delivery->index, err);

	if (pen == NULL)
		return -1;
	if (assemble_url(establishment, step->request)[0] == '\0')
		return err_refuse(err, REASON_ACTION_NOT_SUPPORTED, "",
				  "no URL is configured for the request \"%s\"",
				  transaction_text(step->request));
	if (carries_document(delivery) && delivery->document.n == 0 &&
	    load_again(delivery, hands, err) < 0)
		return -1;
	return assemble(
		&(struct assembly){
			.config = delivery->snapshot->config,
			.establishment = establishment,
			.pen = pen,
			.now_ms = clock_now_ms(),
			.doc = delivery->due.doc,
			.document = buf_slice(&delivery->document),
			.metadata = &delivery->metadata,
			.source = delivery->due.source,
			.request = step->request,
			.target = step->own ? delivery->metadata.unique_id : delivery->target.p,
			.entry = step->entry,
			.archived = step->archived,
			.ret_message_id = delivery->message_id,
		},
		&delivery->request, err);
}

/* Worker: to the bytes of the request. */
static void build(struct job *job, void *worker)
{
	struct delivery *delivery = delivery_of(job);

	delivery->work.err = (struct err){ 0 };
	(void)!build_frame(delivery, worker, &delivery->work.err);
}

/* Loop. */
static void post(struct job *job)
{
	struct delivery *delivery = delivery_of(job);
	const struct assembled *request = &delivery->request;
	struct slice document = { 0 };
	const struct config_establishment *establishment = delivery->establishment;

	if (delivery->work.err.kind != ERR_NONE) {
		delivery->outcome = outcome_of_error(&delivery->work.err, &delivery->arena);
		concluded(job);
		return;
	}
	if (carries_document(delivery))
		document = buf_slice(&delivery->document);
	buf_done(&delivery->http.reply);
	delivery->http = (struct http_request){
		.url = assemble_url(establishment, delivery->step.request),
		.content_type = request->content_type.p,
		.soap_action =
			establishment->http_soap_action ? soap_action(delivery->step.request) : "",
		.body = { buf_slice(&request->head), document, buf_slice(&request->tail) },
		.done = answered,
	};
	delivery->was_posted = true;
	http_post(delivery->client->http, &delivery->http);
}

static void note_answer(struct outbound_tally *tally, const struct http_request *http)
{
	histogram_add(&tally->answers, http->duration_ms);
	if (http->date_ms > 0)
		skew_note(&tally->skew, http->sent_ms, http->answered_ms, http->date_ms,
			  clock_monotonic_ms());
}

/* Loop: the exchange has ended, one way or the other. */
static void answered(struct http_request *http)
{
	struct delivery *delivery = container_of(http, struct delivery, http);

	assembled_done(&delivery->request);
	if (carries_document(delivery))
		buf_done(&delivery->document);
	delivery->duration_ms += http->duration_ms;
	if (http->exchange.answered)
		note_answer(&delivery->way->tally, http);
	crew_on_worker(delivery->way->outbound->parts.crew, &delivery->work, conclude, plan);
}

/* How many earlier attempts ended with this code. What has none is counted with all others. Not being able to tell
 * means that it is tried again.
 */
static unsigned count_alike(const struct delivery *delivery, const char *code, struct hands *hands)
{
	const unsigned earlier = delivery->due.attempt - 1;
	struct err err = { 0 };
	struct store *reader;
	unsigned count;

	if (earlier == 0 || code[0] == '\0')
		return earlier;
	reader = hands_reader(hands, &err);
	if (reader == NULL || store_count_alike(reader, &delivery->due.doc, code, &count, &err) < 0)
		return 0;
	return count;
}

/* Worker. */
static void conclude(struct job *job, void *worker)
{
	struct delivery *delivery = delivery_of(job);
	struct reply *reply =
		arena_alloc(&delivery->arena, sizeof(*reply)); /* the course borrows from it */
	struct attempt attempt = {
		.asked = delivery->step.request,
		.was_doubtful = delivery->due.doubtful,
		.unique_id = delivery->metadata.unique_id,
	};
	struct outcome outcome;

	reply_read(reply, attempt.asked, slice_of(delivery->http.reply_content_type),
		   buf_slice(&delivery->http.reply), &delivery->arena);
	attempt.alike = count_alike(delivery, reply->code, worker);
	outcome = outcome_of(delivery->snapshot->errors, &attempt, &delivery->http.exchange, reply);
	delivery->oddity = reply_oddity(reply, attempt.asked, delivery->message_id);
	course_learn(&delivery->course, attempt.asked, &outcome, reply);
}

/* The state that a document is in after an outcome. */
static enum doc_state state_after(enum outcome_kind kind)
{
	switch (kind) {
	case OUTCOME_DELIVERED:
		return DOC_DELIVERED;
	case OUTCOME_RETRY:
	case OUTCOME_RETRY_LANE:
	case OUTCOME_HALT:
		return DOC_QUEUED;
	case OUTCOME_REJECTED:
		return DOC_REJECTED;
	case OUTCOME_REFUSED:
		return DOC_REFUSED;
	}
	return DOC_QUEUED;
}

static void blame_the_installation(struct outcome *outcome)
{
	outcome->kind = OUTCOME_HALT;
	outcome->reason = REASON_LANE_STOPPED;
}

/* A refusal that nobody described is one document's fault, or, met by several in a row, the
 * installation's: the lane then stops and the document keeps its place. So is a page of somebody
 * else's, when the DMP does not answer in between. No answer says nothing.
 */
static void suspect(struct delivery *delivery)
{
	struct suspicion *suspicion = &delivery->way->suspicion;
	struct outcome *outcome = &delivery->outcome;

	if (!delivery->was_posted)
		return;
	if (outcome->strange) {
		if (suspicion_of_stranger(suspicion))
			blame_the_installation(outcome);
		return;
	}
	if (!delivery->http.exchange.answered)
		return;
	suspicion_was_the_dmp(suspicion);
	if (!outcome->unknown)
		suspicion_clear(suspicion);
	else if (suspicion_raise(suspicion, outcome->code, &delivery->due.doc))
		blame_the_installation(outcome);
}

/* A document that fails by itself for too long waits for a person: never silently, and never for the
 * time that its lane was down, for then nothing was tried.
 */
static void give_up_when_old(struct delivery *delivery, int64_t now_ms)
{
	struct outcome *outcome = &delivery->outcome;

	if (outcome->kind != OUTCOME_RETRY ||
	    now_ms - delivery->due.since_ms < delivery->snapshot->config->most_age_ms)
		return;
	outcome->kind = OUTCOME_REJECTED;
	outcome->reason = REASON_TOO_OLD;
}

/* As many as the pause after them goes by: one that is slow to pass has the longest at once. */
static unsigned failures_of(const struct delivery *delivery)
{
	return delivery->outcome.slow ? UINT_MAX : delivery->due.attempt;
}

/* Loop: what is to be written down. */
static void concluded(struct job *job)
{
	struct delivery *delivery = delivery_of(job);
	const struct outcome *outcome = &delivery->outcome;
	const int64_t now_ms = clock_now_ms();

	suspect(delivery);
	give_up_when_old(delivery, now_ms);
	delivery->row = (struct store_outcome){
		.doc = delivery->due.doc,
		.now_ms = now_ms,
		.state = state_after(outcome->kind),
		.reason = outcome->reason,
		.doubtful = outcome->kind != OUTCOME_DELIVERED &&
			    (outcome->doubtful || delivery->due.doubtful),
		.next_attempt_ms = lane_next_attempt_ms(delivery->way->lane, outcome->kind,
							failures_of(delivery),
							outcome->retry_after_ms, now_ms),
		.attempt_counts =
			outcome->kind != OUTCOME_RETRY_LANE && outcome->kind != OUTCOME_HALT,
		.code = outcome->code,
		.text = outcome->text,
		.note = outcome->note,
		.http_status = delivery->http.exchange.http_status,
		.duration_ms = delivery->duration_ms,
	};
	crew_on_writer(delivery->way->outbound->parts.crew, &delivery->work, write_outcome,
		       settled);
}

/* Writer. */
static int write_outcome(struct change *change, struct store *store, struct err *err)
{
	return store_settle(store, &container_of(change, struct delivery, work)->row, err);
}

/* Loop: the store would not take the outcome (a full disk): it is kept and written again. Dying
 * before that is safe too: the document then goes again under the same ids.
 */
static void write_again(evutil_socket_t fd, short what, void *arg)
{
	struct delivery *delivery = arg;

	(void)fd;
	(void)what;
	crew_on_writer(delivery->way->outbound->parts.crew, &delivery->work, write_outcome,
		       settled);
}

static void write_later(struct delivery *delivery, const struct err *err)
{
	int64_t delay_ms = WRITE_AGAIN_MS;

	if (err->kind == ERR_HALT)
		delay_ms = retry_delay_ms(&damaged, ++delivery->refusals, random_u32());
	if (delivery->again == NULL)
		delivery->again = event_new(delivery->way->outbound->parts.crew->loop, -1, 0,
					    write_again, delivery);
	event_add(delivery->again, &(struct timeval){ delay_ms / 1000, delay_ms % 1000 * 1000 });
}

/* What a log or a status page may say of an outcome: the DMP's own words may name the patient and
 * stay in the document's history.
 */
static const char *words_for_all(const struct outcome *outcome)
{
	if (outcome->text_is_ours)
		return outcome->text;
	return outcome->row != NULL && outcome->row->english[0] != '\0'
		       ? outcome->row->english
		       : reason_row(outcome->reason)->english;
}

static void log_delivery(const struct delivery *delivery)
{
	const struct store_outcome *row = &delivery->row;
	enum log_level level = row->state == DOC_REJECTED ? LEVEL_ERROR
			       : row->state == DOC_QUEUED ? LEVEL_WARNING
							  : LEVEL_INFO;
	const char *words = words_for_all(&delivery->outcome);
	char doc[ULID_TEXT], code[LOG_WORD];

	log_line(level, "doc=%s outcome=%s attempt=%u ms=%" PRId64 " lane=%s%s%s%s%s%s%s%s%s",
		 ulid_text(&row->doc, doc), doc_state_text(row->state), delivery->due.attempt,
		 row->duration_ms, delivery->way->name, row->reason ? " reason=" : "",
		 reason_row(row->reason)->code, row->code[0] ? " code=" : "",
		 log_word(row->code, code), row->note[0] ? " note=" : "", row->note,
		 words[0] ? ": " : "", words);
}

static void count(struct outbound_tally *tally, const struct delivery *delivery)
{
	const enum outcome_kind kind = delivery->outcome.kind;

	tally->outcomes[kind]++;
	if (kind == OUTCOME_DELIVERED)
		window_add(&tally->delivered, delivery->row.now_ms, 1);
	if (kind == OUTCOME_REFUSED)
		window_add(&tally->refused, delivery->row.now_ms, 1);
}

static void tell_lane(const struct delivery *delivery)
{
	const struct outcome *outcome = &delivery->outcome;
	scoped(buf_done) struct buf english = { 0 }, french = { 0 };

	outcome_say(outcome, false, &english);
	outcome_say(outcome, true, &french);
	lane_settled(delivery->way->lane, outcome->kind, outcome->retry_after_ms,
		     (struct lane_why){ english.p, french.p });
}

/* Loop: one number, one line. */
static void settled(struct job *job)
{
	struct delivery *delivery = delivery_of(job);
	struct outbound *outbound = delivery->way->outbound;

	crew_note_store(outbound->parts.crew, &delivery->work.err);
	if (delivery->work.err.kind != ERR_NONE) {
		write_later(delivery, &delivery->work.err);
		return;
	}
	log_delivery(delivery);
	count(&delivery->way->tally, delivery);
	moved(outbound, &delivery->work);
	if (delivery->was_posted || delivery->outcome.kind == OUTCOME_HALT)
		tell_lane(delivery);
	else
		lane_untried(delivery->way->lane);
	delivery_free(delivery);
}

/* ---- birth and end ---- */

int outbound_prepare(struct outbound *outbound, const struct snapshot *snapshot,
		     struct outbound_plan **ret_plan, struct err *err)
{
	return ways_prepare(&outbound->ways, snapshot, ret_plan, err);
}

static void follow_cache(struct outbound *outbound, const struct config *before)
{
	const struct existence_cache_settings *settings =
		&outbound->snapshot->config->existence_cache;
	uint8_t secret[SHA256_BYTES];

	if (before != NULL && memcmp(&before->existence_cache, settings, sizeof(*settings)) == 0)
		return;
	random_bytes(secret, sizeof(secret));
	existence_cache_free(&outbound->existence_cache);
	outbound->existence_cache = existence_cache_new(settings, secret);
}

void outbound_follow(struct outbound *outbound, struct snapshot *snapshot,
		     struct outbound_plan **plan)
{
	struct snapshot *before = outbound->snapshot;

	outbound->snapshot = snapshot_hold(snapshot);
	follow_cache(outbound, before ? before->config : NULL);
	ways_follow(&outbound->ways, snapshot, plan);
	snapshot_let_go(&before);
}

struct outbound *outbound_new(const struct outbound_parts *parts)
{
	struct outbound *outbound = xcalloc(1, sizeof(*outbound));
	struct outbound_plan *plan;

	outbound->parts = *parts;
	outbound->ways =
		(struct ways){ .outbound = outbound, .crew = parts->crew, .claim = lane_has_room };
	plan = ways_plan(&outbound->ways, parts->snapshot);
	outbound_follow(outbound, parts->snapshot, &plan);
	return outbound;
}

void outbound_poke(struct outbound *outbound, const char *finess_ej)
{
	const struct way *way = ways_find(&outbound->ways, finess_ej);

	if (way != NULL)
		lane_poke(way->lane);
}

void outbound_tell_existence(struct outbound *outbound, const char *ins, const char *ins_oid,
			     enum existence existence, int64_t said_ms)
{
	existence_cache_tell(outbound->existence_cache, ins, ins_oid, existence, said_ms);
}

void outbound_poke_all(struct outbound *outbound)
{
	for (size_t i = 0; i < outbound->ways.count; i++)
		lane_poke(outbound->ways.list[i]->lane);
}

void outbound_close(struct outbound *outbound)
{
	for (size_t i = 0; i < outbound->ways.count; i++)
		lane_close(outbound->ways.list[i]->lane);
}

void outbound_free(struct outbound **outbound)
{
	struct outbound *out = *outbound;
	struct delivery *delivery;

	if (out == NULL)
		return;
	ways_hang_up(&out->ways);
	while ((delivery = LIST_FIRST(&out->deliveries)) != NULL)
		delivery_free(delivery);
	ways_done(&out->ways);
	existence_cache_free(&out->existence_cache);
	snapshot_let_go(&out->snapshot);
	free_ptr(outbound);
}

struct lane_figures outbound_lane(const struct outbound *outbound, size_t index)
{
	return lane_figures(outbound->ways.list[index]->lane);
}

const struct outbound_tally *outbound_tally(const struct outbound *outbound, size_t index)
{
	return &outbound->ways.list[index]->tally;
}
