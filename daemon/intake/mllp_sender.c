/* One outgoing MLLP link. Runs on the loop.
 *
 * Pacing is arithmetic on what the link was told and on the time; consider() is where it asks. A message
 * goes through the phases below; the connection is a wire, whose word each phase takes in its own way.
 */
#include "intake/mllp_sender.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/wire.h"
#include "hl7/mllp.h"
#include "hl7/zam.h"

enum {
	ANSWER_BYTES = 64 << 10, /* of an answer; an ACK has some hundred */
	SPARE_BYTES = 16 << 10,  /* that come with the end of it */
	CONTROL_ID = 24,
	ASK_AGAIN_MS = 100, /* who had nothing is asked again no sooner, however often poked */
};

#define NEVER_MS INT64_MAX

enum phase {
	PHASE_IDLE,    /* nothing is under way; may be connected */
	PHASE_ASKING,  /* for a message */
	PHASE_CALLING, /* the source, which may not be there */
	PHASE_WRITING,
	PHASE_READING,  /* the answer */
	PHASE_SETTLING, /* what became of the message is being written down */
};

struct mllp_sender {
	struct event_base *loop;
	const struct mllp_sender_settings *settings;
	struct mllp_sender_calls calls;
	struct tls *tls; /* NULL: plain */
	struct wire *wire;
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

	bool is_used; /* the connection has carried a message before this one */
	struct buf out, in;
	size_t seen;
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
	wire_hang_up(sender->wire);
	event_del(sender->patience);
	sender->is_used = false;
	buf_clear(&sender->in);
	sender->seen = 0;
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
	if (wire_is_open(sender->wire))
		arm(sender->patience, sender->settings->idle_ms);
	sender->calls.ended(sender->calls.arg, sent, sender->why);
}

static void call(struct mllp_sender *sender)
{
	sender->phase = PHASE_CALLING;
	arm(sender->patience, sender->settings->timeout_ms);
	wire_dial(sender->wire);
}

/* The connection is of no more use. Many a receiver closes after each message, or when nobody spoke
 * for a while: what was sent on a connection that had been used goes at once on a new one, under the
 * same MSH-10.
 */
static void break_off(struct mllp_sender *sender, const char *why)
{
	bool nothing_left = sender->phase <= PHASE_CALLING, was_used = sender->is_used;

	disconnect(sender);
	if (was_used)
		call(sender);
	else
		end_message(sender, nothing_left ? MLLP_SENT_NOT : MLLP_SENT_LOST, why);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_sender *sender = arg;

	(void)fd;
	(void)what;
	switch (sender->phase) {
	case PHASE_CALLING:
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

static void look_for_answer(struct mllp_sender *sender)
{
	struct slice payload;
	struct err err = { 0 };
	ssize_t n;

	buf_drop(&sender->in, sender->seen ? 0 : mllp_stray(buf_slice(&sender->in)));
	n = mllp_next(buf_slice(&sender->in), &sender->seen, &payload, &err);
	if (n > 0) {
		judge(sender, payload);
	} else if (n < 0 || sender->heard > ANSWER_BYTES) {
		sender->is_used = false;
		break_off(sender, n < 0 ? err.text : "the answer is too large");
	}
}

/* Where nothing is expected, the source is out of step. */
static void on_heard(void *arg, struct slice bytes)
{
	struct mllp_sender *sender = arg;

	if (sender->phase != PHASE_READING) {
		disconnect(sender);
		return;
	}
	buf_add(&sender->in, bytes);
	sender->heard += bytes.n;
	look_for_answer(sender);
}

static void on_sent(void *arg)
{
	struct mllp_sender *sender = arg;

	sender->phase = PHASE_READING;
}

static void begin_writing(struct mllp_sender *sender)
{
	sender->phase = PHASE_WRITING;
	buf_clear(&sender->in);
	sender->seen = sender->heard = 0;
	arm(sender->patience, sender->settings->timeout_ms);
	wire_send(sender->wire, buf_slice(&sender->out));
}

static void on_open(void *arg)
{
	begin_writing(arg);
}

static void on_ended(void *arg, const char *why)
{
	struct mllp_sender *sender = arg;

	switch (sender->phase) {
	case PHASE_CALLING:
	case PHASE_WRITING:
		break_off(sender, why[0] ? why : "the source left");
		break;
	case PHASE_READING:
		break_off(sender,
			  why[0] ? why : "the source closed the connection without an answer");
		break;
	case PHASE_IDLE:
	case PHASE_ASKING:
	case PHASE_SETTLING:
		disconnect(sender);
		break;
	}
}

void mllp_sender_send(struct mllp_sender *sender, struct slice message, const char *control_id)
{
	assert(sender->phase == PHASE_ASKING);
	buf_clear(&sender->out);
	mllp_wrap(message, &sender->out);
	snprintf(sender->control_id, sizeof(sender->control_id), "%s", control_id);
	if (sender->closed)
		sender->phase = PHASE_IDLE;
	else if (wire_is_open(sender->wire))
		begin_writing(sender);
	else
		call(sender);
}

/* ---- birth and end ---- */

int mllp_sender_new(struct mllp_sender **ret_sender, struct event_base *loop,
		    const struct mllp_sender_settings *settings,
		    const struct mllp_sender_calls *calls, struct err *err)
{
	scoped(mllp_sender_free) struct mllp_sender *sender = xcalloc(1, sizeof(*sender));
	const struct wire_calls wire = { on_open, on_sent, on_heard, on_ended, sender };
	struct address address;

	sender->loop = loop;
	sender->settings = settings;
	sender->calls = *calls;
	sender->due_ms = NEVER_MS;
	sender->in.limit = ANSWER_BYTES + SPARE_BYTES; /* never overfull */
	sender->alarm = event_new(loop, -1, 0, on_alarm, sender);
	sender->patience = event_new(loop, -1, 0, on_patience, sender);
	if (!address_parse(settings->address, &address))
		return err_set(err, ERR_HALT,
			       "'%s' is not an address and a port, such as 10.1.2.3:2576",
			       settings->address);
	if (wire_tls(&sender->tls, &settings->tls, settings->address, clock_now_ms(), err) < 0)
		return -1;
	sender->wire = wire_new(loop, &address, sender->tls, &wire);
	*ret_sender = take(sender);
	return 0;
}

void mllp_sender_close(struct mllp_sender *sender)
{
	sender->closed = true;
	if (sender->wire != NULL)
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
	wire_free(&s->wire);
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
		.connected = wire_is_open(sender->wire),
		.accepted = sender->accepted,
		.refused = sender->refused,
		.failed = sender->failed,
		.last_accepted_ms = sender->last_accepted_ms,
	};
}
