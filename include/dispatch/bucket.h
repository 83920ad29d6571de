/* How many documents a second: a token bucket. It fills at per_s tokens a second up to `burst`;
 * each document takes one. Pure arithmetic on the time that it is told; a clock that goes back
 * gives nothing, one that leaps ahead fills it once. Owned by one thread.
 */
#ifndef DMPFEED_DISPATCH_BUCKET_H
#define DMPFEED_DISPATCH_BUCKET_H

#include <stddef.h>
#include <stdint.h>

struct bucket_settings {
	uint64_t per_s; /* 1 to 1 000 000; 0: no limit */
	uint64_t burst; /* 1 to 1 000 000 */
};

struct bucket {
	struct bucket_settings settings;
	int64_t thousandths; /* of a token, at at_ms */
	int64_t at_ms;
};

/* Full. */
struct bucket bucket_new(const struct bucket_settings *settings, int64_t now_ms);

/* How many may go now; SIZE_MAX without a limit. */
size_t bucket_room(const struct bucket *bucket, int64_t now_ms);

/* When there is room for one; in the past (INT64_MIN without a limit) when there is already. */
int64_t bucket_next_ms(const struct bucket *bucket);

/* `count` go now: bucket_room() of them at most. With 0, only the time is noted: after a clock went
 * back, what comes next is reckoned from there.
 */
void bucket_take(struct bucket *bucket, size_t count, int64_t now_ms);

#endif
