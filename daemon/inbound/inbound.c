/* Coming in: a frame or a file, from its bytes to the answer that says "yes".
 *
 *     message_came, file_came          loop     bytes arrive
 *     read_message, read_file          worker   parse, normalise, decide: send, hold, refuse
 *     hand_to_converter                loop     a PDF to convert: read_file again, elsewhere
 *     hand_to_writer                   loop     a message that came behind another of its connection
 *     take_in                          writer   INSERT, COMMIT: the sync
 *     acknowledge, move_file           loop     the sender hears "yes", the file moves aside
 *
 * Dying before the commit is safe: the sender was not answered and sends again, the file is still
 * in its folder.
 */
#include "inbound/inbound.h"

#include "base/clock.h"
#include "convert/confine.h"
#include "document/body.h"
#include "hl7/ack.h"
#include "inbound/inbound_doors.h"
#include "inbound/inbound_file.h"
#include "inbound/inbound_line.h"
#include "inbound/inbound_log.h"
#include "inbound/inbound_take.h"

enum { HEAD_BYTES = 4096 /* of a message, kept to answer it */ };

LIST_HEAD(intake_list, intake);

struct inbound {
	struct inbound_parts parts;
	struct snapshot *snapshot; /* held */
	struct doors *doors;
	struct inbound_figures figures;
	struct intake_list intakes;
	struct line_list lines;
	size_t converting; /* files that wait for a converter, or are with one */
	atomic_bool ends;  /* nothing long is worth waiting for any more */
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
	intake->snapshot = snapshot_hold(inbound->snapshot);
	intake->config = intake->snapshot->config;
	intake->channel = channel;
	intake->site = site;
	intake->source = source;
	intake->origin = "";
	intake->came_ms = clock_now_ms();
	intake->began_ms = clock_monotonic_ms();
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
	snapshot_let_go(&intake->snapshot);
	free(intake);
}

static void read_message(struct job *job, void *worker);
static void read_file(struct job *job, void *worker);
static void was_read(struct job *job);
static void hand_to_writer(struct intake *intake);
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
	intake->goes_straight = line_join(&intake->inbound->lines, intake);
	crew_on_worker(intake->inbound->parts.crew, &intake->work, read_message, was_read);
}

static bool is_pdf(const char *name)
{
	const char *type = body_media_type(name);

	return type != NULL && strcmp(type, "application/pdf") == 0;
}

/* As many wait for them as may. */
static bool converters_are_busy(const struct inbound *inbound)
{
	return inbound->converting >= inbound->snapshot->config->most_pdf_waiting;
}

/* Loop: a file is whole. */
static void file_came(void *arg, struct drop_file *file)
{
	struct inbound *inbound = arg;
	struct intake *intake;

	if (converters_are_busy(inbound) && is_pdf(file->name)) {
		drop_settle(file, true); /* nobody need read it to know what would be said of it */
		return;
	}
	intake = intake_new(inbound, "drop", file->folder->site, file->folder->source);
	intake->file = file;
	intake->goes_straight = true;
	drop_name_digest(file->name, intake->digest);
	crew_on_disk(intake->inbound->parts.crew, &intake->work, read_file, was_read);
}

static struct decision_settings decision_settings(const struct intake *intake)
{
	return (struct decision_settings){
		.config = intake->config,
		.valuesets = intake->snapshot->valuesets,
		.site = intake->site,
		.ends = &intake->inbound->ends,
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

static bool brings_news(const struct intake *intake)
{
	for (size_t i = 0; i < intake->part_count; i++)
		if (adt_leaves_something(&intake->parts[i].decision.adt))
			return true;
	return false;
}

/* It was read by a thread that long work would keep from others. */
static bool wants_converter(const struct intake *intake)
{
	return intake->takes_long && !intake->may_take_long;
}

/* Documents, and what an ADT says. Other messages about an identity leave nothing. */
static bool leaves_something(struct intake *intake)
{
	return intake->err.kind == ERR_NONE && (give_ids(intake) > 0 || brings_news(intake));
}

/* What leaves something to store goes on to the writer, unless it must wait for others of its
 * connection; the rest is the loop's to answer.
 */
static void hand_on(struct intake *intake)
{
	if (intake->goes_straight && !wants_converter(intake) && leaves_something(intake))
		crew_then_writer(intake->inbound->parts.crew, &intake->work, take_in, taken_in);
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
	hand_on(intake);
}

/* Disk worker; converter, when it may take long. */
static void read_file(struct job *job, void *worker)
{
	struct intake *intake = intake_of(job);
	const struct decision_settings settings = decision_settings(intake);

	(void)worker;
	intake->origin = intake->file->name;
	if (intake->may_take_long && atomic_load(settings.ends))
		err_set(&intake->err, ERR_RETRY, "the gateway stops");
	else
		inbound_read_file(intake, &settings);
	buf_done(&intake->bytes);
	hand_on(intake);
}

/* Writer. */
static int take_in(struct change *change, struct store *store, struct err *err)
{
	return inbound_take_in(container_of(change, struct intake, work), store, err);
}

/* Loop. */
static void note_new(const struct intake *intake, const struct intake_part *part)
{
	struct inbound *inbound = intake->inbound;

	for (size_t i = 0; i < part->decision.document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];

		if (receipt->taken != STORE_KNOWN && receipt->state == DOC_QUEUED)
			inbound->parts.taken(inbound->parts.arg, part->decision.establishment);
		inbound->figures.not_asked += receipt->not_asked;
	}
	if (intake_wants_ack(intake, part))
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
		.control_id = intake_short_id(&intake->doc, control_id),
		.err = &intake->err,
	};

	ack_build(buf_slice(&intake->head), &ack, out);
}

static void count_identity(struct inbound_figures *figures, enum adt_identity identity)
{
	figures->identities++;
	figures->identities_ignored += identity == ADT_IGNORED;
	figures->identities_unusable += identity == ADT_UNUSABLE;
}

static void count_identities(struct intake *intake)
{
	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++)
		if (intake->parts[i].decision.event[0] != '\0')
			count_identity(&intake->inbound->figures,
				       intake->parts[i].decision.adt.has_identity);
}

/* What is only remembered until the DMP is asked, the store need not know. */
static void tell_dmps(const struct intake *intake)
{
	const struct inbound_parts *parts = &intake->inbound->parts;

	for (size_t i = 0; i < intake->part_count && intake->err.kind == ERR_NONE; i++) {
		const struct adt *adt = &intake->parts[i].decision.adt;

		const int64_t age_ms = adt->dmp_said_ms ? intake->came_ms - adt->dmp_said_ms : 0;

		if (intake->config->believes_adt && adt->dmp != DMP_UNSAID)
			parts->dmp_told(parts->arg, adt->ins, adt->ins_oid, adt->dmp,
					intake->began_ms - max(age_ms, (int64_t)0));
	}
}

/* Loop: only now does anyone hear "yes". */
static void acknowledge(struct intake *intake)
{
	scoped(buf_done) struct buf answer = { 0 };

	intake->inbound->converting -= intake->may_take_long;
	count_identities(intake);
	tell_dmps(intake);
	if (intake->file != NULL) {
		inbound_log(intake, ack_code(&intake->err));
		crew_on_disk(intake->inbound->parts.crew, &intake->work, move_file, file_moved);
		return;
	}
	build_answer(intake, &answer); /* nothing, to an answer */
	inbound_log(intake, answer.n > 0 ? ack_code(&intake->err) : "none");
	intake->inbound->figures.answers += answer.n == 0;
	doors_answered(intake->inbound->doors, intake->message->listener->name,
		       clock_monotonic_ms() - intake->began_ms);
	mllp_server_answer(intake->message, buf_slice(&answer));
	line_leave(intake, hand_to_writer);
	intake_free(intake);
}

/* Loop: it would keep the folders waiting. Its bytes are not kept: the next thread reads it again. */
static void hand_to_converter(struct intake *intake)
{
	struct inbound *inbound = intake->inbound;

	if (converters_are_busy(inbound) || atomic_load(&inbound->ends)) {
		log_debug("file=%s folder=%s waits: %zu others wait to be converted",
			  intake->digest, intake->file->folder->name, inbound->converting);
		drop_settle(intake->file, true);
		intake_free(intake);
		return;
	}
	inbound->converting++;
	intake->may_take_long = true;
	drop_park(intake->file);
	crew_on_converter(inbound->parts.crew, &intake->work, read_file, was_read);
}

/* Loop. */
static void hand_to_writer(struct intake *intake)
{
	crew_on_writer(intake->inbound->parts.crew, &intake->work, take_in, taken_in);
}

/* Loop: there is nothing to store, or not yet. */
static void was_read(struct job *job)
{
	struct intake *intake = intake_of(job);

	if (wants_converter(intake))
		hand_to_converter(intake);
	else if (intake->goes_straight || !leaves_something(intake))
		acknowledge(intake);
	else
		line_is_ready(intake, hand_to_writer);
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
	inbound_explain(intake, now_ms, &note);
	if (intake->err.kind == ERR_NONE)
		(void)!drop_accept(intake->file, now_ms, buf_slice(&note), moving);
	else if (intake->err.kind == ERR_REJECT)
		(void)!drop_reject(intake->file, now_ms, buf_slice(&note), moving);
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
		log_line(intake->may_take_long && atomic_load(&intake->inbound->ends) ? LEVEL_INFO
										      : LEVEL_ERROR,
			 "file=%s folder=%s stays: %s", intake->digest, intake->file->folder->name,
			 moving->kind ? moving->text : intake->err.text);
	if (intake->may_take_long && !taken && !refused)
		drop_settle_later(intake->file); /* what the machine lacked, it may lack again */
	else
		drop_settle(intake->file, !moved);
	intake_free(intake);
}

/* ---- birth and end ---- */

static void tell_network_gap(int gaps, const char *then)
{
	log_warning(
		"pdf: the system lets Ghostscript have no namespaces of its own: allow user "
		"namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone; "
		"RestrictNamespaces=user net ipc in the unit). %s%s",
		gaps & CONFINE_NO_FILTER
			? "Nothing else keeps it from the network"
			: "A filter of system calls keeps it from the network all the same",
		gaps & CONFINE_NO_FILTER ? then : "");
}

static void tell_file_gap(void)
{
	log_warning("pdf: the system has no Landlock, which keeps Ghostscript from all files but "
		    "programs, fonts and its own: allow it (Linux 5.13, landlock in lsm= at boot; "
		    "SystemCallFilter=landlock_create_ruleset landlock_add_rule "
		    "landlock_restrict_self in the unit). Nothing but Ghostscript's own -dSAFER "
		    "keeps it from what the gateway may read");
}

/* Once, at start: whoever set the system up hears what it keeps a conversion from. */
static void tell_isolation(const struct config *config)
{
	const int gaps = confine_probe();
	const char *then =
		config->convert.needs_isolation
			? ": PDF files that are not PDF/A-1 wait in their folders (pdf.isolation)"
			: " (pdf.isolation)";

	if (gaps >= 0 && gaps & CONFINE_NO_NAMESPACES)
		tell_network_gap(gaps, then);
	if (gaps >= 0 && gaps & CONFINE_NO_LANDLOCK)
		tell_file_gap();
}

int inbound_new(struct inbound **ret_inbound, const struct inbound_parts *parts, struct err *err)
{
	scoped(inbound_free) struct inbound *inbound = xcalloc(1, sizeof(*inbound));
	const struct config *config = parts->snapshot->config;
	struct doors_plan *plan;

	inbound->parts = *parts;
	convert_clean(config->convert.folder);
	convert_clean(config->state_dir); /* of a time without keys */
	if (config->drop_count > 0 && config->when_not_pdfa == PDF_CONVERT)
		tell_isolation(config);
	inbound->doors =
		doors_new(&(struct doors_parts){ parts->crew, message_came, file_came, inbound });
	if (doors_prepare(inbound->doors, config, &plan, err) < 0)
		return -1;
	inbound_follow(inbound, parts->snapshot, &plan);
	*ret_inbound = take(inbound);
	return 0;
}

int inbound_prepare(struct inbound *inbound, const struct snapshot *snapshot,
		    struct doors_plan **ret_plan, struct err *err)
{
	return doors_prepare(inbound->doors, snapshot->config, ret_plan, err);
}

void inbound_plan_free(struct doors_plan **plan)
{
	doors_plan_free(plan);
}

void inbound_follow(struct inbound *inbound, struct snapshot *snapshot, struct doors_plan **plan)
{
	struct snapshot *before = inbound->snapshot;

	inbound->snapshot = snapshot_hold(snapshot);
	doors_follow(inbound->doors, snapshot, plan);
	snapshot_let_go(&before);
}

void inbound_close(struct inbound *inbound)
{
	atomic_store(&inbound->ends, true);
	doors_close(inbound->doors);
}

static void abandon(struct inbound *inbound)
{
	struct intake *intake;

	while ((intake = LIST_FIRST(&inbound->intakes)) != NULL) {
		if (intake->message != NULL) {
			line_leave(intake, NULL);
			mllp_server_answer(intake->message, (struct slice){ 0 });
		} else {
			drop_settle(intake->file, true);
		}
		intake_free(intake);
	}
}

void inbound_free(struct inbound **inbound)
{
	struct inbound *in = *inbound;

	if (in == NULL)
		return;
	abandon(in);
	doors_free(&in->doors);
	snapshot_let_go(&in->snapshot);
	free_ptr(inbound);
}

/* ---- for people ---- */

struct inbound_figures inbound_figures(const struct inbound *inbound)
{
	return inbound->figures;
}

const struct histogram *inbound_acks(const struct inbound *inbound, size_t index)
{
	return doors_acks(inbound->doors, index);
}

struct mllp_figures inbound_listener(const struct inbound *inbound, size_t index)
{
	return doors_listener(inbound->doors, index);
}

struct drop_figures inbound_folder(const struct inbound *inbound, size_t index)
{
	return doors_folder(inbound->doors, index);
}
