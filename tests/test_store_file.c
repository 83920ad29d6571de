/* What happens to the store's files behind its back: told, and never written over as if nothing were. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_fixture.h"

enum { DOCUMENTS = 50, PAGE = 8192 };

static const char *file(const struct fixture *f, const char *ending)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % length_of(paths)];

	snprintf(path, sizeof(paths[0]), "%s%s", f->path, ending);
	return path;
}

static int64_t size_of(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 ? found.st_size : -1;
}

static void fill(struct fixture *f)
{
	char unique_id[32];

	for (int i = 0; i < DOCUMENTS; i++) {
		snprintf(unique_id, sizeof(unique_id), "1.2.3.%d", i);
		queue_one(f, unique_id);
	}
}

/* Everything is in the database and nothing in the log. */
static void bring_together(struct fixture *f)
{
	store_free(&f->store);
	open_store(f);
	assert_int_equal(size_of(file(f, "-wal")), 0);
}

static void assert_unavailable(struct fixture *f, enum err_kind kind, const char *words)
{
	struct err err = { 0 };

	assert_int_equal(store_begin(f->store, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_int_equal(err.reason, REASON_STORE_UNAVAILABLE);
	assert_non_null(strstr(err.text, words));
}

static void assert_refused_at_start(struct fixture *f, const char *words)
{
	struct err err = { 0 };

	store_free(&f->store);
	assert_int_equal(store_open(&f->store, &f->settings, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, words));
	assert_non_null(strstr(err.text, f->path));
}

/* ---- at start ---- */

static void a_store_whose_file_is_gone_is_refused(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_free(&f->store);
	assert_int_equal(unlink(f->path), 0);
	assert_refused_at_start(f, "gone");
	assert_int_equal(size_of(f->path), -1); /* nothing was made in its place */
}

static void a_store_whose_file_is_empty_is_refused(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_free(&f->store);
	assert_int_equal(truncate(f->path, 0), 0);
	assert_refused_at_start(f, "empty");
	assert_int_equal(size_of(f->path), 0);
}

static void to_begin_anew_is_an_order_of_its_own(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_free(&f->store);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(unlink(file(f, ".lock")), 0);
	open_store(f);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
}

/* A first start that was cut short has nothing to lose. */
static void an_empty_file_without_a_mark_is_a_first_start(void **state)
{
	struct fixture *f = *state;

	store_free(&f->store);
	assert_int_equal(truncate(f->path, 0), 0);
	assert_int_equal(truncate(file(f, ".lock"), 0), 0);
	open_store(f);
	queue_one(f, "1.2.3");
}

static void a_store_cut_in_half_is_refused(void **state)
{
	struct fixture *f = *state;

	fill(f);
	store_free(&f->store);
	assert_int_equal(truncate(f->path, size_of(f->path) / PAGE / 2 * PAGE), 0);
	assert_refused_at_start(f, "malformed");
}

/* In a process of its own, which then dies without closing. */
static void fill_and_die(struct fixture *f)
{
	pid_t child;
	int status;

	store_free(&f->store);
	child = fork();
	if (child == 0) {
		open_store(f);
		fill(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void what_a_dead_process_left_in_the_log_is_written_anew(void **state)
{
	struct fixture *f = *state;

	fill_and_die(f);
	assert_true(size_of(file(f, "-wal")) > 0);
	open_store(f);
	assert_int_equal(size_of(file(f, "-wal")), 0);
	assert_int_equal(counts(f).documents[DOC_QUEUED], DOCUMENTS);
}

/* ---- in use ---- */

static void a_file_moved_away_is_told_and_used_again_once_it_is_back(void **state)
{
	static const char *const endings[] = { "", "-wal" };
	struct fixture *f = *state;

	queue_one(f, "1.2.1");
	for (size_t i = 0; i < length_of(endings); i++) {
		assert_int_equal(rename(file(f, endings[i]), file(f, "-away")), 0);
		assert_unavailable(f, ERR_RETRY, "gone");
		assert_int_equal(rename(file(f, "-away"), file(f, endings[i])), 0);
		ok(store_begin(f->store, &err));
		ok(store_commit(f->store, &err));
	}
	queue_one(f, "1.2.2");
}

static void nothing_is_committed_into_a_file_that_was_moved_away(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3", "body");
	struct store_receipt receipt;
	struct err refused = { 0 };

	ok(store_begin(f->store, &err));
	ok(store_take_in(f->store, &one, &receipt, &err));
	assert_int_equal(rename(f->path, file(f, "-away")), 0);
	assert_int_equal(store_commit(f->store, &refused), -1);
	assert_int_equal(refused.kind, ERR_RETRY);
	assert_int_equal(rename(file(f, "-away"), f->path), 0);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
	queue_one(f, "1.2.3");
}

static void another_file_in_its_place_is_told(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(rename(f->path, file(f, "-away")), 0);
	assert_int_equal(close(open(f->path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_unavailable(f, ERR_RETRY, "another file");
	assert_int_equal(rename(file(f, "-away"), f->path), 0);
	queue_one(f, "1.2.4");
}

static void a_file_that_was_cut_in_use_takes_nothing_more(void **state)
{
	static const char *const endings[] = { "", "-wal" };

	for (size_t i = 0; i < length_of(endings); i++) {
		struct fixture *f = *state;
		int64_t bytes;

		fill(f);
		if (i == 0)
			bring_together(f);
		queue_one(f, "1.2.4");
		ok(store_begin(f->store, &err));
		ok(store_commit(f->store, &err));
		bytes = size_of(file(f, endings[i]));
		assert_int_equal(truncate(file(f, endings[i]), bytes / 2), 0);
		assert_unavailable(f, ERR_HALT, "was cut");
		assert_int_equal(truncate(file(f, endings[i]), bytes),
				 0); /* zeros: not what it was */
		assert_unavailable(f, ERR_HALT, "was cut");
		tear_down(state);
		set_up(state);
	}
}

/* As a person's sqlite3 shell, or a backup, does. */
static void a_log_that_sqlite_itself_has_cut_is_no_damage(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other = NULL;

	fill(f);
	assert_true(size_of(file(f, "-wal")) > 0);
	sqlite3_open(f->path, &other);
	assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(size_of(file(f, "-wal")), 0);
	queue_one(f, "1.2.4");
	assert_int_equal(counts(f).documents[DOC_QUEUED], DOCUMENTS + 1);
}

/* ---- a body ---- */

/* Changes the one place where the file has `text`. */
static void flip(const char *path, const char *text)
{
	scoped(free_ptr) char *bytes = xcalloc(1, (size_t)size_of(path));
	int fd = open(path, O_RDWR);
	ssize_t n = pread(fd, bytes, (size_t)size_of(path), 0);
	const char *found = memmem(bytes, (size_t)n, text, strlen(text));

	assert_non_null(found);
	assert_int_equal(pwrite(fd, "?", 1, found - bytes), 1);
	close(fd);
}

static void a_body_that_is_not_what_came_is_never_sent(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3", "a body to be found");
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	struct err damaged = { 0 };

	take_in(f, &one);
	bring_together(f);
	ok(store_load(f->store, &one.doc, &body, &metadata, &err));
	store_free(&f->store);
	flip(f->path, "a body to be found");
	open_store(f);
	buf_clear(&body);
	assert_int_equal(store_load(f->store, &one.doc, &body, &metadata, &damaged), -1);
	assert_int_equal(damaged.kind, ERR_HALT);
	assert_int_equal(body.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_store_whose_file_is_gone_is_refused),
		test(a_store_whose_file_is_empty_is_refused),
		test(to_begin_anew_is_an_order_of_its_own),
		test(an_empty_file_without_a_mark_is_a_first_start),
		test(a_store_cut_in_half_is_refused),
		test(what_a_dead_process_left_in_the_log_is_written_anew),
		test(a_file_moved_away_is_told_and_used_again_once_it_is_back),
		test(nothing_is_committed_into_a_file_that_was_moved_away),
		test(another_file_in_its_place_is_told),
		test(a_file_that_was_cut_in_use_takes_nothing_more),
		test(a_log_that_sqlite_itself_has_cut_is_no_damage),
		test(a_body_that_is_not_what_came_is_never_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
