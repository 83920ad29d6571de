/* How many documents came from each source. */
#include "store_fixture.h"

static void come(struct fixture *f, const char *unique_id, const char *source, int64_t slot)
{
	struct store_arrival one = arrival(f, unique_id, unique_id);

	one.source = source;
	one.now_ms = slot * STORE_ARRIVAL_SLOT_MS + 1;
	take_in(f, &one);
}

static size_t note(struct fixture *f, int64_t slot, size_t most)
{
	size_t count = 99;

	ok(store_begin(f->store, &err));
	ok(store_note_arrivals(f->store, slot * STORE_ARRIVAL_SLOT_MS, most, &count, &err));
	ok(store_commit(f->store, &err));
	return count;
}

static void add(void *arg, const char *source, int64_t slot, uint64_t documents)
{
	buf_addf(arg, "%s %lld %llu\n", source, (long long)slot, (unsigned long long)documents);
}

static void assert_arrivals(struct fixture *f, int64_t from, int64_t to, const char *expected)
{
	scoped(buf_done) struct buf told = { 0 };

	ok(store_arrivals(f->store, from, to, add, &told, &err));
	assert_string_equal(told.p ? told.p : "", expected);
}

static void each_document_counts_once(void **state)
{
	struct fixture *f = *state;

	come(f, "1.2.1", "DPI", 100000);
	come(f, "1.2.2", "LIS", 100000);
	come(f, "1.2.3", "DPI", 100000);
	come(f, "1.2.4", "DPI", 100001);
	come(f, "1.2.4", "DPI", 100002); /* the same again: no new document */
	assert_int_equal(note(f, 100002, 3), 3);
	assert_arrivals(f, 0, 200000, "DPI 100000 2\nLIS 100000 1\n");
	assert_int_equal(note(f, 100002, 3), 1);
	assert_int_equal(note(f, 100002, 3), 0);
	come(f, "1.2.5", "DPI", 100001);
	assert_int_equal(note(f, 100002, 3), 1);
	assert_arrivals(f, 0, 200000, "DPI 100000 2\nLIS 100000 1\nDPI 100001 2\n");
	assert_arrivals(f, 100001, 100001, "DPI 100001 2\n");
}

static void what_is_a_quarter_old_is_forgotten(void **state)
{
	struct fixture *f = *state;

	come(f, "1.2.1", "DPI", 100000);
	assert_int_equal(note(f, 100000, 10), 1);
	come(f, "1.2.2", "DPI", 113105);
	assert_int_equal(note(f, 113105, 10), 1);
	assert_arrivals(f, 0, 200000, "DPI 113105 1\n");
}

static void an_empty_store_knows_of_none(void **state)
{
	assert_int_equal(note(*state, 100000, 10), 0);
	assert_arrivals(*state, 0, INT64_MAX, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(each_document_counts_once),
		test(what_is_a_quarter_old_is_forgotten),
		test(an_empty_store_knows_of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
