/* Stays as ADT messages tell of them: what is known, who has left without a letter, and the documents that
 * are held because their stay is one to be discreet about.
 */
#include "queue/stay_known.h"
#include "queue/store_sqlite.h"

/* ---- the number ---- */

/* What is sealed: the number of that stay, and nothing else. */
struct about {
	uint8_t key[16];
	char part;
};

static struct about about(struct slice key)
{
	struct about about = { .part = 's' };

	memcpy(about.key, key.p, min(key.n, sizeof(about.key)));
	return about;
}

/* In clear it has no place beside documents that are encrypted. */
static struct slice seal_number(const struct store *store, struct slice key, const char *number,
				struct buf *sealed)
{
	const struct about what = about(key);

	if (keyring_count(store->keys) == 0)
		return slice_of(number);
	keyring_seal(store->keys, (struct slice){ (const char *)&what, sizeof(what) },
		     slice_of(number), sealed);
	return buf_slice(sealed);
}

/* NULL: it cannot be opened any more. */
static const char *open_number(const struct store *store, struct slice key, const char *sealed_by,
			       struct slice number, struct buf *out)
{
	const struct about what = about(key);
	struct err ignored = { 0 };

	if (sealed_by[0] == '\0') {
		buf_add(out, number);
		return out->n > 0 ? out->p : NULL;
	}
	for (size_t i = 0; i < keyring_count(store->keys); i++)
		if (strcmp(keyring_id(store->keys, i), sealed_by) == 0 &&
		    keyring_open(store->keys, i,
				 (struct slice){ (const char *)&what, sizeof(what) }, number, out,
				 &ignored) == 0)
			return out->p;
	return NULL;
}

/* ---- what is known ---- */

static int read_known(struct store *store, struct slice key, struct arena *arena,
		      struct stay_known *ret_known, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *row =
		sqlite_prepare(&store->sqlite, STAY_IS, VALUES(BYTES(key)), err);
	const int got = row ? sqlite_step(&store->sqlite, row, err) : -1;

	*ret_known = stay_unknown();
	if (got <= 0)
		return got;
	*ret_known = (struct stay_known){
		.cancelled = sqlite3_column_int(row, 0) != 0,
		.exists_said_ms = sqlite3_column_int64(row, 1),
		.start_ms = sqlite3_column_int64(row, 2),
		.start_said_ms = sqlite3_column_int64(row, 3),
		.end_ms = sqlite3_column_int64(row, 4),
		.end_said_ms = sqlite3_column_int64(row, 5),
		.site = arena_dup(arena, slice_of(sqlite_text(row, 6))),
		.unit = arena_dup(arena, slice_of(sqlite_text(row, 7))),
		.field = arena_dup(arena, slice_of(sqlite_text(row, 8))),
		.since_ms = sqlite3_column_int64(row, 9),
		.place_said_ms = sqlite3_column_int64(row, 10),
		.counts = sqlite3_column_int(row, 11) != 0,
		.counts_said_ms = sqlite3_column_int64(row, 12),
	};
	return 0;
}

static int write_known(struct store *store, struct slice key, const struct store_patient *patient,
		       const struct store_stay *told, const struct stay_known *known,
		       struct err *err)
{
	scoped(buf_done) struct buf sealed = { 0 };
	const struct slice number = seal_number(store, key, told->number, &sealed);
	const bool is_sealed = keyring_count(store->keys) > 0;

	return sqlite_run(&store->sqlite, NOTE_STAY,
			  VALUES(BYTES(key), TEXT(told->lane), TEXT(known->site), TEXT(known->unit),
				 TEXT(known->field), NUMBER(known->start_ms), NUMBER(known->end_ms),
				 NUMBER(known->cancelled), BYTES(number),
				 TEXT(is_sealed ? keyring_id(store->keys, 0) : ""),
				 NUMBER(known->counts), NUMBER(known->since_ms),
				 NUMBER(known->exists_said_ms), NUMBER(known->start_said_ms),
				 NUMBER(known->end_said_ms), NUMBER(known->place_said_ms),
				 NUMBER(known->counts_said_ms), NUMBER(told->now_ms),
				 BYTES(store_patient_key(patient))),
			  "note a stay", err);
}

/* ---- what to be discreet about ---- */

struct discretion {
	bool flag, unit;
	int64_t flag_said_ms;
};

static int read_discretion(struct store *store, struct slice key, struct discretion *ret_discretion,
			   struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *row =
		sqlite_prepare(&store->sqlite, DISCRETION_IS, VALUES(BYTES(key)), err);
	const int got = row ? sqlite_step(&store->sqlite, row, err) : -1;

	*ret_discretion = (struct discretion){ .flag_said_ms = INT64_MIN };
	if (got <= 0)
		return got;
	*ret_discretion = (struct discretion){
		.flag = sqlite3_column_int(row, 0) != 0,
		.flag_said_ms = sqlite3_column_int64(row, 1),
		.unit = sqlite3_column_int(row, 2) != 0,
	};
	return 0;
}

/* Reads seq, doc, attempts of a queued document that `which` finds, and holds it: 1, 0, -1. Of `stay`, who
 * noted it is told; otherwise the journal is.
 */
static int hold_found(struct store *store, enum store_statement which, struct sqlite_value value,
		      const struct store_stay *stay, int64_t now_ms, struct err *err)
{
	struct store_entry entry = { .at_ms = now_ms,
				     .what = "held",
				     .state = DOC_HELD,
				     .reason = reason_row(REASON_SENSITIVE_STAY)->code };
	struct ulid doc;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, which, &value, 1, err);
		const int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		entry.seq = sqlite3_column_int64(found, 0);
		doc = sqlite_ulid(found, 1);
		entry.attempt = sqlite3_column_int64(found, 2);
	}
	if (sqlite_run(&store->sqlite, HOLD_DISCREET,
		       VALUES(NUMBER(entry.seq), TEXT(entry.reason), NUMBER(now_ms)),
		       "hold a document", err) < 0 ||
	    store_add_move(store, DOC_QUEUED, &entry, err) < 0)
		return -1;
	if (stay == NULL || stay->moved == NULL)
		return store_tell(store, DOC_QUEUED, &entry, err) < 0 ? -1 : 1;
	stay->moved(stay->arg, &doc, DOC_QUEUED, entry.state, REASON_SENSITIVE_STAY);
	return 1;
}

/* A stay that has just become one: its documents with it. */
static int be_discreet(struct store *store, struct slice key, const struct store_stay *stay,
		       int64_t now_ms, struct err *err)
{
	const struct sqlite_value value = BYTES(key);
	int held = 1;

	if (sqlite_run(&store->sqlite, MARK_DISCREET, &value, 1, "be discreet about a stay", err) <
	    0)
		return -1;
	while (held > 0)
		held = hold_found(store, FIND_DISCREET, value, stay, now_ms, err);
	return held;
}

/* What is told of it at `said_ms`; by a message about it, or by one of its documents. */
static int note_discretion(struct store *store, struct slice key,
			   const struct store_discretion *told, int64_t said_ms,
			   const struct store_stay *stay, int64_t now_ms, struct err *err)
{
	struct discretion known, before;

	if (!told->unit && told->flag == STORE_FLAG_UNSAID)
		return 0;
	if (read_discretion(store, key, &known, err) < 0)
		return -1;
	before = known;
	known.unit |= told->unit;
	if (told->flag != STORE_FLAG_UNSAID && said_ms >= known.flag_said_ms) {
		known.flag = told->flag == STORE_FLAG_DISCREET;
		known.flag_said_ms = said_ms;
	}
	if (!known.unit && !known.flag && before.flag_said_ms == INT64_MIN)
		return 0; /* most stays: nothing to be discreet about, and nothing was */
	if (sqlite_run(&store->sqlite, NOTE_DISCRETION,
		       VALUES(BYTES(key), NUMBER(known.flag), NUMBER(known.flag_said_ms),
			      NUMBER(known.unit), NUMBER(now_ms)),
		       "be discreet about a stay", err) < 0)
		return -1;
	if (before.flag || before.unit || (!known.flag && !known.unit))
		return 0;
	return be_discreet(store, key, stay, now_ms, err);
}

int store_note_stay(struct store *store, const struct store_stay *stay, struct err *err)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct stay_known known;
	struct store_patient key, patient;

	if (store_find_stay(store, stay->lane, stay->number, &key, err) < 0 ||
	    store_find_patient(store, stay->ins, stay->ins_oid, &patient, err) < 0)
		return -1;
	if (!key.is_known)
		return err_set(err, ERR_REJECT, "a stay without a number cannot be noted");
	if (read_known(store, store_patient_key(&key), &arena, &known, err) < 0)
		return -1;
	stay_learn(&known, stay);
	if (write_known(store, store_patient_key(&key), &patient, stay, &known, err) < 0 ||
	    sqlite_run(&store->sqlite, COUNT_STAY_NEWS, NULL, 0, "note a stay", err) < 0)
		return -1;
	return note_discretion(store, store_patient_key(&key), &stay->discretion, stay->said_ms,
			       stay, stay->now_ms, err);
}

/* ---- documents ---- */

int store_heed_discretion(struct store *store, const struct store_patient *stay,
			  struct store_arrival *arrival, struct err *err)
{
	struct store_discretion told = arrival->discretion;
	struct discretion known = { 0 };

	if (strcmp(arrival->action, "delete") == 0)
		return 0;
	arrival->is_discreet |= told.unit || told.flag == STORE_FLAG_DISCREET;
	if (told.flag == STORE_FLAG_OPEN)
		told.flag = STORE_FLAG_UNSAID;
	if (stay->is_known && (note_discretion(store, store_patient_key(stay), &told,
					       arrival->now_ms, NULL, arrival->now_ms, err) < 0 ||
			       read_discretion(store, store_patient_key(stay), &known, err) < 0))
		return -1;
	arrival->is_discreet |= known.flag || known.unit;
	if (arrival->is_discreet && arrival->state == DOC_QUEUED) {
		arrival->state = DOC_HELD;
		arrival->reason = REASON_SENSITIVE_STAY;
	}
	return 0;
}

int store_is_discreet(struct store *store, int64_t seq, struct err *err)
{
	int64_t discreet;

	if (store_find_number(store, IS_DISCREET, VALUES(NUMBER(seq)), 0, &discreet, err) < 0)
		return -1;
	return discreet != 0;
}

int store_decide_discreet(struct store *store, int64_t seq, struct err *err)
{
	return sqlite_run(&store->sqlite, DECIDE_DISCREET, VALUES(NUMBER(seq)),
			  "release a document", err);
}

int store_mind_discretion(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	return hold_found(store, FIND_INDISCREET, (struct sqlite_value)NUMBER(seq), NULL, now_ms,
			  err);
}

/* ---- who has left without a letter ---- */

int store_list_letterless(struct store *store, const struct store_letterless *asked,
			  void (*each)(void *arg, const struct store_letterless_stay *stay),
			  void *arg, struct err *err)
{
	scoped(buf_done) struct buf types = { 0 };
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, LETTERLESS,
			       VALUES(TEXT(store_list_of(asked->types, asked->type_count, &types)),
				      TEXT(asked->site), NUMBER(asked->from_ms),
				      NUMBER(asked->until_ms), NUMBER(asked->limit)),
			       err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		scoped(buf_done) struct buf number = { 0 };
		const struct store_letterless_stay stay = {
			.lane = sqlite_text(rows, 0),
			.site = sqlite_text(rows, 1),
			.unit = sqlite_text(rows, 2),
			.field = sqlite_text(rows, 3),
			.number = open_number(store, sqlite_bytes(rows, 6), sqlite_text(rows, 5),
					      sqlite_bytes(rows, 4), &number),
			.start_ms = sqlite3_column_int64(rows, 7),
			.end_ms = sqlite3_column_int64(rows, 8),
			.is_discreet = sqlite3_column_int(rows, 9) != 0,
			.letter_state = sqlite_text(rows, 10),
			.letter_reason = sqlite_text(rows, 11),
		};

		each(arg, &stay);
	}
	return got;
}

int store_count_letterless(struct store *store, const struct store_letterless *asked,
			   void (*each)(void *arg, const char *site, uint64_t stays), void *arg,
			   struct err *err)
{
	scoped(buf_done) struct buf types = { 0 };
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, COUNT_LETTERLESS,
		VALUES(TEXT(store_list_of(asked->types, asked->type_count, &types)),
		       TEXT(asked->site), NUMBER(asked->from_ms), NUMBER(asked->until_ms)),
		err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0)
		each(arg, sqlite_text(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1));
	return got;
}

/* ---- forgetting ---- */

int store_forget_stays(struct store *store, int64_t before_ms, size_t most, struct err *err)
{
	static const enum store_statement statements[] = { FORGET_STAYS, FORGET_DISCRETION };

	for (size_t i = 0; i < length_of(statements); i++) {
		if (sqlite_run(&store->sqlite, statements[i],
			       VALUES(NUMBER(before_ms), NUMBER(most)), "forget old stays",
			       err) < 0)
			return -1;
		if (sqlite3_changes64(store->sqlite.db) > 0)
			return 1;
	}
	return 0;
}
