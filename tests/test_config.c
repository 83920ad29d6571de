/* The configuration: what the file means, what it may leave out, and how every mistake in it is
 * told.
 */
#include "config_world.h"

#include "base/yaml_tree.h"

/* clang-format off */
static const char good[] =
/*  1 */ "environment: rehearsal\n"
/*  2 */ "log:\n"
/*  3 */ "  level: debug\n"
/*  4 */ "workers: 3\n"
/*  5 */ "valuesets: { dir: values }\n"
/*  6 */ "lps: { oid: 1.2.250.1.999.77 }\n"
/*  7 */ "intake:\n"
/*  8 */ "  mllp:\n"
/*  9 */ "    - name: dpi\n"
/* 10 */ "      listen: \"127.0.0.1:2575\"\n"
/* 11 */ "      site: \"990012345\"\n"
/* 12 */ "      source: DPI\n"
/* 13 */ "      idle: 90 s\n"
/* 14 */ "    - { name: ris, listen: \"[::1]:2576\", site: \"990012352\", source: RIS }\n"
/* 15 */ "  drop:\n"
/* 16 */ "    - name: labo\n"
/* 17 */ "      folder: labo\n"
/* 18 */ "      site: \"990012345\"\n"
/* 19 */ "      source: LABO\n"
/* 20 */ "      when_done: delete\n"
/* 21 */ "establishments:\n"
/* 22 */ "  - finess_ej: \"990000987\"\n"
/* 23 */ "    name: CH DE VALBRUME\n"
/* 24 */ "    dmp:\n"
/* 25 */ "      url:\n"
/* 26 */ "        repository: https://127.0.0.1:8443/services/repository\n"
/* 27 */ "      tls:\n"
/* 28 */ "        ca: pki/ca.pem\n"
/* 29 */ "        cert: pki/auth.pem\n"
/* 30 */ "        key: pki/auth.key\n"
/* 31 */ "      sign: { cert: pki/sign.pem, key: pki/sign.key, chain: pki/sign-chain.pem }\n"
/* 32 */ "      retry: { first: 1 s }\n"
/* 33 */ "    sites:\n"
/* 34 */ "      - finess_eg: \"990012345\"\n"
/* 35 */ "        name: H\xc3\xb4pital \"A\"\n"
/* 36 */ "        sector: SA01\n"
/* 37 */ "      - { finess_eg: \"990012352\", name: No, sector: SA05, visit_class: N }\n"
/* 38 */ "errors: { file: values/errors.csv }\n";
/* clang-format on */

/* In the place of "establishments:" */
#define SOURCES(entry) "sources: [{ " entry " }]\nestablishments:"

/* Of a site. */
#define POLICIES(one, other) "policies: [ { " one ", action: send }, { " other ", action: hold } ]"

static void must_fail(const char *text, struct buf *ret_errors)
{
	struct config *config = NULL;

	if (config_parse(&config, file, slice_of(text), ret_errors) == 0)
		fail_msg("this passes:\n%s", text);
	assert_null(config);
}

static size_t lines_of(const struct buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++)
		n += text->p[i] == '\n';
	return n;
}

static void assert_in_folder(const char *path, const char *name)
{
	scoped(free_ptr) char *expected = xasprintf("%s/%s", folder, name);

	assert_string_equal(path, expected);
}

/* ---- what the file means ---- */

static void what_is_written_is_kept(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);

	(void)state;
	assert_string_equal(config->file, file);
	assert_int_equal(config->environment, ENVIRONMENT_REHEARSAL);
	assert_int_equal(config->log_level, LEVEL_DEBUG);
	assert_int_equal(config->workers, 3);
	assert_string_equal(config->lps_oid, "1.2.250.1.999.77");
	assert_int_equal(config->mllp_count, 2);
	assert_string_equal(config->mllp[0].name, "dpi");
	assert_string_equal(config->mllp[0].listen, "127.0.0.1:2575");
	assert_string_equal(config->mllp[0].source, "DPI");
	assert_int_equal(config->mllp[0].idle_ms, 90000);
	assert_string_equal(config->mllp[1].site, "990012352");
	assert_int_equal(config->drop_count, 1);
	assert_true(config->drops[0].delete_when_done);
	assert_int_equal(config->establishment_count, 1);
	assert_string_equal(config->establishments[0].finess_ej, "990000987");
	assert_string_equal(config->establishments[0].url_repository,
			    "https://127.0.0.1:8443/services/repository");
	assert_int_equal(config->establishments[0].lane.retry.first_ms, 1000);
	assert_int_equal(config->establishments[0].site_count, 2);
	assert_string_equal(config->establishments[0].sites[0].metadata.name,
			    "H\xc3\xb4pital \"A\"");
	assert_string_equal(config->establishments[0].sites[1].metadata.name, "No");
	assert_string_equal(config->establishments[0].sites[1].metadata.sector, "SA05");
	assert_string_equal(config->establishments[0].sites[1].metadata.default_visit_class, "N");
}

static void silence_means_the_defaults(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	const struct config_establishment *e = &config->establishments[0];

	(void)state;
	assert_string_equal(config->state_dir, "/var/lib/dmpfeed");
	assert_string_equal(config->control.socket, "/run/dmpfeed/control.sock");
	assert_string_equal(config->status.listen, "127.0.0.1:8690");
	assert_int_equal(config->most_document_bytes, 20 << 20);
	assert_false(config->allow_masked_and_invisible);
	assert_string_equal(config->ins_oids, "");
	assert_string_equal(config->local_oid, "");
	assert_string_equal(config->content_type_map, "");
	assert_false(config->system_sends);
	assert_false(config->send_hash_size);
	assert_int_equal(config->establishments[0].most_submission_bytes, 50 << 20);
	assert_int_equal(config->establishments[0].most_submission_documents, 1);
	assert_string_equal(config->lps_name, "dmpfeed");
	assert_string_equal(config->lps_version, DMPFEED_VERSION);
	assert_string_equal(config->lps_internal_id, "GW1");
	assert_int_equal(config->mllp[1].most_message_bytes, 32 << 20);
	assert_int_equal(config->mllp[1].most_in_flight_bytes, 128 << 20);
	assert_int_equal(config->mllp[1].most_connections, 256);
	assert_int_equal(config->mllp[1].idle_ms, 600000);
	assert_int_equal(config->drops[0].settle_ms, 2000);
	assert_int_equal(config->drops[0].scan_ms, 10000);
	assert_int_equal(config->drops[0].most_file_bytes, 20 << 20);
	assert_int_equal(config->drops[0].most_in_flight, 16);
	assert_string_equal(e->http.tls.least, "1.2");
	assert_string_equal(e->http.tls.most, "1.2");
	assert_non_null(strstr(e->http.tls.ciphers, "ECDHE-RSA-CHACHA20-POLY1305"));
	assert_int_equal(e->http.connect_timeout_ms, 10000);
	assert_int_equal(e->http.exchange_timeout_ms, 120000);
	assert_int_equal(e->http.most_reply_bytes, 4 << 20);
	assert_int_equal(e->http.most_connections, 4);
	assert_int_equal(e->lane.most_in_flight, 8);
	assert_string_equal(e->wsa_to, "url");
	assert_int_equal(e->http.revocation.kind, REVOCATION_SOFT);
	assert_string_equal(e->http.revocation.crl, "");
	assert_string_equal(e->http.proxy, "");
	assert_string_equal(e->http.proxy_login, "");
	assert_false(e->http_soap_action);
	assert_string_equal(e->url_registry, "");
	assert_string_equal(e->url_patients, "");
	assert_false(e->check_existence);
	assert_false(config->absent_as_new);
	assert_true(config->suppress_unchanged);
	assert_false(config->replacement_has_status);
	assert_string_equal(config->processing_code, "D");
	assert_int_equal(config->existence_cache.positive_ms, 86400000);
	assert_int_equal(config->existence_cache.negative_ms, 86400000);
	assert_int_equal(config->existence_cache.most, 100000);
	assert_string_equal(e->sites[0].metadata.default_visit_class, "I");
	assert_int_equal(e->lane.retry.most_ms, 3600000);
	assert_int_equal(e->lane.probe_ms, 900000);
}

static void signatures_have_the_defaults_of_the_dmps_examples(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	const struct config_site *site = &config->establishments[0].sites[1];

	(void)state;
	assert_string_equal(config->vihf.version, "3.0");
	assert_string_equal(config->vihf.mode_name, "Authentification_Mode");
	assert_string_equal(config->vihf.authn_context, "unspecified");
	assert_false(config->vihf.conditions);
	assert_int_equal(config->vihf.digest, DIGEST_SHA256);
	assert_string_equal(config->vihf.lps_id, "");
	assert_string_equal(config->vihf.lps_name, "dmpfeed");
	assert_string_equal(config->vihf.lps_version, DMPFEED_VERSION);
	assert_string_equal(config->vihf.homologation, "REHEARSAL");
	assert_false(config->ascii_names);
	assert_int_equal(config->xades.digest, DIGEST_SHA1);
	assert_true(config->xades.full_chain);
	assert_string_equal(site->sender.name_id, "");
	assert_string_equal(site->sender.subject_id, "");
	assert_int_equal(site->sender.role_count, 1);
	assert_string_equal(site->sender.roles[0].code, "AUTOMATE");
	assert_string_equal(site->sender.roles[0].system, "1.2.250.1.213.1.1.4.6");
}

static void who_answers_is_written_by_site(void **state)
{
	scoped(free_ptr) char *text =
		replace(good, "visit_class: N",
			"vihf: { name_id: \"899900012345\", subject_id: Passerelle, roles: ["
			"{ code: \"10\", system: 1.2.250.1.71.1.2.7, name: M\xc3\xa9"
			"decin }, { code: SM26, system: 1.2.250.1.71.4.2.5, name: G }] }");
	scoped(config_free) struct config *config = must_parse(text);
	const struct config_site *sites = config->establishments[0].sites;

	(void)state;
	assert_string_equal(sites[1].sender.name_id, "899900012345");
	assert_string_equal(sites[1].sender.subject_id, "Passerelle");
	assert_int_equal(sites[1].sender.role_count, 2);
	assert_string_equal(sites[1].sender.roles[0].code, "10");
	assert_string_equal(sites[1].sender.roles[1].system, "1.2.250.1.71.4.2.5");
	assert_string_equal(sites[0].sender.roles[0].code, "AUTOMATE");
}

static void a_source_takes_from_its_site_what_it_leaves_out(void **state)
{
	scoped(free_ptr) char *sites =
		replace(good, "visit_class: N",
			"vihf: { name_id: \"899900012345\", subject_id: Passerelle }");
	scoped(free_ptr) char *text = replace(
		sites, "establishments:",
		"vihf: { sources: [ { name: RIS, subject_id: Imagerie } ] }\nestablishments:");
	scoped(config_free) struct config *config = must_parse(text);
	const struct config_site *site = &config->establishments[0].sites[1];
	const struct config_sender ris = config_sender_of(config, site, "RIS");
	const struct config_sender dpi = config_sender_of(config, site, "DPI");

	(void)state;
	assert_string_equal(ris.name_id, "899900012345");
	assert_string_equal(ris.subject_id, "Imagerie");
	assert_string_equal(ris.roles[0].code, "AUTOMATE");
	assert_string_equal(dpi.subject_id, "Passerelle");
}

static void the_number_of_the_homologation_is_read_and_never_printed(void **state)
{
	scoped(free_ptr) char *text = replace(good, "999.77", "999.77, homologation_file: number");
	scoped(config_free) struct config *config = must_parse(text);
	scoped(buf_done) struct buf printed = { 0 };

	(void)state;
	assert_string_equal(config->vihf.homologation, "CNDA-4711");
	config_print(config, &printed);
	assert_null(strstr(printed.p, "CNDA-4711"));
	assert_non_null(strstr(printed.p, "/number"));
}

static void the_login_of_the_proxy_is_read_and_never_printed(void **state)
{
	scoped(free_ptr) char *text = replace(good, "      retry:",
					      "      proxy: { url: \"http://127.0.0.1:3128\", "
					      "credentials_file: login }\n      retry:");
	scoped(config_free) struct config *config = must_parse(text);
	scoped(buf_done) struct buf printed = { 0 };

	(void)state;
	assert_string_equal(config->establishments[0].http.proxy, "http://127.0.0.1:3128");
	assert_string_equal(config->establishments[0].http.proxy_login, "gateway:s3cret");
	config_print(config, &printed);
	assert_null(strstr(printed.p, "s3cret"));
	assert_non_null(strstr(printed.p, "/login"));
}

static void the_path_of_a_webhook_is_never_printed(void **state)
{
	scoped(free_ptr) char *text = replace(
		good, "workers: 3", "alerts: { push: { url: \"http://127.0.0.1:9093/s3cret\" } }");
	scoped(config_free) struct config *config = must_parse(text);
	scoped(buf_done) struct buf printed = { 0 };

	(void)state;
	assert_string_equal(config->push.url, "http://127.0.0.1:9093/s3cret");
	config_print(config, &printed);
	assert_null(strstr(printed.p, "s3cret"));
	assert_non_null(strstr(printed.p, "http://127.0.0.1:9093"));
}

static void a_fault_found_later_has_its_place_too(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	scoped(free_ptr) char *expected = xasprintf("%s:31:21: sign.pem ended 2020?\n", file);
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	config_fault(config, &config->establishments[0].sign.cert, &errors, "%s ended %d\n",
		     "sign.pem", 2020);
	assert_string_equal(errors.p, expected);
}

static void what_follows_is_filled_in(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	const struct metadata_site *site = &config->establishments[0].sites[1].metadata;
	char node[256] = "";

	(void)state;
	gethostname(node, sizeof(node) - 1);
	assert_string_equal(config->store.node, node);
	assert_string_equal(config->store.path, "/var/lib/dmpfeed/queue.db");
	assert_string_equal(config->establishments[0].lane.name, "990000987");
	assert_string_equal(site->lps_name, "dmpfeed");
	assert_string_equal(site->lps_model, DMPFEED_VERSION);
	assert_string_equal(site->lps_internal_id, "GW1");
	assert_string_equal(config->establishments[0].sites[1].oid, "1.2.250.1.999.77");
}

static void a_site_may_have_an_oid_of_its_own(void **state)
{
	scoped(free_ptr) char *text =
		replace(good, "        sector: SA01\n",
			"        sector: SA01\n        oid: 1.2.250.1.999.78\n");
	scoped(config_free) struct config *config = must_parse(text);

	(void)state;
	assert_string_equal(config->establishments[0].sites[0].oid, "1.2.250.1.999.78");
	assert_string_equal(config->establishments[0].sites[1].oid, config->lps_oid);
}

static void the_processing_code_follows_the_environment(void **state)
{
	static const struct {
		const char *environment, *key, *code;
	} rows[] = {
		{ "production", "", "P" },
		{ "test", "", "D" },
		{ "rehearsal", "", "D" },
		{ "test", "hl7: { processing_code: P }\n", "P" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(free_ptr) char *whole =
			replace(good, "999.77", "999.77, homologation_file: number");
		scoped(free_ptr) char *in = replace(whole, "rehearsal", rows[i].environment);
		scoped(free_ptr) char *text = xasprintf("%s%s", in, rows[i].key);
		scoped(config_free) struct config *config = must_parse(text);

		assert_string_equal(config->processing_code, rows[i].code);
	}
}

static void relative_paths_start_at_the_folder_of_the_file(void **state)
{
	scoped(free_ptr) char *text = replace(good, "workers: 3", "state: { folder: queue }");
	scoped(config_free) struct config *config = must_parse(text);

	(void)state;
	assert_in_folder(config->valuesets_dir, "values");
	assert_in_folder(config->errors_file, "values/errors.csv");
	assert_in_folder(config->state_dir, "queue");
	assert_in_folder(config->store.path, "queue/queue.db");
	assert_in_folder(config->drops[0].path, "labo");
	assert_in_folder(config->establishments[0].http.tls.ca, "pki/ca.pem");
	assert_in_folder(config->establishments[0].http.tls.cert, "pki/auth.pem");
	assert_in_folder(config->establishments[0].http.tls.key, "pki/auth.key");
}

static void a_group_without_keys_is_a_group_left_out(void **state)
{
	scoped(free_ptr) char *text = replace(good, "  level: debug\n", "");
	scoped(config_free) struct config *config = must_parse(text);

	(void)state;
	assert_int_equal(config->log_level, LEVEL_INFO);
}

static void one_kind_of_door_is_enough(void **state)
{
	const char *mllp = strstr(good, "  mllp:\n"), *drop = strstr(good, "  drop:\n");
	scoped(free_ptr) char *text = xasprintf("%.*s  mllp:\n%s", (int)(mllp - good), good, drop);
	scoped(config_free) struct config *config = must_parse(text);

	(void)state;
	assert_int_equal(config->mllp_count, 0);
	assert_int_equal(config->drop_count, 1);
}

static void a_site_leads_to_its_establishment(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	const struct config_site *site = NULL;

	(void)state;
	assert_ptr_equal(config_establishment_of(config, "990012352", &site),
			 &config->establishments[0]);
	assert_ptr_equal(site, &config->establishments[0].sites[1]);
	assert_ptr_equal(config_establishment_of(config, "990012345", NULL),
			 &config->establishments[0]);
	assert_null(config_establishment_of(config, "990000987", &site));
}

static void a_source_has_a_way_back_or_not(void **state)
{
	scoped(free_ptr) char *text = replace(
		good,
		"establishments:", SOURCES("name: RIS, ack: { address: \"127.0.0.1:2600\" }"));
	scoped(config_free) struct config *config = must_parse(text);
	const struct config_source *source = config_source_of(config, "RIS");

	(void)state;
	assert_null(config_source_of(config, "DPI"));
	assert_non_null(source);
	assert_string_equal(source->ack.source, "RIS");
	assert_string_equal(source->ack.address, "127.0.0.1:2600");
	assert_string_equal(source->ack.tls.ca, "");
	assert_int_equal(source->ack.timeout_ms, 30000);
	assert_int_equal(source->ack.idle_ms, 60000);
	assert_int_equal(source->ack.retry.first_ms, 30000);
	assert_int_equal(source->ack.retry.most_ms, 3600000);
}

/* ---- what is wrong with it ---- */

static void every_mistake_is_told_with_its_place(void **state)
{
	/* one change of the good configuration, and where and how it is told */
	static const struct {
		const char *from, *to;
		unsigned line, column;
		const char *sentence;
	} cases[] = {
		/* keys */
		{ "level:", "levle:", 3, 3,
		  "\"levle\" is not a key here: did you mean \"level\"?" },
		{ "workers:", "wrokers:", 4, 1, "did you mean \"workers\"?" },
		{ "workers:", "colour:", 4, 1,
		  "known are include, environment, state, log, workers" },
		{ "  level: debug", "  level: debug\n  file: x", 4, 3,
		  "\"file\" is not a key here: it belongs below errors" },
		{ "workers: 3", "listen: x", 4, 1, "it belongs below status, or intake.mllp[]" },
		{ "workers: 3", "dmp: {}", 4, 1, "it belongs below establishments[]" },
		{ "workers: 3", "finess_eg: x", 4, 1, "belongs below establishments[].sites[]" },
		{ "      idle:", "      retry: {}\n      idle:", 13, 7,
		  "it belongs below alerts.push, or audit.syslog, or sources[].ack, or "
		  "establishments[].dmp" },
		{ "  level: debug", "  level: debug\n  workers: 3", 4, 3,
		  "it belongs below the first column" },
		{ "  level: debug", "  level: debug\n  colour: x", 4, 3, "known are level" },
		{ "workers: 3", "log.level: info", 4, 1, "write what stands before the dot" },
		{ "      idle:", "      ilde:", 13, 7, "did you mean \"idle\"?" },
		{ "ca: pki", "caa: pki/ca.pem\n        ca: pki", 28, 9, "did you mean \"ca\"?" },
		{ "sector: SA01", "sector: SA01\n        sectr: SA01", 37, 9, "\"sector\"?" },
		{ "workers: 3", "\"work\\0ers\": 3", 4, 1, "is not a key here" },
		{ "workers: 3", "\"\": 3", 4, 1, "\"\" is not a key here" },
		{ "workers: 3", "log: { level: info }", 4, 1, "given at line 2 already" },
		{ "source: DPI", "source: DPI\n      name: x", 13, 7, "given at line 9 already" },

		/* forms */
		{ "workers: 3", "workers: [3]", 4, 10, "workers takes one value" },
		{ "workers: 3", "workers: { a: 3 }", 4, 10, "workers takes one value" },
		{ "workers: 3", "status: 8690", 4, 9, "write its keys (listen, " },
		{ "workers: 3", "status: [8690]", 4, 9, "write its keys (listen, " },
		{ "workers: 3", "state: &x { folder: y }", 4, 8, "anchors (&) and aliases (*)" },
		{ "workers: 3", "workers: !!int 3", 4, 10, "tags (!) are not taken" },
		{ "workers: 3", "workers: *x", 4, 10, "anchors (&) and aliases (*)" },
		{ "workers: 3", "workers: 3\n---", 5, 1, "a second document begins here" },
		{ "workers: 3", "workers: 3: 4", 4, 11, "YAML cannot be read from here on" },
		{ "workers: 3", "\tworkers: 3", 4, 1, "YAML does not allow a tab here" },
		{ "source: RIS }", "source: RIS }\n    - dpi", 15, 7, "is made of keys" },

		/* values */
		{ "debug", "loud", 3, 10, "write error, warning, info or debug" },
		{ "rehearsal", "prod", 1, 14, "write production, test or rehearsal" },
		{ "rehearsal", "", 1, 13, "environment is empty: write production, test or" },
		{ "workers: 3", "workers:", 4, 9, "workers is empty: write a value, or take the" },
		{ "workers: 3", "workers: ~", 4, 10, "to have 0" },
		{ "workers: 3", "workers: three", 4, 10,
		  "cannot be \"three\": write a whole number" },
		{ "workers: 3", "workers: 257", 4, 10, "at least 0, at most 256" },
		{ "90 s", "90", 13, 13, "ms, s, min, h or d" },
		{ "90 s", "200 h", 13, 13,
		  "idle is out of bounds: write at least 100 ms, at most 7 d" },
		{ "idle: 90 s", "max_message: 1 bytes", 13, 20, "at least 1 KiB, at most 192 MiB" },
		{ "workers: 3", "counters: { keep_days: 62 d }", 4, 24, "write at least 366 d" },
		{ "workers: 3", "alerts: { audit_not_forwarded: { critical: 1 min } }", 4, 44,
		  "alerts.audit_not_forwarded.critical must be worse than its warning" },
		{ "\"127.0.0.1:2575\"", "2575", 10, 15, "listen cannot be \"2575\"" },
		{ "name: dpi", "name: my dpi", 9, 13, "letters, digits" },
		{ "source: DPI", "source: \"a\\nb\"", 12, 15, "write it on one line" },
		{ "source: DPI", "source: \"\"", 12, 15, "has 0 characters" },
		{ "delete", "burn", 20, 18, "write keep or delete" },
		{ "finess_ej: \"990000987\"", "finess_ej: 990000987", 22, 16, "in quotes" },
		{ "finess_eg: \"990012345\"", "finess_eg: 990012345", 34, 20, "in quotes" },
		{ "idle: 90 s", "idle:", 13, 12, "or take the line away to have 10 min\n" },
		{ "        sector: SA01\n", "        sector: SA01\n        oid:\n", 37, 13,
		  "oid is empty: write a value, or take the line away\n" },
		{ "\"990000987\"", "\"99000098\"", 22, 16, "nine digits" },
		{ "999.77", "999.77.1234567890", 6, 13, "ids made under it" },
		{ "1.2.250.1.999.77", "1.2.0250", 6, 13, "an OID is digits and dots" },
		{ "https:", "http:", 26, 21, "write the whole URL" },
		{ "class: N", "class: X", 37, 72, "write I, O, E, R or N" },
		{ "class: N", "class: X", 37, 72, "write I, O, E, R or N" },
		{ "SA01", "hospital", 36, 17, "SA and two digits" },
		{ "{ first: 1 s }", "{ first: 1 ms }", 32, 23, "at least 100 ms, at most 1 d" },
		{ "workers: 3", "status: { listen: \"0.0.0.0:80\" }", 4, 19,
		  "needs status.tls.cert and status.tls.key" },
		{ "workers: 3",
		  "status: { listen: \"0.0.0.0:80\", tls: { cert: /proc/version, key: "
		  "/proc/self/environ } }",
		  4, 19, "status.token_file or status.tls.client_ca" },
		{ "workers: 3", "status: { token_file: /proc/self/environ }", 4, 23,
		  "a token of 20 to 200" },
		{ "workers: 3", "status: { tls: { client_ca: /proc/version } }", 4, 11,
		  "tls.cert is missing" },
		{ "workers: 3", "visibility: { allow_masked_and_invisible: yes }", 4, 43,
		  "true or false" },
		{ "      retry", "      wsa_to: nowhere\n      retry", 32, 15,
		  "write url or empty" },
		{ "        key", "        max: \"1.1\"\n        key", 30, 14, "write 1.2 or 1.3" },

		{ "workers: 3", "vihf: { mode_name: Mode }", 4, 20,
		  "write Authentification_Mode or Authentification_mode" },
		{ "workers: 3", "vihf: { digest: md5 }", 4, 17, "write sha256 or sha1" },
		{ "workers: 3", "vihf: { conditions: off }", 4, 21, "true or false" },
		{ "workers: 3", "vihf: { issuer_charset: ascii }", 4, 25,
		  "write utf-8 or escaped" },
		{ "workers: 3", "xades: { chain: none }", 4, 17, "write full or leaf" },
		{ "visit_class: N", "vihf: { roles: [{ code: A, system: B, name: C }] }", 37, 94,
		  "an OID is digits and dots" },

		/* files */
		{ "pki/auth.key", "\"-----BEGIN PRIVATE KEY-----\"", 30, 14,
		  "never what the file" },
		{ "999.77", "999.77, homologation_file: nowhere", 6, 50, "which cannot be used" },
		{ "999.77", "999.77, homologation_file: pki/open.key", 6, 50, "(chmod o-r)" },
		{ "999.77", "999.77, homologation_file: nothing", 6, 50, "must hold the number" },
		{ "999.77", "999.77, homologation_file: two-numbers", 6, 50,
		  "must hold the number" },
		{ "folder: labo", "folder: radio", 17, 15, "which cannot be used (No such file" },
		{ "folder: labo", "folder: pki/ca.pem", 17, 15, "(Not a directory)" },
		{ "{ dir: values }", "{}", 5, 1,
		  "valuesets.dir is not written, and by default is /usr/share/dmpfeed/value-sets" },
		{ "workers: 3",
		  "control: { socket: /12345678901234567890123456789012345678901234567890"
		  "12345678901234567890123456789012345678901234567890123456789 }",
		  4, 20, "a path of 110 bytes: choose one of at most 107" },

		/* what lacks */
		{ "environment: rehearsal\n", "", 1, 1,
		  "environment is missing: write production" },
		{ "lps: { oid: 1.2.250.1.999.77 }", "lps:", 6, 1, "lps.oid is missing: an OID of" },
		{ "        sector: SA01\n",
		  "        sector: SA01\n        oid: 1.2.250.1.999.77.12345678\n", 37, 14,
		  "has 25 characters, and may have 24" },
		{ "        sector: SA01\n", "        sector: SA01\n        oid: 1.02\n", 37, 14,
		  "an OID is digits and dots" },
		{ "        cert: pki/auth.pem\n", "", 27, 7,
		  "dmp.tls.cert is missing: a PEM file" },
		{ "cert: pki/sign.pem, ", "", 31, 7, "dmp.sign.cert is missing: a PEM file" },
		{ ", chain: pki/sign-chain.pem", "", 31, 7, "dmp.sign.chain is missing: a PEM" },
		{ "      source: DPI\n", "", 9, 7, "source is missing" },
		{ "        name: H\xc3\xb4pital \"A\"\n", "", 34, 9, "name is missing" },
		{ "sector: SA05, ", "", 37, 9, "sector is missing" },

		/* what does not go together */
		{ "site: \"990012345\"", "site: \"990099999\"", 11, 13,
		  "site 990099999 is declared by no establishment" },
		{ "site: \"990012352\"", "site: \"990000987\"", 14, 48, "declared by no" },
		{ "SA05, visit_class: N }",
		  "SA05 }\n      - { finess_eg: \"990012345\", name: B, sector: "
		  "SA01 }",
		  38, 22, "this is written at line 34 too: a site belongs to one legal entity" },
		{ "visit_class: N", "formerly: [ \"990012345\" ]", 37, 71,
		  "this is written at line 34 too: a site belongs to one legal entity" },
		{ "visit_class: N", "formerly: [ 010003720 ]", 37, 71, "must stand in quotes" },
		{ "visit_class: N", "formerly: [ \"10003720\" ]", 37, 71,
		  "a FINESS is nine digits" },
		{ "visit_class: N", "field: MCOO", 37, 66, "MCO, SMR, PSY, HAD, DIALYSE, EHPAD" },
		{ "visit_class: N", "units: [ { unit: \"4410\" } ]", 37, 68,
		  "field is missing: its field of activity" },
		{ "visit_class: N", "units: [ { unit: A, field: MCO }, { unit: A, field: PSY } ]",
		  37, 101, "this is written at line 37 too: a unit has one field of activity" },
		{ "visit_class: N", POLICIES("type: \"*\"", "type: 11490-0"), 37, 108,
		  "this entry never decides, for whatever it fits is decided at line 37: write it "
		  "before that one, or take it away" },
		{ "visit_class: N", POLICIES("type: 11490-0", "type: 11490-0, unit: A"), 37, 112,
		  "this entry never decides" },
		{ "visit_class: N", POLICIES("type: \"*\", unit: A", "type: \"*\", unit: A"), 37,
		  117, "this entry never decides" },
		{ "visit_class: N", "stay_classes: \"I,O\"", 37, 73,
		  "stay_classes has blanks between its values, and no comma: write them like \"I "
		  "O\"" },
		{ "visit_class: N", "stay_classes: I;O", 37, 73, "write them like \"I O\"" },
		{ "visit_class: N", "sensitive: { open_flags: \"N,P\" }", 37, 84,
		  "sensitive.open_flags has blanks between its values, and no comma: write them "
		  "like \"N P\"" },
		{ "visit_class: N", "sensitive: { open_flags: \"N, P\" }", 37, 84,
		  "write them like \"N P\"" },
		{ "visit_class: N", "policies: [ { type: \"*\", action: send, delay: 2 h } ]", 37,
		  105,
		  "delay says how long the action \"delay\" holds, and this entry has another "
		  "action: write action: delay, or take the delay away" },
		{ "visit_class: N", "policies: [ { type: \"*\", action: hold, delay: 2 h } ]", 37,
		  105, "delay says how long" },
		{ "visit_class: N",
		  "policies: [ { type: \"*\", action: invisible_patient, delay: 2 h } ]", 37, 118,
		  "delay says how long" },
		{ "name: labo", "name: ris", 16, 13, "this is written at line 14 too: every" },
		{ "[::1]:2576", "127.0.0.1:2575", 14, 28, "this is written at line 10 too: every" },
		{ "[::1]:2576", "127.0.0.1:8690", 14, 28, "every listener has an address" },
		{ "      when_done: delete\n",
		  "    - { name: two, folder: ./labo/, site: \"990012345\", source: X }\n", 20, 28,
		  "this is written at line 17 too: two entries that watch one folder" },
		{ "workers: 3", "state: { folder: labo }", 17, 15,
		  "state.folder is this folder too, and the queue's own files" },
		{ "workers: 3", "state: { folder: pki/../labo/ }", 17, 15,
		  "state.folder is this folder too" },
		{ "idle: 90 s", "max_in_flight: 1 MiB", 13, 22, "must be at least max_message" },
		{ "{ first: 1 s }", "{ first: 2 h }", 32, 7, "must not be shorter than" },
		{ "        key", "        min: 1.3\n        key", 27, 7, "must not be older than" },
		{ "rehearsal", "production", 6, 1,
		  "lps.homologation_file is missing: in production" },
		{ "127.0.0.1:8443", "dmp.example", 26, 21, "a rehearsal sends to this machine" },
		{ "      tls:", "        registry: https://dmp.example/r\n      tls:", 27, 19,
		  "a rehearsal sends to this machine" },
		{ "establishments:", "vihf: { sources: [ { name: NOBODY } ] }\nestablishments:", 21,
		  28, "no listener or folder has the source NOBODY" },
		{ "      tls:", "        patients: https://dmp.example/p\n      tls:", 27, 19,
		  "a rehearsal sends to this machine" },
		{ "      idle: 90 s", "      allow: 10.1.0.0/16", 13, 14,
		  "allow is a list: begin each of its entries with a dash" },
		{ "      idle: 90 s", "      allow: [ 10.1.0.0/16, labo ]", 13, 29,
		  "allow cannot be \"labo\": write an IP address or a network" },
		{ "      idle: 90 s", "      allow: [ 10.1.2.3/16 ]", 13, 16, "write 10.1.0.0/16" },
		{ "      idle: 90 s", "      allow: [ { a: b } ]", 13, 16,
		  "allow takes one value" },
		{ "      idle: 90 s", "      allow: [ \"\" ]", 13, 16, "allow cannot be \"\"" },
		{ "      idle: 90 s", "      tls: { cert: pki/auth.pem }", 13, 7,
		  "tls.key is missing: a certificate is of no use without its key" },
		{ "      idle: 90 s", "      tls: { client_ca: pki/ca.pem }", 13, 7,
		  "tls.cert is missing: without it there is no TLS here" },
		{ "      idle: 90 s", "      tls: { min: 1.1 }", 13, 19, "write 1.2 or 1.3" },
		{ "      idle: 90 s", "      tls: { cert: pki/auth.pem, key: pki/open.key }", 13,
		  39, "every user of this machine can read" },
		{ "      retry", "      max_documents: 2\n      retry", 32, 22, "max_documents" },
		{ "      retry", "      proxy: { url: \"http://proxy.example:3128\" }\n      retry",
		  32, 21, "another machine's proxy leads elsewhere" },
		{ "      retry", "      proxy: { credentials_file: login }\n      retry", 32, 34,
		  "is of no use without dmp.proxy.url" },
		{ "      retry",
		  "      proxy: { url: \"http://[::1]:1\", credentials_file: number }\n      retry",
		  32, 57, "must hold user:password, alone, on one line" },
		{ "      retry", "      tls: { revocation: perhaps }\n      retry", 32, 7,
		  "given at line 27 already" },
		{ "        key", "        revocation: perhaps\n        key", 30, 21,
		  "write off, soft or hard" },
		{ "      retry", "      check_existence: true\n      retry", 32, 24,
		  "needs the URL of the service to ask" },
		{ "workers: 3", "patient: { ins_oids: 1.2.3 }", 4, 22,
		  "\"1.2.3\" is no domain of" },
		{ "rehearsal\n",
		  "test\npatient: { ins_oids: 1.2.250.1.213.1.4.10 1.2.250.1.213.1.4.8 }\n", 2, 22,
		  "\"1.2.250.1.213.1.4.8\" is no domain of the INS that the environment test "
		  "takes" },
		{ "workers: 3", "patient: { local_oid: 01.2 }", 4, 23, "an OID of your own" },
		{ "workers: 3", "patient: { local_oid: 1.2.250.1.213.1.4.8 }", 4, 23,
		  "OID of your own" },
		{ "workers: 3", "metadata: { set_author: nobody }", 4, 25,
		  "write person or system" },
		{ "workers: 3", "maps: { content_type: nowhere.csv }", 4, 23,
		  "which cannot be used" },
		{ "workers: 3", "replace: { when_absent: maybe }", 4, 25,
		  "write reject or send_as_new" },
		{ "workers: 3", "replace: { unchanged: maybe }", 4, 23, "write suppress or send" },

		/* what is sent back to sources */
		{ "establishments:", SOURCES("name: DPY, ack: { address: \"127.0.0.1:1\" }"), 21,
		  19, "no listener or folder has the source DPY" },
		{ "establishments:", SOURCES("name: DPI"), 21, 11, "ack.address is missing" },
		{ "establishments:", SOURCES("name: DPI, ack: { address: here }"), 21, 40,
		  "write an IP address and a port" },
		{ "establishments:", SOURCES("name: DPI, ack: { address: \"10.0.0.1:1\" }"), 21, 40,
		  "a rehearsal sends to this machine only" },
		{ "establishments:",
		  SOURCES("name: DPI, ack: { address: \"127.0.0.1:1\", tls: { ca: pki/ca.pem, "
			  "cert: pki/auth.pem } }"),
		  21, 55, "ack.tls.cert and ack.tls.key go together" },
		{ "establishments:",
		  SOURCES("name: DPI, ack: { address: \"127.0.0.1:1\", tls: { name: dpi.example } "
			  "}"),
		  21, 55, "without the authorities of the other side there is no TLS" },
		{ "establishments:",
		  SOURCES("name: DPI, ack: { address: \"127.0.0.1:1\", retry: { first: 2 h } }"),
		  21, 55, "ack.retry.most must not be shorter" },
		{ "establishments:",
		  SOURCES("name: DPI, ack: { address: \"127.0.0.1:1\" } }, { name: DPI, ack: { "
			  "address: \"127.0.0.1:2\" }"),
		  21, 67, "this is written at line 21 too: a source is one entry" },
	};

	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text = replace(good, cases[i].from, cases[i].to);
		scoped(free_ptr) char *place =
			xasprintf("%s:%u:%u: ", file, cases[i].line, cases[i].column);
		scoped(buf_done) struct buf errors = { 0 };

		must_fail(text, &errors);
		if (slice_starts(buf_slice(&errors), place) &&
		    strstr(errors.p, cases[i].sentence) != NULL && lines_of(&errors) == 1)
			continue;
		print_error("%s %s\n  for \"%s\" gives\n%s", place, cases[i].sentence, cases[i].to,
			    errors.p);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* A preset is a text in the table, and a number beside it. */
static void a_delay_that_is_not_written_is_what_the_rule_takes_for_it(void **state)
{
	scoped(free_ptr) char *text =
		replace(good, "visit_class: N", "policies: [ { type: \"*\", action: delay } ]");
	scoped(config_free) struct config *config = must_parse(text);

	(void)state;
	assert_int_equal(config->establishments[0].sites[1].policies[0].delay_ms, CONFIG_DELAY_MS);
}

static void a_special_policy_stands_before_a_general_one(void **state)
{
	static const char *const fine[] = {
		POLICIES("type: 11490-0", "type: \"*\""),
		POLICIES("type: 11490-0, unit: A", "type: 11490-0"),
		POLICIES("type: 11490-0, unit: A", "type: 11490-0, unit: B"),
		POLICIES("type: \"*\", unit: A", "type: 11490-0"),
	};

	(void)state;
	for (size_t i = 0; i < length_of(fine); i++) {
		scoped(free_ptr) char *text = replace(good, "visit_class: N", fine[i]);
		scoped(config_free) struct config *config = must_parse(text);

		assert_int_equal(config->establishments[0].sites[1].policy_count, 2);
	}
}

/* Nothing but the host tells the DMP of real patients from a test platform that vendors share. */
static void a_host_is_one_of_its_environment(void **state)
{
	static const struct {
		const char *environment, *host;
		const char *told; /* NULL: it may be, or nobody knows */
	} rows[] = {
		{ "production", "lps2.dmp.gouv.fr", NULL },
		{ "production", "lps.dmp.gouv.fr", NULL },
		{ "production", "dev1.lps2.dmp.gouv.fr",
		  "real patients do not go to dev1.lps2.dmp.gouv.fr, a test platform" },
		{ "production", "lps.DEV12.dmp.gouv.fr.", "a test platform" },
		{ "production", "formation2.lps2.dmp.gouv.fr", "a test platform" },
		{ "production", "devenir.lps2.dmp.gouv.fr", NULL },
		{ "production", "dev1.dmp.example", NULL },
		{ "test", "dev1.lps2.dmp.gouv.fr", NULL },
		{ "test", "lps.dev9.dmp.gouv.fr", NULL },
		{ "test", "formation2.lps2.dmp.gouv.fr", NULL },
		{ "test", "lps2.dmp.gouv.fr",
		  "invented patients do not go to lps2.dmp.gouv.fr, the DMP itself" },
		{ "test", "LPS.DMP.Gouv.fr.", "the DMP itself" },
		{ "test", "lps2.dmp.gouv.fr.example", NULL },
		{ "test", "dmp.gouv.fr", NULL },
		{ "test", "[::1]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(free_ptr) char *in = replace(good, "rehearsal", rows[i].environment);
		scoped(free_ptr) char *whole =
			replace(in, "999.77", "999.77, homologation_file: number");
		scoped(free_ptr) char *urls = xasprintf("https://%s/r\n"
							"        registry: https://%s:443\n"
							"        patients: https://%s?p\n",
							rows[i].host, rows[i].host, rows[i].host);
		scoped(free_ptr) char *text =
			replace(whole, "https://127.0.0.1:8443/services/repository\n", urls);
		scoped(buf_done) struct buf errors = { 0 };

		if (rows[i].told == NULL) {
			struct config *config = must_parse(text);

			config_free(&config);
			continue;
		}
		must_fail(text, &errors);
		assert_int_equal(lines_of(&errors), 3);
		assert_non_null(strstr(errors.p, "dmpfeed.yaml:26:21: "));
		assert_non_null(strstr(errors.p, "dmpfeed.yaml:28:19: "));
		if (strstr(errors.p, rows[i].told) == NULL)
			fail_msg("\"%s\" is not in\n%s", rows[i].told, errors.p);
	}
}

/* Alone, they keep one establishment from sending, and nobody from reading the rest. */
static void files_of_an_establishment_may_lack_but_are_told_with_other_mistakes(void **state)
{
	static const struct {
		const char *from, *to, *told;
	} cases[] = {
		{ "ca.pem", "none.pem", ":28:13: dmp.tls.ca is " },
		{ "ca.pem", "none.pem", "pki/none.pem, which cannot be used (No such file" },
		{ "auth.pem", "", ":29:15: dmp.tls.cert is " },
		{ "auth.key", "open.key", ":30:14: dmp.tls.key is a file that every user" },
		{ "sign.pem", "none.pem", ":31:21: dmp.sign.cert is " },
		{ "sign.key", "open.key", ":31:40: dmp.sign.key is a file that every user" },
		{ "sign-chain.pem", "none.pem", ":31:61: dmp.sign.chain is " },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *alone = replace(good, cases[i].from, cases[i].to);
		scoped(free_ptr) char *text = replace(alone, "workers: 3", "workers: three");
		scoped(config_free) struct config *config = must_parse(alone);
		scoped(buf_done) struct buf errors = { 0 };

		assert_non_null(config);
		must_fail(text, &errors);
		if (strstr(errors.p, cases[i].told) == NULL)
			fail_msg("\"%s\" is not in\n%s", cases[i].told, errors.p);
		assert_non_null(strstr(errors.p, ":4:10: workers cannot be"));
		assert_int_equal(lines_of(&errors), 2);
	}
}

static void all_mistakes_are_told_at_once_in_the_order_of_the_file(void **state)
{
	static const char *const places[] = {
		"1:14: environment cannot be",
		"3:3: \"levle\" is not a key here",
		"10:15: listen cannot be \"here\"",
		"11:13: site 990099999 is declared by no establishment",
		"27:7: dmp.tls.key is missing",
		"36:41: name takes one value",
	};
	scoped(free_ptr) char *one = replace(good, "rehearsal", "play");
	scoped(free_ptr) char *two = replace(one, "level: debug", "levle: debug");
	scoped(free_ptr) char *three = replace(two, "\"127.0.0.1:2575\"", "here");
	scoped(free_ptr) char *four = replace(three, "        key: pki/auth.key\n", "");
	scoped(free_ptr) char *five = replace(four, "name: No", "name: [No]");
	scoped(free_ptr) char *text = replace(five, "site: \"990012345\"", "site: \"990099999\"");
	scoped(buf_done) struct buf errors = { 0 };
	struct slice rest, line;

	(void)state;
	must_fail(text, &errors);
	rest = buf_slice(&errors);
	for (size_t i = 0; i < length_of(places); i++) {
		scoped(free_ptr) char *start = xasprintf("%s:%s", file, places[i]);

		assert_true(slice_next(&rest, '\n', &line));
		if (!slice_starts(line, start))
			fail_msg("%s expected, in\n%s", start, errors.p);
	}
}

static void a_misspelt_key_is_told_as_that_and_as_missing(void **state)
{
	scoped(free_ptr) char *text = replace(good, "        key:", "        kee:");
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	must_fail(text, &errors);
	assert_int_equal(lines_of(&errors), 2);
	assert_non_null(strstr(errors.p, ":27:7: dmp.tls.key is missing"));
	assert_non_null(
		strstr(errors.p, ":30:9: \"kee\" is not a key here: did you mean \"key\"?"));
}

static void an_empty_file_is_told_what_it_needs(void **state)
{
	static const char *const needed[] = { "environment is missing", "lps.oid is missing",
					      "establishments needs at least one entry",
					      "there is no way in" };
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	must_fail("", &errors);
	for (size_t i = 0; i < length_of(needed); i++)
		if (strstr(errors.p, needed[i]) == NULL)
			fail_msg("%s expected, in\n%s", needed[i], errors.p);
}

static void a_file_that_is_no_mapping_is_told_so(void **state)
{
	static const char *const texts[] = { "dmpfeed", "[a, b]", "- environment: test\n" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		scoped(buf_done) struct buf errors = { 0 };

		must_fail(texts[i], &errors);
		assert_int_equal(lines_of(&errors), 1);
		assert_non_null(strstr(errors.p, ":1:1: a configuration is made of keys"));
	}
}

static void lists_need_dashes_and_entries(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "establishments: { name: x }\n", ":1:17: establishments is a list: begin each" },
		{ "establishments: x\n", ":1:17: establishments is a list: begin each" },
		{ "establishments: []\n", ":1:1: establishments needs at least one entry" },
		{ "establishments:\n", ":1:1: establishments needs at least one entry" },
		{ "establishments:\n  -\n", ":2:4: finess_ej is missing" },
		{ "establishments:\n  - name: x\n", ":2:5: sites needs at least one entry" },
		{ "intake: { mllp: [], drop: [] }\n", ":1:11: there is no way in" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf errors = { 0 };

		must_fail(cases[i].text, &errors);
		if (strstr(errors.p, cases[i].sentence) == NULL)
			fail_msg("%s gives\n%s", cases[i].text, errors.p);
	}
}

static void many_mistakes_are_told_in_part(void **state)
{
	scoped(buf_done) struct buf text = { 0 }, errors = { 0 };

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		buf_addf(&text, "x%u: 1\n", i);
	must_fail(text.p, &errors);
	assert_int_equal(lines_of(&errors), 101);
	assert_non_null(strstr(errors.p, " more errors are not shown"));
}

static void nothing_in_the_file_can_forge_a_line(void **state)
{
	scoped(buf_done) struct buf errors = { 0 };
	scoped(free_ptr) char *text = replace(good, "workers: 3", "\"x\\n<3>y\\e[31m\": 3");

	(void)state;
	must_fail(text, &errors);
	assert_int_equal(lines_of(&errors), 1);
	assert_null(strchr(errors.p, '\x1b'));
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
	scoped(free_ptr) char *nowhere = xasprintf("%s/nowhere.yaml", folder);
	const char *const names[] = { nowhere, folder, "/dev/zero" };

	(void)state;
	for (size_t i = 0; i < length_of(names); i++) {
		scoped(free_ptr) char *start = xasprintf("%s:1:1: cannot be read (", names[i]);
		scoped(buf_done) struct buf errors = { 0 };
		struct config *config = NULL;

		assert_int_equal(config_load(&config, names[i], &errors), -1);
		assert_true(slice_starts(buf_slice(&errors), start));
		assert_int_equal(lines_of(&errors), 1);
	}
}

static void a_huge_file_is_not_read(void **state)
{
	scoped(buf_done) struct buf errors = { 0 };
	scoped(free_ptr) char *huge = xasprintf("%s/huge.yaml", folder);
	struct config *config = NULL;

	(void)state;
	make_file("huge.yaml", "", 0640);
	assert_int_equal(truncate(huge, 1 << 30), 0);
	assert_int_equal(config_load(&config, huge, &errors), -1);
	assert_true(slice_starts(buf_slice(&errors), huge));
	assert_non_null(strstr(errors.p, ":1:1: the file is larger than 1048576 bytes: it is "
					 "hardly the one you mean\n"));
}

/* ---- and back ---- */

static void assert_prints_what_loads_to_the_same(const char *text)
{
	scoped(config_free) struct config *config = must_parse(text);
	scoped(buf_done) struct buf printed = { 0 }, again = { 0 };

	config_print(config, &printed);
	{
		scoped(config_free) struct config *second = must_parse(printed.p);

		config_print(second, &again);
	}
	assert_string_equal(again.p, printed.p);
}

static void what_is_printed_loads_and_prints_the_same(void **state)
{
	static const char *const names[] = { "No",      "\"no\"", "\"a: b # c\"",
					     "\"'\"",   "'\"\\'", "\"\\u00e9\\u4e2d\"",
					     "\"- x\"", "\"1e3\"" };

	(void)state;
	assert_prints_what_loads_to_the_same(good);
	for (size_t i = 0; i < length_of(names); i++) {
		scoped(free_ptr) char *text = replace(good, "CH DE VALBRUME", names[i]);

		assert_prints_what_loads_to_the_same(text);
	}
}

static void a_list_of_values_is_read_and_printed(void **state)
{
	static const char *const written[] = { "[]", "[ 10.1.0.0/16 ]",
					       "[ \"::1\", 10.1.0.0/16, 192.168.4.7 ]" };

	(void)state;
	for (size_t i = 0; i < length_of(written); i++) {
		scoped(free_ptr) char *line = xasprintf("allow: %s", written[i]);
		scoped(free_ptr) char *text = replace(good, "idle: 90 s", line);
		scoped(config_free) struct config *config = must_parse(text);
		const struct mllp_settings *dpi = &config->mllp[0];
		char network[NETWORK_TEXT];

		assert_int_equal(dpi->allowed_count, i ? 2 * i - 1 : 0);
		if (i > 0)
			assert_string_equal(network_text(&dpi->allowed[i - 1], network),
					    "10.1.0.0/16");
		assert_prints_what_loads_to_the_same(text);
	}
}

static void what_is_printed_does_not_depend_on_the_folder(void **state)
{
	scoped(config_free) struct config *config = must_parse(good), *second = NULL;
	scoped(buf_done) struct buf printed = { 0 }, again = { 0 }, errors = { 0 };

	(void)state;
	config_print(config, &printed);
	assert_int_equal(config_parse(&second, "elsewhere.yaml", buf_slice(&printed), &errors), 0);
	config_print(second, &again);
	assert_string_equal(again.p, printed.p);
}

static void every_option_is_printed(void **state)
{
	scoped(config_free) struct config *config = must_parse(good);
	scoped(buf_done) struct buf printed = { 0 };

	(void)state;
	config_print(config, &printed);
	assert_non_null(strstr(printed.p, "environment: rehearsal\n"
					  "state:\n"
					  "  folder: /var/lib/dmpfeed\n"
					  "log:\n"
					  "  level: debug\n"));
	assert_non_null(strstr(printed.p, "    - name: ris\n"
					  "      listen: \"[::1]:2576\"\n"
					  "      site: \"990012352\"\n"
					  "      source: RIS\n"
					  "      max_message: 32 MiB\n"));
	assert_non_null(strstr(printed.p, "establishments:\n"
					  "  - finess_ej: \"990000987\"\n"
					  "    name: CH DE VALBRUME\n"
					  "    dmp:\n"
					  "      url:\n"));
	assert_non_null(strstr(printed.p, "      retry:\n"
					  "        first: 1 s\n"
					  "        most: 1 h\n"
					  "        probe: 15 min\n"
					  "    sites:\n"
					  "      - finess_eg: \"990012345\"\n"
					  "        name: \"H\xc3\xb4pital \\\"A\\\"\"\n"
					  "        sector: SA01\n"
					  "        oid: \"1.2.250.1.999.77\"\n"
					  "        visit_class: I\n"
					  "        types: []\n"
					  "        policies: []\n"
					  "        field: none\n"
					  "        units: []\n"
					  "        stay_classes: I\n"
					  "        sensitive:\n"
					  "          units: []\n"
					  "          types: []\n"
					  "          open_flags: N P\n"
					  "        not_asked: default\n"
					  "        formerly: []\n"
					  "        own_plateau: []\n"
					  "        vihf:\n"
					  "          name_id: \"\"\n"
					  "          subject_id: \"\"\n"
					  "          roles:\n"
					  "            - code: AUTOMATE\n"
					  "              system: \"1.2.250.1.213.1.1.4.6\"\n"
					  "              name: AUTOMATE\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_kept),
		cmocka_unit_test(silence_means_the_defaults),
		cmocka_unit_test(signatures_have_the_defaults_of_the_dmps_examples),
		cmocka_unit_test(who_answers_is_written_by_site),
		cmocka_unit_test(a_source_takes_from_its_site_what_it_leaves_out),
		cmocka_unit_test(the_number_of_the_homologation_is_read_and_never_printed),
		cmocka_unit_test(the_login_of_the_proxy_is_read_and_never_printed),
		cmocka_unit_test(the_path_of_a_webhook_is_never_printed),
		cmocka_unit_test(a_fault_found_later_has_its_place_too),
		cmocka_unit_test(what_follows_is_filled_in),
		cmocka_unit_test(a_site_may_have_an_oid_of_its_own),
		cmocka_unit_test(the_processing_code_follows_the_environment),
		cmocka_unit_test(relative_paths_start_at_the_folder_of_the_file),
		cmocka_unit_test(a_group_without_keys_is_a_group_left_out),
		cmocka_unit_test(one_kind_of_door_is_enough),
		cmocka_unit_test(a_site_leads_to_its_establishment),
		cmocka_unit_test(a_source_has_a_way_back_or_not),
		cmocka_unit_test(every_mistake_is_told_with_its_place),
		cmocka_unit_test(a_delay_that_is_not_written_is_what_the_rule_takes_for_it),
		cmocka_unit_test(a_special_policy_stands_before_a_general_one),
		cmocka_unit_test(a_host_is_one_of_its_environment),
		cmocka_unit_test(
			files_of_an_establishment_may_lack_but_are_told_with_other_mistakes),
		cmocka_unit_test(all_mistakes_are_told_at_once_in_the_order_of_the_file),
		cmocka_unit_test(a_misspelt_key_is_told_as_that_and_as_missing),
		cmocka_unit_test(an_empty_file_is_told_what_it_needs),
		cmocka_unit_test(a_file_that_is_no_mapping_is_told_so),
		cmocka_unit_test(lists_need_dashes_and_entries),
		cmocka_unit_test(many_mistakes_are_told_in_part),
		cmocka_unit_test(nothing_in_the_file_can_forge_a_line),
		cmocka_unit_test(a_file_that_cannot_be_read_is_told),
		cmocka_unit_test(a_huge_file_is_not_read),
		cmocka_unit_test(what_is_printed_loads_and_prints_the_same),
		cmocka_unit_test(a_list_of_values_is_read_and_printed),
		cmocka_unit_test(what_is_printed_does_not_depend_on_the_folder),
		cmocka_unit_test(every_option_is_printed),
	};

	return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
