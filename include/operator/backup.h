/* The order to copy the whole store: {"command": "backup", "file": …}. It takes every document out, so who gave it
 * stands in the audit chain and in the journal before the copy begins.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_BACKUP_H
#define DMPFEED_OPERATOR_BACKUP_H

#include <jansson.h>

#include "control/control.h"
#include "pipeline.h"

struct backup_parts { /* outlive every order */
	struct workers *keeper;
	struct writer *writer;
	struct pipeline *pipeline;
};

/* false: this is no such order. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool backup_begin(const struct backup_parts *parts, struct control_request *request,
			   json_t *asked);

#endif
