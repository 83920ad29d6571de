/* What a request of HTTP asks for, and who asks: what libevent's server leaves to us. Pure. Any thread. */
#ifndef DMPFEED_STATUS_REQUEST_H
#define DMPFEED_STATUS_REQUEST_H

#include "base/buf.h"

/* Empty: not there. */
struct request {
	struct slice path, query;
	struct slice authorization, accept, accept_language;
};

/* The path and the query of "/api/v1/documents?state=held", which point into it. false: it is no such thing. */
must_use bool request_read_target(struct slice target, struct request *ret_request);

enum { QUERY_VALUES = 6, QUERY_TEXT = 80 };

/* The values of a query, decoded, in the order of the names that are known; "": not given. */
struct query {
	char values[QUERY_VALUES][QUERY_TEXT];
};

/* `names` ends with NULL, QUERY_VALUES at most. -1 (ERR_REJECT): a name that is not among them or comes
 * twice, a value that is too long or is not text.
 */
must_use int query_read(struct slice text, const char *const *names, struct query *ret_query,
			struct err *err);

/* Whether "Authorization" shows this token: "Bearer TOKEN", or "Basic", which browsers ask for, with the
 * token as the password of whatever user. How long it takes tells nothing of the token.
 */
must_use bool request_shows(const struct request *request, const char *token);

/* Of "fr" and "en", what "Accept-Language" weighs most; French when it says nothing of either. */
bool request_wants_french(const struct request *request);

/* Whether "Accept" names OpenMetrics 1.0.0, and does not weigh plain text more. */
bool request_wants_openmetrics(const struct request *request);

#endif
