/* Going out: from a document that is due to the DMP's answer, written down.
 *
 * Loop only.
 */
#ifndef DMPFEED_OUTBOUND_OUTBOUND_H
#define DMPFEED_OUTBOUND_OUTBOUND_H

#include "base/histogram.h"
#include "base/window.h"
#include "crew/crew.h"
#include "dispatch/skew.h"
#include "dmp/existence.h"
#include "setup/snapshot.h"

struct outbound_parts {
	struct crew *crew;         /* outlives what is made of these; its workers have hands */
	struct snapshot *snapshot; /* at first; who lacks credentials there sends nothing */

	/* Documents are in other states than before. */
	void (*moved)(void *arg, struct store_moves *moves);
	void *arg;
};

struct outbound;

/* One lane per legal entity, which asks at once for what waits in the store. One that cannot send
 * is stopped, and says why; the others are not the worse for it.
 */
struct outbound *outbound_new(const struct outbound_parts *parts);

/* What another snapshot needs, made before anything changes. -1 (ERR_HALT): one that can send could send no more, and
 * nothing has changed.
 */
struct outbound_plan;
must_use int outbound_prepare(struct outbound *outbound, const struct snapshot *snapshot,
			      struct outbound_plan **ret_plan, struct err *err);
void outbound_plan_free(struct outbound_plan **plan);

/* Goes by that snapshot from now on: what is under way ends as it began; lanes keep what they have learnt. Uses the
 * plan up.
 */
void outbound_follow(struct outbound *outbound, struct snapshot *snapshot,
		     struct outbound_plan **plan);

/* A document of this legal entity is due; or one of each may be. */
void outbound_poke(struct outbound *outbound, const char *finess_ej);
void outbound_poke_all(struct outbound *outbound);

/* What a message said of a patient's DMP, when, by the monotonic clock: documents go by it as by an
 * answer of the DMP, until that would be asked for again.
 */
void outbound_tell_existence(struct outbound *outbound, const char *ins, const char *ins_oid,
			     enum existence existence, int64_t said_ms);

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
