/* Keys on tokens: what their URIs may be, and what becomes of signatures while the token is there, away,
 * back, or of another mind. With a SoftHSM of the test's own.
 */
#include <openssl/rsa.h>

#include "base/token.h"
#include "base/token_key.h"
#include "pki.h"
#include "softhsm.h"

#define MODULE "module-path=" SOFTHSM_MODULE

static struct pki pki;
static struct softhsm hsm;

/* Whatever is tried takes that long, by this clock. */
enum { TAKES_MS = 100, LEFT_ALONE_MS = TAKES_MS * 9 };

static int64_t now_ms = 1000000;

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void)
{
	return now_ms += TAKES_MS;
}

static int make(void **state)
{
	EVP_PKEY *other = EVP_RSA_gen(2048);
	char *path;

	(void)state;
	pki_make(&pki);
	if (!softhsm_is_there())
		return 0;
	path = pki_write(&pki, "other.key", NULL, other);
	softhsm_make(&hsm);
	softhsm_add_token("dmp");
	softhsm_add_token("spare");
	softhsm_add_key("dmp", pki.key_pem, "sign", "01");
	softhsm_add_key("dmp", path, "other", "02");
	softhsm_add_key("dmp", pki.key_pem, "twice", "03");
	softhsm_add_key("dmp", path, "twice", "04");
	free(path);
	EVP_PKEY_free(other);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	pki_done(&pki);
	if (softhsm_is_there())
		softhsm_done(&hsm);
	return 0;
}

/* ---- names ---- */

static void a_uri_says_which_key_module_and_pin(void **state)
{
	static const struct {
		const char *uri, *name, *pin_file;
	} cases[] = {
		{ "pkcs11:token=dmp;object=sign?" MODULE "&pin-source=file:/run/pin",
		  "pkcs11:token=dmp;object=sign", "/run/pin" },
		{ "PKCS11:token=d%20p;id=%01;type=private?" MODULE "&pin-source=/run/pin",
		  "PKCS11:token=d%20p;id=%01;type=private", "/run/pin" },
		{ "pkcs11:object=sign?" MODULE "&pin-source=file:///run/pin", "pkcs11:object=sign",
		  "/run/pin" },
		{ "pkcs11:object=sign?" MODULE, "pkcs11:object=sign", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(token_free) struct token *token = NULL;
		struct err err = { 0 };

		assert_true(token_is_uri(cases[i].uri));
		if (token_new(&token, cases[i].uri, &err) < 0)
			fail_msg("%s %s", cases[i].uri, err.text);
		assert_string_equal(token_name(token), cases[i].name);
		assert_string_equal(token_uri(token), cases[i].uri);
		assert_string_equal(token_module(token), SOFTHSM_MODULE);
		assert_string_equal(token_pin_file(token), cases[i].pin_file);
	}
	assert_false(token_is_uri("/etc/dmpfeed/pkcs11:key.pem"));
	assert_false(token_is_uri("pkcs11"));
	assert_false(token_is_uri(""));
}

static void what_is_wrong_with_a_uri_is_told(void **state)
{
	static const struct {
		const char *uri, *words;
	} cases[] = {
		{ "pkcs11:", "does not say which module" },
		{ "pkcs11:token=dmp;object=sign", "does not say which module" },
		{ "pkcs11:token=dmp;object=sign?module-path=softhsm.so",
		  "does not say which module" },
		{ "pkcs11:token=dmp?" MODULE, "does not say which key" },
		{ "pkcs11:token=dmp;object=sign?" MODULE "&pin-value=1234",
		  "has the PIN in it (pin-value): write the PIN in a file" },
		{ "pkcs11:object=sign?" MODULE "&pin-source=%7C/usr/bin/pin", "than a file" },
		{ "pkcs11:object=sign?" MODULE "&pin-source=file:pin", "than a file" },
		{ "pkcs11:object=sign;type=cert?" MODULE, "names no private key" },
		{ "pkcs11:object=sign;colour=blue?" MODULE, "an attribute that is not known" },
		{ "pkcs11:object=si%gn?" MODULE, "cannot be read" },
		{ "pkcs11:object=sign\n?" MODULE, "cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct token *token = NULL;
		struct err err = { 0 };

		if (token_new(&token, cases[i].uri, &err) == 0)
			fail_msg("%s was taken", cases[i].uri);
		assert_int_equal(err.kind, ERR_HALT);
		assert_true(slice_starts(slice_of(err.text), "is a PKCS#11 URI that "));
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("%s: \"%s\" expected, got \"%s\"", cases[i].uri, cases[i].words,
				 err.text);
	}
}

/* ---- signatures ---- */

static EVP_PKEY *key_at(const char *path)
{
	scoped(free_ptr) char *uri = softhsm_uri(&hsm, path);
	EVP_PKEY *key = NULL;
	struct err err = { 0 };

	if (token_key_new(&key, uri, pki.sign, &err) < 0)
		fail_msg("%s", err.text);
	return key;
}

static bool signs(EVP_PKEY *key, int padding)
{
	static const unsigned char digest[32] = { 1, 2, 3 };
	EVP_PKEY_CTX *signing = EVP_PKEY_CTX_new(key, NULL);
	EVP_PKEY_CTX *verifying = EVP_PKEY_CTX_new(pki.key, NULL);
	unsigned char signature[256];
	size_t n = sizeof(signature);
	bool ok = EVP_PKEY_sign_init(signing) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(signing, padding) == 1 &&
		  EVP_PKEY_CTX_set_signature_md(signing, EVP_sha256()) == 1 &&
		  EVP_PKEY_sign(signing, signature, &n, digest, sizeof(digest)) == 1;

	if (ok) {
		assert_int_equal(EVP_PKEY_verify_init(verifying), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(verifying, padding), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(verifying, EVP_sha256()), 1);
		assert_int_equal(EVP_PKEY_verify(verifying, signature, n, digest, sizeof(digest)),
				 1);
	}
	EVP_PKEY_CTX_free(signing);
	EVP_PKEY_CTX_free(verifying);
	return ok;
}

static void assert_does_not_sign(EVP_PKEY *key, enum err_kind kind, const char *words)
{
	struct err err = { 0 };

	assert_false(signs(key, RSA_PKCS1_PADDING));
	assert_int_equal(token_key_trouble(key, &err), -1);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" expected, got \"%s\"", words, err.text);
}

static void a_key_signs_as_one_of_a_file_does(void **state)
{
	EVP_PKEY *key, *copy;
	struct err err = { 0 };

	(void)state;
	softhsm_is_needed();
	key = key_at("token=dmp;object=sign");
	copy = token_key_copy(key);
	assert_true(token_key_is(key));
	assert_false(token_key_is(pki.key));
	assert_null(token_key_copy(pki.key));
	assert_int_equal(EVP_PKEY_eq(key, pki.key), 1);
	assert_true(signs(key, RSA_PKCS1_PADDING));
	assert_true(signs(key, RSA_PKCS1_PSS_PADDING));
	assert_true(signs(copy, RSA_PKCS1_PADDING));
	EVP_PKEY_free(key);
	assert_true(signs(copy, RSA_PKCS1_PADDING));
	assert_int_equal(token_key_trouble(copy, &err), 0);
	EVP_PKEY_free(copy);
}

static void what_keeps_a_key_from_signing_is_told(void **state)
{
	static const struct {
		const char *path;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{ "token=elsewhere;object=sign", ERR_RETRY, "the token is not there" },
		{ "token=spare;object=sign", ERR_HALT, "holds no such private key" },
		{ "token=dmp;object=twice", ERR_HALT, "holds several such private keys" },
		{ "object=sign", ERR_HALT, "2 tokens are meant" },
		{ "token=dmp;object=other", ERR_HALT, "this is not the key of the certificate" },
	};

	(void)state;
	softhsm_is_needed();
	for (size_t i = 0; i < length_of(cases); i++) {
		EVP_PKEY *key = key_at(cases[i].path);

		assert_does_not_sign(key, cases[i].kind, cases[i].words);
		EVP_PKEY_free(key);
	}
}

static void a_module_that_is_none_is_told(void **state)
{
	const char *uri = "pkcs11:object=sign?module-path=/etc/passwd";
	EVP_PKEY *key = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(token_key_new(&key, uri, pki.sign, &err), 0);
	assert_does_not_sign(key, ERR_HALT, "/etc/passwd is no PKCS#11 module");
	EVP_PKEY_free(key);
}

static void a_token_that_was_away_is_used_again(void **state)
{
	EVP_PKEY *key;

	(void)state;
	softhsm_is_needed();
	key = key_at("token=dmp;object=sign");
	softhsm_hide(&hsm);
	assert_does_not_sign(key, ERR_RETRY, "the token is not there");
	softhsm_bring_back(&hsm);
	assert_does_not_sign(key, ERR_RETRY, "the token is not there"); /* not asked at once */
	now_ms += LEFT_ALONE_MS;
	assert_true(signs(key, RSA_PKCS1_PADDING));
	EVP_PKEY_free(key);
}

/* While it is in use: SoftHSM notices by the files of the key. */
static void a_token_that_goes_away_is_found_again(void **state)
{
	EVP_PKEY *key;

	(void)state;
	softhsm_is_needed();
	key = key_at("token=dmp;object=sign");
	assert_true(signs(key, RSA_PKCS1_PADDING));
	softhsm_hide(&hsm);
	assert_does_not_sign(key, ERR_RETRY, "the token is not there");
	softhsm_bring_back(&hsm);
	now_ms += LEFT_ALONE_MS;
	assert_true(signs(key, RSA_PKCS1_PADDING));
	EVP_PKEY_free(key);
}

static void a_wrong_pin_is_tried_once(void **state)
{
	EVP_PKEY *key, *other;

	(void)state;
	softhsm_is_needed();
	softhsm_write(hsm.pin_file, "0000");
	key = key_at("token=dmp;object=sign");
	other = token_key_copy(key);
	assert_does_not_sign(key, ERR_HALT, "the token refuses the PIN in /tmp/test_hsm.");
	now_ms += LEFT_ALONE_MS;
	assert_does_not_sign(key, ERR_HALT, "not tried again until that file changes");
	assert_does_not_sign(other, ERR_HALT, "not tried again until that file changes");
	softhsm_write(hsm.pin_file, SOFTHSM_PIN);
	now_ms += LEFT_ALONE_MS;
	assert_true(signs(key, RSA_PKCS1_PADDING));
	assert_true(signs(other, RSA_PKCS1_PADDING));
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void a_pin_that_cannot_be_read_is_told(void **state)
{
	scoped(free_ptr) char *none = NULL;
	EVP_PKEY *key = NULL;
	struct err err = { 0 };

	(void)state;
	softhsm_is_needed();
	none = xasprintf("pkcs11:token=dmp;object=sign?" MODULE);
	assert_int_equal(token_key_new(&key, none, pki.sign, &err), 0);
	assert_does_not_sign(key, ERR_HALT, "wants a PIN: write pin-source=file:/PATH");
	EVP_PKEY_free(key);
	assert_int_equal(remove(hsm.pin_file), 0);
	key = key_at("token=dmp;object=sign");
	assert_does_not_sign(key, ERR_HALT, "its PIN cannot be read from /tmp/test_hsm.");
	EVP_PKEY_free(key);
	softhsm_write(hsm.pin_file, SOFTHSM_PIN "\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_says_which_key_module_and_pin),
		cmocka_unit_test(what_is_wrong_with_a_uri_is_told),
		cmocka_unit_test(a_key_signs_as_one_of_a_file_does),
		cmocka_unit_test(what_keeps_a_key_from_signing_is_told),
		cmocka_unit_test(a_module_that_is_none_is_told),
		cmocka_unit_test(a_token_that_was_away_is_used_again),
		cmocka_unit_test(a_token_that_goes_away_is_found_again),
		cmocka_unit_test(a_wrong_pin_is_tried_once),
		cmocka_unit_test(a_pin_that_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
