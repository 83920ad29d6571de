/* The way to a syslog collector. Runs on the loop.
 *
 * Pages of rows go through the phases below; beside them, while there is a connection, a pulse looks at how far
 * the other machine is.
 */
#include "dispatch/collector.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/wire.h"

enum { PULSE_LEAST_MS = 10, PULSES = 4 /* in the time that something may take */ };

enum phase {
	PHASE_OFF, /* not begun, or closed */
	PHASE_IDLE,
	PHASE_ASKING, /* for rows */
	PHASE_CALLING,
	PHASE_SENDING,
};

struct collector {
	struct event_base *loop;
	const struct collector_settings *settings;
	struct collector_calls calls;
	struct tls *tls;
	struct wire *wire;
	enum phase phase;
	struct event
		*alarm; /* the end of a pause, or of patience with who does not answer the call */
	struct event *pulse;

	bool more;              /* there may be something to send */
	struct slice page;      /* borrowed */
	uint64_t page_last;     /* its last row */
	uint64_t sent, arrived; /* rows */

	/* of the connection */
	struct mark {
		uint64_t row;  /* handed over by then; 0: none is looked after */
		uint64_t upto; /* it has arrived once so many bytes are acknowledged, */
		int64_t at_ms; /* and this is long enough ago */
	} mark;
	uint64_t acknowledged;
	int64_t moved_ms; /* when the other machine last took something, or had nothing to take */
	int64_t sent_ms;  /* when something was last handed over */

	unsigned failures;
	int64_t resumes_ms, failing_since_ms;
	char why[ERR_TEXT];
	uint64_t failed;
	int64_t last_arrived_ms;
};

static void arm(struct event *event, int64_t wait_ms)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(event, &wait);
}

static void arm_pulse(struct collector *collector)
{
	const struct collector_settings *settings = collector->settings;
	int64_t shortest_ms = min(settings->settle_ms, settings->timeout_ms);

	shortest_ms = min(shortest_ms, settings->idle_ms);
	arm(collector->pulse, max(shortest_ms / PULSES, (int64_t)PULSE_LEAST_MS));
}

/* ---- when ---- */

static void consider(struct collector *collector)
{
	const int64_t wait_ms = collector->resumes_ms - clock_monotonic_ms();

	if (collector->phase != PHASE_IDLE || !collector->more)
		return;
	if (collector->failures > 0 && wait_ms > 0) {
		arm(collector->alarm, wait_ms);
		return;
	}
	collector->phase = PHASE_ASKING;
	collector->more = false;
	collector->calls.wants(collector->calls.arg, collector->sent);
}

void collector_poke(struct collector *collector)
{
	collector->more = true;
	consider(collector);
}

void collector_nothing(struct collector *collector)
{
	if (collector->phase != PHASE_ASKING)
		return; /* it was closed */
	collector->phase = PHASE_IDLE;
	consider(collector);
}

void collector_begin(struct collector *collector, uint64_t arrived)
{
	assert(collector->phase == PHASE_OFF);
	collector->sent = collector->arrived = arrived;
	collector->phase = PHASE_IDLE;
	collector_poke(collector);
}

/* ---- what becomes of a connection ---- */

static void hang_up(struct collector *collector)
{
	wire_hang_up(collector->wire);
	event_del(collector->alarm);
	event_del(collector->pulse);
	collector->mark = (struct mark){ 0 };
	collector->page = (struct slice){ 0 };
}

/* Pauses run on the clock that nobody sets; people read the other one. */
static int64_t resumes_by_wall_ms(const struct collector *collector)
{
	return clock_now_ms() + max(collector->resumes_ms - clock_monotonic_ms(), (int64_t)0);
}

static void log_slowed(const struct collector *collector)
{
	char resumes[CLOCK_TEXT];

	log_warning("audit_collector address=%s state=slowed after_row=%" PRIu64 " resumes=%s: %s",
		    collector->settings->address, collector->arrived,
		    clock_iso(resumes_by_wall_ms(collector), resumes), collector->why);
}

/* All that has not arrived goes again. */
static void break_off(struct collector *collector, const char *why)
{
	const int64_t now_ms = clock_monotonic_ms();
	const bool was_asking = collector->phase == PHASE_ASKING;
	const bool is_news = collector->failures == 0 || strcmp(why, collector->why) != 0;

	hang_up(collector);
	snprintf(collector->why, sizeof(collector->why), "%s", why);
	collector->failed++;
	if (collector->failures++ == 0)
		collector->failing_since_ms = now_ms;
	collector->resumes_ms = now_ms + retry_delay_ms(&collector->settings->retry,
							collector->failures, random_u32());
	if (is_news)
		log_slowed(collector);
	collector->sent = collector->arrived;
	collector->more = true;
	if (was_asking)
		return; /* what comes is for another connection */
	collector->phase = PHASE_IDLE;
	consider(collector);
}

static void have_arrived(struct collector *collector)
{
	collector->arrived = collector->mark.row;
	collector->mark.row = 0;
	collector->last_arrived_ms = clock_now_ms();
	if (collector->failures > 0)
		log_info("audit_collector address=%s state=open", collector->settings->address);
	collector->failures = 0;
	collector->why[0] = '\0';
	collector->calls.arrived(collector->calls.arg, collector->arrived);
}

/* ---- the pulse ---- */

static void set_mark(struct collector *collector, const struct wire_progress *progress)
{
	if (collector->mark.row != 0 || collector->sent == collector->arrived)
		return;
	collector->mark = (struct mark){ .row = collector->sent,
					 .upto = progress->acknowledged + progress->waiting,
					 .at_ms = collector->sent_ms };
}

static bool has_settled(const struct collector *collector, const struct wire_progress *progress,
			int64_t now_ms)
{
	const struct mark *mark = &collector->mark;

	return mark->row != 0 && now_ms - mark->at_ms >= collector->settings->settle_ms &&
	       (progress->acknowledged >= mark->upto || progress->waiting == 0);
}

static void look_at(struct collector *collector, const struct wire_progress *progress,
		    int64_t now_ms)
{
	const struct collector_settings *settings = collector->settings;

	if (progress->acknowledged != collector->acknowledged || progress->waiting == 0)
		collector->moved_ms = now_ms;
	collector->acknowledged = progress->acknowledged;
	if (now_ms - collector->moved_ms >= settings->timeout_ms) {
		break_off(collector, "the collector takes nothing");
		return;
	}
	set_mark(collector, progress);
	if (has_settled(collector, progress, now_ms))
		have_arrived(collector);
	if (collector->phase == PHASE_IDLE && collector->sent == collector->arrived &&
	    now_ms - collector->sent_ms >= settings->idle_ms)
		hang_up(collector);
	else
		arm_pulse(collector);
}

static void on_pulse(evutil_socket_t fd, short what, void *arg)
{
	struct collector *collector = arg;
	const struct wire_progress progress = wire_progress(collector->wire);

	(void)fd, (void)what;
	look_at(collector, &progress, clock_monotonic_ms());
}

/* ---- what the wire says ---- */

static void send_page(struct collector *collector)
{
	collector->phase = PHASE_SENDING;
	wire_send(collector->wire, collector->page);
}

static void on_open(void *arg)
{
	struct collector *collector = arg;

	event_del(collector->alarm);
	collector->acknowledged = 0;
	collector->moved_ms = clock_monotonic_ms();
	arm_pulse(collector);
	send_page(collector);
}

static void on_sent(void *arg)
{
	struct collector *collector = arg;

	collector->sent = collector->page_last;
	collector->sent_ms = clock_monotonic_ms();
	collector->phase = PHASE_IDLE;
	collector_poke(collector);
}

static void on_heard(void *arg, struct slice bytes)
{
	(void)arg, (void)bytes; /* a collector has nothing to say (RFC 5425, section 4.3) */
}

/* Many a collector closes when nobody spoke for a while: that is no failure when nothing was at stake. */
static void on_ended(void *arg, const char *why)
{
	struct collector *collector = arg;
	const bool is_at_rest = collector->phase == PHASE_IDLE || collector->phase == PHASE_ASKING;

	if (is_at_rest && collector->sent == collector->arrived)
		hang_up(collector);
	else
		break_off(collector, why[0] ? why : "the collector closed the connection");
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct collector *collector = arg;

	(void)fd, (void)what;
	if (collector->phase == PHASE_CALLING)
		break_off(collector, "the collector did not answer the call in time");
	else
		consider(collector);
}

void collector_send(struct collector *collector, uint64_t after, uint64_t last, struct slice bytes)
{
	if (collector->phase != PHASE_ASKING)
		return; /* it was closed */
	if (after != collector->sent) {
		collector->phase = PHASE_IDLE;
		collector_poke(collector);
		return;
	}
	collector->page = bytes;
	collector->page_last = last;
	if (wire_is_open(collector->wire)) {
		send_page(collector);
		return;
	}
	collector->phase = PHASE_CALLING;
	arm(collector->alarm, collector->settings->timeout_ms);
	wire_dial(collector->wire);
}

/* ---- birth and end ---- */

void collector_inherit(struct collector *collector, const struct collector *before)
{
	if (strcmp(collector->settings->address, before->settings->address) != 0)
		return;
	collector->failures = before->failures;
	collector->failing_since_ms = before->failing_since_ms;
	memcpy(collector->why, before->why, sizeof(collector->why));
	collector->failed = before->failed;
	collector->last_arrived_ms = before->last_arrived_ms;
}

int collector_new(struct collector **ret_collector, struct event_base *loop,
		  const struct collector_settings *settings, const struct collector_calls *calls,
		  struct err *err)
{
	scoped(collector_free) struct collector *collector = xcalloc(1, sizeof(*collector));
	const struct wire_calls wire = { on_open, on_sent, on_heard, on_ended, collector };
	struct address address;

	collector->loop = loop;
	collector->settings = settings;
	collector->calls = *calls;
	collector->alarm = event_new(loop, -1, 0, on_alarm, collector);
	collector->pulse = event_new(loop, -1, 0, on_pulse, collector);
	if (!address_parse(settings->address, &address))
		return err_set(err, ERR_HALT,
			       "'%s' is not an address and a port, such as 10.1.2.3:6514",
			       settings->address);
	if (wire_tls(&collector->tls, &settings->tls, settings->address, clock_now_ms(), err) < 0)
		return -1;
	collector->wire = wire_new(loop, &address, collector->tls, &wire);
	*ret_collector = take(collector);
	return 0;
}

void collector_close(struct collector *collector)
{
	hang_up(collector);
	collector->phase = PHASE_OFF;
}

void collector_free(struct collector **collector)
{
	struct collector *c = *collector;

	if (c == NULL)
		return;
	wire_free(&c->wire);
	event_free(c->alarm);
	event_free(c->pulse);
	tls_free(&c->tls);
	free_ptr(collector);
}

struct collector_figures collector_figures(const struct collector *collector)
{
	const bool is_slowed = collector->failures > 0;

	return (struct collector_figures){
		.address = collector->settings->address,
		.state = is_slowed ? "slowed" : "open",
		.why = collector->why,
		.connected = wire_is_open(collector->wire),
		.sent = collector->sent,
		.arrived = collector->arrived,
		.failed = collector->failed,
		.resumes_ms = is_slowed ? resumes_by_wall_ms(collector) : 0,
		.failing_ms = is_slowed ? max(clock_monotonic_ms() - collector->failing_since_ms,
					      (int64_t)1)
					: 0,
		.last_arrived_ms = collector->last_arrived_ms,
	};
}
