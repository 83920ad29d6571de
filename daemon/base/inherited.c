/* Sockets from the service manager. One thread. */
#include "base/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST = 3 /* they follow standard error */, MOST = 128, NAME_TEXT = 256 };

static struct inherited {
	int fd;
	bool is_taken;
	char name[NAME_TEXT], address[ADDRESS_TEXT];
} sockets[MOST];

static size_t count;

/* A number of the environment; 0: there is none. */
static uint64_t number(const char *name)
{
	uint64_t value = 0;

	return slice_to_u64(slice_of(getenv(name)), INT32_MAX, &value) ? value : 0;
}

static bool listens(int fd)
{
	int value = 0;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &bytes) == 0 && value != 0;
}

/* What is no listening socket is nobody's here. */
static void add(int fd, struct slice name)
{
	struct inherited *inherited = &sockets[count];

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || !listens(fd))
		return;
	inherited->fd = fd;
	snprintf(inherited->name, sizeof(inherited->name), "%.*s", (int)name.n, name.p);
	address_of_socket(fd, inherited->address);
	count++;
}

void inherited_start(void)
{
	const uint64_t process = number("LISTEN_PID"), fds = number("LISTEN_FDS");
	struct slice names = slice_of(getenv("LISTEN_FDNAMES")), name;

	for (uint64_t i = 0; process == (uint64_t)getpid() && i < min(fds, (uint64_t)MOST); i++) {
		if (!slice_next(&names, ':', &name))
			name = (struct slice){ "", 0 };
		add(FIRST + (int)i, name);
	}
	unsetenv("LISTEN_PID"); /* our children have none of them */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

void inherited_end(void)
{
	while (count > 0)
		close(sockets[--count].fd);
}

static struct slice host_of(const char *address)
{
	return (struct slice){ address, (size_t)(strrchr(address, ':') - address) };
}

static bool is_meant(const struct inherited *inherited, const char *address, const char *name)
{
	const struct slice host = host_of(address);

	if (strcmp(address + host.n, ":0") != 0)
		return strcmp(inherited->address, address) == 0;
	return slice_equal(host_of(inherited->address), host) && strcmp(inherited->name, name) == 0;
}

int inherited_take(const struct address *address, const char *name)
{
	char text[ADDRESS_TEXT];
	int fd;

	address_text((const struct sockaddr *)&address->socket, text);
	for (size_t i = 0; i < count; i++) {
		if (!is_meant(&sockets[i], text, name))
			continue;
		fd = fcntl(sockets[i].fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0)
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		sockets[i].is_taken = fd >= 0;
		return fd;
	}
	return -1;
}

static int bind_and_listen(int fd, const struct address *address)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address->socket, address->bytes) < 0)
		return -1;
	return listen(fd, SOMAXCONN);
}

int inherited_or_new(const struct address *address, const char *name)
{
	int fd = inherited_take(address, name), error;

	if (fd >= 0)
		return fd;
	fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind_and_listen(fd, address) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool inherited_is_left(size_t index, const char **ret_name, char ret_address[static ADDRESS_TEXT])
{
	for (size_t i = 0; i < count; i++) {
		if (sockets[i].is_taken || index-- > 0)
			continue;
		*ret_name = sockets[i].name;
		memcpy(ret_address, sockets[i].address, ADDRESS_TEXT);
		return true;
	}
	return false;
}
