/* What sources hear of their messages after the end: the business acknowledgements, from the queue where
 * they wait to the source that says AA. One link per source, each with its own pace: a source that is
 * away slows neither the documents nor the other sources.
 *
 * Loop only.
 */
#ifndef DMPFEED_BUSINESS_ACKS_H
#define DMPFEED_BUSINESS_ACKS_H

#include "config.h"
#include "crew.h"

struct business_acks_parts {
	struct crew *crew; /* outlives what is made of these; its workers have hands */
	const struct config *config;
};

struct business_acks;

/* One link for each of the configuration's sources. -1: a certificate cannot be used (ERR_HALT). */
must_use int business_acks_new(struct business_acks **ret_acks,
			       const struct business_acks_parts *parts, struct err *err);

/* From now on they send; first, what waits in the store. */
void business_acks_start(struct business_acks *acks);

/* Some may be ready: a document has come to its end. */
void business_acks_poke(struct business_acks *acks);

/* Sends nothing more; what an answer has come for is still written down. */
void business_acks_close(struct business_acks *acks);

/* After the threads ended. */
void business_acks_free(struct business_acks **acks);

/* Of the configuration's source of that index. */
struct mllp_sender_figures business_acks_link(const struct business_acks *acks, size_t index);

#endif
