/* What people may see and ask of the running gateway: the status port and the control socket.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_H
#define DMPFEED_OPERATOR_H

#include "board.h"
#include "watch.h"

struct operator_parts {
	struct event_base *loop;
	const struct config *config;
	struct pipeline *pipeline;
	struct watch *watch;
	struct workers *workers; /* their context is a struct hands; */
	struct workers *keeper;  /* likewise, for what takes minutes */
	struct writer *writer;
	const struct targets *targets;
	struct board *board;
	int64_t started_ms;
};

struct operator_desk;

/* Opens the status port and the control socket. -1: one of them cannot be (ERR_HALT). */
must_use int operator_new(struct operator_desk **ret_desk, const struct operator_parts *parts,
			  struct err *err);

/* After the workers ended. */
void operator_free(struct operator_desk **desk);

#endif
