/* One request of HTTP/1, as the status port takes it: GET or HEAD, a path, a query, no body.
 *
 * Strict where two readers of the same bytes could understand two things: line ends, folded and repeated
 * headers, lengths. Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_REQUEST_H
#define DMPFEED_STATUS_REQUEST_H

#include "base/buf.h"

/* Slices point into the bytes that it was read from; empty: not there. */
struct request {
	bool is_head;
	struct slice path, query;
	struct slice authorization, accept_language;
};

/* 0: not whole yet. 200: *ret_request is filled. Else what to answer: 400 not HTTP, or ambiguous; 405
 * another method; 413 a body; 505 another version. *ret_n is filled with 200 only: how many bytes it has.
 */
must_use int request_read(struct slice in, struct request *ret_request, size_t *ret_n);

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

#endif
