/* Certificates for the tests that sign: a root, an intermediate, and what they issued, all made
 * with one key (which nothing here minds), in PEM files of a folder of the test's own.
 */
#ifndef DMPFEED_TESTS_PKI_H
#define DMPFEED_TESTS_PKI_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "dmp/signer.h"
#include "sample.h"

#define PKI_NOW_MS 1795176000000LL /* 2026-11-20T12:00:00Z */
#define PKI_DAY_MS (24LL * 3600 * 1000)

/* keyUsage of the two certificates of an organisation, and of an authority */
#define PKI_SIGN "critical,digitalSignature,nonRepudiation"
#define PKI_AUTH "digitalSignature,keyEncipherment"
#define PKI_AUTHORITY "critical,keyCertSign,cRLSign"

struct pki {
	char folder[32];
	EVP_PKEY *key;
	X509 *root, *intermediate, *sign;
	char *sign_pem, *auth_pem, *key_pem, *chain_pem; /* paths */
};

struct pki_request {
	const char *ou, *cn; /* O is fixed, and not ASCII */
	const char *usage;   /* "": no keyUsage */
	int from_days, to_days;
	const char *serial; /* hexadecimal */
	const char *names;  /* subjectAltName: "DNS:engine.example"; NULL: none */
	const char *uses;   /* extendedKeyUsage: "clientAuth"; NULL: none */
};

static inline void pki_name(X509 *certificate, const char *field, const char *value)
{
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), field, MBSTRING_UTF8,
				   (const unsigned char *)value, -1, -1, 0);
}

static inline void pki_extend(X509 *certificate, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);

	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static inline X509 *pki_issue(const struct pki_request *request, EVP_PKEY *key, X509 *issuer,
			      EVP_PKEY *issuer_key)
{
	X509 *certificate = X509_new();
	BIGNUM *serial = NULL;
	X509V3_CTX context;

	X509_set_version(certificate, X509_VERSION_3);
	BN_hex2bn(&serial, request->serial);
	BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
	BN_free(serial);
	ASN1_TIME_adj(X509_getm_notBefore(certificate), PKI_NOW_MS / 1000, request->from_days, 0);
	ASN1_TIME_adj(X509_getm_notAfter(certificate), PKI_NOW_MS / 1000, request->to_days, 0);
	pki_name(certificate, "C", "FR");
	pki_name(certificate, "ST", "Vosges (88)");
	pki_name(certificate, "O", "H\xc3\xb4pital, du \"Val\"");
	if (request->ou != NULL)
		pki_name(certificate, "OU", request->ou);
	pki_name(certificate, "CN", request->cn);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
	X509_set_pubkey(certificate, key);
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer ? issuer : certificate, certificate, NULL, NULL, 0);
	if (request->usage[0] != '\0')
		pki_extend(certificate, &context, NID_key_usage, request->usage);
	if (strcmp(request->usage, PKI_AUTHORITY) == 0)
		pki_extend(certificate, &context, NID_basic_constraints, "critical,CA:TRUE");
	if (request->names != NULL)
		pki_extend(certificate, &context, NID_subject_alt_name, request->names);
	if (request->uses != NULL)
		pki_extend(certificate, &context, NID_ext_key_usage, request->uses);
	assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	return certificate;
}

/* Writes the certificates (up to NULL), or the key alone, and returns the path. */
static inline char *pki_write(const struct pki *pki, const char *name, X509 *const *certificates,
			      EVP_PKEY *key)
{
	char *path = xasprintf("%s/%s", pki->folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (; certificates != NULL && *certificates != NULL; certificates++)
		PEM_write_X509(file, *certificates);
	if (key != NULL)
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	return path;
}

/* A certificate that the intermediate issued. */
static inline X509 *pki_leaf(const struct pki *pki, const char *usage, int from_days, int to_days)
{
	return pki_issue(&(struct pki_request){ .ou = "1990000987",
						.cn = "passerelle-dmp",
						.usage = usage,
						.from_days = from_days,
						.to_days = to_days,
						.serial = "49D1A7F00BA5" },
			 pki->key, pki->intermediate, pki->key);
}

static inline char *pki_write_leaf(const struct pki *pki, const char *name, const char *usage,
				   int from_days, int to_days)
{
	X509 *leaf = pki_leaf(pki, usage, from_days, to_days);
	char *path = pki_write(pki, name, (X509 *[]){ leaf, NULL }, NULL);

	X509_free(leaf);
	return path;
}

static inline void pki_make(struct pki *pki)
{
	static const struct pki_request root = {
		.cn = "AC RACINE",
		.usage = PKI_AUTHORITY,
		.from_days = -4000,
		.to_days = 4000,
		/* longer than 64 bits */
		.serial = "446A5E2B01C6F9D0337788AABBCCDDEEFF01",
	};
	static const struct pki_request intermediate = {
		.cn = "AC ORGANISATIONS",
		.usage = PKI_AUTHORITY,
		.from_days = -2000,
		.to_days = 2000,
		.serial = "02",
	};

	*pki = (struct pki){ .folder = "/tmp/test_pki.XXXXXX" };
	assert_non_null(mkdtemp(pki->folder));
	pki->key = EVP_RSA_gen(2048);
	pki->root = pki_issue(&root, pki->key, NULL, pki->key);
	pki->intermediate = pki_issue(&intermediate, pki->key, pki->root, pki->key);
	pki->sign = pki_leaf(pki, PKI_SIGN, -100, 40);
	pki->sign_pem = pki_write(pki, "sign.pem", (X509 *[]){ pki->sign, NULL }, NULL);
	pki->auth_pem = pki_write_leaf(pki, "auth.pem", PKI_AUTH, -100, 40);
	pki->key_pem = pki_write(pki, "sign.key", NULL, pki->key);
	pki->chain_pem =
		pki_write(pki, "chain.pem", (X509 *[]){ pki->root, pki->intermediate, NULL }, NULL);
}

static inline void pki_done(struct pki *pki)
{
	char *command = xasprintf("rm -r %s", pki->folder);

	assert_int_equal(system(command), 0);
	free(command);
	free(pki->sign_pem);
	free(pki->auth_pem);
	free(pki->key_pem);
	free(pki->chain_pem);
	X509_free(pki->root);
	X509_free(pki->intermediate);
	X509_free(pki->sign);
	EVP_PKEY_free(pki->key);
}

static inline struct signer_settings pki_settings(const struct pki *pki)
{
	return (struct signer_settings){ pki->sign_pem, pki->key_pem, pki->chain_pem };
}

static inline struct signer *pki_signer(const struct pki *pki)
{
	static const struct signer_needs needs = { .sha1 = true, .full_chain = true };
	const struct signer_settings settings = pki_settings(pki);
	struct signer *signer = NULL;
	struct err err = { 0 };

	if (signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	return signer;
}

static inline struct pen *pki_pen(const struct signer *signer)
{
	struct err err = { 0 };
	struct pen *pen = pen_new(signer, &err);

	if (pen == NULL)
		fail_msg("%s", err.text);
	return pen;
}

#endif
