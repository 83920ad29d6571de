/* Who signs: what is read from the certificates, what is refused and by which file, and signatures
 * that OpenSSL itself verifies.
 *
 * Linked with --wrap=EVP_PKEY_CTX_set_signature_md, so that a policy which forbids SHA-1 can be
 * played.
 */
#include "pki.h"

static struct pki pki;

static bool policy_forbids_sha1, nothing_is_signed;
int __real_EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *context, const EVP_MD *md);
int __wrap_EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *context, const EVP_MD *md);

int __wrap_EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *context, const EVP_MD *md)
{
	if (nothing_is_signed || (policy_forbids_sha1 && EVP_MD_is_a(md, "SHA1")))
		return 0;
	return __real_EVP_PKEY_CTX_set_signature_md(context, md);
}

static int make(void **state)
{
	(void)state;
	pki_make(&pki);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	pki_done(&pki);
	return 0;
}

/* ---- facts ---- */

static void names_are_those_of_rfc_2253_in_utf_8(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);
	const struct signer_facts *facts = signer_facts(signer);

	(void)state;
	assert_string_equal(facts->subject,
			    "CN=passerelle-dmp,OU=1990000987,O=H\xc3\xb4pital\\, du \\\"Val\\\","
			    "ST=Vosges (88),C=FR");
	assert_string_equal(facts->chain[0].issuer,
			    "CN=AC ORGANISATIONS,O=H\xc3\xb4pital\\, du \\\"Val\\\","
			    "ST=Vosges (88),C=FR");
	assert_string_equal(facts->structure, "1990000987");
}

static void names_may_be_escaped_to_ascii(void **state)
{
	const struct signer_settings settings = pki_settings(&pki);
	const struct signer_needs needs = { .ascii_names = true };
	scoped(signer_free) struct signer *signer = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err), 0);
	assert_non_null(strstr(signer_facts(signer)->subject, "O=H\\C3\\B4pital\\, du"));
	assert_non_null(strstr(signer_facts(signer)->chain[0].issuer, "O=H\\C3\\B4pital\\, du"));
}

static void the_chain_goes_from_the_leaf_to_the_root_whatever_the_order_of_the_file(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);
	const struct signer_facts *facts = signer_facts(signer);
	X509 *const expected[] = { pki.sign, pki.intermediate, pki.root };
	unsigned char digest[SHA256_BYTES];

	(void)state;
	assert_int_equal(facts->chain_count, 3);
	for (size_t i = 0; i < 3; i++) {
		X509_digest(expected[i], EVP_sha1(), digest, NULL);
		assert_memory_equal(facts->chain[i].sha1, digest, SHA1_BYTES);
		X509_digest(expected[i], EVP_sha256(), digest, NULL);
		assert_memory_equal(facts->chain[i].sha256, digest, SHA256_BYTES);
	}
	assert_string_equal(facts->chain[0].serial, "81164814519205");
	assert_string_equal(facts->chain[1].serial, "2");
	assert_string_equal(facts->chain[2].serial, "5959830544989731847435721564328593839816449");
	assert_string_equal(facts->chain[1].issuer, facts->chain[2].issuer);
}

static void the_intermediate_may_follow_the_leaf_in_its_file(void **state)
{
	scoped(free_ptr) char *both =
		pki_write(&pki, "both.pem", (X509 *[]){ pki.sign, pki.intermediate, NULL }, NULL);
	scoped(free_ptr) char *root =
		pki_write(&pki, "root.pem", (X509 *[]){ pki.root, NULL }, NULL);
	const struct signer_settings settings = { both, pki.key_pem, root };
	const struct signer_needs needs = { .full_chain = true };
	scoped(signer_free) struct signer *signer = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err), 0);
	assert_int_equal(signer_facts(signer)->chain_count, 3);
}

static void the_leaf_is_kept_as_base64_of_its_der(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);
	scoped(buf_done) struct buf der = { 0 };
	const unsigned char *p;
	struct err err = { 0 };
	X509 *leaf;

	(void)state;
	assert_int_equal(base64_decode(slice_of(signer_facts(signer)->certificate), &der, &err), 0);
	assert_null(strpbrk(signer_facts(signer)->certificate, " \n"));
	p = (const unsigned char *)der.p;
	leaf = d2i_X509(NULL, &p, (long)der.n);
	assert_int_equal(X509_cmp(leaf, pki.sign), 0);
	X509_free(leaf);
}

static void days_are_counted_down_and_below_zero(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);

	(void)state;
	assert_int_equal(signer_days_left(signer, PKI_NOW_MS), 40);
	assert_int_equal(signer_days_left(signer, PKI_NOW_MS + 1), 39);
	assert_int_equal(signer_days_left(signer, PKI_NOW_MS + 40 * PKI_DAY_MS), 0);
	assert_int_equal(signer_days_left(signer, PKI_NOW_MS + 40 * PKI_DAY_MS + 1), -1);
}

static void a_certificate_that_ends_while_the_gateway_runs_halts_its_way(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_is_valid(signer, PKI_NOW_MS + 40 * PKI_DAY_MS, &err), 0);
	assert_int_equal(signer_is_valid(signer, PKI_NOW_MS + 41 * PKI_DAY_MS, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_int_equal(err.reason, REASON_LANE_STOPPED);
	assert_non_null(strstr(err.text, "ended on 2026-12-30T12:00:00.000Z"));
	assert_int_equal(signer_is_valid(signer, PKI_NOW_MS - 101 * PKI_DAY_MS, &err), -1);
	assert_non_null(strstr(err.text, "clock"));
}

/* ---- refusals ---- */

static char *write_text(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", pki.folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static char *write_locked_key(void)
{
	char *path = xasprintf("%s/locked.key", pki.folder);
	FILE *file = fopen(path, "w");

	PEM_write_PrivateKey(file, pki.key, EVP_aes_128_cbc(), NULL, 0, NULL, "secret");
	fclose(file);
	return path;
}

static char *write_other_key(const char *name, EVP_PKEY *key)
{
	char *path = pki_write(&pki, name, NULL, key);

	EVP_PKEY_free(key);
	return path;
}

static void what_cannot_sign_is_refused_naming_the_file(void **state)
{
	scoped(free_ptr) char *late = pki_write_leaf(&pki, "late.pem", PKI_SIGN, -100, -1);
	scoped(free_ptr) char *early = pki_write_leaf(&pki, "early.pem", PKI_SIGN, 1, 100);
	scoped(free_ptr) char *plain = pki_write_leaf(&pki, "plain.pem", "", -100, 40);
	scoped(free_ptr) char *root =
		pki_write(&pki, "root.pem", (X509 *[]){ pki.root, NULL }, NULL);
	scoped(free_ptr) char *empty = write_text("empty.pem", "");
	scoped(free_ptr) char *broken = write_text(
		"broken.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	scoped(free_ptr) char *locked = write_locked_key();
	scoped(free_ptr) char *other = write_other_key("other.key", EVP_RSA_gen(2048));
	scoped(free_ptr) char *curve = write_other_key("curve.key", EVP_EC_gen("P-256"));
	scoped(free_ptr) char *small = write_other_key("small.key", EVP_RSA_gen(1024));
	const char *cert = pki.sign_pem, *key = pki.key_pem, *chain = pki.chain_pem;
	const struct {
		const char *cert, *key, *chain;
		const char *where, *text;
	} cases[] = {
		{ pki.auth_pem, key, chain, "cert",
		  "lacks nonRepudiation): signatures want ORG SIGN" },
		{ plain, key, chain, "cert", "lacks nonRepudiation" },
		{ late, key, chain, "cert", "late.pem ended on 2026-11-19T12:00:00.000Z" },
		{ early, key, chain, "cert", "early.pem begins on 2026-11-21T12:00:00.000Z" },
		{ "/nowhere", key, chain, "cert", "/nowhere cannot be read: No such file" },
		{ empty, key, chain, "cert", "holds no certificate in PEM" },
		{ key, key, chain, "cert", "holds no certificate in PEM" },
		{ broken, key, chain, "cert", "holds something that is no certificate in PEM" },
		{ cert, "/nowhere", chain, "key", "/nowhere cannot be read: No such file" },
		{ cert, empty, chain, "key", "holds no private key in PEM" },
		{ cert, cert, chain, "key", "holds no private key in PEM" },
		{ cert, locked, chain, "key", "is protected by a password" },
		{ cert, other, chain, "key", "other.key is not the key of the certificate in" },
		{ cert, curve, chain, "key", "is no RSA key" },
		{ cert, small, chain, "key", "is a key of 1024 bits: 2048 to 8192 are taken" },
		{ cert, key, "/nowhere", "chain", "cannot be read" },
		{ cert, key, empty, "chain", "holds no certificate in PEM" },
		{ cert, key, root, "chain",
		  "root.pem lacks the certificate of CN=AC ORGANISATIONS" },
	};
	const struct signer_needs needs = { .sha1 = true, .full_chain = true };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct signer_settings settings = { cases[i].cert, cases[i].key,
							  cases[i].chain };
		struct signer *signer = NULL;
		struct err err = { 0 };

		assert_int_equal(signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err), -1);
		assert_null(signer);
		assert_int_equal(err.kind, ERR_HALT);
		assert_string_equal(err.where, cases[i].where);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("\"%s\" expected, got \"%s\"", cases[i].text, err.text);
	}
}

static void a_chain_with_a_hole_does_where_only_the_leaf_is_named(void **state)
{
	scoped(free_ptr) char *root =
		pki_write(&pki, "root.pem", (X509 *[]){ pki.root, NULL }, NULL);
	const struct signer_settings settings = { pki.sign_pem, pki.key_pem, root };
	const struct signer_needs needs = { .full_chain = false };
	scoped(signer_free) struct signer *signer = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err), 0);
	assert_int_equal(signer_facts(signer)->chain_count, 1);
}

static void sha_1_forbidden_by_policy_is_told_at_start(void **state)
{
	const struct signer_settings settings = pki_settings(&pki);
	const struct signer_needs needs = { .sha1 = true };
	scoped(signer_free) struct signer *signer = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_load(&signer, &settings, &needs, PKI_NOW_MS, &err), 0);
	assert_int_equal(signer_try(signer, &settings, &needs, &err), 0);
	policy_forbids_sha1 = true;
	assert_int_equal(signer_try(signer, &settings, &needs, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_string_equal(err.where, "key");
	assert_non_null(strstr(err.text, "cannot sign with SHA-1, which this machine's"));
	assert_int_equal(signer_try(signer, &settings, &(struct signer_needs){ 0 }, &err), 0);
	policy_forbids_sha1 = false;
	assert_int_equal(signer_try(signer, &settings, &needs, &err), 0);
}

static void a_key_that_signs_nothing_is_told_at_start(void **state)
{
	const struct signer_settings settings = pki_settings(&pki);
	scoped(signer_free) struct signer *signer = NULL;
	struct err err = { 0 };
	int rc;

	(void)state;
	assert_int_equal(
		signer_load(&signer, &settings, &(struct signer_needs){ 0 }, PKI_NOW_MS, &err), 0);
	nothing_is_signed = true;
	rc = signer_try(signer, &settings, &(struct signer_needs){ 0 }, &err);
	nothing_is_signed = false;
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_string_equal(err.where, "key");
	assert_non_null(strstr(err.text, "cannot sign: OpenSSL refuses to"));
}

static void the_certificate_of_tls_must_not_be_the_one_that_signs(void **state)
{
	char structure[SIGNER_STRUCTURE];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(signer_check_client(pki.auth_pem, structure, &err), 0);
	assert_string_equal(structure, "1990000987");
	assert_int_equal(signer_check_client(pki.sign_pem, structure, &err), -1);
	assert_string_equal(err.where, "cert");
	assert_non_null(strstr(err.text, "has nonRepudiation): TLS wants ORG AUTH_CLI"));
	assert_int_equal(signer_check_client("/nowhere", structure, &err), -1);
}

/* ---- signatures ---- */

static bool verifies(const EVP_MD *md, struct slice bytes, const struct buf *base64)
{
	scoped(buf_done) struct buf signature = { 0 };
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct err err = { 0 };
	bool verified;

	assert_int_equal(base64_decode(buf_slice(base64), &signature, &err), 0);
	EVP_DigestVerifyInit(context, NULL, md, NULL, pki.key);
	verified = EVP_DigestVerify(context, (unsigned char *)signature.p, signature.n,
				    (const unsigned char *)bytes.p, bytes.n) == 1;
	EVP_MD_CTX_free(context);
	return verified;
}

static void a_pen_signs_again_and_again_with_either_digest(void **state)
{
	scoped(signer_free) struct signer *signer = pki_signer(&pki);
	scoped(pen_free) struct pen *pen = pki_pen(signer);
	const struct slice bytes = slice_of("what is signed");
	struct err err = { 0 };

	(void)state;
	for (int round = 0; round < 4; round++) {
		scoped(buf_done) struct buf signature = { 0 };
		const enum digest_kind kind = round % 2 ? DIGEST_SHA1 : DIGEST_SHA256;
		const EVP_MD *md = round % 2 ? EVP_sha1() : EVP_sha256();

		assert_int_equal(pen_sign(pen, kind, bytes, &signature, &err), 0);
		assert_true(verifies(md, bytes, &signature));
		assert_false(verifies(md, slice_from(bytes, 1), &signature));
	}
	assert_ptr_equal(pen_signer(pen), signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_rfc_2253_in_utf_8),
		cmocka_unit_test(names_may_be_escaped_to_ascii),
		cmocka_unit_test(
			the_chain_goes_from_the_leaf_to_the_root_whatever_the_order_of_the_file),
		cmocka_unit_test(the_intermediate_may_follow_the_leaf_in_its_file),
		cmocka_unit_test(the_leaf_is_kept_as_base64_of_its_der),
		cmocka_unit_test(days_are_counted_down_and_below_zero),
		cmocka_unit_test(a_certificate_that_ends_while_the_gateway_runs_halts_its_way),
		cmocka_unit_test(what_cannot_sign_is_refused_naming_the_file),
		cmocka_unit_test(a_chain_with_a_hole_does_where_only_the_leaf_is_named),
		cmocka_unit_test(sha_1_forbidden_by_policy_is_told_at_start),
		cmocka_unit_test(a_key_that_signs_nothing_is_told_at_start),
		cmocka_unit_test(the_certificate_of_tls_must_not_be_the_one_that_signs),
		cmocka_unit_test(a_pen_signs_again_and_again_with_either_digest),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
