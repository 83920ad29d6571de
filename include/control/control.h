/* The socket that dmpfeedctl talks to: a Unix socket, one JSON object a line each way, peer
 * credentials.
 *
 * A request is {"command": "list", …}; the answer is any number of lines {"row": …} then one last
 * line {"ok": true} or {"ok": false, "error": "a sentence"}. A connection may send several
 * requests: each is handed over once the peer has taken the answer to the one before it. What is no
 * request (a line above 64 KiB, a peer without a role, one connection too many) gets the last line
 * alone, and the connection ends.
 *
 * Root and the user of the daemon are administrators; others have the role of the highest of the
 * groups below that they are members of.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_CONTROL_CONTROL_H
#define DMPFEED_CONTROL_CONTROL_H

#include <sys/types.h>

#include "base/buf.h"

struct event_base;

/* Each may do what the ones before it may. */
enum control_role {
	ROLE_NONE,
	ROLE_READ,    /* look */
	ROLE_OPERATE, /* and move documents */
	ROLE_ADMIN,   /* and what cannot be undone, or takes the queue out of the machine */
	ROLE_COUNT,
};

const char *control_role_text(enum control_role role);

/* Any thread. A group of this machine; -1: it has none of that name, *ret_error is 0 or says why nobody knows. */
must_use int control_find_group(const char *name, gid_t *ret_group, int *ret_error);

struct control_settings {
	/* A path in a folder that exists. Made 0660; 0666 where groups are named, so that whoever may
	 * enter its folder can ask: the peer's credentials decide.
	 */
	const char *socket;
	const char *groups[ROLE_COUNT]; /* by role: a group of this machine; NULL or "": none */
	int64_t idle_ms; /* a connection on which nothing moves is closed; 0: five minutes */
};

struct control_request {
	struct slice line; /* the JSON text without its line end, valid until the answer */
	uid_t uid;         /* of the peer */
	enum control_role role;

	/* private */
	struct control_connection *connection; /* NULL: gone, the answer goes nowhere */
	struct buf text;
};

typedef void control_request_fn(void *arg, struct control_request *request);

struct control;

/* -1: cannot listen, or one of the groups does not exist (ERR_HALT). A socket left by a process that died is
 * replaced; a living one is not.
 */
must_use int control_new(struct control **ret_control, struct event_base *loop,
			 const struct control_settings *settings, control_request_fn *on_request,
			 void *arg, struct err *err);

/* Closes the connections. Requests not yet answered stay valid until they are. */
void control_free(struct control **control);

/* For a request that may wait for long: `gone` is called, once or more often, when its peer has left altogether. It is
 * to be answered all the same, from there or later. A peer that shut down its sending side alone still wants its answer.
 */
void control_on_gone(struct control_request *request, void (*gone)(void *arg), void *arg);

/* Sends the answer (whole lines) and frees the request; the peer may have left, and the control
 * been freed. Peers without a role never get as far as a request.
 */
void control_answer(struct control_request *request, struct slice lines);

#endif
