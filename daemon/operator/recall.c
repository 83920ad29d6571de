/* A document is taken back from the DMP: from a request to a deletion that waits in the queue.
 *
 *     prepare    worker   what the DMP was told of the document, as a deletion says it
 *     carry_out  writer   the deletion comes in as a document of its own, the document's history says so
 *     recalled   loop     one line in the journal, the answer; the lane is told
 *
 * With one of two forms of one content the other is taken back too, if it can be: whoever names one document means
 * what it says.
 */
#include "operator/recall.h"

#include "base/clock.h"
#include "base/log.h"
#include "crew/hands.h"
#include "operator/answer.h"
#include "operator/named.h"
#include "operator/signed_order.h"
#include "outbound/document_out.h"
#include "queue/store_pair.h"

/* One document of it. */
struct recalled {
	struct store_recall recall;
	struct store_ordered result;
	struct buf body, metadata;
};

struct errand {
	struct signed_order order;
	const struct orders_parts *parts;
	struct control_request *request;
	json_t *asked;
	struct recalled forms[2]; /* the one that was named, first */
	size_t count;             /* of those that are taken back */
	bool dry_run;
};

static struct errand *errand_of(struct signed_order *order)
{
	return container_of(order, struct errand, order);
}

/* ---- prepare ---- */

/* What a deletion says of a document: what the document said, and that it is to go. */
static int make_deletion(struct recalled *form, struct store *reader, struct err *err)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;

	if (document_out(reader, &form->recall.doc, &form->body, &metadata, &arena, err) < 0)
		return -1;
	metadata.action = ACTION_DELETE;
	metadata.from.action = FROM_RULE;
	metadata_write(&metadata, &form->metadata);
	return buf_check(&form->metadata, "the metadata", err);
}

static int look(struct recalled *form, const struct ulid *doc, struct store *reader,
		struct err *err)
{
	const struct store_recall would_be = { .doc = *doc, .dry_run = true };

	form->recall.doc = *doc;
	return store_recall(reader, &would_be, &form->result, err);
}

static bool may_go(const struct recalled *form)
{
	return form->result.found && form->result.refusal == NULL;
}

static int prepare_in(struct errand *errand, struct store *reader, struct err *err)
{
	const char *text = answer_asked(errand->asked, "doc");
	struct recalled *named = &errand->forms[0], *other = &errand->forms[1];
	struct ulid doc;

	if (named_document(reader, errand->asked, text, &doc, err) < 0 ||
	    look(named, &doc, reader, err) < 0)
		return -1;
	if (!named->result.found)
		return answer_refuse(err, errand->asked, FAULT_NO_DOCUMENT, text);
	if (look(other, &named->result.other, reader, err) < 0)
		return -1;
	if (!may_go(named) || errand->dry_run)
		return 1;
	errand->count = may_go(other) ? 2 : 1;
	for (size_t i = 0; i < errand->count; i++)
		if (make_deletion(&errand->forms[i], reader, err) < 0)
			return -1;
	return 0;
}

/* Worker. */
static int prepare(struct signed_order *order, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	return reader == NULL ? -1 : prepare_in(errand_of(order), reader, err);
}

/* ---- the answer ---- */

static const char *why_not(const struct errand *errand, const struct recalled *form)
{
	const struct order_refusal *refusal = form->result.refusal;

	if (refusal == NULL)
		return "";
	return answer_in_french(errand->asked) ? refusal->french : refusal->english;
}

/* What speaks against the named one leaves the other as it is, whatever is said of that. */
static void errand_end(struct errand *errand, const char *error)
{
	const struct recalled *named = &errand->forms[0], *other = &errand->forms[1];
	json_t *row = json_object();

	answer_put_doc(row, "doc", &named->recall.doc);
	json_put_flag(row, "ok", may_go(named));
	json_put_flag(row, "dry_run", errand->dry_run);
	json_put_text(row, "from", doc_state_text(named->result.from));
	answer_put_doc(row, "deletion", &named->result.deletion);
	json_put_text(row, "sentence", why_not(errand, named));
	answer_put_doc(row, "other_form", &named->result.other);
	answer_put_doc(row, "other_deletion", &other->result.deletion);
	json_put_text(row, "other_sentence", may_go(named) ? why_not(errand, other) : "");
	answer_one(errand->request, row, error);
	json_decref(errand->asked);
	for (size_t i = 0; i < length_of(errand->forms); i++) {
		buf_done(&errand->forms[i].body);
		buf_done(&errand->forms[i].metadata);
	}
	free(errand);
}

/* ---- carry out ---- */

static int recall_one(const struct signed_order *order, struct recalled *form, int64_t now_ms,
		      struct store *store, struct err *err)
{
	form->recall.now_ms = now_ms;
	form->recall.deletion = ulid_new(now_ms);
	form->recall.body = buf_slice(&form->body);
	form->recall.metadata = buf_slice(&form->metadata);
	form->recall.actor = order->actor;
	return store_recall(store, &form->recall, &form->result, err);
}

/* Writer. Either may have been recalled, or deleted by its source, since it was looked at. */
static int carry_out(struct signed_order *order, struct store *store, struct err *err)
{
	struct errand *errand = errand_of(order);
	struct recalled *named = &errand->forms[0], *other = &errand->forms[1];
	const int64_t now_ms = clock_now_ms();

	if (recall_one(order, named, now_ms, store, err) < 0)
		return -1;
	if (errand->count < 2 || !may_go(named))
		return 0;
	if (recall_one(order, other, now_ms, store, err) < 0)
		return -1;
	if (!may_go(other))
		return 0;
	/* a deletion that was there may be of an older pair: it stays so */
	return store_note_pair(
		       store,
		       (const struct ulid[]){ named->result.deletion, other->result.deletion },
		       err) < 0
		       ? -1
		       : 0;
}

static void log_recall(const struct signed_order *order, const struct recalled *form)
{
	char doc[ULID_TEXT], deletion[ULID_TEXT];

	log_info("doc=%s order=recall deletion=%s by=%s", ulid_text(&form->recall.doc, doc),
		 ulid_text(&form->result.deletion, deletion), order->actor);
}

/* Loop. */
static void recalled(struct signed_order *order)
{
	struct errand *errand = errand_of(order);

	if (order->work.err.kind != ERR_NONE) {
		errand_end(errand, order->work.err.text);
		return;
	}
	if (may_go(&errand->forms[0]) && !errand->dry_run) {
		for (size_t i = 0; i < errand->count; i++)
			if (may_go(&errand->forms[i]))
				log_recall(order, &errand->forms[i]);
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
	errand->dry_run = json_is_true(json_object_get(asked, "dry_run"));
	errand->order.prepare = prepare;
	errand->order.apply = carry_out;
	errand->order.done = recalled;
	signed_order_begin(
		&errand->order,
		&(struct signed_order_parts){ parts->workers, parts->writer, parts->pipeline },
		request->uid);
	return true;
}
