/* A stranger at a socket of ours, for the targets that go through one: says its bytes in two pieces, then that
 * this was all, and hears whatever comes until the other side ends.
 */
#ifndef DMPFEED_TESTS_FUZZ_TALK_H
#define DMPFEED_TESTS_FUZZ_TALK_H

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

enum { TALK_BYTES = 16 << 10 /* both ways, they fit into a socket that nobody reads */ };

static struct {
	struct event_base *loop;
	struct sockaddr_un address; /* in a folder of its own */
	char folder[32];
} talk;

static inline void talk_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LEVEL_ERROR);
	strcpy(talk.folder, "/tmp/fuzz_talk.XXXXXX");
	if (mkdtemp(talk.folder) == NULL)
		abort();
	talk.address.sun_family = AF_UNIX;
	snprintf(talk.address.sun_path, sizeof(talk.address.sun_path), "%s/socket", talk.folder);
	talk.loop = event_base_new();
}

static inline void talk_end(void)
{
	unlink(talk.address.sun_path);
	rmdir(talk.folder);
	event_base_free(talk.loop);
}

/* The other side may have heard enough. */
static inline bool talk_put(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return false;
		bytes = slice_from(bytes, (size_t)n);
		event_base_loop(talk.loop, EVLOOP_NONBLOCK);
	}
	return true;
}

static inline void talk_listen(int fd, struct buf *ret_said)
{
	ssize_t n = 1;

	for (size_t turns = 0; n != 0; turns++) {
		char *room = buf_reserve(ret_said, TALK_BYTES);

		event_base_loop(talk.loop, EVLOOP_NONBLOCK);
		n = recv(fd, room, TALK_BYTES, MSG_DONTWAIT);
		ret_said->n += n > 0 ? (size_t)n : 0;
		if (n < 0 && errno == ECONNRESET)
			break;
		if (turns > 100000)
			abort(); /* it neither speaks nor ends */
	}
}

/* false: it ended before all was said. Of `bytes` the last says where the first piece ends. Closes `fd`. */
static inline bool talk_over(int fd, struct slice bytes, struct buf *ret_said)
{
	const size_t half = bytes.n ? (uint8_t)bytes.p[bytes.n - 1] % bytes.n : 0;
	const bool said = talk_put(fd, (struct slice){ bytes.p, half }) &&
			  talk_put(fd, slice_from(bytes, half));

	shutdown(fd, SHUT_WR);
	talk_listen(fd, ret_said);
	close(fd);
	event_base_loop(talk.loop, EVLOOP_NONBLOCK);
	return said;
}

/* The same with who listens at the address. */
static inline bool talk_through(struct slice bytes, struct buf *ret_said)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&talk.address, sizeof(talk.address)) < 0)
		abort();
	return talk_over(fd, bytes, ret_said);
}

#endif
