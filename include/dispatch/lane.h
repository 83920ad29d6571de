/* One legal entity's way to the DMP: how many exchanges at once, when to ask the queue for more,
 * when to slow down or stop. It decides; claiming, building and sending are done by whoever gave
 * it its callback.
 *
 * Open, it keeps up to most_in_flight documents under way, and takes no more than `rate` lets it. When the way is in trouble it is slowed:
 * no claim during a pause that doubles from one failure to the next, then one document as a probe.
 * When the installation is at fault it is stopped: one probe every probe_ms. The first answer after
 * the pause, whatever it says of its document, opens the lane again, and each answer doubles what
 * may be under way, from one document to most_in_flight. Answers that come during a pause are to
 * requests that left before it began: they do not end it.
 *
 * Loop only.
 */
#ifndef DMPFEED_DISPATCH_LANE_H
#define DMPFEED_DISPATCH_LANE_H

#include "base/retry.h"
#include "dispatch/bucket.h"
#include "dispatch/outcome.h"

struct event_base;

struct lane_settings {
	const char *name;            /* FINESS EJ */
	uint64_t most_in_flight;     /* documents claimed and not settled */
	struct bucket_settings rate; /* how many may be claimed a second */
	struct retry_settings retry;
	int64_t probe_ms; /* a stopped lane tries one document this often */

	/* Where time and chance come from: NULL for the monotonic clock, the wall clock and
	 * random_u32(). */
	int64_t (*clock_ms)(void);
	int64_t (*wall_clock_ms)(void);
	uint32_t (*chance)(void);
};

enum lane_state { LANE_OPEN, LANE_SLOWED, LANE_STOPPED };
const char *lane_state_text(enum lane_state state); /* "open", "slowed", "stopped" */

struct lane;

/* Asks the queue for up to `most` documents; the answer comes to lane_claimed() or
 * lane_claim_failed(), at once or later. One claim is outstanding at a time. */
typedef void lane_claim_fn(void *arg, struct lane *lane, size_t most);

/* Idle until it is poked. Without a loop (NULL) it has no timer: whoever made it calls lane_wake()
 * when lane_wakes_ms() has come. */
struct lane *lane_new(struct event_base *loop, const struct lane_settings *settings,
		      lane_claim_fn *claim, void *arg);
void lane_free(struct lane **lane);

/* What is the matter, for people: a sentence in each language. */
struct lane_why {
	const char *english, *french;
};

/* Stopped until lane_follow(): it has nothing to send with. From before its first poke. */
void lane_block(struct lane *lane, struct lane_why why);

/* It goes by these settings from now on (`name` stays), keeping all that it has learnt of its way; blocked, it is no
 * more.
 */
void lane_follow(struct lane *lane, const struct lane_settings *settings);

/* When the lane will do something by itself, on its monotonic clock; INT64_MAX: not before it is
 * told something. */
int64_t lane_wakes_ms(const struct lane *lane);
void lane_wake(struct lane *lane);

/* Something may be due: a document came in, or was released. */
void lane_poke(struct lane *lane);

/* The queue's answer: how many were taken (each will be settled), and when the next is due by the
 * wall clock. */
void lane_claimed(struct lane *lane, size_t count, int64_t next_due_ms);

/* The queue could not answer: it is asked again after a second, doubling to half a minute. */
void lane_claim_failed(struct lane *lane);

/* One document's attempt has ended and was written down. `why` is all NULL after a
 * delivery.
 */
void lane_settled(struct lane *lane, enum outcome_kind kind, int64_t retry_after_ms,
		  struct lane_why why);

/* One document came back without having reached the way (it could not be built): that says nothing
 * of the way, and a lane that waits for its probe sends another. */
void lane_untried(struct lane *lane);

/* When a document whose attempt came to `kind` is due again, by the wall clock that shows
 * wall_now_ms; INT64_MAX when it is not. For a fault of the lane, when the lane resumes, whether
 * lane_settled() was already told of it or not.
 */
int64_t lane_next_attempt_ms(const struct lane *lane, enum outcome_kind kind, unsigned attempt,
			     int64_t retry_after_ms, int64_t wall_now_ms);

/* No more claims; what is in flight may still settle. */
void lane_close(struct lane *lane);

struct lane_figures {
	const char *name;
	enum lane_state state;
	int64_t since_ms;    /* when that state began, by the wall clock */
	struct lane_why why; /* both "" when open */
	size_t in_flight;
	size_t at_once; /* how many may be under way: fewer than most_in_flight after a pause */
	uint64_t rate_per_s;  /* 0: no limit */
	bool queue_is_silent; /* the queue could not answer; it is asked again */
	int64_t resumes_ms; /* when it tries again, by the wall clock; 0: it is open, or blocked */
	uint64_t delivered; /* since start */
	int64_t last_delivered_ms;
};

struct lane_figures lane_figures(const struct lane *lane);

#endif
