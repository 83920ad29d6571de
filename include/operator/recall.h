/* The order to delete a document that the DMP has or may have (TD3.3c): {"command": "recall", "doc": …},
 * with "dry_run": true to hear only whether it could be. Final in the DMP, so whoever orders it asks a
 * person first.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_RECALL_H
#define DMPFEED_OPERATOR_RECALL_H

#include "operator/orders.h"

/* false: this is no recall. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool recall_begin(const struct orders_parts *parts, struct control_request *request,
			   json_t *asked);

#endif
