/* Follows the ledger and counts: off the path of documents, at its own pace.
 *
 *     look      keeper   what is new in the ledger, and what that changes     (status/counters.h)
 *     write     writer   the numbers, and the mark, in one transaction
 *     wrote     loop     the next piece at once when there is more, else after a while
 *
 * Pieces are small: what comes in waits for one at most. Dying loses nothing: the mark is where the
 * numbers are.
 *
 * Loop only, but for tally_fold().
 */
#ifndef DMPFEED_TALLY_H
#define DMPFEED_TALLY_H

#include "crew/crew.h"
#include "queue/store_count.h"
#include "setup/snapshot.h"
#include "status/counters.h"

struct tally_parts {
	struct crew *crew;         /* outlives what is made of these */
	struct snapshot *snapshot; /* at first */
};

struct tally;

struct tally *tally_new(const struct tally_parts *parts);
void tally_follow(struct tally *tally, struct snapshot *snapshot); /* from the next piece on */
void tally_close(struct tally *tally);                             /* nothing more begins */
void tally_free(struct tally **tally);                             /* after the threads ended */

/* Any thread: folds up to `most` rows that are not counted yet. 1: *ret_counters has what they change and
 * *ret_now the mark that it holds for; 0: there are none; -1.
 */
must_use int tally_fold(struct store *store, size_t most, struct store_tally *ret_now,
			struct counters **ret_counters, struct err *err);

#endif
