/* What people order of documents, and what it leaves in the queue and in the ledger. */
#include "store_fixture.h"

static struct store_ordered order(struct fixture *f, struct ulid doc, enum order order,
				  struct store_moves *ret_moves)
{
	const struct store_order its = {
		.doc = doc,
		.order = order,
		.actor = "root (0)",
		.now_ms = f->now_ms,
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	if (ret_moves != NULL)
		*ret_moves = store_moves(f->store);
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	return ordered;
}

static struct ulid rejected_one(struct fixture *f, const char *unique_id)
{
	const struct ulid doc = queue_one(f, unique_id);
	struct store_outcome rejected = outcome(f, doc, DOC_REJECTED);
	struct store_due due[1];
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	rejected.reason = REASON_DMP_ERROR;
	settle(f, &rejected);
	return doc;
}

static void a_held_document_waits_until_it_is_released(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_due due[1];
	int64_t next_ms;

	assert_null(order(f, doc, ORDER_HOLD, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 0);
	f->now_ms += 1000;
	assert_null(order(f, doc, ORDER_RELEASE, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_true(due[0].since_ms == f->now_ms);
}

static void a_rejected_document_is_tried_again_under_the_same_id(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = rejected_one(f, "1.2.3.1");
	struct store_due due[1];
	int64_t next_ms;

	assert_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_memory_equal(&due[0].doc, &doc, sizeof(doc));
	assert_int_equal(due[0].attempt, 1); /* it has all its attempts again */
}

/* Nor by an order that reaches it by its reason: its deletion has been there, and found nothing to delete. */
static void what_was_deleted_since_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = rejected_one(f, "1.2.3.1");
	struct store_arrival deletion = arrival(f, "1.2.3.1", "body");
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	deletion.action = "delete";
	deletion.follows = "1.2.3.1";
	take_in(f, &deletion);
	assert_non_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ended = outcome(f, due[0].doc, DOC_REJECTED);
	ended.reason = REASON_PREDECESSOR_UNKNOWN;
	settle(f, &ended);
	assert_non_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	assert_null(order(f, due[0].doc, ORDER_RETRY, NULL).refusal); /* the deletion may */
}

static struct store_receipt comes(struct fixture *f, const char *action)
{
	struct store_arrival its = arrival(f, "1.2.3.1", "body");

	its.action = action;
	its.follows = strcmp(action, "delete") == 0 ? "1.2.3.1" : NULL;
	return take_in(f, &its);
}

static void its_source_may_say_so_again(void **state)
{
	struct fixture *f = *state;
	struct store_due due[1];
	struct store_outcome ended;
	struct ulid doc;
	int64_t next_ms;

	comes(f, "submit");
	comes(f, "delete"); /* it never left */
	doc = comes(f, "submit").doc;
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ended = outcome(f, doc, DOC_REJECTED);
	ended.reason = REASON_DMP_ERROR;
	settle(f, &ended);
	assert_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	settle(f, &ended);
	assert_int_equal(comes(f, "delete").taken, STORE_KNOWN);
	assert_non_null(order(f, doc, ORDER_RETRY, NULL).refusal);
}

static void what_came_after_its_deletion_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct store_arrival deletion = arrival(f, "1.2.3.1", "body");
	struct store_due due[1];
	struct store_outcome ended;
	int64_t next_ms;

	deletion.action = "delete";
	deletion.follows = "1.2.3.1";
	take_in(f, &deletion);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ended = outcome(f, due[0].doc, DOC_REJECTED);
	ended.reason = REASON_PREDECESSOR_UNKNOWN;
	settle(f, &ended);
	assert_null(order(f, rejected_one(f, "1.2.3.1"), ORDER_RETRY, NULL).refusal);
}

static void what_waits_to_be_tried_again_is_tried_now(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_outcome later = outcome(f, doc, DOC_QUEUED);
	struct store_due due[1];
	int64_t next_ms;

	claim(f, 1, due, &next_ms);
	later.next_attempt_ms = f->now_ms + 3600000;
	later.doubtful = true;
	settle(f, &later);
	assert_int_equal(claim(f, 1, due, &next_ms), 0);
	assert_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_true(due[0].doubtful);
}

static void a_cancelled_document_is_not_sent(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_ordered ordered = order(f, doc, ORDER_CANCEL, NULL);
	struct store_due due[1];
	int64_t next_ms;

	assert_null(ordered.refusal);
	assert_int_equal(ordered.from, DOC_QUEUED);
	assert_int_equal(ordered.to, DOC_CANCELLED);
	assert_int_equal(ordered.reason, REASON_WITHDRAWN);
	assert_int_equal(claim(f, 1, due, &next_ms), 0);
}

static void a_refused_order_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_moves moves;
	struct store_due due[1];
	int64_t next_ms;

	claim(f, 1, due, &next_ms);
	assert_non_null(order(f, doc, ORDER_CANCEL, &moves).refusal);
	assert_int_equal(moves.change[DOC_CANCELLED], 0);
	assert_int_equal(counts(f).documents[DOC_SENDING], 1);
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct store_order its = { .doc = queue_one(f, "1.2.3.1"),
					 .order = ORDER_HOLD,
					 .dry_run = true,
					 .now_ms = f->now_ms };
	struct store_ordered ordered;
	struct store *reader = NULL;

	ok(store_open_reader(&reader, &f->settings, &err));
	ok(store_order(reader, &its, &ordered, &err));
	store_free(&reader);
	assert_true(ordered.found);
	assert_null(ordered.refusal);
	assert_int_equal(ordered.to, DOC_HELD);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
}

static void nobody_is_not_found(void **state)
{
	struct fixture *f = *state;

	assert_false(order(f, ulid_new(f->now_ms), ORDER_HOLD, NULL).found);
}

struct found {
	struct ulid docs[8];
	size_t count;
};

static void settle_again(struct fixture *f, struct ulid doc, const char *code, enum reason reason)
{
	struct store_outcome again = outcome(f, doc, DOC_QUEUED);
	struct store_due due[1];
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	again.code = code;
	again.reason = reason;
	again.attempt_counts = reason != REASON_LANE_STOPPED;
	settle(f, &again);
}

static unsigned count_alike(struct fixture *f, struct ulid doc, const char *code)
{
	unsigned count;

	ok(store_count_alike(f->store, &doc, code, &count, &err));
	return count;
}

/* What another code came to does not count, nor what stopped the lane. */
static void attempts_that_ended_alike_are_counted_until_it_is_tried_anew(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");

	assert_int_equal(count_alike(f, doc, "A"), 0);
	settle_again(f, doc, "A", REASON_RETRYING);
	settle_again(f, doc, "B", REASON_RETRYING);
	settle_again(f, doc, "A", REASON_DOUBTFUL);
	settle_again(f, doc, "A", REASON_LANE_STOPPED);
	assert_int_equal(count_alike(f, doc, "A"), 2);
	assert_int_equal(count_alike(f, doc, "B"), 1);
	assert_int_equal(count_alike(f, doc, "C"), 0);
	assert_null(order(f, doc, ORDER_RETRY, NULL).refusal);
	settle_again(f, doc, "A", REASON_RETRYING);
	assert_int_equal(count_alike(f, doc, "A"), 1);
	assert_int_equal(count_alike(f, ulid_new(f->now_ms), "A"), 0);
}

static void note_row(void *arg, const struct store_row *row)
{
	struct found *found = arg;

	found->docs[found->count++] = row->doc;
}

static uint64_t reach(struct fixture *f, struct store_orderable orderable, struct found *found)
{
	uint64_t more = 0;

	*found = (struct found){ 0 };
	orderable.reason = "dmp_error";
	ok(store_list_orderable(f->store, &orderable, note_row, found, &more, &err));
	return more;
}

/* What is held is released, the rest tried again; what ended otherwise, or has no body, is not reached. */
static void a_reason_reaches_what_an_order_may_move(void **state)
{
	static const enum doc_state states[] = { DOC_HELD,     DOC_QUEUED,    DOC_REFUSED,
						 DOC_REJECTED, DOC_CANCELLED, DOC_SUPPRESSED };
	struct fixture *f = *state;
	struct ulid docs[length_of(states)];
	struct found found;
	char unique_id[16];
	size_t purged;

	for (size_t i = 0; i < length_of(states); i++) {
		struct store_arrival one;

		snprintf(unique_id, sizeof(unique_id), "1.2.3.%zu", i);
		one = arrival(f, unique_id, "body");
		one.state = states[i];
		one.reason = REASON_DMP_ERROR;
		docs[i] = take_in(f, &one).doc;
		f->now_ms += 1000;
	}
	assert_int_equal(reach(f, (struct store_orderable){ .is_held = true, .limit = 8 }, &found),
			 0);
	assert_int_equal(found.count, 1);
	assert_memory_equal(found.docs, docs, sizeof(docs[0]));
	assert_int_equal(reach(f, (struct store_orderable){ .limit = 2 }, &found), 1);
	assert_int_equal(found.count, 2);
	assert_memory_equal(found.docs, docs + 1, 2 * sizeof(docs[0]));
	assert_int_equal(reach(f, (struct store_orderable){ .limit = 2, .after = docs[2] }, &found),
			 0);
	assert_int_equal(found.count, 1);
	assert_memory_equal(found.docs, docs + 3, sizeof(docs[0]));
	assert_int_equal(reach(f, (struct store_orderable){ .limit = 8, .site = "x" }, &found), 0);
	assert_int_equal(found.count, 0);
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 8, &purged, &err));
	ok(store_commit(f->store, &err));
	reach(f, (struct store_orderable){ .limit = 8 }, &found);
	assert_int_equal(found.count, 1); /* the one that waits */
}

static void moves_tell_what_woke(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_moves moves;

	order(f, doc, ORDER_HOLD, &moves);
	assert_int_equal(moves.change[DOC_QUEUED], -1);
	assert_int_equal(moves.change[DOC_HELD], 1);
	assert_false(moves.woke);
	order(f, doc, ORDER_RELEASE, &moves);
	assert_int_equal(moves.change[DOC_QUEUED], 1);
	assert_true(moves.woke);
}

struct last {
	char what[24], actor[24];
	enum doc_state state;
	enum reason reason;
};

static void ignore_row(void *arg, const struct store_row *row)
{
	(void)arg;
	(void)row;
}

static void keep_last(void *arg, const struct store_event *event)
{
	struct last *last = arg;

	snprintf(last->what, sizeof(last->what), "%s", event->what);
	snprintf(last->actor, sizeof(last->actor), "%s", event->actor);
	last->state = event->state;
	last->reason = event->reason;
}

static void the_ledger_says_who_ordered_what(void **state)
{
	static const struct {
		enum order order;
		const char *what;
		enum doc_state state;
		enum reason reason;
	} cases[] = {
		{ ORDER_HOLD, "held", DOC_HELD, REASON_MANUAL_HOLD },
		{ ORDER_RELEASE, "released", DOC_QUEUED, REASON_NONE },
		{ ORDER_RETRY, "retried", DOC_QUEUED, REASON_NONE },
		{ ORDER_CANCEL, "cancelled", DOC_CANCELLED, REASON_WITHDRAWN },
	};
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");

	for (size_t i = 0; i < length_of(cases); i++) {
		struct last last = { 0 };

		order(f, doc, cases[i].order, NULL);
		ok(store_show(f->store, &doc, ignore_row, keep_last, &last, &err));
		assert_string_equal(last.what, cases[i].what);
		assert_string_equal(last.actor, "root (0)");
		assert_int_equal(last.state, cases[i].state);
		assert_int_equal(last.reason, cases[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_held_document_waits_until_it_is_released),
		test(a_rejected_document_is_tried_again_under_the_same_id),
		test(what_was_deleted_since_is_not_tried_again),
		test(its_source_may_say_so_again),
		test(what_came_after_its_deletion_is_tried_again),
		test(what_waits_to_be_tried_again_is_tried_now),
		test(a_cancelled_document_is_not_sent),
		test(a_refused_order_changes_nothing),
		test(a_dry_run_tells_and_changes_nothing),
		test(nobody_is_not_found),
		test(a_reason_reaches_what_an_order_may_move),
		test(attempts_that_ended_alike_are_counted_until_it_is_tried_anew),
		test(moves_tell_what_woke),
		test(the_ledger_says_who_ordered_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
