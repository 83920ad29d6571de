/* How many documents a second. Pure. */
#include "dispatch/bucket.h"

#include "base/buf.h"

/* Per second and per millisecond: per_s tokens a second are per_s thousandths a millisecond. */
enum { TOKEN = 1000 };

static int64_t full(const struct bucket *bucket)
{
	return (int64_t)bucket->settings.burst * TOKEN;
}

static int64_t level(const struct bucket *bucket, int64_t now_ms)
{
	const int64_t per_ms = (int64_t)bucket->settings.per_s;
	const int64_t missing = full(bucket) - bucket->thousandths;

	if (now_ms <= bucket->at_ms)
		return bucket->thousandths;
	if ((uint64_t)now_ms - (uint64_t)bucket->at_ms > (uint64_t)(missing / per_ms))
		return full(bucket);
	return bucket->thousandths + (now_ms - bucket->at_ms) * per_ms;
}

struct bucket bucket_new(const struct bucket_settings *settings, int64_t now_ms)
{
	struct bucket bucket = { .settings = *settings, .at_ms = now_ms };

	bucket.thousandths = full(&bucket);
	return bucket;
}

size_t bucket_room(const struct bucket *bucket, int64_t now_ms)
{
	if (bucket->settings.per_s == 0)
		return SIZE_MAX;
	return (size_t)(level(bucket, now_ms) / TOKEN);
}

int64_t bucket_next_ms(const struct bucket *bucket)
{
	const int64_t per_ms = (int64_t)bucket->settings.per_s;

	if (per_ms == 0 || bucket->thousandths >= TOKEN)
		return INT64_MIN;
	return bucket->at_ms + (TOKEN - bucket->thousandths + per_ms - 1) / per_ms;
}

void bucket_take(struct bucket *bucket, size_t count, int64_t now_ms)
{
	if (bucket->settings.per_s == 0)
		return;
	bucket->thousandths = level(bucket, now_ms) - (int64_t)count * TOKEN;
	bucket->at_ms = now_ms;
}
