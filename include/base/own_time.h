/* The time by which what cannot be undone is done: purging bodies.
 *
 * The wall clock may be wrong, now or from the start on. So this time goes on as time does, and follows the
 * wall clock only where that is believable: while we run, within an hour of what has passed; at start, when
 * nobody knows how long we were away, within a week. A clock that says otherwise is believed once it has said
 * so for a week of running: time enough for somebody to set it right, and costing nothing, since purging goes
 * on by the time that was known.
 *
 * Pure.
 */
#ifndef DMPFEED_BASE_OWN_TIME_H
#define DMPFEED_BASE_OWN_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct own_time { /* to be kept where it survives us; all-zero: nothing is known yet */
	int64_t known_ms;
	int64_t doubted_ms; /* for how long the clock says otherwise; 0: it does not */
};

enum own_time_news {
	OWN_TIME_NONE,
	OWN_TIME_DOUBTS,   /* the clock says something else from now on */
	OWN_TIME_AGREES,   /* it says the same again */
	OWN_TIME_BELIEVES, /* it said so for long enough */
};

/* `elapsed_ms`, at least 1: since the last call, by a clock that nobody sets. `is_start`: the first since we
 * run.
 */
enum own_time_news own_time_pass(struct own_time *time, int64_t now_ms, int64_t elapsed_ms,
				 bool is_start);

/* The earlier of the two: what is old by it is old by both. */
int64_t own_time_ms(const struct own_time *time, int64_t now_ms);

#endif
