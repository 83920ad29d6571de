/* A configuration of several files: which are read, what they may say, and that every mistake is told with the
 * file that it stands in.
 */
#include "config_world.h"

/* clang-format off */
static const char first[] =
/*  1 */ "environment: rehearsal\n"
/*  2 */ "valuesets: { dir: values }\n"
/*  3 */ "errors: { file: values/errors.csv }\n"
/*  4 */ "lps: { oid: 1.2.250.1.999.77 }\n"
/*  5 */ "intake:\n"
/*  6 */ "  drop:\n"
/*  7 */ "    - { name: labo, folder: labo, site: \"990012345\", source: LABO }\n"
/*  8 */ "establishments:\n"
/*  9 */ "  - finess_ej: \"990000987\"\n"
/* 10 */ "    name: CH DE VALBRUME\n"
/* 11 */ "    dmp:\n"
/* 12 */ "      url: { repository: https://127.0.0.1:8443/services/repository }\n"
/* 13 */ "      tls: { ca: pki/ca.pem, cert: pki/auth.pem, key: pki/auth.key }\n"
/* 14 */ "      sign: { cert: pki/sign.pem, key: pki/sign.key, chain: pki/sign-chain.pem }\n"
/* 15 */ "    sites: [{ finess_eg: \"990012345\", name: CH DE VALBRUME, sector: SA01 }]\n";

static const char listener[] =
	"intake:\n"
	"  mllp:\n"
	"    - { name: dpi, listen: \"127.0.0.1:2575\", site: \"990012345\", source: DPI }\n";

static const char folder_of_images[] =
	"intake: { drop: [{ name: images, folder: imagerie, site: \"990012345\", source: PACS }] }\n";
/* clang-format on */

struct written {
	const char *name, *text;
};

static void write_files(const struct written *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		make_file(files[i].name, files[i].text, 0600);
}

static void take_away(const struct written *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		scoped(free_ptr) char *path = xasprintf("%s/%s", folder, files[i].name);

		assert_int_equal(unlink(path), 0);
	}
}

static int load_files(const struct written *files, size_t count, struct config **ret_config,
		      struct buf *errors)
{
	int rc;

	write_files(files, count);
	rc = config_load(ret_config, file, errors);
	take_away(files, count);
	return rc;
}

static struct config *must_load(const struct written *files, size_t count)
{
	scoped(buf_done) struct buf errors = { 0 };
	struct config *config = NULL;

	if (load_files(files, count, &config, &errors) < 0)
		fail_msg("%s", errors.p);
	return config;
}

static void what_they_say_is_added_in_the_order_of_their_names(void **state)
{
	const struct written files[] = {
		{ "dmpfeed.yaml", first },
		{ "conf.d/20-images.yaml", folder_of_images },
		{ "conf.d/10-dpi.yaml", listener },
		{ "conf.d/30-log.yaml", "log: { level: debug }\n" },
		{ "conf.d/40-empty.yaml", "# nothing\n" },
		{ "conf.d/.hidden.yaml", "colour: red\n" },
		{ "conf.d/editor.yaml~", "colour: red\n" },
		{ "conf.d/old.yaml.dpkg-old", "colour: red\n" },
	};
	scoped(config_free) struct config *config = must_load(files, length_of(files));
	scoped(free_ptr) char *images = xasprintf("%s/imagerie", folder);

	(void)state;
	assert_int_equal(config->mllp_count, 1);
	assert_int_equal(config->drop_count, 2);
	assert_string_equal(config->drops[0].name, "labo");
	assert_string_equal(config->drops[1].name, "images");
	assert_string_equal(config->drops[1].path, images); /* not below conf.d */
	assert_int_equal(config->log_level, LEVEL_DEBUG);
	assert_int_equal(config->file_count, 5);
	assert_non_null(strstr(config->files[1], "/conf.d/10-dpi.yaml"));
}

static void what_is_printed_holds_all_and_includes_nothing(void **state)
{
	const struct written files[] = { { "dmpfeed.yaml", first },
					 { "conf.d/10-dpi.yaml", listener } };
	scoped(config_free) struct config *config = must_load(files, length_of(files));
	scoped(buf_done) struct buf printed = { 0 }, again = { 0 };

	(void)state;
	config_print(config, &printed);
	assert_true(slice_starts(buf_slice(&printed), "include: \"\"\n"));
	{
		const struct written alone[] = { { "dmpfeed.yaml", printed.p },
						 { "conf.d/10-dpi.yaml", listener } };
		scoped(config_free) struct config *second = must_load(alone, length_of(alone));

		config_print(second, &again);
	}
	assert_string_equal(again.p, printed.p);
}

static void which_files_is_for_the_first_to_say(void **state)
{
	static const struct {
		const char *include;
		size_t listeners;
	} cases[] = {
		{ "", 1 },
		{ "include: conf.d/*.yaml\n", 1 },
		{ "include: conf.d/10-dpi.yaml\n", 1 },
		{ "include: \"conf.d/[0-9]*.yaml\"\n", 1 },
		{ "include: elsewhere/*.yaml\n", 0 },
		{ "include: \"\"\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text = xasprintf("%s%s", cases[i].include, first);
		const struct written files[] = { { "dmpfeed.yaml", text },
						 { "conf.d/10-dpi.yaml", listener } };
		scoped(config_free) struct config *config = must_load(files, length_of(files));

		assert_int_equal(config->mllp_count, cases[i].listeners);
	}
}

static void every_mistake_is_told_with_its_file(void **state)
{
	static const struct {
		const char *include, *text; /* of conf.d/a.yaml */
		const char *told;           /* after the folder */
	} cases[] = {
		{ "", "log: { levle: info }\n",
		  "/conf.d/a.yaml:1:8: \"levle\" is not a key here: did you mean \"level\"?\n" },
		{ "", "\nlog:\n  level: loud\n",
		  "/conf.d/a.yaml:3:10: log.level cannot be \"loud\": write error, warning, info "
		  "or "
		  "debug\n" },
		{ "", "environment: rehearsal\n",
		  "/conf.d/a.yaml:1:1: this is given in FOLDER/dmpfeed.yaml at line 1 already: "
		  "keep "
		  "one of the two\n" },
		{ "", "lps:\n  oid: 1.2.250.1.999.77\n",
		  "/conf.d/a.yaml:2:3: this is given in FOLDER/dmpfeed.yaml at line 4 already: "
		  "keep "
		  "one of the two\n" },
		{ "", "intake: [x]\n",
		  "/conf.d/a.yaml:1:1: this is given in FOLDER/dmpfeed.yaml at line 5 already: "
		  "keep "
		  "one of the two\n" },
		{ "",
		  "intake: { drop: [{ name: labo, folder: imagerie, site: \"990012345\", source: X "
		  "}] }\n",
		  "/conf.d/a.yaml:1:26: this is written in FOLDER/dmpfeed.yaml at line 7 too: "
		  "every "
		  "listener and every folder has a name of its own\n" },
		{ "", "include: more/*.yaml\n",
		  "/conf.d/a.yaml:1:1: only the first file includes others: take this away\n" },
		{ "", "a: [\n",
		  "/conf.d/a.yaml:2:1: YAML cannot be read from here on (while parsing a flow "
		  "node, "
		  "did not find expected node content): check the indentation, the quotes and the "
		  "colons\n" },
		{ "", "- x\n",
		  "/conf.d/a.yaml:1:1: a configuration is made of keys: write key: value, one a "
		  "line\n" },
		{ "include: nowhere.yaml\n", "",
		  "/dmpfeed.yaml:1:10: include: there is no such file\n" },
		{ "include: labo\n", "",
		  "/labo:1:1: cannot be read (Is a directory): let the gateway read it, or move it "
		  "away\n" },
		{ "include: /dev/zero\n", "",
		  "/dev/zero:1:1: cannot be read (Invalid argument): let the gateway read it, or "
		  "move it away\n" },
		{ "include:\n", "",
		  "/dmpfeed.yaml:1:9: include is empty: write a value, or take the line away to "
		  "have "
		  "conf.d/*.yaml\n" },
		{ "include: [a]\n", "",
		  "/dmpfeed.yaml:1:10: include takes one value: files that are read as well; a "
		  "relative pattern starts at the folder of this file\n" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text = xasprintf("%s%s", cases[i].include, first);
		const struct written files[] = { { "dmpfeed.yaml", text },
						 { "conf.d/a.yaml", cases[i].text } };
		bool is_elsewhere = slice_starts(slice_of(cases[i].told), "/dev");
		scoped(free_ptr) char *raw =
			xasprintf("%s%s", is_elsewhere ? "" : folder, cases[i].told);
		scoped(free_ptr) char *told =
			strstr(raw, "FOLDER") ? replace(raw, "FOLDER", folder) : xstrdup(raw);
		scoped(buf_done) struct buf errors = { 0 };
		struct config *config = NULL;

		assert_int_equal(load_files(files, length_of(files), &config, &errors), -1);
		assert_string_equal(errors.p, told);
	}
}

static void mistakes_of_all_files_are_told_at_once_in_their_order(void **state)
{
	static const char *const places[] = { "/dmpfeed.yaml:16:1: \"colour\"",
					      "/conf.d/a.yaml:1:1: \"odour\"",
					      "/conf.d/b.yaml:1:1: \"sound\"" };
	scoped(free_ptr) char *text = xasprintf("%scolour: red\n", first);
	const struct written files[] = { { "dmpfeed.yaml", text },
					 { "conf.d/b.yaml", "sound: loud\n" },
					 { "conf.d/a.yaml", "odour: sweet\n" } };
	scoped(buf_done) struct buf errors = { 0 };
	struct config *config = NULL;
	struct slice rest, line;

	(void)state;
	assert_int_equal(load_files(files, length_of(files), &config, &errors), -1);
	rest = buf_slice(&errors);
	for (size_t i = 0; i < length_of(places); i++) {
		scoped(free_ptr) char *start = xasprintf("%s%s", folder, places[i]);

		assert_true(slice_next(&rest, '\n', &line));
		if (!slice_starts(line, start))
			fail_msg("%s expected, in\n%s", start, errors.p);
	}
}

static void a_fault_found_later_has_its_file_too(void **state)
{
	const struct written files[] = { { "dmpfeed.yaml", first },
					 { "conf.d/10-dpi.yaml", listener } };
	scoped(config_free) struct config *config = must_load(files, length_of(files));
	scoped(free_ptr) char *told = xasprintf("%s/conf.d/10-dpi.yaml:3:28: in use\n", folder);
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	config_fault(config, &config->mllp[0].listen, &errors, "in use");
	assert_string_equal(errors.p, told);
}

static int make_world(void **state)
{
	if (make_everything(state) < 0)
		return -1;
	make_folder("conf.d");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_they_say_is_added_in_the_order_of_their_names),
		cmocka_unit_test(what_is_printed_holds_all_and_includes_nothing),
		cmocka_unit_test(which_files_is_for_the_first_to_say),
		cmocka_unit_test(every_mistake_is_told_with_its_file),
		cmocka_unit_test(mistakes_of_all_files_are_told_at_once_in_their_order),
		cmocka_unit_test(a_fault_found_later_has_its_file_too),
	};

	return cmocka_run_group_tests(tests, make_world, remove_everything);
}
