/* The life of a document, top to bottom. Read this one first.
 *
 *     message_came, file_came          loop     bytes arrive
 *     read_message, read_file          worker   parse, normalise, decide: send, hold, refuse
 *     take_in                          writer   INSERT, COMMIT: the sync
 *     acknowledge, move_file           loop     the sender hears "yes", the file moves aside
 *                                      ---- from here the document is ours ----
 *     claim                            writer   a lane takes what is due
 *     prepare                          worker   read it back: what is to be done with it
 *     plan                             loop     the next request of its course, or the end
 *     build                            worker   the request, its signatures, its frame
 *     post                             loop     POST over mutual TLS
 *     conclude                         worker   read the reply, decide the outcome; then plan again
 *     write_outcome                    writer   UPDATE, COMMIT
 *     settled                          loop     one number, one line
 *
 * Each step is a small function that runs where its comment says; the step after it is named in
 * the call that hands the work over. A document keeps one id from the first step to the last log
 * line. Dying at any point (kill -9) is a supported way to stop: before take_in's commit the
 * sender was not answered and sends again; after it, the document is in the store, and what was
 * being sent goes again under the same ids.
 */
#include "pipeline.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/queue.h>

#include "assemble.h"
#include "base/clock.h"
#include "decide.h"
#include "dispatch/course.h"
#include "dispatch/suspicion.h"
#include "hl7/ack.h"
#include "hl7/batch.h"
#include "intake/explanation.h"

enum {
	HEAD_BYTES = 4096, /* of a message, kept to answer it */
	STORE_PROBE_S = 1,
	WRITE_AGAIN_S = 1, /* an outcome that could not be written is written again this often */
};

/* One legal entity's way to the DMP. */
struct way {
	struct pipeline *pipeline;
	const struct config_establishment *establishment;
	struct lane *lane;
	struct http *http;
	struct suspicion suspicion;
};

LIST_HEAD(intake_list, intake);
LIST_HEAD(delivery_list, delivery);

struct pipeline {
	struct pipeline_parts parts;
	const struct config *config;

	struct mllp_server **listeners;
	struct drop **folders;
	struct way *ways;
	struct existence_cache *existence_cache;

	struct pipeline_figures figures;
	char store_trouble[ERR_TEXT];
	struct change probe;
	struct event *probe_again;
	size_t under_way; /* intakes, claims and deliveries */
	struct intake_list intakes;
	struct delivery_list deliveries;

	struct event *closing; /* fires when all is done, or patience has ended */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* ---- handing over ---- */

static void on_worker(struct pipeline *pipeline, struct change *work,
		      void (*run)(struct job *, void *), void (*done)(struct job *))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(pipeline->parts.workers, &work->job);
}

static void on_disk(struct pipeline *pipeline, struct change *work,
		    void (*run)(struct job *, void *), void (*done)(struct job *))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(pipeline->parts.disk, &work->job);
}

static void on_writer(struct pipeline *pipeline, struct change *work,
		      int (*apply)(struct change *, struct store *, struct err *),
		      void (*done)(struct job *))
{
	work->apply = apply;
	work->job.done = done;
	writer_submit(pipeline->parts.writer, work);
}

/* Remembers, and says once, whether the store can be written. While it cannot, it is tried now and
 * then: nobody sends to a gateway that says it is not ready.
 */
static void note_store(struct pipeline *pipeline, const struct err *err)
{
	const struct timeval later = { STORE_PROBE_S, 0 };
	bool trouble = err->kind != ERR_NONE;
	bool was = pipeline->store_trouble[0] != '\0';

	if (trouble && !was) {
		log_error("store unavailable: %s", err->text);
		event_add(pipeline->probe_again, &later);
	}
	if (!trouble && was)
		log_info("store available again");
	snprintf(pipeline->store_trouble, sizeof(pipeline->store_trouble), "%s",
		 trouble ? err->text : "");
}

/* Writer. */
static int probe(struct change *change, struct store *store, struct err *err)
{
	(void)change;
	return store_probe(store, clock_now_ms(), err);
}

/* Loop. */
static void probed(struct job *job)
{
	struct change *change = container_of(job, struct change, job);
	struct pipeline *pipeline = container_of(change, struct pipeline, probe);
	const struct timeval later = { STORE_PROBE_S, 0 };

	note_store(pipeline, &change->err);
	if (change->err.kind != ERR_NONE)
		event_add(pipeline->probe_again, &later);
}

static void probe_again(evutil_socket_t fd, short what, void *arg)
{
	struct pipeline *pipeline = arg;

	(void)fd;
	(void)what;
	on_writer(pipeline, &pipeline->probe, probe, probed);
}

static void one_less_under_way(struct pipeline *pipeline)
{
	if (--pipeline->under_way == 0 && pipeline->closing != NULL)
		event_active(pipeline->closing, EV_TIMEOUT, 0);
}

static void count(struct pipeline *pipeline, enum doc_state from, enum doc_state to)
{
	if (from != DOC_STATE_COUNT)
		pipeline->figures.documents[from]--;
	pipeline->figures.documents[to]++;
}

/* ---- coming in ---- */

/* One message, or a document that comes alone. */
struct intake_part {
	struct decision decision;
	struct err err;                                /* why it was refused */
	struct ulid docs[TRANSMISSION_DOCUMENTS_MOST]; /* their ids, if they are new */
	struct store_receipt receipts[TRANSMISSION_DOCUMENTS_MOST];
};

/* One frame or file on its way in. What is in it is taken in together, or not at all. */
struct intake {
	struct change work;
	LIST_ENTRY(intake) link;
	struct pipeline *pipeline;

	struct mllp_arrival *message; /* who waits for an answer: one of the two */
	struct drop_file *file;
	char digest[DROP_DIGEST]; /* of the file's name, for logs */
	const char *channel, *site, *source, *origin;
	struct ulid doc;
	int64_t came_ms;
	struct buf bytes; /* what came */
	struct buf head;  /* the start of a message, to answer it */

	struct intake_part *parts; /* several of a batch file */
	size_t part_count;
	bool is_batch;
	struct err err; /* why nothing was taken in */
};

static struct intake *intake_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct intake, work);
}

static struct intake *intake_new(struct pipeline *pipeline, const char *channel, const char *site,
				 const char *source)
{
	struct intake *intake = xcalloc(1, sizeof(*intake));

	intake->pipeline = pipeline;
	intake->channel = channel;
	intake->site = site;
	intake->source = source;
	intake->origin = "";
	intake->came_ms = clock_now_ms();
	intake->doc = ulid_new(intake->came_ms);
	intake->parts = xcalloc(1, sizeof(*intake->parts));
	intake->part_count = 1;
	LIST_INSERT_HEAD(&pipeline->intakes, intake, link);
	pipeline->under_way++;
	return intake;
}

static void intake_free(struct intake *intake)
{
	LIST_REMOVE(intake, link);
	one_less_under_way(intake->pipeline);
	for (size_t i = 0; i < intake->part_count; i++)
		decision_done(&intake->parts[i].decision);
	free(intake->parts);
	buf_done(&intake->bytes);
	buf_done(&intake->head);
	free(intake);
}

static void read_message(struct job *job, void *worker);
static void read_file(struct job *job, void *worker);
static void was_read(struct job *job);
static int take_in(struct change *change, struct store *store, struct err *err);
static void taken_in(struct job *job);
static void acknowledge(struct intake *intake);
static void move_file(struct job *job, void *worker);
static void file_moved(struct job *job);

/* Loop: a frame arrived. */
static void message_came(void *arg, struct mllp_arrival *message)
{
	struct intake *intake =
		intake_new(arg, "mllp", message->listener->site, message->listener->source);

	intake->message = message;
	intake->bytes = message->payload;
	message->payload = (struct buf){ 0 };
	on_worker(intake->pipeline, &intake->work, read_message, was_read);
}

/* Loop: a file is whole. */
static void file_came(void *arg, struct drop_file *file)
{
	struct intake *intake = intake_new(arg, "drop", file->folder->site, file->folder->source);

	intake->file = file;
	drop_name_digest(file->name, intake->digest);
	on_disk(intake->pipeline, &intake->work, read_file, was_read);
}

static struct decision_settings decision_settings(const struct intake *intake)
{
	return (struct decision_settings){
		.config = intake->pipeline->config,
		.valuesets = intake->pipeline->parts.valuesets,
		.site = intake->site,
	};
}

static struct slice first_line(struct slice text)
{
	size_t n = 0;

	text = slice_trim(text);
	while (n < min(text.n, (size_t)HEAD_BYTES) && text.p[n] != '\r' && text.p[n] != '\n')
		n++;
	return (struct slice){ text.p, n };
}

/* Worker. */
static void read_message(struct job *job, void *worker)
{
	struct intake *intake = intake_of(job);
	const struct decision_settings settings = decision_settings(intake);
	struct slice message = buf_slice(&intake->bytes);
	struct intake_part *part = &intake->parts[0];

	(void)worker;
	buf_add(&intake->head, first_line(message));
	if (intake->message->framing.kind != ERR_NONE)
		intake->err = intake->message->framing;
	else
		(void)!decide_message(&part->decision, message, &settings, &intake->err);
	if (part->decision.origin != NULL)
		intake->origin = part->decision.origin;
	buf_done(&intake->bytes); /* the document stands alone now: no need to hold it twice */
}

static bool is_message(const char *file)
{
	const char *ending = strrchr(file, '.');

	return ending != NULL &&
	       (strcasecmp(ending, ".hl7") == 0 || strcasecmp(ending, ".er7") == 0);
}

/* Which message of a batch file the error is about. */
static int within_batch(const struct intake *intake, size_t index, struct err *err)
{
	if (intake->part_count == 1)
		return -1;
	return err_within(err, "message %zu of %zu (MSH-10: %s)", index + 1, intake->part_count,
			  intake->parts[index].decision.origin);
}

/* Message by message: every one that is at fault is told, and one is enough to refuse the file. */
static int read_batch(struct intake *intake, const struct decision_settings *settings)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct slice *messages;
	size_t count;

	intake->is_batch = true;
	if (hl7_batch_cut(buf_slice(&intake->bytes), &messages, &count, &arena, &intake->err) < 0)
		return -1;
	free(intake->parts);
	intake->parts = xcalloc(count, sizeof(*intake->parts));
	intake->part_count = count;
	for (size_t i = 0; i < count; i++) {
		struct intake_part *part = &intake->parts[i];

		if (decide_message(&part->decision, messages[i], settings, &part->err) == 0)
			continue;
		within_batch(intake, i, &part->err);
		if (intake->err.kind == ERR_NONE)
			intake->err = part->err;
	}
	return intake->err.kind == ERR_NONE ? 0 : -1;
}

/* Disk worker. */
static void read_file(struct job *job, void *worker)
{
	struct intake *intake = intake_of(job);
	const struct decision_settings settings = decision_settings(intake);
	struct decision *decision = &intake->parts[0].decision;

	(void)worker;
	intake->origin = intake->file->name;
	if (drop_read(intake->file, &intake->bytes, &intake->err) < 0)
		return;
	if (!is_message(intake->file->name))
		(void)!decide_document(decision, &intake->bytes, &settings, &intake->err);
	else if (hl7_is_batch(buf_slice(&intake->bytes)))
		(void)!read_batch(intake, &settings);
	else
		(void)!decide_message(decision, buf_slice(&intake->bytes), &settings, &intake->err);
	buf_done(&intake->bytes);
}

/* The first new document has the id that the intake has from its start. */
static size_t give_ids(struct intake *intake)
{
	size_t count = 0;

	for (size_t i = 0; i < intake->part_count; i++) {
		struct intake_part *part = &intake->parts[i];

		for (size_t j = 0; j < part->decision.document_count; j++)
			part->docs[j] = count++ == 0 ? intake->doc : ulid_new(intake->came_ms);
	}
	return count;
}

/* Loop: refused, or to be stored; a message about an identity leaves nothing to store. */
static void was_read(struct job *job)
{
	struct intake *intake = intake_of(job);

	if (intake->err.kind == ERR_NONE && give_ids(intake) > 0)
		on_writer(intake->pipeline, &intake->work, take_in, taken_in);
	else
		acknowledge(intake);
}

static int take_in_document(const struct intake *intake, struct intake_part *part, size_t index,
			    struct store *store, struct err *err)
{
	const struct decision *decision = &part->decision;
	const struct decision_document *document = &decision->documents[index];
	struct store_arrival arrival = {
		.doc = part->docs[index],
		.action = decision->action,
		.unique_id = document->unique_id,
		.type_code = document->type_code,
		.lane = decision->establishment->finess_ej,
		.site = intake->site,
		.source = intake->source,
		.channel = intake->channel,
		.origin = intake->origin,
		.now_ms = intake->came_ms,
		.state = decision->state,
		.reason = decision->reason,
		.body = buf_slice(&document->body),
		.metadata = buf_slice(&document->metadata),
	};

	memcpy(arrival.digest, document->digest, sizeof(arrival.digest));
	if (store_take_in(store, &arrival, &part->receipts[index], err) < 0)
		return -1;
	if (part->receipts[index].taken == STORE_FOREIGN)
		return err_refuse(err, REASON_DUPLICATE_FOREIGN, document->where,
				  "another document was accepted under the id %s",
				  document->unique_id);
	return 0;
}

/* Writer: all of it, or a failure that takes all of it back. */
static int take_in(struct change *change, struct store *store, struct err *err)
{
	struct intake *intake = container_of(change, struct intake, work);

	for (size_t i = 0; i < intake->part_count; i++) {
		struct intake_part *part = &intake->parts[i];

		for (size_t j = 0; j < part->decision.document_count; j++)
			if (take_in_document(intake, part, j, store, err) < 0)
				return within_batch(intake, i, err);
	}
	return 0;
}

/* The message's control id, or the digest of the file's name. */
static const char *told_origin(const struct intake *intake)
{
	return intake->message ? intake->origin : intake->digest;
}

static void log_part(const struct intake *intake, const char *peer, const struct intake_part *part)
{
	const struct decision *decision = &part->decision;
	char doc[ULID_TEXT];

	if (decision->event[0] != '\0')
		log_info("adt event=%s channel=%s source=%s from=%s origin=%s", decision->event,
			 intake->channel, intake->source, peer, told_origin(intake));
	for (size_t i = 0; i < decision->document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];
		const struct decision_document *document = &decision->documents[i];

		log_info("doc=%s %s channel=%s source=%s from=%s origin=%s type=%s bytes=%zu "
			 "state=%s%s%s",
			 ulid_text(&receipt->doc, doc),
			 receipt->taken == STORE_KNOWN ? "received again" : "received",
			 intake->channel, intake->source, peer, told_origin(intake),
			 document->type_code, document->body.n, doc_state_text(receipt->state),
			 decision->reason ? " reason=" : "", reason_row(decision->reason)->code);
	}
}

/* `ack`: what the sender hears. Of a batch the first message at fault is told; the file's
 * explanation tells them all.
 */
static void log_intake(const struct intake *intake, const char *ack)
{
	const char *peer = intake->message ? intake->message->peer : intake->file->folder->name;
	const struct err *err = &intake->err;

	if (err->kind != ERR_NONE) {
		log_warning("refused channel=%s source=%s from=%s origin=%s ack=%s reason=%s "
			    "where=%s: %s",
			    intake->channel, intake->source, peer, told_origin(intake), ack,
			    reason_row(err->reason)->code, err->where, err->text);
		return;
	}
	for (size_t i = 0; i < intake->part_count; i++)
		log_part(intake, peer, &intake->parts[i]);
}

static struct way *way_of(struct pipeline *pipeline,
			  const struct config_establishment *establishment)
{
	return &pipeline->ways[establishment - pipeline->config->establishments];
}

/* Loop: what was new is counted, and its lane is told. */
static void note_new(struct pipeline *pipeline, const struct intake_part *part)
{
	for (size_t i = 0; i < part->decision.document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];

		if (receipt->taken != STORE_NEW)
			continue;
		count(pipeline, DOC_STATE_COUNT, receipt->state);
		if (receipt->state == DOC_QUEUED)
			lane_poke(way_of(pipeline, part->decision.establishment)->lane);
	}
}

/* Loop: the commit has happened, or failed. */
static void taken_in(struct job *job)
{
	struct intake *intake = intake_of(job);
	struct pipeline *pipeline = intake->pipeline;

	intake->err = intake->work.err;
	if (intake->err.kind != ERR_REJECT) /* a document at fault says nothing of the store */
		note_store(pipeline, &intake->err);
	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++)
		note_new(pipeline, &intake->parts[i]);
	acknowledge(intake);
}

static void build_answer(const struct intake *intake, struct buf *out)
{
	char control_id[ULID_TEXT];
	const struct ack ack = {
		.now_ms = clock_now_ms(),
		/* MSH-10 holds 20: the part that differs */
		.control_id = ulid_text(&intake->doc, control_id) + ULID_TEXT - 1 - 20,
		.err = &intake->err,
	};

	ack_build(buf_slice(&intake->head), &ack, out);
}

static void count_identities(struct intake *intake)
{
	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++)
		if (intake->parts[i].decision.event[0] != '\0')
			intake->pipeline->figures.identities++;
}

/* Loop: only now does anyone hear "yes". */
static void acknowledge(struct intake *intake)
{
	scoped(buf_done) struct buf answer = { 0 };

	count_identities(intake);
	if (intake->file != NULL) {
		log_intake(intake, ack_code(&intake->err));
		on_disk(intake->pipeline, &intake->work, move_file, file_moved);
		return;
	}
	build_answer(intake, &answer); /* nothing, to an answer */
	log_intake(intake, answer.n > 0 ? ack_code(&intake->err) : "none");
	intake->pipeline->figures.answers += answer.n == 0;
	mllp_server_answer(intake->message, buf_slice(&answer));
	intake_free(intake);
}

static void write_explanation(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	size_t told = 0;

	explanation_open(intake->file->name, now_ms, out);
	for (size_t i = 0; i < intake->part_count; i++)
		if (intake->parts[i].err.kind != ERR_NONE && ++told > 0)
			explanation_add(&intake->parts[i].err, out);
	if (told == 0)
		explanation_add(&intake->err, out);
}

/* What became of each message of a batch. */
static void write_result(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	char doc[ULID_TEXT];

	result_open(intake->file->name, now_ms, out);
	for (size_t i = 0; i < intake->part_count; i++) {
		const struct intake_part *part = &intake->parts[i];
		const struct decision *decision = &part->decision;

		result_add_message(decision->origin, decision->event, out);
		for (size_t j = 0; j < decision->document_count; j++)
			result_add_document(ulid_text(&part->receipts[j].doc, doc),
					    decision->documents[j].unique_id, decision->action,
					    doc_state_text(part->receipts[j].state),
					    part->receipts[j].taken == STORE_KNOWN, out);
	}
}

/* Disk worker: aside, or back for another time when the world was at fault. */
static void move_file(struct job *job, void *worker)
{
	struct intake *intake = intake_of(job);
	scoped(buf_done) struct buf note = { 0 };
	struct err *moving = &intake->work.err;
	const int64_t now_ms = clock_now_ms();

	(void)worker;
	*moving = (struct err){ 0 };
	if (intake->err.kind == ERR_NONE) {
		if (intake->is_batch)
			write_result(intake, now_ms, &note);
		(void)!drop_accept(intake->file, now_ms, buf_slice(&note), moving);
	} else if (intake->err.kind == ERR_REJECT) {
		write_explanation(intake, now_ms, &note);
		(void)!drop_reject(intake->file, now_ms, buf_slice(&note), moving);
	}
}

/* Loop. */
static void file_moved(struct job *job)
{
	struct intake *intake = intake_of(job);
	const struct err *moving = &intake->work.err;
	bool taken = intake->err.kind == ERR_NONE, refused = intake->err.kind == ERR_REJECT;
	bool moved = moving->kind == ERR_NONE && (taken || refused);

	if (moved)
		log_info("file=%s folder=%s moved=%s", intake->digest, intake->file->folder->name,
			 taken ? "done" : "rejected");
	else
		log_error("file=%s folder=%s stays: %s", intake->digest, intake->file->folder->name,
			  moving->kind ? moving->text : intake->err.text);
	drop_settle(intake->file, !moved);
	intake_free(intake);
}

/* ---- going out ---- */

/* What a lane asks of the queue. */
struct claim {
	struct change work;
	struct way *way;
	size_t most, count;
	int64_t next_due_ms;
	struct store_due due[];
};

/* One document on its way out. */
struct delivery {
	struct change work;
	LIST_ENTRY(delivery) link;
	struct way *way;
	struct store_due due;
	struct arena arena;
	struct buf document, metadata; /* as the store has them; the document while it is needed */
	struct course course;
	struct course_step step;
	char message_id[UUID_TEXT];
	struct buf frame, content_type;
	struct http_request http;
	const char *oddity;  /* of the last reply */
	int64_t duration_ms; /* of all exchanges */
	struct outcome outcome;
	struct store_outcome row;
	bool was_posted;
	struct event *again; /* to write an outcome that the store would not take */
};

static struct delivery *delivery_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct delivery, work);
}

static void delivery_free(struct delivery *delivery)
{
	LIST_REMOVE(delivery, link);
	one_less_under_way(delivery->way->pipeline);
	arena_done(&delivery->arena);
	buf_done(&delivery->document);
	buf_done(&delivery->metadata);
	buf_done(&delivery->frame);
	buf_done(&delivery->content_type);
	buf_done(&delivery->http.reply);
	if (delivery->again != NULL)
		event_free(delivery->again);
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
	way->pipeline->under_way++;
	on_writer(way->pipeline, &claiming->work, claim, claimed);
}

/* Writer. */
static int claim(struct change *change, struct store *store, struct err *err)
{
	struct claim *claiming = container_of(change, struct claim, work);

	return store_claim(store, claiming->way->establishment->finess_ej, clock_now_ms(),
			   claiming->most, claiming->due, &claiming->count, &claiming->next_due_ms,
			   err);
}

/* Loop. */
static void claimed(struct job *job)
{
	struct claim *claiming =
		container_of(container_of(job, struct change, job), struct claim, work);
	struct way *way = claiming->way;
	struct pipeline *pipeline = way->pipeline;

	if (claiming->work.err.kind != ERR_NONE) {
		note_store(pipeline, &claiming->work.err);
		lane_claim_failed(way->lane);
		free(claiming);
		one_less_under_way(pipeline);
		return;
	}
	for (size_t i = 0; i < claiming->count; i++) {
		struct delivery *delivery = xcalloc(1, sizeof(*delivery));

		delivery->way = way;
		delivery->due = claiming->due[i];
		LIST_INSERT_HEAD(&pipeline->deliveries, delivery, link);
		pipeline->under_way++;
		count(pipeline, DOC_QUEUED, DOC_SENDING);
		on_worker(pipeline, &delivery->work, prepare, plan);
	}
	lane_claimed(way->lane, claiming->count, claiming->next_due_ms);
	free(claiming);
	one_less_under_way(pipeline);
}

static int load(struct delivery *delivery, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	buf_clear(&delivery->metadata);
	if (reader == NULL)
		return -1;
	return store_load(reader, &delivery->due.doc, &delivery->document, &delivery->metadata,
			  err);
}

static int begin_course(struct delivery *delivery, struct hands *hands, struct err *err)
{
	struct metadata metadata;

	if (load(delivery, hands, err) < 0 ||
	    metadata_parse(&metadata, buf_slice(&delivery->metadata), &delivery->arena, err) < 0)
		return -1;
	delivery->course = (struct course){
		.action = metadata.action,
		.ins = metadata.patient_ins,
		.ins_oid = metadata.patient_ins_oid,
		.was_doubtful = delivery->due.doubtful,
		.check_existence = delivery->way->establishment->check_existence,
		.absent_as_new = delivery->way->pipeline->config->absent_as_new,
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
	struct existence_cache *cache = delivery->way->pipeline->existence_cache;
	enum existence learnt = course_existence(course);
	int64_t now_ms = clock_now_ms();

	if (!course->check_existence)
		return;
	if (!course->has_asked)
		course->existence =
			existence_cache_find(cache, course->ins, course->ins_oid, now_ms);
	else if (learnt != EXISTENCE_UNKNOWN)
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
	on_worker(delivery->way->pipeline, &delivery->work, build, post);
}

static int build_frame(struct delivery *delivery, struct hands *hands, struct err *err)
{
	const struct config *config = delivery->way->pipeline->config;
	const struct config_establishment *establishment = delivery->way->establishment;
	const struct course_step *step = &delivery->step;
	bool carries = step->request == TRANSACTION_SUBMIT;
	struct pen *pen = hands_pen(hands, (size_t)(establishment - config->establishments), err);
	int rc;

	if (pen == NULL)
		return -1;
	if (assemble_url(establishment, step->request)[0] == '\0')
		return err_refuse(err, REASON_ACTION_NOT_SUPPORTED, "",
				  "no URL is configured for the request \"%s\"",
				  transaction_text(step->request));
	if (carries && delivery->document.n == 0 && load(delivery, hands, err) < 0)
		return -1;
	buf_clear(&delivery->content_type);
	rc = assemble(
		&(struct assembly){
			.config = config,
			.establishment = establishment,
			.pen = pen,
			.now_ms = clock_now_ms(),
			.doc = delivery->due.doc,
			.document = buf_slice(&delivery->document),
			.metadata = buf_slice(&delivery->metadata),
			.request = step->request,
			.entry = step->entry,
			.archived = step->archived,
			.ret_message_id = delivery->message_id,
		},
		&delivery->content_type, &delivery->frame, err);
	if (carries)
		buf_done(&delivery->document); /* the frame holds it now */
	return rc;
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
	struct way *way = delivery->way;

	if (delivery->work.err.kind != ERR_NONE) {
		delivery->outcome = outcome_of_error(&delivery->work.err, &delivery->arena);
		concluded(job);
		return;
	}
	buf_done(&delivery->http.reply);
	delivery->http = (struct http_request){
		.url = assemble_url(way->establishment, delivery->step.request),
		.content_type = delivery->content_type.p,
		.body = buf_slice(&delivery->frame),
		.done = answered,
	};
	delivery->was_posted = true;
	http_post(way->http, &delivery->http);
}

/* Loop: the exchange has ended, one way or the other. */
static void answered(struct http_request *http)
{
	struct delivery *delivery = container_of(http, struct delivery, http);

	buf_done(&delivery->frame);
	delivery->duration_ms += http->duration_ms;
	on_worker(delivery->way->pipeline, &delivery->work, conclude, plan);
}

/* Worker. */
static void conclude(struct job *job, void *worker)
{
	struct delivery *delivery = delivery_of(job);
	struct reply *reply =
		arena_alloc(&delivery->arena, sizeof(*reply)); /* the course borrows from it */
	const struct attempt attempt = {
		.asked = delivery->step.request,
		.number = delivery->due.attempt,
		.was_doubtful = delivery->due.doubtful,
	};
	struct outcome outcome;

	(void)worker;
	reply_read(reply, attempt.asked, slice_of(delivery->http.reply_content_type),
		   buf_slice(&delivery->http.reply), &delivery->arena);
	outcome = outcome_of(delivery->way->pipeline->parts.errors, &attempt,
			     &delivery->http.exchange, reply);
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

/* A refusal that nobody described is one document's fault, or, met by several in a row, the
 * installation's: the lane then stops and the document keeps its place. No answer says nothing.
 */
static void suspect(struct delivery *delivery)
{
	struct suspicion *suspicion = &delivery->way->suspicion;
	struct outcome *outcome = &delivery->outcome;

	if (!delivery->was_posted || !delivery->http.exchange.answered)
		return;
	if (!outcome->unknown) {
		suspicion_clear(suspicion);
	} else if (suspicion_raise(suspicion, outcome->code, &delivery->due.doc)) {
		outcome->kind = OUTCOME_HALT;
		outcome->reason = REASON_LANE_STOPPED;
	}
}

/* Loop: what is to be written down. */
static void concluded(struct job *job)
{
	struct delivery *delivery = delivery_of(job);
	const struct outcome *outcome = &delivery->outcome;
	const int64_t now_ms = clock_now_ms();

	suspect(delivery);
	delivery->row = (struct store_outcome){
		.doc = delivery->due.doc,
		.now_ms = now_ms,
		.state = state_after(outcome->kind),
		.reason = outcome->reason,
		.doubtful = outcome->kind != OUTCOME_DELIVERED &&
			    (outcome->doubtful || delivery->due.doubtful),
		.next_attempt_ms = lane_next_attempt_ms(delivery->way->lane, outcome->kind,
							delivery->due.attempt,
							outcome->retry_after_ms, now_ms),
		.attempt_counts =
			outcome->kind != OUTCOME_RETRY_LANE && outcome->kind != OUTCOME_HALT,
		.code = outcome->code,
		.text = outcome->text,
		.note = outcome->note,
		.http_status = delivery->http.exchange.http_status,
		.duration_ms = delivery->duration_ms,
	};
	on_writer(delivery->way->pipeline, &delivery->work, write_outcome, settled);
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
	on_writer(delivery->way->pipeline, &delivery->work, write_outcome, settled);
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
	char doc[ULID_TEXT];

	log_line(level, "doc=%s outcome=%s attempt=%u ms=%" PRId64 " lane=%s%s%s%s%s%s%s%s%s",
		 ulid_text(&row->doc, doc), doc_state_text(row->state), delivery->due.attempt,
		 row->duration_ms, delivery->way->establishment->finess_ej,
		 row->reason ? " reason=" : "", reason_row(row->reason)->code,
		 row->code[0] ? " code=" : "", row->code, row->note[0] ? " note=" : "", row->note,
		 words[0] ? ": " : "", words);
}

/* Loop: one number, one line. */
static void settled(struct job *job)
{
	struct delivery *delivery = delivery_of(job);
	struct pipeline *pipeline = delivery->way->pipeline;
	const struct timeval later = { WRITE_AGAIN_S, 0 };

	note_store(pipeline, &delivery->work.err);
	if (delivery->work.err.kind != ERR_NONE) {
		if (delivery->again == NULL)
			delivery->again =
				event_new(pipeline->parts.loop, -1, 0, write_again, delivery);
		event_add(delivery->again, &later);
		return;
	}
	log_delivery(delivery);
	count(pipeline, DOC_SENDING, delivery->row.state);
	if (delivery->row.state == DOC_DELIVERED)
		pipeline->figures.last_delivered_ms = delivery->row.now_ms;
	if (delivery->was_posted || delivery->outcome.kind == OUTCOME_HALT)
		lane_settled(delivery->way->lane, delivery->outcome.kind,
			     delivery->outcome.retry_after_ms, words_for_all(&delivery->outcome));
	else
		lane_untried(delivery->way->lane);
	delivery_free(delivery);
}

/* ---- a worker's own ---- */

void *hands_new(void *hands_settings)
{
	struct hands *hands = xcalloc(1, sizeof(*hands));

	hands->settings = hands_settings;
	hands->pens =
		xcalloc(credentials_count(hands->settings->credentials), sizeof(struct pen *));
	return hands;
}

void hands_free(void *arg)
{
	struct hands *hands = arg;

	for (size_t i = 0; i < credentials_count(hands->settings->credentials); i++)
		pen_free(&hands->pens[i]);
	free(hands->pens);
	store_free(&hands->reader);
	free(hands);
}

struct store *hands_reader(struct hands *hands, struct err *err)
{
	if (hands->reader == NULL &&
	    store_open_reader(&hands->reader, hands->settings->store, err) < 0)
		return NULL;
	return hands->reader;
}

struct pen *hands_pen(struct hands *hands, size_t establishment, struct err *err)
{
	const struct credentials *credentials = hands->settings->credentials;

	if (hands->pens[establishment] == NULL)
		hands->pens[establishment] =
			pen_new(credentials_signer(credentials, establishment), err);
	return hands->pens[establishment];
}

/* ---- birth and end ---- */

static int open_ways(struct pipeline *pipeline, struct err *err)
{
	for (size_t i = 0; i < pipeline->config->establishment_count; i++) {
		const struct config_establishment *establishment =
			&pipeline->config->establishments[i];
		struct way *way = &pipeline->ways[i];

		*way = (struct way){ .pipeline = pipeline, .establishment = establishment };
		if (http_new(&way->http, pipeline->parts.loop, &establishment->http, err) < 0)
			return err_within(err, "establishment %s", establishment->finess_ej);
		way->lane =
			lane_new(pipeline->parts.loop, &establishment->lane, lane_has_room, way);
	}
	return 0;
}

static int open_intake(struct pipeline *pipeline, struct err *err)
{
	const struct config *config = pipeline->config;

	for (size_t i = 0; i < config->mllp_count; i++) {
		if (mllp_server_new(&pipeline->listeners[i], pipeline->parts.loop, &config->mllp[i],
				    message_came, pipeline, err) < 0)
			return err_within(err, "listener %s", config->mllp[i].name);
		log_info("listening name=%s address=%s", config->mllp[i].name,
			 mllp_server_figures(pipeline->listeners[i]).address);
	}
	for (size_t i = 0; i < config->drop_count; i++) {
		if (drop_new(&pipeline->folders[i], pipeline->parts.loop, pipeline->parts.disk,
			     &config->drops[i], file_came, pipeline, err) < 0)
			return err_within(err, "folder %s", config->drops[i].name);
		log_info("watching name=%s folder=%s", config->drops[i].name,
			 config->drops[i].path);
	}
	return 0;
}

int pipeline_new(struct pipeline **ret_pipeline, const struct pipeline_parts *parts,
		 struct err *err)
{
	scoped(pipeline_free) struct pipeline *pipeline = xcalloc(1, sizeof(*pipeline));
	const struct config *config = parts->config;
	uint8_t secret[SHA256_BYTES];

	pipeline->parts = *parts;
	pipeline->config = config;
	memcpy(pipeline->figures.documents, parts->counts.documents,
	       sizeof(parts->counts.documents));
	pipeline->figures.last_delivered_ms = parts->counts.last_delivered_ms;
	pipeline->probe_again = event_new(parts->loop, -1, 0, probe_again, pipeline);
	pipeline->listeners = xcalloc(config->mllp_count, sizeof(struct mllp_server *));
	pipeline->folders = xcalloc(config->drop_count, sizeof(struct drop *));
	pipeline->ways = xcalloc(config->establishment_count, sizeof(struct way));
	random_bytes(secret, sizeof(secret));
	pipeline->existence_cache = existence_cache_new(&config->existence_cache, secret);
	if (open_ways(pipeline, err) < 0 || open_intake(pipeline, err) < 0)
		return -1;
	for (size_t i = 0; i < config->establishment_count; i++)
		lane_poke(pipeline->ways[i].lane); /* what waited in the store */
	*ret_pipeline = take(pipeline);
	return 0;
}

static void has_closed(evutil_socket_t fd, short what, void *arg)
{
	struct pipeline *pipeline = arg;

	(void)fd;
	(void)what;
	pipeline->closed(pipeline->closed_arg);
}

void pipeline_close(struct pipeline *pipeline, int64_t patience_ms, void (*closed)(void *arg),
		    void *arg)
{
	const struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };

	if (pipeline->figures.closing)
		return;
	pipeline->figures.closing = true;
	for (size_t i = 0; i < pipeline->config->mllp_count; i++)
		mllp_server_close(pipeline->listeners[i]);
	for (size_t i = 0; i < pipeline->config->drop_count; i++)
		drop_close(pipeline->folders[i]);
	for (size_t i = 0; i < pipeline->config->establishment_count; i++)
		lane_close(pipeline->ways[i].lane);
	pipeline->closed = closed;
	pipeline->closed_arg = arg;
	pipeline->closing = event_new(pipeline->parts.loop, -1, 0, has_closed, pipeline);
	event_add(pipeline->closing, &patience);
	if (pipeline->under_way == 0)
		event_active(pipeline->closing, EV_TIMEOUT, 0);
}

bool pipeline_is_idle(const struct pipeline *pipeline)
{
	return pipeline->under_way == 0;
}

/* What patience ended for: its threads are gone, and the store knows it. */
static void abandon(struct pipeline *pipeline)
{
	struct intake *intake;
	struct delivery *delivery;

	while ((intake = LIST_FIRST(&pipeline->intakes)) != NULL) {
		if (intake->message != NULL)
			mllp_server_answer(intake->message, (struct slice){ 0 });
		else
			drop_settle(intake->file, true);
		intake_free(intake);
	}
	while ((delivery = LIST_FIRST(&pipeline->deliveries)) != NULL)
		delivery_free(delivery);
}

void pipeline_free(struct pipeline **pipeline)
{
	struct pipeline *p = *pipeline;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->config->establishment_count; i++)
		http_free(&p->ways[i].http);
	abandon(p);
	for (size_t i = 0; i < p->config->mllp_count; i++)
		mllp_server_free(&p->listeners[i]);
	for (size_t i = 0; i < p->config->drop_count; i++)
		drop_free(&p->folders[i]);
	for (size_t i = 0; i < p->config->establishment_count; i++)
		lane_free(&p->ways[i].lane);
	event_free(p->probe_again);
	if (p->closing != NULL)
		event_free(p->closing);
	free(p->listeners);
	free(p->folders);
	free(p->ways);
	existence_cache_free(&p->existence_cache);
	free_ptr(pipeline);
}

/* ---- for people ---- */

struct pipeline_figures pipeline_figures(const struct pipeline *pipeline)
{
	struct pipeline_figures figures = pipeline->figures;

	figures.store_trouble = pipeline->store_trouble;
	return figures;
}

struct lane_figures pipeline_lane(const struct pipeline *pipeline, size_t index)
{
	return lane_figures(pipeline->ways[index].lane);
}

struct mllp_figures pipeline_listener(const struct pipeline *pipeline, size_t index)
{
	return mllp_server_figures(pipeline->listeners[index]);
}

struct drop_figures pipeline_folder(const struct pipeline *pipeline, size_t index)
{
	return drop_figures(pipeline->folders[index]);
}
