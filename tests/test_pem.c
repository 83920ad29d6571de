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
	assert_int_equal(pem_read_key(&key, pki.key_pem, pki.sign, &err), 0);
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
		{ "PKCS11:object=sign", "does not say which module speaks to the token" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };
		EVP_PKEY *key = NULL;

		assert_int_equal(pem_read_key(&key, cases[i].file, pki.sign, &err), -1);
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

/* A certificate of the test's own key, with these fields of the subject, in a file. */
static char *issued(const char *const fields[][2], size_t count)
{
	char *path = xasprintf("%s/issued.pem", pki.folder);
	X509 *certificate = X509_new();
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < count; i++)
		pki_name(certificate, fields[i][0], fields[i][1]);
	ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
	ASN1_TIME_set(X509_getm_notAfter(certificate), 1795262400);
	X509_set_pubkey(certificate, pki.key);
	X509_sign(certificate, pki.key, EVP_sha256());
	assert_true(PEM_write_X509(file, certificate));
	fclose(file);
	X509_free(certificate);
	return path;
}

static void assert_looks(const char *const fields[][2], size_t count, const char *expected)
{
	scoped(free_ptr) char *path = issued(fields, count);
	scoped(buf_done) struct buf subject = { 0 };
	struct err err = { 0 };
	int64_t not_after_ms;

	assert_int_equal(pem_look(path, &subject, &not_after_ms, &err), 0);
	assert_string_equal(subject.p, expected);
	assert_int_equal(not_after_ms, 1795262400000);
}

static void a_certificate_says_whose_it_is_unless_that_is_a_person(void **state)
{
	static const char *const organisation[][2] = {
		{ "C", "FR" }, { "O", "Hôpital" }, { "OU", "1990000987" }, { "CN", "passerelle" }
	};
	static const char *const person[][2] = {
		{ "O", "Hôpital" }, { "GN", "Ada" }, { "SN", "Lovelace" }, { "CN", "Ada Lovelace" }
	};

	(void)state;
	assert_looks(organisation, length_of(organisation),
		     "O=Hôpital, OU=1990000987, CN=passerelle");
	assert_looks(person, length_of(person), "O=Hôpital");
}

static void what_is_no_certificate_is_told(void **state)
{
	scoped(buf_done) struct buf subject = { 0 };
	struct err err = { 0 };
	int64_t not_after_ms;

	(void)state;
	assert_int_equal(pem_look(pki.key_pem, &subject, &not_after_ms, &err), -1);
	assert_wrong(&err, "cert", pki.key_pem, "holds no certificate in PEM");
	assert_int_equal(pem_look("/nowhere", &subject, &not_after_ms, &err), -1);
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
		cmocka_unit_test(a_certificate_says_whose_it_is_unless_that_is_a_person),
		cmocka_unit_test(what_is_no_certificate_is_told),
		cmocka_unit_test(a_key_is_read),
		cmocka_unit_test(what_is_wrong_with_a_key_is_told_in_our_words),
		cmocka_unit_test(a_file_is_named_with_the_setting_that_names_it),
		cmocka_unit_test(a_certificate_is_good_from_its_beginning_to_its_end),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
