/* A time of our own, beside that of the wall clock. Any thread. */
#include "base/own_time.h"

#include <stdlib.h>

enum { HOUR_MS = 3600 * 1000, WEEK_MS = 7 * 24 * HOUR_MS };

enum own_time_news own_time_pass(struct own_time *time, int64_t now_ms, int64_t elapsed_ms,
				 bool is_start)
{
	const int64_t most_ms = is_start ? WEEK_MS : HOUR_MS;
	const bool doubted = time->doubted_ms > 0;

	time->known_ms = time->known_ms > 0 ? time->known_ms + elapsed_ms : now_ms;
	if (llabs(now_ms - time->known_ms) <= most_ms) {
		*time = (struct own_time){ .known_ms = now_ms };
		return doubted ? OWN_TIME_AGREES : OWN_TIME_NONE;
	}
	time->doubted_ms += elapsed_ms;
	if (time->doubted_ms >= WEEK_MS) {
		*time = (struct own_time){ .known_ms = now_ms };
		return OWN_TIME_BELIEVES;
	}
	return doubted && !is_start ? OWN_TIME_NONE : OWN_TIME_DOUBTS;
}

int64_t own_time_ms(const struct own_time *time, int64_t now_ms)
{
	return time->known_ms < now_ms ? time->known_ms : now_ms;
}
