/* What people order over the control socket: hold, release, retry, cancel. Each is written to the ledger
 * with who gave it.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_ORDERS_H
#define DMPFEED_OPERATOR_ORDERS_H

#include <jansson.h>

#include "control/control.h"
#include "pipeline.h"

struct orders_parts { /* outlive every order */
	struct workers *workers;
	struct writer *writer;
	struct pipeline *pipeline;
};

/* false: this is no order. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool orders_begin(const struct orders_parts *parts, struct control_request *request,
			   json_t *asked);

#endif
