/* The connections of the status port. Loop only.
 *
 * Not evhttp: it tells nobody when a connection ends, so that their number has no bound, and it knows
 * no TLS. What remains without it, for requests that have no body and connections that serve one, is
 * request.c and the phases below.
 */
#include "status/connection.h"

#include <event2/event.h>
#include <sys/queue.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stream.h"

enum {
	MOST_REQUEST_BYTES = 8192,
	SPILL_BYTES = 16 << 10, /* a record of TLS */
	DRAIN_MS = 2000,
	MOST_DRAINED_BYTES = 256 << 10,
	ANSWER_PATIENCE = 6, /* times that for a request */
	TOO_LONG = 431,
};

enum phase {
	PHASE_GREETING, /* the handshake of TLS */
	PHASE_READING,
	PHASE_ASKED, /* the answer is being made */
	PHASE_ANSWERING,
	PHASE_DRAINING, /* lest a reset overtake the answer */
	PHASE_CLOSED,   /* waits for the sweep */
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct connections *all;
	enum phase phase;
	struct stream stream;
	struct event *readable, *writable, *timer;
	struct exchange *exchange; /* while asked */
	struct buf in, out;
	size_t drained;
	char peer[64];
};

TAILQ_HEAD(connection_list, connection);

struct connections {
	struct event_base *loop;
	struct connections_settings settings;
	exchange_fn *on_request;
	void *arg;
	struct event *sweep;
	struct connection_list open, closed; /* open: the eldest first */
	size_t count;
	int64_t full_logged_ms, failure_logged_ms;
	char spill[SPILL_BYTES];
};

struct exchange {
	struct connection *connection; /* NULL: it has ended */
	bool is_head;
};

/* ---- phases ---- */

static void arm(struct event *timer, int64_t wait_ms)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(timer, &wait);
}

static void connection_close(struct connection *connection)
{
	struct connections *all = connection->all;

	if (connection->exchange != NULL)
		connection->exchange->connection = NULL;
	connection->phase = PHASE_CLOSED;
	event_del(connection->readable);
	event_del(connection->writable);
	event_del(connection->timer);
	stream_close(&connection->stream);
	buf_done(&connection->in);
	buf_done(&connection->out);
	TAILQ_REMOVE(&all->open, connection, link);
	TAILQ_INSERT_TAIL(&all->closed, connection, link);
	all->count--;
	event_active(all->sweep, EV_TIMEOUT, 0);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection;

	(void)fd, (void)what;
	while ((connection = TAILQ_FIRST(&all->closed)) != NULL) {
		TAILQ_REMOVE(&all->closed, connection, link);
		event_free(connection->readable);
		event_free(connection->writable);
		event_free(connection->timer);
		free(connection);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	connection_close(arg);
}

/* ---- out ---- */

static void drain_from_now(struct connection *connection)
{
	connection->phase = PHASE_DRAINING;
	stream_end(&connection->stream);
	arm(connection->timer, min(connection->all->settings.patience_ms, (int64_t)DRAIN_MS));
	event_add(connection->readable, NULL);
}

static void transmit(struct connection *connection)
{
	struct err err = { 0 };
	size_t n = 0;

	event_del(connection->readable);
	while (connection->out.n > 0) {
		switch (stream_write(&connection->stream, buf_slice(&connection->out), &n, &err)) {
		case TLS_DONE:
			buf_drop(&connection->out, n);
			break;
		case TLS_WANTS_READ: /* of TLS 1.2: it comes back when the peer has spoken */
			event_add(connection->readable, NULL);
			return;
		case TLS_WANTS_WRITE:
			event_add(connection->writable, NULL);
			return;
		case TLS_ENDED:
		case TLS_FAILED:
			connection_close(connection);
			return;
		}
	}
	drain_from_now(connection);
}

static const char *code_text(int code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < length_of(texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return "Status";
}

/* No cache keeps it, no browser guesses about it, no page frames it. */
static void add_head(struct buf *out, const struct answer_head *head, size_t body_bytes)
{
	const time_t now = (time_t)(clock_now_ms() / 1000);
	char date[64];
	struct tm parts;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
	buf_addf(out,
		 "HTTP/1.1 %d %s\r\n"
		 "Date: %s\r\n"
		 "Content-Type: %s\r\n"
		 "Content-Length: %zu\r\n"
		 "Cache-Control: no-store\r\n"
		 "Content-Security-Policy: %s\r\n"
		 "Cross-Origin-Opener-Policy: same-origin\r\n"
		 "Cross-Origin-Resource-Policy: same-origin\r\n"
		 "Referrer-Policy: no-referrer\r\n"
		 "X-Content-Type-Options: nosniff\r\n"
		 "X-Frame-Options: DENY\r\n"
		 "%s"
		 "Connection: close\r\n\r\n",
		 head->code, code_text(head->code), date, head->type, body_bytes,
		 head->policy ? head->policy : "default-src 'none'; frame-ancestors 'none'",
		 head->more ? head->more : "");
}

void exchange_answer(struct exchange *exchange, const struct answer_head *head, struct slice body)
{
	struct connection *connection = exchange->connection;

	if (connection != NULL) {
		connection->exchange = NULL;
		connection->phase = PHASE_ANSWERING;
		add_head(&connection->out, head, body.n);
		if (!exchange->is_head)
			buf_add(&connection->out, body);
		arm(connection->timer, connection->all->settings.patience_ms * ANSWER_PATIENCE);
		event_add(connection->writable, NULL); /* not from within who asked */
	}
	free(exchange);
}

/* ---- in ---- */

static void hand_over(struct connection *connection, int code, const struct request *request)
{
	struct connections *all = connection->all;
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->connection = connection;
	exchange->is_head = request->is_head;
	connection->exchange = exchange;
	connection->phase = PHASE_ASKED;
	event_del(connection->readable);
	arm(connection->timer, all->settings.patience_ms * ANSWER_PATIENCE);
	all->on_request(all->arg, exchange, code, request);
}

/* What comes after the request is left out: a connection serves one. */
static void take_bytes(struct connection *connection, size_t n)
{
	struct buf *in = &connection->in;
	struct request request = { 0 };
	size_t whole;
	int code;

	in->n = min(in->n + n, (size_t)MOST_REQUEST_BYTES);
	in->p[in->n] = '\0';
	code = request_read(buf_slice(in), &request, &whole);
	if (code == 0 && in->n == MOST_REQUEST_BYTES)
		code = TOO_LONG;
	if (code != 0)
		hand_over(connection, code, &request);
}

/* TLS_DONE: *ret_n bytes; those past the room of `in` are in the spill. */
static enum tls_turn receive(struct connection *connection, size_t *ret_n, struct err *err)
{
	struct buf *in = &connection->in;
	const size_t room = MOST_REQUEST_BYTES - in->n;
	const struct iovec parts[2] = { { buf_reserve(in, room), room },
					{ connection->all->spill, SPILL_BYTES } };

	return stream_read(&connection->stream, parts, ret_n, err);
}

static void read_request(struct connection *connection)
{
	struct err err = { 0 };
	size_t n = 0;

	while (connection->phase == PHASE_READING) {
		switch (receive(connection, &n, &err)) {
		case TLS_DONE:
			take_bytes(connection, n);
			break;
		case TLS_WANTS_READ:
			return;
		case TLS_WANTS_WRITE:
			event_add(connection->writable, NULL);
			return;
		case TLS_ENDED:
		case TLS_FAILED:
			connection_close(connection);
			return;
		}
	}
}

static void drain(struct connection *connection)
{
	const struct iovec parts[2] = { { connection->all->spill, SPILL_BYTES },
					{ connection->all->spill, SPILL_BYTES } };
	struct err err = { 0 };
	enum tls_turn turn;
	size_t n = 0;

	while ((turn = stream_read(&connection->stream, parts, &n, &err)) == TLS_DONE)
		if ((connection->drained += n) > MOST_DRAINED_BYTES)
			break;
	if (turn != TLS_WANTS_READ)
		connection_close(connection);
}

static void greet(struct connection *connection)
{
	struct err err = { 0 };

	switch (stream_handshake(&connection->stream, &err)) {
	case TLS_DONE:
		connection->phase = PHASE_READING;
		read_request(connection);
		break;
	case TLS_WANTS_READ:
		break;
	case TLS_WANTS_WRITE:
		event_add(connection->writable, NULL);
		break;
	case TLS_ENDED:
	case TLS_FAILED:
		if (log_may_repeat(&connection->all->failure_logged_ms, clock_monotonic_ms()))
			log_warning("status_handshake_failed peer=%s: %s", connection->peer,
				    err.text);
		connection_close(connection);
		break;
	}
}

/* The socket can be read, or written: what that is for is the phase's to say. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	(void)fd, (void)what;
	switch (connection->phase) {
	case PHASE_GREETING:
		greet(connection);
		break;
	case PHASE_READING:
		read_request(connection);
		break;
	case PHASE_ANSWERING:
		transmit(connection);
		break;
	case PHASE_DRAINING:
		drain(connection);
		break;
	case PHASE_ASKED:
	case PHASE_CLOSED:
		break;
	}
}

/* ---- who may come ---- */

/* The one that has been there longest without having asked; NULL: all have. */
static struct connection *eldest_idle(struct connections *all)
{
	struct connection *connection;

	TAILQ_FOREACH(connection, &all->open, link)
	if (connection->phase != PHASE_ASKED && connection->phase != PHASE_ANSWERING)
		return connection;
	return NULL;
}

static bool make_room(struct connections *all)
{
	struct connection *eldest;

	if (all->count < all->settings.most)
		return true;
	if (log_may_repeat(&all->full_logged_ms, clock_monotonic_ms()))
		log_warning("status connections=%zu: as many as status.max_connections allows; who "
			    "asks nothing makes room",
			    all->count);
	eldest = eldest_idle(all);
	if (eldest == NULL)
		return false;
	connection_close(eldest);
	return true;
}

void connections_add(struct connections *all, int fd, const struct tls *tls, const char *peer)
{
	struct connection *connection;

	if (!make_room(all)) {
		evutil_closesocket(fd);
		return;
	}
	connection = xcalloc(1, sizeof(*connection));
	connection->all = all;
	connection->phase = tls ? PHASE_GREETING : PHASE_READING;
	memcpy(connection->peer, peer, min(strlen(peer), sizeof(connection->peer) - 1));
	stream_open(&connection->stream, fd, tls);
	connection->readable = event_new(all->loop, fd, EV_READ | EV_PERSIST, on_ready, connection);
	connection->writable = event_new(all->loop, fd, EV_WRITE, on_ready, connection);
	connection->timer = event_new(all->loop, -1, 0, on_timer, connection);
	TAILQ_INSERT_TAIL(&all->open, connection, link);
	all->count++;
	event_add(connection->readable, NULL);
	arm(connection->timer, all->settings.patience_ms);
}

/* ---- birth and end ---- */

struct connections *connections_new(struct event_base *loop,
				    const struct connections_settings *settings,
				    exchange_fn *on_request, void *arg)
{
	struct connections *all = xcalloc(1, sizeof(*all));

	all->loop = loop;
	all->settings = *settings;
	all->on_request = on_request;
	all->arg = arg;
	all->sweep = event_new(loop, -1, 0, on_sweep, all);
	TAILQ_INIT(&all->open);
	TAILQ_INIT(&all->closed);
	return all;
}

void connections_free(struct connections **connections)
{
	struct connections *all = *connections;
	struct connection *connection;

	if (all == NULL)
		return;
	while ((connection = TAILQ_FIRST(&all->open)) != NULL)
		connection_close(connection);
	on_sweep(-1, 0, all);
	event_free(all->sweep);
	free_ptr(connections);
}
