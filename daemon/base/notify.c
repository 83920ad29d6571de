/* What the service manager is told. Any thread. */
#include "base/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_BYTES = 1024 };

/* 0: there is no such socket. A leading @ stands for the NUL of an abstract one. */
static socklen_t address_of(struct sockaddr_un *ret_address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof(ret_address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_address->sun_path, path, n);
	if (path[0] == '@')
		ret_address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

bool notify_is_heard(void)
{
	struct sockaddr_un address;

	return address_of(&address) > 0;
}

void notify_tell(const char *format, ...)
{
	struct sockaddr_un address;
	const socklen_t bytes = address_of(&address);
	char text[MOST_BYTES];
	va_list arguments;
	int fd, n;

	if (bytes == 0)
		return;
	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || n < 0)
		return;
	(void)!sendto(fd, text, min((size_t)n, sizeof(text) - 1), MSG_NOSIGNAL,
		      (struct sockaddr *)&address, bytes);
	close(fd);
}

/* A number of the environment; 0: there is none. */
static uint64_t number(const char *name)
{
	uint64_t value = 0;

	return slice_to_u64(slice_of(getenv(name)), INT64_MAX, &value) ? value : 0;
}

int64_t notify_watchdog_ms(void)
{
	const uint64_t process = number("WATCHDOG_PID"); /* whose it is; none written: ours */

	if (process != 0 && process != (uint64_t)getpid())
		return 0;
	return (int64_t)(number("WATCHDOG_USEC") / 1000);
}
