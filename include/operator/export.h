/* What is written out for others: the files of figures, as dmpfeedctl asks for them, a month at a time, so that
 * no answer grows with the years. Who takes evidence out is written into the audit chain first.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_EXPORT_H
#define DMPFEED_OPERATOR_EXPORT_H

#include <jansson.h>

#include "board/board.h"
#include "control/control.h"

struct export_parts {              /* outlive every request */
	struct snapshot *snapshot; /* of now: a piece is told by the one that it began with */
	struct board *board;
	struct workers *keeper; /* its context is a struct hands */
	struct writer *writer;
	struct pipeline *pipeline;
	uint8_t secret[32]; /* what marks are sealed with, as long as the daemon runs */
};

/* false: this is no such request. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool export_begin(const struct export_parts *parts, struct control_request *request,
			   json_t *asked);

#endif
