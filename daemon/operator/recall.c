/* A document is taken back from the DMP: from a request to a deletion that waits in the queue.
 *
 *     prepare    worker   what the DMP was told of the document, as a deletion says it
 *     carry_out  writer   the deletion comes in as a document of its own, the document's history says so
 *     recalled   loop     one line in the journal, the answer; the lane is told
 */
#include "operator/recall.h"

#include "base/clock.h"
#include "base/log.h"
#include "crew/hands.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "operator/named.h"
#include "outbound/document_out.h"

struct errand {
	struct change work;
	const struct orders_parts *parts;
	struct control_request *request;
	json_t *asked;
	struct store_recall recall;
	struct store_ordered result;
	struct buf body, metadata;
	char actor[ACTOR_TEXT];
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

/* ---- prepare ---- */

/* What a deletion says of a document: what the document said, and that it is to go. */
static int make_deletion(struct errand *errand, struct store *reader, struct err *err)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;

	if (document_out(reader, &errand->recall.doc, &errand->body, &metadata, &arena, err) < 0)
		return -1;
	metadata.action = ACTION_DELETE;
	metadata.from.action = FROM_RULE;
	metadata_write(&metadata, &errand->metadata);
	return buf_check(&errand->metadata, "the metadata", err);
}

static int prepare_in(struct errand *errand, struct store *reader, struct err *err)
{
	const char *doc = answer_asked(errand->asked, "doc");
	struct store_recall look = { .dry_run = true };

	if (named_document(reader, errand->asked, doc, &errand->recall.doc, err) < 0)
		return -1;
	look.doc = errand->recall.doc;
	if (store_recall(reader, &look, &errand->result, err) < 0)
		return -1;
	if (!errand->result.found)
		return answer_refuse(err, errand->asked, FAULT_NO_DOCUMENT, doc);
	if (errand->result.refusal != NULL || errand->recall.dry_run)
		return 0;
	return make_deletion(errand, reader, err);
}

/* Worker. */
static void prepare(struct job *job, void *worker)
{
	struct errand *errand = errand_of(job);
	struct store *reader;

	actor_name(errand->request->uid, errand->actor);
	errand->work.err = (struct err){ 0 };
	reader = hands_reader(worker, &errand->work.err);
	if (reader != NULL)
		(void)!prepare_in(errand, reader, &errand->work.err);
}

/* ---- carry out ---- */

static void errand_end(struct errand *errand, const char *error)
{
	const struct order_refusal *refusal = errand->result.refusal;
	bool french = answer_in_french(errand->asked);
	json_t *row = json_object();
	char text[ULID_TEXT];

	json_put_text(row, "doc", ulid_text(&errand->recall.doc, text));
	json_put_flag(row, "ok", refusal == NULL);
	json_put_flag(row, "dry_run", errand->recall.dry_run);
	json_put_text(row, "from", doc_state_text(errand->result.from));
	json_put_text(row, "deletion",
		      refusal == NULL && !errand->recall.dry_run
			      ? ulid_text(&errand->result.deletion, text)
			      : "");
	json_put_text(row, "sentence",
		      refusal == NULL ? ""
		      : french        ? refusal->french
				      : refusal->english);
	answer_one(errand->request, row, error);
	json_decref(errand->asked);
	buf_done(&errand->body);
	buf_done(&errand->metadata);
	free(errand);
}

/* Writer. It may have been recalled, or deleted by its source, since it was looked at. */
static int carry_out(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);

	return store_recall(store, &errand->recall, &errand->result, err);
}

/* Loop: the commit has happened, or failed. */
static void recalled(struct job *job)
{
	struct errand *errand = errand_of(job);
	char doc[ULID_TEXT], deletion[ULID_TEXT];

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
		return;
	}
	if (errand->result.refusal == NULL) {
		log_info("doc=%s order=recall deletion=%s by=%s",
			 ulid_text(&errand->recall.doc, doc),
			 ulid_text(&errand->result.deletion, deletion), errand->actor);
		errand->work.moves.woke = true; /* what waits is new */
		pipeline_moved(errand->parts->pipeline, &errand->work.moves);
	}
	errand_end(errand, NULL);
}

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void prepared(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
	} else if (errand->result.refusal != NULL || errand->recall.dry_run) {
		errand_end(errand, NULL);
	} else if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: it was not carried out");
	} else {
		errand->recall.now_ms = clock_now_ms();
		errand->recall.deletion = ulid_new(errand->recall.now_ms);
		errand->recall.body = buf_slice(&errand->body);
		errand->recall.metadata = buf_slice(&errand->metadata);
		errand->recall.actor = errand->actor;
		errand->work.apply = carry_out;
		errand->work.job.done = recalled;
		writer_submit(errand->parts->writer, &errand->work);
	}
}

bool recall_begin(const struct orders_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "recall") != 0)
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->request = request;
	errand->asked = asked;
	errand->recall.dry_run = json_is_true(json_object_get(asked, "dry_run"));
	errand->work.job = (struct job){ .run = prepare, .done = prepared };
	workers_submit(parts->workers, &errand->work.job);
	return true;
}
