/* POST over mutual TLS, on the loop: curl's multi interface driven by libevent.
 *
 * Loop only. One client per lane: its own certificates, its own kept-alive connections.
 */
#ifndef DMPFEED_DISPATCH_HTTP_H
#define DMPFEED_DISPATCH_HTTP_H

#include "base/buf.h"
#include "dispatch/outcome.h"

struct event_base;

struct http_settings {
	const char *ca, *cert, *key;   /* PEM files */
	const char *tls_min, *tls_max; /* "1.2", "1.3" */
	const char *ciphers;           /* OpenSSL names for TLS 1.2 */
	int64_t connect_timeout_ms, exchange_timeout_ms;
	uint64_t most_reply_bytes;
	uint64_t most_connections;
};

struct http;

/* -1: a file that cannot be read, a key that is not the certificate's (ERR_HALT). */
must_use int http_new(struct http **ret_http, struct event_base *loop,
		      const struct http_settings *settings, struct err *err);

/* Requests still under way are dropped: their done() is not called. */
void http_free(struct http **http);

/* One exchange. The caller owns the struct and what it points to until done() is called. */
struct http_request {
	const char *url, *content_type;
	struct slice body;
	void (*done)(struct http_request *request);

	/* filled before done() */
	struct exchange exchange;
	struct buf reply; /* the caller frees it */
	char reply_content_type[256];
	char transport_text[256];
	int64_t duration_ms;

	struct http_transfer *transfer; /* private */
};

void http_post(struct http *http, struct http_request *request);

#endif
