/* The TLS side of the way to the DMP: the files it needs, and what an alert means. OpenSSL is at
 * home here; http.c, which has curl, hands over what it is given.
 *
 * Loop only.
 */
#ifndef DMPFEED_DISPATCH_HTTP_TLS_H
#define DMPFEED_DISPATCH_HTTP_TLS_H

#include "base/buf.h"

struct http_tls_settings {
	const char *ca, *cert, *key; /* PEM files */
	const char *least, *most;    /* versions: "1.2", "1.3" */
	const char *ciphers;         /* OpenSSL names for TLS 1.2 */
};

struct http_tls;

/* Reads the files, and tries all that curl will need, so that a wrong file is named at start and not
 * met with the first document. -1: a file that cannot be read, or what tls_client_check() finds
 * (ERR_HALT, naming the file or the value; err->where is the setting at fault: "ca", "cert", "key"
 * or "ciphers").
 */
must_use int http_tls_new(struct http_tls **ret_tls, const struct http_tls_settings *settings,
			  int64_t now_ms, struct err *err);
void http_tls_free(struct http_tls **tls);

/* The files, as they were when they were read; live as long as the whole. */
struct http_tls_pem {
	struct buf ca, cert, key;
};
const struct http_tls_pem *http_tls_pem(const struct http_tls *tls);

/* Appends a file of at most so many bytes. -1: it cannot be read, or is larger (ERR_HALT). */
must_use int http_tls_read(const char *path, size_t most, struct buf *out, struct err *err);

/* Do these words of a failed handshake, which quote OpenSSL, tell of something that no retry mends?
 */
bool http_tls_is_refusal(const char *words);

#endif
