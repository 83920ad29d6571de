/* What is written out for others to read: why documents did not pass, how long they took, and the proof of
 * each. Beside the counters (store_count.h) and the imported figures (store_target.h).
 *
 * Any store; texts are valid during the callback. Months as base/calendar.h has them.
 */
#ifndef DMPFEED_QUEUE_STORE_EXPORT_H
#define DMPFEED_QUEUE_STORE_EXPORT_H

#include "base/count.h"
#include "queue/store.h"

/* From here on a reader sees the store as it is now, until the end: what is read agrees with itself. Not
 * for long, for meanwhile the log cannot be folded.
 */
must_use int store_begin_reading(struct store *store, struct err *err);
void store_end_reading(struct store *store);

/* The parts that the cells of those outcomes are made of, by month, site, unit, source and type. */
must_use int store_rejections(struct store *store, int from_month, int to_month,
			      void (*each)(void *arg, const struct count_rejection *rejection),
			      void *arg, struct err *err);

/* A lineage that was accepted in [from_ms, to_ms[, whose stay is known to have ended; by site, unit and type.
 * What ADT says of the end is believed before what documents say.
 */
struct store_delay {
	const char *site, *unit, *type_code;
	int64_t accepted_ms, ended_ms;
};

must_use int store_delays(struct store *store, int64_t from_ms, int64_t to_ms,
			  void (*each)(void *arg, const struct store_delay *delay), void *arg,
			  struct err *err);

/* A document that the DMP took, as a first version or as a later one. */
struct store_evidence {
	struct ulid doc, lineage; /* lineage: the first version's */
	const char *unique_id, *site, *type_code;
	int64_t submitted_ms, accepted_ms;
	uint64_t number;            /* the row of the ledger that holds the answer */
	uint8_t body[SHA256_BYTES]; /* its digest */
};

/* Of those taken in [from_ms, to_ms[, what the `most` rows of the ledger after `after` tell. *ret_last: the last
 * row that was read; `after` again when there is none.
 */
must_use int store_evidence(struct store *store, uint64_t after, size_t most, int64_t from_ms,
			    int64_t to_ms,
			    void (*each)(void *arg, const struct store_evidence *evidence),
			    void *arg, uint64_t *ret_last, struct err *err);

#endif
