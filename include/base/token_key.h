/* A private key on a token, as OpenSSL's: what signs or shakes hands with it does not know the
 * difference. Its public half is that of the certificate, so that there is one while the token is
 * away: it looks for its token at each signature.
 *
 * One thread at a time, as the token itself; token_key_copy() makes another thread's own.
 */
#ifndef DMPFEED_BASE_TOKEN_KEY_H
#define DMPFEED_BASE_TOKEN_KEY_H

#include "base/token.h"

struct evp_pkey_st; /* EVP_PKEY */
struct x509_st;     /* X509 */

/* The caller frees the key. -1 (ERR_HALT): the URI is wrong, or the certificate is not of an RSA key. */
must_use int token_key_new(struct evp_pkey_st **ret_key, const char *uri,
			   const struct x509_st *certificate, struct err *err);

/* NULL: the key is on no token. */
struct evp_pkey_st *token_key_copy(const struct evp_pkey_st *key);

bool token_key_is(const struct evp_pkey_st *key);

/* Why its last signature failed, as token_sign() has it. 0: it did not fail, or is on no token. */
int token_key_trouble(const struct evp_pkey_st *key, struct err *err);
void token_key_forget_trouble(const struct evp_pkey_st *key);

#endif
