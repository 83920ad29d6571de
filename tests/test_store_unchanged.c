/* A new version that changes nothing is not sent: when it is known to be one, and what it stands for. */
#include "store_fixture.h"

#define SAME "the same 32 bytes, whatever it is"
#define OTHER "and 32 bytes that are no such thing"

static struct slice said(const char *content)
{
	return (struct slice){ content, SHA256_BYTES };
}

static struct store_arrival version(struct fixture *f, const char *unique_id, const char *of,
				    const char *content)
{
	struct store_arrival next = arrival(f, unique_id, unique_id);

	next.action = of ? "replace" : "submit";
	next.follows = of ? of : "";
	if (content != NULL)
		next.content = said(content);
	return next;
}

static struct store_receipt come(struct fixture *f, const char *unique_id, const char *of,
				 const char *content)
{
	const struct store_arrival next = version(f, unique_id, of, content);

	return take_in(f, &next);
}

static struct store_receipt delete_one(struct fixture *f, const char *unique_id)
{
	struct store_arrival last = arrival(f, unique_id, unique_id);

	last.action = "delete";
	last.follows = unique_id;
	return take_in(f, &last);
}

/* Takes what is due, which is that document, if any. */
static bool is_due(struct fixture *f, struct ulid doc)
{
	struct store_due due[4];
	int64_t next_ms;
	size_t count = claim(f, 4, due, &next_ms);

	assert_in_range(count, 0, 1);
	return count == 1 && memcmp(&due[0].doc, &doc, sizeof(doc)) == 0;
}

static void end(struct fixture *f, struct ulid doc, enum doc_state state)
{
	const struct store_outcome ended = outcome(f, doc, state);

	assert_true(is_due(f, doc));
	settle(f, &ended);
}

/* "1.2.3.1", which the DMP has. */
static struct ulid deliver_first(struct fixture *f)
{
	const struct ulid doc = come(f, "1.2.3.1", NULL, SAME).doc;

	end(f, doc, DOC_DELIVERED);
	return doc;
}

static void assert_suppressed(struct store_receipt receipt)
{
	assert_int_equal(receipt.taken, STORE_NEW);
	assert_int_equal(receipt.state, DOC_SUPPRESSED);
	assert_int_equal(receipt.reason, REASON_UNCHANGED);
}

static void assert_target(struct fixture *f, struct ulid doc, const char *unique_id)
{
	scoped(buf_done) struct buf target = { 0 };

	ok(store_target(f->store, &doc, &target, &err));
	assert_true(slice_is(buf_slice(&target), unique_id));
}

/* The last that happened to a document. */
struct last {
	enum doc_state state;
	enum reason reason;
	char what[32], note[ULID_TEXT], actor[16];
};

static void ignore_row(void *arg, const struct store_row *row)
{
	(void)arg, (void)row;
}

static void note_event(void *arg, const struct store_event *event)
{
	struct last *last = arg;

	last->state = event->state;
	last->reason = event->reason;
	snprintf(last->what, sizeof(last->what), "%s", event->what);
	snprintf(last->note, sizeof(last->note), "%s", event->note);
	snprintf(last->actor, sizeof(last->actor), "%s", event->actor);
}

static struct last last_of(struct fixture *f, struct ulid doc)
{
	struct last last = { 0 };

	ok(store_show(f->store, &doc, ignore_row, note_event, &last, &err));
	return last;
}

static void assert_note(struct fixture *f, struct ulid doc, const char *what, struct ulid of)
{
	const struct last last = last_of(f, doc);
	char id[ULID_TEXT];

	assert_int_equal(last.state, DOC_SUPPRESSED);
	assert_int_equal(last.reason, REASON_UNCHANGED);
	assert_string_equal(last.what, what);
	assert_string_equal(last.note, ulid_text(&of, id));
}

static void assert_whole(struct fixture *f)
{
	struct store_audit audit;

	ok(store_verify(f->store, NULL, NULL, &audit, &err));
	assert_int_equal(audit.faults, 0);
}

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

static void the_next_one_is_sent_after_what_the_dmp_has(void **state)
{
	struct fixture *f = *state;
	struct store_receipt third;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = come(f, "1.2.3.3", "1.2.3.2", OTHER);
	assert_int_equal(third.state, DOC_QUEUED);
	assert_target(f, third.doc, "1.2.3.1");
	end(f, third.doc, DOC_DELIVERED);
}

static void one_hop_leads_to_what_the_dmp_has(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	struct store_receipt third, last;

	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = come(f, "1.2.3.3", "1.2.3.2", SAME);
	assert_suppressed(third);
	assert_note(f, third.doc, "received", first);
	last = come(f, "1.2.3.4", "1.2.3.3", OTHER);
	assert_target(f, last.doc, "1.2.3.1");
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

static void what_it_stands_for_keeps_the_order(void **state)
{
	struct fixture *f = *state;
	struct store_receipt third, last;

	deliver_first(f);
	come(f, "1.2.3.2", "1.2.3.1", SAME);
	third = come(f, "1.2.3.3", "1.2.3.2", OTHER);
	last = delete_one(f, "1.2.3.1");
	assert_int_equal(last.reason, REASON_WAITING_PREDECESSOR);
	end(f, third.doc, DOC_DELIVERED);
	assert_true(is_due(f, last.doc));
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

/* Ten thousand of them while the lane is stopped: what waits behind them wakes, and no stack overflows. */
static void a_long_chain_ends_at_once(void **state)
{
	enum { LENGTH = 10000 };
	struct fixture *f = *state;
	const struct ulid first = come(f, "1.2.3.1", NULL, SAME).doc;
	char of[32] = "1.2.3.1", unique_id[32];
	struct store_receipt last;

	ok(store_begin(f->store, &err));
	for (int i = 2; i < LENGTH; i++) {
		struct store_arrival next;

		snprintf(unique_id, sizeof(unique_id), "1.2.3.%d", i);
		next = version(f, unique_id, of, SAME);
		ok(store_take_in(f->store, &next, &last, &err));
		snprintf(of, sizeof(of), "%s", unique_id);
	}
	ok(store_commit(f->store, &err));
	last = come(f, "1.2.4", of, OTHER);
	assert_int_equal(last.reason, REASON_WAITING_PREDECESSOR);
	end(f, first, DOC_DELIVERED);
	assert_int_equal(counts(f).documents[DOC_SUPPRESSED], LENGTH - 2);
	assert_target(f, last.doc, "1.2.3.1");
	assert_true(is_due(f, last.doc));
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

static struct store_ordered release(struct fixture *f, struct ulid doc, bool force)
{
	const struct store_order its = { .doc = doc,
					 .order = ORDER_RELEASE,
					 .force = force,
					 .actor = "anne",
					 .now_ms = f->now_ms };
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	return ordered;
}

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
		test(the_next_one_is_sent_after_what_the_dmp_has),
		test(one_hop_leads_to_what_the_dmp_has),
		test(its_deletion_deletes_what_the_dmp_has),
		test(what_it_stands_for_keeps_the_order),
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
		test(its_source_hears_that_all_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
