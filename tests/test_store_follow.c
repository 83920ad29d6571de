/* Order: what follows another document waits for it, and what was never tried may be spared the way. */
#include "store_fixture.h"

static struct store_arrival replacement(struct fixture *f, const char *unique_id, const char *of)
{
	struct store_arrival next = arrival(f, unique_id, "body");

	next.action = "replace";
	next.follows = of;
	return next;
}

static struct store_arrival deletion(struct fixture *f, const char *unique_id)
{
	struct store_arrival last = arrival(f, unique_id, "body");

	last.action = "delete";
	last.follows = unique_id;
	return last;
}

static struct store_receipt replace(struct fixture *f, const char *unique_id, const char *of)
{
	const struct store_arrival next = replacement(f, unique_id, of);

	return take_in(f, &next);
}

/* The one document that may be sent now. */
static struct ulid only_due(struct fixture *f)
{
	struct store_due due[8];
	int64_t next_ms;

	assert_int_equal(claim(f, 8, due, &next_ms), 1);
	return due[0].doc;
}

static void nothing_is_due(struct fixture *f)
{
	struct store_due due[1];
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 0);
}

static void end(struct fixture *f, struct ulid doc, enum doc_state state)
{
	const struct store_outcome ended = outcome(f, doc, state);

	settle(f, &ended);
}

static void assert_same(struct ulid one, struct ulid other)
{
	assert_memory_equal(&one, &other, sizeof(one));
}

static struct store_ordered order(struct fixture *f, struct ulid doc, enum order order, bool force)
{
	const struct store_order its = {
		.doc = doc, .order = order, .force = force, .actor = "", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	return ordered;
}

/* ---- waiting ---- */

static void three_versions_go_one_after_the_other(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_receipt two = replace(f, "1.2.3.2", "1.2.3.1");
	const struct store_receipt three = replace(f, "1.2.3.3", "1.2.3.2");

	assert_int_equal(two.state, DOC_HELD);
	assert_int_equal(two.reason, REASON_WAITING_PREDECESSOR);
	assert_int_equal(three.state, DOC_HELD);
	assert_same(only_due(f), one);
	end(f, one, DOC_DELIVERED);
	assert_same(only_due(f), two.doc);
	end(f, two.doc, DOC_DELIVERED);
	assert_same(only_due(f), three.doc);
}

static void a_deletion_goes_after_what_it_deletes(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_arrival last = deletion(f, "1.2.3.1");
	struct store_receipt receipt;

	assert_same(only_due(f), one); /* it is being sent: too late to withdraw it */
	receipt = take_in(f, &last);
	assert_int_equal(receipt.reason, REASON_WAITING_PREDECESSOR);
	nothing_is_due(f);
	end(f, one, DOC_DELIVERED);
	assert_same(only_due(f), receipt.doc);
}

/* A deletion that came before its document and is held; the document; the deletion, said once more. */
static void a_deletion_that_was_held_first_goes_after_what_it_deletes(void **state)
{
	struct fixture *f = *state;
	struct store_arrival last = deletion(f, "1.2.3.1");
	struct ulid doc, its;

	last.state = DOC_HELD;
	last.reason = REASON_POLICY_HOLD;
	its = take_in(f, &last).doc;
	doc = queue_one(f, "1.2.3.1");
	assert_int_equal(take_in(f, &last).taken, STORE_KNOWN);
	assert_int_equal(order(f, its, ORDER_RELEASE, false).reason, REASON_WAITING_PREDECESSOR);
	assert_same(only_due(f), doc);
	end(f, doc, DOC_DELIVERED);
	assert_same(only_due(f), its);
}

static void a_deletion_that_was_queued_first_waits_for_what_it_deletes(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival last = deletion(f, "1.2.3.1");
	const struct ulid its = take_in(f, &last).doc;
	const struct ulid next = replace(f, "1.2.3.2", "1.2.3.1").doc;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_due due[4];
	int64_t next_ms;

	assert_int_equal(claim(f, 4, due, &next_ms),
			 2); /* what came before it waits for it no more */
	assert_same(due[0].doc, next);
	assert_same(due[1].doc, doc);
	end(f, next, DOC_REJECTED);
	nothing_is_due(f);
	end(f, doc, DOC_DELIVERED);
	assert_same(only_due(f), its);
}

static void a_deletion_in_doubt_waits_for_what_came_during_its_attempt(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival last = deletion(f, "1.2.3.1");
	const struct ulid its = take_in(f, &last).doc;
	struct ulid doc;

	assert_same(only_due(f), its);
	doc = queue_one(f, "1.2.3.1");
	end(f, its, DOC_QUEUED);
	assert_same(only_due(f), doc);
	nothing_is_due(f);
	end(f, doc, DOC_DELIVERED);
	assert_same(only_due(f), its);
}

static void a_replacement_and_then_a_deletion_of_one_document_keep_their_order(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_receipt two = replace(f, "1.2.3.2", "1.2.3.1");
	const struct store_arrival last = deletion(f, "1.2.3.1");
	const struct store_receipt third = take_in(f, &last);

	assert_int_equal(third.reason, REASON_WAITING_PREDECESSOR);
	assert_same(only_due(f), one);
	end(f, one, DOC_DELIVERED);
	assert_same(only_due(f), two.doc);
	nothing_is_due(f);
	end(f, two.doc, DOC_DELIVERED);
	assert_same(only_due(f), third.doc);
}

static void what_was_delivered_before_holds_nothing_up(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");

	end(f, only_due(f), DOC_DELIVERED);
	assert_int_equal(replace(f, "1.2.3.2", "1.2.3.1").state, DOC_QUEUED);
	assert_int_equal(replace(f, "1.2.3.9", "1.2.3.8").state, DOC_QUEUED);
	(void)one;
}

/* A replacement must not wait for ever for what will not come. */
static void a_predecessor_that_ends_badly_lets_go_too(void **state)
{
	static const enum doc_state ends[] = { DOC_REJECTED, DOC_REFUSED };
	struct fixture *f = *state;
	char first[16], second[16];

	for (size_t i = 0; i < length_of(ends); i++) {
		struct ulid one;
		struct store_receipt two;

		snprintf(first, sizeof(first), "1.2.%zu.1", i + 3);
		snprintf(second, sizeof(second), "1.2.%zu.2", i + 3);
		one = queue_one(f, first);
		two = replace(f, second, first);
		assert_same(only_due(f), one);
		end(f, one, ends[i]);
		assert_same(only_due(f), two.doc);
		end(f, two.doc, DOC_REJECTED);
	}
}

static void one_that_is_tried_again_still_holds_up(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	struct store_outcome again = outcome(f, one, DOC_QUEUED);

	replace(f, "1.2.3.2", "1.2.3.1");
	only_due(f);
	again.next_attempt_ms = f->now_ms + 1000;
	settle(f, &again);
	nothing_is_due(f);
}

static void a_held_predecessor_holds_up_and_a_cancelled_one_lets_go(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = arrival(f, "1.2.3.1", "body");
	struct store_receipt two;

	held.state = DOC_HELD;
	held.reason = REASON_MANUAL_HOLD;
	take_in(f, &held);
	two = replace(f, "1.2.3.2", "1.2.3.1");
	nothing_is_due(f);
	assert_null(order(f, held.doc, ORDER_CANCEL, false).refusal);
	assert_same(only_due(f), two.doc);
}

/* ---- orders ---- */

static void what_is_released_by_a_person_takes_its_turn(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	struct store_arrival next = replacement(f, "1.2.3.2", "1.2.3.1");
	struct store_ordered ordered;

	next.state = DOC_HELD;
	next.reason = REASON_MANUAL_HOLD;
	assert_int_equal(take_in(f, &next).reason, REASON_MANUAL_HOLD);
	ordered = order(f, next.doc, ORDER_RELEASE, false);
	assert_null(ordered.refusal);
	assert_int_equal(ordered.to, DOC_HELD);
	assert_int_equal(ordered.reason, REASON_WAITING_PREDECESSOR);
	assert_same(only_due(f), one);
	end(f, one, DOC_DELIVERED);
	assert_same(only_due(f), next.doc);
}

static void force_sends_out_of_order(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_receipt two = replace(f, "1.2.3.2", "1.2.3.1");

	assert_same(only_due(f), one);
	assert_non_null(order(f, two.doc, ORDER_RELEASE, false).refusal);
	assert_int_equal(order(f, two.doc, ORDER_RELEASE, true).to, DOC_QUEUED);
	assert_same(only_due(f), two.doc);
}

/* ---- what was never tried ---- */

/* The first was rejected, and what follows it is queued: the lane is stopped. */
static struct ulid reject_first(struct fixture *f, struct ulid *ret_next)
{
	const struct ulid first = queue_one(f, "1.2.3.1");

	*ret_next = replace(f, "1.2.3.2", "1.2.3.1").doc;
	assert_same(only_due(f), first);
	end(f, first, DOC_REJECTED);
	return first;
}

static void what_follows_one_that_is_tried_again_waits_again(void **state)
{
	struct fixture *f = *state;
	struct ulid next;
	const struct ulid first = reject_first(f, &next);

	assert_null(order(f, first, ORDER_RETRY, false).refusal);
	assert_same(only_due(f), first);
	nothing_is_due(f);
	end(f, first, DOC_DELIVERED);
	assert_same(only_due(f), next);
	assert_int_equal(counts(f).documents[DOC_HELD], 0);
}

static void what_was_forced_does_not_wait_again(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	struct ulid next;
	const struct ulid first = reject_first(f, &next);
	int64_t next_ms;

	assert_null(order(f, next, ORDER_HOLD, false).refusal);
	assert_null(order(f, next, ORDER_RELEASE, true).refusal);
	assert_null(order(f, first, ORDER_RETRY, false).refusal);
	assert_int_equal(claim(f, 4, due, &next_ms), 2);
}

static void a_document_deleted_before_it_was_tried_is_never_sent(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival last = deletion(f, "1.2.3.1");
	struct store_receipt receipt;
	struct store_moves moves;

	queue_one(f, "1.2.3.1");
	moves = store_take_moves(f->store);
	store_moves_done(&moves);
	receipt = take_in(f, &last);
	assert_int_equal(receipt.state, DOC_SUPPRESSED);
	assert_int_equal(receipt.reason, REASON_WITHDRAWN);
	nothing_is_due(f);
	assert_int_equal(counts(f).documents[DOC_CANCELLED], 1);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 1);
	moves = store_take_moves(f->store);
	assert_int_equal(moves.change[DOC_QUEUED], -1); /* who counts without looking at the rows */
	assert_int_equal(moves.change[DOC_HELD], 0);
	assert_int_equal(moves.change[DOC_CANCELLED], 1);
	assert_int_equal(moves.told_count, 1);
	assert_int_equal(moves.told[0].from, DOC_QUEUED);
	store_moves_done(&moves);
}

/* It replaces one that the DMP has, and that must not be left standing. */
static void a_version_deleted_before_it_was_tried_is_sent_and_deleted(void **state)
{
	struct fixture *f = *state;
	const struct store_receipt two = replace(f, "1.2.3.2", "1.2.3.1");
	const struct store_arrival last = deletion(f, "1.2.3.2");

	assert_int_equal(take_in(f, &last).reason, REASON_WAITING_PREDECESSOR);
	assert_same(only_due(f), two.doc);
}

static void an_attempt_is_enough_not_to_withdraw(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_arrival last = deletion(f, "1.2.3.1");
	struct store_outcome again = outcome(f, one, DOC_QUEUED);

	only_due(f);
	again.attempt_counts = false; /* the document's own count tells nothing of it */
	settle(f, &again);
	assert_int_equal(take_in(f, &last).reason, REASON_WAITING_PREDECESSOR);
}

static void see_row(void *arg, const struct store_row *row)
{
	(void)arg;
	(void)row;
}

static void count_event(void *arg, const struct store_event *event)
{
	(void)event;
	++*(int *)arg;
}

static void a_newer_version_takes_the_place_of_an_unsent_one_by_key(void **state)
{
	struct fixture *f = *state;
	struct store_arrival next = replacement(f, "1.2.3.2", "1.2.3.1");
	struct store_receipt two;
	struct store_due due[4];
	int64_t next_ms;
	int happened = 0;

	queue_one(f, "1.2.3.1");
	next.supersedes = true;
	two = take_in(f, &next);
	assert_int_equal(two.state, DOC_QUEUED);
	assert_int_equal(counts(f).documents[DOC_CANCELLED], 1);
	ok(store_show(f->store, &two.doc, see_row, count_event, &happened, &err));
	assert_int_equal(happened, 1); /* it came, and never waited */
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_same(due[0].doc, two.doc);
	assert_true(due[0].as_new);
}

static void a_version_of_what_the_dmp_has_is_not_superseded(void **state)
{
	struct fixture *f = *state;
	const struct store_receipt two = replace(f, "1.2.3.2", "1.2.3.1");
	struct store_arrival next = replacement(f, "1.2.3.3", "1.2.3.2");

	next.supersedes = true;
	assert_int_equal(take_in(f, &next).reason, REASON_WAITING_PREDECESSOR);
	assert_same(only_due(f), two.doc);
}

/* ---- time ---- */

static void a_document_held_until_a_time_goes_when_it_has_come(void **state)
{
	struct fixture *f = *state;
	struct store_arrival later = arrival(f, "1.2.3.1", "body");
	size_t count;

	later.state = DOC_HELD;
	later.reason = REASON_POLICY_HOLD;
	later.release_ms = f->now_ms + 1000;
	take_in(f, &later);
	for (int i = 0; i < 2; i++, f->now_ms += 1000) {
		ok(store_begin(f->store, &err));
		ok(store_release_due(f->store, f->now_ms, 10, &count, &err));
		ok(store_commit(f->store, &err));
		assert_int_equal(count, i);
	}
	assert_same(only_due(f), later.doc);
}

static void a_clock_that_was_set_back_does_not_make_it_wait_for_years(void **state)
{
	const int64_t year_ms = (int64_t)365 * 86400 * 1000;
	struct fixture *f = *state;
	struct store_arrival later;
	size_t count;

	f->now_ms += year_ms;
	later = arrival(f, "1.2.3.1", "body");
	later.state = DOC_HELD;
	later.reason = REASON_POLICY_HOLD;
	later.release_ms = f->now_ms + 1000;
	take_in(f, &later);
	f->now_ms -= year_ms;
	ok(store_begin(f->store, &err));
	ok(store_clock_went_back(f->store, lane, f->now_ms, &count, &err));
	assert_int_equal(count, 1);
	ok(store_release_due(f->store, f->now_ms + 999, 10, &count, &err));
	assert_int_equal(count, 0);
	ok(store_release_due(f->store, f->now_ms + 1000, 10, &count, &err));
	assert_int_equal(count, 1);
	ok(store_commit(f->store, &err));
}

/* ---- all of it, counted and chained ---- */

static void what_was_taken_back_is_not_told(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_outcome delivered = outcome(f, one, DOC_DELIVERED);

	replace(f, "1.2.3.2", "1.2.3.1");
	only_due(f);
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_settle(f->store, &delivered, &err));
	store_savepoint_undo(f->store);
	ok(store_savepoint(f->store, &err));
	assert_int_equal(store_moves(f->store).told_count, 0);
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
}

static void what_wakes_is_counted_and_chained(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1");
	const struct store_outcome delivered = outcome(f, one, DOC_DELIVERED);
	const struct ulid other = replace(f, "1.2.3.2", "1.2.3.1").doc;
	struct store_moves moves;
	struct store_audit audit;

	only_due(f);
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_settle(f->store, &delivered, &err));
	moves = store_take_moves(f->store);
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(moves.change[DOC_SENDING], -1);
	assert_int_equal(moves.change[DOC_DELIVERED], 1);
	assert_int_equal(moves.change[DOC_HELD], -1);
	assert_int_equal(moves.change[DOC_QUEUED], 1);
	assert_true(moves.woke);
	assert_int_equal(moves.told_count,
			 1); /* the one that was settled is known to who settled it */
	assert_same(moves.told[0].doc, other);
	assert_int_equal(moves.told[0].from, DOC_HELD);
	assert_int_equal(moves.told[0].to, DOC_QUEUED);
	assert_string_equal(moves.told[0].note, "predecessor");
	store_moves_done(&moves);
	assert_int_equal(store_moves(f->store).told_count, 0);
	ok(store_verify(f->store, NULL, NULL, &audit, &err));
	assert_int_equal(audit.faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(three_versions_go_one_after_the_other),
		test(a_deletion_goes_after_what_it_deletes),
		test(a_deletion_that_was_held_first_goes_after_what_it_deletes),
		test(a_deletion_that_was_queued_first_waits_for_what_it_deletes),
		test(a_deletion_in_doubt_waits_for_what_came_during_its_attempt),
		test(a_replacement_and_then_a_deletion_of_one_document_keep_their_order),
		test(what_was_delivered_before_holds_nothing_up),
		test(a_predecessor_that_ends_badly_lets_go_too),
		test(one_that_is_tried_again_still_holds_up),
		test(a_held_predecessor_holds_up_and_a_cancelled_one_lets_go),
		test(what_is_released_by_a_person_takes_its_turn),
		test(force_sends_out_of_order),
		test(what_follows_one_that_is_tried_again_waits_again),
		test(what_was_forced_does_not_wait_again),
		test(a_document_deleted_before_it_was_tried_is_never_sent),
		test(a_version_deleted_before_it_was_tried_is_sent_and_deleted),
		test(an_attempt_is_enough_not_to_withdraw),
		test(a_newer_version_takes_the_place_of_an_unsent_one_by_key),
		test(a_version_of_what_the_dmp_has_is_not_superseded),
		test(a_document_held_until_a_time_goes_when_it_has_come),
		test(a_clock_that_was_set_back_does_not_make_it_wait_for_years),
		test(what_was_taken_back_is_not_told),
		test(what_wakes_is_counted_and_chained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
