/* Certificates and keys in PEM files, keys on tokens too (base/token_key.h), and the words for what is
 * wrong with one. What is wrong is ERR_HALT; err->where says which setting names the file.
 *
 * Any thread. Structs of OpenSSL by their own names: their headers stay in the sources.
 */
#ifndef DMPFEED_BASE_PEM_H
#define DMPFEED_BASE_PEM_H

#include <stdint.h>

#include "base/buf.h"

struct asn1_string_st; /* ASN1_TIME */
struct evp_pkey_st;    /* EVP_PKEY */
struct x509_st;        /* X509 */

/* The setting `which` is at fault. OpenSSL's own words stay unsaid: they name its functions.
 * Returns -1.
 */
int printf_like(3, 4) pem_wrong(struct err *err, const char *which, const char *format, ...);

/* -1: the file cannot be opened, or is a folder. */
must_use int pem_check_readable(const char *which, const char *file, struct err *err);

/* The private key of that certificate: of a file, or of a token when `file` is the URI of one. -1: the
 * file cannot be read, holds no private key, or one that a password protects; the URI is wrong. Whether it
 * is the certificate's, the caller asks; a token says so when it first signs. The caller frees the key.
 */
must_use int pem_read_key(struct evp_pkey_st **ret_key, const char *file,
			  const struct x509_st *certificate, struct err *err);

/* For another thread: a key is used by one at a time. NULL: OpenSSL would not. The caller frees it. */
struct evp_pkey_st *pem_copy_key(const struct evp_pkey_st *key);

/* Why a key on a token did not sign, the last time: the kind and text are those of token_sign(). 0: it did,
 * or the key is on none.
 */
int pem_key_trouble(const struct evp_pkey_st *key, struct err *err);

/* The first certificate of the file: appends what its subject says of an organisation or a server (O, OU,
 * CN), and of no person: the CN of one that names a person is left out. -1: it holds none.
 */
must_use int pem_look(const char *file, struct buf *ret_subject, int64_t *ret_not_after_ms,
		      struct err *err);

int64_t pem_time_ms(const struct asn1_string_st *time);

/* -1: the certificate, which is of that file, has ended or does not begin yet. */
must_use int pem_check_dates(const struct x509_st *certificate, const char *file, int64_t now_ms,
			     struct err *err);

#endif
