/* How many documents came, were delivered and were rejected. Pure. Any thread. */
#include "status/curve.h"

#include <time.h>

enum { HALF_HOUR_MS = 30 * 60 * 1000 };

#define DAY_S INT64_C(86400)

/* ---- half hours and days by number ---- */

static int64_t half_hour_of(int64_t at_ms)
{
	return at_ms / HALF_HOUR_MS;
}

static int64_t begin_of_half_hour(int64_t number)
{
	return number * HALF_HOUR_MS;
}

/* The days from 1970 to the local date, as if all had 24 hours. */
static int64_t day_of(int64_t at_ms)
{
	const time_t at = (time_t)(at_ms / 1000);
	struct tm date;

	localtime_r(&at, &date);
	return timegm(&date) / DAY_S;
}

static int64_t begin_of_day(int64_t number)
{
	const time_t day = (time_t)(number * DAY_S);
	struct tm date;

	gmtime_r(&day, &date);
	date.tm_isdst = -1;
	return (int64_t)mktime(&date) * 1000;
}

static const struct span {
	size_t count;
	int64_t (*number_of)(int64_t at_ms);
	int64_t (*begin_of)(int64_t number);
} spans[CURVE_SPANS] = {
	[CURVE_DAY] = { CURVE_HALF_HOURS, half_hour_of, begin_of_half_hour },
	[CURVE_MONTH] = { CURVE_DAYS, day_of, begin_of_day },
};

/* ---- rings ---- */

static struct curve_bucket *ring_of(struct curve *curve, enum curve_span span)
{
	return span == CURVE_DAY ? curve->half_hours : curve->days;
}

/* The bucket of that number, emptied of an older one; NULL: a newer one has its place. */
static struct curve_bucket *bucket_of(struct curve *curve, enum curve_span span, int64_t number)
{
	struct curve_bucket *bucket = &ring_of(curve, span)[(size_t)number % spans[span].count];

	if (bucket->number > number)
		return NULL;
	if (bucket->number < number)
		*bucket = (struct curve_bucket){ .number = number };
	return bucket;
}

void curve_add(struct curve *curve, enum curve_kind kind, int64_t at_ms, uint64_t count)
{
	for (enum curve_span span = 0; span < CURVE_SPANS && count > 0; span++) {
		struct curve_bucket *bucket =
			bucket_of(curve, span, spans[span].number_of(max(at_ms, (int64_t)0)));

		if (bucket != NULL)
			bucket->counts[kind] += count;
	}
}

size_t curve_read(const struct curve *curve, enum curve_span span, int64_t now_ms,
		  struct curve_point ret_points[static CURVE_HALF_HOURS])
{
	const struct span *s = &spans[span];
	const struct curve_bucket *ring = span == CURVE_DAY ? curve->half_hours : curve->days;
	const int64_t last = s->number_of(now_ms);

	for (size_t i = 0; i < s->count; i++) {
		const int64_t number = last - (int64_t)(s->count - 1 - i);
		const struct curve_bucket *bucket = &ring[(size_t)number % s->count];

		ret_points[i] = (struct curve_point){
			.begins_ms = s->begin_of(number),
			.is_known = s->begin_of(number + 1) > curve->since_ms,
		};
		if (bucket->number == number)
			memcpy(ret_points[i].counts, bucket->counts, sizeof(bucket->counts));
	}
	return s->count;
}

int64_t curve_oldest_ms(int64_t now_ms)
{
	return begin_of_day(day_of(now_ms) - CURVE_DAYS + 1);
}

void curve_join(struct curve *curve, const struct curve *other)
{
	for (enum curve_span span = 0; span < CURVE_SPANS; span++)
		for (size_t i = 0; i < spans[span].count; i++) {
			const struct curve_bucket *from =
				span == CURVE_DAY ? &other->half_hours[i] : &other->days[i];
			struct curve_bucket *to = bucket_of(curve, span, from->number);

			for (enum curve_kind kind = 0; kind < CURVE_KINDS && to != NULL; kind++)
				to->counts[kind] += from->counts[kind];
		}
	curve->since_ms = min(curve->since_ms, other->since_ms);
}
