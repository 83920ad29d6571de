/* Tables for spreadsheets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "status/sheet.h"

static struct sheet sheet_on(struct buf *out)
{
	return (struct sheet){ .out = out, .decimal = ',' };
}

static void a_line_of_every_kind(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct sheet sheet = sheet_on(&out);

	(void)state;
	sheet_begin(&sheet, (const char *const[]){ "site", "n", NULL });
	sheet_code(&sheet, "010003720");
	sheet_text(&sheet, "Hôpital");
	sheet_number(&sheet, 1234567);
	sheet_real(&sheet, 0.61249, 4);
	sheet_real(&sheet, NAN, 1);
	sheet_month(&sheet, 202611);
	sheet_day(&sheet, 20261122);
	sheet_day(&sheet, 0);
	sheet_time(&sheet, 1795167666000);
	sheet_time(&sheet, 0);
	sheet_none(&sheet);
	sheet_number(&sheet, -3);
	sheet_end_line(&sheet);
	sheet_word(&sheet, "ours");
	sheet_end_line(&sheet);
	assert_string_equal(out.p, "\xef\xbb\xbfsite;n\r\n"
				   "\"010003720\";Hôpital;1234567;0,6125;;2026-11;2026-11-22;;"
				   "2026-11-20T09:41:06.000Z;;;-3\r\nours\r\n");
}

static void texts_of_others_are_texts(void **state)
{
	static const struct {
		const char *text, *cell;
	} cases[] = {
		{ "=1+2", "'=1+2" },
		{ "+33", "'+33" },
		{ "-1", "'-1" },
		{ "@SUM(A1)", "'@SUM(A1)" },
		{ "\t=1", "\"'\t=1\"" },
		{ "\r=1", "\"'\r=1\"" },
		{ "=HYPERLINK(\"http://x\";1)", "\"'=HYPERLINK(\"\"http://x\"\";1)\"" },
		{ "a;b", "\"a;b\"" },
		{ "a\nb", "\"a\nb\"" },
		{ "5\" \"", "\"5\"\" \"\"\"" },
		{ "a=b", "a=b" },
		{ "", "" },
		{ "caf\xe9", "caf?" },
		{ "=caf\xe9", "'=caf?" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { 0 };
		struct sheet sheet = sheet_on(&out);

		sheet_text(&sheet, cases[i].text);
		buf_add_text(&out, "");
		assert_string_equal(out.p, cases[i].cell);
	}
}

/* A FINESS is one of ours, but a sender may have claimed anything. */
static void codes_are_quoted_and_no_formulas_either(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct sheet sheet = sheet_on(&out);

	(void)state;
	sheet_code(&sheet, "2A0000014");
	sheet_code(&sheet, "=1\"");
	assert_string_equal(out.p, "\"2A0000014\";\"'=1\"\"\"");
}

static void small_counts_are_masked_and_none_is_none(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct sheet sheet = sheet_on(&out);

	(void)state;
	sheet.least_shown = 5;
	for (int64_t count = 0; count <= 5; count++)
		sheet_count(&sheet, count);
	sheet_number(&sheet, 3);
	assert_string_equal(out.p, "0;<5;<5;<5;<5;5;3");
	assert_false(sheet_masks(&sheet, 0));
	assert_true(sheet_masks(&sheet, 4));
	sheet.least_shown = 0;
	assert_false(sheet_masks(&sheet, 4));
}

static void decimals_as_they_are_set(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct sheet sheet = sheet_on(&out);

	(void)state;
	sheet.decimal = '.';
	sheet_real(&sheet, 1234.5, 1);
	sheet_real(&sheet, -0.5, 2);
	assert_string_equal(out.p, "1234.5;-0.50");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_every_kind),
		cmocka_unit_test(texts_of_others_are_texts),
		cmocka_unit_test(codes_are_quoted_and_no_formulas_either),
		cmocka_unit_test(small_counts_are_masked_and_none_is_none),
		cmocka_unit_test(decimals_as_they_are_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
