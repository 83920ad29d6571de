/* What waits for a person or an event, and for how long. */
#include "store_fixture.h"

enum { HOUR_MS = 3600000 };

static void add_waiting(void *arg, const struct store_waiting *waiting)
{
	buf_addf(arg, "%s %s %llu %lld\n", doc_state_text(waiting->state),
		 reason_row(waiting->reason)->code, (unsigned long long)waiting->documents,
		 (long long)waiting->oldest_ms / HOUR_MS);
}

static void hold(struct fixture *f, const char *unique_id, enum reason reason)
{
	struct store_arrival one = arrival(f, unique_id, "body");

	one.state = DOC_HELD;
	one.reason = reason;
	take_in(f, &one);
}

static struct ulid deliver(struct fixture *f, const char *unique_id, enum doc_state as,
			   enum reason reason, bool invisible)
{
	struct store_arrival one = arrival(f, unique_id, unique_id);
	struct store_outcome done;
	struct store_due due[1];
	int64_t next_ms;

	one.invisible = invisible;
	done = outcome(f, take_in(f, &one).doc, as);
	done.reason = reason;
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	settle(f, &done);
	return done.doc;
}

static void held_and_rejected_documents_are_told_by_reason(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };
	size_t purged = 0;

	f->now_ms = HOUR_MS;
	hold(f, "1.2.1", REASON_INS_NOT_QUALIFIED);
	deliver(f, "1.2.2", DOC_REJECTED, REASON_DMP_ERROR, false);
	f->now_ms = 2 * HOUR_MS;
	hold(f, "1.2.3", REASON_INS_NOT_QUALIFIED);
	hold(f, "1.2.4", REASON_POLICY_HOLD);
	deliver(f, "1.2.5", DOC_REJECTED, REASON_TOO_OLD, false);
	deliver(f, "1.2.6", DOC_DELIVERED, REASON_NONE, false);
	deliver(f, "1.2.7", DOC_REFUSED, REASON_DMP_ABSENT, false);
	/* what was rejected long ago, so that its body is gone, waits for nobody any more */
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, HOUR_MS, f->now_ms, 10, &purged, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(purged, 1);

	ok(store_count_waiting(f->store, add_waiting, &told, &err));
	assert_string_equal(told.p, "held ins_not_qualified 2 1\n"
				    "held policy_hold 1 2\n"
				    "rejected too_old 1 2\n");
}

static void add_waiting_of_site(void *arg, const struct store_waiting *waiting)
{
	buf_addf(arg, "%s %s %s %llu %lld\n", doc_state_text(waiting->state),
		 reason_row(waiting->reason)->code, waiting->site,
		 (unsigned long long)waiting->documents, (long long)waiting->oldest_ms / HOUR_MS);
}

static void hold_at(struct fixture *f, const char *unique_id, const char *site)
{
	struct store_arrival one = arrival(f, unique_id, "body");

	one.state = DOC_HELD;
	one.reason = REASON_POLICY_HOLD;
	one.site = site;
	take_in(f, &one);
}

static void what_waits_is_told_of_each_site_the_most_first(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };

	f->now_ms = HOUR_MS;
	hold_at(f, "1.2.1", "990000001");
	f->now_ms = 2 * HOUR_MS;
	hold_at(f, "1.2.2", "990000019");
	hold_at(f, "1.2.3", "990000019");
	hold_at(f, "1.2.4", "990000027");
	hold_at(f, "1.2.5", "990000027");
	hold_at(f, "1.2.6", "990000027");
	ok(store_count_waiting_by_site(f->store, 10, add_waiting_of_site, &told, &err));
	assert_string_equal(told.p, "held policy_hold 990000027 3 2\n"
				    "held policy_hold 990000019 2 2\n"
				    "held policy_hold 990000001 1 1\n");
	buf_clear(&told);
	ok(store_count_waiting_by_site(f->store, 1, add_waiting_of_site, &told, &err));
	assert_string_equal(told.p, "held policy_hold 990000027 3 2\n");
}

static void add_happened(void *arg, const struct store_happened *happened)
{
	buf_addf(arg, "%s %s %lld\n", happened->what, doc_state_text(happened->state),
		 (long long)happened->at_ms / HOUR_MS);
}

static void what_happened_is_told_from_the_newest_back(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };
	int64_t from_ms = 0;

	f->now_ms = HOUR_MS;
	hold(f, "1.2.1", REASON_POLICY_HOLD);
	f->now_ms = 2 * HOUR_MS;
	deliver(f, "1.2.2", DOC_DELIVERED, REASON_NONE, false);
	ok(store_history(f->store, 2 * HOUR_MS, 100, add_happened, &told, &from_ms, &err));
	assert_string_equal(told.p, "settled delivered 2\nclaimed sending 2\nreceived queued 2\n");
	assert_true(from_ms == 2 * HOUR_MS);

	/* as many as may be read, and since when that is all */
	buf_clear(&told);
	ok(store_history(f->store, 0, 2, add_happened, &told, &from_ms, &err));
	assert_string_equal(told.p, "settled delivered 2\nclaimed sending 2\n");
	assert_true(from_ms == 2 * HOUR_MS);
	ok(store_history(f->store, 0, 100, add_happened, &told, &from_ms, &err));
	assert_true(from_ms == 0);
}

static void nothing_waits_in_an_empty_store(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };
	int64_t oldest_ms = 0;

	ok(store_count_waiting(f->store, add_waiting, &told, &err));
	assert_int_equal(told.n, 0);
	ok(store_oldest_invisible(f->store, &oldest_ms, &err));
	assert_true(oldest_ms == INT64_MAX);
}

static void the_oldest_that_is_invisible_is_the_first_delivered(void **state)
{
	struct fixture *f = *state;
	int64_t oldest_ms = 0;

	f->now_ms = HOUR_MS;
	deliver(f, "1.2.1", DOC_DELIVERED, REASON_NONE, false);
	f->now_ms = 2 * HOUR_MS;
	deliver(f, "1.2.2", DOC_DELIVERED, REASON_NONE, true);
	f->now_ms = 3 * HOUR_MS;
	deliver(f, "1.2.3", DOC_DELIVERED, REASON_NONE, true);
	ok(store_oldest_invisible(f->store, &oldest_ms, &err));
	assert_int_equal(oldest_ms, 2 * HOUR_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(held_and_rejected_documents_are_told_by_reason),
		test(what_waits_is_told_of_each_site_the_most_first),
		test(what_happened_is_told_from_the_newest_back),
		test(nothing_waits_in_an_empty_store),
		test(the_oldest_that_is_invisible_is_the_first_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
