/* What sources hear of their messages after the end: the business acknowledgements, from the queue where
 * they wait to the source that says AA. One link per source, each with its own pace: a source that is
 * away slows neither the documents nor the other sources.
 *
 * Loop only.
 */
#ifndef DMPFEED_OUTBOUND_BUSINESS_ACKS_H
#define DMPFEED_OUTBOUND_BUSINESS_ACKS_H

#include "crew/crew.h"
#include "setup/snapshot.h"

struct business_acks_parts {
	struct crew *crew; /* outlives what is made of these; its workers have hands */
};

struct business_acks;

struct business_acks *business_acks_new(const struct business_acks_parts *parts); /* no link yet */

/* One link for each of the configuration's sources, made before anything changes; one that is as it was stays. -1: a
 * certificate cannot be used (ERR_HALT), and nothing has changed.
 */
struct business_acks_plan;
must_use int business_acks_prepare(struct business_acks *acks, const struct snapshot *snapshot,
				   struct business_acks_plan **ret_plan, struct err *err);
void business_acks_plan_free(struct business_acks_plan **plan);

/* From now on these send, and no others; first, what waits in the store. Uses the plan up. */
void business_acks_follow(struct business_acks *acks, struct snapshot *snapshot,
			  struct business_acks_plan **plan);

/* Some may be ready: a document has come to its end. */
void business_acks_poke(struct business_acks *acks);

/* Sends nothing more; what an answer has come for is still written down. */
void business_acks_close(struct business_acks *acks);

/* After the threads ended. */
void business_acks_free(struct business_acks **acks);

/* Of the configuration's source of that index. */
struct mllp_sender_figures business_acks_link(const struct business_acks *acks, size_t index);

#endif
