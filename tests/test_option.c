/* Every kind of option: what it takes, what it says about the rest, and that what it prints it
 * takes again.
 */
#include "sample.h"

#include "config/option.h"

/* As large as any field. */
union field {
	const char *text;
	bool boolean;
	int choice;
	uint64_t count;
	int64_t duration;
};

static const struct option_word words[] = { { "little", 3 }, { "some", 5 }, { "all", 9 }, { 0 } };
static const struct option_word verbs[] = { { "keep", false }, { "delete", true }, { 0 } };

#define TEXT .at = 0, .bytes = sizeof(char *)
#define NUMBER .at = 0, .bytes = sizeof(uint64_t)

static const struct option text = { "t", OPTION_TEXT, TEXT, .least = 1, .most = 8 };
static const struct option name = { "n", OPTION_NAME, TEXT, .least = 1, .most = 8 };
static const struct option word = { "w", OPTION_WORD, TEXT, .words = words };
static const struct option choice = { "c", OPTION_CHOICE, .bytes = sizeof(int), .words = words };
static const struct option verb = { "v", OPTION_CHOICE, .bytes = sizeof(bool), .words = verbs };
static const struct option boolean = { "b", OPTION_BOOLEAN, .bytes = sizeof(bool) };
static const struct option count = { "n", OPTION_COUNT, NUMBER, .least = 1, .most = 64 };
static const struct option size = { "s", OPTION_SIZE, NUMBER, .least = 512, .most = 3 << 20 };
static const struct option duration = { "d", OPTION_DURATION, NUMBER, .least = 0,
					.most = 90000000 };
static const struct option path = { "p", OPTION_PATH, TEXT };
static const struct option socket_path = { "p", OPTION_PATH, TEXT, .most = 20 };
static const struct option folder = { "f", OPTION_FOLDER, TEXT };
static const struct option file = { "f", OPTION_FILE, TEXT };
static const struct option secret = { "f", OPTION_SECRET, TEXT };
static const struct option key = { "k", OPTION_KEY, TEXT };
static const struct option perhaps = { "f", OPTION_SECRET, TEXT, .preset = "" };
static const struct option address = { "a", OPTION_ADDRESS, TEXT };
static const struct option url = { "u", OPTION_URL, TEXT, .most = 60 };
static const struct option no_url = { "u", OPTION_URL, TEXT, .preset = "", .most = 60 };
static const struct option webhook = { "w", OPTION_WEBHOOK, TEXT, .preset = "", .most = 60 };
static const struct option proxy = { "p", OPTION_PROXY, TEXT, .preset = "", .most = 60 };
static const struct option finess = { "f", OPTION_FINESS, TEXT };
static const struct option oid = { "o", OPTION_OID, TEXT, .most = 24 };
static const struct option sector = { "s", OPTION_SECTOR, TEXT };

static int parse(const struct option *option, const char *written, struct arena *arena,
		 union field *field, struct err *err)
{
	const struct option_text value = { slice_of(written), true, "/proc/self" };

	return option_parse(option, &value, arena, field, err);
}

static void what_is_right_is_printed_as_it_is_read(void **state)
{
	static const struct {
		const struct option *option;
		const char *written, *printed;
	} cases[] = {
		{ &perhaps, "", "\"\"" },
		{ &text, "a", "a" },
		{ &text, "H\xc3\xb4tel \"\\", "\"H\xc3\xb4tel \\\"\\\\\"" },
		{ &text, "no", "\"no\"" },
		{ &text, "NULL", "\"NULL\"" },
		{ &text, "12", "\"12\"" },
		{ &text, "a: b", "\"a: b\"" },
		{ &text, "a #b", "\"a #b\"" },
		{ &text, "- a", "\"- a\"" },
		{ &text, "CH A-1.2", "CH A-1.2" },
		{ &name, "dpi_2.-x", "dpi_2.-x" },
		{ &word, "some", "some" },
		{ &choice, "all", "all" },
		{ &verb, "keep", "keep" },
		{ &verb, "delete", "delete" },
		{ &boolean, "true", "true" },
		{ &boolean, "false", "false" },
		{ &count, "1", "1" },
		{ &count, "64", "64" },
		{ &size, "512", "512 bytes" },
		{ &size, "1023 bytes", "1023 bytes" },
		{ &size, "1024", "1 KiB" },
		{ &size, "3 MiB", "3 MiB" },
		{ &size, "2048KiB", "2 MiB" },
		{ &size, "1536 KiB", "1536 KiB" },
		{ &duration, "0 s", "0 ms" },
		{ &duration, "250 ms", "250 ms" },
		{ &duration, "120 s", "2 min" },
		{ &duration, "90s", "90 s" },
		{ &duration, "24 h", "1 d" },
		{ &duration, "25 h", "25 h" },
		{ &path, "/a b/c", "/a b/c" },
		{ &path, "a/b", "/proc/self/a/b" },
		{ &socket_path, "/2345678901234567890", "/2345678901234567890" },
		{ &folder, "fd", "/proc/self/fd" },
		{ &file, "/proc/version", "/proc/version" },
		{ &secret, "environ", "/proc/self/environ" },
		{ &key, "environ", "/proc/self/environ" },
		{ &key, "pkcs11:object=a?module-path=/proc/version",
		  "\"pkcs11:object=a?module-path=/proc/version\"" },
		{ &address, "0.0.0.0:0", "\"0.0.0.0:0\"" },
		{ &address, "[2001:db8::1]:65535", "\"[2001:db8::1]:65535\"" },
		{ &url, "https://dmp.example", "\"https://dmp.example\"" },
		{ &url, "https://[::1]:8443/a?b=%20c", "\"https://[::1]:8443/a?b=%20c\"" },
		{ &no_url, "", "\"\"" },
		{ &no_url, "https://dmp.example", "\"https://dmp.example\"" },
		{ &webhook, "", "\"\"" },
		{ &webhook, "https://hooks.example/a", "\"https://hooks.example\"" },
		{ &webhook, "http://127.0.0.1:9093/a", "\"http://127.0.0.1:9093\"" },
		{ &webhook, "http://localhost/a", "\"http://localhost\"" },
		{ &webhook, "https://hooks.example?key=a", "\"https://hooks.example\"" },
		{ &proxy, "", "\"\"" },
		{ &proxy, "http://proxy.example:3128", "\"http://proxy.example:3128\"" },
		{ &proxy, "http://[::1]:8080", "\"http://[::1]:8080\"" },
		{ &finess, "990012345", "\"990012345\"" },
		{ &finess, "2A0012345", "\"2A0012345\"" },
		{ &finess, "2B0012345", "\"2B0012345\"" },
		{ &oid, "1.2.250.1.999.77", "\"1.2.250.1.999.77\"" },
		{ &oid, "1.2.250.1.99999999999999", "\"1.2.250.1.99999999999999\"" },
		{ &sector, "SA01", "SA01" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(buf_done) struct buf out = { 0 };
		struct err err = { 0 };
		union field field;

		if (parse(cases[i].option, cases[i].written, &arena, &field, &err) < 0)
			fail_msg("\"%s\" %s", cases[i].written, err.text);
		option_print(cases[i].option, &field, &out);
		assert_string_equal(out.p, cases[i].printed);
	}
}

static void what_is_wrong_says_what_would_be_right(void **state)
{
	static const struct {
		const struct option *option;
		const char *written, *sentence;
	} cases[] = {
		{ &text, "", "has 0 characters: write at least 1, at most 8" },
		{ &text, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 6789", "has 9 characters" },
		{ &text, " a", "take away the blanks at its ends" },
		{ &text, "a ", "take away the blanks at its ends" },
		{ &text, "a\nb", "holds a line end" },
		{ &text, "a\x7f", "holds a line end" },
		{ &text, "a\xc2\x85", "holds a line end" },
		{ &text, "\xe2\x80\xa8", "holds a line end" },
		{ &text, "\xe2\x80\xaexslx.exe", "another character that cannot be printed" },
		{ &text, "\xef\xbb\xbf", "holds a line end" },
		{ &name, "a b", "letters, digits, - _ and . only" },
		{ &name, "\xc3\xa9", "letters, digits, - _ and . only" },
		{ &name, "123456789", "has 9 characters" },
		{ &word, "none", "cannot be \"none\": write little, some or all" },
		{ &choice, "Some", "cannot be \"Some\": write little, some or all" },
		{ &verb, "", "cannot be \"\": write keep or delete" },
		{ &boolean, "yes", "cannot be \"yes\": write true or false" },
		{ &count, "0", "is out of bounds: write at least 1, at most 64" },
		{ &count, "65", "is out of bounds: write at least 1, at most 64" },
		{ &count, "99999999999999999999", "is out of bounds" },
		{ &count, "-1", "write a whole number" },
		{ &count, "1.5", "write a whole number" },
		{ &count, "four", "write a whole number" },
		{ &count, "", "write a whole number" },
		{ &count, "1 s", "write a whole number" },
		{ &size, "511", "is out of bounds: write at least 512 bytes, at most 3 MiB" },
		{ &size, "4 MiB", "is out of bounds" },
		{ &size, "9007199254740993 KiB", "is out of bounds" },
		{ &size, "1 MB", "bytes, KiB, MiB or GiB" },
		{ &size, "1.5 MiB", "bytes, KiB, MiB or GiB" },
		{ &size, "MiB", "bytes, KiB, MiB or GiB" },
		{ &duration, "30", "ms, s, min, h or d" },
		{ &duration, "30 seconds", "ms, s, min, h or d" },
		{ &duration, "26 h", "is out of bounds: write at least 0 ms, at most 25 h" },
		{ &path, "", "write a path" },
		{ &path, "-----BEGIN PRIVATE KEY-----", "never what the file holds" },
		{ &socket_path, "/23456789012345678901", "a path of 21 bytes: choose one of at" },
		{ &folder, "nowhere", "is /proc/self/nowhere, which cannot be used (No such" },
		{ &folder, "environ", "(Not a directory)" },
		{ &file, "nowhere", "(No such file or directory): write the path of a file" },
		{ &file, "fd", "(Is a directory)" },
		{ &file, "/dev/null", "(Invalid argument)" },
		{ &secret, "/proc/version", "chmod o-r" },
		{ &key, "/proc/version", "chmod o-r" },
		{ &key, "pkcs11:object=a", "does not say which module" },
		{ &key, "pkcs11:object=a?module-path=/nowhere",
		  "has a module-path that is /nowhere" },
		{ &key, "pkcs11:object=a?module-path=/proc/version&pin-source=/proc/version",
		  "has a pin-source that is a file that every user" },
		{ &address, "2575", "an IP address and a port" },
		{ &address, "localhost:2575", "an IP address and a port" },
		{ &address, "127.0.0.1", "an IP address and a port" },
		{ &address, "127.0.0.1:", "an IP address and a port" },
		{ &address, "127.0.0.1:65536", "an IP address and a port" },
		{ &address, "127.0.0.256:1", "an IP address and a port" },
		{ &address, "::1:2575", "an IP address and a port" },
		{ &address, "[::1", "an IP address and a port" },
		{ &address, "[]:1", "an IP address and a port" },
		{ &address, "[127.0.0.1]:1", "an IP address and a port" },
		{ &address, "[::1]x:1", "an IP address and a port" },
		{ &url, "", "write the whole URL" },
		{ &no_url, " ", "write the whole URL" },
		{ &url, "http://dmp.example/", "write the whole URL" },
		{ &url, "dmp.example", "write the whole URL" },
		{ &url, "https://", "write the whole URL" },
		{ &url, "https:///services", "write the whole URL" },
		{ &url, "https://dmp.example:0/", "write the whole URL" },
		{ &url, "https://dmp.example:99999/", "write the whole URL" },
		{ &url, "https://me@dmp.example/", "write the whole URL" },
		{ &url, "https://127.0.0.1\\.dmp.example/", "write the whole URL" },
		{ &url, "https://dmp example/", "write the whole URL" },
		{ &url, "https://dmp.example/#a", "write the whole URL" },
		{ &url, "https://dmp_example/", "write the whole URL" },
		{ &url, "https://[dmp]/", "write the whole URL" },
		{ &webhook, "http://hooks.example/a", "http is for this machine only" },
		{ &webhook, "http://127.0.0.1.hooks.example/a", "http is for this machine only" },
		{ &webhook, "http://127.0.0.1@hooks.example/a", "write the whole of it" },
		{ &webhook, "ftp://127.0.0.1/s3cret", "is no URL that can be used (not shown" },
		{ &webhook, "hooks.example/a", "is no URL that can be used (not shown" },
		{ &proxy, "proxy.example:3128", "write http://, its host and its port" },
		{ &proxy, "https://proxy.example:3128", "write http://, its host" },
		{ &proxy, "http://proxy.example", "write http://, its host and its port" },
		{ &proxy, "http://proxy.example:3128/", "write http://, its host" },
		{ &proxy, "http://proxy.example:3128?", "write http://, its host" },
		{ &proxy, "http://me:word@proxy.example:3128", "write http://, its host" },
		{ &url, "https://dmp.example/1234567890123456789012345678901234567890/", "has 61" },
		{ &finess, "99001234", "nine digits" },
		{ &finess, "9900123456", "nine digits" },
		{ &finess, "2C0012345", "nine digits" },
		{ &finess, "3A0012345", "nine digits" },
		{ &finess, "99001234 ", "nine digits" },
		{ &oid, "1.2.x", "an OID is digits and dots" },
		{ &oid, "1.02.3", "an OID is digits and dots" },
		{ &oid, "1.2.250.1.999999999999999", "has 25 characters, and may have 24" },
		{ &sector, "SA1", "SA and two digits" },
		{ &sector, "SB01", "SA and two digits" },
		{ &sector, "SA0x", "SA and two digits" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct err err = { 0 };
		union field field = { .text = "untouched" };

		assert_int_equal(parse(cases[i].option, cases[i].written, &arena, &field, &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
		if (strstr(err.text, cases[i].sentence) == NULL)
			fail_msg("\"%s\" %s", cases[i].written, err.text);
		assert_string_equal(field.text, "untouched");
	}
}

static void numbers_are_kept_in_their_smallest_unit(void **state)
{
	struct err err = { 0 };
	union field field;

	(void)state;
	assert_int_equal(parse(&size, "2 MiB", NULL, &field, &err), 0);
	assert_int_equal(field.count, 2 << 20);
	assert_int_equal(parse(&duration, "2 min", NULL, &field, &err), 0);
	assert_int_equal(field.duration, 120000);
}

static void choices_are_kept_as_values_and_words_as_words(void **state)
{
	struct err err = { 0 };
	union field field;

	(void)state;
	assert_int_equal(parse(&choice, "some", NULL, &field, &err), 0);
	assert_int_equal(field.choice, 5);
	assert_int_equal(parse(&verb, "delete", NULL, &field, &err), 0);
	assert_true(field.boolean);
	assert_int_equal(parse(&word, "some", NULL, &field, &err), 0);
	assert_string_equal(field.text, "some");
}

static void a_finess_without_quotes_is_refused(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	/* readers of YAML take the second for an octal number, the third for another one */
	static const char *const texts[] = { "990012345", "010003720", "010003820", "2A0000014" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		const struct option_text plain = { slice_of(texts[i]), false, "/" };
		const struct option_text quoted = { slice_of(texts[i]), true, "/" };
		struct err err = { 0 };
		union field field;

		assert_int_equal(option_parse(&finess, &plain, &arena, &field, &err), -1);
		assert_non_null(strstr(err.text, "must stand in quotes, like \""));
		assert_int_equal(option_parse(&finess, &quoted, &arena, &field, &err), 0);
		assert_string_equal(field.text, texts[i]);
	}
}

static void nul_in_a_value_is_refused_whatever_it_is(void **state)
{
	static const struct option *const all[] = { &text,   &name, &word, &boolean, &count, &path,
						    &folder, &url,  &oid,  &address, &finess };
	const struct option_text value = { bytes_of("1\0"), true, "/" };

	(void)state;
	for (size_t i = 0; i < length_of(all); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct err err = { 0 };
		union field field;

		assert_int_equal(option_parse(all[i], &value, &arena, &field, &err), -1);
	}
}

static void a_long_value_is_quoted_in_part_and_no_character_is_cut(void **state)
{
	struct err err = { 0 };
	union field field;

	(void)state;
	assert_int_equal(
		parse(&count,
		      "12345678901234567890123456789012345678901234567890123456789\xc3\xa9x", NULL,
		      &field, &err),
		-1);
	assert_string_equal(err.text,
			    "cannot be "
			    "\"12345678901234567890123456789012345678901234567890123456789...\": "
			    "write a whole number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_printed_as_it_is_read),
		cmocka_unit_test(what_is_wrong_says_what_would_be_right),
		cmocka_unit_test(numbers_are_kept_in_their_smallest_unit),
		cmocka_unit_test(choices_are_kept_as_values_and_words_as_words),
		cmocka_unit_test(a_finess_without_quotes_is_refused),
		cmocka_unit_test(nul_in_a_value_is_refused_whatever_it_is),
		cmocka_unit_test(a_long_value_is_quoted_in_part_and_no_character_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
