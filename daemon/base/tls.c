/* TLS: contexts from PEM files, and sessions on sockets that do not block. */
#include "base/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/codec.h"
#include "base/pem.h"
#include "base/token_key.h"

/* 112 bits: RSA of 2048 bits at least, no SHA-1 in signatures. */
enum { SECURITY_LEVEL = 2, MOST_KEY_BYTES = 1024 };

/* The first byte of a record that may come first (RFC 8446, 5.1). */
enum { RECORD_ALERT = 0x15, RECORD_HANDSHAKE = 0x16 };

struct tls {
	SSL_CTX *context;
	char *name; /* of the server that is asked; NULL: this is the server */
};

struct tls_session {
	SSL *ssl;
	int fd;
	bool speaks_tls; /* the peer's first byte is seen */
};

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* ---- contexts ---- */

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* An authority may say what a certificate is for, and peers heed it. */
static int check_purpose(X509 *certificate, const char *file, bool of_server, struct err *err)
{
	if (X509_check_purpose(certificate,
			       of_server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT,
			       false) == 1)
		return 0;
	return pem_wrong(err, "cert",
			 "the certificate in %s is not for a TLS %s (see its extendedKeyUsage and "
			 "keyUsage): peers would refuse it",
			 file, of_server ? "server" : "client");
}

static int use_certificate(SSL_CTX *context, const char *file, int64_t now_ms, struct err *err)
{
	const bool of_server = SSL_CTX_get_ssl_method(context) == TLS_server_method();

	if (pem_check_readable("cert", file, err) < 0)
		return -1;
	if (SSL_CTX_use_certificate_chain_file(context, file) != 1) {
		int reason = ERR_GET_REASON(ERR_peek_last_error());

		if (reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL ||
		    reason == SSL_R_CA_MD_TOO_WEAK)
			return pem_wrong(
				err, "cert",
				"%s holds a certificate whose key or signature is too weak: "
				"RSA takes 2048 bits at least, and SHA-256",
				file);
		return pem_wrong(err, "cert",
				 "%s does not hold a certificate in PEM, then its intermediates",
				 file);
	}
	if (check_purpose(SSL_CTX_get0_certificate(context), file, of_server, err) < 0)
		return -1;
	return pem_check_dates(SSL_CTX_get0_certificate(context), file, now_ms, err);
}

static int use_key(SSL_CTX *context, const char *file, const char *cert, struct err *err)
{
	scoped(free_key) EVP_PKEY *key = NULL;

	if (pem_read_key(&key, file, SSL_CTX_get0_certificate(context), err) < 0)
		return -1;
	if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1 ||
	    SSL_CTX_use_PrivateKey(context, key) != 1)
		return pem_wrong(err, "key", "%s is not the key of the certificate in %s", file,
				 cert);
	return 0;
}

static int use_pair(SSL_CTX *context, const char *cert, const char *key, int64_t now_ms,
		    struct err *err)
{
	if (!is_given(cert))
		return pem_wrong(err, "cert", "there is a key and no certificate: name both files");
	if (!is_given(key))
		return pem_wrong(err, "key", "there is a certificate and no key: name both files");
	if (use_certificate(context, cert, now_ms, err) < 0)
		return -1;
	return use_key(context, key, cert, err);
}

/* Whatever stands in the file is trusted, an intermediate or a peer's own certificate too: a
 * hospital may have nothing above it.
 */
static int trust(SSL_CTX *context, const char *which, const char *file, struct err *err)
{
	if (pem_check_readable(which, file, err) < 0)
		return -1;
	if (SSL_CTX_load_verify_file(context, file) != 1)
		return pem_wrong(err, which,
				 "%s holds no certificate in PEM, or something else too", file);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
	return 0;
}

static int set_versions(SSL_CTX *context, const char *least, struct err *err)
{
	static const struct {
		const char *text;
		int version;
	} versions[] = { { "", TLS1_2_VERSION },
			 { "1.2", TLS1_2_VERSION },
			 { "1.3", TLS1_3_VERSION } };

	for (size_t i = 0; i < length_of(versions); i++)
		if (slice_is(slice_of(least), versions[i].text)) {
			SSL_CTX_set_min_proto_version(context, versions[i].version);
			return 0;
		}
	return pem_wrong(err, "min", "TLS %s is not spoken: write 1.2 or 1.3", least);
}

static int set_ciphers(SSL_CTX *context, const char *ciphers, struct err *err)
{
	if (SSL_CTX_set_cipher_list(context, is_given(ciphers) ? ciphers : TLS_CIPHERS) != 1)
		return pem_wrong(err, "ciphers", "\"%s\" names no cipher suite that OpenSSL offers",
				 ciphers);
	return 0;
}

static struct tls *tls_new(const SSL_METHOD *method)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));

	ERR_clear_error();
	tls->context = SSL_CTX_new(method);
	if (tls->context == NULL)
		no_memory();
	SSL_CTX_set_security_level(tls->context, SECURITY_LEVEL);
	/* Connections last and sessions are not resumed. Who leaves without saying so has its
	 * protocol's frames to show whether it had said all. Bytes to send may have moved when they
	 * are tried again, and a quiet connection keeps no buffers.
	 */
	SSL_CTX_set_options(tls->context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
						  SSL_OP_NO_COMPRESSION |
						  SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(tls->context, 0);
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					       SSL_MODE_RELEASE_BUFFERS);
	return tls;
}

/* ---- a key on a token ---- */

static void free_key_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

/* With the padding of TLS 1.3, which is the one that a token may lack. */
static bool can_sign(EVP_PKEY *key)
{
	static const unsigned char digest[SHA256_BYTES];
	scoped(free_key_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	unsigned char signature[MOST_KEY_BYTES];
	size_t n = sizeof(signature);

	return context != NULL && EVP_PKEY_sign_init(context) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_sign(context, signature, &n, digest, sizeof(digest)) == 1;
}

int tls_key_trouble(const struct tls *tls, struct err *err)
{
	return pem_key_trouble(SSL_CTX_get0_privatekey(tls->context), err);
}

int tls_try_key(const struct tls *tls, struct err *err)
{
	EVP_PKEY *key = SSL_CTX_get0_privatekey(tls->context);

	if (!token_key_is(key) || can_sign(key))
		return 0;
	if (tls_key_trouble(tls, err) < 0)
		return -1;
	return pem_wrong(err, "key", "OpenSSL refuses to sign with the key on the token");
}

int tls_server_new(struct tls **ret_tls, const struct tls_server_settings *settings, int64_t now_ms,
		   struct err *err)
{
	scoped(tls_free) struct tls *tls = tls_new(TLS_server_method());

	if (use_pair(tls->context, settings->cert, settings->key, now_ms, err) < 0 ||
	    set_versions(tls->context, settings->min, err) < 0 ||
	    set_ciphers(tls->context, settings->ciphers, err) < 0)
		return -1;
	if (is_given(settings->client_ca)) {
		if (trust(tls->context, "client_ca", settings->client_ca, err) < 0)
			return -1;
		SSL_CTX_set_client_CA_list(tls->context,
					   SSL_load_client_CA_file(settings->client_ca));
		SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	if (tls_try_key(tls, err) < 0)
		return -1;
	*ret_tls = take(tls);
	return 0;
}

/* All but the name. */
static int set_up_client(SSL_CTX *context, const struct tls_client_settings *settings,
			 int64_t now_ms, struct err *err)
{
	if (!is_given(settings->ca))
		return pem_wrong(err, "ca",
				 "the server cannot be checked without a file of authorities");
	if (trust(context, "ca", settings->ca, err) < 0)
		return -1;
	if ((is_given(settings->cert) || is_given(settings->key)) &&
	    use_pair(context, settings->cert, settings->key, now_ms, err) < 0)
		return -1;
	if (set_versions(context, settings->min, err) < 0 ||
	    set_ciphers(context, settings->ciphers, err) < 0)
		return -1;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return 0;
}

int tls_client_new(struct tls **ret_tls, const struct tls_client_settings *settings, int64_t now_ms,
		   struct err *err)
{
	scoped(tls_free) struct tls *tls = tls_new(TLS_client_method());

	if (set_up_client(tls->context, settings, now_ms, err) < 0)
		return -1;
	if (!is_given(settings->name))
		return pem_wrong(err, "name", "the server cannot be checked without its name");
	if (strlen(settings->name) > TLSEXT_MAXLEN_host_name)
		return pem_wrong(err, "name", "no server has a name of more than %d bytes",
				 TLSEXT_MAXLEN_host_name);
	if (tls_try_key(tls, err) < 0)
		return -1;
	tls->name = xstrdup(settings->name);
	*ret_tls = take(tls);
	return 0;
}

int tls_lender_new(struct tls **ret_tls, const struct tls_client_settings *settings, int64_t now_ms,
		   struct err *err)
{
	scoped(tls_free) struct tls *tls = tls_new(TLS_client_method());

	if (set_up_client(tls->context, settings, now_ms, err) < 0)
		return -1;
	*ret_tls = take(tls);
	return 0;
}

int tls_lend(const struct tls *tls, struct ssl_ctx_st *to)
{
	STACK_OF(X509) *chain = NULL;
	X509 *certificate = SSL_CTX_get0_certificate(tls->context);
	EVP_PKEY *key = SSL_CTX_get0_privatekey(tls->context);

	token_key_forget_trouble(key);
	SSL_CTX_get0_chain_certs(tls->context, &chain);
	return SSL_CTX_use_cert_and_key(to, certificate, key, chain, 1) == 1 ? 0 : -1;
}

void tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_CTX_free((*tls)->context);
	free((*tls)->name);
	free_ptr(tls);
}

/* ---- sessions ---- */

/* A session that forgot whom it expects would take anybody: false, and there must be none. */
must_use static bool expect_name(SSL *ssl, char *name)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct tls_session *tls_session_new(const struct tls *tls, int fd)
{
	struct tls_session *session = xcalloc(1, sizeof(*session));

	session->fd = fd;
	session->ssl = SSL_new(tls->context);
	if (session->ssl == NULL || SSL_set_fd(session->ssl, fd) != 1)
		no_memory();
	if (tls->name == NULL) {
		SSL_set_accept_state(session->ssl);
	} else {
		SSL_set_connect_state(session->ssl);
		if (!expect_name(session->ssl, tls->name))
			no_memory();
	}
	return session;
}

void tls_session_free(struct tls_session **session)
{
	if (*session == NULL)
		return;
	SSL_free((*session)->ssl);
	free_ptr(session);
}

/* What OpenSSL says, without its functions and numbers. */
static int explain(const SSL *ssl, unsigned long code, int trouble, struct err *err)
{
	const long verdict = SSL_get_verify_result(ssl);
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	if (verdict != X509_V_OK)
		return err_set(err, ERR_RETRY, "the peer's certificate is refused: %s",
			       X509_verify_cert_error_string(verdict));
	if (reason != NULL)
		return err_set(err, ERR_RETRY, "TLS failed: %s", reason);
	return err_set(err, ERR_RETRY, "TLS failed: %s",
		       trouble ? strerrordesc_np(trouble) : "the peer left");
}

static enum tls_turn failed(const struct tls_session *session, int trouble, struct err *err)
{
	explain(session->ssl, ERR_peek_last_error(), trouble, err);
	return TLS_FAILED;
}

/* After OpenSSL returned `result`, which is no success. */
static enum tls_turn turn_of(const struct tls_session *session, int result, struct err *err)
{
	const int trouble = errno;

	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_ENDED;
	default:
		return failed(session, trouble, err);
	}
}

static void forget_troubles(void)
{
	ERR_clear_error(); /* SSL_get_error() looks at all that is left of before */
	errno = 0;
}

/* A peer without TLS is told apart by its first byte: OpenSSL would make a version of it. */
static enum tls_turn look_at_first_byte(struct tls_session *session, struct err *err)
{
	unsigned char first;
	ssize_t n = recv(session->fd, &first, 1, MSG_PEEK);

	if (n <= 0) /* none yet; or the handshake will find out */
		return TLS_DONE;
	session->speaks_tls = first == RECORD_HANDSHAKE || first == RECORD_ALERT;
	if (session->speaks_tls)
		return TLS_DONE;
	err_set(err, ERR_RETRY, "the peer does not speak TLS: it begins with the byte 0x%02X",
		first);
	return TLS_FAILED;
}

enum tls_turn tls_handshake(struct tls_session *session, struct err *err)
{
	enum tls_turn turn;
	int result;

	if (!session->speaks_tls && look_at_first_byte(session, err) == TLS_FAILED)
		return TLS_FAILED;
	forget_troubles();
	result = SSL_do_handshake(session->ssl);
	turn = result == 1 ? TLS_DONE : turn_of(session, result, err);
	return turn == TLS_ENDED ? failed(session, 0, err) : turn;
}

enum tls_turn tls_read(struct tls_session *session, void *to, size_t room, size_t *ret_n,
		       struct err *err)
{
	int result;

	forget_troubles();
	result = SSL_read_ex(session->ssl, to, room, ret_n);
	return result == 1 ? TLS_DONE : turn_of(session, result, err);
}

enum tls_turn tls_write(struct tls_session *session, struct slice bytes, size_t *ret_n,
			struct err *err)
{
	int result;

	forget_troubles();
	result = SSL_write_ex(session->ssl, bytes.p, bytes.n, ret_n);
	return result == 1 ? TLS_DONE : turn_of(session, result, err);
}

void tls_end(struct tls_session *session)
{
	if (SSL_is_init_finished(session->ssl))
		SSL_shutdown(session->ssl);
	ERR_clear_error();
}

const char *tls_version(const struct tls_session *session)
{
	return SSL_get_version(session->ssl);
}

const char *tls_peer(const struct tls_session *session, char ret_name[static TLS_PEER])
{
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	const X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
	int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	unsigned char *text;

	ret_name[0] = '\0';
	if (at >= 0 && ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
							  X509_NAME_get_entry(subject, at))) >= 0) {
		snprintf(ret_name, TLS_PEER, "%s", (const char *)text);
		OPENSSL_free(text);
	}
	return ret_name;
}

/* ---- for libevent ---- */

SSL *tls_for_libevent(const struct tls *tls)
{
	SSL *ssl = SSL_new(tls->context);

	if (ssl == NULL)
		no_memory();
	/* It takes a write for all or nothing: what follows the part would go out in its place. */
	SSL_clear_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return ssl;
}

int tls_end_for_libevent(SSL *ssl, unsigned long trouble, struct err *err)
{
	if (!SSL_is_init_finished(ssl))
		return explain(ssl, ERR_GET_LIB(trouble) ? trouble : 0, 0, err);
	SSL_shutdown(ssl);
	ERR_clear_error();
	return 0;
}
