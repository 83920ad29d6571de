/* The status port: HTTP, read-only.
 *
 *   /                the page, for people: page.h; ?lang=fr, ?lang=en; ?part=live, what changes in it
 *   /healthz         200 while the loop turns
 *   /readyz          200, or 503 and one line why
 *   /api/v1/status   JSON
 *   /metrics         Prometheus' text format, or OpenMetrics for who accepts it
 *   /api/v1/targets   JSON, answered by whoever is asked
 *   /api/v1/counters?from=&to=&by=   likewise
 *   /api/v1/documents?state=&reason=&site=&limit=&after=   likewise
 *
 * Anything else is answered 404, another method than GET or HEAD 405, a request with a body 413, a query
 * that names something unknown, or what is no HTTP, 400. One request a connection; 8 KiB of headers; a
 * request that is not whole in time is not waited for.
 *
 * On loopback it may be open to all who are on this machine. Beyond, it speaks TLS and wants a token
 * ("Authorization: Bearer", or as the password of "Basic", which browsers ask for) or a certificate.
 * What is configured is wanted, on loopback too.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_STATUS_STATUS_SERVER_H
#define DMPFEED_STATUS_STATUS_SERVER_H

#include "base/tls.h"
#include "status/status.h"

struct event_base;
struct exchange;
struct page;
struct query;

struct status_settings {
	const char *listen;             /* "127.0.0.1:8690"; port 0: the system chooses */
	struct tls_server_settings tls; /* no cert: plain HTTP */
	const char *token;              /* who asks shows it; "" or NULL: nobody needs one */
	uint64_t most_connections;      /* 0: 64 */
	int64_t patience_ms;            /* a request is whole by then; 0: ten seconds */
};

/* Fills *ret_status for one answer; what it points to lives until the callback is called again. */
typedef void status_fill_fn(void *arg, struct status *ret_status);

/* Likewise for one page; ret_page->status is to be filled as well. */
typedef void status_page_fn(void *arg, struct page *ret_page);

/* What memory does not hold: the callee's from now on, until one call of status_answer(), at once or later.
 * Values of the query are in the order of the path's table; they live until the callback returns.
 */
enum status_listing { LISTING_DOCUMENTS, LISTING_COUNTERS, LISTING_TARGETS };
enum { DOCUMENTS_STATE, DOCUMENTS_REASON, DOCUMENTS_SITE, DOCUMENTS_LIMIT, DOCUMENTS_AFTER };
enum { COUNTERS_FROM, COUNTERS_TO, COUNTERS_BY };
typedef void status_list_fn(void *arg, enum status_listing listing, const struct query *query,
			    struct exchange *exchange);

/* The JSON; or what is wrong with what was asked, or with us now. */
void status_answer(struct exchange *exchange, struct slice json);
void status_answer_bad(struct exchange *exchange, const char *why);
void status_answer_unavailable(struct exchange *exchange, const char *why);

struct status_desk {
	status_fill_fn *fill;
	status_page_fn *page;
	status_list_fn *list;
	void *arg;
};

struct status_server;

/* -1 (ERR_HALT): cannot listen; beyond loopback for everybody; what TLS needs is not there. */
must_use int status_server_new(struct status_server **ret_server, struct event_base *loop,
			       const struct status_settings *settings,
			       const struct status_desk *desk, struct err *err);

/* What other settings need: *ret_tls, or NULL without TLS. -1 as above, and nothing has changed. The address, the
 * number of connections and their patience stay those of birth.
 */
must_use int status_server_prepare(const struct status_settings *settings, struct tls **ret_tls,
				   struct err *err);
/* Requests to come show that token, and connections to come speak TLS by `tls`, which is the server's now. */
void status_server_follow(struct status_server *server, const struct status_settings *settings,
			  struct tls *tls);

void status_server_free(struct status_server **server);

/* Where it listens really: "127.0.0.1:8690". */
const char *status_server_address(const struct status_server *server);

#endif
