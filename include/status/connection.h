/* The connections of the status port: one request each, one answer, and an end to every wait.
 *
 * Who sends its request slowly, or does not read its answer, is closed after a while; when there are as
 * many connections as may be, a new one takes the place of the one that has waited longest with nothing
 * asked, so that idle ones keep nobody out. When all have asked, others wait to be let in.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_STATUS_CONNECTION_H
#define DMPFEED_STATUS_CONNECTION_H

#include "base/tls.h"
#include "status/request.h"

struct event_base;
struct evconnlistener;

struct connections_settings {
	size_t most;
	int64_t patience_ms; /* for a whole request, and six times that for its answer; a second more at most */
	const struct tls *tls; /* NULL: none */
};

/* A request that waits for its answer: exactly one call of exchange_answer(), at once or later. */
struct exchange;

/* `code`: 200, or what is wrong with the request: 400 it asks for no path; 405 another method than GET and
 * HEAD; 413 it has a body. Its texts live until the callback returns.
 */
typedef void exchange_fn(void *arg, struct exchange *exchange, int code,
			 const struct request *request);

struct header {
	const char *name, *value;
};

struct answer_head {
	int code;
	const char *type;
	const char *policy;    /* Content-Security-Policy; NULL: nothing may load anything */
	struct header more[2]; /* those with a name */
};

/* Frees the exchange. The peer may have gone. */
void exchange_answer(struct exchange *exchange, const struct answer_head *head, struct slice body);

/* Of whom this listener lets in, and which is theirs from now on. */
struct connections;
struct connections *connections_new(struct evconnlistener *listener,
				    const struct connections_settings *settings,
				    exchange_fn *on_request, void *arg);

/* Those to come speak TLS by that; NULL: none. */
void connections_speak(struct connections *connections, const struct tls *tls);

/* Ends all. What waits for an answer may still be answered afterwards, for nobody. */
void connections_free(struct connections **connections);

#endif
