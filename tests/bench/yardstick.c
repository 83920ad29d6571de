/* The yardstick: takes MLLP frames, stores them raw, syncs once for all that have come, answers.
 * What any durable receiver of this machine could reach at best.
 *
 * usage: bench_yardstick FILE        (ends by a signal)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { MOST_EVENTS = 256, MOST_FRAME = 4 << 20, MOST_ID = 200 };

struct peer {
	int fd;
	char *in;
	size_t n;
};

static bool is_whole(const struct peer *peer)
{
	return peer->n > 2 && peer->in[peer->n - 2] == 0x1c && peer->in[peer->n - 1] == '\r';
}

/* MSH-10. */
static int control_id(const struct peer *peer, const char **ret_id)
{
	const char *id = peer->in;
	size_t n = 0;

	for (int field = 1; field < 10 && id != NULL; field++)
		id = memchr(id, '|', peer->n - (size_t)(id - peer->in)), id += id != NULL;
	while (id != NULL && n < MOST_ID && id[n] != '|')
		n++;
	*ret_id = id;
	return (int)n;
}

static void answer(struct peer *peer)
{
	char ack[MOST_ID + 100];
	const char *id;
	int id_n = control_id(peer, &id);
	int n = snprintf(ack, sizeof(ack),
			 "\x0bMSH|^~\\&|||||20260101||ACK|1|P|2.6\rMSA|AA|%.*s\r\x1c\r", id_n, id);

	if (send(peer->fd, ack, (size_t)n, MSG_NOSIGNAL) != n)
		bench_die("an answer did not leave at once");
	peer->n = 0;
}

/* What has come; a sender has one message under way. false: it left. */
static bool receive(struct peer *peer)
{
	ssize_t n = read(peer->fd, peer->in + peer->n, MOST_FRAME - peer->n);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		close(peer->fd);
		free(peer->in);
		free(peer);
		return false;
	}
	peer->n += n > 0 ? (size_t)n : 0;
	return is_whole(peer);
}

int main(int argc, char **argv)
{
	static struct epoll_event events[MOST_EVENTS];
	struct peer *whole[MOST_EVENTS];
	int file = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	int listener = bench_listen(0), epoll = bench_epoll(), count;

	if (file < 0)
		bench_die("usage: bench_yardstick FILE");
	bench_watch(epoll, listener, EPOLLIN, NULL);
	while ((count = epoll_wait(epoll, events, MOST_EVENTS, -1)) >= 0 || errno == EINTR) {
		size_t group = 0;

		for (int i = 0; i < count; i++) {
			struct peer *peer = events[i].data.ptr;

			if (peer == NULL) {
				peer = bench_alloc(1, sizeof(*peer));
				peer->fd =
					accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				peer->in = bench_alloc(MOST_FRAME, 1);
				bench_watch(epoll, peer->fd, EPOLLIN, peer);
			} else if (receive(peer)) {
				if (write(file, peer->in, peer->n) != (ssize_t)peer->n)
					bench_die("%s: %s", argv[1], strerror(errno));
				whole[group++] = peer;
			}
		}
		if (group > 0 && fdatasync(file) < 0)
			bench_die("%s: %s", argv[1], strerror(errno));
		for (size_t i = 0; i < group; i++)
			answer(whole[i]);
	}
	return 1;
}
