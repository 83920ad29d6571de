/* The business acknowledgements that sources wait for. What makes one ready is written in the
 * transaction that brings its last document to a final state, whichever verb does that: they all end
 * in store_add_entry(), which calls store_conclude_acks().
 */
#include "queue/store_sqlite.h"

#include <assert.h>

/* ---- asked for ---- */

static int find_document(struct store *store, const struct ulid *doc, int64_t *ret_seq,
			 struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_DOCUMENT, VALUES(ID(doc)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got == 0)
		return err_set(err, ERR_HALT, "the document to acknowledge is not in the store");
	if (got > 0)
		*ret_seq = sqlite3_column_int64(found, 0);
	return got < 0 ? -1 : 0;
}

static int is_known(struct store *store, const struct store_ack_request *request,
		    const int64_t seqs[static 2], struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_ACK,
			       VALUES(TEXT(request->source), TEXT(request->origin), NUMBER(seqs[0]),
				      NUMBER(seqs[1])),
			       err);

	return found ? sqlite_step(&store->sqlite, found, err) : -1;
}

/* ---- ready ---- */

/* Nothing more will become of it by itself; what only its source can mend, it must hear of. */
bool store_has_ended_for_source(enum doc_state state, enum reason reason)
{
	return doc_state_is_final(state) ||
	       (state == DOC_HELD && reason == REASON_INS_NOT_IN_DOCUMENT);
}

/* What the source will be told. */
struct verdict {
	bool known, positive;
	const char *reason, *code, *text;
};

/* Of one document, into `verdict`: a failure stands as the first one said it. */
static int add_final(struct store *store, int64_t seq, struct verdict *verdict, struct arena *arena,
		     struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_FINAL, VALUES(NUMBER(seq)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	enum doc_state state;

	if (got <= 0)
		return got < 0 ? -1 : err_set(err, ERR_HALT, "a document has no ledger");
	state = store_state_of(found, 0);
	if (!store_has_ended_for_source(state, reason_of(sqlite_text(found, 1))))
		verdict->known = false;
	if (state == DOC_DELIVERED || state == DOC_SUPPRESSED || !verdict->positive)
		return 0;
	verdict->positive = false;
	verdict->reason = arena_dup(arena, slice_of(sqlite_text(found, 1)));
	verdict->code = arena_dup(arena, slice_of(sqlite_text(found, 2)));
	verdict->text = arena_dup(arena, slice_of(sqlite_text(found, 3)));
	return 0;
}

static int conclude(struct store *store, int64_t number, const int64_t seqs[static 2],
		    int64_t now_ms, struct err *err)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct verdict verdict = { .known = true, .positive = true };

	for (size_t i = 0; i < 2 && seqs[i] != 0; i++)
		if (add_final(store, seqs[i], &verdict, &arena, err) < 0)
			return -1;
	if (!verdict.known)
		return 0;
	return sqlite_run(&store->sqlite, CONCLUDE_ACK,
			  VALUES(NUMBER(number), NUMBER(verdict.positive), TEXT(verdict.reason),
				 TEXT(verdict.code), TEXT(verdict.text), NUMBER(now_ms)),
			  "conclude an acknowledgement", err);
}

/* The first that waits for the document, after `number`: 1, 0: none, -1. */
static int next_waiting(struct store *store, int64_t seq, int64_t *number,
			int64_t ret_seqs[static 2], struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, FIND_WAITING_ACK, VALUES(NUMBER(seq), NUMBER(*number)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	*number = sqlite3_column_int64(found, 0);
	ret_seqs[0] = sqlite3_column_int64(found, 1);
	ret_seqs[1] = sqlite3_column_int64(found, 2);
	return 1;
}

int store_conclude_acks(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	int64_t number = 0, seqs[2];
	int got;

	while ((got = next_waiting(store, seq, &number, seqs, err)) > 0)
		if (conclude(store, number, seqs, now_ms, err) < 0)
			return -1;
	return got;
}

int store_want_ack(struct store *store, const struct store_ack_request *request, struct err *err)
{
	int64_t seqs[2] = { 0, 0 };
	int known;

	assert(request->doc_count > 0 && request->doc_count <= length_of(seqs));
	for (size_t i = 0; i < request->doc_count; i++)
		if (find_document(store, &request->docs[i], &seqs[i], err) < 0)
			return -1;
	known = is_known(store, request, seqs, err);
	if (known != 0)
		return known < 0 ? -1 : 0;
	if (sqlite_run(&store->sqlite, INSERT_ACK,
		       VALUES(TEXT(request->source), TEXT(request->origin), NUMBER(seqs[0]),
			      NUMBER(seqs[1]), BYTES(request->header), TEXT(request->control_id),
			      NUMBER(request->now_ms)),
		       "note who wants an acknowledgement", err) < 0)
		return -1;
	return conclude(store, sqlite3_last_insert_rowid(store->sqlite.db), seqs, request->now_ms,
			err);
}

/* ---- sent ---- */

static struct slice keep_bytes(struct slice bytes, struct arena *arena)
{
	return (struct slice){ arena_dup(arena, bytes), bytes.n };
}

int store_next_ack(struct store *store, const char *source, int64_t now_ms, int64_t most_wait_ms,
		   struct arena *arena, struct store_ack *ret_ack, int64_t *ret_wait_ms,
		   struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, NEXT_ACK, VALUES(TEXT(source)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	*ret_wait_ms = got ? sqlite3_column_int64(found, 0) - now_ms : INT64_MAX;
	if (got == 0 || (*ret_wait_ms > 0 && *ret_wait_ms <= most_wait_ms))
		return 0;
	*ret_ack = (struct store_ack){
		.number = (uint64_t)sqlite3_column_int64(found, 1),
		.doc = sqlite_ulid(found, 2),
		.control_id = arena_dup(arena, slice_of(sqlite_text(found, 3))),
		.origin = arena_dup(arena, slice_of(sqlite_text(found, 4))),
		.header = keep_bytes(sqlite_bytes(found, 5), arena),
		.positive = sqlite3_column_int(found, 6) != 0,
		.reason = reason_of(sqlite_text(found, 7)),
		.code = arena_dup(arena, slice_of(sqlite_text(found, 8))),
		.text = arena_dup(arena, slice_of(sqlite_text(found, 9))),
		.attempt = (unsigned)sqlite3_column_int64(found, 10) + 1,
		.ready_ms = sqlite3_column_int64(found, 11),
	};
	return 1;
}

/* The document's history says that its source was told, what, and under which MSH-10. */
static int tell_ledger(struct store *store, int64_t seq, const char *control_id, bool positive,
		       int64_t now_ms, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *now =
		sqlite_prepare(&store->sqlite, DOCUMENT_NOW, VALUES(NUMBER(seq)), err);
	int got = now ? sqlite_step(&store->sqlite, now, err) : -1;

	if (got <= 0)
		return got;
	return store_add_entry(store,
			       &(struct store_entry){
				       .seq = seq,
				       .at_ms = now_ms,
				       .what = "source_told",
				       .state = store_state_of(now, 0),
				       .reason = sqlite_text(now, 1),
				       .attempt = sqlite3_column_int64(now, 2),
				       .note = positive ? "Y" : "N",
				       .origin = control_id,
			       },
			       err);
}

int store_settle_ack(struct store *store, const struct store_ack_outcome *outcome, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, FIND_READY_ACK, VALUES(NUMBER(outcome->number)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, ERR_HALT, "the acknowledgement is not being sent");
	for (int i = 0; i < 2 && outcome->told; i++)
		if (sqlite3_column_int64(found, i) != 0 &&
		    tell_ledger(store, sqlite3_column_int64(found, i), sqlite_text(found, 2),
				sqlite3_column_int(found, 3) != 0, outcome->now_ms, err) < 0)
			return -1;
	sqlite_reset(&found); /* the row that it stands on is changed */
	return sqlite_run(&store->sqlite, SETTLE_ACK,
			  VALUES(NUMBER(outcome->number), TEXT(outcome->told ? "sent" : "ready"),
				 NUMBER(outcome->due_ms),
				 NUMBER(outcome->told ? outcome->now_ms : 0)),
			  "settle an acknowledgement", err);
}

int store_count_acks(struct store *store,
		     void (*each)(void *arg, const char *source, uint64_t ready, int64_t oldest_ms),
		     void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, COUNT_ACKS, NULL, 0, err);
	int got;

	if (rows == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, rows, err)) > 0)
		each(arg, sqlite_text(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1),
		     sqlite3_column_int64(rows, 2));
	return got;
}
