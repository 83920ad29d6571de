/* The chain through the ledger: each row carries a digest over what it says and over the digest of
 * the row before, so that nothing in it can be altered, taken out or put in without a trace. The
 * digest of the last row stands for all of them: written down elsewhere, it also shows that the end
 * was not cut off.
 *
 * The canonical form is what the digest is taken of: the digest of the row before (32 bytes, zeros
 * before the first), then each field of the row in the order below, as a netstring ("3:foo,"), numbers
 * in decimal, the document by its id, what is done with it, its unique id and its SHA-256 in hex. A
 * column that the ledger gains later joins it by a step of the schema that begins a new chain.
 *
 * An act (store_act.h) is a row of the chain too, about no document: id of zeros, empty action, unique id and
 * digest; its subject stands where the code does, and what it does not have is empty or 0.
 */
#include "queue/store_sqlite.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROWS_AT_ONCE = 10000, MOST_FAULTS = 20 };

/* One row of the ledger with what never changes of its document; texts are borrowed. */
struct link {
	uint64_t number;
	struct ulid doc;
	const char *action, *unique_id;
	struct slice digest; /* of the document */
	struct store_entry entry;
	const char *state, *node;
};

/* ---- the canonical form ---- */

static void add_field(struct buf *out, struct slice field)
{
	buf_addf(out, "%zu:", field.n);
	buf_add(out, field);
	buf_add_char(out, ',');
}

static void add_number(struct buf *out, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	add_field(out, slice_of(text));
}

static void digest_of(const struct link *link, const uint8_t before[static SHA256_BYTES],
		      struct buf *room, uint8_t ret_digest[static SHA256_BYTES])
{
	const struct store_entry *entry = &link->entry;
	char doc[ULID_TEXT], digest[SHA256_BYTES * 2 + 1];
	const char *const texts[] = { entry->what, link->state, entry->reason };
	const char *const words[] = { entry->code,   entry->text,  entry->note,
				      entry->origin, entry->actor, link->node };

	buf_clear(room);
	buf_add(room, (struct slice){ (const char *)before, SHA256_BYTES });
	add_number(room, (int64_t)link->number);
	add_field(room, slice_of(ulid_text(&link->doc, doc)));
	add_field(room, slice_of(link->action));
	add_field(room, slice_of(link->unique_id));
	add_field(room, slice_of(hex((const uint8_t *)link->digest.p,
				     min(link->digest.n, (size_t)SHA256_BYTES), digest)));
	add_number(room, entry->at_ms);
	for (size_t i = 0; i < length_of(texts); i++)
		add_field(room, slice_of(texts[i]));
	add_number(room, entry->attempt);
	for (size_t i = 0; i < length_of(words); i++)
		add_field(room, slice_of(words[i]));
	add_number(room, entry->http_status);
	add_number(room, entry->duration_ms);
	sha256(buf_slice(room), ret_digest);
}

/* ---- writing ---- */

/* The end of the chain is kept in memory, and read again whenever what is on disk may differ. */
static int find_head(struct store *store, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, CHAIN_HEAD, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	struct slice digest;

	if (got < 0)
		return -1;
	store->head = (struct store_head){ .known = true };
	if (got == 0)
		return 0;
	store->head.number = (uint64_t)sqlite3_column_int64(found, 0);
	digest = sqlite_bytes(found, 1);
	memcpy(store->head.digest, digest.p, min(digest.n, sizeof(store->head.digest)));
	return 0;
}

/* What never changes of the document, from its row; `about` keeps the texts. */
static int find_document(struct store *store, int64_t seq, sqlite3_stmt **about, struct link *link,
			 struct err *err)
{
	int got;

	*about = sqlite_prepare(&store->sqlite, CHAIN_DOCUMENT, VALUES(NUMBER(seq)), err);
	got = *about ? sqlite_step(&store->sqlite, *about, err) : -1;
	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, ERR_HALT,
					 "the ledger is about a document that is "
					 "not in the store");
	link->doc = sqlite_ulid(*about, 0);
	link->action = sqlite_text(*about, 1);
	link->unique_id = sqlite_text(*about, 2);
	link->digest = sqlite_bytes(*about, 3);
	return 0;
}

static void use_arrival(const struct store_arrival *arrival, struct link *link)
{
	link->doc = arrival->doc;
	link->action = arrival->action;
	link->unique_id = arrival->unique_id;
	link->digest = (struct slice){ (const char *)arrival->digest, sizeof(arrival->digest) };
}

static int digest_entry(struct store *store, const struct store_entry *entry,
			uint8_t ret_digest[static SHA256_BYTES], struct err *err)
{
	struct link link = { .number = store->head.number + 1,
			     .entry = *entry,
			     .state = doc_state_text(entry->state),
			     .node = store->node };
	scoped(sqlite_reset) sqlite3_stmt *about = NULL;

	if (entry->arrival != NULL)
		use_arrival(entry->arrival, &link);
	else if (find_document(store, entry->seq, &about, &link, err) < 0)
		return -1;
	digest_of(&link, store->head.digest, &store->room, ret_digest);
	return 0;
}

int store_next_number(struct store *store, uint64_t *ret_number, struct err *err)
{
	if (!store->head.known && find_head(store, err) < 0)
		return -1;
	*ret_number = store->head.number + 1;
	return 0;
}

int store_chain_entry(struct store *store, const struct store_entry *entry,
		      struct store_head *ret_head, struct err *err)
{
	if (store_next_number(store, &ret_head->number, err) < 0)
		return -1;
	ret_head->known = true;
	return digest_entry(store, entry, ret_head->digest, err);
}

int store_chain_act(struct store *store, const struct store_act *act, struct store_head *ret_head,
		    struct err *err)
{
	struct link link = { .action = "",
			     .unique_id = "",
			     .entry = { .at_ms = act->at_ms,
					.what = act->what,
					.reason = "",
					.code = act->subject,
					.text = act->text,
					.note = "",
					.origin = "",
					.actor = act->actor },
			     .state = "",
			     .node = store->node };

	if (store_next_number(store, &ret_head->number, err) < 0)
		return -1;
	link.number = ret_head->number;
	ret_head->known = true;
	digest_of(&link, store->head.digest, &store->room, ret_head->digest);
	return 0;
}

/* ---- reading ---- */

/* Reads CHAIN_ROWS; 1, 0 after the last, -1. */
static int next_link(struct store *store, sqlite3_stmt *rows, struct link *ret_link,
		     struct slice *ret_digest, struct err *err)
{
	int got = sqlite_step(&store->sqlite, rows, err);

	if (got <= 0)
		return got;
	*ret_link = (struct link){
		.number = (uint64_t)sqlite3_column_int64(rows, 0),
		.doc = sqlite_ulid(rows, 1),
		.action = sqlite_text(rows, 2),
		.unique_id = sqlite_text(rows, 3),
		.digest = sqlite_bytes(rows, 4),
		.entry = {
			.at_ms = sqlite3_column_int64(rows, 5),
			.what = sqlite_text(rows, 6),
			.reason = sqlite_text(rows, 8),
			.attempt = sqlite3_column_int64(rows, 9),
			.code = sqlite_text(rows, 10),
			.text = sqlite_text(rows, 11),
			.note = sqlite_text(rows, 12),
			.origin = sqlite_text(rows, 13),
			.actor = sqlite_text(rows, 14),
			.http_status = sqlite3_column_int(rows, 16),
			.duration_ms = sqlite3_column_int64(rows, 17),
		},
		.state = sqlite_text(rows, 7),
		.node = sqlite_text(rows, 15),
	};
	*ret_digest = sqlite_bytes(rows, 18);
	return 1;
}

int store_chain_again(struct store *store, struct err *err)
{
	struct store_head head = { 0 };

	for (;;) { /* one row a query: the next one stands on what this one writes */
		scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
			&store->sqlite, CHAIN_LEDGER, VALUES(NUMBER(head.number), NUMBER(1)), err);
		struct link link;
		struct slice digest;
		int got = rows ? next_link(store, rows, &link, &digest, err) : -1;

		if (got <= 0)
			return got;
		digest_of(&link, head.digest, &store->room, head.digest);
		head.number = link.number;
		sqlite_reset(&rows);
		digest = (struct slice){ (const char *)head.digest, sizeof(head.digest) };
		if (sqlite_run(&store->sqlite, CHAIN_SET,
			       VALUES(NUMBER(head.number), BYTES(digest)), "chain the ledger",
			       err) < 0)
			return -1;
	}
}

struct verification {
	struct store *store;
	void (*fault)(void *arg, const char *sentence);
	void *arg;
	struct store_audit audit;
};

static void add_fault(struct verification *v, const char *sentence)
{
	if (v->audit.faults++ < MOST_FAULTS)
		v->fault(v->arg, sentence);
}

/* What is about a document left it in a state. */
static bool is_act(const struct link *link)
{
	return link->state[0] == '\0';
}

static void check_link(struct verification *v, const struct link *link, struct slice stored)
{
	const uint64_t wanted = v->audit.rows == 0 ? 1 : v->audit.last + 1;
	uint8_t digest[SHA256_BYTES];
	scoped(free_ptr) char *sentence = NULL;
	char doc[ULID_TEXT];

	digest_of(link, v->audit.head, &v->store->room, digest);
	if (link->number != wanted)
		sentence = xasprintf("the ledger has no rows %" PRIu64 " to %" PRIu64, wanted,
				     link->number - 1);
	else if (!slice_equal(stored, (struct slice){ (const char *)digest, sizeof(digest) }))
		sentence = xasprintf("row %" PRIu64 " of the ledger (%s%s, %s) is not what was "
				     "written: the chain breaks there",
				     link->number, is_act(link) ? "" : "doc=",
				     is_act(link) ? "act" : ulid_text(&link->doc, doc),
				     link->entry.what);
	if (sentence != NULL)
		add_fault(v, sentence);
	v->audit.rows++;
	v->audit.last = link->number;
	memcpy(v->audit.head, stored.p, min(stored.n, sizeof(v->audit.head)));
}

/* In portions, so that no snapshot is held for long: the log could not be folded back meanwhile. */
static int check_chain(struct verification *v, struct err *err)
{
	uint64_t before;
	int got = 1;

	do {
		scoped(sqlite_reset) sqlite3_stmt *rows =
			sqlite_prepare(&v->store->sqlite, CHAIN_ROWS,
				       VALUES(NUMBER(v->audit.last), NUMBER(ROWS_AT_ONCE)), err);
		struct link link;
		struct slice stored;

		before = v->audit.last;
		if (rows == NULL)
			return -1;
		while ((got = next_link(v->store, rows, &link, &stored, err)) > 0)
			check_link(v, &link, stored);
	} while (got == 0 && v->audit.last != before);
	return got;
}

static void on_import_fault(void *arg, const char *sentence)
{
	add_fault(arg, sentence);
}

/* `says` makes the sentence of a row; NULL: the row is no fault. */
static int check_rows(struct verification *v, enum store_statement which,
		      char *(*says)(sqlite3_stmt *row), struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&v->store->sqlite, which, NULL, 0, err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&v->store->sqlite, rows, err)) > 0) {
		scoped(free_ptr) char *sentence = says(rows);

		if (sentence != NULL)
			add_fault(v, sentence);
	}
	return got;
}

static char *of_integrity(sqlite3_stmt *row)
{
	const char *text = sqlite_text(row, 0);

	return strcmp(text, "ok") == 0 ? NULL : xasprintf("the database is damaged: %s", text);
}

static char *of_reference(sqlite3_stmt *row)
{
	return xasprintf("row %lld of table %s refers to a row of table %s that is not there",
			 (long long)sqlite3_column_int64(row, 1), sqlite_text(row, 0),
			 sqlite_text(row, 2));
}

static char *of_stray(sqlite3_stmt *row)
{
	const struct ulid doc = sqlite_ulid(row, 0);
	char text[ULID_TEXT];

	return xasprintf("doc=%s is %s, but the ledger left it %s", ulid_text(&doc, text),
			 sqlite_text(row, 1), sqlite_text(row, 2));
}

int store_verify(struct store *store, void (*fault)(void *arg, const char *sentence), void *arg,
		 struct store_audit *ret_audit, struct err *err)
{
	struct verification v = { .store = store, .fault = fault, .arg = arg };

	if (check_rows(&v, CHECK_INTEGRITY, of_integrity, err) < 0 ||
	    check_rows(&v, CHECK_REFERENCES, of_reference, err) < 0 || check_chain(&v, err) < 0 ||
	    store_check_imports(store, on_import_fault, &v, err) < 0 ||
	    check_rows(&v, CHECK_STATES, of_stray, err) < 0)
		return -1;
	*ret_audit = v.audit;
	return 0;
}
