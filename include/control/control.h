/* The socket that dmpfeedctl talks to: a Unix socket, one JSON object a line each way, peer
 * credentials.
 *
 * A request is {"command": "list", …}; the answer is any number of lines {"row": …} then one last
 * line {"ok": true} or {"ok": false, "error": "a sentence"}. A connection may send several
 * requests: each is handed over once the peer has taken the answer to the one before it. What is no
 * request (a line above 64 KiB, a peer of another user, one connection too many) gets the last line
 * alone, and the connection ends.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_CONTROL_CONTROL_H
#define DMPFEED_CONTROL_CONTROL_H

#include <sys/types.h>

#include "base/buf.h"

struct event_base;

struct control_settings {
	const char *socket; /* path; made 0660 in a folder that exists */
	int64_t idle_ms;    /* a connection on which nothing moves is closed; 0: five minutes */
};

struct control_request {
	struct slice line; /* the JSON text without its line end, valid until the answer */
	uid_t uid;         /* of the peer */

	/* private */
	struct control_connection *connection; /* NULL: gone, the answer goes nowhere */
	struct buf text;
};

typedef void control_request_fn(void *arg, struct control_request *request);

struct control;

/* -1: cannot listen (ERR_HALT). A socket left by a process that died is replaced; a living one is
 * not.
 */
must_use int control_new(struct control **ret_control, struct event_base *loop,
			 const struct control_settings *settings, control_request_fn *on_request,
			 void *arg, struct err *err);

/* Closes the connections. Requests not yet answered stay valid until they are. */
void control_free(struct control **control);

/* Sends the answer (whole lines) and frees the request; the peer may have left, and the control
 * been freed. Peers of another user than ours or root never get as far as a request.
 */
void control_answer(struct control_request *request, struct slice lines);

#endif
