/* How many documents came, were delivered and were rejected: of the last 24 hours by half hours, of the
 * last 30 days by days (of the process's zone). Rings of counts that the loop keeps; plain values, all-zero
 * is empty.
 *
 * Pure: times are arguments. Any thread.
 */
#ifndef DMPFEED_STATUS_CURVE_H
#define DMPFEED_STATUS_CURVE_H

#include "base/buf.h"

enum curve_kind { CURVE_RECEIVED, CURVE_DELIVERED, CURVE_REJECTED, CURVE_KINDS };
enum curve_span { CURVE_DAY, CURVE_MONTH, CURVE_SPANS };
enum { CURVE_HALF_HOURS = 48, CURVE_DAYS = 30 };

struct curve_bucket {
	int64_t number; /* of the half hour, or of the day, since 1970 */
	uint64_t counts[CURVE_KINDS];
};

struct curve {
	struct curve_bucket half_hours[CURVE_HALF_HOURS], days[CURVE_DAYS];
	int64_t since_ms; /* what happened before is not in it */
};

/* What is older than the span is forgotten. */
void curve_add(struct curve *curve, enum curve_kind kind, int64_t at_ms, uint64_t count);

struct curve_point {
	int64_t begins_ms;
	bool is_known; /* it ended after since_ms */
	uint64_t counts[CURVE_KINDS];
};

/* The points of a span, the oldest first, the one of `now_ms` last; returns how many. */
size_t curve_read(const struct curve *curve, enum curve_span span, int64_t now_ms,
		  struct curve_point ret_points[static CURVE_HALF_HOURS]);

/* When the oldest point of any span begins. */
int64_t curve_oldest_ms(int64_t now_ms);

/* Adds all that is in `other`, of times that `curve` does not know. */
void curve_join(struct curve *curve, const struct curve *other);

#endif
