/* The journal: one line a thing, whatever is in it. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "sample.h"

/* Stands in for the journal: stderr, into a pipe. */
struct journal {
	int saved_stderr, pipe[2];
};

static void journal_open(struct journal *journal)
{
	fflush(stderr);
	journal->saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(pipe2(journal->pipe, O_CLOEXEC), 0);
	dup2(journal->pipe[1], STDERR_FILENO);
}

/* What was logged since, as a text that the caller frees. */
static char *journal_close(struct journal *journal)
{
	scoped(buf_done) struct buf lines = { 0 };
	ssize_t n;

	dup2(journal->saved_stderr, STDERR_FILENO);
	close(journal->saved_stderr);
	close(journal->pipe[1]);
	do {
		char *end = buf_reserve(&lines, 4096);

		n = read(journal->pipe[0], end, 4096);
		lines.n += (size_t)max(n, (ssize_t)0);
	} while (n > 0);
	close(journal->pipe[0]);
	return slice_dup(buf_slice(&lines));
}

static void a_line_begins_with_its_severity(void **state)
{
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_DEBUG);
	log_error("doc=%s outcome=%s", "01J9", "halted");
	log_warning("slow");
	log_info("moved");
	log_debug("the rest");
	lines = journal_close(&journal);
	assert_string_equal(lines, "<3>doc=01J9 outcome=halted\n<4>slow\n<6>moved\n<7>the rest\n");
}

static void what_nobody_asked_for_is_not_written(void **state)
{
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_WARNING);
	log_error("one");
	log_warning("two");
	log_info("three");
	log_debug("four");
	lines = journal_close(&journal);
	assert_string_equal(lines, "<3>one\n<4>two\n");
	assert_true(log_wants(LEVEL_WARNING));
	assert_false(log_wants(LEVEL_INFO));
}

static void nothing_from_outside_can_begin_a_line(void **state)
{
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;
	size_t control = 0;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	log_info("peer=%s", "x\n<3>doc=01J9 outcome=forged\r\033[2J\177\t");
	lines = journal_close(&journal);
	assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
	for (const char *c = lines; *c; c++)
		control += (unsigned char)*c < ' ' || *c == 0x7f;
	assert_int_equal(control, 1);
	assert_true(slice_starts(slice_of(lines), "<6>peer=x"));
}

static void letters_of_any_language_are_kept(void **state)
{
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	log_info("site=%s", "Hôpital Œdipe");
	lines = journal_close(&journal);
	assert_string_equal(lines, "<6>site=Hôpital Œdipe\n");
}

static void a_line_that_is_too_long_is_cut_and_still_a_line(void **state)
{
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;
	scoped(buf_done) struct buf words = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_add_char(&words, 'x');
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	log_info("%s", words.p);
	log_info("next");
	lines = journal_close(&journal);
	assert_in_range(strlen(lines), 2000, 2100);
	assert_non_null(strstr(lines, "x\n<6>next\n"));
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 50; i++)
		log_info("thread=%s %s", (const char *)arg, "----------------------------------");
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;
	pthread_t threads[length_of(names)];
	struct slice rest, line;
	size_t count = 0;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	for (size_t i = 0; i < length_of(names); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
	for (size_t i = 0; i < length_of(names); i++)
		pthread_join(threads[i], NULL);
	lines = journal_close(&journal);
	rest = slice_of(lines);
	while (slice_next(&rest, '\n', &line) && line.n > 0) {
		assert_int_equal(line.n, strlen("<6>thread=a ----------------------------------"));
		assert_true(slice_starts(line, "<6>thread="));
		count++;
	}
	assert_int_equal(count, 200);
}

static void what_repeats_is_told_once_a_minute(void **state)
{
	static const struct {
		int64_t now_ms;
		bool told;
	} steps[] = { { 5, true },     { 6, false },     { 60004, false },
		      { 60005, true }, { 60006, false }, { 500000, true } };
	int64_t logged_ms = 0;

	(void)state;
	for (size_t i = 0; i < length_of(steps); i++)
		assert_int_equal(log_may_repeat(&logged_ms, steps[i].now_ms), steps[i].told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_repeats_is_told_once_a_minute),
		cmocka_unit_test(a_line_begins_with_its_severity),
		cmocka_unit_test(what_nobody_asked_for_is_not_written),
		cmocka_unit_test(nothing_from_outside_can_begin_a_line),
		cmocka_unit_test(letters_of_any_language_are_kept),
		cmocka_unit_test(a_line_that_is_too_long_is_cut_and_still_a_line),
		cmocka_unit_test(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
