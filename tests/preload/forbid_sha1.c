/* Preloaded, forbids signatures with SHA-1, as the cryptographic policy of some distributions does. */
#include "preload.h"

#include <openssl/evp.h>

int EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *context, const EVP_MD *md)
{
	return EVP_MD_is_a(md, "SHA1") ? 0 : real(EVP_PKEY_CTX_set_signature_md)(context, md);
}
