/* Tables that people write: what is read of them, and what is said of one that is broken. */
#include "sample.h"

#include <unistd.h>

#include "base/csv.h"

static int parse(struct csv *csv, const char *text, struct arena *arena, struct err *err)
{
	return csv_parse(csv, "t.csv", slice_of(text), arena, err);
}

/* Every field of every record, the names first: "a|b/1|2/". -1: *ret is what went wrong. */
static int read_whole(struct slice bytes, struct buf *ret)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;
	int rc = csv_parse(&csv, "t.csv", bytes, &arena, &err) < 0 ? -1 : 1;

	for (; rc > 0; rc = csv_next(&csv, &err)) {
		for (size_t i = 0; i < csv.field_count; i++)
			buf_addf(ret, "%s%s", i ? "|" : "", csv.fields[i]);
		buf_add_char(ret, '/');
	}
	if (rc < 0) {
		buf_clear(ret);
		buf_add_text(ret, err.text);
	}
	return rc;
}

static void records_are_read_field_by_field(void **state)
{
	static const struct {
		const char *text, *read;
	} cases[] = {
		{ "a,b\n1,2\n", "a|b/1|2/" },
		{ "a,b\r\n1,2\r\n", "a|b/1|2/" },
		{ "a,b\n1,2", "a|b/1|2/" },
		{ "a\n", "a/" },
		{ "a,b\n,\n", "a|b/|/" },
		{ "\xef\xbb\xbf"
		  "a,b\n1,2\n",
		  "a|b/1|2/" },
		{ "# note\n\na,b\n# 3,4\n\r\n1,2\n", "a|b/1|2/" },
		{ "a,b\n\"1,5\",\"say \"\"x\"\"\"\n", "a|b/1,5|say \"x\"/" },
		{ "a,b\n\"two\nlines\",2\n3,4\n", "a|b/two\nlines|2/3|4/" },
		{ "a,b\n\xc3\xa9,\xf0\x9f\x98\x80\n", "a|b/\xc3\xa9|\xf0\x9f\x98\x80/" },
		{ "a,b\n1,#\n", "a|b/1|#/" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf read = { 0 };

		assert_int_equal(read_whole(slice_of(cases[i].text), &read), 0);
		assert_string_equal(read.p, cases[i].read);
	}
}

static void what_is_broken_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "t.csv:1: the file is empty" },
		{ "# only\n", "t.csv:2: the file is empty" },
		{ "a,b\n1\n", "t.csv:2: 1 fields under 2 columns" },
		{ "a,b\n1,2\n\n1,2,3\n", "t.csv:4: 3 fields under 2 columns" },
		{ "a,b\n\"1,2\n", "t.csv:2: a quoted field is not closed" },
		{ "a,b\n1\"2,3\n",
		  "t.csv:2: a quote stands inside a field, or text behind a quoted one" },
		{ "a,b\n\"1\"2,3\n",
		  "t.csv:2: a quote stands inside a field, or text behind a quoted one" },
		{ "a,b\n1,\xe9\n", "t.csv: not text in UTF-8" },
		{ "a,b\n1,\xed\xa0\x80\n", "t.csv: not text in UTF-8" },
		{ "a,b\n1,\xc0\x80\n", "t.csv: not text in UTF-8" },
		{ "a,b\n1,\xf4\x90\x80\x80\n", "t.csv: not text in UTF-8" },
		{ "a,b\n1,\xc3", "t.csv: not text in UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf said = { 0 };

		assert_int_equal(read_whole(slice_of(cases[i].text), &said), -1);
		assert_string_equal(said.p, cases[i].said);
	}
}

static void columns_are_known_by_name(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;
	int column = 7;

	(void)state;
	assert_int_equal(parse(&csv, "# x\nfirst,second\n", &arena, &err), 0);
	assert_int_equal(csv_column(&csv, "second", &column, &err), 0);
	assert_int_equal(column, 1);
	assert_int_equal(csv_column(&csv, "third", &column, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_string_equal(err.text, "t.csv:2: there is no column \"third\" (columns are "
				      "separated by commas)");
}

static void width_and_size_are_bounded(void **state)
{
	scoped(buf_done) struct buf wide = { 0 }, said = { 0 }, large = { 0 };

	(void)state;
	for (int i = 0; i < CSV_COLUMNS; i++)
		buf_add_text(&wide, "x,");
	assert_int_equal(read_whole(buf_slice(&wide), &said), -1);
	assert_string_equal(said.p, "t.csv:1: there are more than 32 columns");
	for (int i = 0; i <= CSV_BYTES; i++)
		buf_add_char(&large, '\n');
	assert_int_equal(read_whole(buf_slice(&large), &said), -1);
	assert_string_equal(said.p, "t.csv: larger than 1 MiB");
}

static void a_nul_is_no_text(void **state)
{
	scoped(buf_done) struct buf said = { 0 };

	(void)state;
	assert_int_equal(read_whole(bytes_of("a,b\n1,\0\n"), &said), -1);
	assert_string_equal(said.p, "t.csv: not text in UTF-8");
}

static void there_are_never_more_records_than_announced(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;
	size_t n = 0;

	(void)state;
	assert_int_equal(parse(&csv, "a\n1\n2\n3", &arena, &err), 0);
	while (csv_next(&csv, &err) > 0)
		n++;
	assert_int_equal(n, 3);
	assert_true(n <= csv.most_records);
}

static void a_missing_file_is_named(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;

	(void)state;
	assert_int_equal(csv_open(&csv, "/nonexistent/t.csv", &arena, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_string_equal(err.text, "/nonexistent/t.csv: No such file or directory");
	assert_int_equal(csv_open(&csv, "/", &arena, &err), -1);
}

static void a_text_cut_anywhere_is_read_or_refused(void **state)
{
	static const char whole[] = "a,b\n\"1\"\"\n\",\xc3\xa9\r\n# c\n3,4\n";

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		scoped(buf_done) struct buf read = { 0 };
		scoped(free_ptr) char *cut = malloc(n ? n : 1);

		memcpy(cut, whole, n);
		(void)read_whole((struct slice){ cut, n }, &read);
	}
}

/* Sheets are separated by semicolons where decimals have commas. */
static void a_sheet_says_what_separates_its_fields(void **state)
{
	static const char *const texts[] = { "a;b\n1;\"2;3\"\n", "a,b\n1,\"2;3\"\n",
					     ("\xef\xbb\xbf"
					      "a;b\r\n1;2;3\r\n4;2;3\r\n") };
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(csv_parse_sheet(&csv, "t", slice_of(texts[i]), &arena, &err), 0);
		assert_int_equal(csv_next(&csv, &err), 1);
		assert_string_equal(csv.fields[0], "1");
		assert_string_equal(csv.fields[1], "2;3");
	}
	assert_int_equal(csv_parse_sheet(&csv, "t", slice_of(texts[2]), &arena, &err), 0);
	assert_int_equal(csv_next(&csv, &err), -1);
	assert_string_equal(err.text, "t:2: 3 fields under 2 columns");
	assert_true(csv.goes_on); /* a wrong record is not the end */
	assert_int_equal(csv_next(&csv, &err), -1);
	assert_string_equal(err.text, "t:3: 3 fields under 2 columns");
	assert_int_equal(csv_next(&csv, &err), 0);
	assert_int_equal(csv_parse_sheet(&csv, "t", slice_of("a;b\n\"1;2\n"), &arena, &err), 0);
	assert_int_equal(csv_next(&csv, &err), -1);
	assert_false(csv.goes_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_field_by_field),
		cmocka_unit_test(what_is_broken_is_said_with_its_line),
		cmocka_unit_test(columns_are_known_by_name),
		cmocka_unit_test(width_and_size_are_bounded),
		cmocka_unit_test(a_nul_is_no_text),
		cmocka_unit_test(there_are_never_more_records_than_announced),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(a_text_cut_anywhere_is_read_or_refused),
		cmocka_unit_test(a_sheet_says_what_separates_its_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
