/* Who signs, and the pens that sign. */
#include "dmp/signer.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/pem.h"

enum {
	MOST_CHAIN = 8,  /* certificates; the IGC-Santé has three */
	MOST_FILE = 100, /* certificates in a file */
	LEAST_BITS = 2048,
	MOST_BITS = 8192,
	DAY_MS = 24 * 3600 * 1000,
};

struct signer {
	EVP_PKEY *key;
	struct signer_facts facts;
	struct signer_certificate chain[MOST_CHAIN];
	struct arena arena;
};

struct pen {
	const struct signer *signer;
	EVP_PKEY *key;
	EVP_PKEY_CTX *contexts[DIGEST_SHA256 + 1]; /* by digest; NULL until asked for */
};

/* The way is at fault, not the document that was to be signed. */
static int printf_like(2, 3) halt(struct err *err, const char *format, ...)
{
	char text[ERR_TEXT];
	va_list arguments;

	ERR_clear_error();
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	err_set(err, ERR_HALT, "%s", text);
	err->reason = REASON_LANE_STOPPED;
	return -1;
}

/* ---- files ---- */

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_certificates(STACK_OF(X509) * *certificates)
{
	sk_X509_pop_free(*certificates, X509_free);
}

/* Appends every certificate of a PEM file. */
static int read_certificates(STACK_OF(X509) * certificates, const char *which, const char *file,
			     struct err *err)
{
	scoped(free_bio) BIO *bio = BIO_new_file(file, "r");
	const int before = sk_X509_num(certificates);
	X509 *certificate;

	if (bio == NULL)
		return pem_wrong(err, which, "%s cannot be read: %s", file, strerror(errno));
	while (sk_X509_num(certificates) - before < MOST_FILE &&
	       (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(certificates, certificate);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return pem_wrong(err, which, "%s holds something that is no certificate in PEM",
				 file);
	ERR_clear_error();
	if (sk_X509_num(certificates) == before)
		return pem_wrong(err, which, "%s holds no certificate in PEM", file);
	return 0;
}

/* ---- certificates ---- */

static const char *text_of_bio(BIO *bio, struct arena *arena)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);

	return arena_dup(arena, (struct slice){ text, (size_t)max(n, 0L) });
}

static const char *name_of(const X509_NAME *name, bool ascii, struct arena *arena)
{
	const unsigned long form = XN_FLAG_RFC2253 & ~(ascii ? 0UL : ASN1_STRFLGS_ESC_MSB);
	scoped(free_bio) BIO *bio = BIO_new(BIO_s_mem());

	X509_NAME_print_ex(bio, name, 0, form);
	return text_of_bio(bio, arena);
}

static const char *serial_of(const X509 *certificate, struct arena *arena)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *decimal = BN_bn2dec(number);
	const char *serial = arena_dup(arena, slice_of(decimal));

	OPENSSL_free(decimal);
	BN_free(number);
	return serial;
}

static const char *structure_of(const X509 *certificate, struct arena *arena)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1);
	const char *structure = "";
	unsigned char *text;
	int n;

	if (at < 0)
		return "";
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n >= 0) {
		structure = arena_dup(arena, (struct slice){ (char *)text, (size_t)n });
		OPENSSL_free(text);
	}
	return structure;
}

static const char *der_of(const X509 *certificate, struct arena *arena)
{
	scoped(buf_done) struct buf base64 = { 0 };
	unsigned char *der = NULL;
	int n = i2d_X509(certificate, &der);

	base64_encode((struct slice){ (char *)der, (size_t)max(n, 0) }, &base64);
	OPENSSL_free(der);
	return arena_dup(arena, buf_slice(&base64));
}

static bool signs_documents(X509 *certificate)
{
	return (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) != 0 &&
	       (X509_get_key_usage(certificate) & KU_NON_REPUDIATION) != 0;
}

int signer_check_client(const char *file, char ret_structure[static SIGNER_STRUCTURE],
			struct err *err)
{
	scoped(free_certificates) STACK_OF(X509) *certificates = sk_X509_new_null();
	scoped(arena_done) struct arena arena = { 0 };

	if (read_certificates(certificates, "cert", file, err) < 0)
		return -1;
	if (signs_documents(sk_X509_value(certificates, 0)))
		return pem_wrong(err, "cert",
				 "the certificate in %s is one that signs (its keyUsage has "
				 "nonRepudiation): TLS wants ORG AUTH_CLI; are the two swapped?",
				 file);
	snprintf(ret_structure, SIGNER_STRUCTURE, "%s",
		 structure_of(sk_X509_value(certificates, 0), &arena));
	return 0;
}

/* ---- the chain ---- */

static bool is_issued_by(X509 *certificate, X509 *issuer)
{
	bool is = X509_check_issued(issuer, certificate) == X509_V_OK &&
		  X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return is;
}

static X509 *issuer_of(X509 *certificate, const STACK_OF(X509) * among)
{
	for (int i = 0; i < sk_X509_num(among); i++)
		if (is_issued_by(certificate, sk_X509_value(among, i)))
			return sk_X509_value(among, i);
	return NULL;
}

static void note_certificate(struct signer *signer, const X509 *certificate, bool ascii)
{
	struct signer_certificate *noted = &signer->chain[signer->facts.chain_count++];

	noted->issuer = name_of(X509_get_issuer_name(certificate), ascii, &signer->arena);
	noted->serial = serial_of(certificate, &signer->arena);
	X509_digest(certificate, EVP_sha1(), noted->sha1, NULL);
	X509_digest(certificate, EVP_sha256(), noted->sha256, NULL);
}

/* From the leaf up: one that issued itself is the root. */
static int note_chain(struct signer *signer, const STACK_OF(X509) * certificates, const char *file,
		      const struct signer_needs *needs, struct err *err)
{
	X509 *certificate = sk_X509_value(certificates, 0), *issuer;

	for (;;) {
		note_certificate(signer, certificate, needs->ascii_names);
		issuer = issuer_of(certificate, certificates);
		if (issuer == certificate || (issuer == NULL && !needs->full_chain))
			return 0;
		if (issuer == NULL)
			return pem_wrong(
				err, "chain",
				"%s lacks the certificate of %s: it must hold every authority "
				"up to the root",
				file, signer->chain[signer->facts.chain_count - 1].issuer);
		if (signer->facts.chain_count == MOST_CHAIN)
			return pem_wrong(err, "chain",
					 "%s makes a chain of more than %d certificates", file,
					 MOST_CHAIN);
		certificate = issuer;
	}
}

/* ---- loading ---- */

static int check_pair(const struct signer *signer, X509 *leaf,
		      const struct signer_settings *settings, struct err *err)
{
	int bits = EVP_PKEY_get_bits(signer->key);

	if (!EVP_PKEY_is_a(signer->key, "RSA"))
		return pem_wrong(err, "key", "%s is no RSA key: the DMP takes RSA signatures",
				 settings->key);
	if (bits < LEAST_BITS || bits > MOST_BITS)
		return pem_wrong(err, "key", "%s is a key of %d bits: %d to %d are taken",
				 settings->key, bits, LEAST_BITS, MOST_BITS);
	if (X509_check_private_key(leaf, signer->key) != 1)
		return pem_wrong(err, "key", "%s is not the key of the certificate in %s",
				 settings->key, settings->cert);
	return 0;
}

static void note_leaf(struct signer *signer, const X509 *leaf, bool ascii)
{
	struct signer_facts *facts = &signer->facts;

	facts->subject = name_of(X509_get_subject_name(leaf), ascii, &signer->arena);
	facts->structure = structure_of(leaf, &signer->arena);
	facts->certificate = der_of(leaf, &signer->arena);
	facts->chain = signer->chain;
	facts->not_before_ms = pem_time_ms(X509_get0_notBefore(leaf));
	facts->not_after_ms = pem_time_ms(X509_get0_notAfter(leaf));
}

/* Some distributions forbid SHA-1 signatures. */
int signer_try(const struct signer *signer, const struct signer_settings *settings,
	       const struct signer_needs *needs, struct err *err)
{
	scoped(buf_done) struct buf signature = { 0 };
	scoped(pen_free) struct pen *pen = pen_new(signer, err);

	if (pen == NULL || pen_sign(pen, DIGEST_SHA256, slice_of("dmpfeed"), &signature, err) < 0) {
		if (pen != NULL && pem_key_trouble(pen->key, err) < 0)
			return -1;
		return pem_wrong(err, "key", "%s cannot sign: OpenSSL refuses to", settings->key);
	}
	if (needs->sha1 && pen_sign(pen, DIGEST_SHA1, slice_of("dmpfeed"), &signature, err) < 0)
		return pem_wrong(
			err, "key",
			"%s cannot sign with SHA-1, which this machine's cryptographic policy "
			"forbids: allow it for the gateway, or write sha256 in xades.digest "
			"and vihf.digest if your DMP platform takes that",
			settings->key);
	return 0;
}

int signer_load(struct signer **ret_signer, const struct signer_settings *settings,
		const struct signer_needs *needs, int64_t now_ms, struct err *err)
{
	scoped(free_certificates) STACK_OF(X509) *certificates = sk_X509_new_null();
	scoped(signer_free) struct signer *signer = xcalloc(1, sizeof(*signer));
	X509 *leaf;

	if (read_certificates(certificates, "cert", settings->cert, err) < 0 ||
	    read_certificates(certificates, "chain", settings->chain, err) < 0)
		return -1;
	leaf = sk_X509_value(certificates, 0);
	if (!signs_documents(leaf))
		return pem_wrong(err, "cert",
				 "the certificate in %s is none that signs (its keyUsage lacks "
				 "nonRepudiation): signatures want ORG SIGN; are the two swapped?",
				 settings->cert);
	if (pem_read_key(&signer->key, settings->key, leaf, err) < 0 ||
	    check_pair(signer, leaf, settings, err) < 0 ||
	    pem_check_dates(leaf, settings->cert, now_ms, err) < 0 ||
	    note_chain(signer, certificates, settings->chain, needs, err) < 0)
		return -1;
	note_leaf(signer, leaf, needs->ascii_names);
	*ret_signer = take(signer);
	return 0;
}

void signer_free(struct signer **signer)
{
	if (*signer == NULL)
		return;
	EVP_PKEY_free((*signer)->key);
	arena_done(&(*signer)->arena);
	free_ptr(signer);
}

const struct signer_facts *signer_facts(const struct signer *signer)
{
	return &signer->facts;
}

int64_t signer_days_left(const struct signer *signer, int64_t now_ms)
{
	int64_t left_ms = signer->facts.not_after_ms - now_ms;

	return left_ms / DAY_MS - (left_ms % DAY_MS < 0);
}

int signer_is_valid(const struct signer *signer, int64_t now_ms, struct err *err)
{
	char text[CLOCK_TEXT];

	if (now_ms > signer->facts.not_after_ms)
		return halt(err, "the signing certificate ended on %s: order a new one",
			    clock_iso(signer->facts.not_after_ms, text));
	if (now_ms < signer->facts.not_before_ms)
		return halt(err,
			    "the signing certificate begins on %s: this machine's clock is "
			    "not right",
			    clock_iso(signer->facts.not_before_ms, text));
	return 0;
}

/* ---- pens ---- */

struct pen *pen_new(const struct signer *signer, struct err *err)
{
	scoped(pen_free) struct pen *pen = xcalloc(1, sizeof(*pen));

	pen->signer = signer;
	pen->key = pem_copy_key(signer->key);
	if (pen->key == NULL) {
		halt(err, "OpenSSL cannot copy the signing key");
		return NULL;
	}
	return take(pen);
}

void pen_free(struct pen **pen)
{
	if (*pen == NULL)
		return;
	for (size_t i = 0; i < length_of((*pen)->contexts); i++)
		EVP_PKEY_CTX_free((*pen)->contexts[i]);
	EVP_PKEY_free((*pen)->key);
	free_ptr(pen);
}

const struct signer *pen_signer(const struct pen *pen)
{
	return pen->signer;
}

static EVP_PKEY_CTX *context_of(struct pen *pen, enum digest_kind kind)
{
	const EVP_MD *md = kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
	EVP_PKEY_CTX *context = pen->contexts[kind];

	if (context != NULL)
		return context;
	context = EVP_PKEY_CTX_new(pen->key, NULL);
	if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(context, md) != 1) {
		EVP_PKEY_CTX_free(context);
		return NULL;
	}
	return pen->contexts[kind] = context;
}

static int tell_refusal(const struct pen *pen, enum digest_kind kind, struct err *err)
{
	struct err why;

	if (pem_key_trouble(pen->key, &why) < 0)
		return halt(err, "%s", why.text);
	return halt(err, "OpenSSL refuses to sign with %s",
		    kind == DIGEST_SHA1 ? "SHA-1" : "SHA-256");
}

int pen_sign(struct pen *pen, enum digest_kind kind, struct slice bytes, struct buf *out,
	     struct err *err)
{
	EVP_PKEY_CTX *context = context_of(pen, kind);
	unsigned char signature[MOST_BITS / 8];
	size_t signature_n = sizeof(signature);
	uint8_t digest[DIGEST_MOST];
	size_t digest_n = digest_once(kind, bytes, digest);

	if (context == NULL ||
	    EVP_PKEY_sign(context, signature, &signature_n, digest, digest_n) != 1)
		return tell_refusal(pen, kind, err);
	base64_encode((struct slice){ (char *)signature, signature_n }, out);
	return 0;
}
