/* journald's socket, with the test at its other end: what it does not read is not waited for. */
#include "base/journal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample.h"

static struct {
	char *path;
	int fd; /* the reader's */
} world;

static void listen_again(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (world.fd >= 0)
		close(world.fd);
	unlink(world.path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", world.path);
	world.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(world.fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int setup(void **state)
{
	(void)state;
	world.path = xasprintf("/tmp/test-journal-%d", getpid());
	world.fd = -1;
	listen_again();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(world.fd);
	unlink(world.path);
	free_ptr(&world.path);
	return 0;
}

static void assert_read(const char *text)
{
	char entry[256];
	const ssize_t n = recv(world.fd, entry, sizeof(entry), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(entry, text, strlen(text));
}

static void what_is_sent_is_read(void **state)
{
	const int fd = journal_connect(world.path);
	int64_t patience_ms = 0;

	(void)state;
	assert_int_equal(journal_send(fd, slice_of("MESSAGE=a\n"), &patience_ms), JOURNAL_TOOK);
	assert_int_equal(patience_ms, JOURNAL_PATIENCE_MS);
	assert_read("MESSAGE=a\n");
	close(fd);
}

/* A tenth of a second for all that it does not read; whoever has no patience left does not wait at all. */
static void a_journal_that_does_not_read_is_not_waited_for(void **state)
{
	const int fd = journal_connect(world.path);
	int64_t patience_ms = JOURNAL_PATIENCE_MS, begun_ms = clock_monotonic_ms();
	enum journal_answer answer;
	size_t taken = 0;

	(void)state;
	while ((answer = journal_send(fd, slice_of("MESSAGE=a\n"), &patience_ms)) == JOURNAL_TOOK)
		taken++;
	assert_int_equal(answer, JOURNAL_IS_FULL);
	assert_true(taken > 0);
	assert_int_equal(patience_ms, 0);
	assert_true(clock_monotonic_ms() - begun_ms >= JOURNAL_PATIENCE_MS / 2);
	for (int i = 0; i < 100000; i++) /* three hours, if each were waited for */
		assert_int_equal(journal_send(fd, slice_of("x"), &patience_ms), JOURNAL_IS_FULL);
	while (taken-- > 0)
		assert_read("MESSAGE=a\n");
	assert_int_equal(journal_send(fd, slice_of("b"), &patience_ms), JOURNAL_TOOK);
	assert_int_equal(patience_ms, JOURNAL_PATIENCE_MS);
	close(fd);
}

static void a_journal_that_is_gone_is_found_again(void **state)
{
	const int fd = journal_connect(world.path);
	int64_t patience_ms = JOURNAL_PATIENCE_MS;

	(void)state;
	close(world.fd);
	world.fd = -1;
	assert_int_equal(journal_send(fd, slice_of("a"), &patience_ms), JOURNAL_IS_GONE);
	assert_false(journal_connect_again(fd, world.path));
	listen_again();
	assert_true(journal_connect_again(fd, world.path));
	assert_int_equal(journal_send(fd, slice_of("b"), &patience_ms), JOURNAL_TOOK);
	assert_read("b");
	close(fd);
}

static void without_a_journal_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(journal_connect("/tmp/nobody/listens/here"), -1);
}

static void only_what_systemd_connected_is_the_journal(void **state)
{
	scoped(free_ptr) char *right = NULL, *other = NULL;
	struct stat file;

	(void)state;
	assert_int_equal(fstat(world.fd, &file), 0);
	right = xasprintf("%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
	other = xasprintf("%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino + 1);
	assert_true(journal_is_behind(world.fd, right));
	assert_false(journal_is_behind(world.fd, other));
	assert_false(journal_is_behind(world.fd, ""));
	assert_false(journal_is_behind(world.fd, NULL));
	assert_false(journal_is_behind(-1, right));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_is_read),
		cmocka_unit_test(a_journal_that_does_not_read_is_not_waited_for),
		cmocka_unit_test(a_journal_that_is_gone_is_found_again),
		cmocka_unit_test(without_a_journal_there_is_none),
		cmocka_unit_test(only_what_systemd_connected_is_the_journal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
