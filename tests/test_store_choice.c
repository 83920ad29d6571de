/* Patients who oppose the feeding of their DMP: what of theirs is sent, and when again. */
#include <sqlite3.h>

#include "store_fixture.h"

#define INS "279035121518989"
#define OTHER "277076322082910"
#define OID "1.2.250.1.213.1.4.10"
#define DAY_MS INT64_C(86400000)

static struct store_arrival of_patient(struct fixture *f, const char *unique_id, const char *ins)
{
	struct store_arrival its = arrival(f, unique_id, "body");

	its.ins = ins;
	its.ins_oid = OID;
	return its;
}

static struct store_receipt bring(struct fixture *f, const char *unique_id, const char *ins)
{
	const struct store_arrival its = of_patient(f, unique_id, ins);

	return take_in(f, &its);
}

static struct store_noted note_of(struct fixture *f, const struct store_choice *choice)
{
	struct store_noted noted;

	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_note_choice(f->store, choice, &noted, &err));
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	return noted;
}

/* `hours` after the fixture's time. */
static struct store_noted note(struct fixture *f, enum store_feeding feeding, int hours)
{
	const struct store_choice choice = { .ins = INS,
					     .ins_oid = OID,
					     .feeding = feeding,
					     .chosen_ms = f->now_ms + hours * INT64_C(3600000),
					     .release_from_ms = f->now_ms - 30 * DAY_MS,
					     .now_ms = f->now_ms };

	return note_of(f, &choice);
}

struct seen {
	enum doc_state state;
	enum reason reason;
	char events[200]; /* what happened to it: "received:queued opposed:refused" */
};

static void see_row(void *arg, const struct store_row *row)
{
	struct seen *seen = arg;

	seen->state = row->state;
	seen->reason = row->reason;
}

static void see_event(void *arg, const struct store_event *event)
{
	struct seen *seen = arg;
	size_t n = strlen(seen->events);

	snprintf(seen->events + n, sizeof(seen->events) - n, "%s%s:%s", n ? " " : "", event->what,
		 doc_state_text(event->state));
}

static struct seen look(struct fixture *f, struct ulid doc)
{
	struct seen seen = { 0 };

	ok(store_show(f->store, &doc, see_row, see_event, &seen, &err));
	return seen;
}

static void assert_is(struct fixture *f, struct ulid doc, enum doc_state state, enum reason reason)
{
	const struct seen seen = look(f, doc);

	if (seen.state != state || seen.reason != reason)
		fail_msg("it is %s (%s) and should be %s (%s): %s", doc_state_text(seen.state),
			 reason_row(seen.reason)->code, doc_state_text(state),
			 reason_row(reason)->code, seen.events);
}

static size_t claim_all(struct fixture *f)
{
	struct store_due due[16];
	int64_t next_ms;

	return claim(f, 16, due, &next_ms);
}

/* ---- before and after ---- */

static void what_comes_after_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store_receipt receipt;

	assert_true(note(f, STORE_OPPOSED, 0).is_newest);
	receipt = bring(f, "1.2.3.1", INS);
	assert_int_equal(receipt.taken, STORE_NEW);
	assert_int_equal(receipt.state, DOC_REFUSED);
	assert_int_equal(receipt.reason, REASON_PATIENT_OPPOSED);
	assert_string_equal(look(f, receipt.doc).events, "received:refused");
	assert_int_equal(bring(f, "1.2.3.1", INS).taken, STORE_KNOWN);
	assert_int_equal(claim_all(f), 0);
}

static void what_waits_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = of_patient(f, "1.2.3.2", INS);
	const struct ulid queued = bring(f, "1.2.3.1", INS).doc;
	struct store_noted noted;
	struct ulid waiting;

	held.state = DOC_HELD;
	held.reason = REASON_POLICY_HOLD;
	waiting = take_in(f, &held).doc;
	noted = note(f, STORE_OPPOSED, 0);
	assert_int_equal(noted.refused, 2);
	assert_int_equal(store_moves(f->store).change[DOC_QUEUED], -1);
	assert_int_equal(store_moves(f->store).change[DOC_HELD], -1);
	assert_int_equal(store_moves(f->store).change[DOC_REFUSED], 2);
	assert_is(f, queued, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_is(f, waiting, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_string_equal(look(f, queued).events, "received:queued opposed:refused");
	assert_int_equal(claim_all(f), 0);
}

static void others_are_left_alone(void **state)
{
	struct fixture *f = *state;
	struct store_arrival elsewhere = of_patient(f, "1.2.3.4", INS);

	bring(f, "1.2.3.1", OTHER);
	bring(f, "1.2.3.2", NULL);
	note(f, STORE_OPPOSED, 0);
	assert_int_equal(bring(f, "1.2.3.3", OTHER).state, DOC_QUEUED);
	elsewhere.ins_oid = "1.2.250.1.213.1.4.8"; /* the same digits are another person's there */
	assert_int_equal(take_in(f, &elsewhere).state, DOC_QUEUED);
	assert_int_equal(bring(f, "1.2.3.5", "").state, DOC_QUEUED);
	assert_int_equal(claim_all(f), 5);
}

static void deleting_is_allowed(void **state)
{
	struct fixture *f = *state;
	struct store_arrival deletion = of_patient(f, "1.2.3.1", INS);

	deletion.action = "delete";
	deletion.follows = deletion.unique_id;
	note(f, STORE_OPPOSED, 0);
	assert_int_equal(take_in(f, &deletion).state, DOC_QUEUED);
	assert_int_equal(note(f, STORE_OPPOSED, 1).refused, 0);
	assert_int_equal(claim_all(f), 1);
}

static void what_nobody_would_send_stays_what_it_is(void **state)
{
	struct fixture *f = *state;
	struct store_arrival other = of_patient(f, "1.2.3.1", INS);

	other.state = DOC_CANCELLED;
	other.reason = REASON_NOT_FOR_DMP;
	note(f, STORE_OPPOSED, 0);
	assert_int_equal(take_in(f, &other).state, DOC_CANCELLED);
}

/* ---- the newest counts ---- */

static void the_newest_choice_counts(void **state)
{
	static const struct {
		enum store_feeding then;
		int then_hours;
		enum store_feeding now;
		int now_hours;
		bool is_newest;
		enum doc_state comes;
	} cases[] = {
		{ STORE_NOT_OPPOSED, 2, STORE_OPPOSED, 1, false, DOC_QUEUED },
		{ STORE_OPPOSED, 2, STORE_NOT_OPPOSED, 1, false, DOC_REFUSED },
		{ STORE_NOT_OPPOSED, 1, STORE_OPPOSED, 2, true, DOC_REFUSED },
		{ STORE_OPPOSED, 1, STORE_NOT_OPPOSED, 2, true, DOC_QUEUED },
		/* the same time: somebody has corrected themselves */
		{ STORE_OPPOSED, 1, STORE_NOT_OPPOSED, 1, true, DOC_QUEUED },
		/* "nobody has asked" is no choice, however new */
		{ STORE_OPPOSED, 1, STORE_NOT_ASKED, 2, false, DOC_REFUSED },
		{ STORE_NOT_OPPOSED, 1, STORE_NOT_ASKED, 2, false, DOC_QUEUED },
		{ STORE_NOT_ASKED, 2, STORE_OPPOSED, 1, true, DOC_REFUSED },
	};

	for (size_t i = 0; i < length_of(cases); i++) {
		struct fixture *f;
		struct store_noted noted;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		f = *state;
		assert_true(note(f, cases[i].then, cases[i].then_hours).is_newest);
		noted = note(f, cases[i].now, cases[i].now_hours);
		if (noted.is_newest != cases[i].is_newest ||
		    bring(f, "1.2.3.1", INS).state != cases[i].comes)
			fail_msg("case %zu", i);
	}
}

static void an_old_choice_that_comes_late_moves_nothing(void **state)
{
	struct fixture *f = *state;
	struct ulid doc;

	note(f, STORE_NOT_OPPOSED, 2);
	doc = bring(f, "1.2.3.1", INS).doc;
	assert_int_equal(note(f, STORE_OPPOSED, 1).refused, 0);
	assert_is(f, doc, DOC_QUEUED, REASON_NONE);
}

/* ---- not opposed any more ---- */

static void what_was_refused_goes_after_all(void **state)
{
	struct fixture *f = *state;
	const struct ulid before = bring(f, "1.2.3.1", INS).doc;
	struct ulid after;

	note(f, STORE_OPPOSED, 0);
	after = bring(f, "1.2.3.2", INS).doc;
	assert_int_equal(note(f, STORE_NOT_OPPOSED, 1).released, 2);
	assert_true(store_moves(f->store).woke);
	assert_is(f, before, DOC_QUEUED, REASON_NONE);
	assert_is(f, after, DOC_QUEUED, REASON_NONE);
	assert_string_equal(look(f, after).events, "received:refused released:queued");
	assert_int_equal(claim_all(f), 2);
}

/* Or the opposition would be a way around the hold. */
static void what_was_held_is_held_again(void **state)
{
	static const enum reason reasons[] = { REASON_INS_NOT_QUALIFIED, REASON_MANUAL_HOLD,
					       REASON_POLICY_HOLD };
	struct fixture *f = *state;
	struct ulid docs[2][length_of(reasons)];
	char unique_id[16];

	for (size_t after = 0; after < 2; after++) {
		for (size_t i = 0; i < length_of(reasons); i++) {
			struct store_arrival held;

			snprintf(unique_id, sizeof(unique_id), "1.2.%zu.%zu", after + 3, i);
			held = of_patient(f, unique_id, INS);
			held.state = DOC_HELD;
			held.reason = reasons[i];
			docs[after][i] = take_in(f, &held).doc;
		}
		note(f, STORE_OPPOSED, 0);
	}
	assert_is(f, docs[1][0], DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_int_equal(note(f, STORE_NOT_OPPOSED, 1).released, 6);
	for (size_t after = 0; after < 2; after++)
		for (size_t i = 0; i < length_of(reasons); i++)
			assert_is(f, docs[after][i], DOC_HELD, reasons[i]);
	assert_int_equal(claim_all(f), 0);
}

static void a_time_that_it_was_held_until_still_lets_it_go(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = of_patient(f, "1.2.3.1", INS);
	struct ulid doc;
	size_t count;

	held.state = DOC_HELD;
	held.reason = REASON_POLICY_HOLD;
	held.release_ms = f->now_ms + 1000;
	doc = take_in(f, &held).doc;
	note(f, STORE_OPPOSED, 0);
	ok(store_begin(f->store, &err));
	ok(store_release_due(f->store, f->now_ms + 2000, 10, &count, &err));
	assert_int_equal(count, 0);
	ok(store_commit(f->store, &err));
	note(f, STORE_NOT_OPPOSED, 1);
	ok(store_begin(f->store, &err));
	ok(store_release_due(f->store, f->now_ms + 2000, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_is(f, doc, DOC_QUEUED, REASON_NONE);
}

static void versions_go_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct store_arrival next = of_patient(f, "1.2.3.2", INS);
	struct ulid one, two;

	next.action = "replace";
	next.follows = "1.2.3.1";
	one = bring(f, "1.2.3.1", INS).doc;
	two = take_in(f, &next).doc;
	assert_int_equal(note(f, STORE_OPPOSED, 0).refused, 2);
	assert_is(f, two, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	note(f, STORE_NOT_OPPOSED, 1);
	assert_is(f, one, DOC_QUEUED, REASON_NONE);
	assert_is(f, two, DOC_HELD, REASON_WAITING_PREDECESSOR);
}

static void what_follows_waits_again_for_what_goes_after_all(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = bring(f, "1.2.3.1", INS).doc;
	struct store_arrival next = of_patient(f, "1.2.3.2", OTHER);
	struct ulid second;

	next.action = "replace";
	next.follows = "1.2.3.1";
	second = take_in(f, &next).doc;
	note(f, STORE_OPPOSED, 1);
	assert_is(f, second, DOC_QUEUED, REASON_NONE);
	note(f, STORE_NOT_OPPOSED, 2);
	assert_is(f, first, DOC_QUEUED, REASON_NONE);
	assert_is(f, second, DOC_HELD, REASON_WAITING_PREDECESSOR);
}

static void what_is_too_old_or_purged_stays_refused(void **state)
{
	struct fixture *f = *state;
	const struct ulid old = bring(f, "1.2.3.1", INS).doc;
	struct ulid purged, young;
	size_t count;

	note(f, STORE_OPPOSED, 0);
	f->now_ms += 31 * DAY_MS;
	purged = bring(f, "1.2.3.2", INS).doc;
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
	young = bring(f, "1.2.3.3", INS).doc;
	assert_int_equal(note(f, STORE_NOT_OPPOSED, 0).released, 1);
	assert_is(f, old, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_is(f, purged, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_is(f, young, DOC_QUEUED, REASON_NONE);
}

static void what_was_deleted_meanwhile_never_goes(void **state)
{
	struct fixture *f = *state;
	struct store_arrival deletion = of_patient(f, "1.2.3.1", INS);
	struct store_due due[1];
	int64_t next_ms;
	struct ulid untried, tried;

	deletion.action = "delete";
	deletion.follows = "1.2.3.1";
	tried = bring(f, "1.2.3.2", INS).doc;
	claim(f, 1, due, &next_ms);
	note(f, STORE_OPPOSED, 0);
	untried = bring(f, "1.2.3.1", INS).doc;
	assert_int_equal(take_in(f, &deletion).state, DOC_SUPPRESSED);
	assert_is(f, untried, DOC_CANCELLED, REASON_WITHDRAWN);

	deletion.doc = ulid_new(f->now_ms);
	deletion.unique_id = deletion.follows = "1.2.3.2"; /* the DMP may have it: it is asked */
	take_in(f, &deletion);
	ok(store_begin(f->store, &err));
	const struct store_outcome again = outcome(f, tried, DOC_QUEUED);
	ok(store_settle(f->store, &again, &err));
	ok(store_commit(f->store, &err));
	assert_is(f, tried, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_int_equal(note(f, STORE_NOT_OPPOSED, 1).released, 0);
	assert_is(f, tried, DOC_REFUSED, REASON_PATIENT_OPPOSED);
}

/* ---- every way into the queue ---- */

static void what_is_being_sent_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, "1.2.3.1", INS).doc;
	struct store_outcome again = outcome(f, doc, DOC_QUEUED);

	assert_int_equal(claim_all(f), 1);
	assert_int_equal(note(f, STORE_OPPOSED, 0).refused, 0);
	assert_is(f, doc, DOC_SENDING, REASON_NONE);
	again.reason = REASON_RETRYING;
	settle(f, &again);
	assert_is(f, doc, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_string_equal(look(f, doc).events, "received:queued claimed:sending settled:queued "
						 "opposed:refused");
}

static void what_was_sent_in_time_is_delivered(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, "1.2.3.1", INS).doc;
	const struct store_outcome delivered = outcome(f, doc, DOC_DELIVERED);

	claim_all(f);
	note(f, STORE_OPPOSED, 0);
	settle(f, &delivered);
	assert_is(f, doc, DOC_DELIVERED, REASON_NONE);
}

static void a_death_is_no_way_around_it(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, "1.2.3.1", INS).doc;
	struct store_recovered found;

	claim_all(f);
	note(f, STORE_OPPOSED, 0);
	store_free(&f->store);
	open_store(f);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
	assert_is(f, doc, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	assert_int_equal(bring(f, "1.2.3.2", INS).state, DOC_REFUSED);
}

static struct store_ordered order(struct fixture *f, struct ulid doc, bool force)
{
	const struct store_order its = {
		.doc = doc, .order = ORDER_RETRY, .force = force, .actor = "", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	return ordered;
}

static void an_order_is_one_by_force_alone(void **state)
{
	struct fixture *f = *state;
	const struct ulid failed = bring(f, "1.2.3.1", INS).doc;
	const struct store_outcome rejected = outcome(f, failed, DOC_REJECTED);
	struct store_ordered ordered;
	struct ulid doc;

	claim_all(f);
	settle(f, &rejected);
	note(f, STORE_OPPOSED, 0);
	ordered = order(f, failed, false);
	assert_null(ordered.refusal);
	assert_int_equal(ordered.to, DOC_REFUSED);
	assert_int_equal(ordered.reason, REASON_PATIENT_OPPOSED);
	assert_is(f, failed, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	doc = bring(f, "1.2.3.2", INS).doc;
	assert_non_null(order(f, doc, false).refusal);
	assert_null(order(f, doc, true).refusal);
	assert_is(f, doc, DOC_QUEUED, REASON_NONE);
}

/* ---- nobody has asked ---- */

static void one_who_was_not_asked_is_sent_or_held(void **state)
{
	struct fixture *f = *state;
	struct store_arrival cautious = of_patient(f, "1.2.3.2", INS);
	struct store_receipt receipt;

	cautious.holds_not_asked = true;
	assert_int_equal(take_in(f, &cautious).state, DOC_QUEUED); /* nobody said anything */
	note(f, STORE_NOT_ASKED, 0);
	receipt = bring(f, "1.2.3.1", INS);
	assert_int_equal(receipt.state, DOC_QUEUED);
	assert_true(receipt.not_asked);
	cautious.doc = ulid_new(f->now_ms);
	cautious.unique_id = "1.2.3.3";
	receipt = take_in(f, &cautious);
	assert_is(f, receipt.doc, DOC_HELD, REASON_FEEDING_NOT_ASKED);
	assert_int_equal(note(f, STORE_NOT_OPPOSED, 0).released, 1);
	assert_is(f, receipt.doc, DOC_QUEUED, REASON_NONE);
}

/* ---- what is kept ---- */

static int count_hits(struct fixture *f, const char *needle)
{
	sqlite3_stmt *found;
	sqlite3 *db;
	int hits;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(
			db,
			"SELECT count(*) FROM choice, document WHERE"
			" instr(hex(choice.patient), ?1) OR instr(hex(document.patient), ?1)",
			-1, &found, NULL),
		SQLITE_OK);
	sqlite3_bind_text(found, 1, needle, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(found), SQLITE_ROW);
	hits = sqlite3_column_int(found, 0);
	sqlite3_finalize(found);
	sqlite3_close(db);
	return hits;
}

static void a_patient_is_kept_under_the_secret_of_the_store(void **state)
{
	static const char known[] = OID "^" INS;
	struct fixture *f = *state;
	uint8_t digest[SHA256_BYTES];
	char plain[2 * SHA256_BYTES + 1];

	sha256(slice_of(known), digest);
	hex(digest, 4, plain);
	for (char *c = plain; *c != '\0'; c++)
		if (*c >= 'a')
			*c = (char)(*c - 'a' + 'A');
	bring(f, "1.2.3.1", INS);
	note(f, STORE_OPPOSED, 0);
	assert_int_equal(count_hits(f, ""), 1);
	assert_int_equal(count_hits(f, plain), 0);
}

struct told {
	size_t count;
	struct ulid doc;
	enum doc_state from, to;
};

static void hear(void *arg, const struct ulid *doc, enum doc_state from, enum doc_state to,
		 enum reason reason)
{
	struct told *told = arg;

	(void)reason;
	*told = (struct told){ told->count + 1, *doc, from, to };
}

static void who_notes_it_hears_what_it_moves(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, "1.2.3.1", INS).doc;
	struct told told = { 0 };
	const struct store_choice choice = { .ins = INS,
					     .ins_oid = OID,
					     .feeding = STORE_OPPOSED,
					     .now_ms = f->now_ms,
					     .moved = hear,
					     .arg = &told };

	note_of(f, &choice);
	assert_int_equal(told.count, 1);
	assert_memory_equal(&told.doc, &doc, sizeof(doc));
	assert_int_equal(told.from, DOC_QUEUED);
	assert_int_equal(told.to, DOC_REFUSED);
}

static void the_ledger_agrees_with_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct store_audit audit;

	bring(f, "1.2.3.1", INS);
	note(f, STORE_OPPOSED, 0);
	bring(f, "1.2.3.2", INS);
	note(f, STORE_NOT_OPPOSED, 1);
	ok(store_verify(f->store, NULL, NULL, &audit, &err));
	assert_int_equal(audit.faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_comes_after_is_refused),
		test(what_waits_is_refused_at_once),
		test(others_are_left_alone),
		test(deleting_is_allowed),
		test(what_nobody_would_send_stays_what_it_is),
		test(the_newest_choice_counts),
		test(an_old_choice_that_comes_late_moves_nothing),
		test(what_was_refused_goes_after_all),
		test(what_was_held_is_held_again),
		test(a_time_that_it_was_held_until_still_lets_it_go),
		test(versions_go_in_their_order),
		test(what_follows_waits_again_for_what_goes_after_all),
		test(what_is_too_old_or_purged_stays_refused),
		test(what_was_deleted_meanwhile_never_goes),
		test(what_is_being_sent_is_not_tried_again),
		test(what_was_sent_in_time_is_delivered),
		test(a_death_is_no_way_around_it),
		test(an_order_is_one_by_force_alone),
		test(one_who_was_not_asked_is_sent_or_held),
		test(a_patient_is_kept_under_the_secret_of_the_store),
		test(who_notes_it_hears_what_it_moves),
		test(the_ledger_agrees_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
