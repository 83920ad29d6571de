/* How the characters of a message are written: what MSH-18 says, and what the bytes say. */
#include "hl7/charset.h"

#include "sample.h"

#define ASCII "abc"
#define UTF_8_E "caf\303\251"       /* é in UTF-8 */
#define LATIN_E "caf\351"           /* é in 8859/1 and 8859/15 */
#define LATIN_EURO "10 \244"        /* the euro in 8859/15, a currency sign in 8859/1 */
#define LATIN_LIKE_UTF_8 "\303\251" /* é in UTF-8, "Ã©" in 8859/15 */

static void bytes_decide_where_msh_18_is_wrong(void **state)
{
	static const struct {
		const char *declared, *text;
		enum hl7_charset charset;
		bool corrected;
	} cases[] = {
		{ "UNICODE UTF-8", ASCII, HL7_UTF_8, false },
		{ "UNICODE UTF-8", UTF_8_E, HL7_UTF_8, false },
		{ "unicode utf-8", UTF_8_E, HL7_UTF_8, false },
		{ "8859/15", ASCII, HL7_8859_15, false },
		{ "8859/15", LATIN_E, HL7_8859_15, false },
		{ "8859/15", LATIN_EURO, HL7_8859_15, false },
		{ "8859/15", UTF_8_E, HL7_UTF_8, true },
		{ "8859/15", LATIN_LIKE_UTF_8, HL7_UTF_8, true },
		{ "8859/1", ASCII, HL7_8859_15, false },
		{ "8859/1", LATIN_E, HL7_8859_15, false },
		{ "8859/1", UTF_8_E, HL7_UTF_8, true },
		{ "", ASCII, HL7_UTF_8, false },
		{ "", UTF_8_E, HL7_UTF_8, false },
		{ "", LATIN_E, HL7_8859_15, false },
		{ "8889/15", ASCII, HL7_UTF_8, true },
		{ "8889/15", UTF_8_E, HL7_UTF_8, true },
		{ "FR", UTF_8_E, HL7_UTF_8, true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		enum hl7_charset charset;
		bool corrected;
		struct err err = { 0 };

		assert_int_equal(charset_choose(slice_of(cases[i].declared),
						slice_of(cases[i].text), &charset, &corrected,
						&err),
				 0);
		assert_int_equal(charset, cases[i].charset);
		assert_int_equal(corrected, cases[i].corrected);
	}
}

static void bytes_that_nothing_explains_are_refused(void **state)
{
	static const struct {
		const char *declared, *text;
	} cases[] = {
		{ "UNICODE UTF-8", LATIN_E }, { "8889/15", LATIN_E }, { "FR", LATIN_E },
		{ "8859/1", "\244" },         { "8859/1", "\246" },   { "8859/1", "\250" },
		{ "8859/1", "\264" },         { "8859/1", "\270" },   { "8859/1", "\274" },
		{ "8859/1", "\275" },         { "8859/1", "\276" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		enum hl7_charset charset;
		bool corrected;
		struct err err = { 0 };

		assert_int_equal(charset_choose(slice_of(cases[i].declared),
						slice_of(cases[i].text), &charset, &corrected,
						&err),
				 -1);
		assert_int_equal(err.reason, REASON_DATA_TYPE);
		assert_string_equal(err.where, "MSH-18");
	}
}

static void utf_8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *bytes;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "\177", true },
		{ "\302\200", true },          /* U+0080 */
		{ "\337\277", true },          /* U+07FF */
		{ "\340\240\200", true },      /* U+0800 */
		{ "\355\237\277", true },      /* U+D7FF */
		{ "\356\200\200", true },      /* U+E000 */
		{ "\357\277\277", true },      /* U+FFFF */
		{ "\360\220\200\200", true },  /* U+10000 */
		{ "\364\217\277\277", true },  /* U+10FFFF */
		{ "\200", false },             /* begins with a continuation */
		{ "\300\200", false },         /* NUL in two bytes */
		{ "\301\277", false },         /* two bytes for what takes one */
		{ "\340\237\277", false },     /* three for two */
		{ "\360\217\277\277", false }, /* four for three */
		{ "\355\240\200", false },     /* a surrogate */
		{ "\355\277\277", false },     /* the last one */
		{ "\364\220\200\200", false }, /* above U+10FFFF */
		{ "\365\200\200\200", false },
		{ "\377", false },
		{ "\303", false }, /* cut */
		{ "\342\202", false },
		{ "\360\237\230", false },
		{ "\303(", false }, /* not continued */
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		/* at every distance from the eight bytes that are looked at together */
		for (size_t before = 0; before < 17; before++) {
			scoped(buf_done) struct buf text = { 0 };

			for (size_t n = 0; n < before; n++)
				buf_add_char(&text, 'x');
			buf_add_text(&text, cases[i].bytes);
			assert_int_equal(charset_is_utf8(buf_slice(&text)), cases[i].valid);
		}
	}
}

static void assert_read_as(struct slice bytes, enum hl7_charset charset, struct slice utf8)
{
	scoped(buf_done) struct buf out = { 0 };

	charset_to_utf8(bytes, charset, &out);
	if (!slice_equal(buf_slice(&out), utf8))
		fail_msg("got \"%.*s\", want \"%.*s\"", (int)out.n, out.p, (int)utf8.n, utf8.p);
}

static void latin_9_becomes_utf_8(void **state)
{
	static const struct {
		const char *latin, *utf8;
	} cases[] = {
		{ "", "" },      { "abc", "abc" }, { "\351t\351", "été" }, { "\244", "€" },
		{ "\246", "Š" }, { "\250", "š" },  { "\264", "Ž" },        { "\270", "ž" },
		{ "\274", "Œ" }, { "\275", "œ" },  { "\276", "Ÿ" },        { "\240", "\302\240" },
		{ "\377", "ÿ" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_read_as(slice_of(cases[i].latin), HL7_8859_15, slice_of(cases[i].utf8));
}

static void what_xml_could_not_hold_becomes_u_fffd(void **state)
{
	(void)state;
	assert_read_as(bytes_of("a\0b"), HL7_UTF_8, slice_of("a\357\277\275b"));
	assert_read_as(bytes_of("a\0b"), HL7_8859_15, slice_of("a\357\277\275b"));
	assert_read_as(slice_of("\033[2J"), HL7_UTF_8, slice_of("\357\277\275[2J"));
	assert_read_as(slice_of("\177"), HL7_UTF_8, slice_of("\357\277\275"));
	assert_read_as(slice_of("\357\277\276"), HL7_UTF_8, slice_of("\357\277\275"));
	assert_read_as(slice_of("\tone\r\ntwo"), HL7_UTF_8, slice_of("\tone\r\ntwo"));
}

static void each_broken_byte_of_utf_8_becomes_one_u_fffd(void **state)
{
	(void)state;
	assert_read_as(slice_of("caf\351!"), HL7_UTF_8, slice_of("caf\357\277\275!"));
	assert_read_as(slice_of("\342\202"), HL7_UTF_8, slice_of("\357\277\275\357\277\275"));
}

static void a_cut_keeps_whole_characters(void **state)
{
	static const struct {
		const char *text;
		size_t most;
		const char *cut;
	} cases[] = {
		{ "été", 0, "" },    { "été", 1, "é" },   { "été", 2, "ét" },
		{ "été", 3, "été" }, { "été", 9, "été" }, { "", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_true(slice_is(charset_cut(slice_of(cases[i].text), cases[i].most),
				     cases[i].cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_decide_where_msh_18_is_wrong),
		cmocka_unit_test(bytes_that_nothing_explains_are_refused),
		cmocka_unit_test(utf_8_is_what_rfc_3629_says),
		cmocka_unit_test(latin_9_becomes_utf_8),
		cmocka_unit_test(what_xml_could_not_hold_becomes_u_fffd),
		cmocka_unit_test(each_broken_byte_of_utf_8_becomes_one_u_fffd),
		cmocka_unit_test(a_cut_keeps_whole_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
