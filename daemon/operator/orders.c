/* What people order: from a request to the answer that says what became of each document.
 *
 *     find         worker   which documents are meant, and who asks
 *     carry_out    writer   a portion of them, so that what comes in does not wait for them all
 *     carried_out  loop     one line in the journal for each; then the next portion, or the answer
 */
#include "operator/orders.h"

#include "base/clock.h"
#include "base/log.h"
#include "crew/hands.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "operator/named.h"
#include "queue/order.h"

enum {
	PORTION = 100,        /* documents in one change */
	MOST_ORDERED = 10000, /* at once */
};

/* One request. */
struct errand {
	struct change work;
	const struct orders_parts *parts;
	struct control_request *request;
	json_t *asked;
	struct store_order order; /* of each document in turn */
	char actor[ACTOR_TEXT];

	struct ulid *docs;
	struct kind { /* of each document that was found by its reason */
		char site[16], type_code[32];
	} * kinds;
	struct store_ordered *results;
	size_t count, room, done, portion;
	uint64_t more; /* there are, beyond those */
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

static void add_doc(struct errand *errand, const struct ulid *doc)
{
	if (errand->count == errand->room) {
		errand->room = errand->room * 2 + 16;
		errand->docs = xrealloc(errand->docs, errand->room * sizeof(*errand->docs));
		errand->kinds = xrealloc(errand->kinds, errand->room * sizeof(*errand->kinds));
	}
	errand->kinds[errand->count] = (struct kind){ 0 };
	errand->docs[errand->count++] = *doc;
}

/* ---- find ---- */

static int add_named(struct errand *errand, struct store *reader, const json_t *docs,
		     struct err *err)
{
	const json_t *each;
	struct ulid doc;
	size_t i;

	json_array_foreach(docs, i, each)
	{
		const char *text = json_string_value(each);

		if (named_document(reader, errand->asked, text ? text : "", &doc, err) < 0)
			return -1;
		add_doc(errand, &doc);
	}
	return 0;
}

static void add_row(void *arg, const struct store_row *row)
{
	struct errand *errand = arg;
	struct kind *kind;

	add_doc(errand, &row->doc);
	kind = &errand->kinds[errand->count - 1];
	snprintf(kind->site, sizeof(kind->site), "%s", row->site);
	snprintf(kind->type_code, sizeof(kind->type_code), "%s", row->type_code);
}

static int add_by_reason(struct errand *errand, struct store *store, const char *reason,
			 struct err *err)
{
	const char *after = answer_asked(errand->asked, "after");
	struct store_orderable orderable = {
		.reason = reason,
		.site = answer_asked(errand->asked, "site"),
		.is_held = errand->order.order == ORDER_RELEASE,
		.limit = MOST_ORDERED,
	};

	if (errand->order.order != ORDER_RELEASE && errand->order.order != ORDER_RETRY)
		return answer_refuse(err, errand->asked, FAULT_NAME, "");
	if (reason_of(reason) == REASON_NONE)
		return answer_refuse(err, errand->asked, FAULT_REASON, reason);
	if (after[0] != '\0' && !ulid_parse(slice_of(after), &orderable.after))
		return answer_refuse(err, errand->asked, FAULT_ID, after);
	return store_list_orderable(store, &orderable, add_row, errand, &errand->more, err);
}

static int find_documents(struct errand *errand, struct hands *hands, struct err *err)
{
	const json_t *docs = json_object_get(errand->asked, "docs");
	const char *reason = answer_asked(errand->asked, "reason");
	struct store *reader = hands_reader(hands, err);

	if (reader == NULL)
		return -1;
	if ((json_array_size(docs) == 0) == (reason[0] == '\0'))
		return answer_refuse(err, errand->asked, FAULT_CHOOSE, "");
	if (json_array_size(docs) > MOST_ORDERED)
		return err_set(err, ERR_REJECT, "at most %d documents at once", MOST_ORDERED);
	if (reason[0] != '\0' ? add_by_reason(errand, reader, reason, err) < 0
			      : add_named(errand, reader, docs, err) < 0)
		return -1;
	errand->results = xcalloc(errand->count, sizeof(*errand->results));
	for (size_t i = 0; i < errand->count && errand->order.dry_run; i++) {
		errand->order.doc = errand->docs[i];
		if (store_order(reader, &errand->order, &errand->results[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Worker. */
static void find(struct job *job, void *worker)
{
	struct errand *errand = errand_of(job);

	actor_name(errand->request->uid, errand->actor);
	errand->work.err = (struct err){ 0 };
	(void)!find_documents(errand, worker, &errand->work.err);
}

/* ---- the answer ---- */

static bool goes_with_another(const struct store_ordered *result)
{
	static const struct ulid none;

	return memcmp(&result->other, &none, sizeof(none)) != 0;
}

static void answer_document(const struct errand *errand, size_t i, struct buf *out)
{
	static const struct order_refusal unknown = { "There is no such document.",
						      "Ce document n'existe pas." };
	const struct store_ordered *result = &errand->results[i];
	const struct order_refusal *refusal = result->found ? result->refusal : &unknown;
	json_t *row = json_object();
	char doc[ULID_TEXT];

	json_put_text(row, "doc", ulid_text(&errand->docs[i], doc));
	json_put_flag(row, "ok", refusal == NULL);
	json_put_flag(row, "dry_run", errand->order.dry_run);
	json_put_text(row, "from", result->found ? doc_state_text(result->from) : "");
	json_put_text(row, "state", refusal == NULL ? doc_state_text(result->to) : "");
	json_put_text(row, "reason", refusal == NULL ? reason_row(result->reason)->code : "");
	if (goes_with_another(result))
		answer_put_doc(row, "other_form", &result->other);
	json_put_text(row, "sentence",
		      refusal == NULL                   ? ""
		      : answer_in_french(errand->asked) ? refusal->french
							: refusal->english);
	if (errand->kinds[i].site[0] != '\0') {
		json_put_text(row, "site", errand->kinds[i].site);
		json_put_text(row, "type_code", errand->kinds[i].type_code);
	}
	answer_line(out, "row", row);
}

/* Those that no single order reaches are said, with how to go on: never left out in silence. */
static void answer_more(const struct errand *errand, struct buf *out)
{
	json_t *more = json_object();
	char doc[ULID_TEXT];

	if (errand->more > 0 && errand->count > 0) {
		json_put_count(more, "more", errand->more);
		json_put_text(more, "after", ulid_text(&errand->docs[errand->count - 1], doc));
		answer_line(out, "rest", more);
	} else {
		json_decref(more);
	}
}

static void errand_end(struct errand *errand, const char *error)
{
	scoped(buf_done) struct buf answer = { 0 };
	size_t told = errand->order.dry_run ? errand->count : errand->done;

	for (size_t i = 0; i < told && errand->results != NULL; i++)
		answer_document(errand, i, &answer);
	if (error == NULL)
		answer_more(errand, &answer);
	answer_end(&answer, error);
	control_answer(errand->request, buf_slice(&answer));
	json_decref(errand->asked);
	free(errand->docs);
	free(errand->kinds);
	free(errand->results);
	free(errand);
}

/* ---- carry out ---- */

/* What became of the one that was named before it and took it along, as its other form; NULL: it goes for itself. */
static const struct store_ordered *taken_along(const struct errand *errand, size_t i)
{
	for (size_t j = 0; j < i && errand->order.order == ORDER_CANCEL; j++)
		if (memcmp(&errand->results[j].other, &errand->docs[i], sizeof(struct ulid)) == 0)
			return &errand->results[j];
	return NULL;
}

static int order_one(struct errand *errand, size_t i, struct store *store, struct err *err)
{
	const struct store_ordered *with = taken_along(errand, i);
	struct store_ordered *result = &errand->results[i];

	errand->order.doc = errand->docs[i];
	if (with == NULL)
		return store_order(store, &errand->order, result, err);
	*result = *with;
	result->from = with->other_from;
	result->other = errand->docs[with - errand->results];
	result->other_from = with->from;
	return 0;
}

/* Writer. */
static int carry_out(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);

	errand->order.now_ms = clock_now_ms();
	for (size_t i = errand->done; i < errand->done + errand->portion; i++) {
		if (order_one(errand, i, store, err) < 0)
			return -1;
	}
	return 0;
}

static void log_moved(const struct errand *errand, const struct ulid *moved, enum doc_state from,
		      const struct store_ordered *result)
{
	char doc[ULID_TEXT];

	log_info("doc=%s order=%s from=%s state=%s%s%s by=%s%s", ulid_text(moved, doc),
		 order_text(errand->order.order), doc_state_text(from), doc_state_text(result->to),
		 result->reason ? " reason=" : "", reason_row(result->reason)->code, errand->actor,
		 errand->order.force ? " forced" : "");
}

static void log_order(const struct errand *errand, size_t i)
{
	const struct store_ordered *result = &errand->results[i];

	if (!result->found || result->refusal != NULL || taken_along(errand, i) != NULL)
		return;
	log_moved(errand, &errand->docs[i], result->from, result);
	if (goes_with_another(result))
		log_moved(errand, &result->other, result->other_from, result);
}

static void carried_out(struct job *job);

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void go_on(struct errand *errand)
{
	errand->portion = min(errand->count - errand->done, (size_t)PORTION);
	if (errand->portion == 0) {
		errand_end(errand, NULL);
		return;
	}
	if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: not all of it was carried out");
		return;
	}
	errand->work.apply = carry_out;
	errand->work.job.done = carried_out;
	writer_submit(errand->parts->writer, &errand->work);
}

/* Loop: the commit has happened, or failed. */
static void carried_out(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
		return;
	}
	for (size_t i = errand->done; i < errand->done + errand->portion; i++)
		log_order(errand, i);
	errand->done += errand->portion;
	pipeline_moved(errand->parts->pipeline, &errand->work.moves);
	go_on(errand);
}

/* Loop. */
static void found(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE)
		errand_end(errand, errand->work.err.text);
	else if (errand->order.dry_run)
		errand_end(errand, NULL);
	else
		go_on(errand);
}

bool orders_begin(const struct orders_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;
	enum order order;

	if (!order_parse(slice_of(answer_asked(asked, "command")), &order))
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->request = request;
	errand->asked = asked;
	errand->order = (struct store_order){
		.order = order,
		.force = json_is_true(json_object_get(asked, "force")),
		.dry_run = json_is_true(json_object_get(asked, "dry_run")),
		.actor = errand->actor,
	};
	errand->work.job = (struct job){ .run = find, .done = found };
	workers_submit(parts->workers, &errand->work.job);
	return true;
}
