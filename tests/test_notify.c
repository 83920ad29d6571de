/* What the service manager hears, on a socket of the test's own. */
#include "sample.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

/* Listens like the manager, where NOTIFY_SOCKET says. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t n = strlen(name);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, n);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	else
		unlink(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_heard(int fd, const char *text)
{
	char heard[2000];
	const ssize_t n = recv(fd, heard, sizeof(heard), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(heard, text, strlen(text));
}

static void what_is_told_is_heard(void **state)
{
	scoped(free_ptr) char *path = xasprintf("/tmp/test-notify-%d", getpid());
	scoped(free_ptr) char *abstract = xasprintf("@test-notify-%d", getpid());
	const char *const names[] = { path, abstract };

	(void)state;
	for (size_t i = 0; i < length_of(names); i++) {
		const int fd = listen_at(names[i]);

		assert_true(notify_is_heard());
		notify_tell("READY=1\nSTATUS=%d to send", 7);
		assert_heard(fd, "READY=1\nSTATUS=7 to send");
		close(fd);
	}
	unlink(path);
}

static void without_a_manager_nobody_is_told(void **state)
{
	static const char *const names[] = { NULL, "", "/", "relative",
					     "/tmp/nobody/listens/here" };

	(void)state;
	for (size_t i = 0; i < length_of(names); i++) {
		if (names[i] == NULL)
			unsetenv("NOTIFY_SOCKET");
		else
			setenv("NOTIFY_SOCKET", names[i], 1);
		notify_tell("READY=1"); /* and nothing comes of it */
		assert_int_equal(notify_is_heard(), i == length_of(names) - 1);
	}
}

static void a_manager_that_does_not_listen_is_not_waited_for(void **state)
{
	scoped(free_ptr) char *abstract = xasprintf("@test-notify-full-%d", getpid());
	const int fd = listen_at(abstract);

	(void)state;
	for (int i = 0; i < 10000; i++)
		notify_tell("STATUS=%d", i);
	assert_heard(fd, "STATUS=0");
	close(fd);
}

static void the_watchdog_is_ours_or_nobody_s(void **state)
{
	static const struct {
		const char *usec;
		long pid_off; /* from ours; -1: none is written */
		int64_t ms;
	} cases[] = {
		{ "120000000", 0, 120000 }, { "120000000", -1, 120000 },
		{ "120000000", 1, 0 },      { NULL, 0, 0 },
		{ "soon", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *pid = xasprintf("%ld", getpid() + cases[i].pid_off);

		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (cases[i].usec != NULL)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid_off >= 0)
			setenv("WATCHDOG_PID", pid, 1);
		assert_int_equal(notify_watchdog_ms(), cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_heard),
		cmocka_unit_test(without_a_manager_nobody_is_told),
		cmocka_unit_test(a_manager_that_does_not_listen_is_not_waited_for),
		cmocka_unit_test(the_watchdog_is_ours_or_nobody_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
