/* What people may see and ask of the running gateway: the status port and the control socket.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_OPERATOR_H
#define DMPFEED_OPERATOR_OPERATOR_H

#include "board/board.h"
#include "watch.h"

struct operator_parts {
	struct event_base *loop;
	struct snapshot *snapshot; /* at first */
	struct pipeline *pipeline;
	struct watch *watch;
	struct workers *workers; /* their context is a struct hands; */
	struct workers *keeper;  /* likewise, for what takes minutes */
	struct writer *writer;
	struct board *board;
	int64_t started_ms;

	/* Somebody asks that the configuration be read again; answers. */
	void (*reload)(void *arg, struct control_request *request);
	void *reload_arg;
};

struct operator_desk;

/* Opens the status port and the control socket. -1: one of them cannot be (ERR_HALT). */
must_use int operator_new(struct operator_desk **ret_desk, const struct operator_parts *parts,
			  struct err *err);

/* What another snapshot needs, made before anything changes. -1 (ERR_HALT): something of it cannot be, and nothing has
 * changed.
 */
struct operator_plan;
must_use int operator_prepare(const struct snapshot *snapshot, struct operator_plan **ret_plan,
			      struct err *err);
void operator_plan_free(struct operator_plan **plan);

/* Goes by that snapshot from now on, as the pipeline does already. Uses the plan up. */
void operator_follow(struct operator_desk *desk, struct snapshot *snapshot,
		     struct operator_plan **plan);

/* After the workers ended. */
void operator_free(struct operator_desk **desk);

#endif
