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
#include "operator/answer.h"
#include "operator/named.h"
#include "operator/signed_order.h"
#include "outbound/document_out.h"

struct errand {
	struct signed_order order;
	const struct orders_parts *parts;
	struct control_request *request;
	json_t *asked;
	struct store_recall recall;
	struct store_ordered result;
	struct buf body, metadata;
};

static struct errand *errand_of(struct signed_order *order)
{
	return container_of(order, struct errand, order);
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
		return 1;
	return make_deletion(errand, reader, err);
}

/* Worker. */
static int prepare(struct signed_order *order, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	return reader == NULL ? -1 : prepare_in(errand_of(order), reader, err);
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
static int carry_out(struct signed_order *order, struct store *store, struct err *err)
{
	struct errand *errand = errand_of(order);

	errand->recall.now_ms = clock_now_ms();
	errand->recall.body = buf_slice(&errand->body);
	errand->recall.metadata = buf_slice(&errand->metadata);
	errand->recall.actor = order->actor;
	return store_recall(store, &errand->recall, &errand->result, err);
}

/* Loop. */
static void recalled(struct signed_order *order)
{
	struct errand *errand = errand_of(order);
	char doc[ULID_TEXT], deletion[ULID_TEXT];

	if (order->work.err.kind != ERR_NONE) {
		errand_end(errand, order->work.err.text);
		return;
	}
	if (errand->result.refusal == NULL && !errand->recall.dry_run) {
		log_info("doc=%s order=recall deletion=%s by=%s",
			 ulid_text(&errand->recall.doc, doc),
			 ulid_text(&errand->result.deletion, deletion), order->actor);
		order->work.moves.woke = true; /* what waits is new */
		pipeline_moved(errand->parts->pipeline, &order->work.moves);
	}
	errand_end(errand, NULL);
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
	errand->recall.deletion = ulid_new(clock_now_ms());
	errand->order.prepare = prepare;
	errand->order.apply = carry_out;
	errand->order.done = recalled;
	signed_order_begin(
		&errand->order,
		&(struct signed_order_parts){ parts->workers, parts->writer, parts->pipeline },
		request->uid);
	return true;
}
