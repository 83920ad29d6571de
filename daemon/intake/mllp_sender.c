/* One outgoing MLLP link. Runs on the loop.
 *
 * Pacing is arithmetic on what the link was told and on the time; consider() is where it asks. The
 * connection goes through the phases below, and step() does what the phase it is in calls for,
 * whichever event came. Only dial(), receive(), transmit() and disconnect() touch the socket.
 */
#include "intake/mllp_sender.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "hl7/mllp.h"
#include "hl7/zam.h"

enum {
	ANSWER_BYTES = 64 << 10, /* of an answer; an ACK has some hundred */
	READ_BYTES = 4096,
	CONTROL_ID = 24,
	ASK_AGAIN_MS = 100, /* who had nothing is asked again no sooner, however often poked */
};

#define NEVER_MS INT64_MAX

enum phase {
	PHASE_IDLE,   /* nothing is under way; may be connected */
	PHASE_ASKING, /* for a message */
	PHASE_CONNECTING,
	PHASE_SHAKING, /* TLS */
	PHASE_WRITING,
	PHASE_READING,  /* the answer */
	PHASE_SETTLING, /* what became of the message is being written down */
};

struct mllp_sender {
	struct event_base *loop;
	const struct mllp_sender_settings *settings;
	struct mllp_sender_calls calls;
	struct address address;
	struct tls *tls; /* NULL: plain */
	enum phase phase;
	bool closed;
	struct event *alarm;    /* of the pacing */
	struct event *patience; /* of the connection */

	bool more;        /* there may be something to send */
	int64_t due_ms;   /* when there will be, by the owner's word */
	int64_t quiet_ms; /* not before: there was nothing a moment ago */
	unsigned failures;
	int64_t resumes_ms;
	char why[ERR_TEXT];
	uint64_t accepted, refused, failed;
	int64_t last_accepted_ms;

	int fd; /* -1: not connected */
	struct tls_session *session;
	struct event *readable, *writable;
	bool is_used; /* the connection has carried a message before this one */
	struct buf out, in;
	size_t written, seen;
	size_t heard; /* bytes since the message left, those outside a frame too */
	char control_id[CONTROL_ID];
};

static int64_t clock_of(const struct mllp_sender *sender)
{
	return sender->settings->clock_ms ? sender->settings->clock_ms() : clock_monotonic_ms();
}

static uint32_t chance_of(const struct mllp_sender *sender)
{
	return sender->settings->chance ? sender->settings->chance() : random_u32();
}

static void arm(struct event *event, int64_t wait_ms)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(event, &wait);
}

/* ---- when ---- */

int64_t mllp_sender_wakes_ms(const struct mllp_sender *sender)
{
	int64_t wakes_ms = max(sender->more ? 0 : sender->due_ms, sender->quiet_ms);

	if (sender->closed || sender->phase != PHASE_IDLE)
		return NEVER_MS;
	return sender->failures > 0 ? max(wakes_ms, sender->resumes_ms) : wakes_ms;
}

/* Asks for a message if it is time, or sets the alarm for when it will be. */
static void consider(struct mllp_sender *sender)
{
	const int64_t now_ms = clock_of(sender), wakes_ms = mllp_sender_wakes_ms(sender);

	event_del(sender->alarm);
	if (wakes_ms == NEVER_MS)
		return;
	if (now_ms < wakes_ms) {
		arm(sender->alarm, wakes_ms - now_ms);
		return;
	}
	sender->phase = PHASE_ASKING;
	sender->more = false;
	sender->due_ms = NEVER_MS;
	sender->calls.wants(sender->calls.arg);
}

void mllp_sender_wake(struct mllp_sender *sender)
{
	consider(sender);
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	consider(arg);
}

void mllp_sender_poke(struct mllp_sender *sender)
{
	sender->more = true;
	consider(sender);
}

void mllp_sender_nothing(struct mllp_sender *sender, int64_t wait_ms)
{
	const int64_t now_ms = clock_of(sender);

	assert(sender->phase == PHASE_ASKING);
	sender->phase = PHASE_IDLE;
	sender->due_ms = wait_ms < NEVER_MS - now_ms ? now_ms + wait_ms : NEVER_MS;
	sender->quiet_ms = now_ms + ASK_AGAIN_MS;
	consider(sender);
}

void mllp_sender_settled(struct mllp_sender *sender)
{
	assert(sender->phase == PHASE_SETTLING);
	sender->phase = PHASE_IDLE;
	mllp_sender_poke(sender);
}

/* ---- the connection ---- */

static void disconnect(struct mllp_sender *sender)
{
	if (sender->fd < 0)
		return;
	event_del(sender->patience);
	event_free(sender->readable);
	event_free(sender->writable);
	if (sender->session != NULL)
		tls_end(sender->session);
	tls_session_free(&sender->session);
	close(sender->fd);
	sender->fd = -1;
	sender->is_used = false;
	buf_clear(&sender->in);
	sender->seen = 0;
}

/* As tls_read(), over TLS or not. */
static enum tls_turn receive(struct mllp_sender *sender, char *to, size_t room, size_t *ret_n,
			     struct err *err)
{
	ssize_t n;

	if (sender->session != NULL)
		return tls_read(sender->session, to, room, ret_n, err);
	n = recv(sender->fd, to, room, 0);
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
static enum tls_turn transmit(struct mllp_sender *sender, struct slice bytes, size_t *ret_n,
			      struct err *err)
{
	ssize_t n;

	if (sender->session != NULL)
		return tls_write(sender->session, bytes, ret_n, err);
	n = send(sender->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
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
static void await(struct mllp_sender *sender, enum tls_turn turn)
{
	if (turn == TLS_WANTS_WRITE)
		event_del(sender->readable);
	else
		event_add(sender->readable, NULL);
	if (turn == TLS_WANTS_WRITE)
		event_add(sender->writable, NULL);
	else
		event_del(sender->writable);
}

/* ---- what became of a message ---- */

/* Pauses run on the clock that nobody sets; people read the other one. */
static int64_t resumes_by_wall_ms(const struct mllp_sender *sender)
{
	return clock_now_ms() + max(sender->resumes_ms - clock_of(sender), (int64_t)0);
}

static void log_move(const struct mllp_sender *sender, bool was_slowed)
{
	char resumes[CLOCK_TEXT];

	if (sender->failures > 0 && !was_slowed)
		log_warning("ack_link source=%s address=%s state=slowed resumes=%s: %s",
			    sender->settings->source, sender->settings->address,
			    clock_iso(resumes_by_wall_ms(sender), resumes), sender->why);
	if (sender->failures == 0 && was_slowed)
		log_info("ack_link source=%s address=%s state=open", sender->settings->source,
			 sender->settings->address);
}

/* Pauses after anything but AA, and hands the message back. */
static void end_message(struct mllp_sender *sender, enum mllp_sent sent, const char *why)
{
	const int64_t now_ms = clock_of(sender);
	bool was_slowed = sender->failures > 0;

	event_del(sender->patience);
	buf_clear(&sender->out);
	snprintf(sender->why, sizeof(sender->why), "%s", why);
	if (sent == MLLP_SENT_ACCEPTED) {
		sender->failures = 0;
		sender->accepted++;
		sender->last_accepted_ms = clock_now_ms();
	} else {
		sender->failures++;
		sender->resumes_ms = now_ms + retry_delay_ms(&sender->settings->retry,
							     sender->failures, chance_of(sender));
	}
	sender->refused += sent == MLLP_SENT_REFUSED;
	sender->failed += sent == MLLP_SENT_LOST || sent == MLLP_SENT_NOT;
	log_move(sender, was_slowed);
	sender->phase = PHASE_SETTLING;
	if (sender->fd >= 0)
		arm(sender->patience, sender->settings->idle_ms);
	sender->calls.ended(sender->calls.arg, sent, sender->why);
}

static void dial(struct mllp_sender *sender);

/* The connection is of no more use. Many a receiver closes after each message, or when nobody spoke
 * for a while: what was sent on a connection that had been used goes at once on a new one, under the
 * same MSH-10.
 */
static void break_off(struct mllp_sender *sender, const char *why)
{
	bool nothing_left = sender->phase <= PHASE_SHAKING, was_used = sender->is_used;

	disconnect(sender);
	if (was_used)
		dial(sender);
	else
		end_message(sender, nothing_left ? MLLP_SENT_NOT : MLLP_SENT_LOST, why);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_sender *sender = arg;

	(void)fd;
	(void)what;
	switch (sender->phase) {
	case PHASE_CONNECTING:
	case PHASE_SHAKING:
		sender->is_used = false; /* it had its time: no second try now */
		break_off(sender, "the source did not answer the call in time");
		break;
	case PHASE_WRITING:
	case PHASE_READING:
		sender->is_used = false;
		break_off(sender, "the source did not acknowledge in time");
		break;
	case PHASE_IDLE:
	case PHASE_ASKING:
	case PHASE_SETTLING:
		disconnect(sender);
		break;
	}
}

/* ---- phases ---- */

static void judge(struct mllp_sender *sender, struct slice answer)
{
	struct err why = { 0 };

	switch (zam_read_answer(answer, sender->control_id, &why)) {
	case ZAM_ACCEPTED:
		sender->is_used = true;
		end_message(sender, MLLP_SENT_ACCEPTED, "");
		break;
	case ZAM_REFUSED:
		sender->is_used = true;
		end_message(sender, MLLP_SENT_REFUSED, why.text);
		break;
	case ZAM_NOT_AN_ACK: /* whatever comes next on this connection would be in doubt too */
		sender->is_used = false;
		break_off(sender, why.text);
		break;
	}
}

/* Whether an answer was found, or can be no more. */
static bool find_answer(struct mllp_sender *sender)
{
	struct slice payload;
	struct err err = { 0 };
	ssize_t n;

	buf_drop(&sender->in, sender->seen ? 0 : mllp_stray(buf_slice(&sender->in)));
	n = mllp_next(buf_slice(&sender->in), &sender->seen, &payload, &err);
	if (n == 0 && sender->heard <= ANSWER_BYTES)
		return false;
	if (n <= 0) {
		sender->is_used = false;
		break_off(sender, n < 0 ? err.text : "the answer is too large");
	} else {
		judge(sender, payload);
	}
	return true;
}

static void read_answer(struct mllp_sender *sender)
{
	enum tls_turn turn = TLS_DONE;
	struct err err = { 0 };
	size_t n;

	while (turn == TLS_DONE) {
		char *to = buf_reserve(&sender->in, READ_BYTES);

		turn = receive(sender, to, READ_BYTES, &n, &err);
		if (turn != TLS_DONE)
			break;
		sender->in.n += n;
		sender->heard += n;
		if (find_answer(sender))
			return;
	}
	if (turn == TLS_ENDED)
		break_off(sender, "the source closed the connection without an answer");
	else if (turn == TLS_FAILED)
		break_off(sender, err.text);
	else
		await(sender, turn);
}

static void write_message(struct mllp_sender *sender)
{
	enum tls_turn turn = TLS_DONE;
	struct err err = { 0 };
	size_t n;

	while (sender->written < sender->out.n) {
		turn = transmit(sender, slice_from(buf_slice(&sender->out), sender->written), &n,
				&err);
		if (turn != TLS_DONE)
			break;
		sender->written += n;
	}
	if (turn == TLS_DONE) {
		sender->phase = PHASE_READING;
		await(sender, TLS_WANTS_READ);
	} else if (turn == TLS_FAILED || turn == TLS_ENDED) {
		break_off(sender, turn == TLS_FAILED ? err.text : "the source left");
	} else {
		await(sender, turn);
	}
}

static void begin_writing(struct mllp_sender *sender)
{
	sender->phase = PHASE_WRITING;
	sender->written = 0;
	buf_clear(&sender->in);
	sender->seen = sender->heard = 0;
	arm(sender->patience, sender->settings->timeout_ms);
	write_message(sender);
}

static void shake_hands(struct mllp_sender *sender)
{
	struct err err = { 0 };
	enum tls_turn turn = tls_handshake(sender->session, &err);

	if (turn == TLS_DONE)
		begin_writing(sender);
	else if (turn == TLS_FAILED || turn == TLS_ENDED)
		break_off(sender, err.text);
	else
		await(sender, turn);
}

static void finish_connecting(struct mllp_sender *sender)
{
	int trouble = 0;
	socklen_t bytes = sizeof(trouble);

	getsockopt(sender->fd, SOL_SOCKET, SO_ERROR, &trouble, &bytes);
	if (trouble != 0) {
		break_off(sender, strerrordesc_np(trouble));
		return;
	}
	if (sender->tls == NULL) {
		begin_writing(sender);
		return;
	}
	sender->phase = PHASE_SHAKING;
	sender->session = tls_session_new(sender->tls, sender->fd);
	shake_hands(sender);
}

/* Nothing is expected: whatever is heard, the source left or is out of step. */
static void listen_to_nothing(struct mllp_sender *sender)
{
	char byte;
	size_t n;
	struct err err = { 0 };
	enum tls_turn turn = receive(sender, &byte, 1, &n, &err);

	if (turn == TLS_DONE || turn == TLS_ENDED || turn == TLS_FAILED)
		disconnect(sender);
}

static void step(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_sender *sender = arg;

	(void)fd;
	(void)what;
	switch (sender->phase) {
	case PHASE_CONNECTING:
		finish_connecting(sender);
		break;
	case PHASE_SHAKING:
		shake_hands(sender);
		break;
	case PHASE_WRITING:
		write_message(sender);
		break;
	case PHASE_READING:
		read_answer(sender);
		break;
	case PHASE_IDLE:
	case PHASE_ASKING:
	case PHASE_SETTLING:
		listen_to_nothing(sender);
		break;
	}
}

static void dial(struct mllp_sender *sender)
{
	const struct sockaddr *to = (const struct sockaddr *)&sender->address.socket;
	const int on = 1;

	sender->phase = PHASE_CONNECTING;
	sender->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sender->fd < 0) {
		end_message(sender, MLLP_SENT_NOT, strerrordesc_np(errno));
		return;
	}
	setsockopt(sender->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	sender->readable = event_new(sender->loop, sender->fd, EV_READ | EV_PERSIST, step, sender);
	sender->writable = event_new(sender->loop, sender->fd, EV_WRITE | EV_PERSIST, step, sender);
	arm(sender->patience, sender->settings->timeout_ms);
	if (connect(sender->fd, to, sender->address.bytes) < 0 && errno != EINPROGRESS) {
		break_off(sender, strerrordesc_np(errno));
		return;
	}
	await(sender, TLS_WANTS_WRITE);
}

void mllp_sender_send(struct mllp_sender *sender, struct slice message, const char *control_id)
{
	assert(sender->phase == PHASE_ASKING);
	buf_clear(&sender->out);
	mllp_wrap(message, &sender->out);
	snprintf(sender->control_id, sizeof(sender->control_id), "%s", control_id);
	if (sender->closed)
		sender->phase = PHASE_IDLE;
	else if (sender->fd < 0)
		dial(sender);
	else
		begin_writing(sender);
}

/* ---- birth and end ---- */

int mllp_sender_tls(struct tls **ret_tls, const struct mllp_sender_settings *settings,
		    int64_t now_ms, struct err *err)
{
	struct tls_client_settings tls = settings->tls;
	struct slice host = slice_of(settings->address);
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

int mllp_sender_new(struct mllp_sender **ret_sender, struct event_base *loop,
		    const struct mllp_sender_settings *settings,
		    const struct mllp_sender_calls *calls, struct err *err)
{
	scoped(mllp_sender_free) struct mllp_sender *sender = xcalloc(1, sizeof(*sender));

	sender->loop = loop;
	sender->settings = settings;
	sender->calls = *calls;
	sender->fd = -1;
	sender->due_ms = NEVER_MS;
	sender->in.limit = ANSWER_BYTES + 4 * READ_BYTES; /* never overfull */
	sender->alarm = event_new(loop, -1, 0, on_alarm, sender);
	sender->patience = event_new(loop, -1, 0, on_patience, sender);
	if (!address_parse(settings->address, &sender->address))
		return err_set(err, ERR_HALT,
			       "'%s' is not an address and a port, such as 10.1.2.3:2576",
			       settings->address);
	if (mllp_sender_tls(&sender->tls, settings, clock_now_ms(), err) < 0)
		return -1;
	*ret_sender = take(sender);
	return 0;
}

void mllp_sender_close(struct mllp_sender *sender)
{
	sender->closed = true;
	disconnect(sender);
	event_del(sender->alarm);
	if (sender->phase != PHASE_ASKING && sender->phase != PHASE_SETTLING)
		sender->phase = PHASE_IDLE;
}

void mllp_sender_free(struct mllp_sender **sender)
{
	struct mllp_sender *s = *sender;

	if (s == NULL)
		return;
	mllp_sender_close(s);
	event_free(s->alarm);
	event_free(s->patience);
	tls_free(&s->tls);
	buf_done(&s->out);
	buf_done(&s->in);
	free_ptr(sender);
}

struct mllp_sender_figures mllp_sender_figures(const struct mllp_sender *sender)
{
	return (struct mllp_sender_figures){
		.source = sender->settings->source,
		.address = sender->settings->address,
		.state = sender->failures > 0 ? "slowed" : "open",
		.why = sender->why,
		.resumes_ms = sender->failures > 0 ? resumes_by_wall_ms(sender) : 0,
		.connected = sender->fd >= 0 && sender->phase != PHASE_CONNECTING &&
			     sender->phase != PHASE_SHAKING,
		.accepted = sender->accepted,
		.refused = sender->refused,
		.failed = sender->failed,
		.last_accepted_ms = sender->last_accepted_ms,
	};
}
