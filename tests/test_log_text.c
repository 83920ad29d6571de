/* What may stand in a line: one line of text, whatever came from outside. */
#include "base/log_text.h"

#include "sample.h"

static void nothing_begins_a_line_or_drives_a_terminal(void **state)
{
	static const struct {
		const char *raw, *text, *word;
	} cases[] = {
		{ "", "", "" },
		{ "plain", "plain", "plain" },
		{ "two words", "two words", "two\\x20words" },
		{ "x\n<3>doc=01J9", "x\\n<3>doc=01J9", "x\\n<3>doc=01J9" },
		{ "\r\t", "\\r\\t", "\\r\\t" },
		{ "\033[2J\177\001", "\\x1b[2J\\x7f\\x01", "\\x1b[2J\\x7f\\x01" },
		{ "^~\\&", "^~\\&", "^~\\&" },
		{ "Hôpital Œdipe", "Hôpital Œdipe", "Hôpital\\x20Œdipe" },
		{ "H\xf4pital", "H\\xf4pital", "H\\xf4pital" }, /* Latin-1 */
		{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" },     /* a character that was cut */
		{ "a\xc2\x9b"
		  "b",
		  "a\\u009bb", "a\\u009bb" }, /* CSI, in one character */
		{ "\xe2\x80\xaetxt\xe2\x80\xa8", "\\u202etxt\\u2028", "\\u202etxt\\u2028" },
		{ "\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "\xc0\x8a", "\\xc0\\x8a", "\\xc0\\x8a" }, /* a line end in disguise */
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		char text[64], word[LOG_WORD];

		assert_string_equal(log_text(cases[i].raw, text, sizeof(text)), cases[i].text);
		assert_string_equal(log_word(cases[i].raw, word), cases[i].word);
	}
}

/* Between characters, and the reader sees that something is missing. */
static void what_is_too_long_says_so(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "123456789", "123456789" },   { "1234567890", "123456…" },
		{ "123456é890", "123456…" },    { "12345é7890", "12345…" },
		{ "1234567\n90", "123456…" },   { "\n\n\n", "\\n\\n\\n" },
		{ "\n\n\n\n\n", "\\n\\n\\n…" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		char text[10];

		assert_string_equal(log_text(cases[i].raw, text, sizeof(text)), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_begins_a_line_or_drives_a_terminal),
		cmocka_unit_test(what_is_too_long_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
