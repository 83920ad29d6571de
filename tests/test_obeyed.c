/* Characters that are obeyed instead of shown. */
#include "base/obeyed.h"

#include "sample.h"

static void a_control_is_found_with_its_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		uint32_t code;
	} cases[] = {
		{ "\x01", 1, 0x01 },
		{ "\nx", 1, 0x0a },
		{ "\x1b[2J", 1, 0x1b },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xc2\x9b"
		  "2J",
		  2, 0x9b },
		{ "\xd8\x9c", 2, 0x61c },
		{ "\xe2\x80\x8f", 3, 0x200f },
		{ "\xe2\x80\xa8", 3, 0x2028 },
		{ "\xe2\x80\xaegnp.exe", 3, 0x202e },
		{ "\xe2\x81\xa6", 3, 0x2066 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		uint32_t code = 0;

		assert_int_equal(obeyed_at(cases[i].text, &code), cases[i].bytes);
		assert_int_equal(code, cases[i].code);
	}
}

static void what_is_shown_is_not(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"~",
		"é",
		"\xc2\xa0",
		"\xe2\x80\xa7",
		"\xe2\x80\xaf",
		"\xe2\x81\xa5",
		/* no UTF-8, or the start of some */
		"\xc2",
		"\x9b",
		"\xe2\x80",
		"\xe2\x80x",
		"\xff",
		"\xf0\x9f\x98\x80",
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		uint32_t code = 7;

		assert_int_equal(obeyed_at(texts[i], &code), 0);
		assert_int_equal(code, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_control_is_found_with_its_bytes),
		cmocka_unit_test(what_is_shown_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
