/* The two forms of one content: each row has the number of the other's. */
#include "queue/store_pair.h"
#include "queue/store_sqlite.h"

enum { MOST_VERSIONS = 1000 /* that are looked back through: more than any document has */ };

/* ---- tied ---- */

static int find_pair(struct store *store, const struct ulid *doc, int64_t *ret_seq,
		     int64_t *ret_pair, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, PAIR_IS, VALUES(ID(doc)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, ERR_HALT,
					 "a document that came with another is not in the store");
	*ret_seq = sqlite3_column_int64(found, 0);
	*ret_pair = sqlite3_column_int64(found, 1);
	return 0;
}

int store_note_pair(struct store *store, const struct ulid docs[static 2], struct err *err)
{
	int64_t seqs[2], pairs[2];

	for (size_t i = 0; i < 2; i++)
		if (find_pair(store, &docs[i], &seqs[i], &pairs[i], err) < 0)
			return -1;
	for (size_t i = 0; i < 2; i++)
		if (pairs[i] != 0 && pairs[i] != seqs[1 - i])
			return 1;
	for (size_t i = 0; i < 2; i++)
		if (pairs[i] == 0 && sqlite_run(&store->sqlite, NOTE_PAIR,
						VALUES(NUMBER(seqs[i]), NUMBER(seqs[1 - i])),
						"tie two documents", err) < 0)
			return -1;
	return 0;
}

/* ---- left alone ---- */

/* One version of a form. */
struct form {
	struct buf unique_id, names; /* names: the version before it, as it says */
	enum doc_state state;
	bool is_over; /* the DMP shows another version in its place, or none any more */
};

static void form_done(struct form *form)
{
	buf_done(&form->unique_id);
	buf_done(&form->names);
}

/* What either statement finds: 1; 0, -1. */
static int find_form(struct store *store, enum store_statement which, const char *unique_id,
		     struct form *ret_form, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, which, VALUES(TEXT(unique_id)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	buf_clear(&ret_form->unique_id);
	buf_clear(&ret_form->names);
	buf_add_text(&ret_form->unique_id, sqlite_text(found, 0));
	buf_add_text(&ret_form->names, sqlite_text(found, 1));
	ret_form->state = store_state_of(found, 2);
	ret_form->is_over = sqlite3_column_int(found, 3) != 0;
	return 1;
}

static bool is_named(const struct store_named *named, const char *unique_id)
{
	for (size_t i = 0; i < named->count; i++)
		if (strcmp(named->unique_ids[i], unique_id) == 0)
			return true;
	return false;
}

/* What the DMP has in its place, if anything, is the version before it. */
static bool has_ended_here(enum doc_state state)
{
	return state != DOC_DELIVERED && doc_state_is_final(state);
}

/* Nobody can have it sent as it is: what did not pass may be tried again. */
static bool is_given_up(enum doc_state state)
{
	return state == DOC_CANCELLED || state == DOC_SUPPRESSED;
}

int store_find_left(struct store *store, const char *unique_id, const struct store_named *named,
		    struct buf *ret_left, struct err *err)
{
	scoped(form_done) struct form form = { 0 };
	int got = find_form(store, FIND_OTHER_FORM, unique_id, &form, err);

	for (int i = 0; i < MOST_VERSIONS && got > 0; i++) {
		struct slice before = buf_slice(&form.names);

		if (form.is_over || is_named(named, form.unique_id.p))
			return 0;
		if (before.n == 0 && is_given_up(form.state))
			return 0;
		if (before.n == 0 || !has_ended_here(form.state))
			break;
		if (is_named(named, form.names.p))
			return 0;
		got = find_form(store, FIND_FORM, form.names.p, &form, err);
	}
	if (got > 0)
		buf_add(ret_left, buf_slice(&form.unique_id));
	return got < 0 ? -1 : 0;
}
