/* The rules of counting: what each row of the ledger changes in the counters.
 *
 * A lineage counts once, on the day on which the DMP accepted a version of it for the first time. Another
 * version is a replacement; the deletion of the version that the DMP shows takes it back, in the month of the
 * deletion; what is sent after that is a lineage of its own. So the three sums of the programmes are
 *
 *     unique  ACCEPTED + ACCEPTED_RECONCILED
 *     gross   unique + REPLACED_OK
 *     net     unique - DELETED_OK
 *
 * It counts once as received as well, on the day on which its first version came, as long as a version of it
 * is to be fed or was accepted.
 *
 * The other outcomes count events: a document that was held twice counts twice there. Of deletions only
 * that they were done is counted.
 *
 * What is counted depends on the rows up to there alone, and not on how they are cut into pieces: the ledger
 * folded again gives the same numbers. Pure.
 */
#ifndef DMPFEED_STATUS_COUNTERS_H
#define DMPFEED_STATUS_COUNTERS_H

#include "base/count.h"

/* What was counted before the piece, as store_count.h has it. */
struct counters_past {
	int (*root)(void *arg, int64_t seq, int64_t *ret_root, struct err *err);
	int (*acceptance)(void *arg, int64_t root, struct arena *arena,
			  struct count_acceptance *ret_acceptance, struct err *err);
	int (*first_try)(void *arg, int64_t seq, uint64_t before, int64_t otherwise,
			 int64_t *ret_ms, struct err *err);
	int (*is_here)(void *arg, int64_t root, int64_t except, uint64_t before, bool *ret_is,
		       struct err *err);
	int (*facts)(void *arg, int64_t seq, struct arena *arena, struct count_facts *ret_facts,
		     struct err *err);
	void *arg;
};

struct counters;

/* For one piece of the ledger, whose rows are added in their order. */
struct counters *counters_new(const struct counters_past *past);
must_use int counters_add(struct counters *counters, const struct count_event *event,
			  struct err *err);

/* What they change; valid until the next row is added. */
struct count_changes counters_changes(struct counters *counters);
void counters_free(struct counters **counters);

#endif
