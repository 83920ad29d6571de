/* The numbers that are counted, as GET /api/v1/counters tells them. Pure. */
#ifndef DMPFEED_STATUS_COUNTERS_JSON_H
#define DMPFEED_STATUS_COUNTERS_JSON_H

#include <jansson.h>

#include "base/count.h"

struct counters_page {
	int from, to;     /* days; by month: months */
	int64_t until_ms; /* what happened up to then is counted; 0: nothing is */
	uint64_t behind;  /* rows of the ledger that are not counted yet */
	bool by_month;
	bool is_counted_anew; /* the numbers are yet to come */
};

struct counters_json;

struct counters_json *counters_json_new(const struct counters_page *page);

/* In the order in which the store tells them. `current`: the number that the site has now. */
void counters_json_add(struct counters_json *json, const struct count_cell *cell,
		       const char *current);

/* Appends the object, on one line without its end: from, to, by ("day", "month"), counted_until, behind,
 * complete, truncated, counters [{finess_ej, finess_eg, current (null: the same), field, type_code, channel,
 * outcome, day or month, n}], accepted [the same without outcome and n, with accepted_unique, accepted_gross,
 * accepted_net]. Frees.
 */
void counters_json_end(struct counters_json **json, struct buf *out);

/* Sets the members counted_until, behind and complete. */
void counters_json_put_reach(json_t *object, const struct counters_page *page);

/* One of `counters`, alone. */
json_t *counters_json_row(const struct count_cell *cell, const char *current);

#endif
