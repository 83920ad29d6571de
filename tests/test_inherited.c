/* Sockets that the service manager gives: who gets which. */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/inherited.h"

/* The address that `text` means. */
static struct address meant(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static int new_socket(bool listens)
{
	const struct sockaddr_in loopback = { .sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)), 0);
	if (listens)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* As the manager would: from descriptor 3 on. What the test framework has there is put back. */
struct given {
	int kept[3];
};

static struct given give(const bool listens[3], const char *names)
{
	scoped(free_ptr) char *pid = xasprintf("%d", getpid());
	struct given given;
	int fds[3];

	for (int i = 0; i < 3; i++) {
		given.kept[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 20);
		fds[i] = fcntl(new_socket(listens[i]), F_DUPFD, 20);
	}
	for (int i = 0; i < 3; i++) {
		dup2(fds[i], 3 + i);
		close(fds[i]);
	}
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LISTEN_FDNAMES", names, 1);
	inherited_start();
	return given;
}

static void take_back(const struct given *given)
{
	inherited_end();
	for (int i = 0; i < 3; i++)
		if (given->kept[i] >= 0)
			dup2(given->kept[i], 3 + i);
}

static void a_socket_goes_to_who_has_its_address_or_name(void **state)
{
	const struct given given = give((const bool[]){ true, true, false }, "dpi:labo:idle");
	const struct address any = meant("127.0.0.1:0"), elsewhere = meant("127.0.0.2:0");
	char first[ADDRESS_TEXT], got[ADDRESS_TEXT];
	const char *name;
	struct address own;
	int fd;

	(void)state;
	own = meant(address_of_socket(3, first));
	assert_null(getenv("LISTEN_FDS")); /* for none of our children */
	assert_int_equal(inherited_take(&any, "radio"), -1);
	assert_int_equal(inherited_take(&elsewhere, "dpi"), -1);
	assert_int_equal(inherited_take(&any, "idle"), -1); /* it does not listen */
	fd = inherited_take(&own, "another name, which does not count");
	assert_true(fd > 5 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	assert_string_equal(address_of_socket(fd, got), first);
	close(fd);
	assert_true(inherited_is_left(0, &name, got));
	assert_string_equal(name, "labo");
	assert_false(inherited_is_left(1, &name, got));
	fd = inherited_take(&any, "labo");
	assert_true(fd > 5);
	close(fd);
	assert_false(inherited_is_left(0, &name, got));
	fd = inherited_take(&any, "labo"); /* given back and taken again */
	assert_true(fd > 5);
	close(fd);
	take_back(&given);
}

static void what_is_another_process_s_is_not_ours(void **state)
{
	const struct address any = meant("127.0.0.1:0");

	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	inherited_start();
	assert_int_equal(inherited_take(&any, ""), -1);
	inherited_end();
}

static void who_is_given_none_opens_one(void **state)
{
	const struct address any = meant("127.0.0.1:0");
	const int fd = inherited_or_new(&any, "dpi");
	char text[ADDRESS_TEXT];
	struct address taken;

	(void)state;
	assert_true(fd >= 0);
	taken = meant(address_of_socket(fd, text));
	assert_int_equal(inherited_or_new(&taken, "dpi"), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_goes_to_who_has_its_address_or_name),
		cmocka_unit_test(what_is_another_process_s_is_not_ours),
		cmocka_unit_test(who_is_given_none_opens_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
