/* Documents that the patient does not see: how many, and until when. */
#include "store_fixture.h"

enum { HOUR_MS = 3600000 };

/* Taken in and delivered. */
static void deliver(struct fixture *f, const char *unique_id, const char *action, bool invisible,
		    const char *follows)
{
	struct store_arrival one = arrival(f, unique_id, unique_id);
	struct store_outcome done;
	struct store_due due[1];
	int64_t next_ms;

	one.action = action;
	one.invisible = invisible;
	one.follows = follows;
	done = outcome(f, take_in(f, &one).doc, DOC_DELIVERED);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	settle(f, &done);
}

static uint64_t invisible_before(struct fixture *f, int64_t before_ms)
{
	uint64_t count = 99;

	ok(store_count_invisible(f->store, before_ms, &count, &err));
	return count;
}

static void a_document_is_invisible_until_a_visible_one_replaces_it(void **state)
{
	struct fixture *f = *state;

	deliver(f, "1.2.1", "submit", true, "");
	deliver(f, "1.2.2", "submit", true, "");
	deliver(f, "1.2.3", "submit", false, "");
	assert_int_equal(invisible_before(f, f->now_ms), 0);
	f->now_ms += HOUR_MS;
	assert_int_equal(invisible_before(f, f->now_ms), 2);

	deliver(f, "1.2.4", "replace", false, "1.2.1");
	f->now_ms += HOUR_MS;
	assert_int_equal(invisible_before(f, f->now_ms), 1);
	deliver(f, "1.2.5", "replace", true, "1.2.2"); /* still hidden: it counts in its place */
	assert_int_equal(invisible_before(f, f->now_ms), 0);
	f->now_ms += HOUR_MS;
	assert_int_equal(invisible_before(f, f->now_ms), 1);
	deliver(f, "1.2.5", "delete", true, "1.2.5");
	f->now_ms += HOUR_MS;
	assert_int_equal(invisible_before(f, f->now_ms), 0);
}

static void remember_name(void *arg, const struct store_row *row)
{
	buf_addf(arg, "%s ", row->unique_id);
}

/* All of them, however short a time they have been so. */
static void what_is_invisible_can_be_listed(void **state)
{
	const struct store_filter filter = { .invisible = true, .limit = 10 };
	struct store_filter older = filter;
	const struct store_filter elsewhere = { .invisible = true, .site = "1", .limit = 10 };
	scoped(buf_done) struct buf names = { 0 };
	struct fixture *f = *state;

	deliver(f, "1.2.1", "submit", true, "");
	deliver(f, "1.2.2", "submit", true, "");
	deliver(f, "1.2.3", "submit", false, "");
	deliver(f, "1.2.4", "replace", false, "1.2.1");
	ok(store_list(f->store, &elsewhere, remember_name, &names, &err));
	assert_int_equal(names.n, 0);
	ok(store_list(f->store, &filter, remember_name, &names, &err));
	assert_string_equal(buf_slice(&names).p, "1.2.2 ");

	older.before_ms = f->now_ms; /* delivered now, and not before */
	buf_clear(&names);
	ok(store_list(f->store, &older, remember_name, &names, &err));
	assert_int_equal(names.n, 0);
	older.before_ms = f->now_ms + 1;
	ok(store_list(f->store, &older, remember_name, &names, &err));
	assert_string_equal(buf_slice(&names).p, "1.2.2 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_document_is_invisible_until_a_visible_one_replaces_it),
		test(what_is_invisible_can_be_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
