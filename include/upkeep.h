/* What is done to the queue as time passes: documents held until a time are let go, and the bodies of
 * what ended long ago are purged, as are identities and stays of long ago.
 *
 * Loop only.
 */
#ifndef DMPFEED_UPKEEP_H
#define DMPFEED_UPKEEP_H

#include "crew/crew.h"

/* For how long what is over is kept. */
struct upkeep_times {
	int64_t bodies_ms, identities_ms, stays_ms;
};

struct upkeep_parts {
	struct crew *crew;        /* outlives what is made of these */
	struct upkeep_times keep; /* after the final state; at first */

	/* Documents are in other states than before. */
	void (*moved)(void *arg, struct store_moves *moves);
	void *arg;
};

struct upkeep;

struct upkeep *upkeep_new(const struct upkeep_parts *parts);
void upkeep_follow(struct upkeep *upkeep, struct upkeep_times keep); /* from the next round on */
void upkeep_close(struct upkeep *upkeep);                            /* nothing more begins */
void upkeep_free(struct upkeep **upkeep);                            /* after the writer ended */

#endif
