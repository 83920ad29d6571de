/* Documents, judged by what is known of their patient's identity.
 *
 * The promise is about what goes, as it is for choices (store_sqlite_choice.c), so it is kept at every way
 * into the queue: when a document comes, when a word about its patient does, when something lets it go,
 * when an attempt is over.
 */
#include "queue/store_sqlite.h"

/* What a document says of its patient, and where it stands. */
struct subject {
	int64_t seq;
	enum doc_state state;
	enum reason reason;
	int64_t attempts;
	bool is_deletion, is_rebuilt, is_qualified;
	struct store_patient patient, traits, locals[2];
	int64_t said_ms, came_ms;
	enum reason then_for;
};

enum verdict { NO_WORD, MAY_GO, NOT_QUALIFIED, NOT_IN_DOCUMENT, CHANGED };

static const enum reason reasons[] = {
	[NO_WORD] = REASON_NONE,
	[MAY_GO] = REASON_NONE,
	[NOT_QUALIFIED] = REASON_INS_NOT_QUALIFIED,
	[NOT_IN_DOCUMENT] = REASON_INS_NOT_IN_DOCUMENT,
	[CHANGED] = REASON_INS_CHANGED,
};

static bool waits_for_identity(enum reason reason)
{
	return reason == REASON_INS_NOT_QUALIFIED || reason == REASON_INS_NOT_IN_DOCUMENT ||
	       reason == REASON_INS_CHANGED;
}

bool store_same_patient(const struct store_patient *one, const struct store_patient *other)
{
	return one->is_known == other->is_known &&
	       (!one->is_known || memcmp(one->key, other->key, sizeof(one->key)) == 0);
}

static bool contradicts(const struct store_patient *one, const struct store_patient *other)
{
	return one->is_known && other->is_known && !store_same_patient(one, other);
}

/* Two words about one patient: the document's, and the newest of whoever answers for identities.
 *
 * Of the status the newest word counts, whoever's it is. A document that says VALI after an ADT said PROV
 * goes, for a qualification may reach the gateway with the document first; one that said so before the
 * identity was withdrawn waits. One whose software calls the identity provisional though an ADT qualified
 * it earlier waits too: in doubt nothing is referenced with the INS (RNIV), and an INS whose status is not
 * VALI is to be read as if it were not there (INS/va1.53). But any word of the authority that comes after
 * the document lets it go, even if its own clock puts it before: the software's copy of the identity is
 * derived from it, and where the identity had become doubtful since, the authority says so itself (A47).
 * A document that says when nothing (a file) never wins over an ADT.
 *
 * Of the number the newest does not count. Where one says another INS, sex or day of birth than the other,
 * somebody is wrong about who the patient is, and sending would show one patient's document to another:
 * it stays, until the authority itself says what the document says, or the source sends it anew.
 *
 * A deletion takes away what the DMP has under the INS that it was sent with: no later word holds it.
 */
static enum verdict judge(const struct subject *doc, const struct store_known *known)
{
	if (doc->is_deletion && doc->is_qualified)
		return MAY_GO;
	if (!known->is_there)
		return NO_WORD;
	if (!known->patient.is_known)
		return doc->is_qualified && doc->said_ms > known->said_ms ? MAY_GO : NOT_QUALIFIED;
	if (doc->is_rebuilt)
		return MAY_GO;
	if (!doc->patient.is_known)
		return NOT_IN_DOCUMENT;
	if (doc->is_deletion)
		return MAY_GO;
	if (!store_same_patient(&doc->patient, &known->patient) ||
	    contradicts(&doc->traits, &known->traits))
		return CHANGED;
	return doc->is_qualified || known->said_ms >= doc->said_ms || known->heard_ms > doc->came_ms
		       ? MAY_GO
		       : NOT_QUALIFIED;
}

/* By the OID of the domain, or by its name: the newest word. */
static int find_known(struct store *store, const struct store_patient locals[static 2],
		      struct store_known *ret_known, struct err *err)
{
	*ret_known = (struct store_known){ 0 };
	for (size_t i = 0; i < 2; i++) {
		struct store_known known;

		if (store_find_known(store, &locals[i], &known, err) < 0)
			return -1;
		if (known.is_there && (!ret_known->is_there || known.said_ms > ret_known->said_ms))
			*ret_known = known;
	}
	return 0;
}

/* ---- a document comes ---- */

static int find_keys(struct store *store, const struct store_arrival *arrival,
		     const struct store_patient *patient, struct store_keys *keys, struct err *err)
{
	const struct store_subject *subject = &arrival->subject;

	*keys = (struct store_keys){ 0 };
	for (size_t i = 0; i < length_of(keys->locals); i++)
		if (store_find_local(store, &subject->locals[i], &keys->locals[i], err) < 0)
			return -1;
	if (!keys->locals[0].is_known && !keys->locals[1].is_known)
		keys->locals[0] = *patient; /* the INS is all that it is known by */
	return store_find_key(store, "traits", slice_of(subject->traits).p, &keys->traits, err);
}

/* What the decision becomes; what it was held for besides comes after. */
static void follow_verdict(struct store_arrival *arrival, enum verdict verdict)
{
	struct store_subject *subject = &arrival->subject;
	const bool waited = arrival->state == DOC_HELD && waits_for_identity(arrival->reason);

	if (verdict == NO_WORD)
		return;
	if (verdict == MAY_GO && waited) {
		arrival->state = subject->then_for ? DOC_HELD : DOC_QUEUED;
		arrival->reason = subject->then_for;
		arrival->release_ms = subject->then_ms;
		subject->then_for = REASON_NONE;
		subject->then_ms = 0;
	}
	if (verdict == MAY_GO)
		return;
	if (arrival->state == DOC_HELD && !waited) {
		subject->then_for = arrival->reason;
		subject->then_ms = arrival->release_ms;
	}
	arrival->state = DOC_HELD;
	arrival->reason = reasons[verdict];
	arrival->release_ms = 0;
}

int store_heed_identity(struct store *store, struct store_arrival *arrival,
			struct store_patient *patient, struct store_keys *ret_keys, struct err *err)
{
	const struct store_subject *said = &arrival->subject;
	struct subject subject = {
		.is_deletion = strcmp(arrival->action, "delete") == 0,
		.is_rebuilt = said->is_rebuilt,
		.is_qualified = said->is_qualified,
		.patient = *patient,
		.said_ms = said->said_ms,
		.came_ms = arrival->now_ms,
	};
	enum verdict verdict;

	if (find_keys(store, arrival, patient, ret_keys, err) < 0)
		return -1;
	if (arrival->state != DOC_QUEUED && arrival->state != DOC_HELD)
		return 0;
	if (find_known(store, ret_keys->locals, &ret_keys->known, err) < 0)
		return -1;
	subject.traits = ret_keys->traits;
	verdict = judge(&subject, &ret_keys->known);
	follow_verdict(arrival, verdict);
	ret_keys->is_built =
		verdict == MAY_GO && subject.is_rebuilt && ret_keys->known.patient.is_known;
	if (ret_keys->is_built)
		*patient = ret_keys->known.patient;
	return 0;
}

/* ---- one that is there ---- */

static struct store_patient patient_of(sqlite3_stmt *found, int column)
{
	const struct slice bytes = sqlite_bytes(found, column);
	struct store_patient patient = { .is_known = bytes.n == sizeof(patient.key) };

	if (patient.is_known)
		memcpy(patient.key, bytes.p, sizeof(patient.key));
	return patient;
}

/* Reads JUDGED_COLUMNS. 1, 0, -1. */
static int find_subject(struct store *store, enum store_statement which,
			const struct sqlite_value *values, size_t count,
			struct subject *ret_subject, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, which, values, count, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	*ret_subject = (struct subject){
		.seq = sqlite3_column_int64(found, 0),
		.state = store_state_of(found, 1),
		.reason = reason_of(sqlite_text(found, 2)),
		.attempts = sqlite3_column_int64(found, 3),
		.is_deletion = strcmp(sqlite_text(found, 4), "delete") == 0,
		.patient = patient_of(found, 5),
		.traits = patient_of(found, 6),
		.locals = { patient_of(found, 7), patient_of(found, 8) },
		.is_qualified = sqlite3_column_int(found, 9) != 0,
		.said_ms = sqlite3_column_int64(found, 10),
		.is_rebuilt = sqlite3_column_int(found, 11) != 0,
		.then_for = reason_of(sqlite_text(found, 12)),
		.came_ms = sqlite3_column_int64(found, 13),
	};
	return 1;
}

static int judge_one(struct store *store, const struct subject *subject,
		     struct store_known *ret_known, enum verdict *ret_verdict, struct err *err)
{
	if (find_known(store, subject->locals, ret_known, err) < 0)
		return -1;
	*ret_verdict = judge(subject, ret_known);
	return 0;
}

int store_judge(struct store *store, int64_t seq, enum reason *ret_reason, struct err *err)
{
	struct subject subject;
	struct store_known known;
	enum verdict verdict;

	*ret_reason = REASON_NONE;
	if (find_subject(store, JUDGED, VALUES(NUMBER(seq)), &subject, err) < 0 ||
	    judge_one(store, &subject, &known, &verdict, err) < 0)
		return -1;
	*ret_reason = reasons[verdict];
	return 0;
}

/* ---- what follows ---- */

static struct store_entry entry_of(const struct subject *subject, const char *what, int64_t now_ms)
{
	return (struct store_entry){
		.seq = subject->seq,
		.at_ms = now_ms,
		.what = what,
		.state = subject->state,
		.reason = reason_row(subject->reason)->code,
		.attempt = subject->attempts,
		.note = "identity",
	};
}

static int add_told_move(struct store *store, enum doc_state from, const struct store_entry *entry,
			 struct err *err)
{
	if (store_add_move(store, from, entry, err) < 0)
		return -1;
	return store_tell(store, from, entry, err);
}

static int hold(struct store *store, const struct subject *subject, enum reason reason,
		int64_t now_ms, struct err *err)
{
	struct store_entry entry = entry_of(subject, "held", now_ms);

	entry.state = DOC_HELD;
	entry.reason = reason_row(reason)->code;
	if (sqlite_run(&store->sqlite, HOLD_FOR_IDENTITY,
		       VALUES(NUMBER(subject->seq), TEXT(entry.reason), NUMBER(now_ms)),
		       "hold a document", err) < 0)
		return -1;
	return add_told_move(store, subject->state, &entry, err);
}

/* The INS that it is built with is its patient's from now on. */
static int build_with(struct store *store, const struct subject *subject,
		      const struct store_known *known, struct err *err)
{
	if (!subject->is_rebuilt || !known->patient.is_known)
		return 0;
	if (store_keep_facts(store, subject->seq, known, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, SET_SUBJECT,
			  VALUES(NUMBER(subject->seq), BYTES(store_patient_key(&known->patient))),
			  "say whose a document is", err);
}

/* To what else holds it, or to its turn; unless its patient opposes it. */
static int release(struct store *store, const struct subject *subject,
		   const struct store_known *known, int64_t now_ms, struct err *err)
{
	struct store_entry entry = entry_of(subject, "released", now_ms);

	if (build_with(store, subject, known, err) < 0)
		return -1;
	if (subject->then_for == REASON_NONE) {
		if (store_let_go(store, DOC_HELD, &entry, err) < 0 ||
		    store_tell(store, DOC_HELD, &entry, err) < 0)
			return -1;
	} else {
		entry.reason = reason_row(subject->then_for)->code;
		if (sqlite_run(&store->sqlite, HOLD_NEXT,
			       VALUES(NUMBER(subject->seq), NUMBER(now_ms)), "hold a document",
			       err) < 0 ||
		    add_told_move(store, DOC_HELD, &entry, err) < 0)
			return -1;
	}
	return store_mind_choice(store, subject->seq, now_ms, err) < 0 ? -1 : 0;
}

/* A document that waits, after a word came. */
static int weigh(struct store *store, const struct subject *subject, int64_t now_ms,
		 struct store_identified *done, struct err *err)
{
	const bool waits = subject->state == DOC_HELD && waits_for_identity(subject->reason);
	struct store_known known;
	enum verdict verdict;

	if (judge_one(store, subject, &known, &verdict, err) < 0)
		return -1;
	if (verdict == NO_WORD || (!waits && subject->state == DOC_HELD))
		return 0; /* what holds it now asks again before it goes */
	if (verdict == MAY_GO) {
		done->released += waits;
		return waits ? release(store, subject, &known, now_ms, err) : 0;
	}
	if (waits && subject->reason == reasons[verdict])
		return 0;
	done->held += !waits;
	return hold(store, subject, reasons[verdict], now_ms, err);
}

/* ---- what was delivered ---- */

/* Is the INS that it was sent under still its patient's? Where nothing is known of the identity any more but
 * that it is not qualified, one that was sent under the INS that it had is not.
 */
static bool is_misplaced(const struct subject *subject, const struct store_known *known,
			 const struct store_following *following)
{
	const struct store_patient *before = &following->before.patient;

	if (!subject->patient.is_known || !known->is_there)
		return false;
	if (known->patient.is_known)
		return !store_same_patient(&subject->patient, &known->patient);
	if (known->said_ms == 0)
		return false;
	return following->is_explicit ||
	       (before->is_known && store_same_patient(before, &subject->patient));
}

static int place(struct store *store, const struct subject *subject, enum reason reason,
		 int64_t now_ms, struct err *err)
{
	struct store_entry entry =
		entry_of(subject, reason ? "identity_changed" : "identity_restored", now_ms);

	entry.reason = reason_row(reason)->code;
	entry.note = "";
	if (sqlite_run(&store->sqlite, SET_PLACED, VALUES(NUMBER(subject->seq), TEXT(entry.reason)),
		       "say that a document is misplaced", err) < 0 ||
	    store_add_entry(store, &entry, err) < 0)
		return -1;
	return store_tell(store, DOC_DELIVERED, &entry, err);
}

static int weigh_delivered(struct store *store, const struct subject *subject,
			   const struct store_following *following, struct store_identified *done,
			   struct err *err)
{
	const bool was = subject->reason == REASON_INS_CHANGED;
	struct store_known known;

	if (find_known(store, subject->locals, &known, err) < 0)
		return -1;
	if (!was && is_misplaced(subject, &known, following)) {
		done->misplaced++;
		return place(store, subject, REASON_INS_CHANGED, following->now_ms, err);
	}
	if (was && known.patient.is_known && store_same_patient(&subject->patient, &known.patient))
		return place(store, subject, REASON_NONE, following->now_ms, err);
	return 0;
}

/* ---- a word came, or a document moved ---- */

int store_follow_identity(struct store *store, const struct store_following *following,
			  struct store_identified *done, struct err *err)
{
	const struct slice key = store_patient_key(&following->key);
	struct subject subject = { .seq = 0 };
	int got;

	while ((got = find_subject(store, NEXT_JUDGED, VALUES(BYTES(key), NUMBER(subject.seq)),
				   &subject, err)) > 0)
		if (weigh(store, &subject, following->now_ms, done, err) < 0)
			return -1;
	subject.seq = 0;
	while (got == 0 &&
	       (got = find_subject(store, NEXT_PLACED, VALUES(BYTES(key), NUMBER(subject.seq)),
				   &subject, err)) > 0) {
		if (weigh_delivered(store, &subject, following, done, err) < 0)
			return -1;
		got = 0;
	}
	return got;
}

int store_mind_identity(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	struct store_following following = { .now_ms = now_ms };
	struct store_identified done = { 0 };
	struct subject subject;
	struct store_known known;
	enum verdict verdict;
	int got = find_subject(store, JUDGED, VALUES(NUMBER(seq)), &subject, err);

	if (got <= 0)
		return got;
	if (judge_one(store, &subject, &known, &verdict, err) < 0)
		return -1;
	following.is_explicit = verdict == NOT_QUALIFIED; /* said while it was being sent */
	if (subject.state == DOC_QUEUED && weigh(store, &subject, now_ms, &done, err) < 0)
		return -1;
	if (subject.state == DOC_DELIVERED && !subject.is_deletion &&
	    weigh_delivered(store, &subject, &following, &done, err) < 0)
		return -1;
	return done.held > 0 || done.misplaced > 0;
}

int store_weigh_identity(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	struct store_identified done = { 0 };
	struct subject subject;
	int got = find_subject(store, JUDGED, VALUES(NUMBER(seq)), &subject, err);

	return got > 0 ? weigh(store, &subject, now_ms, &done, err) : got;
}

int store_count_misplaced(struct store *store, uint64_t *ret_count, int64_t *ret_oldest_ms,
			  struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, COUNT_MISPLACED, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return -1;
	*ret_count = (uint64_t)sqlite3_column_int64(found, 0);
	*ret_oldest_ms = sqlite3_column_type(found, 1) == SQLITE_NULL
				 ? INT64_MAX
				 : sqlite3_column_int64(found, 1);
	return 0;
}
