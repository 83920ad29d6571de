/* What is counted, for whoever asks: over HTTP and over the control socket.
 *
 * Worker: with its own reader.
 */
#ifndef DMPFEED_OPERATOR_COUNTERS_ANSWER_H
#define DMPFEED_OPERATOR_COUNTERS_ANSWER_H

#include <jansson.h>

#include "queue/store_count.h"

/* Appends the object of GET /api/v1/counters?from=2026-11-01&to=2026-11-22[&by=month]. `to` is today when it is
 * not given, `from` thirty days before; by=month tells the months in which they lie. -1: ERR_REJECT when the
 * query is wrong, else what the store says.
 */
must_use int counters_answer(struct store *reader, struct slice query, struct buf *out,
			     struct err *err);

/* How far the numbers go: {"counted_until": …, "behind": rows that are not counted yet, "complete": …}. NULL and
 * err.
 */
json_t *counters_reach(struct store *reader, struct err *err);

/* The same, each number alone, for texts of the same meaning; "" when not given. */
struct counters_asked {
	const char *from, *to, *by;
};

must_use int counters_list(struct store *reader, const struct counters_asked *asked,
			   void (*each)(void *arg, json_t *row), void *arg, struct err *err);

#endif
