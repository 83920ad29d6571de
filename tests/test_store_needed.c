/* A version that was suppressed goes after all when a later one names it: all of it, in order, or nothing. */
#include "store_versions.h"

/* What waits for nothing but it says something else, and names it: it is not suppressed to be sent at once. */
static void one_that_is_waited_for_goes(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);
	const struct store_receipt last = come(f, "1.2.3.3", "1.2.3.2", OTHER);

	assert_waits(last);
	end(f, first, DOC_DELIVERED);
	assert_int_equal(last_of(f, next.doc).state, DOC_QUEUED);
	deliver_after(f, next.doc, "1.2.3.1");
	deliver_after(f, last.doc, "1.2.3.2");
}

/* The first was delivered, the second changes nothing of it, the third does. */
struct three {
	struct ulid first, second, third;
};

static struct three three_come(struct fixture *f)
{
	struct three three = { .first = deliver_first(f) };
	struct store_receipt third;

	three.second = come(f, "1.2.3.2", "1.2.3.1", SAME).doc;
	third = come(f, "1.2.3.3", "1.2.3.2", OTHER);
	assert_waits(third);
	three.third = third.doc;
	return three;
}

static void what_the_next_one_names_goes_first(void **state)
{
	struct fixture *f = *state;
	const struct three three = three_come(f);
	const struct last second = last_of(f, three.second);
	char id[ULID_TEXT];

	assert_int_equal(second.state, DOC_QUEUED);
	assert_int_equal(second.reason, REASON_NONE);
	assert_string_equal(second.what, "needed");
	assert_string_equal(second.note, ulid_text(&three.third, id));
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 0);
	deliver_after(f, three.second, "1.2.3.1");
	deliver_after(f, three.third, "1.2.3.2");
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 3);
	assert_whole(f);
}

static void what_goes_after_all_is_counted_and_told(void **state)
{
	struct fixture *f = *state;
	struct store_receipt receipt;
	struct store_arrival third;
	struct store_moves moves;
	struct ulid second;

	deliver_first(f);
	second = come(f, "1.2.3.2", "1.2.3.1", SAME).doc;
	third = version(f, "1.2.3.3", "1.2.3.2", OTHER);
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &third, &receipt, &err));
	moves = store_take_moves(f->store);
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(moves.change[DOC_SUPPRESSED], -1);
	assert_int_equal(moves.change[DOC_QUEUED], 1);
	assert_int_equal(moves.change[DOC_HELD], 1);
	assert_true(moves.woke);
	assert_int_equal(moves.told_count, 1);
	assert_memory_equal(&moves.told[0].doc, &second, sizeof(second));
	assert_int_equal(moves.told[0].from, DOC_SUPPRESSED);
	assert_int_equal(moves.told[0].to, DOC_QUEUED);
	assert_string_equal(moves.told[0].what, "needed");
	store_moves_done(&moves);
}

/* All of it, or nothing. */
static void what_is_taken_back_leaves_it_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_receipt receipt;
	struct store_arrival third;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = version(f, "1.2.3.3", "1.2.3.2", OTHER);
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &third, &receipt, &err));
	store_savepoint_undo(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 1);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
	assert_whole(f);
}

/* The third came before the second that it names, and was rejected; another that replaces the first came last. */
struct fork {
	struct ulid second, third, other;
};

static struct fork fork_comes(struct fixture *f)
{
	struct fork fork;

	deliver_first(f);
	fork.third = come(f, "1.2.3.3", "1.2.3.2", OTHER).doc;
	end(f, fork.third, DOC_REJECTED);
	fork.second = come(f, "1.2.3.2", "1.2.3.1", SAME).doc;
	fork.other = come(f, "1.2.3.4", "1.2.3.1", OTHER).doc;
	return fork;
}

static void retry(struct fixture *f, struct ulid doc)
{
	const struct store_order its = {
		.doc = doc, .order = ORDER_RETRY, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
}

/* Both would replace the first, of which the DMP takes one: they go one after the other, what came first first. */
static void another_that_came_after_it_waits(void **state)
{
	struct fixture *f = *state;
	const struct fork fork = fork_comes(f);

	retry(f, fork.third);
	deliver_after(f, fork.second, "1.2.3.1");
	assert_int_equal(counts(f).documents[DOC_QUEUED], 2);
}

static void another_that_is_being_sent_is_waited_for(void **state)
{
	struct fixture *f = *state;
	const struct fork fork = fork_comes(f);
	const struct store_outcome later = outcome(f, fork.other, DOC_QUEUED);

	assert_true(is_due(f, fork.other));
	retry(f, fork.third);
	assert_false(is_due(f, fork.second));
	settle(f, &later);
	deliver_after(f, fork.second, "1.2.3.1");
	assert_int_equal(counts(f).documents[DOC_QUEUED], 2);
}

/* The one that names it has the older row and the older turn. */
static void what_is_needed_is_not_passed_when_it_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct ulid second, third;
	struct store_outcome later;

	deliver_first(f);
	third = come(f, "1.2.3.3", "1.2.3.2", OTHER).doc;
	end(f, third, DOC_REJECTED);
	second = come(f, "1.2.3.2", "1.2.3.1", SAME).doc;
	retry(f, third);
	assert_true(is_due(f, second));
	later = outcome(f, second, DOC_QUEUED);
	settle(f, &later);
	assert_int_equal(last_of(f, third).state, DOC_HELD);
	deliver_after(f, second, "1.2.3.1");
	deliver_after(f, third, "1.2.3.2");
}

static void one_that_changes_nothing_either_needs_nothing(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	struct store_receipt third;

	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = come(f, "1.2.3.3", "1.2.3.2", SAME);
	assert_suppressed(third);
	assert_note(f, third.doc, "received", first);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 2);
}

static void all_that_it_names_through_others_go_in_order(void **state)
{
	enum { LENGTH = 1000 };
	struct fixture *f = *state;
	struct store_due due[2];
	char before[32], last[32];
	struct ulid third;
	int64_t next_ms;

	deliver_first(f);
	come_again(f, LENGTH, last);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], LENGTH);
	third = come(f, "1.2.4", last, OTHER).doc;
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 0);
	for (int i = 1; i <= LENGTH; i++) {
		struct store_outcome delivered;

		assert_int_equal(claim(f, 2, due, &next_ms), 1);
		snprintf(before, sizeof(before), "1.2.3.%d", i);
		assert_target(f, due[0].doc, before);
		delivered = outcome(f, due[0].doc, DOC_DELIVERED);
		settle(f, &delivered);
	}
	deliver_after(f, third, last);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 0);
	assert_whole(f);
}

/* One transaction does not bring thousands of them back. */
static void more_of_them_stay(void **state)
{
	struct fixture *f = *state;
	char last[32];
	struct store_receipt third;

	deliver_first(f);
	come_again(f, 1001, last);
	third = come(f, "1.2.4", last, OTHER);
	assert_int_equal(third.state, DOC_QUEUED);
	assert_target(f, third.doc, "1.2.3.1");
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 1001);
}

static void purge_all(struct fixture *f)
{
	size_t count;

	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 2);
}

static void delete_second(struct fixture *f)
{
	end(f, delete_one(f, "1.2.3.2").doc, DOC_DELIVERED);
}

static void delete_the_first(struct fixture *f)
{
	end(f, delete_one(f, "1.2.3.1").doc, DOC_DELIVERED);
}

static void oppose_second(struct fixture *f)
{
	note_choice(f, STORE_OPPOSED);
}

/* It goes as if it replaced what the DMP has. */
static void one_that_cannot_go_any_more_stays(void **state)
{
	static const struct {
		const char *name;
		void (*happens)(struct fixture *f);
	} rows[] = {
		{ "its body is gone", purge_all },
		{ "its source deleted it", delete_second },
		{ "its source deleted what it replaces", delete_the_first },
		{ "its patient opposes it", oppose_second },
	};

	for (size_t i = 0; i < length_of(rows); i++) {
		struct store_arrival second;
		struct store_receipt third;
		struct fixture *f;

		set_up((void **)&f);
		deliver_first(f);
		second = version(f, "1.2.3.2", "1.2.3.1", SAME);
		second.ins = "279035121518989";
		second.ins_oid = "1.2.250.1.213.1.4.10";
		assert_suppressed(take_in(f, &second));
		rows[i].happens(f);
		third = come(f, "1.2.3.3", "1.2.3.2", OTHER);
		if (third.state != DOC_QUEUED || last_of(f, second.doc).state != DOC_SUPPRESSED)
			fail_msg("%s", rows[i].name);
		assert_target(f, third.doc, "1.2.3.1");
		tear_down((void **)&f);
	}
	(void)state;
}

static void its_deletion_needs_nothing_else(void **state)
{
	struct fixture *f = *state;
	const struct three three = three_come(f);
	const struct store_receipt last = delete_one(f, "1.2.3.2");

	/* what it deletes goes now, so that is what it waits for and deletes */
	assert_waits(last);
	deliver_after(f, three.second, "1.2.3.1");
	deliver_after(f, three.third, "1.2.3.2");
	deliver_after(f, last.doc, "1.2.3.2");
}

static void it_goes_though_it_was_opposed_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct store_arrival second = version(f, "1.2.3.2", "1.2.3.1", SAME);
	struct store_arrival third = version(f, "1.2.3.3", "1.2.3.2", OTHER);

	second.ins = third.ins = "279035121518989";
	second.ins_oid = third.ins_oid = "1.2.250.1.213.1.4.10";
	deliver_first(f);
	take_in(f, &second);
	take_in(f, &third);
	assert_int_equal(note_choice(f, STORE_OPPOSED).refused, 2);
	assert_int_equal(note_choice(f, STORE_NOT_OPPOSED).released, 2);
	deliver_after(f, second.doc, "1.2.3.1");
	deliver_after(f, third.doc, "1.2.3.2");
}

/* ---- when the next one goes ---- */

static struct ulid held_third(struct fixture *f, enum doc_state state, enum reason reason)
{
	struct store_arrival third;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = version(f, "1.2.3.3", "1.2.3.2", OTHER);
	third.state = state;
	third.reason = reason;
	assert_int_equal(take_in(f, &third).state, state);
	return third.doc;
}

/* One that is held may never go: what it names is not sent before. */
static void what_is_held_needs_nothing_until_it_is_released(void **state)
{
	struct fixture *f = *state;
	const struct ulid third = held_third(f, DOC_HELD, REASON_MANUAL_HOLD);
	struct store_ordered ordered;

	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 1);
	ordered = release(f, third, false);
	assert_int_equal(ordered.to, DOC_HELD);
	assert_int_equal(ordered.reason, REASON_WAITING_PREDECESSOR);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 0);
	assert_false(is_due(f, third)); /* the second is */
	assert_whole(f);
}

static void what_is_tried_again_needs_it_too(void **state)
{
	struct fixture *f = *state;
	const struct ulid third = held_third(f, DOC_REJECTED, REASON_DMP_ERROR);
	const struct store_order again = {
		.doc = third, .order = ORDER_RETRY, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &again, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(ordered.to, DOC_HELD);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 0);
	assert_false(is_due(f, third));
}

/* ---- who waits for an answer ---- */

/* The first end is what its source was told of. */
static void its_source_hears_once(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	const struct ulid second = come(f, "1.2.3.2", "1.2.3.1", SAME).doc;
	const struct store_ack_request request = { .source = "DPI",
						   .origin = "A0002",
						   .header = slice_of("MSH|"),
						   .control_id = "Z1",
						   .docs = { second },
						   .doc_count = 1,
						   .now_ms = f->now_ms };
	struct store_ack_outcome told = { .now_ms = f->now_ms, .told = true };
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;
	int got = 0;

	(void)first;
	ok(store_begin(f->store, &err));
	ok(store_want_ack(f->store, &request, &err));
	ok(got = store_next_ack(f->store, "DPI", f->now_ms, 1000, &arena, &ack, &wait_ms, &err));
	assert_int_equal(got, 1);
	told.number = ack.number;
	ok(store_settle_ack(f->store, &told, &err));
	ok(store_commit(f->store, &err));
	come(f, "1.2.3.3", "1.2.3.2", OTHER);
	end(f, second, DOC_DELIVERED);
	ok(got = store_next_ack(f->store, "DPI", f->now_ms, 1000, &arena, &ack, &wait_ms, &err));
	assert_int_equal(got, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(one_that_is_waited_for_goes),
		test(what_the_next_one_names_goes_first),
		test(what_goes_after_all_is_counted_and_told),
		test(what_is_taken_back_leaves_it_where_it_was),
		test(another_that_came_after_it_waits),
		test(another_that_is_being_sent_is_waited_for),
		test(what_is_needed_is_not_passed_when_it_is_tried_again),
		test(one_that_changes_nothing_either_needs_nothing),
		test(all_that_it_names_through_others_go_in_order),
		test(more_of_them_stay),
		test(one_that_cannot_go_any_more_stays),
		test(its_deletion_needs_nothing_else),
		test(it_goes_though_it_was_opposed_meanwhile),
		test(what_is_held_needs_nothing_until_it_is_released),
		test(what_is_tried_again_needs_it_too),
		test(its_source_hears_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
