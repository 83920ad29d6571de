/* A key that signs no more. The program that includes it is linked with --wrap=EVP_PKEY_sign. */
#ifndef DMPFEED_TESTS_NO_SIGNATURE_H
#define DMPFEED_TESTS_NO_SIGNATURE_H

#include <openssl/evp.h>
#include <stdbool.h>

static bool nothing_is_signed; /* the token was pulled, the policy changed */
int __real_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *signature_n,
			 const unsigned char *digest, size_t digest_n);
int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *signature_n,
			 const unsigned char *digest, size_t digest_n);

int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *signature_n,
			 const unsigned char *digest, size_t digest_n)
{
	if (nothing_is_signed)
		return 0;
	return __real_EVP_PKEY_sign(context, signature, signature_n, digest, digest_n);
}

#endif
