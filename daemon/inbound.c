/* Coming in: a frame or a file, from its bytes to the answer that says "yes".
 *
 *     message_came, file_came          loop     bytes arrive
 *     read_message, read_file          worker   parse, normalise, decide: send, hold, refuse
 *     take_in                          writer   INSERT, COMMIT: the sync
 *     acknowledge, move_file           loop     the sender hears "yes", the file moves aside
 *
 * Dying before the commit is safe: the sender was not answered and sends again, the file is still
 * in its folder.
 */
#include "inbound.h"

#include <stdio.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "decide.h"
#include "document/body.h"
#include "hl7/ack.h"
#include "hl7/batch.h"
#include "intake/explanation.h"

enum { HEAD_BYTES = 4096 /* of a message, kept to answer it */ };

LIST_HEAD(intake_list, intake);

struct inbound {
	struct inbound_parts parts;
	struct mllp_server **listeners;
	struct drop **folders;
	struct inbound_figures figures;
	struct intake_list intakes;
};

/* A document that came before, now in another state. */
struct intake_move {
	struct ulid doc;
	enum doc_state from, to;
	enum reason reason;
};

/* One message, or a document that comes alone. */
struct intake_part {
	struct decision decision;
	struct err err;                                /* why it was refused */
	struct ulid docs[TRANSMISSION_DOCUMENTS_MOST]; /* their ids, if they are new */
	struct store_receipt receipts[TRANSMISSION_DOCUMENTS_MOST];

	/* what the patient's choice that it brought did to others */
	struct store_noted noted;
	struct intake_move *moves;
	size_t move_count, move_room;
};

/* One frame or file on its way in. What is in it is taken in together, or not at all. */
struct intake {
	struct change work;
	LIST_ENTRY(intake) link;
	struct inbound *inbound;

	struct mllp_arrival *message; /* who waits for an answer: one of the two */
	struct drop_file *file;
	char digest[DROP_DIGEST]; /* of the file's name, for logs */
	const char *channel, *site, *source, *origin;
	struct ulid doc;
	int64_t came_ms;
	struct buf bytes; /* what came */
	struct buf head;  /* the start of a message, to answer it */

	struct intake_part *parts; /* several of a batch file or a medium */
	size_t part_count;
	bool is_batch, is_medium, is_pair;
	struct err err; /* why nothing was taken in */
};

static struct intake *intake_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct intake, work);
}

static struct intake *intake_new(struct inbound *inbound, const char *channel, const char *site,
				 const char *source)
{
	struct intake *intake = xcalloc(1, sizeof(*intake));

	intake->inbound = inbound;
	intake->channel = channel;
	intake->site = site;
	intake->source = source;
	intake->origin = "";
	intake->came_ms = clock_now_ms();
	intake->doc = ulid_new(intake->came_ms);
	intake->parts = xcalloc(1, sizeof(*intake->parts));
	intake->part_count = 1;
	LIST_INSERT_HEAD(&inbound->intakes, intake, link);
	crew_begin(inbound->parts.crew);
	return intake;
}

static void intake_free(struct intake *intake)
{
	LIST_REMOVE(intake, link);
	crew_end(intake->inbound->parts.crew);
	for (size_t i = 0; i < intake->part_count; i++) {
		decision_done(&intake->parts[i].decision);
		free(intake->parts[i].moves);
	}
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
	crew_on_worker(intake->inbound->parts.crew, &intake->work, read_message, was_read);
}

/* Loop: a file is whole. */
static void file_came(void *arg, struct drop_file *file)
{
	struct intake *intake = intake_new(arg, "drop", file->folder->site, file->folder->source);

	intake->file = file;
	drop_name_digest(file->name, intake->digest);
	crew_on_disk(intake->inbound->parts.crew, &intake->work, read_file, was_read);
}

static struct decision_settings decision_settings(const struct intake *intake)
{
	return (struct decision_settings){
		.config = intake->inbound->parts.config,
		.valuesets = intake->inbound->parts.valuesets,
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
	struct intake_part *part = &intake->parts[0];

	(void)worker;
	buf_add(&intake->head, first_line(buf_slice(&intake->bytes)));
	if (intake->message->framing.kind != ERR_NONE)
		intake->err = intake->message->framing;
	else
		(void)!decide_message(&part->decision, &intake->bytes, &settings, &intake->err);
	if (part->decision.origin != NULL)
		intake->origin = part->decision.origin;
	buf_done(&intake->bytes); /* the document stands alone now: no need to hold it twice */
}

static bool ends_in(const char *file, const char *wanted)
{
	const char *ending = strrchr(file, '.');

	return ending != NULL && strcasecmp(ending, wanted) == 0;
}

static bool is_message(const char *file)
{
	return ends_in(file, ".hl7") || ends_in(file, ".er7");
}

/* Which message of a batch file, or document of a medium, the error is about. */
static int within_file(const struct intake *intake, size_t index, struct err *err)
{
	if (intake->part_count == 1)
		return -1;
	if (intake->is_medium)
		return err_within(err, "document %zu of %zu", index + 1, intake->part_count);
	return err_within(err, "message %zu of %zu (MSH-10: %s)", index + 1, intake->part_count,
			  intake->parts[index].decision.origin);
}

static void make_parts(struct intake *intake, size_t count)
{
	free(intake->parts);
	intake->parts = xcalloc(count, sizeof(*intake->parts));
	intake->part_count = count;
}

/* Remembers what is wrong with a part: one is enough to refuse the file, all are told. */
static void fault_part(struct intake *intake, size_t index)
{
	struct err *err = &intake->parts[index].err;

	within_file(intake, index, err);
	if (intake->err.kind == ERR_NONE)
		intake->err = *err;
}

/* Message by message. */
static int read_batch(struct intake *intake, const struct decision_settings *settings)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct slice *messages;
	size_t count;

	intake->is_batch = true;
	if (hl7_batch_cut(buf_slice(&intake->bytes), &messages, &count, &arena, &intake->err) < 0)
		return -1;
	make_parts(intake, count);
	for (size_t i = 0; i < count; i++) {
		struct intake_part *part = &intake->parts[i];
		scoped(buf_done) struct buf message = { 0 };

		buf_add(&message, messages[i]);
		if (decide_message(&part->decision, &message, settings, &part->err) < 0)
			fault_part(intake, i);
	}
	return intake->err.kind == ERR_NONE ? 0 : -1;
}

/* Document by document. */
static int read_medium(struct intake *intake, const struct decision_settings *settings)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(free_ptr) struct xdm *xdm = xcalloc(1, sizeof(*xdm));

	intake->is_batch = intake->is_medium = true;
	if (xdm_read(xdm, buf_slice(&intake->bytes), &settings->config->xdm, &arena, &intake->err) <
	    0)
		return -1;
	make_parts(intake, xdm->count);
	for (size_t i = 0; i < xdm->count; i++) {
		struct intake_part *part = &intake->parts[i];

		if (decide_medium(&part->decision, &xdm->documents[i], settings, &part->err) < 0)
			fault_part(intake, i);
	}
	xdm_done(xdm);
	return intake->err.kind == ERR_NONE ? 0 : -1;
}

/* The other file of a pair did not come. A sidecar whose body went before a crash is no such case:
 * nothing is left to be done with it.
 */
static int read_half(struct intake *intake)
{
	struct decision *decision = &intake->parts[0].decision;
	bool is_sidecar = body_is_sidecar(intake->file->name), finished = false;

	decision->origin = decision->event = "";
	if (is_sidecar && drop_finish(intake->file, &finished, &intake->err) < 0)
		return -1;
	if (finished)
		return 0;
	return err_refuse(&intake->err, REASON_COMPANION_MISSING, "",
			  is_sidecar
				  ? "no document of the same name came within sidecar_wait: drop "
				    "name.pdf (or .txt, .rtf, .jpg, .tif) and name.yaml together"
				  : "no YAML file of the same name came within sidecar_wait: drop "
				    "name.yaml, which says what the document is, beside it");
}

/* A body and the sidecar that describes it. */
static int read_pair(struct intake *intake, const struct decision_settings *settings)
{
	scoped(buf_done) struct buf sidecar = { 0 };
	struct decision_pair pair = {
		.body = &intake->bytes,
		.media_type = body_media_type(intake->file->name),
	};

	intake->is_pair = true;
	if (intake->file->companion == NULL)
		return read_half(intake);
	if (drop_read(intake->file, &intake->bytes, &intake->err) < 0)
		return -1;
	if (drop_read(intake->file->companion, &sidecar, &intake->err) < 0)
		return err_within(&intake->err, "its sidecar");
	pair.sidecar = buf_slice(&sidecar);
	return decide_pair(&intake->parts[0].decision, &pair, settings, &intake->err);
}

/* Disk worker. */
static void read_file(struct job *job, void *worker)
{
	struct intake *intake = intake_of(job);
	const struct decision_settings settings = decision_settings(intake);
	struct decision *decision = &intake->parts[0].decision;

	(void)worker;
	intake->origin = intake->file->name;
	if (body_media_type(intake->file->name) != NULL || body_is_sidecar(intake->file->name)) {
		(void)!read_pair(intake, &settings);
		buf_done(&intake->bytes);
		return;
	}
	if (drop_read(intake->file, &intake->bytes, &intake->err) < 0)
		return;
	if (ends_in(intake->file->name, ".zip"))
		(void)!read_medium(intake, &settings);
	else if (!is_message(intake->file->name))
		(void)!decide_document(decision, &intake->bytes, &settings, &intake->err);
	else if (hl7_is_batch(buf_slice(&intake->bytes)))
		(void)!read_batch(intake, &settings);
	else
		(void)!decide_message(decision, &intake->bytes, &settings, &intake->err);
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

static bool brings_choice(const struct intake_part *part)
{
	return part->decision.has_choice && part->decision.choice_is_usable;
}

static bool brings_choices(const struct intake *intake)
{
	for (size_t i = 0; i < intake->part_count; i++)
		if (brings_choice(&intake->parts[i]))
			return true;
	return false;
}

/* Loop: refused, or to be stored: documents, and what patients chose. Other messages about an identity
 * leave nothing to store.
 */
static void was_read(struct job *job)
{
	struct intake *intake = intake_of(job);

	if (intake->err.kind == ERR_NONE && (give_ids(intake) > 0 || brings_choices(intake)))
		crew_on_writer(intake->inbound->parts.crew, &intake->work, take_in, taken_in);
	else
		acknowledge(intake);
}

/* MSH-10 holds 20 characters: those of an id that differ. */
static const char *short_id(const struct ulid *id, char text[static ULID_TEXT])
{
	return ulid_text(id, text) + ULID_TEXT - 1 - 20;
}

/* Only what nothing but a policy holds is let go by itself. */
static int64_t release_ms_of(const struct intake *intake, const struct decision *decision)
{
	if (decision->state != DOC_HELD || decision->reason != REASON_POLICY_HOLD ||
	    decision->for_person)
		return 0;
	return intake->came_ms + decision->delay_ms;
}

/* The message's control id, or the digest of the file's name. */
static const char *told_origin(const struct intake *intake)
{
	return intake->message ? intake->origin : intake->digest;
}

/* By which a version that changes nothing is known. */
static struct slice told_content(const struct intake *intake,
				 const struct decision_document *document)
{
	if (!intake->inbound->parts.config->suppress_unchanged || !document->has_content)
		return (struct slice){ 0 };
	return (struct slice){ (const char *)document->content, sizeof(document->content) };
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
		.id_tells = document->id_tells,
		.site = decision->site ? decision->site : intake->site,
		.source = intake->source,
		.channel = intake->channel,
		/* a file's name often carries a patient's: in clear it has no place beside what is encrypted */
		.origin = intake->inbound->parts.config->key_file[0] ? told_origin(intake)
								     : intake->origin,
		.now_ms = intake->came_ms,
		.state = decision->state,
		.reason = decision->reason,
		.follows = document->follows,
		.priority = config_priority_of(intake->inbound->parts.config, document->type_code),
		.supersedes = intake->inbound->parts.config->supersede_unsent,
		.content = told_content(intake, document),
		.release_ms = release_ms_of(intake, decision),
		.invisible = document->invisible,
		.ins = document->patient_ins,
		.ins_oid = document->patient_ins_oid,
		.holds_not_asked = intake->inbound->parts.config->hold_not_asked,
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

static bool wants_ack(const struct intake *intake, const struct intake_part *part)
{
	return part->decision.ack_header.n > 0 &&
	       config_source_of(intake->inbound->parts.config, intake->source) != NULL;
}

/* The source of this message will hear what becomes of it. */
static int want_ack(const struct intake *intake, const struct intake_part *part,
		    struct store *store, struct err *err)
{
	const struct ulid id = ulid_new(intake->came_ms);
	char control_id[ULID_TEXT];
	struct store_ack_request request = {
		.source = intake->source,
		.origin = part->decision.origin,
		.header = part->decision.ack_header,
		.control_id = short_id(&id, control_id),
		.doc_count = part->decision.document_count,
		.now_ms = intake->came_ms,
	};

	for (size_t i = 0; i < request.doc_count; i++)
		request.docs[i] = part->receipts[i].doc;
	return store_want_ack(store, &request, err);
}

static void remember_move(void *arg, const struct ulid *doc, enum doc_state from, enum doc_state to,
			  enum reason reason)
{
	struct intake_part *part = arg;

	if (part->move_count == part->move_room) {
		part->move_room = part->move_room * 2 + 16;
		part->moves = xrealloc(part->moves, part->move_room * sizeof(*part->moves));
	}
	part->moves[part->move_count++] = (struct intake_move){ *doc, from, to, reason };
}

/* A choice without a date, or of a time that is yet to come, is of now: it would else win over all that
 * come until then.
 */
static int note_choice(const struct intake *intake, struct intake_part *part, struct store *store,
		       struct err *err)
{
	struct store_choice choice = part->decision.choice;

	choice.now_ms = intake->came_ms;
	if (choice.chosen_ms == 0 || choice.chosen_ms > choice.now_ms)
		choice.chosen_ms = choice.now_ms;
	choice.release_from_ms = choice.now_ms - intake->inbound->parts.config->release_most_age_ms;
	choice.moved = remember_move;
	choice.arg = part;
	return store_note_choice(store, &choice, &part->noted, err);
}

/* Writer: all of it, or a failure that takes all of it back. */
static int take_in(struct change *change, struct store *store, struct err *err)
{
	struct intake *intake = container_of(change, struct intake, work);

	for (size_t i = 0; i < intake->part_count; i++) {
		struct intake_part *part = &intake->parts[i];

		if (brings_choice(part) && note_choice(intake, part, store, err) < 0)
			return -1;
		for (size_t j = 0; j < part->decision.document_count; j++)
			if (take_in_document(intake, part, j, store, err) < 0)
				return within_file(intake, i, err);
		if (wants_ack(intake, part) && want_ack(intake, part, store, err) < 0)
			return -1;
	}
	return 0;
}

static const char *feeding_text(const struct decision *decision)
{
	static const char *const texts[] = {
		[STORE_NOT_OPPOSED] = "not_opposed",
		[STORE_OPPOSED] = "opposed",
		[STORE_NOT_ASKED] = "not_asked",
	};

	return decision->has_choice ? texts[decision->choice.feeding] : "none";
}

static void log_identity(const struct intake *intake, const char *peer,
			 const struct intake_part *part)
{
	const struct decision *decision = &part->decision;
	const char *feeding = feeding_text(decision);
	char doc[ULID_TEXT];

	log_info("adt event=%s channel=%s source=%s from=%s origin=%s feeding=%s%s",
		 decision->event, intake->channel, intake->source, peer, told_origin(intake),
		 feeding, part->noted.is_newest ? " noted" : "");
	if (decision->has_choice && !decision->choice_is_usable)
		log_warning("adt event=%s origin=%s feeding=%s is not noted: the identity has no "
			    "qualified INS",
			    decision->event, told_origin(intake), feeding);
	for (size_t i = 0; i < part->move_count; i++) {
		const struct intake_move *move = &part->moves[i];

		log_info("doc=%s feeding=%s from=%s state=%s%s%s", ulid_text(&move->doc, doc),
			 feeding, doc_state_text(move->from), doc_state_text(move->to),
			 move->reason ? " reason=" : "", reason_row(move->reason)->code);
	}
}

static void log_part(const struct intake *intake, const char *peer, const struct intake_part *part)
{
	const struct decision *decision = &part->decision;
	char doc[ULID_TEXT];

	if (decision->event[0] != '\0')
		log_identity(intake, peer, part);
	for (size_t i = 0; i < decision->document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];
		const struct decision_document *document = &decision->documents[i];

		log_info("doc=%s %s channel=%s source=%s from=%s origin=%s type=%s bytes=%zu "
			 "state=%s%s%s",
			 ulid_text(&receipt->doc, doc),
			 receipt->taken == STORE_KNOWN ? "received again" : "received",
			 intake->channel, intake->source, peer, told_origin(intake),
			 document->type_code, document->body.n, doc_state_text(receipt->state),
			 receipt->reason ? " reason=" : "", reason_row(receipt->reason)->code);
		if (receipt->not_asked)
			log_warning("doc=%s feeding=not_asked: nobody has asked its patient "
				    "(consent.not_asked)",
				    doc);
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

/* Loop. */
static void note_new(const struct intake *intake, const struct intake_part *part)
{
	struct inbound *inbound = intake->inbound;

	for (size_t i = 0; i < part->decision.document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];

		if (receipt->taken == STORE_NEW && receipt->state == DOC_QUEUED)
			inbound->parts.taken(inbound->parts.arg, part->decision.establishment);
		inbound->figures.not_asked += receipt->not_asked;
	}
	if (wants_ack(intake, part))
		inbound->parts.ack_wanted(inbound->parts.arg);
}

/* Loop: the commit has happened, or failed. */
static void taken_in(struct job *job)
{
	struct intake *intake = intake_of(job);
	struct inbound *inbound = intake->inbound;

	intake->err = intake->work.err;
	if (intake->err.kind != ERR_REJECT) /* a document at fault says nothing of the store */
		crew_note_store(inbound->parts.crew, &intake->err);
	if (intake->err.kind == ERR_NONE)
		inbound->parts.moved(inbound->parts.arg, &intake->work.moves);
	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++)
		note_new(intake, &intake->parts[i]);
	acknowledge(intake);
}

static void build_answer(const struct intake *intake, struct buf *out)
{
	char control_id[ULID_TEXT];
	const struct ack ack = {
		.now_ms = clock_now_ms(),
		.control_id = short_id(&intake->doc, control_id),
		.err = &intake->err,
	};

	ack_build(buf_slice(&intake->head), &ack, out);
}

static void count_identities(struct intake *intake)
{
	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++)
		if (intake->parts[i].decision.event[0] != '\0')
			intake->inbound->figures.identities++;
}

/* Loop: only now does anyone hear "yes". */
static void acknowledge(struct intake *intake)
{
	scoped(buf_done) struct buf answer = { 0 };

	count_identities(intake);
	if (intake->file != NULL) {
		log_intake(intake, ack_code(&intake->err));
		crew_on_disk(intake->inbound->parts.crew, &intake->work, move_file, file_moved);
		return;
	}
	build_answer(intake, &answer); /* nothing, to an answer */
	log_intake(intake, answer.n > 0 ? ack_code(&intake->err) : "none");
	intake->inbound->figures.answers += answer.n == 0;
	mllp_server_answer(intake->message, buf_slice(&answer));
	intake_free(intake);
}

static void write_explanation(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	size_t told = 0;

	explanation_open(intake->file->name, now_ms, out);
	for (size_t i = 0; i < intake->parts[0].decision.fault_count; i++, told++)
		explanation_add(&intake->parts[0].decision.faults[i], out);
	for (size_t i = 0; i < intake->part_count; i++)
		if (intake->parts[i].err.kind != ERR_NONE && ++told > 0)
			explanation_add(&intake->parts[i].err, out);
	if (told == 0)
		explanation_add(&intake->err, out);
}

static size_t count_documents(const struct intake *intake)
{
	size_t count = 0;

	for (size_t i = 0; i < intake->part_count; i++)
		count += intake->parts[i].decision.document_count;
	return count;
}

/* What became of each message of a batch, of each file of a medium; and of a pair, whose id its source does not know yet. */
static void write_result(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	char doc[ULID_TEXT];

	result_open(intake->file->name, now_ms, intake->is_medium ? "files" : "messages", out);
	for (size_t i = 0; i < intake->part_count; i++) {
		const struct intake_part *part = &intake->parts[i];
		const struct decision *decision = &part->decision;

		if (intake->is_medium)
			result_add_file(decision->origin, out);
		else
			result_add_message(decision->origin, decision->event, out);
		for (size_t j = 0; j < decision->document_count; j++)
			result_add_document(ulid_text(&part->receipts[j].doc, doc),
					    decision->documents[j].unique_id, decision->action,
					    doc_state_text(part->receipts[j].state),
					    part->receipts[j].taken == STORE_KNOWN, out);
		if (decision->set_id != NULL)
			result_add_set(decision->set_id, out);
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
		if (intake->is_batch || (intake->is_pair && count_documents(intake) > 0))
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
/* ---- birth and end ---- */

static int open_doors(struct inbound *inbound, struct err *err)
{
	const struct config *config = inbound->parts.config;
	const struct crew *crew = inbound->parts.crew;

	for (size_t i = 0; i < config->mllp_count; i++) {
		if (mllp_server_new(&inbound->listeners[i], crew->loop, &config->mllp[i],
				    message_came, inbound, err) < 0)
			return err_within(err, "listener %s", config->mllp[i].name);
		log_info("listening name=%s address=%s", config->mllp[i].name,
			 mllp_server_figures(inbound->listeners[i]).address);
	}
	for (size_t i = 0; i < config->drop_count; i++) {
		if (drop_new(&inbound->folders[i], crew->loop, crew->disk, &config->drops[i],
			     file_came, inbound, err) < 0)
			return err_within(err, "folder %s", config->drops[i].name);
		log_info("watching name=%s folder=%s", config->drops[i].name,
			 config->drops[i].path);
	}
	return 0;
}

int inbound_new(struct inbound **ret_inbound, const struct inbound_parts *parts, struct err *err)
{
	scoped(inbound_free) struct inbound *inbound = xcalloc(1, sizeof(*inbound));

	inbound->parts = *parts;
	convert_clean(&parts->config->convert);
	inbound->listeners = xcalloc(parts->config->mllp_count, sizeof(struct mllp_server *));
	inbound->folders = xcalloc(parts->config->drop_count, sizeof(struct drop *));
	if (open_doors(inbound, err) < 0)
		return -1;
	*ret_inbound = take(inbound);
	return 0;
}

void inbound_close(struct inbound *inbound)
{
	for (size_t i = 0; i < inbound->parts.config->mllp_count; i++)
		mllp_server_close(inbound->listeners[i]);
	for (size_t i = 0; i < inbound->parts.config->drop_count; i++)
		drop_close(inbound->folders[i]);
}

static void abandon(struct inbound *inbound)
{
	struct intake *intake;

	while ((intake = LIST_FIRST(&inbound->intakes)) != NULL) {
		if (intake->message != NULL)
			mllp_server_answer(intake->message, (struct slice){ 0 });
		else
			drop_settle(intake->file, true);
		intake_free(intake);
	}
}

void inbound_free(struct inbound **inbound)
{
	struct inbound *in = *inbound;

	if (in == NULL)
		return;
	abandon(in);
	for (size_t i = 0; i < in->parts.config->mllp_count; i++)
		mllp_server_free(&in->listeners[i]);
	for (size_t i = 0; i < in->parts.config->drop_count; i++)
		drop_free(&in->folders[i]);
	free(in->listeners);
	free(in->folders);
	free_ptr(inbound);
}

/* ---- for people ---- */

struct inbound_figures inbound_figures(const struct inbound *inbound)
{
	return inbound->figures;
}

struct mllp_figures inbound_listener(const struct inbound *inbound, size_t index)
{
	return mllp_server_figures(inbound->listeners[index]);
}

struct drop_figures inbound_folder(const struct inbound *inbound, size_t index)
{
	return drop_figures(inbound->folders[index]);
}
