/* Patients who oppose the feeding of their DMP: nothing of theirs is sent any more, but what deletes.
 *
 * The promise is about what goes, so it is kept at every way into the queue: when a document comes, when
 * a choice does, when an attempt is over, when a claim is taken back, when somebody orders it. What is
 * being sent at that moment is not called back.
 */
#include "queue/store_sqlite.h"

#include <stdio.h>

static const char *const feedings[] = {
	[STORE_NOT_OPPOSED] = "not_opposed",
	[STORE_OPPOSED] = "opposed",
	[STORE_NOT_ASKED] = "not_asked",
};

/* ---- whose ---- */

int store_draw_secret(struct store *store, struct err *err)
{
	uint8_t secret[SHA256_BYTES];
	const struct slice bytes = { (const char *)secret, sizeof(secret) };

	random_bytes(secret, sizeof(secret));
	return sqlite_run(&store->sqlite, ADD_SECRET, VALUES(BYTES(bytes)), "draw its secret", err);
}

/* Read once, then kept. */
static int know_secret(struct store *store, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = NULL;
	struct slice bytes;

	if (store->knows_secret)
		return 0;
	found = sqlite_prepare(&store->sqlite, SECRET_IS, NULL, 0, err);
	if (found == NULL || sqlite_step(&store->sqlite, found, err) < 0)
		return -1;
	bytes = sqlite_bytes(found, 0);
	if (bytes.n != sizeof(store->secret))
		return err_set(err, ERR_HALT, "the store has lost its secret: it is damaged");
	memcpy(store->secret, bytes.p, bytes.n);
	store->knows_secret = true;
	return 0;
}

/* `what` keeps apart what may have the same name. */
int store_find_key(struct store *store, const char *what, const char *name,
		   struct store_patient *ret_key, struct err *err)
{
	uint8_t digest[SHA256_BYTES];
	struct digest *under_way;

	*ret_key = (struct store_patient){ 0 };
	if (slice_of(name).n == 0)
		return 0;
	if (know_secret(store, err) < 0)
		return -1;
	under_way = digest_new(DIGEST_SHA256);
	digest_add(under_way, (struct slice){ (const char *)store->secret, sizeof(store->secret) });
	digest_add(under_way, slice_of(what));
	digest_add(under_way, slice_of("^"));
	digest_add(under_way, slice_of(name));
	digest_end(&under_way, digest);
	memcpy(ret_key->key, digest, sizeof(ret_key->key));
	ret_key->is_known = true;
	return 0;
}

int store_find_patient(struct store *store, const char *ins, const char *ins_oid,
		       struct store_patient *ret_patient, struct err *err)
{
	return store_find_key(store, ins_oid, ins, ret_patient, err);
}

int store_find_stay(struct store *store, const char *lane, const char *number,
		    struct store_patient *ret_stay, struct err *err)
{
	char whose[32];

	snprintf(whose, sizeof(whose), "stay^%s", lane); /* no OID begins so */
	return store_find_key(store, whose, number, ret_stay, err);
}

struct slice store_patient_key(const struct store_patient *patient)
{
	return patient->is_known
		       ? (struct slice){ (const char *)patient->key, sizeof(patient->key) }
		       : (struct slice){ 0 };
}

/* ---- a document comes ---- */

int store_heed_choice(struct store *store, const struct store_patient *patient,
		      struct store_arrival *arrival, bool *ret_not_asked, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = NULL;
	const bool waits = arrival->state == DOC_QUEUED || arrival->state == DOC_HELD;
	int got;

	*ret_not_asked = false;
	if (!patient->is_known || !waits || strcmp(arrival->action, "delete") == 0)
		return 0;
	found = sqlite_prepare(&store->sqlite, FIND_CHOICE,
			       VALUES(BYTES(store_patient_key(patient))), err);
	got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	if (got <= 0)
		return got;
	if (strcmp(sqlite_text(found, 0), feedings[STORE_OPPOSED]) == 0) {
		arrival->state = DOC_REFUSED;
		arrival->reason = REASON_PATIENT_OPPOSED;
	} else if (strcmp(sqlite_text(found, 0), feedings[STORE_NOT_ASKED]) == 0) {
		*ret_not_asked = true;
		if (arrival->holds_not_asked && arrival->state == DOC_QUEUED) {
			arrival->state = DOC_HELD;
			arrival->reason = REASON_FEEDING_NOT_ASKED;
		}
	}
	return 0;
}

const char *store_held_for(enum doc_state state, enum reason reason)
{
	const bool is_for_itself =
		reason != REASON_WAITING_PREDECESSOR && reason != REASON_FEEDING_NOT_ASKED;

	return state == DOC_HELD && is_for_itself ? reason_row(reason)->code : "";
}

/* ---- a choice comes ---- */

static void tell_move(const struct store_choice *choice, const struct ulid *doc,
		      enum doc_state from, const struct store_entry *entry)
{
	if (choice->moved != NULL)
		choice->moved(choice->arg, doc, from, entry->state, reason_of(entry->reason));
}

/* Reads seq, doc, state, reason, attempts of the document that `which` finds, and refuses it: 1, 0, -1. */
static int refuse_found(struct store *store, enum store_statement which,
			const struct sqlite_value *values, size_t count,
			const struct store_choice *choice, int64_t now_ms, struct err *err)
{
	struct store_entry entry = { .at_ms = now_ms,
				     .what = "opposed",
				     .state = DOC_REFUSED,
				     .reason = reason_row(REASON_PATIENT_OPPOSED)->code };
	const char *held_for;
	enum doc_state from;
	struct ulid doc;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, which, values, count, err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		entry.seq = sqlite3_column_int64(found, 0);
		doc = sqlite_ulid(found, 1);
		from = store_state_of(found, 2);
		held_for = store_held_for(from, reason_of(sqlite_text(found, 3)));
		entry.attempt = sqlite3_column_int64(found, 4);
	}
	if (sqlite_run(
		    &store->sqlite, REFUSE_OPPOSED,
		    VALUES(NUMBER(entry.seq), TEXT(entry.reason), TEXT(held_for), NUMBER(now_ms)),
		    "refuse a document", err) < 0 ||
	    store_add_move(store, from, &entry, err) < 0)
		return -1;
	if (choice != NULL)
		tell_move(choice, &doc, from, &entry);
	else if (store_tell(store, from, &entry, err) < 0)
		return -1;
	return 1;
}

int store_mind_choice(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	return refuse_found(store, FIND_UNMINDED, VALUES(NUMBER(seq)), NULL, now_ms, err);
}

static int refuse_all(struct store *store, struct slice patient, const struct store_choice *choice,
		      size_t *ret_count, struct err *err)
{
	int got;

	while ((got = refuse_found(store, FIND_OPPOSED, VALUES(BYTES(patient)), choice,
				   choice->now_ms, err)) > 0)
		++*ret_count;
	return got;
}

/* For what it was held for before it was refused. */
static int hold_again(struct store *store, enum doc_state from, struct store_entry *entry,
		      struct err *err)
{
	entry->state = DOC_HELD;
	if (sqlite_run(&store->sqlite, HOLD_AGAIN,
		       VALUES(NUMBER(entry->seq), TEXT(entry->reason), NUMBER(entry->at_ms)),
		       "hold a document again", err) < 0)
		return -1;
	return store_add_move(store, from, entry, err);
}

/* The next after *seq that was refused for it, or held because nobody had asked, goes its way again: to
 * where it stood, to its turn, or to the queue. 1, 0, -1.
 */
static int let_next_go(struct store *store, struct slice patient, const struct store_choice *choice,
		       int64_t *seq, struct err *err)
{
	struct store_entry entry = { .at_ms = choice->now_ms,
				     .what = "released",
				     .note = "not_opposed" };
	enum doc_state from;
	struct ulid doc;

	{
		scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
			&store->sqlite, FIND_UNOPPOSED,
			VALUES(BYTES(patient), NUMBER(choice->release_from_ms), NUMBER(*seq)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		entry.seq = *seq = sqlite3_column_int64(found, 0);
		doc = sqlite_ulid(found, 1);
		from = store_state_of(found, 2);
		entry.reason = reason_row(reason_of(sqlite_text(found, 3)))->code;
	}
	if ((entry.reason[0] != '\0' ? hold_again(store, from, &entry, err)
				     : store_let_go(store, from, &entry, err)) < 0 ||
	    store_weigh_identity(store, entry.seq, choice->now_ms, err) < 0 ||
	    (from == DOC_REFUSED && store_put_behind(store, entry.seq, 0, choice->now_ms, err) < 0))
		return -1;
	tell_move(choice, &doc, from, &entry);
	return 1;
}

static int let_all_go(struct store *store, struct slice patient, const struct store_choice *choice,
		      size_t *ret_count, struct err *err)
{
	int64_t seq = 0;
	int got;

	while ((got = let_next_go(store, patient, choice, &seq, err)) > 0)
		++*ret_count;
	return got;
}

int store_note_choice(struct store *store, const struct store_choice *choice,
		      struct store_noted *ret_noted, struct err *err)
{
	struct store_noted noted = { 0 };
	struct store_patient patient;
	int done = 0;

	if (store_find_patient(store, choice->ins, choice->ins_oid, &patient, err) < 0 ||
	    sqlite_run(&store->sqlite, NOTE_CHOICE,
		       VALUES(BYTES(store_patient_key(&patient)), TEXT(feedings[choice->feeding]),
			      NUMBER(choice->chosen_ms), NUMBER(choice->now_ms)),
		       "note a patient's choice", err) < 0)
		return -1;
	noted.is_newest = sqlite3_changes64(store->sqlite.db) > 0;
	if (noted.is_newest && choice->feeding == STORE_OPPOSED)
		done = refuse_all(store, store_patient_key(&patient), choice, &noted.refused, err);
	if (noted.is_newest && choice->feeding == STORE_NOT_OPPOSED)
		done = let_all_go(store, store_patient_key(&patient), choice, &noted.released, err);
	if (done < 0)
		return -1;
	*ret_noted = noted;
	return 0;
}
