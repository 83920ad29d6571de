/* Who signs: the organisation's certificate ORG SIGN, its key and the chain above it.
 *
 * The signer is loaded once, from PEM files, and read-only afterwards: all threads share it. What
 * signs is a pen, and each thread has its own: it holds a copy of the key with everything that
 * OpenSSL prepares for it, so that threads wait neither for one another (a shared RSA key is
 * guarded by a lock) nor for an algorithm to be looked up. Only loading looks at the disk. A key on a
 * token has a session for each pen.
 */
#ifndef DMPFEED_DMP_SIGNER_H
#define DMPFEED_DMP_SIGNER_H

#include "base/codec.h"

struct signer_settings {
	const char *cert;  /* ORG SIGN; what follows it in the file belongs to the chain */
	const char *key;   /* of that certificate: a file, or the URI of one on a token */
	const char *chain; /* the authorities above it */
};

/* What depends on how it will be used. */
struct signer_needs {
	bool sha1;        /* something will be signed with SHA-1: a policy may forbid it */
	bool full_chain;  /* up to the root: the XAdES names each certificate of it */
	bool ascii_names; /* RFC 2253 names escape what is not ASCII, instead of raw UTF-8 */
};

/* One certificate of the chain. */
struct signer_certificate {
	const char *issuer; /* RFC 2253: CN=…,O=…,C=FR */
	const char *serial; /* decimal */
	uint8_t sha1[SHA1_BYTES], sha256[SHA256_BYTES];
};

/* Everything lives as long as the signer. */
struct signer_facts {
	const char *subject; /* RFC 2253 */
	const char
		*structure; /* its OU, the Struct_IdNat of the legal entity; "" when it has none */
	const char *certificate;                /* the leaf in DER, as Base64 on one line */
	const struct signer_certificate *chain; /* the leaf first, then who issued it */
	size_t chain_count;
	int64_t not_before_ms, not_after_ms;
};

struct signer;

/* -1 (ERR_HALT): err->where is "cert", "key" or "chain", the file at fault, and the text says what
 * is wrong with it: not a certificate or key, no nonRepudiation (the certificate of TLS in its
 * place), expired or not yet valid, not of one pair, or a chain with a hole.
 */
must_use int signer_load(struct signer **ret_signer, const struct signer_settings *settings,
			 const struct signer_needs *needs, int64_t now_ms, struct err *err);
void signer_free(struct signer **signer);

/* Signs something: better at start than with the first document. -1: err->where is "key". ERR_HALT: this
 * machine's policy forbids such a signature, or the token does not take the key; ERR_RETRY: the token is
 * away, and the signer will do when it is back.
 */
must_use int signer_try(const struct signer *signer, const struct signer_settings *settings,
			const struct signer_needs *needs, struct err *err);

const struct signer_facts *signer_facts(const struct signer *signer);

/* Whole days until the certificate ends; negative: it has. */
int64_t signer_days_left(const struct signer *signer, int64_t now_ms);

/* Is the certificate valid now? -1 (ERR_HALT, REASON_LANE_STOPPED): no more, or not yet. */
must_use int signer_is_valid(const struct signer *signer, int64_t now_ms, struct err *err);

enum { SIGNER_STRUCTURE = 65 }; /* an OU is of 64 characters at most */

/* The certificate ORG AUTH_CLI in `file`, for TLS only: it must not be one that signs documents
 * (nonRepudiation). Whether TLS can use it is base/tls.h's to say. ret_structure is what signer_facts
 * has of the other one: its OU. -1 (ERR_HALT): err->where is "cert".
 */
must_use int signer_check_client(const char *file, char ret_structure[static SIGNER_STRUCTURE],
				 struct err *err);

/* One thread's own. NULL and err (ERR_HALT, REASON_LANE_STOPPED): OpenSSL would not. */
struct pen;
struct pen *pen_new(const struct signer *signer, struct err *err);
void pen_free(struct pen **pen);
const struct signer *pen_signer(const struct pen *pen);

/* RSASSA-PKCS1-v1_5 over `bytes`: appends the signature's Base64, on one line. -1 (ERR_HALT,
 * REASON_LANE_STOPPED): OpenSSL, or the token, would not.
 */
must_use int pen_sign(struct pen *pen, enum digest_kind kind, struct slice bytes, struct buf *out,
		      struct err *err);

#endif
