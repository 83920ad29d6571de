/* One legal entity's way to the DMP. Loop only.
 *
 * Everything here is arithmetic on what the lane was told and on the time; consider() is where it
 * acts. Pauses are counted on the clock that nobody sets: one set back by a year would make them last
 * a year. The queue and people know the wall clock's time, so what comes from them and goes to them
 * is converted at the edge; the documents of a lane that pauses are due when it resumes.
 */
#include "dispatch/lane.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"

enum { CLAIM_AGAIN_FIRST_MS = 1000, CLAIM_AGAIN_MOST_MS = 30000, LANE_WHY = ERR_TEXT + 256 };

#define NEVER_MS INT64_MAX

struct lane {
	struct lane_settings settings;
	char *name;
	lane_claim_fn *claim;
	void *arg;
	struct event *timer; /* NULL without a loop */

	enum lane_state state;
	int64_t since_ms;                         /* when that began, as people read it */
	char english[LANE_WHY], french[LANE_WHY]; /* why */
	unsigned failures;                        /* pauses since the last answer */
	uint32_t dice; /* of the next pause: it is foretold before it begins */
	int64_t resumes_ms;

	size_t in_flight, allowance;
	struct bucket bucket;
	bool closed, blocked;

	bool claiming;
	size_t asked;         /* by the claim that is outstanding, or was the last */
	bool more;            /* the queue may hold something that is due */
	int64_t due_ms;       /* when it will, by its own word, on our clock */
	int64_t claimable_ms; /* not before: the queue could not answer */
	int64_t claim_again_ms;

	uint64_t delivered;
	int64_t last_delivered_ms;
};

const char *lane_state_text(enum lane_state state)
{
	static const char *const texts[] = {
		[LANE_OPEN] = "open",
		[LANE_SLOWED] = "slowed",
		[LANE_STOPPED] = "stopped",
	};

	return texts[state];
}

/* ---- when ---- */

static int64_t clock_of(const struct lane *lane)
{
	return lane->settings.clock_ms ? lane->settings.clock_ms() : clock_monotonic_ms();
}

static int64_t wall_clock_of(const struct lane *lane)
{
	return lane->settings.wall_clock_ms ? lane->settings.wall_clock_ms() : clock_now_ms();
}

/* What the wall clock will show then, should nobody set it. */
static int64_t as_wall_time(const struct lane *lane, int64_t time_ms)
{
	return wall_clock_of(lane) + (time_ms - clock_of(lane));
}

static int64_t from_wall_time(const struct lane *lane, int64_t wall_ms)
{
	return wall_ms == NEVER_MS ? NEVER_MS : clock_of(lane) + (wall_ms - wall_clock_of(lane));
}

static uint32_t chance_of(const struct lane *lane)
{
	return lane->settings.chance ? lane->settings.chance() : random_u32();
}

static bool is_pausing(const struct lane *lane, int64_t now_ms)
{
	return lane->state != LANE_OPEN && now_ms < lane->resumes_ms;
}

static size_t places(const struct lane *lane)
{
	return lane->allowance - min(lane->allowance, lane->in_flight);
}

int64_t lane_wakes_ms(const struct lane *lane)
{
	int64_t wakes_ms = lane->more ? 0 : lane->due_ms;

	if (lane->closed || lane->blocked || lane->claiming || places(lane) == 0)
		return NEVER_MS;
	if (lane->state != LANE_OPEN)
		wakes_ms = max(wakes_ms, lane->resumes_ms);
	wakes_ms = max(wakes_ms, bucket_next_ms(&lane->bucket));
	return max(wakes_ms, lane->claimable_ms);
}

/* The state that a fault of the way leads to. A probe that fails otherwise than by a halt does not
 * mend the installation: the lane stays stopped until there is an answer. */
static enum lane_state state_after(const struct lane *lane, enum outcome_kind fault)
{
	return fault == OUTCOME_HALT || lane->state == LANE_STOPPED ? LANE_STOPPED : LANE_SLOWED;
}

/* A fault during the pause that an earlier one began: several documents were in flight when the way
 * broke, and that is one failure, not several. */
static bool is_same_trouble(const struct lane *lane, enum outcome_kind fault, int64_t now_ms)
{
	return is_pausing(lane, now_ms) && state_after(lane, fault) == lane->state;
}

static int64_t resumes_after(const struct lane *lane, enum outcome_kind fault,
			     int64_t retry_after_ms, int64_t now_ms)
{
	int64_t delay_ms =
		state_after(lane, fault) == LANE_STOPPED
			? lane->settings.probe_ms
			: retry_delay_ms(&lane->settings.retry, lane->failures + 1, lane->dice);

	if (is_same_trouble(lane, fault, now_ms))
		return max(lane->resumes_ms, now_ms + retry_after_ms);
	return now_ms + max(delay_ms, retry_after_ms);
}

int64_t lane_next_attempt_ms(const struct lane *lane, enum outcome_kind kind, unsigned attempt,
			     int64_t retry_after_ms, int64_t wall_now_ms)
{
	const int64_t now_ms = clock_of(lane);

	switch (kind) {
	case OUTCOME_RETRY:
		return wall_now_ms +
		       max(retry_delay_ms(&lane->settings.retry, attempt, chance_of(lane)),
			   retry_after_ms);
	case OUTCOME_RETRY_LANE:
	case OUTCOME_HALT:
		return wall_now_ms + resumes_after(lane, kind, retry_after_ms, now_ms) - now_ms;
	case OUTCOME_DELIVERED:
	case OUTCOME_REJECTED:
	case OUTCOME_REFUSED:
		break;
	}
	return NEVER_MS;
}

/* ---- act ---- */

static void arm(struct lane *lane, int64_t now_ms)
{
	const int64_t wakes_ms = lane_wakes_ms(lane);
	const int64_t wait_ms = max(wakes_ms - now_ms, 0);
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	if (lane->timer == NULL)
		return;
	if (wakes_ms == NEVER_MS)
		event_del(lane->timer);
	else
		event_add(lane->timer, &wait);
}

/* Claims what may be claimed now, and sets the alarm for the next time. */
static void consider(struct lane *lane, int64_t now_ms)
{
	if (now_ms >= lane_wakes_ms(lane)) {
		lane->claiming = true;
		lane->asked = min(places(lane), bucket_room(&lane->bucket, now_ms));
		lane->more = false;
		lane->due_ms = NEVER_MS;
		lane->claim(lane->arg, lane, lane->asked);
	}
	arm(lane, now_ms);
}

void lane_wake(struct lane *lane)
{
	consider(lane, clock_of(lane));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	lane_wake(arg);
}

void lane_poke(struct lane *lane)
{
	lane->more = true;
	lane_wake(lane);
}

void lane_claimed(struct lane *lane, size_t count, int64_t next_due_ms)
{
	const int64_t now_ms = clock_of(lane);

	assert(lane->claiming && count <= lane->asked);
	lane->claiming = false;
	lane->claim_again_ms = 0;
	lane->in_flight += count;
	bucket_take(&lane->bucket, count, now_ms);
	lane->due_ms = from_wall_time(lane, next_due_ms);
	if (count == lane->asked)
		lane->more = true;
	consider(lane, now_ms);
}

void lane_claim_failed(struct lane *lane)
{
	const int64_t now_ms = clock_of(lane);

	assert(lane->claiming);
	lane->claiming = false;
	lane->more = true;
	lane->claim_again_ms = lane->claim_again_ms
				       ? min(lane->claim_again_ms * 2, CLAIM_AGAIN_MOST_MS)
				       : CLAIM_AGAIN_FIRST_MS;
	lane->claimable_ms = now_ms + lane->claim_again_ms;
	consider(lane, now_ms);
}

/* ---- what an attempt says of the way ---- */

static void say(struct lane *lane, struct lane_why why)
{
	snprintf(lane->english, sizeof(lane->english), "%s", why.english ? why.english : "");
	snprintf(lane->french, sizeof(lane->french), "%s", why.french ? why.french : "");
}

static void move(struct lane *lane, enum lane_state state)
{
	char resumes[CLOCK_TEXT];

	if (state == lane->state)
		return;
	lane->state = state;
	lane->since_ms = wall_clock_of(lane);
	switch (state) {
	case LANE_OPEN:
		log_info("lane=%s state=open", lane->name);
		break;
	case LANE_SLOWED:
		log_warning("lane=%s state=slowed resumes=%s: %s", lane->name,
			    clock_iso(as_wall_time(lane, lane->resumes_ms), resumes),
			    lane->english);
		break;
	case LANE_STOPPED:
		log_error("lane=%s state=stopped probes=%s: %s", lane->name,
			  clock_iso(as_wall_time(lane, lane->resumes_ms), resumes), lane->english);
		break;
	}
}

static void way_works(struct lane *lane, int64_t now_ms)
{
	if (is_pausing(lane, now_ms))
		return;
	lane->failures = 0;
	lane->allowance = min(lane->allowance * 2, lane->settings.most_in_flight);
	say(lane, (struct lane_why){ 0 });
	move(lane, LANE_OPEN);
}

static void way_fails(struct lane *lane, enum outcome_kind fault, int64_t retry_after_ms,
		      struct lane_why why, int64_t now_ms)
{
	const bool same = is_same_trouble(lane, fault, now_ms);

	if (fault == OUTCOME_HALT || lane->state != LANE_STOPPED) /* what stopped it stays said */
		say(lane, why);
	lane->resumes_ms = resumes_after(lane, fault, retry_after_ms, now_ms);
	lane->allowance = 1;
	if (!same) {
		lane->failures++;
		lane->dice = chance_of(lane);
	}
	move(lane, state_after(lane, fault));
}

static void one_less_in_flight(struct lane *lane)
{
	assert(lane->in_flight > 0);
	lane->in_flight--;
}

void lane_settled(struct lane *lane, enum outcome_kind kind, int64_t retry_after_ms,
		  struct lane_why why)
{
	const int64_t now_ms = clock_of(lane);

	one_less_in_flight(lane);
	switch (kind) {
	case OUTCOME_DELIVERED:
		lane->delivered++;
		lane->last_delivered_ms = wall_clock_of(lane);
		way_works(lane, now_ms);
		break;
	case OUTCOME_REJECTED:
	case OUTCOME_REFUSED:
		way_works(lane, now_ms);
		break;
	case OUTCOME_RETRY:
		lane->more = true; /* it went back: the queue knows when it is due */
		way_works(lane, now_ms);
		break;
	case OUTCOME_RETRY_LANE:
	case OUTCOME_HALT:
		lane->more = true;
		way_fails(lane, kind, retry_after_ms, why, now_ms);
		break;
	}
	consider(lane, now_ms);
}

void lane_untried(struct lane *lane)
{
	one_less_in_flight(lane);
	lane_poke(lane);
}

/* ---- birth and end ---- */

struct lane *lane_new(struct event_base *loop, const struct lane_settings *settings,
		      lane_claim_fn *claim, void *arg)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));

	lane->settings = *settings;
	lane->name = xstrdup(settings->name);
	lane->claim = claim;
	lane->arg = arg;
	lane->allowance = settings->most_in_flight;
	lane->bucket = bucket_new(&settings->rate, clock_of(lane));
	lane->since_ms = wall_clock_of(lane);
	lane->due_ms = NEVER_MS;
	lane->dice = chance_of(lane);
	if (loop != NULL)
		lane->timer = event_new(loop, -1, 0, on_timer, lane);
	return lane;
}

void lane_block(struct lane *lane, struct lane_why why)
{
	lane->blocked = true;
	if (lane->state != LANE_STOPPED) /* each reload finds it so anew */
		lane->since_ms = wall_clock_of(lane);
	lane->state = LANE_STOPPED;
	say(lane, why);
	log_error("lane=%s state=stopped probes=never: %s; its documents wait until that is mended "
		  "and the daemon is reloaded",
		  lane->name, lane->english);
}

static void unblock(struct lane *lane)
{
	lane->blocked = false;
	say(lane, (struct lane_why){ 0 });
	move(lane, LANE_OPEN);
}

/* A rate that is the same keeps its bucket: reloading must not be a way to send more. */
void lane_follow(struct lane *lane, const struct lane_settings *settings)
{
	const struct lane_settings before = lane->settings;
	const int64_t now_ms = clock_of(lane);
	const bool is_full = lane->allowance == before.most_in_flight;

	lane->settings = *settings;
	lane->settings.name = lane->name;
	lane->allowance =
		is_full ? settings->most_in_flight : min(lane->allowance, settings->most_in_flight);
	if (settings->rate.per_s != before.rate.per_s || settings->rate.burst != before.rate.burst)
		lane->bucket = bucket_new(&settings->rate, now_ms);
	if (lane->blocked)
		unblock(lane);
	consider(lane, now_ms);
}

void lane_close(struct lane *lane)
{
	lane->closed = true;
	lane_wake(lane);
}

void lane_free(struct lane **lane)
{
	if (*lane == NULL)
		return;
	if ((*lane)->timer != NULL)
		event_free((*lane)->timer);
	free((*lane)->name);
	free_ptr(lane);
}

struct lane_figures lane_figures(const struct lane *lane)
{
	return (struct lane_figures){
		.name = lane->name,
		.state = lane->state,
		.since_ms = lane->since_ms,
		.why = { lane->english, lane->french },
		.in_flight = lane->in_flight,
		.at_once = lane->allowance,
		.rate_per_s = lane->settings.rate.per_s,
		.queue_is_silent = lane->claim_again_ms > 0,
		.resumes_ms = lane->state == LANE_OPEN || lane->blocked
				      ? 0
				      : as_wall_time(lane, lane->resumes_ms),
		.delivered = lane->delivered,
		.last_delivered_ms = lane->last_delivered_ms,
	};
}
