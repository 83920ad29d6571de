/* The status port: HTTP, read-only, loopback only.
 *
 *   /healthz         200 while the loop turns
 *   /readyz          200, or 503 and one line why
 *   /api/v1/status   JSON
 *
 * Anything else is answered 404, another method than GET or HEAD 405, a request with a body 413.
 * One request a connection; 8 KiB of headers; a connection on which nothing moves is closed.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_STATUS_STATUS_SERVER_H
#define DMPFEED_STATUS_STATUS_SERVER_H

#include "status/status.h"

struct event_base;

struct status_settings {
	const char *listen; /* "127.0.0.1:8690"; port 0: the system chooses */
	int64_t idle_ms;    /* a connection on which nothing moves is closed; 0: ten seconds */
};

/* Fills *ret_status for one answer; what it points to lives until the callback is called again. */
typedef void status_fill_fn(void *arg, struct status *ret_status);

struct status_server;

/* -1: cannot listen, or an address beyond loopback (ERR_HALT). */
must_use int status_server_new(struct status_server **ret_server, struct event_base *loop,
			       const struct status_settings *settings, status_fill_fn *fill,
			       void *arg, struct err *err);
void status_server_free(struct status_server **server);

/* Where it listens really: "127.0.0.1:8690". */
const char *status_server_address(const struct status_server *server);

#endif
