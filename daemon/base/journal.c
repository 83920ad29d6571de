/* The socket on which journald takes entries. Any thread. */
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

bool journal_is_behind(int fd, const char *stream)
{
	char found[64];
	struct stat file;

	if (stream == NULL || fstat(fd, &file) < 0)
		return false;
	snprintf(found, sizeof(found), "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
	return strcmp(found, stream) == 0;
}

int journal_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool journal_connect_again(int fd, const char *path)
{
	const int fresh = journal_connect(path);
	const bool is_there = fresh >= 0 && dup3(fresh, fd, O_CLOEXEC) >= 0;

	if (fresh >= 0)
		close(fresh);
	return is_there;
}

/* Whether there may be room; what was waited is taken from *patience_ms. */
static bool wait_for_room(int fd, int64_t *patience_ms)
{
	const int64_t begun_ms = clock_monotonic_ms();
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	const int found = *patience_ms > 0 ? poll(&room, 1, (int)*patience_ms) : 0;

	*patience_ms = max(*patience_ms - (clock_monotonic_ms() - begun_ms) - 1, (int64_t)0);
	return found > 0;
}

enum journal_answer journal_send(int fd, struct slice entry, int64_t *patience_ms)
{
	bool at_once = true;

	while (send(fd, entry.p, entry.n, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			return JOURNAL_IS_GONE;
		at_once = false;
		if (!wait_for_room(fd, patience_ms))
			return JOURNAL_IS_FULL;
	}
	if (at_once)
		*patience_ms = JOURNAL_PATIENCE_MS;
	return JOURNAL_TOOK;
}
