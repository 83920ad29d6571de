/* The audit trail, forwarded to a syslog collector: all rows of the chain, in order, each at least once.
 *
 * The rows are in the store anyway, and the store knows up to which of them the collector has them. So a
 * collector that is away costs neither memory nor a document, and what it missed follows by itself, a page at a
 * time, when it is back, or when the gateway is.
 *
 * Loop only.
 */
#ifndef DMPFEED_OUTBOUND_TRAIL_H
#define DMPFEED_OUTBOUND_TRAIL_H

#include "crew/crew.h"
#include "setup/snapshot.h"

struct trail;

struct trail *trail_new(struct crew *crew); /* forwards nothing yet; the crew outlives it */

/* The way to the collector that the configuration names, made before anything changes. -1: a certificate
 * cannot be used (ERR_HALT), and nothing has changed.
 */
struct trail_plan;
must_use int trail_prepare(struct trail *trail, const struct snapshot *snapshot,
			   struct trail_plan **ret_plan, struct err *err);
void trail_plan_free(struct trail_plan **plan);

/* That way from now on, or none. Uses the plan up. */
void trail_follow(struct trail *trail, struct snapshot *snapshot, struct trail_plan **plan);

void trail_close(struct trail *trail); /* forwards nothing more */
void trail_free(struct trail **trail); /* after the threads ended */

/* false: nothing is forwarded. */
must_use bool trail_figures(const struct trail *trail, struct collector_figures *ret_figures,
			    uint64_t *ret_waiting);

#endif
