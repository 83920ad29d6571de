/* A file on its way in: what is in it, and the words that are left beside it. Disk worker, or converter. */
#include <strings.h>

#include "document/body.h"
#include "hl7/batch.h"
#include "inbound/inbound_file.h"
#include "intake/explanation.h"

static bool ends_in(const char *file, const char *wanted)
{
	const char *ending = strrchr(file, '.');

	return ending != NULL && strcasecmp(ending, wanted) == 0;
}

static bool is_message(const char *file)
{
	return ends_in(file, ".hl7") || ends_in(file, ".er7");
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

	intake_within(intake, index, err);
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
	intake->takes_long = decide_pair_takes_long(&pair, settings->config);
	if (intake->takes_long && !intake->may_take_long)
		return 0; /* for a converter, which reads it again: many may wait */
	if (drop_read(intake->file->companion, &sidecar, &intake->err) < 0)
		return err_within(&intake->err, "its sidecar");
	pair.sidecar = buf_slice(&sidecar);
	return decide_pair(&intake->parts[0].decision, &pair, settings, &intake->err);
}

/* What has none of the endings that say otherwise is read as a CDA; when it is none, the ending was meant otherwise. */
static void read_document(struct intake *intake, const struct decision_settings *settings)
{
	if (decide_document(&intake->parts[0].decision, &intake->bytes, settings, &intake->err) ==
		    0 ||
	    intake->err.reason != REASON_DOCUMENT_INVALID || ends_in(intake->file->name, ".xml"))
		return;
	(void)!err_within(&intake->err,
			  "its ending is none that a folder takes (.xml, .hl7, .er7, .zip, or "
			  ".pdf, .txt, .rtf, .jpg, .jpeg, .tif, .tiff with a .yaml beside it), "
			  "so it was read as a CDA");
}

void inbound_read_file(struct intake *intake, const struct decision_settings *settings)
{
	const char *name = intake->file->name;
	struct decision *decision = &intake->parts[0].decision;

	if (body_media_type(name) != NULL || body_is_sidecar(name)) {
		(void)!read_pair(intake, settings);
		return;
	}
	if (drop_read(intake->file, &intake->bytes, &intake->err) < 0)
		return;
	if (ends_in(name, ".zip"))
		(void)!read_medium(intake, settings);
	else if (!is_message(name))
		read_document(intake, settings);
	else if (hl7_is_batch(buf_slice(&intake->bytes)))
		(void)!read_batch(intake, settings);
	else
		(void)!decide_message(decision, &intake->bytes, settings, &intake->err);
}

/* ---- what is told beside it ---- */

static void write_explanation(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	const struct decision *first = &intake->parts[0].decision;
	bool is_told = first->fault_count > 0;

	explanation_open(intake->file->name, now_ms, out);
	for (size_t i = 0; i < first->fault_count; i++)
		explanation_add(&first->faults[i], out);
	for (size_t i = 0; i < intake->part_count; i++) {
		if (intake->parts[i].err.kind == ERR_NONE)
			continue;
		explanation_add(&intake->parts[i].err, out);
		is_told = true;
	}
	if (!is_told)
		explanation_add(&intake->err, out);
}

static size_t count_documents(const struct intake *intake)
{
	size_t count = 0;

	for (size_t i = 0; i < intake->part_count; i++)
		count += intake->parts[i].decision.document_count;
	return count;
}

/* What became of each message of a batch, of each file of a medium; and of a pair, whose id its source
 * does not know yet.
 */
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

void inbound_explain(const struct intake *intake, int64_t now_ms, struct buf *out)
{
	if (intake->err.kind == ERR_REJECT)
		write_explanation(intake, now_ms, out);
	else if (intake->err.kind == ERR_NONE &&
		 (intake->is_batch || (intake->is_pair && count_documents(intake) > 0)))
		write_result(intake, now_ms, out);
}
