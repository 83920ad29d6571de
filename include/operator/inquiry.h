/* What people ask over the control socket that the store answers: lists, one document's history, the
 * verification of it all.
 *
 * Loop only; the store is read by workers, whose context is a struct hands.
 */
#ifndef DMPFEED_OPERATOR_INQUIRY_H
#define DMPFEED_OPERATOR_INQUIRY_H

#include <jansson.h>

#include "base/jobs.h"
#include "config.h"
#include "control/control.h"
#include "pipeline.h"
#include "watch.h"

struct inquiry_parts {
	const struct config *config; /* that is in force now */
	const struct pipeline *pipeline;
	struct watch *watch;
	struct workers *workers;
	struct workers *keeper; /* for what takes minutes */
};

/* false: this is no inquiry. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool inquiry_begin(const struct inquiry_parts *parts, struct control_request *request,
			    json_t *asked);

#endif
