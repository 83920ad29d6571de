/* POST over mutual TLS, on the loop: curl's multi interface driven by libevent.
 *
 * HTTP/1.1 over https only; no redirect is followed; a proxy is one that the
 * settings name, never one of the environment. A
 * request is sent once: when a kept-alive connection breaks after part of it has left, that is a
 * failure to be judged, never a silent second attempt.
 *
 * Loop only. One client per lane: its own certificates, its own kept-alive connections.
 */
#ifndef DMPFEED_DISPATCH_HTTP_H
#define DMPFEED_DISPATCH_HTTP_H

#include "dispatch/http_tls.h"
#include "dispatch/outcome.h"
#include "dispatch/revocation.h"

struct event_base;

struct http_settings {
	struct http_tls_settings tls;
	struct revocation_settings revocation;
	const char *proxy;       /* http://host:port, that tunnels (CONNECT); NULL or "": none */
	const char *proxy_login; /* "user:password"; NULL or "": none */
	int64_t connect_timeout_ms, exchange_timeout_ms; /* the exchange: connection included */
	uint64_t most_reply_bytes;
	uint64_t most_connections; /* further requests wait their turn, before their timeouts run */
};

struct http;

/* Reads the files, once: those that are renewed take effect with the next client; but revocation lists
 * are looked at again, by `workers`, before each request. -1: a file that
 * cannot be read, a key that is not the certificate's, TLS settings that OpenSSL does not know
 * (ERR_HALT, naming the file or the value). */
must_use int http_new(struct http **ret_http, struct event_base *loop, struct workers *workers,
		      const struct http_settings *settings, struct err *err);

/* Requests still under way are dropped: their done() is not called. May be called from a done(). */
void http_free(struct http **http);

/* Of a request's body: a large document goes out from where it is, not from one more copy of it. */
enum { HTTP_PIECES = 3 };

/* One exchange. The caller owns the struct and what it points to, and keeps them until done() or
 * http_free(). done() comes from the loop, never from within http_post(); it may post again. */
struct http_request {
	const char *url, *content_type;
	const char *soap_action;        /* of an HTTP header SOAPAction; NULL or "": none */
	struct slice body[HTTP_PIECES]; /* one after the other; some may be empty */
	void (*done)(struct http_request *request);

	/* filled before done(); a reply that broke off or was too large is no answer: it is dropped,
	 * and transport_text says why */
	struct exchange exchange;
	struct buf reply; /* the caller frees it, done() or not */
	char reply_content_type[256];
	char transport_text[256];
	int64_t duration_ms;
	int64_t sent_ms, answered_ms; /* by the wall clock */
	int64_t date_ms;              /* as the reply says; 0: it does not */

	struct http_request *next; /* private */
};

void http_post(struct http *http, struct http_request *request);

#endif
