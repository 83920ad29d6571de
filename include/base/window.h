/* How many of something there were in the last day, hour by hour: all-zero is none. Pure; belongs to
 * one thread.
 */
#ifndef DMPFEED_BASE_WINDOW_H
#define DMPFEED_BASE_WINDOW_H

#include <stdint.h>

enum { WINDOW_HOURS = 24 };

struct window {
	int64_t hour; /* since 1970, that was last counted in */
	uint64_t counts[WINDOW_HOURS];
};

/* `now_ms` may go back: what comes then counts in the newest hour. */
void window_add(struct window *window, int64_t now_ms, uint64_t count);
uint64_t window_sum(const struct window *window, int64_t now_ms);

#endif
