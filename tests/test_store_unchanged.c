/* A new version that changes nothing is not sent: when it is known to be one, and what it stands for. */
#include "store_versions.h"

/* ---- when it comes ---- */

static void a_version_that_changes_nothing_ends_at_once(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);

	assert_suppressed(next);
	assert_note(f, next.doc, "received", first);
	assert_false(is_due(f, next.doc));
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], 1);
	assert_whole(f);
}

static void its_deletion_deletes_what_the_dmp_has(void **state)
{
	struct fixture *f = *state;
	struct store_receipt last;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	last = delete_one(f, "1.2.3.2");
	assert_int_equal(last.state, DOC_QUEUED);
	assert_target(f, last.doc, "1.2.3.1");
	end(f, last.doc, DOC_DELIVERED);
}

/* What speaks against it, one at a time: the version goes as any other. */
static void what_may_be_a_change_is_sent(void **state)
{
	static const struct {
		const char *name;
		const char *first, *next; /* what they say */
		enum doc_state ended;
		bool deleted, replaced;
		const char *lane;
	} rows[] = {
		{ "another content", SAME, OTHER, DOC_DELIVERED, false, false, lane },
		{ "the first is from before", NULL, SAME, DOC_DELIVERED, false, false, lane },
		{ "nothing is known", NULL, NULL, DOC_DELIVERED, false, false, lane },
		{ "the first was rejected", SAME, SAME, DOC_REJECTED, false, false, lane },
		{ "the first was refused", SAME, SAME, DOC_REFUSED, false, false, lane },
		{ "the first was deleted", SAME, SAME, DOC_DELIVERED, true, false, lane },
		{ "another replaced it", SAME, SAME, DOC_DELIVERED, false, true, lane },
		{ "another way", SAME, SAME, DOC_DELIVERED, false, false, "990000001" },
	};
	struct fixture *f = *state;
	char one[16], two[16], three[16];

	for (size_t i = 0; i < length_of(rows); i++) {
		struct store_arrival next;
		struct store_receipt receipt;

		snprintf(one, sizeof(one), "1.2.%zu.1", i + 3);
		snprintf(two, sizeof(two), "1.2.%zu.2", i + 3);
		snprintf(three, sizeof(three), "1.2.%zu.3", i + 3);
		end(f, come(f, one, NULL, rows[i].first).doc, rows[i].ended);
		if (rows[i].deleted)
			end(f, delete_one(f, one).doc, DOC_DELIVERED);
		if (rows[i].replaced)
			end(f, come(f, two, one, OTHER).doc, DOC_DELIVERED);
		next = version(f, three, one, rows[i].next);
		next.lane = rows[i].lane;
		receipt = take_in(f, &next);
		if (receipt.state != DOC_QUEUED)
			fail_msg("%s", rows[i].name);
		assert_target(f, receipt.doc, one);
		if (strcmp(next.lane, lane) == 0)
			end(f, receipt.doc, DOC_DELIVERED);
	}
}

static void what_the_store_never_had_says_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(come(f, "1.2.3.2", "1.2.3.1", SAME).state, DOC_QUEUED);
}

static void a_new_document_or_a_deletion_is_never_one(void **state)
{
	struct fixture *f = *state;
	struct store_arrival last;

	deliver_first(f);
	assert_int_equal(come(f, "1.2.3.2", NULL, SAME).state, DOC_QUEUED);
	last = arrival(f, "1.2.3.1", "1.2.3.1");
	last.action = "delete";
	last.follows = "1.2.3.1";
	last.content = said(SAME);
	assert_int_equal(take_in(f, &last).state, DOC_QUEUED);
}

/* Purged is the body, not what it said. */
static void what_was_purged_is_remembered(void **state)
{
	struct fixture *f = *state;
	size_t count;

	deliver_first(f);
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 1);
	assert_suppressed(come(f, "1.2.3.2", "1.2.3.1", SAME));
}

static void the_same_again_is_known(void **state)
{
	struct fixture *f = *state;
	struct store_receipt again;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	again = come(f, "1.2.3.2", "1.2.3.1", SAME);
	assert_int_equal(again.taken, STORE_KNOWN);
	assert_int_equal(again.state, DOC_SUPPRESSED);
	assert_int_equal(again.reason, REASON_UNCHANGED);
}

/* ---- when it has waited ---- */

static void one_that_waited_ends_with_the_delivery(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);
	const struct store_outcome delivered = outcome(f, first, DOC_DELIVERED);
	struct store_moves moves;

	assert_int_equal(next.reason, REASON_WAITING_PREDECESSOR);
	assert_true(is_due(f, first));
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_settle(f->store, &delivered, &err));
	moves = store_moves(f->store);
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(moves.change[DOC_HELD], -1);
	assert_int_equal(moves.change[DOC_SUPPRESSED], 1);
	assert_false(moves.woke);
	assert_note(f, next.doc, "released", first);
	assert_whole(f);
}

static void one_that_waited_for_what_was_not_delivered_is_sent(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);

	end(f, first, DOC_REJECTED);
	assert_true(is_due(f, next.doc));
}

/* Ten thousand of them while the lane is stopped: no stack overflows. */
static void a_long_chain_ends_at_once(void **state)
{
	enum { LENGTH = 10000 };
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	char last[32];

	come_again(f, LENGTH, last);
	end(f, first, DOC_DELIVERED);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], LENGTH);
	assert_whole(f);
}

static void a_deletion_that_waited_for_it_deletes_what_the_dmp_has(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);
	const struct store_receipt last = delete_one(f, "1.2.3.2");

	end(f, first, DOC_DELIVERED);
	assert_note(f, next.doc, "released", first);
	assert_target(f, last.doc, "1.2.3.1");
	assert_true(is_due(f, last.doc));
}

/* ---- when it is let go ---- */

static struct store_arrival held(struct fixture *f, enum reason reason, int64_t release_ms)
{
	struct store_arrival next = version(f, "1.2.3.2", "1.2.3.1", SAME);

	next.state = DOC_HELD;
	next.reason = reason;
	next.release_ms = release_ms;
	return next;
}

static void one_that_a_person_releases_need_not_go(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	const struct store_arrival next = held(f, REASON_MANUAL_HOLD, 0);
	struct store_ordered ordered;

	assert_int_equal(take_in(f, &next).state, DOC_HELD);
	ordered = release(f, next.doc, false);
	assert_int_equal(ordered.to, DOC_SUPPRESSED);
	assert_int_equal(ordered.reason, REASON_UNCHANGED);
	assert_note(f, next.doc, "released", first);
	assert_string_equal(last_of(f, next.doc).actor, "anne");
	assert_whole(f);
}

/* Of two that are held, the second waits for the first, however that ends. */
static void what_waits_for_one_that_is_released_wakes(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival next = held(f, REASON_MANUAL_HOLD, 0);
	struct store_receipt last;

	deliver_first(f);
	take_in(f, &next);
	last = come(f, "1.2.3.3", "1.2.3.1", OTHER);
	assert_int_equal(last.reason, REASON_WAITING_PREDECESSOR);
	assert_int_equal(release(f, next.doc, false).to, DOC_SUPPRESSED);
	assert_true(is_due(f, last.doc));
}

static void force_sends_it(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival next = held(f, REASON_MANUAL_HOLD, 0);

	deliver_first(f);
	take_in(f, &next);
	assert_int_equal(release(f, next.doc, true).to, DOC_QUEUED);
	assert_true(is_due(f, next.doc));
}

static void one_whose_time_has_come_need_not_go(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	const struct store_arrival next = held(f, REASON_POLICY_HOLD, f->now_ms + 1000);
	size_t count;

	take_in(f, &next);
	ok(store_begin(f->store, &err));
	ok(store_release_due(f->store, f->now_ms + 1000, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 1);
	assert_note(f, next.doc, "released", first);
	assert_whole(f);
}

static void one_that_is_not_opposed_any_more_need_not_go(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	struct store_arrival next = version(f, "1.2.3.2", "1.2.3.1", SAME);

	next.ins = "279035121518989";
	next.ins_oid = "1.2.250.1.213.1.4.10";
	note_choice(f, STORE_OPPOSED);
	assert_int_equal(take_in(f, &next).state, DOC_REFUSED);
	assert_int_equal(note_choice(f, STORE_NOT_OPPOSED).released, 1);
	assert_note(f, next.doc, "released", first);
	assert_whole(f);
}

/* ---- who waits for an answer ---- */

static void its_source_hears_that_all_is_well(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct store_receipt next = come(f, "1.2.3.2", "1.2.3.1", SAME);
	const struct store_ack_request request = { .source = "DPI",
						   .origin = "A0002",
						   .header = slice_of("MSH|"),
						   .control_id = "Z1",
						   .docs = { next.doc },
						   .doc_count = 1,
						   .now_ms = f->now_ms };
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;
	int got = 0;

	ok(store_begin(f->store, &err));
	ok(store_want_ack(f->store, &request, &err));
	ok(store_commit(f->store, &err));
	end(f, first, DOC_DELIVERED);
	ok(got = store_next_ack(f->store, "DPI", f->now_ms, 1000, &arena, &ack, &wait_ms, &err));
	assert_int_equal(got, 1);
	assert_true(ack.positive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_version_that_changes_nothing_ends_at_once),
		test(its_deletion_deletes_what_the_dmp_has),
		test(what_may_be_a_change_is_sent),
		test(what_the_store_never_had_says_nothing),
		test(a_new_document_or_a_deletion_is_never_one),
		test(what_was_purged_is_remembered),
		test(the_same_again_is_known),
		test(one_that_waited_ends_with_the_delivery),
		test(one_that_waited_for_what_was_not_delivered_is_sent),
		test(a_long_chain_ends_at_once),
		test(a_deletion_that_waited_for_it_deletes_what_the_dmp_has),
		test(one_that_a_person_releases_need_not_go),
		test(what_waits_for_one_that_is_released_wakes),
		test(force_sends_it),
		test(one_whose_time_has_come_need_not_go),
		test(one_that_is_not_opposed_any_more_need_not_go),
		test(its_source_hears_that_all_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
