/* The keys of a configuration, opened: which of them is wrong is told with its line, all at
 * once.
 */
#include "pki.h"

#include <sys/stat.h>

#include "credentials.h"

static struct pki pki;

static int make(void **state)
{
	char rubbish[64];

	(void)state;
	pki_make(&pki);
	assert_int_equal(chmod(pki.key_pem, 0600), 0);
	free(pki_write(&pki, "rubbish.key", NULL, NULL));
	snprintf(rubbish, sizeof(rubbish), "%s/rubbish.key", pki.folder);
	assert_int_equal(chmod(rubbish, 0600), 0);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	pki_done(&pki);
	return 0;
}

/* Two establishments, the second one's certificates are given, a listener and a way back to its source
 * with this TLS.
 */
static struct config *configuration_with(const char *auth, const char *sign, const char *digest,
					 const char *tls, const char *back)
{
	scoped(buf_done) struct buf text = { 0 }, errors = { 0 };
	struct config *config = NULL;

	buf_addf(&text,
		 "environment: test\n"
		 "valuesets: { dir: / }\nerrors: { file: sign.pem }\n"
		 "lps: { oid: 1.2.250.1.999.77 }\n"
		 "xades: { digest: %s }\n"
		 "intake: { mllp: [ { name: a, listen: \"127.0.0.1:1\", site: \"990012345\", "
		 "source: A, tls: { %s } } ] }\n"
		 "establishments:\n",
		 digest, tls);
	for (int i = 0; i < 2; i++)
		buf_addf(&text,
			 "  - finess_ej: \"99000098%d\"\n"
			 "    name: CH\n"
			 "    dmp:\n"
			 "      url: { repository: https://127.0.0.1:8443/x }\n"
			 "      tls: { ca: %s, key: sign.key, cert: %s }\n"
			 "      sign: { chain: chain.pem, key: sign.key, cert: %s }\n"
			 "    sites: [ { finess_eg: \"99001234%d\", name: CH, sector: SA01 } ]\n",
			 i, "chain.pem", i ? auth : "auth.pem", i ? sign : "sign.pem", 5 + i);
	buf_addf(&text,
		 "sources: [ { name: A, ack: { address: \"127.0.0.1:2\", tls: { %s } } } ]\n",
		 back);
	{
		scoped(free_ptr) char *file = xasprintf("%s/dmpfeed.yaml", pki.folder);

		if (config_parse(&config, file, buf_slice(&text), &errors) < 0)
			fail_msg("%s", errors.p);
	}
	return config;
}

static struct config *configuration(const char *auth, const char *sign, const char *digest)
{
	return configuration_with(auth, sign, digest, "", "");
}

static void every_establishment_has_its_signer(void **state)
{
	scoped(config_free) struct config *config = configuration("auth.pem", "sign.pem", "sha1");
	scoped(credentials_free) struct credentials *credentials = NULL;
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors), 0);
	assert_null(errors.p);
	assert_int_equal(credentials_count(credentials), 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(signer_facts(credentials_signer(credentials, i))->structure,
				    "1990000987");
}

static void what_is_wrong_is_told_with_its_place_all_at_once(void **state)
{
	scoped(config_free) struct config *config = configuration("sign.pem", "auth.pem", "sha256");
	scoped(free_ptr) char *tls = xasprintf("%s/dmpfeed.yaml:19:50: dmp.tls.cert: ", pki.folder);
	scoped(free_ptr) char *sign =
		xasprintf("\n%s/dmpfeed.yaml:20:54: dmp.sign.cert: ", pki.folder);
	struct credentials *credentials = NULL;
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors), -1);
	assert_null(credentials);
	assert_ptr_equal(strstr(errors.p, tls), errors.p);
	assert_non_null(strstr(errors.p, sign));
	assert_non_null(strstr(errors.p, "has nonRepudiation"));
	assert_non_null(strstr(errors.p, "lacks nonRepudiation"));
}

static void a_key_that_ended_is_told_for_each_who_has_it(void **state)
{
	scoped(config_free) struct config *config = configuration("auth.pem", "sign.pem", "sha1");
	struct credentials *credentials = NULL;
	scoped(buf_done) struct buf errors = { 0 };
	struct slice rest, line;
	size_t lines = 0;

	(void)state;
	assert_int_equal(
		credentials_load(&credentials, config, PKI_NOW_MS + 50 * PKI_DAY_MS, &errors), -1);
	rest = slice_trim(buf_slice(&errors));
	for (; slice_next(&rest, '\n', &line); lines++)
		assert_non_null(memmem(line.p, line.n, "ended on 2026-12-30", 19));
	assert_int_equal(lines, 4);
}

/* "": nothing is told. */
static void assert_told(const char *tls, const char *back, const char *want)
{
	scoped(config_free) struct config *config =
		configuration_with("auth.pem", "sign.pem", "sha1", tls, back);
	scoped(credentials_free) struct credentials *credentials = NULL;
	scoped(buf_done) struct buf errors = { 0 };
	const char *folder = strstr(want, "%s");
	scoped(free_ptr) char *told = folder == NULL ? xstrdup(want)
						     : xasprintf("%.*s%s%s", (int)(folder - want),
								 want, pki.folder, folder + 2);

	assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors),
			 told[0] ? -1 : 0);
	if (strstr(buf_slice(&errors).p, told) == NULL)
		fail_msg("\"%s\", \"%s\": %s", tls, back, errors.p);
}

static void what_is_wrong_with_the_tls_of_a_listener_is_told_with_its_place(void **state)
{
	static const struct {
		const char *tls, *told;
	} cases[] = {
		{ "cert: auth.pem, key: sign.key, client_ca: chain.pem", "" },
		{ "cert: auth.pem, key: rubbish.key",
		  ":6:111: tls.key: %s/rubbish.key holds no private key in PEM" },
		{ "cert: sign.key, key: sign.key", ":6:96: tls.cert: %s/sign.key does not hold" },
		{ "cert: auth.pem, key: sign.key, client_ca: sign.key",
		  ":6:132: tls.client_ca: %s/sign.key holds no certificate in PEM" },
		{ "cert: auth.pem, key: sign.key, ciphers: NONE",
		  ":6:130: tls.ciphers: \"NONE\" names no cipher suite" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_told(cases[i].tls, "", cases[i].told);
}

static void what_is_wrong_with_the_tls_of_a_way_back_is_told_with_its_place(void **state)
{
	static const struct {
		const char *back, *told;
	} cases[] = {
		{ "ca: chain.pem, cert: auth.pem, key: sign.key, name: dpi.example", "" },
		{ "ca: sign.key", ":22:65: ack.tls.ca: %s/sign.key holds no certificate in PEM" },
		{ "ca: chain.pem, cert: auth.pem, key: rubbish.key",
		  ":22:97: ack.tls.key: %s/rubbish.key holds no private key in PEM" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_told("", cases[i].back, cases[i].told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_establishment_has_its_signer),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place_all_at_once),
		cmocka_unit_test(what_is_wrong_with_the_tls_of_a_listener_is_told_with_its_place),
		cmocka_unit_test(what_is_wrong_with_the_tls_of_a_way_back_is_told_with_its_place),
		cmocka_unit_test(a_key_that_ended_is_told_for_each_who_has_it),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
