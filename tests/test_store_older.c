/* Stores of earlier versions, as the gateway of then left them (tests/data/schema): each is brought to the tables of
 * today, with all that is in it.
 */
#define STORE_FOLDER "/dev/shm" /* nothing of it must last */
#include "store_fixture.h"

#include <sqlite3.h>

#include "queue/store_count.h"
#include "sample.h"
#include "tally.h"

enum { OLDEST = 1, FIRST_WITH_ACKS = 2, FIRST_WITH_IMPORT = 18, NEWEST = 29, DAY_MS = 86400000 };

#define MADE_LAST "lineage_root" /* by the step that leads to NEWEST, and by none before */

static sqlite3 *open_file(struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	return db;
}

static void run_in(sqlite3 *db, const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
}

static void run(struct fixture *f, const char *text)
{
	sqlite3 *db = open_file(f);

	run_in(db, text);
	sqlite3_close(db);
}

/* In the place of the store that the fixture opened. */
static void make_version(struct fixture *f, int version)
{
	scoped(free_ptr) char *name = xasprintf("schema/v%d.sql", version);
	scoped(buf_done) struct buf letters = { 0 }, dump = { 0 };
	sqlite3 *db;

	store_free(&f->store);
	unlink(f->path);
	sample_read("schema/letters.sql", &letters);
	sample_read(name, &dump);
	db = open_file(f);
	run_in(db, "PRAGMA page_size = 8192");
	run_in(db, letters.p);
	run_in(db, dump.p);
	sqlite3_close(db);
	f->now_ms = 1795365000000 + DAY_MS; /* the one that waits is due */
}

static void note_fault(void *arg, const char *sentence)
{
	snprintf(arg, 256, "%s", sentence);
}

static struct store_audit assert_chain_is_whole(struct fixture *f)
{
	struct store_audit audit;
	char fault[256] = "";

	ok(store_verify(f->store, note_fault, fault, &audit, &err));
	if (audit.faults > 0)
		fail_msg("%s", fault);
	return audit;
}

/* But for one index, whose step was changed before there was a release: it is for speed only. */
static void add_tables(struct fixture *f, struct buf *out)
{
	sqlite3 *db = open_file(f);
	sqlite3_stmt *rows;

	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT name, coalesce(sql, '') FROM sqlite_schema"
					    " WHERE name <> 'document_waits' ORDER BY name",
					    -1, &rows, NULL),
			 SQLITE_OK);
	while (sqlite3_step(rows) == SQLITE_ROW)
		buf_addf(out, "%s %s\n", sqlite3_column_text(rows, 0),
			 sqlite3_column_text(rows, 1));
	sqlite3_finalize(rows);
	sqlite3_close(db);
}

static void the_tables_become_those_of_a_new_store(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf wanted = { 0 };

	add_tables(f, &wanted);
	for (int version = OLDEST; version <= NEWEST; version++) {
		scoped(buf_done) struct buf found = { 0 };

		make_version(f, version);
		open_store(f);
		add_tables(f, &found);
		if (!slice_equal(buf_slice(&found), buf_slice(&wanted)))
			fail_msg("of version %d:\n%s\nwhere a new one has\n%s", version, found.p,
				 wanted.p);
	}
}

/* The letter that waited goes, whole, and both count. */
static void work_goes_on(struct fixture *f)
{
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	scoped(counters_free) struct counters *counters = NULL;
	struct store_tally now = { 0 };
	struct store_outcome delivered;
	struct store_due due[2];
	int64_t next_ms;

	assert_int_equal(claim(f, 2, due, &next_ms), 1);
	ok(store_load(f->store, &due[0].doc, &body, &metadata, &err));
	assert_non_null(strstr(metadata.p, "\"unique_id\":\"1.2.250.1.999.1.9.2\""));
	assert_non_null(strstr(body.p, "1.2.250.1.999.1.9.2"));
	delivered = outcome(f, due[0].doc, DOC_DELIVERED);
	settle(f, &delivered);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 2);
	while (tally_fold(f->store, 100, &now, &counters, &(struct err){ 0 }) == 0 &&
	       now.is_emptying) {
		ok(store_begin(f->store, &err));
		ok(store_tally_empty(f->store, 100, &err));
		ok(store_commit(f->store, &err));
	}
	assert_non_null(counters);
	assert_in_range(counters_changes(counters).acceptance_count, 1, 2);
}

static void what_was_in_them_is_still_there_and_work_goes_on(void **state)
{
	struct fixture *f = *state;

	for (int version = OLDEST; version <= NEWEST; version++) {
		struct store_audit before;

		make_version(f, version);
		open_store(f);
		before = assert_chain_is_whole(f);
		assert_int_equal(before.rows, version < FIRST_WITH_IMPORT ? 6 : 7);
		assert_int_equal(counts(f).documents[DOC_DELIVERED], 1);
		assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
		work_goes_on(f);
		store_free(&f->store);
		open_store(f);
		assert_int_equal(assert_chain_is_whole(f).rows, before.rows + 2);
	}
}

/* Before version 21 the chain knew nothing of them. */
static void imports_of_before_join_the_chain(void **state)
{
	struct fixture *f = *state;

	for (int version = FIRST_WITH_IMPORT; version <= NEWEST; version++) {
		struct store_audit audit;
		char fault[256] = "";

		make_version(f, version);
		open_store(f);
		assert_chain_is_whole(f);
		run(f, "DROP TRIGGER figure_keeps; UPDATE figure SET n = n + 1");
		ok(store_verify(f->store, note_fault, fault, &audit, &err));
		assert_int_equal(audit.faults, 1);
		assert_non_null(strstr(fault, "revision 1 of the imported figures"));
	}
}

static void note_other_form(void *arg, const struct store_row *row)
{
	*(struct ulid *)arg = row->other_form;
}

static void ignore_event(void *arg, const struct store_event *event)
{
	(void)arg, (void)event;
}

/* Until version 30 only who waited for the answer knew that two came together. */
static void what_came_together_is_tied(void **state)
{
	static const struct ulid none;
	struct fixture *f = *state;

	for (int version = FIRST_WITH_ACKS; version <= NEWEST; version++) {
		struct store_due waits;
		struct ulid other, first;
		int64_t next_ms;

		make_version(f, version);
		run(f, "INSERT INTO acknowledgement (source, origin, header, control_id, document, "
		       "other, asked_ms)"
		       " VALUES ('DPI', 'A0001', x'', 'G1', 1, 2, 1), ('DPI', 'A0002', x'', 'G2', "
		       "1, 0, 2)");
		open_store(f);
		assert_int_equal(claim(f, 1, &waits, &next_ms), 1);
		ok(store_show(f->store, &waits.doc, note_other_form, ignore_event, &first, &err));
		assert_memory_not_equal(&first, &none, sizeof(none));
		ok(store_show(f->store, &first, note_other_form, ignore_event, &other, &err));
		assert_memory_equal(&other, &waits.doc, sizeof(other));
	}
}

/* A step that fails (here: something of that name is there already) leaves what was, of those before it too. */
static void a_migration_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;

	for (int version = OLDEST; version < NEWEST; version++) {
		scoped(buf_done) struct buf before = { 0 }, after = { 0 };
		struct err err = { 0 };

		make_version(f, version);
		run(f, "CREATE INDEX " MADE_LAST " ON node (name)");
		add_tables(f, &before);
		assert_int_equal(store_open(&f->store, &f->settings, &err), -1);
		assert_null(f->store);
		add_tables(f, &after);
		assert_string_equal(after.p, before.p);
	}
}

static void a_store_of_a_version_to_come_is_refused(void **state)
{
	static const char *const versions[] = { "PRAGMA user_version = 1000",
						"PRAGMA user_version = -1" };
	struct fixture *f = *state;

	for (size_t i = 0; i < length_of(versions); i++) {
		struct err err = { 0 };

		store_free(&f->store);
		run(f, versions[i]);
		assert_int_equal(store_open(&f->store, &f->settings, &err), -1);
		assert_int_equal(err.kind, ERR_HALT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_tables_become_those_of_a_new_store),
		test(what_was_in_them_is_still_there_and_work_goes_on),
		test(imports_of_before_join_the_chain),
		test(what_came_together_is_tied),
		test(a_migration_that_fails_changes_nothing),
		test(a_store_of_a_version_to_come_is_refused),
	};

	return cmocka_run_group_tests_name("store_older", tests, NULL, NULL);
}
