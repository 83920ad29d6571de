/* The connections of the status port: one request each, one answer, and an end to every wait.
 *
 * Who sends its request slowly, or does not read its answer, is closed after a while; when there are as
 * many connections as may be, a new one takes the place of the one that has waited longest with nothing
 * asked, so that idle ones keep nobody out.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_STATUS_CONNECTION_H
#define DMPFEED_STATUS_CONNECTION_H

#include "base/tls.h"
#include "status/request.h"

struct event_base;

struct connections_settings {
	size_t most;
	int64_t patience_ms; /* for a whole request; an answer has six times as long to leave */
};

/* A request that waits for its answer: exactly one call of exchange_answer(), at once or later. */
struct exchange;

/* `code`: of request_read(), or 431 (too long) without a request. The request's texts live until the
 * callback returns.
 */
typedef void exchange_fn(void *arg, struct exchange *exchange, int code,
			 const struct request *request);

struct answer_head {
	int code;
	const char *type;
	const char *policy; /* Content-Security-Policy; NULL: nothing may load anything */
	const char *more;   /* further header lines, each with its end; NULL: none */
};

/* Frees the exchange. The peer may have gone. */
void exchange_answer(struct exchange *exchange, const struct answer_head *head, struct slice body);

struct connections;
struct connections *connections_new(struct event_base *loop,
				    const struct connections_settings *settings,
				    exchange_fn *on_request, void *arg);

/* A connected socket that does not block, which is theirs from now on. `tls` NULL: none. */
void connections_add(struct connections *connections, int fd, const struct tls *tls,
		     const char *peer);

/* Ends all. What waits for an answer may still be answered afterwards, for nobody. */
void connections_free(struct connections **connections);

#endif
