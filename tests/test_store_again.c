/* The same document again: nothing new, or what its source wants by now. */
#include "store_fixture.h"

static const char id[] = "1.2.3.1";

enum { SECOND = 1000 };

static struct store_receipt bring(struct fixture *f, const char *action, enum doc_state state,
				  enum reason reason)
{
	struct store_arrival it = arrival(f, id, "body");

	f->now_ms += SECOND;
	it.now_ms = it.subject.said_ms = f->now_ms;
	it.action = action;
	it.follows = strcmp(action, "delete") == 0 ? id : NULL;
	it.state = state;
	it.reason = reason;
	it.subject.is_qualified = reason != REASON_INS_NOT_QUALIFIED;
	return take_in(f, &it);
}

static struct store_receipt bring_it(struct fixture *f, const char *action)
{
	return bring(f, action, DOC_QUEUED, REASON_NONE);
}

static void assert_receipt(struct store_receipt receipt, enum store_taken taken,
			   enum doc_state state, enum reason reason)
{
	assert_int_equal(receipt.taken, taken);
	assert_int_equal(receipt.state, state);
	assert_int_equal(receipt.reason, reason);
}

/* What is due leaves, and ends so. */
static void send(struct fixture *f, enum doc_state state, enum reason reason)
{
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ended = outcome(f, due[0].doc, state);
	ended.reason = reason;
	settle(f, &ended);
}

static void assert_nothing_due(struct fixture *f)
{
	struct store_due due[1];
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 0);
}

static void what_was_not_for_the_dmp_goes_when_it_is(void **state)
{
	static const char *const actions[] = { "submit", "replace", "delete" };

	for (size_t i = 0; i < length_of(actions); i++) {
		struct fixture *f = *state;
		const struct store_receipt first =
			bring(f, actions[i], DOC_CANCELLED, REASON_NOT_FOR_DMP);
		struct store_receipt again;

		assert_receipt(bring(f, actions[i], DOC_CANCELLED, REASON_NOT_FOR_DMP), STORE_KNOWN,
			       DOC_CANCELLED, REASON_NOT_FOR_DMP);
		again = bring_it(f, actions[i]);
		assert_receipt(again, STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
		assert_memory_equal(&again.doc, &first.doc, sizeof(first.doc));
		assert_receipt(bring_it(f, actions[i]), STORE_KNOWN, DOC_QUEUED, REASON_NONE);
		send(f, DOC_DELIVERED, REASON_NONE);
		assert_receipt(bring_it(f, actions[i]), STORE_KNOWN, DOC_DELIVERED, REASON_NONE);
		tear_down(state);
		set_up(state);
	}
}

static void what_its_source_took_back_goes_when_it_is_sent_again(void **state)
{
	struct fixture *f = *state;

	bring(f, "submit", DOC_HELD, REASON_POLICY_HOLD);
	assert_receipt(bring_it(f, "delete"), STORE_NEW, DOC_SUPPRESSED, REASON_WITHDRAWN);
	assert_receipt(bring_it(f, "delete"), STORE_KNOWN, DOC_SUPPRESSED, REASON_WITHDRAWN);
	assert_receipt(bring_it(f, "submit"), STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	/* and is taken back again, as a sender does that repeats all of it */
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_SUPPRESSED, REASON_WITHDRAWN);
	assert_nothing_due(f);
	assert_receipt(bring_it(f, "submit"), STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_receipt(bring_it(f, "delete"), STORE_KNOWN, DOC_DELIVERED, REASON_NONE);
}

/* Its way has ended, and the DMP may have it all the same. */
static void what_may_be_there_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	bring(f, "submit", DOC_HELD, REASON_POLICY_HOLD);
	bring_it(f, "delete");
	bring_it(f, "submit");
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ended = outcome(f, due[0].doc, DOC_REJECTED);
	ended.reason = REASON_TOO_OLD;
	ended.doubtful = true;
	settle(f, &ended);
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
}

static void what_was_not_there_to_be_deleted_is_once_it_is_there(void **state)
{
	struct fixture *f = *state;

	bring_it(f, "delete");
	send(f, DOC_REJECTED, REASON_PREDECESSOR_UNKNOWN);
	bring_it(f, "submit");
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_nothing_due(f);
}

static void a_deletion_that_is_taken_up_waits_for_what_is_being_sent(void **state)
{
	struct fixture *f = *state;
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	bring_it(f, "delete");
	send(f, DOC_REJECTED, REASON_PREDECESSOR_UNKNOWN);
	bring_it(f, "submit");
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_HELD, REASON_WAITING_PREDECESSOR);
	ended = outcome(f, due[0].doc, DOC_DELIVERED);
	settle(f, &ended);
	send(f, DOC_DELIVERED, REASON_NONE);
}

static struct store_receipt replace_it(struct fixture *f, enum doc_state state, enum reason reason)
{
	struct store_arrival next = arrival(f, "1.2.3.2", "next");

	next.action = "replace";
	next.follows = id;
	next.state = state;
	next.reason = reason;
	next.subject.is_qualified = reason != REASON_INS_NOT_QUALIFIED;
	return take_in(f, &next);
}

static void let_go(struct fixture *f, struct ulid doc)
{
	const struct store_order release = {
		.doc = doc, .order = ORDER_RELEASE, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &release, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
}

/* Neither waits for the other. */
static void what_is_taken_up_comes_after_what_was_held_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct ulid next;

	bring_it(f, "delete");
	send(f, DOC_REJECTED, REASON_PREDECESSOR_UNKNOWN);
	next = replace_it(f, DOC_HELD, REASON_POLICY_HOLD).doc;
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_HELD, REASON_WAITING_PREDECESSOR);
	let_go(f, next);
	send(f, DOC_DELIVERED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 2);
}

/* What ends meanwhile may have to do with it, and does not let it pass. */
static void what_is_taken_up_keeps_its_new_turn(void **state)
{
	struct fixture *f = *state;
	struct store_due due[2];
	struct store_outcome ended;
	int64_t next_ms;

	bring_it(f, "delete");
	send(f, DOC_REJECTED, REASON_PREDECESSOR_UNKNOWN);
	replace_it(f, DOC_QUEUED, REASON_NONE);
	bring_it(f, "submit");
	bring_it(f, "delete");
	assert_int_equal(claim(f, 2, due, &next_ms), 2);
	ended = outcome(f, due[0].doc, DOC_REJECTED);
	ended.reason = REASON_PREDECESSOR_UNKNOWN;
	settle(f, &ended);
	assert_nothing_due(f);
	ended = outcome(f, due[1].doc, DOC_DELIVERED);
	settle(f, &ended);
	send(f, DOC_DELIVERED, REASON_NONE);
}

static void a_deletion_said_again_goes_after_what_came_since(void **state)
{
	struct fixture *f = *state;
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	bring(f, "delete", DOC_HELD, REASON_INS_NOT_QUALIFIED);
	bring_it(f, "submit");
	assert_receipt(replace_it(f, DOC_QUEUED, REASON_NONE), STORE_NEW, DOC_HELD,
		       REASON_WAITING_PREDECESSOR);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_HELD, REASON_WAITING_PREDECESSOR);
	ended = outcome(f, due[0].doc, DOC_DELIVERED);
	settle(f, &ended);
	send(f, DOC_DELIVERED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 3);
}

static void a_deletion_said_again_withdraws_what_never_left(void **state)
{
	struct fixture *f = *state;

	bring(f, "delete", DOC_HELD, REASON_INS_NOT_QUALIFIED);
	bring_it(f, "submit");
	assert_receipt(bring_it(f, "delete"), STORE_TAKEN_UP, DOC_SUPPRESSED, REASON_WITHDRAWN);
	assert_nothing_due(f);
	assert_int_equal(counts(f).documents[DOC_CANCELLED], 1);
}

static void an_identity_that_is_qualified_by_now_lets_it_go(void **state)
{
	struct fixture *f = *state;

	bring(f, "submit", DOC_HELD, REASON_INS_NOT_QUALIFIED);
	assert_receipt(bring(f, "submit", DOC_HELD, REASON_INS_NOT_QUALIFIED), STORE_KNOWN,
		       DOC_HELD, REASON_INS_NOT_QUALIFIED);
	assert_receipt(bring(f, "submit", DOC_HELD, REASON_POLICY_HOLD), STORE_TAKEN_UP, DOC_HELD,
		       REASON_POLICY_HOLD);
	assert_receipt(bring_it(f, "submit"), STORE_KNOWN, DOC_HELD, REASON_POLICY_HOLD);
}

static void what_waits_for_its_turn_waits_for_what_came_before_alone(void **state)
{
	struct fixture *f = *state;
	struct store_arrival next = arrival(f, "1.2.3.2", "next");

	bring_it(f, "submit");
	next.action = "replace";
	next.follows = id;
	next.state = DOC_HELD;
	next.reason = REASON_INS_NOT_QUALIFIED;
	take_in(f, &next);
	next.state = DOC_QUEUED;
	next.reason = REASON_NONE;
	next.subject.is_qualified = true;
	assert_receipt(take_in(f, &next), STORE_TAKEN_UP, DOC_HELD, REASON_WAITING_PREDECESSOR);
	send(f, DOC_DELIVERED, REASON_NONE);
	send(f, DOC_DELIVERED, REASON_NONE);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 2);
}

static void its_metadata_are_those_of_the_last_time(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	struct store_arrival it = arrival(f, id, "body");
	struct store_receipt receipt;
	size_t purged;

	it.state = DOC_CANCELLED;
	it.reason = REASON_NOT_FOR_DMP;
	take_in(f, &it);
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 9, &purged, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(purged, 1);
	it.state = DOC_QUEUED;
	it.reason = REASON_NONE;
	it.metadata = slice_of("{\"new\":1}");
	receipt = take_in(f, &it);
	assert_receipt(receipt, STORE_TAKEN_UP, DOC_QUEUED, REASON_NONE);
	ok(store_load(f->store, &receipt.doc, &body, &metadata, &err));
	assert_true(slice_is(buf_slice(&body), "body"));
	assert_true(slice_is(buf_slice(&metadata), "{\"new\":1}"));
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
	assert_int_equal(counts(f).documents[DOC_CANCELLED], 0);
}

static void what_a_person_cancelled_stays_cancelled(void **state)
{
	struct fixture *f = *state;
	const struct store_order cancel = { .doc = bring_it(f, "submit").doc,
					    .order = ORDER_CANCEL,
					    .actor = "ops",
					    .now_ms = f->now_ms };
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &cancel, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_receipt(bring_it(f, "submit"), STORE_KNOWN, DOC_CANCELLED, REASON_WITHDRAWN);
}

/* Each of these is as it should be, or waits for a person or an event that will come. */
static void the_same_again_changes_nothing_else(void **state)
{
	static const struct {
		enum doc_state state;
		enum reason reason;
	} cases[] = {
		{ DOC_QUEUED, REASON_NONE },          { DOC_HELD, REASON_POLICY_HOLD },
		{ DOC_HELD, REASON_SENSITIVE_STAY },  { DOC_HELD, REASON_MANUAL_HOLD },
		{ DOC_HELD, REASON_INS_CHANGED },     { DOC_REFUSED, REASON_PATIENT_OPPOSED },
		{ DOC_REJECTED, REASON_DMP_ERROR },   { DOC_REJECTED, REASON_TOO_OLD },
		{ DOC_SUPPRESSED, REASON_UNCHANGED }, { DOC_CANCELLED, REASON_SUPERSEDED },
	};

	for (size_t i = 0; i < length_of(cases); i++) {
		struct fixture *f = *state;

		bring(f, "submit", cases[i].state, cases[i].reason);
		assert_receipt(bring_it(f, "submit"), STORE_KNOWN, cases[i].state, cases[i].reason);
		tear_down(state);
		set_up(state);
	}
}

static void other_bytes_take_nothing_up(void **state)
{
	struct fixture *f = *state;
	struct store_arrival other = arrival(f, id, "other bytes");

	bring(f, "submit", DOC_CANCELLED, REASON_NOT_FOR_DMP);
	assert_int_equal(take_in(f, &other).taken, STORE_FOREIGN);
	other.id_tells = true;
	assert_receipt(take_in(f, &other), STORE_KNOWN, DOC_CANCELLED, REASON_NOT_FOR_DMP);
}

static void who_sees_it_is_changed_by_a_replacement_alone(void **state)
{
	struct fixture *f = *state;
	struct store_arrival it = arrival(f, id, "body"), deletion = arrival(f, id, "body");

	deletion.action = "delete";
	deletion.follows = id;
	assert_false(take_in(f, &it).shows_otherwise);
	assert_false(take_in(f, &it).shows_otherwise);
	it.invisible = true;
	assert_true(take_in(f, &it).shows_otherwise);
	send(f, DOC_DELIVERED, REASON_NONE);
	take_in(f, &deletion);
	deletion.invisible = true;
	assert_false(take_in(f, &deletion).shows_otherwise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_was_not_for_the_dmp_goes_when_it_is),
		test(what_its_source_took_back_goes_when_it_is_sent_again),
		test(what_may_be_there_is_deleted),
		test(what_was_not_there_to_be_deleted_is_once_it_is_there),
		test(a_deletion_that_is_taken_up_waits_for_what_is_being_sent),
		test(what_is_taken_up_comes_after_what_was_held_meanwhile),
		test(what_is_taken_up_keeps_its_new_turn),
		test(a_deletion_said_again_goes_after_what_came_since),
		test(a_deletion_said_again_withdraws_what_never_left),
		test(an_identity_that_is_qualified_by_now_lets_it_go),
		test(what_waits_for_its_turn_waits_for_what_came_before_alone),
		test(its_metadata_are_those_of_the_last_time),
		test(what_a_person_cancelled_stays_cancelled),
		test(the_same_again_changes_nothing_else),
		test(other_bytes_take_nothing_up),
		test(who_sees_it_is_changed_by_a_replacement_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
