/* One legal entity's way to the DMP: its lane, the client that posts for it, what was counted. Shared by the files
 * of outbound, and by nobody else.
 *
 * A reload changes what the way goes by; its lane stays, with all that it has learnt. What is under way goes on as
 * it began: with the client that it began with, and on a way that the configuration has no more.
 *
 * Loop only.
 */
#ifndef DMPFEED_OUTBOUND_OUTBOUND_WAY_H
#define DMPFEED_OUTBOUND_OUTBOUND_WAY_H

#include <sys/queue.h>

#include "crew/crew.h"
#include "dispatch/suspicion.h"
#include "outbound/outbound.h"

struct client {
	struct http *http;

	/* private */
	size_t users;
	LIST_ENTRY(client) link;
};

LIST_HEAD(client_list, client);

struct way {
	struct outbound *outbound;
	char *name;                /* FINESS EJ */
	struct snapshot *snapshot; /* held: the last that knows it, and where it stands there */
	size_t index;
	const struct config_establishment *establishment;
	struct lane *lane;
	struct client *client; /* NULL: the lane is blocked */
	struct suspicion suspicion;
	struct outbound_tally tally;
	int64_t claimed_ms; /* the wall clock at the last claim; INT64_MAX: none is committed yet */

	/* private */
	size_t users;
	bool is_gone; /* from the configuration */
	LIST_ENTRY(way) link;
};

LIST_HEAD(way_list, way);

struct client *client_hold(struct client *client);
void client_let_go(struct client **client); /* the last frees it; NULL may be given */

/* Something is under way on it; and has ended: a way that has left may be freed by the last. */
void way_begin(struct way *way);
void way_end(struct way *way);

/* All of them. Filled but for what follows the first three. */
struct ways {
	struct outbound *outbound;
	const struct crew *crew;
	lane_claim_fn *claim; /* its lane has room; it is given the way */

	struct way **list; /* by establishment */
	size_t count;

	/* private */
	struct way_list all; /* those too that only have something under way */
	struct client_list clients;
};

struct way *ways_find(const struct ways *ways, const char *finess_ej); /* NULL: none */

/* What another snapshot needs: a client for each establishment that can send. */
struct outbound_plan *ways_plan(struct ways *ways, const struct snapshot *snapshot);

/* The same. -1 (ERR_HALT): one that can send could send no more. */
must_use int ways_prepare(struct ways *ways, const struct snapshot *snapshot,
			  struct outbound_plan **ret_plan, struct err *err);

/* Goes by that snapshot. A way that it has no more claims nothing more, and ends with what is under way. Uses the plan
 * up.
 */
void ways_follow(struct ways *ways, struct snapshot *snapshot, struct outbound_plan **plan);

void ways_hang_up(struct ways *ways); /* no request is under way any more, */
void ways_done(struct ways *ways);    /* and then nothing else */

#endif
