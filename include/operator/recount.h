/* The order to count all anew: {"command": "counters", "rebuild": true}. It is done in the background (tally.h).
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_RECOUNT_H
#define DMPFEED_OPERATOR_RECOUNT_H

#include "operator/orders.h"

/* false: this is no such order. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool recount_begin(const struct orders_parts *parts, struct control_request *request,
			    json_t *asked);

#endif
