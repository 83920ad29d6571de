/* Lines for a syslog collector: each part as RFC 5424 has it, and nothing that could end one early. */
#include "base/syslog.h"

#include "sample.h"

#define BOM "\xef\xbb\xbf"

static struct syslog_message message(const struct syslog_param *params, size_t count,
				     const char *text)
{
	return (struct syslog_message){
		.facility = 10,
		.severity = SYSLOG_NOTICE,
		.at_ms = 1795167666007,
		.host = "gw1",
		.app = "dmpfeedd",
		.id = "settled",
		.element = "dmpfeed@32473",
		.params = params,
		.param_count = count,
		.text = text,
	};
}

/* The line, its count checked and taken off; the caller frees. */
static char *line_of(const struct syslog_message *message, size_t most_bytes)
{
	scoped(buf_done) struct buf out = { 0 };
	struct slice rest, count;
	uint64_t bytes;

	syslog_add(message, most_bytes, &out);
	rest = buf_slice(&out);
	assert_true(slice_next(&rest, ' ', &count));
	assert_true(slice_to_u64(count, SYSLOG_MOST_BYTES, &bytes));
	assert_int_equal(rest.n, bytes);
	assert_in_range(rest.n, 1, most_bytes);
	return slice_dup(rest);
}

static void a_line_has_all_its_parts(void **state)
{
	static const struct syslog_param params[] = { { "row", "7" },
						      { "code", "" },
						      { "site", "990012345" } };
	const struct syslog_message full = message(params, 3, "remis");
	struct syslog_message bare = message(NULL, 0, "");
	scoped(free_ptr) char *line = line_of(&full, 2048), *short_one = NULL;

	(void)state;
	assert_string_equal(line, "<85>1 2026-11-20T09:41:06.007Z gw1 dmpfeedd - settled "
				  "[dmpfeed@32473 row=\"7\" site=\"990012345\"] " BOM "remis");
	bare.host = bare.id = "";
	bare.facility = 23;
	short_one = line_of(&bare, 2048);
	assert_string_equal(short_one,
			    "<189>1 2026-11-20T09:41:06.007Z - dmpfeedd - - [dmpfeed@32473]");
}

static void nothing_ends_a_part_early(void **state)
{
	static const struct {
		const char *given, *value, *text;
	} cases[] = {
		{ "a\"b", "a\\\"b", "a\"b" },
		{ "a\\b", "a\\\\b", "a\\b" },
		{ "a]b[", "a\\]b[", "a]b[" },
		{ "\"] x\n1 <85>1 ", "\\\"\\] x\\\\u000a1 <85>1 ", "\"] x\\u000a1 <85>1 " },
		{ "a\r\n\tb\x7f", "a\\\\u000d\\\\u000a\\\\u0009b\\\\u007f",
		  "a\\u000d\\u000a\\u0009b\\u007f" },
		{ "\x1b[31m", "\\\\u001b[31m", "\\u001b[31m" },
		{ "\xc2\x9b", "\\\\u009b", "\\u009b" }, /* CSI in one character */
		{ "é€\xf0\x9f\x98\x80", "é€\xf0\x9f\x98\x80", "é€\xf0\x9f\x98\x80" },
		{ "\xe9t\xe9", "\xef\xbf\xbdt\xef\xbf\xbd", "\xef\xbf\xbdt\xef\xbf\xbd" },
		{ "\xc3", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "\xef\xbf\xbf", "\xef\xbf\xbd", "\xef\xbf\xbd" }, /* no character */
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct syslog_param param = { "v", cases[i].given };
		const struct syslog_message both = message(&param, 1, cases[i].given);
		scoped(free_ptr) char *line = line_of(&both, 2048);
		scoped(free_ptr) char *wanted = xasprintf("[dmpfeed@32473 v=\"%s\"] " BOM "%s",
							  cases[i].value, cases[i].text);

		assert_string_equal(strchr(line, '['), wanted);
	}
}

static void a_header_is_of_printable_ascii(void **state)
{
	scoped(free_ptr) char *line = NULL, *long_name = xcalloc(1, 301);
	struct syslog_message odd = message(NULL, 0, "");

	(void)state;
	memset(long_name, 'h', 300);
	odd.host = long_name;
	odd.app = "dmp feed";
	odd.id = "réglé\n";
	line = line_of(&odd, 2048);
	long_name[255] = '\0';
	assert_memory_equal(strchr(line, 'h'), long_name, 255);
	assert_string_equal(strchr(line, 'h') + 255, " dmp_feed - r__gl___ [dmpfeed@32473]");
}

/* At every bound: whole characters of the text, and whole values or none. */
static void a_line_is_as_long_as_it_may_be(void **state)
{
	scoped(free_ptr) char *text = xcalloc(1, 4001), *value = xcalloc(1, 701);
	const struct syslog_param params[] = { { "row", "7" },
					       { "long", value },
					       { "too", value } };
	const struct syslog_message large = message(params, 3, text);

	(void)state;
	memset(value, 'v', 700);
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "é", 2);
	for (size_t most = SYSLOG_LEAST_BYTES; most < SYSLOG_LEAST_BYTES + 1000; most++) {
		scoped(free_ptr) char *line = line_of(&large, most);
		const char *end = strchr(line, ']'), *start;
		size_t left = most - (size_t)(end + 1 - line);

		assert_non_null(strstr(line, " row=\"7\" long=\"vvv"));
		assert_int_equal(strstr(line, " too=\"") != NULL,
				 end[-1] == '"' && end - line > 1400);
		assert_true((unsigned char)end[1] == ' ' || end[1] == '\0');
		start = strstr(end, BOM);
		if (start == NULL)
			assert_in_range(left, 0, 4);
		else
			assert_int_equal(strlen(start + 3) % 2, 0);
		if (start != NULL)
			assert_in_range(left - strlen(end + 1), 0, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_all_its_parts),
		cmocka_unit_test(nothing_ends_a_part_early),
		cmocka_unit_test(a_header_is_of_printable_ascii),
		cmocka_unit_test(a_line_is_as_long_as_it_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
