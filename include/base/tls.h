/* TLS: contexts from PEM files, for either side, and sessions on sockets that do not block.
 *
 * A context is made at start and read-only afterwards; a session belongs to whoever made it, on one
 * thread. Writing to a peer that left raises SIGPIPE, as write() does: the program ignores it.
 */
#ifndef DMPFEED_BASE_TLS_H
#define DMPFEED_BASE_TLS_H

#include "base/buf.h"

/* Suites of TLS 1.2 with forward secrecy, and no padding to ask an oracle about. */
#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"

/* Settings may be "" or NULL: versions and suites are then the first above, and what else a name is
 * left empty for is not there.
 */
struct tls_server_settings {
	const char *cert,
		*key; /* PEM files: the certificate, then its intermediates; its key, or the
				   URI of one on a token (base/token.h) */
	const char *client_ca; /* given: clients show a certificate that one of these issued */
	const char *min;       /* "1.2" (also when empty), "1.3" */
	const char *ciphers;   /* of TLS 1.2, by OpenSSL's names; else TLS_CIPHERS */
};

struct tls_client_settings {
	const char *ca; /* the authorities that the server's certificate is checked against */
	const char *cert, *key; /* what the server is shown, if it asks */
	const char *name;       /* a host name or an IP address: the certificate must be for it */
	const char *min, *ciphers;
};

struct tls;

/* -1 (ERR_HALT): the text says which file and what is wrong with it, err->where which setting:
 * "cert", "key", "client_ca", "ca", "name", "min" or "ciphers". ERR_RETRY: the key's token is away.
 */
must_use int tls_server_new(struct tls **ret_tls, const struct tls_server_settings *settings,
			    int64_t now_ms, struct err *err);
must_use int tls_client_new(struct tls **ret_tls, const struct tls_client_settings *settings,
			    int64_t now_ms, struct err *err);

/* The same without a name, for a client whose sessions others make: its certificate and key are lent to
 * their context (OpenSSL's SSL_CTX), which is to be of the same thread. A key on a token may be away
 * (tls_try_key()). -1 of the second: OpenSSL would not.
 */
struct ssl_ctx_st;
must_use int tls_lender_new(struct tls **ret_tls, const struct tls_client_settings *settings,
			    int64_t now_ms, struct err *err);
must_use int tls_lend(const struct tls *tls, struct ssl_ctx_st *to);

/* Signs with the key, as a handshake does. -1: err->where is "key"; the kind and text are those of
 * token_sign().
 */
must_use int tls_try_key(const struct tls *tls, struct err *err);

/* Why a handshake since the key was last lent could not be signed. 0: it was not for that. */
int tls_key_trouble(const struct tls *tls, struct err *err);

/* Its sessions live on. */
void tls_free(struct tls **tls);

/* ---- sessions ---- */

enum { TLS_PEER = 64 };

enum tls_turn {
	TLS_DONE,
	TLS_WANTS_READ, /* again when the socket can be read */
	TLS_WANTS_WRITE,
	TLS_ENDED,  /* the peer has said all it will */
	TLS_FAILED, /* err (ERR_RETRY) says why; the session is of no more use */
};

struct tls_session;

/* On a connected socket that does not block, and that stays the caller's. */
struct tls_session *tls_session_new(const struct tls *tls, int fd);
void tls_session_free(struct tls_session **session);

/* Call it until TLS_DONE; then the others. */
must_use enum tls_turn tls_handshake(struct tls_session *session, struct err *err);

/* TLS_DONE: *ret_n bytes, one at least. */
must_use enum tls_turn tls_read(struct tls_session *session, void *to, size_t room, size_t *ret_n,
				struct err *err);

/* TLS_DONE: *ret_n bytes went, maybe not all. */
must_use enum tls_turn tls_write(struct tls_session *session, struct slice bytes, size_t *ret_n,
				 struct err *err);

/* Tells the peer, as far as its socket takes it, that nothing more will come. */
void tls_end(struct tls_session *session);

/* After the handshake: "TLSv1.3", and the common name of the peer's certificate ("": it showed
 * none).
 */
const char *tls_version(const struct tls_session *session);
const char *tls_peer(const struct tls_session *session, char ret_name[static TLS_PEER]);

/* ---- sessions of libevent, which reads and writes by itself ---- */

struct ssl_st; /* OpenSSL's SSL */

/* The server's side, for bufferevent_openssl_socket_new(), whose own it is then. */
struct ssl_st *tls_for_libevent(const struct tls *tls);

/* Before libevent frees it. Tells the peer that nothing more will come; -1 (ERR_RETRY): there was nobody to
 * tell, because the handshake did not end. `trouble` is what bufferevent_get_openssl_error() says of it.
 */
must_use int tls_end_for_libevent(struct ssl_st *ssl, unsigned long trouble, struct err *err);

#endif
