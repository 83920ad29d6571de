/* The server's clock and ours. Pure. */
#include "dispatch/skew.h"

#include "base/buf.h"

enum { SECOND_MS = 1000, FRESH_MS = 3600000 };

/* The server read its clock between our sending and our hearing, and left out what is less than a second. */
static int64_t skew_of(int64_t sent_ms, int64_t answered_ms, int64_t date_ms)
{
	const int64_t latest_ms = date_ms + SECOND_MS - 1;

	if (date_ms > answered_ms)
		return date_ms - answered_ms;
	return latest_ms < sent_ms ? latest_ms - sent_ms : 0;
}

void skew_note(struct skew *skew, int64_t sent_ms, int64_t answered_ms, int64_t date_ms,
	       int64_t now_ms)
{
	skew->last[skew->count++ % SKEW_REPLIES] = skew_of(sent_ms, answered_ms, date_ms);
	skew->noted_ms = now_ms;
}

bool skew_is_known(const struct skew *skew, int64_t now_ms)
{
	return skew->count > 0 && now_ms - skew->noted_ms < FRESH_MS;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

int64_t skew_ms(const struct skew *skew)
{
	const unsigned count = min(skew->count, (unsigned)SKEW_REPLIES);
	int64_t sorted[SKEW_REPLIES];

	memcpy(sorted, skew->last, sizeof(sorted));
	qsort(sorted, count, sizeof(sorted[0]), by_size);
	return sorted[count / 2];
}
