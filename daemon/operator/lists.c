/* What the status port is asked that memory does not hold. Loop only, but for what the table names: workers
 * read it and write it out, so that a long list costs the loop one copy.
 */
#include "operator/lists.h"

#include "crew/hands.h"
#include "operator/answer.h"
#include "operator/counters_answer.h"
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
	enum status_listing listing;
	struct query query;
	struct standing *standing; /* of the lanes, when it was asked */
	struct exchange *exchange;
	struct buf answer;
	struct err err; /* ERR_REJECT: what was asked is wrong */
};

/* ---- documents ---- */

struct documents {
	json_t *list;
	const struct standing *standing;
	size_t count;
	char last[ULID_TEXT];
};

static void add_document(void *arg, const struct store_row *row)
{
	struct documents *documents = arg;

	json_array_append_new(documents->list, answer_row(row, documents->standing, false));
	documents->count++;
	ulid_text(&row->doc, documents->last);
}

static int read_filter(const struct query *query, struct store_filter *ret_filter, struct err *err)
{
	const char *after = query->values[DOCUMENTS_AFTER], *most = query->values[DOCUMENTS_LIMIT];
	struct store_filter filter = { .state = query->values[DOCUMENTS_STATE],
				       .reason = query->values[DOCUMENTS_REASON],
				       .site = query->values[DOCUMENTS_SITE] };
	enum doc_state state;
	uint64_t limit = ROWS;

	if (strcmp(filter.state, "invisible") == 0) { /* no state, but what people look for */
		filter.invisible = true;
		filter.state = "";
	}
	if (filter.state[0] && !doc_state_parse(slice_of(filter.state), &state))
		return err_set(err, ERR_REJECT, "there is no state '%s'", filter.state);
	if (filter.reason[0] && reason_of(filter.reason) == REASON_NONE)
		return err_set(err, ERR_REJECT, "there is no reason '%s'", filter.reason);
	if (after[0] && !ulid_parse(slice_of(after), &filter.after))
		return err_set(err, ERR_REJECT, "'%s' is not a document's id", after);
	if (most[0] && (!slice_to_u64(slice_of(most), MOST_ROWS, &limit) || limit == 0))
		return err_set(err, ERR_REJECT, "limit is a number from 1 to %d", MOST_ROWS);
	filter.limit = (size_t)limit;
	*ret_filter = filter;
	return 0;
}

static int tell_documents(const struct lookup *lookup, struct store *store, struct buf *out,
			  struct err *err)
{
	struct documents documents = { .standing = lookup->standing };
	struct store_filter filter;
	json_t *object;
	int got;

	if (read_filter(&lookup->query, &filter, err) < 0)
		return -1;
	standing_narrow(lookup->standing, &filter);
	object = json_object();
	documents.list = json_array();
	got = store_list(store, &filter, add_document, &documents, err);
	json_object_set_new(object, "documents", documents.list);
	json_put_text(object, "next", documents.count == filter.limit ? documents.last : NULL);
	json_add_and_free(object, out);
	return got;
}

/* ---- counters ---- */

/* Whose own words for days and months these are: a value that is none of them is refused there. */
static int tell_counters(const struct lookup *lookup, struct store *store, struct buf *out,
			 struct err *err)
{
	scoped(buf_done) struct buf text = { 0 };
	const struct query *query = &lookup->query;

	buf_addf(&text, "from=%s&to=%s&by=%s", query->values[COUNTERS_FROM],
		 query->values[COUNTERS_TO], query->values[COUNTERS_BY]);
	return counters_answer(store, buf_slice(&text), out, err);
}

/* ---- the way there and back ---- */

static int (*const tell[])(const struct lookup *lookup, struct store *store, struct buf *out,
			   struct err *err) = {
	[LISTING_DOCUMENTS] = tell_documents,
	[LISTING_COUNTERS] = tell_counters,
};

/* Worker. */
static void run(struct job *job, void *worker)
{
	struct lookup *lookup = container_of(job, struct lookup, job);
	struct store *reader = hands_reader(worker, &lookup->err);

	if (reader != NULL &&
	    tell[lookup->listing](lookup, reader, &lookup->answer, &lookup->err) == 0)
		buf_add_char(&lookup->answer, '\n');
}

/* Loop. */
static void done(struct job *job)
{
	struct lookup *lookup = container_of(job, struct lookup, job);

	lookup->lists->under_way--;
	if (lookup->err.kind == ERR_REJECT)
		status_answer_bad(lookup->exchange, lookup->err.text);
	else if (lookup->err.kind != ERR_NONE)
		status_answer_unavailable(lookup->exchange, lookup->err.text);
	else
		status_answer(lookup->exchange, buf_slice(&lookup->answer));
	buf_done(&lookup->answer);
	standing_free(&lookup->standing);
	free(lookup);
}

void lists_ask(struct lists *lists, enum status_listing listing, const struct query *query,
	       struct standing *standing, struct exchange *exchange)
{
	struct lookup *lookup;

	if (lists->under_way == MOST_UNDER_WAY) {
		standing_free(&standing);
		status_answer_unavailable(exchange, "others are asking: try again in a moment");
		return;
	}
	lookup = xcalloc(1, sizeof(*lookup));
	lookup->job = (struct job){ .run = run, .done = done };
	lookup->lists = lists;
	lookup->listing = listing;
	lookup->query = *query;
	lookup->standing = standing;
	lookup->exchange = exchange;
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
