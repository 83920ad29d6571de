/* What the status port is asked that memory does not hold: read by a worker through its own connection.
 *
 * Loop only; the store is read by workers, whose context is a struct hands.
 */
#ifndef DMPFEED_OPERATOR_LISTS_H
#define DMPFEED_OPERATOR_LISTS_H

#include "base/jobs.h"
#include "operator/standing.h"
#include "status/status_server.h"

struct lists;

struct lists *lists_new(struct workers *workers);

/* After the workers ended. */
void lists_free(struct lists **lists);

/* status_list_fn, with the lists and with how the lanes stand, which is theirs from now on. */
void lists_ask(struct lists *lists, enum status_listing listing, const struct query *query,
	       struct standing *standing, struct exchange *exchange);

#endif
