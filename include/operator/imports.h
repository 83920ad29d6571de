/* What people ask about targets over the control socket: where each place stands, and figures that they
 * bring: denominators and official counts. An import is read and checked whole before anything of it is
 * kept, and written down with who brought it.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_IMPORTS_H
#define DMPFEED_OPERATOR_IMPORTS_H

#include <jansson.h>

#include "board/board.h"
#include "control/control.h"

struct imports_parts {             /* outlive every request */
	struct snapshot *snapshot; /* of now: a request ends with the one that it began with */
	struct board *board;
	struct workers *workers;
	struct writer *writer;
	struct pipeline *pipeline;
};

/* false: this is no such request. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool imports_begin(const struct imports_parts *parts, struct control_request *request,
			    json_t *asked);

#endif
