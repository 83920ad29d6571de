/* Preloaded, sets the wall clock: what it shows is as many milliseconds ahead as CLOCK_AHEAD, a file of
 * eight bytes, says at the moment. The monotonic clock goes on as ever, as it does when a machine's
 * time is set.
 */
#include "preload.h"

#include <sys/time.h>
#include <time.h>

static volatile int64_t *ahead_ms;

__attribute__((constructor)) static void start(void)
{
	ahead_ms = shared_memory("CLOCK_AHEAD", sizeof(*ahead_ms));
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int done = real(clock_gettime)(clock, now);

	if (done == 0 && ahead_ms != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec +=
			*ahead_ms / 1000; /* whole seconds: nanoseconds stay in their range */
	return done;
}

time_t time(time_t *ret_now)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now != NULL)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact = { 0 };

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	*now = (struct timeval){ exact.tv_sec, exact.tv_nsec / 1000 };
	return 0;
}
