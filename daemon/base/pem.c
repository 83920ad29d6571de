/* Certificates and keys in PEM files, and the words for what is wrong with one. */
#include "base/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/token_key.h"

int pem_wrong(struct err *err, const char *which, const char *format, ...)
{
	char text[ERR_TEXT];
	va_list arguments;

	ERR_clear_error();
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	err_set(err, ERR_HALT, "%s", text);
	snprintf(err->where, sizeof(err->where), "%s", which);
	return -1;
}

static void free_file(FILE **file)
{
	if (*file != NULL)
		fclose(*file);
}

/* Lacking memory is no trouble with the file: a lane would stand still for it until somebody came. */
static FILE *open_file(const char *file)
{
	FILE *opened = fopen(file, "re");

	if (opened == NULL && errno == ENOMEM)
		no_memory();
	return opened;
}

/* errno of a file that cannot be opened; 0: it can be. A folder can be opened, and not read. */
static int trouble_with(const char *file)
{
	scoped(free_file) FILE *opened = open_file(file);

	if (opened == NULL)
		return errno;
	return fgetc(opened) == EOF && ferror(opened) ? errno : 0;
}

int pem_check_readable(const char *which, const char *file, struct err *err)
{
	int trouble = trouble_with(file);

	if (trouble != 0)
		return pem_wrong(err, which, "%s cannot be read: %s", file,
				 strerrordesc_np(trouble));
	return 0;
}

/* Nobody is there to type one, and OpenSSL would ask the terminal. */
static int no_password(char *buffer, int size, int is_writing, void *asked)
{
	(void)buffer, (void)size, (void)is_writing;
	*(bool *)asked = true;
	return -1;
}

static int read_key_file(EVP_PKEY **ret_key, const char *file, struct err *err)
{
	scoped(free_file) FILE *opened = NULL;
	EVP_PKEY *key = NULL;
	bool asked = false;

	if (pem_check_readable("key", file, err) < 0)
		return -1;
	opened = open_file(file);
	if (opened != NULL)
		key = PEM_read_PrivateKey(opened, NULL, no_password, &asked);
	if (asked)
		return pem_wrong(err, "key",
				 "%s is protected by a password that nobody is there to type: "
				 "store the key without one, in a file that only the gateway can "
				 "read",
				 file);
	if (key == NULL)
		return pem_wrong(err, "key", "%s holds no private key in PEM", file);
	*ret_key = key;
	return 0;
}

int pem_read_key(struct evp_pkey_st **ret_key, const char *file, const struct x509_st *certificate,
		 struct err *err)
{
	if (!token_is_uri(file))
		return read_key_file(ret_key, file, err);
	if (token_key_new(ret_key, file, certificate, err) < 0)
		return pem_wrong(err, "key", "%s", err->text);
	return 0;
}

struct evp_pkey_st *pem_copy_key(const struct evp_pkey_st *key)
{
	EVP_PKEY *copy = token_key_copy(key);

	return copy != NULL ? copy : EVP_PKEY_dup((EVP_PKEY *)(uintptr_t)key);
}

int pem_key_trouble(const struct evp_pkey_st *key, struct err *err)
{
	if (token_key_trouble(key, err) == 0)
		return 0;
	ERR_clear_error();
	snprintf(err->where, sizeof(err->where), "key");
	return -1;
}

int64_t pem_time_ms(const struct asn1_string_st *time)
{
	struct tm tm = { 0 };

	ASN1_TIME_to_tm(time, &tm);
	return (int64_t)timegm(&tm) * 1000;
}

int pem_check_dates(const struct x509_st *certificate, const char *file, int64_t now_ms,
		    struct err *err)
{
	int64_t from_ms = pem_time_ms(X509_get0_notBefore(certificate));
	int64_t to_ms = pem_time_ms(X509_get0_notAfter(certificate));
	char text[CLOCK_TEXT];

	if (now_ms > to_ms)
		return pem_wrong(err, "cert", "the certificate in %s ended on %s: order a new one",
				 file, clock_iso(to_ms, text));
	if (now_ms < from_ms)
		return pem_wrong(err, "cert",
				 "the certificate in %s begins on %s: wait until then, or set this "
				 "machine's clock right",
				 file, clock_iso(from_ms, text));
	return 0;
}

static bool names_person(const X509_NAME *subject)
{
	static const int fields[] = { NID_givenName, NID_surname, NID_pkcs9_emailAddress,
				      NID_serialNumber, NID_userId };

	for (size_t i = 0; i < length_of(fields); i++)
		if (X509_NAME_get_index_by_NID(subject, fields[i], -1) >= 0)
			return true;
	return false;
}

static void add_field(const X509_NAME *subject, int field, const char *name, struct buf *out)
{
	int at = X509_NAME_get_index_by_NID(subject, field, -1);
	unsigned char *text = NULL;
	int n = at < 0 ? -1
		       : ASN1_STRING_to_UTF8(
				 &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));

	if (n >= 0)
		buf_addf(out, "%s%s=%.*s", out->n > 0 ? ", " : "", name, n, text);
	OPENSSL_free(text);
}

int pem_look(const char *file, struct buf *ret_subject, int64_t *ret_not_after_ms, struct err *err)
{
	scoped(free_file) FILE *opened = NULL;
	const X509_NAME *subject;
	X509 *certificate;

	if (pem_check_readable("cert", file, err) < 0)
		return -1;
	opened = open_file(file);
	certificate = opened ? PEM_read_X509(opened, NULL, NULL, NULL) : NULL;
	if (certificate == NULL)
		return pem_wrong(err, "cert", "%s holds no certificate in PEM", file);
	subject = X509_get_subject_name(certificate);
	add_field(subject, NID_organizationName, "O", ret_subject);
	add_field(subject, NID_organizationalUnitName, "OU", ret_subject);
	if (!names_person(subject))
		add_field(subject, NID_commonName, "CN", ret_subject);
	*ret_not_after_ms = pem_time_ms(X509_get0_notAfter(certificate));
	X509_free(certificate);
	return 0;
}
