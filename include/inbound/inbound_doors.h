/* Where documents come in: the listeners and the folders. Shared by the files of inbound, and by nobody else.
 *
 * A reload keeps the listener whose address is still wanted, with its socket and all its connections, and the folder
 * whose path is; what else they go by changes. A listener that is wanted no more answers what it has taken first.
 *
 * Loop only.
 */
#ifndef DMPFEED_INBOUND_INBOUND_DOORS_H
#define DMPFEED_INBOUND_INBOUND_DOORS_H

#include "base/histogram.h"
#include "crew/crew.h"
#include "setup/snapshot.h"

struct doors_parts {
	struct crew *crew; /* outlives them */
	mllp_arrival_fn *message_came;
	drop_file_fn *file_came;
	void *arg;
};

struct doors;
struct doors *doors_new(const struct doors_parts *parts); /* there are none yet */

/* What a configuration needs that is not there: opened, before anything changes. -1 (ERR_HALT): one of them cannot be,
 * and nothing has changed.
 */
struct doors_plan;
must_use int doors_prepare(struct doors *doors, const struct config *config,
			   struct doors_plan **ret_plan, struct err *err);
void doors_plan_free(struct doors_plan **plan);

/* Goes by that snapshot, whose configuration the plan is of, from now on. Uses the plan up. */
void doors_follow(struct doors *doors, struct snapshot *snapshot, struct doors_plan **plan);

/* Take nothing more in; what came is still answered. */
void doors_close(struct doors *doors);
void doors_free(struct doors **doors);

/* A message of that listener was answered after so long. */
void doors_answered(struct doors *doors, const char *listener, int64_t took_ms);

/* By the place in the configuration. */
const struct histogram *doors_acks(const struct doors *doors, size_t index);
struct mllp_figures doors_listener(const struct doors *doors, size_t index);
struct drop_figures doors_folder(const struct doors *doors, size_t index);

#endif
