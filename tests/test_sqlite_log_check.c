/* The log that a kill leaves, damaged in every place: told whenever a commit that was synced is lost by it, and
 * never where a power cut alone may have torn the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "queue/sqlite.h"
#include "queue/sqlite_log_check.h"

enum { PAGE = 512, HEADER = 32, FRAME = 24 + PAGE, COMMITS = 6, MOST_FRAMES = 200 };

#define MEMORY "/dev/shm" /* the files are written some thousand times */

/* What a kill left: the files, byte for byte. */
struct fixture {
	char folder[64], path[96], log_path[128], index_path[128];
	struct buf database, log, index;
	struct buf index_before; /* the last commit */
	struct buf log_before;
	bool ends[MOST_FRAMES]; /* a commit ends with it; from 1 on */
	int frames;
};

static void read_whole(const char *path, struct buf *ret_bytes)
{
	FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t n;

	assert_non_null(file);
	buf_clear(ret_bytes);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(ret_bytes, (struct slice){ bytes, n });
	fclose(file);
}

static void write_whole(const char *path, const char *bytes, size_t n)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

static void run(struct sqlite *sqlite, const char *text)
{
	struct err err = { 0 };

	if (sqlite_exec(sqlite, text, "do as the test wants", &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static int place_of(int frame)
{
	return HEADER + (frame - 1) * FRAME;
}

static void find_frames(struct fixture *f)
{
	const char *const log = f->log.p;

	while (place_of(f->frames + 2) <= (int)f->log.n &&
	       memcmp(log + place_of(f->frames + 1) + 8, log + 16, 8) == 0) {
		f->frames++;
		assert_true(f->frames < MOST_FRAMES);
		f->ends[f->frames] = memcmp(log + place_of(f->frames) + 4, "\0\0\0\0", 4) != 0;
	}
	assert_true(f->frames > COMMITS && f->ends[f->frames]);
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct sqlite writer = { 0 };
	struct err err = { 0 };

	snprintf(f->folder, sizeof(f->folder), "%s/test_log_check.XXXXXX",
		 access(MEMORY, W_OK) == 0 ? MEMORY : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/queue.db", f->folder);
	snprintf(f->log_path, sizeof(f->log_path), "%s-wal", f->path);
	snprintf(f->index_path, sizeof(f->index_path), "%s-shm", f->path);
	assert_int_equal(sqlite_open(&writer, f->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				     NULL, 0, &err),
			 0);
	run(&writer, "PRAGMA page_size = 512; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		     "CREATE TABLE t (x BLOB)");
	for (int i = 1; i < COMMITS; i++) {
		read_whole(f->index_path, &f->index_before);
		read_whole(f->log_path, &f->log_before);
		run(&writer, "INSERT INTO t VALUES (randomblob(2000))");
	}
	read_whole(f->path, &f->database);
	read_whole(f->log_path, &f->log);
	read_whole(f->index_path, &f->index);
	sqlite_done(&writer);
	find_frames(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	unlink(f->log_path);
	unlink(f->index_path);
	rmdir(f->folder);
	buf_done(&f->database);
	buf_done(&f->log);
	buf_done(&f->index);
	buf_done(&f->index_before);
	buf_done(&f->log_before);
	free(f);
	return 0;
}

/* The index that stands beside a log: a kill leaves it, a power cut leaves none, or one of before. */
enum beside { ITS_INDEX, NO_INDEX, INDEX_OF_BEFORE };

static int check(const struct fixture *f, const char *log, size_t n, enum beside beside,
		 struct err *err)
{
	const struct buf *index = beside == ITS_INDEX ? &f->index : &f->index_before;

	*err = (struct err){ 0 };
	write_whole(f->path, f->database.p, f->database.n);
	write_whole(f->log_path, log, n);
	unlink(f->index_path);
	if (beside != NO_INDEX)
		write_whole(f->index_path, index->p, index->n);
	return sqlite_log_check(f->path, err);
}

/* `told`: -1, or 0. */
static void assert_told(const struct fixture *f, const char *log, size_t n, enum beside beside,
			int told, const char *what, int where)
{
	struct err err;

	if (check(f, log, n, beside, &err) != told)
		fail_msg("%s %d, index %d: %s", what, where, (int)beside,
			 told ? "passes as whole" : err.text);
	if (told < 0)
		assert_int_equal(err.kind, ERR_HALT);
}

/* The first frame of the last commit. */
static int last_begins(const struct fixture *f)
{
	int frame = f->frames;

	while (!f->ends[frame - 1])
		frame--;
	return frame;
}

static void what_a_kill_or_a_power_cut_leaves_is_whole(void **state)
{
	const struct fixture *f = *state;

	for (enum beside beside = ITS_INDEX; beside <= INDEX_OF_BEFORE; beside++)
		assert_told(f, f->log.p, f->log.n, beside, 0, "untouched", 0);
	assert_told(f, f->log_before.p, f->log_before.n, INDEX_OF_BEFORE, 0, "before", 0);
	assert_told(f, "", 0, ITS_INDEX, 0, "empty", 0);
	unlink(f->log_path);
	assert_int_equal(sqlite_log_check(f->path, &(struct err){ 0 }), 0);
}

static void a_flipped_bit_is_told_wherever_it_is(void **state)
{
	const struct fixture *f = *state;
	scoped(free_ptr) char *log = xcalloc(1, f->log.n);
	const int end = place_of(f->frames + 1);

	memcpy(log, f->log.p, f->log.n);
	for (int at = 0; at < end; at++) {
		/* behind the header of a frame any byte is like any other */
		if (at > HEADER && (at - HEADER) % FRAME > 40 && (at - HEADER) % 97 > 0)
			continue;
		log[at] ^= 1 << at % 8;
		assert_told(f, log, f->log.n, ITS_INDEX, -1, "byte", at);
		if (at < HEADER)
			assert_told(f, log, f->log.n, NO_INDEX, -1, "byte", at);
		log[at] ^= 1 << at % 8;
	}
}

/* By the frames alone: all but the last commit, and the few bytes by which the one before is tied to it. */
static void what_stands_behind_the_damage_tells_of_it_too(void **state)
{
	const struct fixture *f = *state;
	scoped(free_ptr) char *log = xcalloc(1, f->log.n);

	memcpy(log, f->log.p, f->log.n);
	for (int frame = 1; frame <= f->frames; frame++) {
		const int told = frame < last_begins(f) ? -1 : 0;

		for (int at = place_of(frame) + 24; at < place_of(frame + 1); at += 101) {
			log[at] ^= 4;
			assert_told(f, log, f->log.n, NO_INDEX, told, "frame", frame);
			assert_told(f, log, f->log.n, INDEX_OF_BEFORE, told, "frame", frame);
			log[at] ^= 4;
		}
	}
}

static void a_page_of_zeros_is_told(void **state)
{
	const struct fixture *f = *state;
	scoped(free_ptr) char *log = xcalloc(1, f->log.n);

	for (int at = 0; at < place_of(f->frames + 1); at += 4096) {
		memcpy(log, f->log.p, f->log.n);
		memset(log + at, 0, (size_t)min(4096, (int)f->log.n - at));
		assert_told(f, log, f->log.n, ITS_INDEX, -1, "zeros at", at);
		if (at == 0)
			assert_told(f, log, f->log.n, NO_INDEX, -1, "zeros at", at);
	}
	memset(log, 0, f->log.n);
	assert_told(f, log, f->log.n, NO_INDEX, 0, "grown and not written", 0);
}

static void a_tail_that_was_cut_is_told_by_the_index(void **state)
{
	const struct fixture *f = *state;

	for (int at = HEADER; at < place_of(f->frames + 1); at += 111) {
		assert_told(f, f->log.p, (size_t)at, ITS_INDEX, -1, "cut at", at);
		assert_told(f, f->log.p, (size_t)at, INDEX_OF_BEFORE,
			    at < place_of(last_begins(f)) ? -1 : 0, "cut at", at);
	}
}

/* Of what was not synced a disk keeps any part. */
static void a_last_commit_that_was_torn_is_not_held_against_it(void **state)
{
	const struct fixture *f = *state;
	scoped(free_ptr) char *log = xcalloc(1, f->log.n);
	const int first = last_begins(f), count = f->frames - first + 1;

	assert_in_range(count, 3, 10);
	for (int kept = 0; kept < 1 << count; kept++) {
		memcpy(log, f->log.p, f->log.n);
		for (int i = 0; i < count; i++)
			if (!(kept & 1 << i))
				memset(log + place_of(first + i), 0, FRAME);
		assert_told(f, log, f->log.n, NO_INDEX, 0, "kept", kept);
		assert_told(f, log, f->log.n, INDEX_OF_BEFORE, 0, "kept", kept);
	}
}

/* A commit whose sync failed leaves its end behind a shorter one that took its place. */
static void what_an_abandoned_commit_left_is_not_held_against_it(void **state)
{
	const struct fixture *f = *state;
	const size_t begin = (size_t)place_of(last_begins(f)), after = begin + FRAME;
	scoped(buf_done) struct buf log = { 0 };
	struct sqlite writer = { 0 };
	struct err err;

	assert_int_equal(check(f, f->log.p, begin, INDEX_OF_BEFORE, &err), 0);
	assert_int_equal(sqlite_open(&writer, f->path, SQLITE_OPEN_READWRITE, NULL, 0, &err), 0);
	run(&writer, "PRAGMA synchronous = FULL; PRAGMA user_version = 7"); /* one frame */
	read_whole(f->log_path, &log);
	sqlite_done(&writer);
	assert_memory_equal(log.p + begin + 8, f->log.p + 16, 8); /* it goes on in the same log */
	assert_memory_not_equal(log.p + begin, f->log.p + begin, FRAME);
	memcpy(log.p + after, f->log.p + after, f->log.n - after);
	assert_told(f, log.p, f->log.n, NO_INDEX, 0, "over an older one", 0);
	assert_told(f, log.p, f->log.n, INDEX_OF_BEFORE, 0, "over an older one", 0);
}

static void what_can_be_kept_is_told(void **state)
{
	const struct fixture *f = *state;
	scoped(free_ptr) char *log = xcalloc(1, f->log.n);
	const int good = last_begins(f) - 1;
	struct err err;
	char told[32];

	memcpy(log, f->log.p, f->log.n);
	log[place_of(f->frames) + 100] ^= 1;
	assert_int_equal(check(f, log, f->log.n, ITS_INDEX, &err), -1);
	snprintf(told, sizeof(told), "to %d bytes", place_of(good + 1));
	assert_non_null(strstr(err.text, told));
	assert_int_equal(check(f, log, (size_t)place_of(good + 1), NO_INDEX, &err), 0);
}

static void a_log_that_cannot_be_read_is_told(void **state)
{
	const struct fixture *f = *state;
	struct err err = { 0 };

	unlink(f->log_path);
	assert_int_equal(mkdir(f->log_path, 0700), 0);
	assert_int_equal(sqlite_log_check(f->path, &err), -1);
	assert_non_null(strstr(err.text, "cannot be read: Is a directory"));
	rmdir(f->log_path);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_a_kill_or_a_power_cut_leaves_is_whole),
		test(a_flipped_bit_is_told_wherever_it_is),
		test(what_stands_behind_the_damage_tells_of_it_too),
		test(a_page_of_zeros_is_told),
		test(a_tail_that_was_cut_is_told_by_the_index),
		test(a_last_commit_that_was_torn_is_not_held_against_it),
		test(what_an_abandoned_commit_left_is_not_held_against_it),
		test(what_can_be_kept_is_told),
		test(a_log_that_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests_name("sqlite_log_check", tests, NULL, NULL);
}
