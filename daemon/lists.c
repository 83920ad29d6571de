/* What the status port is asked that memory does not hold. Loop only. */
#include "lists.h"

#include "answer.h"
#include "hands.h"
#include "status/request.h"

enum {
	ROWS = 100, /* unless asked for more */
	MOST_ROWS = 1000,
	MOST_UNDER_WAY = 2, /* the workers are there for documents */
};

struct lists {
	struct workers *workers;
	size_t under_way;
};

struct lookup {
	struct job job;
	struct lists *lists;
	struct exchange *exchange;
	struct query query;
	struct store_filter filter;
	json_t *documents;
	char last[ULID_TEXT]; /* of those told */
	struct err err;
};

/* ---- documents ---- */

static void add_document(void *arg, const struct store_row *row)
{
	struct lookup *lookup = arg;

	json_array_append_new(lookup->documents, answer_row(row, false));
	ulid_text(&row->doc, lookup->last);
}

/* Worker. */
static void run(struct job *job, void *worker)
{
	struct lookup *lookup = container_of(job, struct lookup, job);
	struct store *reader = hands_reader(worker, &lookup->err);

	if (reader != NULL)
		(void)!store_list(reader, &lookup->filter, add_document, lookup, &lookup->err);
}

/* Loop. */
static void done(struct job *job)
{
	struct lookup *lookup = container_of(job, struct lookup, job);
	const bool is_full = json_array_size(lookup->documents) == lookup->filter.limit;
	scoped(buf_done) struct buf body = { 0 };
	json_t *object = json_object();

	json_object_set_new(object, "documents", lookup->documents);
	json_put_text(object, "next", is_full ? lookup->last : NULL);
	json_add_and_free(object, &body);
	buf_add_char(&body, '\n');
	lookup->lists->under_way--;
	if (lookup->err.kind != ERR_NONE)
		status_answer_unavailable(lookup->exchange, lookup->err.text);
	else
		status_answer(lookup->exchange, buf_slice(&body));
	free(lookup);
}

static int read_filter(struct lookup *lookup)
{
	const struct query *query = &lookup->query;
	struct store_filter *filter = &lookup->filter;
	struct err *err = &lookup->err;
	enum doc_state state;
	uint64_t limit = ROWS;

	*filter = (struct store_filter){ .state = query->values[DOCUMENTS_STATE],
					 .reason = query->values[DOCUMENTS_REASON],
					 .site = query->values[DOCUMENTS_SITE] };
	if (filter->state[0] && !doc_state_parse(slice_of(filter->state), &state))
		return err_set(err, ERR_REJECT, "there is no state '%s'", filter->state);
	if (filter->reason[0] && reason_of(filter->reason) == REASON_NONE)
		return err_set(err, ERR_REJECT, "there is no reason '%s'", filter->reason);
	if (query->values[DOCUMENTS_AFTER][0] &&
	    !ulid_parse(slice_of(query->values[DOCUMENTS_AFTER]), &filter->after))
		return err_set(err, ERR_REJECT, "'%s' is not a document's id",
			       query->values[DOCUMENTS_AFTER]);
	if (query->values[DOCUMENTS_LIMIT][0] &&
	    (!slice_to_u64(slice_of(query->values[DOCUMENTS_LIMIT]), MOST_ROWS, &limit) ||
	     limit == 0))
		return err_set(err, ERR_REJECT, "limit is a number from 1 to %d", MOST_ROWS);
	filter->limit = (size_t)limit;
	return 0;
}

/* ---- who asks ---- */

void lists_ask(struct lists *lists, enum status_listing listing, const struct query *query,
	       struct exchange *exchange)
{
	struct lookup *lookup;

	(void)listing; /* there is one */
	if (lists->under_way == MOST_UNDER_WAY) {
		status_answer_unavailable(exchange, "others are asking: try again in a moment");
		return;
	}
	lookup = xcalloc(1, sizeof(*lookup));
	lookup->query = *query;
	if (read_filter(lookup) < 0) {
		status_answer_bad(exchange, lookup->err.text);
		free(lookup);
		return;
	}
	lookup->job = (struct job){ .run = run, .done = done };
	lookup->lists = lists;
	lookup->exchange = exchange;
	lookup->documents = json_array();
	lists->under_way++;
	workers_submit(lists->workers, &lookup->job);
}

struct lists *lists_new(struct workers *workers)
{
	struct lists *lists = xcalloc(1, sizeof(*lists));

	lists->workers = workers;
	return lists;
}

void lists_free(struct lists **lists)
{
	free_ptr(lists);
}
