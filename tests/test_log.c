/* The journal: one line a thing, whatever is in it, and wherever it goes. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/* Stands in for journald, and makes of stderr, wherever it goes, what systemd connected to it. */
static int journald_open(char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	scoped(free_ptr) char *stream = NULL;
	struct stat file;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fstat(STDERR_FILENO, &file), 0);
	stream = xasprintf("%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_start(path);
	return fd;
}

static void journald_close(int fd, const char *path)
{
	close(fd);
	unlink(path);
	unsetenv("JOURNAL_STREAM");
	log_start(path);
}

static const char *next_entry(int fd, char text[static 512])
{
	const ssize_t n = recv(fd, text, 511, 0);

	text[max(n, (ssize_t)0)] = '\0';
	return text;
}

static void to_journald_a_line_goes_with_its_fields(void **state)
{
	scoped(free_ptr) char *path = xasprintf("/tmp/test-log-%d", getpid());
	scoped(free_ptr) char *lines = NULL;
	struct journal journal;
	char entry[512];
	int fd;

	(void)state;
	journal_open(&journal);
	fd = journald_open(path);
	log_set_level(LEVEL_INFO);
	log_warning("doc=%s outcome=queued\nPRIORITY=0", "01J9");
	next_entry(fd, entry);
	journald_close(fd, path);
	log_info("and without it, as ever");
	lines = journal_close(&journal);
	assert_string_equal(entry, "PRIORITY=4\nSYSLOG_IDENTIFIER=dmpfeedd\n"
				   "MESSAGE=doc=01J9 outcome=queued\\nPRIORITY=0\n"
				   "DOC=01J9\nDMPFEED_OUTCOME=queued\\nPRIORITY=0\n");
	assert_string_equal(lines, "<6>and without it, as ever\n");
}

/* journald hangs: no line is waited for, and the first that it takes again says how many it lacks. */
static void what_journald_does_not_take_is_counted(void **state)
{
	scoped(free_ptr) char *path = xasprintf("/tmp/test-log-%d", getpid());
	const int fd = journald_open(path);
	const uint64_t lost_before = log_figures().lost;
	enum { MANY = 2000 };
	size_t taken = 0;
	char entry[512], lost[512];

	(void)state;
	log_set_level(LEVEL_INFO);
	for (int i = 0; i < MANY; i++)
		log_info("one of many");
	while (next_entry(fd, entry)[0] != '\0')
		taken++;
	log_info("again");
	assert_in_range(taken, 1, MANY - 1);
	snprintf(lost, sizeof(lost), "\nMESSAGE=lost=%zu: the journal did not take them\n",
		 MANY - taken);
	assert_non_null(strstr(next_entry(fd, entry), lost));
	assert_non_null(strstr(next_entry(fd, entry), "\nMESSAGE=again\n"));
	assert_int_equal(log_figures().lost - lost_before, MANY - taken);
	journald_close(fd, path);
}

/* Its socket is not there: what it would have got is on standard error, which systemd holds. */
static void without_its_socket_lines_go_to_stderr(void **state)
{
	scoped(free_ptr) char *path = xasprintf("/tmp/test-log-%d", getpid());
	int ends[2], saved_stderr = dup(STDERR_FILENO), fd;
	char line[512];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	dup2(ends[0], STDERR_FILENO);
	fd = journald_open(path);
	close(fd);
	log_info("still told");
	dup2(saved_stderr, STDERR_FILENO);
	next_entry(ends[1], line);
	journald_close(saved_stderr, path);
	close(ends[0]);
	close(ends[1]);
	assert_string_equal(line, "<6>still told\n");
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

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	log_info("peer=%s", "x\n<3>doc=01J9 outcome=forged\r\033[2J\177\t");
	lines = journal_close(&journal);
	assert_string_equal(lines, "<6>peer=x\\n<3>doc=01J9 outcome=forged\\r\\x1b[2J\\x7f\\t\n");
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
	assert_non_null(strstr(lines, "x…\n<6>next\n"));
}

/* Of one place and one severity: what is beyond the limit is counted, and told when the time has come. */
static void a_flood_ends_with_how_many_more_there_were(void **state)
{
	const uint64_t left_out = log_figures().left_out;
	struct journal journal;
	scoped(free_ptr) char *lines = NULL;

	(void)state;
	journal_open(&journal);
	log_set_level(LEVEL_INFO);
	log_limit(&(struct flood_limit){ 2, 3600000 });
	for (int i = 1; i <= 5; i++)
		log_line(i == 4 ? LEVEL_ERROR : LEVEL_INFO, "doc=%d outcome=known", i);
	log_warning("another");
	log_tell_left_out();
	log_end();
	log_limit(&(struct flood_limit){ 0, 0 });
	lines = journal_close(&journal);
	assert_string_equal(lines, "<6>doc=1 outcome=known\n<6>doc=2 outcome=known\n"
				   "<3>doc=4 outcome=known\n<4>another\n"
				   "<6>left_out=2: 2 more like this in 1 s: doc=5 outcome=known\n");
	assert_int_equal(log_figures().left_out, left_out + 2);
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
		cmocka_unit_test(a_flood_ends_with_how_many_more_there_were),
		cmocka_unit_test(to_journald_a_line_goes_with_its_fields),
		cmocka_unit_test(what_journald_does_not_take_is_counted),
		cmocka_unit_test(without_its_socket_lines_go_to_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
