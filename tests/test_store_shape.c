/* What operators look at: the backlog by lane, type and age, and the ledger as it grows. */
#include "store_fixture.h"

static const int64_t until_ms[STORE_AGES] = { 1000,  2000,  4000,   8000,  16000,
					      32000, 64000, 128000, 256000 };

static void add_heap(void *arg, const struct store_heap *heap)
{
	buf_addf(arg, "%s %s %zu: %llu\n", heap->lane, heap->type_code, heap->age,
		 (unsigned long long)heap->documents);
}

/* A document of a type, so many milliseconds before now. */
static void wait_since(struct fixture *f, const char *unique_id, const char *type, int64_t age_ms,
		       enum doc_state as)
{
	struct store_arrival one = arrival(f, unique_id, "body");

	one.type_code = type;
	one.now_ms = f->now_ms - age_ms;
	one.state = as;
	one.reason = as == DOC_HELD ? REASON_POLICY_HOLD : REASON_NONE;
	take_in(f, &one);
}

static void the_backlog_is_told_by_type_and_age(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };

	wait_since(f, "1.2.1", "11490-0", 0, DOC_QUEUED);
	wait_since(f, "1.2.2", "11490-0", 999, DOC_HELD);
	wait_since(f, "1.2.3", "11490-0", 1000, DOC_QUEUED);
	wait_since(f, "1.2.4", "11490-0", 255999, DOC_QUEUED);
	wait_since(f, "1.2.5", "11502-2", 256000, DOC_QUEUED);
	wait_since(f, "1.2.6", "11502-2", 999999, DOC_CANCELLED); /* waits for nothing */
	ok(store_shape(f->store, f->now_ms, until_ms, add_heap, &told, &err));
	assert_string_equal(told.p, "990000987 11490-0 0: 2\n"
				    "990000987 11490-0 1: 1\n"
				    "990000987 11490-0 8: 1\n"
				    "990000987 11502-2 9: 1\n");
}

static void an_empty_store_has_no_backlog_and_no_newest_row(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };
	uint64_t newest = 99;

	ok(store_shape(f->store, f->now_ms, until_ms, add_heap, &told, &err));
	assert_int_equal(told.n, 0);
	ok(store_newest(f->store, &newest, &err));
	assert_int_equal(newest, 0);
}

static void add_happening(void *arg, const struct store_happening *happening)
{
	char doc[ULID_TEXT];

	buf_addf(arg, "%llu %s %s %s %s\n", (unsigned long long)happening->event.number,
		 ulid_text(&happening->doc, doc), happening->site, happening->event.what,
		 doc_state_text(happening->event.state));
}

static void the_ledger_is_followed_from_a_row_on(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 }, expected = { 0 };
	struct ulid doc;
	uint64_t newest;
	char text[ULID_TEXT];

	queue_one(f, "1.2.1");
	ok(store_newest(f->store, &newest, &err));
	doc = queue_one(f, "1.2.2");
	queue_one(f, "1.2.3");
	ok(store_happenings(f->store, newest, NULL, 1, add_happening, &told, &err));
	buf_addf(&expected, "%llu %s 990012345 received queued\n", (unsigned long long)newest + 1,
		 ulid_text(&doc, text));
	assert_string_equal(told.p, expected.p);
}

static void one_site_alone_can_be_followed(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf told = { 0 };
	struct store_arrival other = arrival(f, "1.2.2", "body");

	queue_one(f, "1.2.1");
	other.site = "2A0000012";
	take_in(f, &other);
	ok(store_happenings(f->store, 0, "2A0000012", 10, add_happening, &told, &err));
	assert_non_null(strstr(told.p, " 2A0000012 received queued\n"));
	assert_null(strstr(told.p, "990012345"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_backlog_is_told_by_type_and_age, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_empty_store_has_no_backlog_and_no_newest_row,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_ledger_is_followed_from_a_row_on, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_site_alone_can_be_followed, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store_shape", tests, NULL, NULL);
}
