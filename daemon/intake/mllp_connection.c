/* What happens on one connection: frames come in, answers go out in order, and the peer's patience
 * with us, and ours with it, has an end. And what the connections of one listener share: the limit of
 * the bytes in flight.
 *
 * Runs on the loop. A connection reads into one buffer of its own; a frame that fills it is handed
 * over with the buffer, so that a large message is not copied on its way.
 */
#include "intake/mllp_connection.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stream.h"
#include "hl7/mllp.h"

enum {
	LEAST_ROOM = 2 << 10,  /* what a connection that says little costs */
	READ_BYTES = 64 << 10, /* of one read: into the buffer, and as much again beside it */
	EXCERPT_BYTES = 64 << 10,
	MOST_PIPELINED = 64, /* frames of one connection not answered yet */
	MOST_UNSENT_BYTES = 64 << 10,
	DRAIN_MS = 5000,
	HANDSHAKE_MS = 10000,
};

enum phase {
	PHASE_GREETING, /* the handshake of TLS */
	PHASE_READING,
	PHASE_ENDING,   /* takes no more frames; what was handed over is still answered */
	PHASE_DRAINING, /* all is said: reads and forgets, lest a reset overtake the last answer */
	PHASE_CLOSED,   /* waits for the sweep */
};

struct mllp_connection {
	LIST_ENTRY(mllp_connection) link;
	struct mllp_hall *hall;
	enum phase phase;
	struct stream stream;
	struct event *readable, *writable, *timer;
	char peer[64];

	struct buf in;  /* begins with the frame that is not complete yet */
	size_t seen;    /* of it, by mllp_next() */
	size_t counted; /* of it, in hall->in_flight */
	bool in_frame;
	size_t stray; /* bytes outside any frame */
	bool held;    /* `in` may hold a whole frame, that waits for answers to those before it */
	size_t drained;

	struct mllp_arrival *first, **last; /* in the order they came */
	size_t unanswered;                  /* in that list */
	struct buf out;

	/* by the hall's patience_ms() */
	int64_t quiet_since_ms, frame_since_ms;
};

LIST_HEAD(connection_list, mllp_connection);

struct mllp_hall {
	struct event_base *loop;
	const struct mllp_settings *settings;
	mllp_arrival_fn *on_arrival;
	void *arg;
	struct mllp_figures figures;

	struct event *sweep;
	struct connection_list connections, closed;

	size_t unanswered; /* arrivals, those of connections that are gone too */
	bool full, stalled;
	int64_t stalled_since_ms, stalled_ms;
	struct mllp_connection *eldest;
	int64_t handshake_logged_ms;
	bool freed; /* stays for arrivals that are not answered yet */

	char spill[READ_BYTES]; /* what a read brings past a connection's own buffer */
};

/* ---- time and limits ---- */

/* A clock that stands still while nothing is read because we are slow: a sender is not blamed for
 * waiting on us.
 */
static int64_t patience_ms(const struct mllp_hall *hall)
{
	return (hall->stalled ? hall->stalled_since_ms : clock_monotonic_ms()) - hall->stalled_ms;
}

static void hall_stall(struct mllp_hall *hall, bool stalled)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (stalled == hall->stalled)
		return;
	if (stalled)
		hall->stalled_since_ms = now_ms;
	else
		hall->stalled_ms += now_ms - hall->stalled_since_ms;
	hall->stalled = stalled;
}

static bool may_take_frame(const struct mllp_connection *connection)
{
	return connection->unanswered < MOST_PIPELINED && connection->out.n < MOST_UNSENT_BYTES;
}

static bool may_read(const struct mllp_connection *connection)
{
	const struct mllp_hall *hall = connection->hall;

	return may_take_frame(connection) && (!hall->full || hall->eldest == connection);
}

/* Has the socket watched for what the connection waits for. */
static void connection_pace(struct mllp_connection *connection)
{
	bool reads = connection->phase == PHASE_GREETING || connection->phase == PHASE_DRAINING ||
		     (connection->phase == PHASE_READING && may_read(connection));

	if (connection->phase == PHASE_CLOSED)
		return;
	if (reads)
		event_add(connection->readable, NULL);
	else
		event_del(connection->readable);
	if (connection->held && may_take_frame(connection))
		event_active(connection->readable, EV_READ, 0);
}

static void resume_reading(struct mllp_hall *hall)
{
	struct mllp_connection *connection;

	for (connection = LIST_FIRST(&hall->connections); connection != NULL;
	     connection = LIST_NEXT(connection, link))
		connection_pace(connection);
}

static struct mllp_connection *connection_of_eldest_frame(const struct mllp_hall *hall)
{
	struct mllp_connection *connection, *eldest = NULL;

	for (connection = LIST_FIRST(&hall->connections); connection != NULL;
	     connection = LIST_NEXT(connection, link))
		if (connection->in_frame &&
		    (eldest == NULL || connection->frame_since_ms < eldest->frame_since_ms))
			eldest = connection;
	return eldest;
}

/* After the bytes in flight have changed. At the limit nobody is read, but for one case: when it is
 * all unfinished frames, no answer will ever make room, so the frame that began first goes on.
 */
static void hall_pace(struct mllp_hall *hall)
{
	bool full = hall->figures.in_flight_bytes >= hall->settings->most_in_flight_bytes;
	bool was_full = hall->full;

	hall->full = full;
	hall_stall(hall, full && hall->unanswered > 0);
	if (!full)
		hall->eldest = NULL;
	if (was_full && !full)
		resume_reading(hall);
	if (full && hall->unanswered == 0 && hall->eldest == NULL) {
		hall->eldest = connection_of_eldest_frame(hall);
		if (hall->eldest != NULL)
			connection_pace(hall->eldest);
	}
}

static void connection_count(struct mllp_connection *connection)
{
	connection->hall->figures.in_flight_bytes += connection->in.n;
	connection->hall->figures.in_flight_bytes -= connection->counted;
	connection->counted = connection->in.n;
}

static void frame_ended(struct mllp_connection *connection)
{
	connection->in_frame = false;
	connection->seen = 0;
	if (connection->hall->eldest == connection)
		connection->hall->eldest = NULL;
}

static void arm(struct event *timer, int64_t wait_ms)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(timer, &wait);
}

/* ---- phases ---- */

static void connection_enter(struct mllp_connection *connection, enum phase phase, const char *why)
{
	static const char *const names[] = {
		[PHASE_GREETING] = "greeting", [PHASE_READING] = "reading",
		[PHASE_ENDING] = "ending",     [PHASE_DRAINING] = "draining",
		[PHASE_CLOSED] = "closed",
	};

	connection->phase = phase;
	log_debug("mllp_connection listener=%s peer=%s phase=%s: %s",
		  connection->hall->settings->name, connection->peer, names[phase], why);
}

static void forget_input(struct mllp_connection *connection)
{
	buf_done(&connection->in);
	connection_count(connection);
	connection->held = false;
	frame_ended(connection);
}

static void arrival_free(struct mllp_arrival *arrival)
{
	buf_done(&arrival->payload);
	buf_done(&arrival->answer);
	free(arrival);
}

/* Arrivals not answered yet live on without their connection. */
static void forget_arrivals(struct mllp_connection *connection)
{
	struct mllp_arrival *arrival, *next;

	for (arrival = connection->first; arrival != NULL; arrival = next) {
		next = arrival->next;
		arrival->connection = NULL;
		if (arrival->answered)
			arrival_free(arrival);
	}
	connection->first = NULL;
	connection->last = &connection->first;
	connection->unanswered = 0;
}

/* Bytes outside a frame are skipped; who sends nothing else waits for an answer in vain. */
static void tell_stray(struct mllp_connection *connection)
{
	if (connection->stray > 0)
		log_warning(
			"mllp_stray listener=%s peer=%s bytes=%zu: skipped, they were in no frame",
			connection->hall->settings->name, connection->peer, connection->stray);
	connection->stray = 0;
}

static void connection_close(struct mllp_connection *connection, const char *why)
{
	struct mllp_hall *hall = connection->hall;

	tell_stray(connection);
	connection_enter(connection, PHASE_CLOSED, why);
	event_del(connection->readable);
	event_del(connection->writable);
	event_del(connection->timer);
	stream_close(&connection->stream);
	forget_input(connection);
	forget_arrivals(connection);
	buf_done(&connection->out);
	LIST_REMOVE(connection, link);
	LIST_INSERT_HEAD(&hall->closed, connection, link);
	hall->figures.connections--;
	event_active(hall->sweep, EV_TIMEOUT, 0);
}

static void connection_end(struct mllp_connection *connection, const char *why)
{
	tell_stray(connection);
	connection_enter(connection, PHASE_ENDING, why);
	forget_input(connection);
}

/* Closing with bytes unread makes the kernel send a reset, and a reset makes the peer's kernel
 * throw away what it has not read: our answer. So our end is shut, and the peer's is read out.
 */
static void connection_drain(struct mllp_connection *connection)
{
	connection_enter(connection, PHASE_DRAINING, "answered");
	stream_end(&connection->stream);
	connection->quiet_since_ms = patience_ms(connection->hall);
	arm(connection->timer, min(connection->hall->settings->idle_ms, (int64_t)DRAIN_MS));
}

static void connection_free(struct mllp_connection *connection)
{
	event_free(connection->readable);
	event_free(connection->writable);
	event_free(connection->timer);
	free(connection);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_hall *hall = arg;
	struct mllp_connection *connection;

	(void)fd;
	(void)what;
	while ((connection = LIST_FIRST(&hall->closed)) != NULL) {
		LIST_REMOVE(connection, link);
		connection_free(connection);
	}
}

/* ---- answers ---- */

static void transmit(struct mllp_connection *connection)
{
	struct buf *out = &connection->out;
	struct err err = { 0 };
	size_t n = 0;

	while (out->n > 0) {
		switch (stream_write(&connection->stream, buf_slice(out), &n, &err)) {
		case TLS_DONE:
			buf_drop(out, n);
			connection->quiet_since_ms = patience_ms(connection->hall);
			break;
		case TLS_WANTS_WRITE:
			event_add(connection->writable, NULL);
			return;
		case TLS_WANTS_READ: /* what is read next leads back here */
			return;
		case TLS_ENDED:
			connection_close(connection, "the peer left");
			return;
		case TLS_FAILED:
			connection_close(connection, err.text);
			return;
		}
	}
}

/* Those that nothing before them holds up. */
static void release_answers(struct mllp_connection *connection)
{
	struct mllp_arrival *arrival;

	while ((arrival = connection->first) != NULL && arrival->answered) {
		connection->first = arrival->next;
		if (connection->first == NULL)
			connection->last = &connection->first;
		connection->unanswered--;
		if (arrival->answer.n > 0)
			mllp_wrap(buf_slice(&arrival->answer), &connection->out);
		arrival_free(arrival);
	}
}

/* What follows from any change: answers go out, the end is reached, reading stops or goes on. */
static void connection_settle(struct mllp_connection *connection)
{
	release_answers(connection);
	transmit(connection);
	if (connection->phase == PHASE_ENDING && connection->first == NULL &&
	    connection->out.n == 0)
		connection_drain(connection);
	connection_pace(connection);
	hall_pace(connection->hall);
}

static void hall_done(struct mllp_hall *hall)
{
	if (hall->freed && hall->unanswered == 0)
		free(hall);
}

void mllp_arrival_answer(struct mllp_arrival *arrival, struct slice ack)
{
	struct mllp_hall *hall = arrival->hall;
	struct mllp_connection *connection = arrival->connection;

	hall->unanswered--;
	hall->figures.in_flight_bytes -= arrival->bytes;
	if (connection == NULL) {
		arrival_free(arrival);
		hall_pace(hall);
	} else {
		buf_add(&arrival->answer, ack);
		buf_done(&arrival->payload);
		arrival->answered = true;
		connection_settle(connection);
	}
	hall_done(hall);
}

/* ---- frames ---- */

static void hand_over(struct mllp_connection *connection, struct mllp_arrival *arrival)
{
	struct mllp_hall *hall = connection->hall;

	arrival->hall = hall;
	arrival->connection = connection;
	arrival->listener = hall->settings;
	memcpy(arrival->peer, connection->peer, sizeof(arrival->peer));
	/* the struct too: frames may be empty, and as many as the sender likes */
	arrival->bytes = arrival->payload.n + sizeof(*arrival);
	*connection->last = arrival;
	connection->last = &arrival->next;
	connection->unanswered++;
	hall->unanswered++;
	hall->figures.in_flight_bytes += arrival->bytes;
	hall->on_arrival(hall->arg, arrival);
}

/* Takes the payload out of the buffer, and the frame off its start: of the payload and what follows
 * the frame, the larger one keeps the buffer and the other one is copied.
 */
static void take_payload(struct buf *in, size_t *start, struct slice payload, size_t frame_bytes,
			 struct buf *ret_payload)
{
	struct slice rest = slice_from(buf_slice(in), *start + frame_bytes);
	size_t offset = (size_t)(payload.p - in->p);
	struct buf next = { .limit = in->limit };

	if (rest.n > payload.n) {
		buf_add(ret_payload, payload);
		*start += frame_bytes;
		return;
	}
	if (rest.n > 0)
		buf_add(&next, rest);
	*ret_payload = *in;
	ret_payload->limit = 0;
	ret_payload->n = offset + payload.n;
	buf_drop(ret_payload, offset);
	ret_payload->p[payload.n] = '\0';
	*in = next;
	*start = 0;
}

static void frame_is_broken(struct mllp_connection *connection, struct slice frame,
			    const struct err *err)
{
	struct mllp_arrival *arrival = xcalloc(1, sizeof(*arrival));
	struct slice payload = slice_from(frame, 1);

	arrival->framing = *err;
	payload.n = min(payload.n, (size_t)EXCERPT_BYTES);
	buf_add(&arrival->payload, payload);
	connection->hall->figures.broken_frames++;
	log_warning("mllp_frame_broken listener=%s peer=%s: %s", connection->hall->settings->name,
		    connection->peer, err->text);
	connection_end(connection, err->text);
	hand_over(connection, arrival);
}

static void frame_is_whole(struct mllp_connection *connection, size_t *start, struct slice payload,
			   size_t frame_bytes)
{
	struct mllp_arrival *arrival = xcalloc(1, sizeof(*arrival));

	take_payload(&connection->in, start, payload, frame_bytes, &arrival->payload);
	frame_ended(connection);
	connection_count(connection);
	connection->hall->figures.messages++;
	connection->hall->figures.last_message_ms = clock_now_ms();
	hand_over(connection, arrival);
}

/* Bytes of payload so far, of a frame that may lack its end. */
static size_t payload_so_far(struct slice frame)
{
	size_t n = frame.n - 1;

	return n > 0 && frame.p[n] == MLLP_FS ? n - 1 : n;
}

static int find_frame(struct mllp_connection *connection, struct slice in, ssize_t *ret_frame_bytes,
		      struct slice *ret_payload, struct err *err)
{
	const uint64_t most = connection->hall->settings->most_message_bytes;
	ssize_t n = mllp_next(in, &connection->seen, ret_payload, err);

	if (n < 0)
		return -1;
	if ((n > 0 ? ret_payload->n : payload_so_far(in)) > most)
		return err_refuse(err, REASON_TOO_LARGE, "",
				  "the message is larger than the %" PRIu64
				  " bytes this listener takes",
				  most);
	*ret_frame_bytes = n;
	return 0;
}

/* Hands over the frame at *start of the buffer, if it is whole and its turn has come. */
static bool take_frame(struct mllp_connection *connection, size_t *start)
{
	struct slice in = slice_from(buf_slice(&connection->in), *start), payload = { 0 };
	const size_t stray = mllp_stray(in);
	struct err err = { 0 };
	ssize_t frame_bytes = 0;

	connection->hall->figures.stray_bytes += stray;
	connection->stray += stray;
	*start += stray;
	in = slice_from(in, stray);
	connection->held = in.n > 0 && !may_take_frame(connection);
	if (in.n == 0 || connection->held)
		return false;
	if (!connection->in_frame)
		connection->frame_since_ms = patience_ms(connection->hall);
	connection->in_frame = true;
	if (find_frame(connection, in, &frame_bytes, &payload, &err) < 0)
		frame_is_broken(connection, in, &err);
	else if (frame_bytes > 0)
		frame_is_whole(connection, start, payload, (size_t)frame_bytes);
	return frame_bytes > 0;
}

static void take_frames(struct mllp_connection *connection)
{
	size_t start = 0;

	while (connection->phase == PHASE_READING && take_frame(connection, &start))
		;
	buf_drop(&connection->in, start);
	if (connection->in.n == 0)
		buf_done(&connection->in);
	connection_count(connection);
}

/* ---- the socket ---- */

/* Into the connection's buffer, and past its end into the spill, so that a quiet connection keeps
 * little and a fast one reads much at once.
 */
static enum tls_turn receive(struct mllp_connection *connection, struct err *err)
{
	struct mllp_hall *hall = connection->hall;
	struct buf *in = &connection->in;
	struct iovec parts[2] = { { 0 }, { hall->spill, sizeof(hall->spill) } };
	enum tls_turn turn;
	size_t own, n = 0;

	/* a frame at its limit, CR and two reads: never overfull */
	in->limit = max(in->limit, (size_t)hall->settings->most_message_bytes + 4 * READ_BYTES);
	parts[0].iov_base = buf_reserve(in, LEAST_ROOM);
	parts[0].iov_len = min(in->room - in->n - 1, (size_t)READ_BYTES);
	turn = stream_read(&connection->stream, parts, &n, err);
	if (turn != TLS_DONE)
		return turn;
	own = min(parts[0].iov_len, n);
	in->n += own;
	in->p[in->n] = '\0';
	buf_add(in, (struct slice){ hall->spill, n - own });
	return TLS_DONE;
}

static void frame_is_cut(struct mllp_connection *connection, const char *why)
{
	if (!connection->in_frame)
		return;
	connection->hall->figures.broken_frames++;
	log_warning("mllp_frame_cut listener=%s peer=%s: %s", connection->hall->settings->name,
		    connection->peer, why);
}

static void read_frames(struct mllp_connection *connection)
{
	struct err err = { 0 };

	if (connection->held)
		take_frames(connection);
	if (connection->phase != PHASE_READING || !may_read(connection))
		return;
	switch (receive(connection, &err)) {
	case TLS_DONE:
		connection->quiet_since_ms = patience_ms(connection->hall);
		take_frames(connection);
		break;
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE:
		break;
	case TLS_ENDED:
		frame_is_cut(connection, "the peer ended the connection");
		connection_end(connection, "the peer ended");
		break;
	case TLS_FAILED:
		frame_is_cut(connection, err.text);
		connection_close(connection, err.text);
		break;
	}
}

/* Any port is knocked at by who means another one, again and again: the journal need not hold each.
 */
static void handshake_failed(struct mllp_connection *connection, const char *why)
{
	struct mllp_hall *hall = connection->hall;

	hall->figures.failed_handshakes++;
	if (log_may_repeat(&hall->handshake_logged_ms, clock_monotonic_ms()))
		log_warning("mllp_handshake_failed listener=%s peer=%s: %s", hall->settings->name,
			    connection->peer, why);
	connection_close(connection, why);
}

static void greet(struct mllp_connection *connection)
{
	const struct tls_session *tls = connection->stream.tls;
	char name[TLS_PEER], why[TLS_PEER + 64];
	struct err err = { 0 };

	switch (stream_handshake(&connection->stream, &err)) {
	case TLS_DONE:
		snprintf(why, sizeof(why), "%s certificate=\"%s\"", tls_version(tls),
			 tls_peer(tls, name));
		connection->quiet_since_ms = patience_ms(connection->hall);
		connection_enter(connection, PHASE_READING, why);
		break;
	case TLS_WANTS_READ:
		break;
	case TLS_WANTS_WRITE:
		event_add(connection->writable, NULL);
		break;
	case TLS_ENDED:
	case TLS_FAILED:
		handshake_failed(connection, err.text);
		break;
	}
}

static void discard(struct mllp_connection *connection)
{
	struct mllp_hall *hall = connection->hall;
	ssize_t n = recv(connection->stream.fd, hall->spill, sizeof(hall->spill), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	connection->drained += n > 0 ? (size_t)n : 0;
	if (n <= 0)
		connection_close(connection, "drained");
	else if (connection->drained > hall->settings->most_message_bytes)
		connection_close(connection, "the peer goes on and on");
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_connection *connection = arg;

	(void)fd;
	(void)what;
	switch (connection->phase) {
	case PHASE_GREETING:
		greet(connection);
		break;
	case PHASE_READING:
		read_frames(connection);
		break;
	case PHASE_DRAINING:
		discard(connection);
		break;
	case PHASE_ENDING:
	case PHASE_CLOSED:
		break;
	}
	connection_settle(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_connection *connection = arg;

	(void)fd;
	(void)what;
	if (connection->phase == PHASE_GREETING)
		greet(connection);
	connection_settle(connection);
}

/* ---- patience ---- */

/* When, by patience_ms(), the peer has had time enough. INT64_MAX: it waits on us. */
static int64_t connection_deadline(const struct mllp_connection *connection)
{
	const int64_t idle_ms = connection->hall->settings->idle_ms;

	switch (connection->phase) {
	case PHASE_GREETING:
		return connection->quiet_since_ms + min(idle_ms, (int64_t)HANDSHAKE_MS);
	case PHASE_READING:
		if (connection->out.n > 0)
			break;
		if (connection->in_frame && !connection->held)
			return connection->frame_since_ms + idle_ms;
		if (connection->unanswered > 0 || connection->hall->full)
			return INT64_MAX;
		break;
	case PHASE_ENDING:
		if (connection->out.n == 0)
			return INT64_MAX;
		break;
	case PHASE_DRAINING:
		return connection->quiet_since_ms + min(idle_ms, (int64_t)DRAIN_MS);
	case PHASE_CLOSED:
		return INT64_MAX;
	}
	return connection->quiet_since_ms + idle_ms;
}

static void connection_is_late(struct mllp_connection *connection)
{
	static const char why[] = "the frame did not end within the idle limit";

	if (connection->phase == PHASE_GREETING) {
		handshake_failed(connection, "the peer did not end it in time");
		return;
	}
	if (connection->phase != PHASE_READING || !connection->in_frame || connection->out.n > 0) {
		connection_close(connection, "idle");
		return;
	}
	frame_is_cut(connection, why);
	connection_end(connection, why);
	arm(connection->timer, connection->hall->settings->idle_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_connection *connection = arg;
	struct mllp_hall *hall = connection->hall;
	int64_t deadline_ms = connection_deadline(connection);
	int64_t now_ms = patience_ms(hall);

	(void)fd;
	(void)what;
	if (deadline_ms > now_ms) {
		arm(connection->timer, hall->stalled || deadline_ms == INT64_MAX
					       ? hall->settings->idle_ms
					       : deadline_ms - now_ms);
		return;
	}
	connection_is_late(connection);
	connection_settle(connection);
}

/* ---- birth and end ---- */

void mllp_connection_new(struct mllp_hall *hall, int fd, const struct tls *tls,
			 const char peer[static 64])
{
	struct mllp_connection *connection = xcalloc(1, sizeof(*connection));
	const int on = 1;

	/* a pipelined answer is small and must not wait for the one before it to be confirmed */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->hall = hall;
	stream_open(&connection->stream, fd, tls);
	memcpy(connection->peer, peer, sizeof(connection->peer));
	connection->last = &connection->first;
	connection->readable =
		event_new(hall->loop, fd, EV_READ | EV_PERSIST, on_readable, connection);
	connection->writable = event_new(hall->loop, fd, EV_WRITE, on_writable, connection);
	connection->timer = event_new(hall->loop, -1, 0, on_timer, connection);
	connection->quiet_since_ms = patience_ms(hall);
	LIST_INSERT_HEAD(&hall->connections, connection, link);
	hall->figures.connections++;
	connection_enter(connection, tls ? PHASE_GREETING : PHASE_READING, "accepted");
	arm(connection->timer, connection_deadline(connection) - connection->quiet_since_ms);
	connection_pace(connection);
}

struct mllp_hall *mllp_hall_new(struct event_base *loop, const struct mllp_settings *settings,
				mllp_arrival_fn *on_arrival, void *arg)
{
	struct mllp_hall *hall = xcalloc(1, sizeof(*hall));

	hall->loop = loop;
	hall->settings = settings;
	hall->on_arrival = on_arrival;
	hall->arg = arg;
	hall->figures.name = settings->name;
	LIST_INIT(&hall->connections);
	LIST_INIT(&hall->closed);
	hall->sweep = event_new(loop, -1, 0, on_sweep, hall);
	return hall;
}

void mllp_hall_follow(struct mllp_hall *hall, const struct mllp_settings *settings)
{
	hall->settings = settings;
	hall->figures.name = settings->name;
	hall_pace(hall); /* there may be room now */
}

void mllp_hall_close(struct mllp_hall *hall)
{
	struct mllp_connection *connection, *next;

	for (connection = LIST_FIRST(&hall->connections); connection != NULL; connection = next) {
		next = LIST_NEXT(connection, link);
		if (connection->phase == PHASE_GREETING)
			connection_close(connection, "shutting down");
		if (connection->phase != PHASE_READING)
			continue;
		connection_end(connection, "shutting down");
		connection_settle(connection);
	}
}

void mllp_hall_free(struct mllp_hall **hall)
{
	struct mllp_hall *h = *hall;
	struct mllp_connection *connection;

	if (h == NULL)
		return;
	while ((connection = LIST_FIRST(&h->connections)) != NULL) {
		discard(connection); /* or the last answer may be lost: see connection_drain() */
		if (connection->phase != PHASE_CLOSED)
			connection_close(connection, "shutting down");
	}
	on_sweep(-1, 0, h);
	event_free(h->sweep);
	h->freed = true;
	hall_done(h);
	*hall = NULL;
}

struct mllp_figures *mllp_hall_figures(struct mllp_hall *hall)
{
	return &hall->figures;
}
