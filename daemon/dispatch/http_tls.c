/* The TLS side of the way to the DMP. Loop only. */
#include "dispatch/http_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "base/tls.h"

enum {
	MOST_PEM_BYTES = 1 << 20,
	CHUNK = 32 << 10,
};

struct http_tls {
	struct buf ca;
	struct tls *pair; /* certificate and key */
};

/* ---- what an alert means ---- */

/* Alerts by which the server refuses our certificate or our TLS settings (RFC 5246, 7.2.2; RFC
 * 8446, 6.2), and what OpenSSL finds wrong with the server's. Other trouble during a handshake may
 * pass. */
static bool is_refusal(int reason)
{
	static const int reasons[] = {
		SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
		SSL_R_SSLV3_ALERT_NO_CERTIFICATE,
		SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
		SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
		SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
		SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
		SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
		SSL_R_TLSV1_ALERT_UNKNOWN_CA,
		SSL_R_TLSV1_ALERT_ACCESS_DENIED,
		SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
		SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY,
		SSL_R_TLSV1_UNRECOGNIZED_NAME,
		SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
		SSL_R_UNSUPPORTED_PROTOCOL,
		SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED,
		SSL_R_DH_KEY_TOO_SMALL,
	};

	for (size_t i = 0; i < length_of(reasons); i++)
		if (reasons[i] == reason)
			return true;
	return false;
}

/* curl has one code for every handshake that failed, and none for an alert that comes later (TLS
 * 1.3, renegotiation): the words of OpenSSL that it quotes begin with "error:" and the number. */
static int openssl_reason(const char *error)
{
	const char *quoted = strstr(error, "error:");
	unsigned long number = quoted ? strtoul(quoted + strlen("error:"), NULL, 16) : 0;

	return ERR_GET_LIB(number) == ERR_LIB_SSL ? ERR_GET_REASON(number) : 0;
}

bool http_tls_is_refusal(const char *words)
{
	return is_refusal(openssl_reason(words));
}

/* ---- the files ---- */

int http_tls_read(const char *path, size_t most, struct buf *out, struct err *err)
{
	FILE *file = fopen(path, "re");
	bool whole;
	char *to;

	if (file == NULL)
		return err_set(err, ERR_HALT, "%s cannot be read: %m", path);
	out->limit = most;
	while ((to = buf_reserve(out, CHUNK)) != NULL && !feof(file) && !ferror(file))
		out->n += fread(to, 1, CHUNK, file);
	whole = feof(file) && !ferror(file);
	fclose(file);
	if (!whole)
		return err_set(err, ERR_HALT, "%s cannot be read, or is larger than %zu bytes",
			       path, most);
	return 0;
}

/* ---- birth and end ---- */

static int read_ca(struct http_tls *tls, const char *path, struct err *err)
{
	if (http_tls_read(path, MOST_PEM_BYTES, &tls->ca, err) == 0)
		return 0;
	snprintf(err->where, sizeof(err->where), "ca");
	return -1;
}

int http_tls_new(struct http_tls **ret_tls, const struct http_tls_settings *settings,
		 int64_t now_ms, struct err *err)
{
	scoped(http_tls_free) struct http_tls *tls = xcalloc(1, sizeof(*tls));
	const struct tls_client_settings client = {
		.ca = settings->ca,
		.cert = settings->cert,
		.key = settings->key,
		.ciphers = settings->ciphers,
	};

	if (read_ca(tls, settings->ca, err) < 0 ||
	    tls_lender_new(&tls->pair, &client, now_ms, err) < 0)
		return -1;
	*ret_tls = take(tls);
	return 0;
}

void http_tls_free(struct http_tls **tls)
{
	struct http_tls *t = *tls;

	if (t == NULL)
		return;
	buf_done(&t->ca);
	tls_free(&t->pair);
	free_ptr(tls);
}

struct slice http_tls_ca(const struct http_tls *tls)
{
	return buf_slice(&tls->ca);
}

int http_tls_prepare(const struct http_tls *tls, void *ssl_context)
{
	return tls_lend(tls->pair, ssl_context);
}

int http_tls_try(const struct http_tls *tls, struct err *err)
{
	return tls_try_key(tls->pair, err);
}

int http_tls_key_trouble(const struct http_tls *tls, struct err *err)
{
	return tls_key_trouble(tls->pair, err);
}
