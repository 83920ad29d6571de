/* The tables themselves: what they refuse, and what a row that is written into them costs. */
#include <sqlite3.h>

#include "queue/store_sqlite.h"
#include "store_fixture.h"

static sqlite3 *open_beside(struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	return db;
}

/* One document, and each of these said of it. */
static void a_document_is_nothing_else_than_it_may_be(void **state)
{
	static const struct {
		const char *says;
		int result;
	} cases[] = {
		{ "action = 'submit'", SQLITE_OK },
		{ "action = 'replace'", SQLITE_OK },
		{ "action = 'delete'", SQLITE_OK },
		{ "action = ''", SQLITE_CONSTRAINT },
		{ "action = 'forget'", SQLITE_CONSTRAINT },
		{ "state = 'held'", SQLITE_OK },
		{ "state = 'queued'", SQLITE_OK },
		{ "state = 'sending'", SQLITE_OK },
		{ "state = 'delivered'", SQLITE_OK },
		{ "state = 'refused'", SQLITE_OK },
		{ "state = 'rejected'", SQLITE_OK },
		{ "state = 'suppressed'", SQLITE_OK },
		{ "state = 'cancelled'", SQLITE_OK },
		{ "state = 'Held'", SQLITE_CONSTRAINT },
		{ "state = 'lost'", SQLITE_CONSTRAINT },
		{ "priority = 0", SQLITE_OK },
		{ "priority = 2", SQLITE_OK },
		{ "priority = -1", SQLITE_CONSTRAINT },
		{ "priority = 3", SQLITE_CONSTRAINT },
	};
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3.1", "body");
	sqlite3 *db;

	take_in(f, &one);
	db = open_beside(f);
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text = xasprintf("UPDATE document SET %s", cases[i].says);

		if (sqlite3_exec(db, text, NULL, NULL, NULL) != cases[i].result)
			fail_msg("%s: %s", text, sqlite3_errmsg(db));
	}
	sqlite3_close(db);
}

/* SQLite makes a table, of pages of its own, of a list of values that it compares with. */
static void no_table_is_made_to_write_a_document(void **state)
{
	static const char *const writes[] = { "EXPLAIN INSERT INTO document DEFAULT VALUES",
					      "EXPLAIN UPDATE document SET state = 'held'" };
	sqlite3 *db = open_beside(*state);

	for (size_t i = 0; i < length_of(writes); i++) {
		sqlite3_stmt *steps;
		size_t count = 0;

		assert_int_equal(sqlite3_prepare_v2(db, writes[i], -1, &steps, NULL), SQLITE_OK);
		for (; sqlite3_step(steps) == SQLITE_ROW; count++)
			assert_string_not_equal(sqlite3_column_text(steps, 1), "OpenEphemeral");
		assert_true(count > 0);
		sqlite3_finalize(steps);
	}
	sqlite3_close(db);
}

/* The writer asks them again and again: they must not look at all that ever came. */
static void what_time_does_is_found_by_its_index(void **state)
{
	static const struct {
		enum store_statement which;
		const char *index;
	} cases[] = {
		{ FORGET_STAYS, "stay_changed" },
		{ FIND_OLD, "document_final" },
		{ FIND_TIMED, "document_release" },
		{ COUNT_MISPLACED, "document_misplaced" },
	};
	sqlite3 *db = open_beside(*state);

	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text =
			xasprintf("EXPLAIN QUERY PLAN %s", store_statements[cases[i].which]);
		sqlite3_stmt *plan;
		bool is_used = false;

		if (sqlite3_prepare_v2(db, text, -1, &plan, NULL) != SQLITE_OK)
			fail_msg("%s: %s", text, sqlite3_errmsg(db));
		while (sqlite3_step(plan) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(plan, 3);

			is_used = is_used || strstr(step, cases[i].index) != NULL;
			assert_null(strstr(step, "ORDER BY")); /* nor sort what it found */
		}
		assert_true(is_used);
		sqlite3_finalize(plan);
	}
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_document_is_nothing_else_than_it_may_be),
		test(no_table_is_made_to_write_a_document),
		test(what_time_does_is_found_by_its_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
