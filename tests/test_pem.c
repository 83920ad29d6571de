/* What is wrong with certificates and keys in PEM files, and in which words. */
#include "base/pem.h"
#include "pki.h"

static struct pki pki;
static char *locked;

static int make(void **state)
{
	FILE *file;

	(void)state;
	pki_make(&pki);
	locked = xasprintf("%s/locked.key", pki.folder);
	file = fopen(locked, "w");
	assert_non_null(file);
	PEM_write_PrivateKey(file, pki.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6,
			     NULL, NULL);
	fclose(file);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	free(locked);
	pki_done(&pki);
	return 0;
}

static void assert_wrong(const struct err *err, const char *where, const char *file,
			 const char *words)
{
	assert_int_equal(err->kind, ERR_HALT);
	assert_string_equal(err->where, where);
	assert_true(slice_starts(slice_of(err->text), file));
	if (strstr(err->text, words) == NULL)
		fail_msg("\"%s\" expected, got \"%s\"", words, err->text);
}

static void a_key_is_read(void **state)
{
	struct err err = { 0 };
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_equal(pem_read_key(&key, pki.key_pem, &err), 0);
	assert_int_equal(EVP_PKEY_eq(key, pki.key), 1);
	EVP_PKEY_free(key);
}

static void what_is_wrong_with_a_key_is_told_in_our_words(void **state)
{
	const struct {
		const char *file, *words;
	} cases[] = {
		{ "/nowhere", "cannot be read: No such file or directory" },
		{ pki.folder, "cannot be read: Is a directory" },
		{ pki.auth_pem, "holds no private key in PEM" },
		{ locked, "is protected by a password that nobody is there to type" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };
		EVP_PKEY *key = NULL;

		assert_int_equal(pem_read_key(&key, cases[i].file, &err), -1);
		assert_null(key);
		assert_wrong(&err, "key", cases[i].file, cases[i].words);
	}
}

static void a_file_is_named_with_the_setting_that_names_it(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(pem_check_readable("ca", pki.chain_pem, &err), 0);
	assert_int_equal(pem_check_readable("ca", "/nowhere", &err), -1);
	assert_wrong(&err, "ca", "/nowhere", "cannot be read");
}

static X509 *certificate_in(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	assert_non_null(certificate);
	fclose(file);
	return certificate;
}

static void a_certificate_is_good_from_its_beginning_to_its_end(void **state)
{
	X509 *certificate = certificate_in(pki.auth_pem);
	const int64_t from_ms = pem_time_ms(X509_get0_notBefore(certificate));
	const int64_t to_ms = pem_time_ms(X509_get0_notAfter(certificate));
	struct err err = { 0 };

	(void)state;
	assert_int_equal(from_ms, PKI_NOW_MS - 100 * PKI_DAY_MS);
	assert_int_equal(to_ms, PKI_NOW_MS + 40 * PKI_DAY_MS);
	assert_int_equal(pem_check_dates(certificate, "x", from_ms, &err), 0);
	assert_int_equal(pem_check_dates(certificate, "x", to_ms, &err), 0);
	assert_int_equal(pem_check_dates(certificate, "x", from_ms - 1, &err), -1);
	assert_wrong(&err, "cert", "the certificate in x", "begins on 2026-08-12");
	assert_int_equal(pem_check_dates(certificate, "x", to_ms + 1, &err), -1);
	assert_wrong(&err, "cert", "the certificate in x", "ended on 2026-12-30");
	X509_free(certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_read),
		cmocka_unit_test(what_is_wrong_with_a_key_is_told_in_our_words),
		cmocka_unit_test(a_file_is_named_with_the_setting_that_names_it),
		cmocka_unit_test(a_certificate_is_good_from_its_beginning_to_its_end),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
