/* Why a document that is queued has not left: worked out from its lane and its row when somebody asks, and kept
 * nowhere, for a lane that opens would make it wrong for all that wait.
 *
 * standing_now() on the loop; what it returns is a copy, and any thread's.
 */
#ifndef DMPFEED_OPERATOR_STANDING_H
#define DMPFEED_OPERATOR_STANDING_H

#include "dispatch/lane.h"
#include "pipeline.h"
#include "queue/store.h"
#include "watch.h"

/* How each lane stands. */
struct standing;

struct standing *standing_now(const struct config *config, const struct pipeline *pipeline,
			      struct watch *watch);
struct standing *standing_new(const struct lane_figures *lanes, size_t count, int64_t now_ms);
void standing_free(struct standing **standing);

struct standing_wait {
	enum reason reason; /* of the document: its own, or what its lane keeps it for */
	enum reason
		todo; /* whose advice holds: a lane in trouble comes before what is the document's own */
	const char *lane_state; /* "open", … */
	int64_t since_ms;       /* when that began; 0: not known */
	/* What the lane's cause is; of an open one, how much it sends. "" when its turn has not to do with it. */
	struct lane_why why;
	int64_t not_before_ms; /* when it can be tried at the soonest; 0: now, or not before a person acts */
};

/* Of one that is queued. What it points to is valid as long as `standing` is. A lane that is not among them is one
 * that the configuration does not have.
 */
struct standing_wait standing_wait(const struct standing *standing, const struct store_row *row);

/* The reason that whoever asks for the document is told. */
enum reason standing_reason(const struct standing *standing, const struct store_row *row);

/* A filter by a reason that no row keeps, for it is worked out, looks for it in what is queued. */
void standing_narrow(const struct standing *standing, struct store_filter *filter);

#endif
