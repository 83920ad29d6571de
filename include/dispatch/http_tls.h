/* The TLS side of the way to the DMP: the files it needs, and what an alert means. OpenSSL is at
 * home here; http.c, which has curl, hands over what it is given.
 *
 * Loop only.
 */
#ifndef DMPFEED_DISPATCH_HTTP_TLS_H
#define DMPFEED_DISPATCH_HTTP_TLS_H

#include "base/buf.h"

struct http_tls_settings {
	const char *ca, *cert, *key; /* PEM files; the key may be the URI of one on a token */
	const char *least, *most;    /* versions: "1.2", "1.3" */
	const char *ciphers;         /* OpenSSL names for TLS 1.2 */
};

struct http_tls;

/* Reads the files, and tries all that curl will need, so that a wrong file is named at start and not
 * met with the first document. -1: a file that cannot be read, or what tls_lender_new() finds
 * (ERR_HALT, naming the file or the value; err->where is the setting at fault: "ca", "cert", "key"
 * or "ciphers"). A key on a token is not looked for: see http_tls_try().
 */
must_use int http_tls_new(struct http_tls **ret_tls, const struct http_tls_settings *settings,
			  int64_t now_ms, struct err *err);
void http_tls_free(struct http_tls **tls);

/* The authorities, as PEM; they live as long as the whole. */
struct slice http_tls_ca(const struct http_tls *tls);

/* Gives the certificate and its key to what OpenSSL is about to connect with (an SSL_CTX). The
 * handshake signs on the loop: a token that is slow slows it, at each new connection. -1: OpenSSL
 * would not.
 */
must_use int http_tls_prepare(const struct http_tls *tls, void *ssl_context);

/* tls_try_key() and tls_key_trouble() of that key. */
must_use int http_tls_try(const struct http_tls *tls, struct err *err);
int http_tls_key_trouble(const struct http_tls *tls, struct err *err);

/* Appends a file of at most so many bytes. -1: it cannot be read, or is larger (ERR_HALT). */
must_use int http_tls_read(const char *path, size_t most, struct buf *out, struct err *err);

/* Do these words of a failed handshake, which quote OpenSSL, tell of something that no retry mends?
 */
bool http_tls_is_refusal(const char *words);

#endif
