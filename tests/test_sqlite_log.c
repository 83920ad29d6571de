/* The log of the connection that writes: gathered, grown ahead, and whole when a commit returns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/sqlite.h"

struct fixture {
	char folder[64], path[96], log[128];
	struct sqlite writer;
};

static void run(struct sqlite *sqlite, const char *text)
{
	struct err err = { 0 };

	if (sqlite_exec(sqlite, text, "do as the test wants", &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static void open_at(struct sqlite *sqlite, const char *path, int flags)
{
	struct err err = { 0 };

	assert_int_equal(sqlite_open(sqlite, path, flags, NULL, 0, &err), 0);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/test_sqlite_log.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/queue.db", f->folder);
	snprintf(f->log, sizeof(f->log), "%s-wal", f->path);
	open_at(&f->writer, f->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	run(&f->writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			"PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x BLOB)");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "queue.db", "queue.db-wal", "queue.db-shm",
					     "copy.db",  "copy.db-wal",  "copy.db-shm" };
	struct fixture *f = *state;
	char path[128];

	sqlite_done(&f->writer);
	for (size_t i = 0; i < length_of(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static int64_t count_in(struct sqlite *sqlite)
{
	sqlite3_stmt *rows;
	int64_t count;

	assert_int_equal(sqlite3_prepare_v2(sqlite->db, "SELECT count(*) FROM t", -1, &rows, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
	count = sqlite3_column_int64(rows, 0);
	sqlite3_finalize(rows);
	return count;
}

static void assert_sound(struct sqlite *sqlite)
{
	sqlite3_stmt *row;

	assert_int_equal(sqlite3_prepare_v2(sqlite->db, "PRAGMA integrity_check", -1, &row, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(row, 0), "ok");
	sqlite3_finalize(row);
}

static int64_t size_of(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 ? found.st_size : -1;
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char bytes[4096];
	size_t n;

	assert_true(in != NULL && out != NULL);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* What a power cut at this moment would leave. */
static int64_t count_after_a_cut(const struct fixture *f)
{
	struct sqlite copy = { 0 };
	char path[96], log[128];
	int64_t count;

	snprintf(path, sizeof(path), "%s/copy.db", f->folder);
	snprintf(log, sizeof(log), "%s-wal", path);
	copy_file(f->path, path);
	copy_file(f->log, log);
	open_at(&copy, path, SQLITE_OPEN_READWRITE);
	assert_sound(&copy);
	count = count_in(&copy);
	sqlite_done(&copy);
	return count;
}

/* ---- syncs ---- */

static ino_t watched;
static int syncs; /* of that file */

/* SQLite's, in the place of the system's. */
int fdatasync(int fd)
{
	struct stat found;

	syncs += fstat(fd, &found) == 0 && found.st_ino == watched;
	return fsync(fd);
}

static void watch_log(const struct fixture *f)
{
	struct stat found;

	assert_int_equal(stat(f->log, &found), 0);
	watched = found.st_ino;
	syncs = 0;
}

/* ---- */

static const char insert_small[] = "INSERT INTO t VALUES (randomblob(100))";
static const char insert_large[] = /* 4 MB: many times what is gathered */
	"INSERT INTO t WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	" SELECT randomblob(4000) FROM n";

static void a_commit_is_in_the_file_when_it_returns(void **state)
{
	struct fixture *f = *state;
	struct sqlite reader = { 0 };

	open_at(&reader, f->path, SQLITE_OPEN_READONLY);
	for (int i = 1; i <= 20; i++) {
		run(&f->writer, insert_small);
		assert_int_equal(count_in(&reader), i);
		assert_int_equal(count_after_a_cut(f), i);
	}
	run(&f->writer, insert_large);
	assert_int_equal(count_in(&reader), 1020);
	assert_int_equal(count_after_a_cut(f), 1020);
	sqlite_done(&reader);
}

static void what_is_not_committed_is_nobody_elses(void **state)
{
	struct fixture *f = *state;
	struct sqlite reader = { 0 };

	open_at(&reader, f->path, SQLITE_OPEN_READONLY);
	run(&f->writer, "PRAGMA cache_size = 10; BEGIN");
	run(&f->writer, insert_large); /* more than the cache: it goes to the log meanwhile */
	assert_int_equal(count_in(&f->writer), 1000);
	assert_int_equal(count_in(&reader), 0);
	assert_int_equal(count_after_a_cut(f), 0);
	run(&f->writer, "ROLLBACK");
	assert_int_equal(count_in(&f->writer), 0);
	run(&f->writer, "BEGIN");
	run(&f->writer, insert_large);
	run(&f->writer, "UPDATE t SET x = x || x'00'"); /* pages that are in the log already */
	run(&f->writer, "COMMIT");
	assert_int_equal(count_in(&reader), 1000);
	assert_int_equal(count_after_a_cut(f), 1000);
	assert_sound(&f->writer);
	sqlite_done(&reader);
}

static void it_grows_by_steps_and_is_used_again(void **state)
{
	struct fixture *f = *state;
	int64_t bytes, sizes = 0, last = 0;

	for (int i = 0; i < 200; i++, last = bytes) {
		run(&f->writer, insert_small);
		bytes = size_of(f->log);
		sizes += bytes != last;
	}
	assert_in_range(sizes, 1, 10);
	run(&f->writer, "PRAGMA wal_checkpoint(PASSIVE)");
	for (int i = 0; i < 200; i++)
		run(&f->writer, insert_small);
	assert_int_equal(size_of(f->log), last);
	assert_int_equal(count_after_a_cut(f), 400);
	run(&f->writer, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(size_of(f->log), 0);
	run(&f->writer, insert_small);
	assert_int_equal(count_after_a_cut(f), 401);
}

static const char fold[] = "PRAGMA wal_checkpoint(PASSIVE)";

static void what_was_there_before_is_synced_by_who_folds_it(void **state)
{
	struct fixture *f = *state;
	struct sqlite folding = { 0 };

	run(&f->writer, insert_small);
	open_at(&folding, f->path, SQLITE_OPEN_READWRITE);
	watch_log(f);
	run(&folding, fold);
	assert_int_equal(syncs, 1);
	sqlite_done(&folding);
}

static void what_a_commit_has_synced_is_not_synced_again(void **state)
{
	struct fixture *f = *state;
	struct sqlite folding = { 0 };

	open_at(&folding, f->path, SQLITE_OPEN_READWRITE);
	run(&f->writer, insert_small);
	run(&folding, fold);
	for (int i = 2; i <= 6; i++) {
		watch_log(f);
		run(&f->writer, insert_small);
		assert_in_range(syncs, 1, 2); /* the header of a new log has one of its own */
		watch_log(f);
		run(i % 2 > 0 ? &f->writer : &folding, fold);
		assert_int_equal(syncs, 0);
		assert_int_equal(count_after_a_cut(f), i);
	}
	sqlite_done(&folding);
}

static void limit_files_to(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = min(bytes, limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void without_room_nothing_of_the_transaction_is_left(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	signal(SIGXFSZ, SIG_IGN); /* the write fails instead, as on a full disk */
	run(&f->writer, insert_small);
	limit_files_to((rlim_t)size_of(f->log));
	assert_int_equal(sqlite_exec(&f->writer, insert_large, "be filled", &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(count_in(&f->writer), 1);
	run(&f->writer, insert_small); /* there is room for that */
	limit_files_to(RLIM_INFINITY);
	assert_int_equal(count_after_a_cut(f), 2);
	run(&f->writer, insert_large);
	assert_int_equal(count_after_a_cut(f), 1002);
	assert_sound(&f->writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commit_is_in_the_file_when_it_returns, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_committed_is_nobody_elses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(it_grows_by_steps_and_is_used_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_was_there_before_is_synced_by_who_folds_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_commit_has_synced_is_not_synced_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_room_nothing_of_the_transaction_is_left,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
