/* How far the server's clock is ahead of ours, from the Date of its replies: the median of the last few, as
 * far as the time that an exchange took does not explain it. Pure; belongs to one thread.
 */
#ifndef DMPFEED_DISPATCH_SKEW_H
#define DMPFEED_DISPATCH_SKEW_H

#include <stdbool.h>
#include <stdint.h>

enum { SKEW_REPLIES = 9 };

struct skew {
	int64_t last[SKEW_REPLIES];
	unsigned count; /* of replies, in all */
	int64_t noted_ms;
};

/* A request that left at sent_ms, by our wall clock, had its reply at answered_ms, and this says date_ms, in
 * whole seconds. now_ms is of the monotonic clock.
 */
void skew_note(struct skew *skew, int64_t sent_ms, int64_t answered_ms, int64_t date_ms,
	       int64_t now_ms);

/* false: the server did not say in the last hour. */
bool skew_is_known(const struct skew *skew, int64_t now_ms);
int64_t skew_ms(const struct skew *skew);

#endif
