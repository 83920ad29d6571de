/* The keys of a configuration, opened: which of them is wrong is told with its line, all at
 * once.
 */
#include "pki.h"

#include <sys/stat.h>

#include "setup/credentials.h"

static struct pki pki;

static char *made[8];

static char *write_server(const char *name)
{
	X509 *certificate = pki_issue(&(struct pki_request){ .cn = "engine",
							     .usage = PKI_AUTH,
							     .from_days = -100,
							     .to_days = 40,
							     .serial = "05",
							     .uses = "serverAuth" },
				      pki.key, pki.intermediate, pki.key);
	char *path = pki_write(&pki, name, (X509 *[]){ certificate, NULL }, NULL);

	X509_free(certificate);
	return path;
}

static int make(void **state)
{
	EVP_PKEY *other = EVP_RSA_gen(2048);

	(void)state;
	pki_make(&pki);
	made[7] = write_server("server.pem");
	made[0] = pki_write_leaf(&pki, "ended-auth.pem", PKI_AUTH, -100, -20);
	made[1] = pki_write_leaf(&pki, "early-auth.pem", PKI_AUTH, 10, 40);
	made[2] = pki_write_leaf(&pki, "ended-sign.pem", PKI_SIGN, -100, -20);
	made[3] = pki_write_leaf(&pki, "early-sign.pem", PKI_SIGN, 10, 40);
	made[4] = pki_write(&pki, "other.key", NULL, other);
	made[5] = pki_write(&pki, "open.key", NULL, pki.key);
	made[6] = pki_write(&pki, "junk.key", NULL, NULL);
	assert_int_equal(chmod(made[4], 0600), 0);
	assert_int_equal(chmod(made[5], 0644), 0);
	assert_int_equal(chmod(made[6], 0600), 0);
	assert_int_equal(chmod(pki.key_pem, 0600), 0);
	EVP_PKEY_free(other);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(made); i++) {
		unlink(made[i]);
		free(made[i]);
	}
	pki_done(&pki);
	return 0;
}

/* Files of an establishment. NULL: the right one. */
struct files {
	const char *ca, *auth, *auth_key, *crl, *sign, *sign_key, *chain;
};

static const char *given(const char *file, const char *usual)
{
	return file ? file : usual;
}

/* Two establishments, the second one's files are given, a listener and a way back to its source with
 * this TLS.
 */
static struct config *configuration_with(const struct files *second, const char *digest,
					 const char *tls, const char *back)
{
	static const struct files usual = { 0 };
	scoped(free_ptr) char *file = xasprintf("%s/dmpfeed.yaml", pki.folder);
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
	for (int i = 0; i < 2; i++) {
		const struct files *f = i ? second : &usual;

		buf_addf(&text,
			 "  - finess_ej: \"99000098%d\"\n"
			 "    name: CH\n"
			 "    dmp:\n"
			 "      url: { repository: https://127.0.0.1:8443/x }\n"
			 "      tls: { ca: %s, key: %s, cert: %s, crl: \"%s\" }\n"
			 "      sign: { chain: %s, key: %s, cert: %s }\n"
			 "    sites: [ { finess_eg: \"99001234%d\", name: CH, sector: SA01 } ]\n",
			 i, given(f->ca, "chain.pem"), given(f->auth_key, "sign.key"),
			 given(f->auth, "auth.pem"), given(f->crl, ""),
			 given(f->chain, "chain.pem"), given(f->sign_key, "sign.key"),
			 given(f->sign, "sign.pem"), 5 + i);
	}
	buf_addf(&text,
		 "sources: [ { name: A, ack: { address: \"127.0.0.1:2\", tls: { %s } } } ]\n",
		 back);
	if (config_parse(&config, file, buf_slice(&text), &errors) < 0)
		fail_msg("%s", errors.p);
	return config;
}

static struct config *configuration(const struct files *second, const char *digest)
{
	return configuration_with(second, digest, "", "");
}

static void every_establishment_has_its_signer(void **state)
{
	scoped(config_free) struct config *config = configuration(&(struct files){ 0 }, "sha1");
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

static char *write_of(const char *name, const char *structure, const char *usage)
{
	X509 *certificate = pki_issue(&(struct pki_request){ .ou = structure,
							     .cn = "other",
							     .usage = usage,
							     .from_days = -100,
							     .to_days = 40,
							     .serial = "06" },
				      pki.key, pki.intermediate, pki.key);
	char *path = pki_write(&pki, name, (X509 *[]){ certificate, NULL }, NULL);

	X509_free(certificate);
	return path;
}

/* Good certificates, and no error: of another structure than one another, or than the establishment (990000981). */
static void certificates_of_two_structures_are_remarked(void **state)
{
	static const struct {
		const char *auth, *sign, *remarks;
	} cases[] = {
		{ "1990000981", "1990000981", "" },
		{ "990000981", "990000981", "" },
		{ "1990000987", "1990000987",
		  "the certificate that signs for establishment 990000981 is of structure "
		  "1990000987: "
		  "the DMP may refuse what it signs\n" },
		{ "1990000987", "1990000981",
		  "the two certificates of establishment 990000981 are not of one structure: "
		  "1990000981 signs, 1990000987 speaks TLS; the DMP expects both of the same\n" },
		{ NULL, "1990000981",
		  "the two certificates of establishment 990000981 are not of one structure: "
		  "1990000981 signs, none (it has no OU) speaks TLS; the DMP expects both of the "
		  "same\n" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *auth = write_of("a.pem", cases[i].auth, PKI_AUTH);
		scoped(free_ptr) char *sign = write_of("s.pem", cases[i].sign, PKI_SIGN);
		scoped(config_free) struct config *config = configuration(
			&(struct files){ .auth = "a.pem", .sign = "s.pem" }, "sha256");
		scoped(credentials_free) struct credentials *credentials = NULL;
		scoped(buf_done) struct buf errors = { 0 }, remarks = { 0 };

		assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors), 0);
		credentials_remark(credentials, config, 1, &remarks);
		assert_string_equal(buf_slice(&remarks).p, cases[i].remarks);
		unlink(auth);
		unlink(sign);
	}
}

static void what_is_wrong_is_told_with_its_place_all_at_once(void **state)
{
	scoped(config_free) struct config *config =
		configuration(&(struct files){ .auth = "sign.pem", .sign = "auth.pem" }, "sha256");
	scoped(free_ptr) char *tls = xasprintf("%s/dmpfeed.yaml:19:50: dmp.tls.cert: ", pki.folder);
	scoped(free_ptr) char *sign =
		xasprintf("\n%s/dmpfeed.yaml:20:54: dmp.sign.cert: ", pki.folder);
	scoped(credentials_free) struct credentials *credentials = NULL;
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors), -1);
	assert_ptr_equal(strstr(errors.p, tls), errors.p);
	assert_non_null(strstr(errors.p, sign));
	assert_non_null(strstr(errors.p, "has nonRepudiation"));
	assert_non_null(strstr(errors.p, "lacks nonRepudiation"));
}

/* Another file where one should be, the option that is told, and in which words. */
static void one_establishments_files_do_not_keep_the_other_from_sending(void **state)
{
	static const struct {
		struct files files;
		const char *option, *words;
	} cases[] = {
		{ { .ca = "none.pem" }, "dmp.tls.ca", "none.pem, which cannot be used" },
		{ { .ca = "sign.key" }, "dmp.tls.ca", "holds no certificate in PEM" },
		{ { .auth = "none.pem" }, "dmp.tls.cert", "none.pem, which cannot be used" },
		{ { .auth = "sign.key" }, "dmp.tls.cert", "holds no certificate" },
		{ { .auth = "sign.pem" }, "dmp.tls.cert", "has nonRepudiation" },
		{ { .auth = "server.pem" }, "dmp.tls.cert", "is not for a TLS client" },
		{ { .auth = "ended-auth.pem" }, "dmp.tls.cert", "ended on 2026-10-31" },
		{ { .auth = "early-auth.pem" }, "dmp.tls.cert", "2026-11-30" },
		{ { .auth_key = "none.key" }, "dmp.tls.key", "none.key, which cannot be used" },
		{ { .auth_key = "open.key" },
		  "dmp.tls.key",
		  "every user of this machine can read" },
		{ { .auth_key = "other.key" }, "dmp.tls.key", "is not the key of the certificate" },
		{ { .auth_key = "junk.key" }, "dmp.tls.key", "holds no private key" },
		{ { .crl = "none.crl" }, "dmp.tls.crl", "none.crl cannot be read" },
		{ { .crl = "sign.pem" }, "dmp.tls.crl", "holds no revocation list" },
		{ { .sign = "none.pem" }, "dmp.sign.cert", "none.pem, which cannot be used" },
		{ { .sign = "auth.pem" }, "dmp.sign.cert", "lacks nonRepudiation" },
		{ { .sign = "ended-sign.pem" }, "dmp.sign.cert", "ended on 2026-10-31" },
		{ { .sign = "early-sign.pem" }, "dmp.sign.cert", "2026-11-30" },
		{ { .sign_key = "other.key" }, "dmp.sign.key", "other.key" },
		{ { .sign_key = "junk.key" }, "dmp.sign.key", "junk.key" },
		{ { .chain = "none.pem" }, "dmp.sign.chain", "none.pem, which cannot be used" },
		{ { .chain = "sign.key" }, "dmp.sign.chain", "sign.key" },
	};
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(config_free) struct config *config =
			configuration(&cases[i].files, "sha256");
		scoped(credentials_free) struct credentials *credentials = NULL;
		scoped(buf_done) struct buf errors = { 0 };
		const char *trouble;
		scoped(free_ptr) char *start = xasprintf("%s", cases[i].option);

		assert_int_equal(credentials_load(&credentials, config, PKI_NOW_MS, &errors), -1);
		assert_non_null(credentials_signer(credentials, 0));
		assert_string_equal(credentials_trouble(credentials, 0), "");
		assert_null(credentials_signer(credentials, 1));
		trouble = credentials_trouble(credentials, 1);
		if (slice_starts(slice_of(trouble), start) &&
		    strstr(trouble, cases[i].words) != NULL && strstr(errors.p, trouble) != NULL)
			continue;
		print_error("%s ... %s, but\n%s\n%s\n", start, cases[i].words, trouble, errors.p);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void a_key_that_ended_is_told_for_each_who_has_it(void **state)
{
	scoped(config_free) struct config *config = configuration(&(struct files){ 0 }, "sha1");
	scoped(credentials_free) struct credentials *credentials = NULL;
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
		configuration_with(&(struct files){ 0 }, "sha1", tls, back);
	scoped(buf_done) struct buf errors = { 0 };
	const char *folder = strstr(want, "%s");
	scoped(free_ptr) char *told = folder == NULL ? xstrdup(want)
						     : xasprintf("%.*s%s%s", (int)(folder - want),
								 want, pki.folder, folder + 2);

	assert_int_equal(credentials_check_doors(config, PKI_NOW_MS, &errors), told[0] ? -1 : 0);
	if (strstr(buf_slice(&errors).p, told) == NULL)
		fail_msg("\"%s\", \"%s\": %s", tls, back, errors.p);
}

static void what_is_wrong_with_the_tls_of_a_listener_is_told_with_its_place(void **state)
{
	static const struct {
		const char *tls, *told;
	} cases[] = {
		{ "cert: auth.pem, key: sign.key, client_ca: chain.pem", "" },
		{ "cert: auth.pem, key: junk.key",
		  ":6:111: tls.key: %s/junk.key holds no private key in PEM" },
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
		{ "ca: chain.pem, cert: auth.pem, key: junk.key",
		  ":22:97: ack.tls.key: %s/junk.key holds no private key in PEM" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_told("", cases[i].back, cases[i].told);
}

static void what_is_wrong_with_the_tls_of_the_status_page_is_told(void **state)
{
	scoped(config_free) struct config *config = configuration(&(struct files){ 0 }, "sha1");
	scoped(free_ptr) char *cert = xasprintf("%s/auth.pem", pki.folder);
	scoped(free_ptr) char *key = xasprintf("%s/sign.key", pki.folder);
	scoped(free_ptr) char *junk = xasprintf("%s/junk.key", pki.folder);
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	config->status.tls.cert = cert;
	config->status.tls.key = key;
	assert_int_equal(credentials_check_doors(config, PKI_NOW_MS, &errors), 0);
	config->status.tls.key = junk;
	assert_int_equal(credentials_check_doors(config, PKI_NOW_MS, &errors), -1);
	assert_non_null(strstr(errors.p, ": status.tls.key: "));
	assert_non_null(strstr(errors.p, "junk.key holds no private key in PEM"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_establishment_has_its_signer),
		cmocka_unit_test(certificates_of_two_structures_are_remarked),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place_all_at_once),
		cmocka_unit_test(what_is_wrong_with_the_tls_of_a_listener_is_told_with_its_place),
		cmocka_unit_test(what_is_wrong_with_the_tls_of_a_way_back_is_told_with_its_place),
		cmocka_unit_test(what_is_wrong_with_the_tls_of_the_status_page_is_told),
		cmocka_unit_test(one_establishments_files_do_not_keep_the_other_from_sending),
		cmocka_unit_test(a_key_that_ended_is_told_for_each_who_has_it),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
