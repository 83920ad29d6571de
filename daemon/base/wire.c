/* One outgoing connection. Loop.
 *
 * step() does what the state calls for, whichever event came.
 */
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

enum state {
	STATE_CLOSED,
	STATE_CONNECTING,
	STATE_SHAKING, /* TLS */
	STATE_WRITING,
	STATE_LISTENING,
};

struct wire {
	struct event_base *loop;
	struct address address;
	const struct tls *tls;
	struct wire_calls calls;
	enum state state;
	unsigned turn; /* another one whenever it is told to do something else */
	int fd;
	struct tls_session *session;
	struct event *readable, *writable;
	struct slice out; /* what is left of it */
};

bool wire_is_open(const struct wire *wire)
{
	return wire->state == STATE_WRITING || wire->state == STATE_LISTENING;
}

void wire_hang_up(struct wire *wire)
{
	wire->turn++;
	if (wire->state == STATE_CLOSED)
		return;
	wire->state = STATE_CLOSED;
	event_free(wire->readable);
	event_free(wire->writable);
	if (wire->session != NULL)
		tls_end(wire->session);
	tls_session_free(&wire->session);
	close(wire->fd);
}

static void end(struct wire *wire, const char *why)
{
	wire_hang_up(wire);
	wire->calls.ended(wire->calls.arg, why);
}

/* As tls_read(), over TLS or not. */
static enum tls_turn receive(struct wire *wire, char *to, size_t room, size_t *ret_n,
			     struct err *err)
{
	ssize_t n;

	if (wire->session != NULL)
		return tls_read(wire->session, to, room, ret_n, err);
	n = recv(wire->fd, to, room, 0);
	if (n > 0) {
		*ret_n = (size_t)n;
		return TLS_DONE;
	}
	if (n == 0)
		return TLS_ENDED;
	if (errno == EAGAIN || errno == EINTR)
		return TLS_WANTS_READ;
	err_set(err, ERR_RETRY, "%s", strerrordesc_np(errno));
	return TLS_FAILED;
}

/* As tls_write(), over TLS or not. */
static enum tls_turn transmit(struct wire *wire, struct slice bytes, size_t *ret_n, struct err *err)
{
	ssize_t n;

	if (wire->session != NULL)
		return tls_write(wire->session, bytes, ret_n, err);
	n = send(wire->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (n >= 0) {
		*ret_n = (size_t)n;
		return TLS_DONE;
	}
	if (errno == EAGAIN || errno == EINTR)
		return TLS_WANTS_WRITE;
	err_set(err, ERR_RETRY, "%s", strerrordesc_np(errno));
	return TLS_FAILED;
}

/* Has the socket watched for what it must do next. */
static void await(struct wire *wire, enum tls_turn turn)
{
	if (turn == TLS_WANTS_WRITE)
		event_del(wire->readable);
	else
		event_add(wire->readable, NULL);
	if (turn == TLS_WANTS_WRITE)
		event_add(wire->writable, NULL);
	else
		event_del(wire->writable);
}

/* It waits, or it is over. */
static void await_or_end(struct wire *wire, enum tls_turn turn, const struct err *err)
{
	if (turn == TLS_FAILED || turn == TLS_ENDED)
		end(wire, turn == TLS_FAILED ? err->text : "");
	else
		await(wire, turn);
}

/* Whoever hears may hang up, or have something to send. */
static void hear(struct wire *wire)
{
	const unsigned turn_before = wire->turn;
	enum tls_turn turn;
	struct err err = { 0 };
	char bytes[READ_BYTES];
	size_t n;

	do {
		turn = receive(wire, bytes, sizeof(bytes), &n, &err);
		if (turn == TLS_DONE)
			wire->calls.heard(wire->calls.arg, (struct slice){ bytes, n });
		if (wire->turn != turn_before)
			return;
	} while (turn == TLS_DONE);
	await_or_end(wire, turn, &err);
}

static void write_out(struct wire *wire)
{
	enum tls_turn turn = TLS_DONE;
	struct err err = { 0 };
	size_t n;

	while (wire->out.n > 0 && turn == TLS_DONE) {
		turn = transmit(wire, wire->out, &n, &err);
		if (turn == TLS_DONE)
			wire->out = slice_from(wire->out, n);
	}
	if (turn != TLS_DONE) {
		await_or_end(wire, turn, &err);
		return;
	}
	wire->state = STATE_LISTENING;
	await(wire, TLS_WANTS_READ);
	wire->calls.sent(wire->calls.arg);
}

static void be_open(struct wire *wire)
{
	wire->state = STATE_LISTENING;
	await(wire, TLS_WANTS_READ);
	wire->calls.open(wire->calls.arg);
}

static void shake_hands(struct wire *wire)
{
	struct err err = { 0 };
	enum tls_turn turn = tls_handshake(wire->session, &err);

	if (turn == TLS_DONE)
		be_open(wire);
	else
		await_or_end(wire, turn, &err);
}

static void finish_connecting(struct wire *wire)
{
	int trouble = 0;
	socklen_t bytes = sizeof(trouble);

	getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &trouble, &bytes);
	if (trouble != 0) {
		end(wire, strerrordesc_np(trouble));
	} else if (wire->tls == NULL) {
		be_open(wire);
	} else {
		wire->state = STATE_SHAKING;
		wire->session = tls_session_new(wire->tls, wire->fd);
		shake_hands(wire);
	}
}

static void step(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;

	(void)fd;
	(void)what;
	switch (wire->state) {
	case STATE_CLOSED:
		break;
	case STATE_CONNECTING:
		finish_connecting(wire);
		break;
	case STATE_SHAKING:
		shake_hands(wire);
		break;
	case STATE_WRITING:
		write_out(wire);
		break;
	case STATE_LISTENING:
		hear(wire);
		break;
	}
}

void wire_dial(struct wire *wire)
{
	const struct sockaddr *to = (const struct sockaddr *)&wire->address.socket;
	const int on = 1;

	assert(wire->state == STATE_CLOSED);
	wire->turn++;
	wire->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wire->fd < 0) {
		wire->calls.ended(wire->calls.arg, strerrordesc_np(errno));
		return;
	}
	setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	wire->state = STATE_CONNECTING;
	wire->readable = event_new(wire->loop, wire->fd, EV_READ | EV_PERSIST, step, wire);
	wire->writable = event_new(wire->loop, wire->fd, EV_WRITE | EV_PERSIST, step, wire);
	if (connect(wire->fd, to, wire->address.bytes) < 0 && errno != EINPROGRESS)
		end(wire, strerrordesc_np(errno));
	else
		await(wire, TLS_WANTS_WRITE);
}

void wire_send(struct wire *wire, struct slice bytes)
{
	assert(wire->state == STATE_LISTENING);
	wire->turn++;
	wire->state = STATE_WRITING;
	wire->out = bytes;
	write_out(wire);
}

struct wire_progress wire_progress(const struct wire *wire)
{
	struct tcp_info info = { 0 };
	socklen_t bytes = sizeof(info);
	int waiting = 0;

	ioctl(wire->fd, SIOCOUTQ, &waiting);
	getsockopt(wire->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes);
	return (struct wire_progress){ info.tcpi_bytes_acked, (uint64_t)max(waiting, 0) };
}

int wire_tls(struct tls **ret_tls, const struct tls_client_settings *settings, const char *address,
	     int64_t now_ms, struct err *err)
{
	struct tls_client_settings tls = *settings;
	struct slice host = slice_of(address);
	scoped(free_ptr) char *name = NULL;

	*ret_tls = NULL;
	if (tls.ca == NULL || tls.ca[0] == '\0')
		return 0;
	host.n = (size_t)(strrchr(host.p, ':') - host.p);
	if (slice_starts(host, "["))
		host = (struct slice){ host.p + 1, host.n - 2 };
	name = slice_dup(host);
	if (tls.name == NULL || tls.name[0] == '\0')
		tls.name = name;
	return tls_client_new(ret_tls, &tls, now_ms, err);
}

struct wire *wire_new(struct event_base *loop, const struct address *address, const struct tls *tls,
		      const struct wire_calls *calls)
{
	struct wire *wire = xcalloc(1, sizeof(*wire));

	wire->loop = loop;
	wire->address = *address;
	wire->tls = tls;
	wire->calls = *calls;
	return wire;
}

void wire_free(struct wire **wire)
{
	if (*wire == NULL)
		return;
	wire_hang_up(*wire);
	free_ptr(wire);
}
