/* What is done to the queue as time passes: documents held until a time are let go, and the bodies of
 * what ended long ago are purged.
 *
 * Loop only.
 */
#ifndef DMPFEED_UPKEEP_H
#define DMPFEED_UPKEEP_H

#include "crew.h"

struct upkeep_parts {
	struct crew *crew;      /* outlives what is made of these */
	int64_t keep_bodies_ms; /* after the final state; at first */

	/* Documents are in other states than before. */
	void (*moved)(void *arg, struct store_moves *moves);
	void *arg;
};

struct upkeep;

struct upkeep *upkeep_new(const struct upkeep_parts *parts);
void upkeep_follow(struct upkeep *upkeep, int64_t keep_bodies_ms); /* from the next round on */
void upkeep_close(struct upkeep *upkeep);                          /* nothing more begins */
void upkeep_free(struct upkeep **upkeep);                          /* after the writer ended */

#endif
