/* Going out: from a document that is due to the DMP's answer, written down.
 *
 * Loop only.
 */
#ifndef DMPFEED_OUTBOUND_H
#define DMPFEED_OUTBOUND_H

#include "base/histogram.h"
#include "base/window.h"
#include "credentials.h"
#include "crew.h"
#include "dispatch/skew.h"

struct outbound_parts {
	struct crew *crew; /* outlives what is made of these; its workers have hands */
	const struct config *config;
	const struct error_table *errors;
	const struct credentials *credentials; /* whoever lacks them sends nothing */

	/* Documents are in other states than before. */
	void (*moved)(void *arg, struct store_moves *moves);
	void *arg;
};

struct outbound;

/* One lane per legal entity, which asks at once for what waits in the store. One that cannot send
 * is stopped, and says why; the others are not the worse for it.
 */
struct outbound *outbound_new(const struct outbound_parts *parts);

/* A document of this legal entity is due. */
void outbound_poke(struct outbound *outbound, const struct config_establishment *establishment);

/* Starts nothing more; what is on its way is still concluded and written down. */
void outbound_close(struct outbound *outbound);

/* What is still under way is given up: the store knows it. After the threads ended. */
void outbound_free(struct outbound **outbound);

struct lane_figures outbound_lane(const struct outbound *outbound, size_t index);

/* What a lane's attempts came to. */
enum { OUTCOME_COUNT = OUTCOME_HALT + 1 };

struct outbound_tally {
	struct histogram answers; /* how long the DMP took, whatever it said */
	uint64_t outcomes[OUTCOME_COUNT];
	struct skew skew;
	struct window delivered, refused; /* documents of the last day, since start */
};

const struct outbound_tally *outbound_tally(const struct outbound *outbound, size_t index);

#endif
