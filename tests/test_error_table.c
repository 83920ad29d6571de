/* The table of the DMP's errors: which row counts, and what is said of a table that is broken. */
#include "sample.h"

#include "dispatch/error_table.h"

#define HEADER "code,shape,text,class,attempts,english,french,todo_english,todo_french\n"

static struct error_table *parse(const char *rows)
{
	scoped(free_ptr) char *text = xasprintf("%s%s", HEADER, rows);
	struct error_table *table = NULL;
	struct err err = { 0 };

	if (error_table_parse(&table, "t.csv", slice_of(text), &err) < 0)
		fail_msg("%s", err.text);
	return table;
}

static unsigned line_for(const struct error_table *table, enum reply_shape shape, const char *code,
			 const char *text)
{
	const struct reply refusal = { .shape = shape, .code = code, .text = text };
	const struct error_row *row = error_table_find(table, &refusal);

	return row ? row->line : 0;
}

static void a_row_says_class_attempts_and_sentences(void **state)
{
	scoped(error_table_free) struct error_table *table =
		parse("DMPNew,fault,,vague,7,It is new.,Il est neuf.,Read.,Lire.\n");
	const struct reply refusal = { .shape = REPLY_FAULT, .code = "DMPNew", .text = "" };
	const struct error_row *row = error_table_find(table, &refusal);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->class, ERROR_VAGUE);
	assert_int_equal(row->attempts, 7);
	assert_string_equal(row->english, "It is new.");
	assert_string_equal(row->french, "Il est neuf.");
	assert_string_equal(row->todo_english, "Read.");
	assert_string_equal(row->todo_french, "Lire.");
}

static void the_first_row_that_fits_counts_and_codes_come_before_words(void **state)
{
	scoped(error_table_free) struct error_table *table =
		parse(/*  2 */ ",,closed,closed,,,,,\n"
			       /*  3 */ "A,,closed,opposed,,,,,\n"
			       /*  4 */ "A,fault,,document,,,,,\n"
			       /*  5 */ "A,,,transient,,,,,\n"
			       /*  6 */ "V,,,vague,,,,,\n"
			       /*  7 */ ",hl7,^x.*y$,absent,,,,,\n"
			       /*  8 */ ",,^x.*y$,configuration,,,,,\n");
	static const struct {
		enum reply_shape shape;
		const char *code, *text;
		unsigned line;
	} cases[] = {
		{ REPLY_FAULT, "A", "it is closed", 3 },
		{ REPLY_FAULT, "A", "words", 4 },
		{ REPLY_FAILURE, "A", "words", 5 },
		{ REPLY_FAILURE, "B", "it is CLOSED.", 2 },
		{ REPLY_FAILURE, "B", "words", 0 },
		{ REPLY_FAILURE, "", "closed", 2 },
		{ REPLY_FAILURE, "V", "closed", 2 },
		{ REPLY_FAILURE, "V", "words", 6 },
		{ REPLY_HL7_ACK, "B", "x12y", 7 },
		{ REPLY_FAULT, "B", "x12y", 8 },
		{ REPLY_FAULT, "B", "x12yz", 0 },
		{ REPLY_FAULT, "", "", 0 },
		{ REPLY_FAULT, "a", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_int_equal(line_for(table, cases[i].shape, cases[i].code, cases[i].text),
				 cases[i].line);
}

static void what_is_broken_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "code,class\n", "t.csv:1: there is no column \"shape\" (columns are separated by "
				  "commas)" },
		{ HEADER ",,,document,,,,,\n", "t.csv:2: the row has neither a code nor a text" },
		{ HEADER "A,,,fatal,,,,,\n",
		  "t.csv:2: the class \"fatal\" is none of transient, slow, document, absent, "
		  "closed, "
		  "opposed, configuration, duplicate, missing, stale, vague" },
		{ HEADER "A,http,,document,,,,,\n",
		  "t.csv:2: the shape is none of registry, fault, hl7" },
		{ HEADER "A,,,transient,many,,,,\n",
		  "t.csv:2: attempts is no number, or above 1000" },
		{ HEADER "A,,,transient,1001,,,,\n",
		  "t.csv:2: attempts is no number, or above 1000" },
		{ HEADER "A,,(,document,,,,,\n",
		  "t.csv:2: the regular expression is none: Unmatched ( or \\(" },
		{ HEADER "A,,,document,,,,,\n# x\nA,,,absent,,,,,\n",
		  "t.csv:4: line 2 fits the same and comes first" },
		{ HEADER "A,,,document\n", "t.csv:2: 4 fields under 9 columns" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct error_table *table = NULL;
		struct err err = { 0 };

		assert_int_equal(error_table_parse(&table, "t.csv", slice_of(cases[i].text), &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
		assert_string_equal(err.text, cases[i].said);
		assert_null(table);
	}
}

static void a_pattern_is_bounded(void **state)
{
	scoped(free_ptr) char *text = xasprintf(HEADER "A,,%0300d,document,,,,,\n", 0);
	struct error_table *table = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(error_table_parse(&table, "t.csv", slice_of(text), &err), -1);
	assert_string_equal(err.text, "t.csv:2: the regular expression is longer than 200");
}

static void a_missing_table_is_named(void **state)
{
	struct error_table *table = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(error_table_load(&table, "/nonexistent.csv", &err), -1);
	assert_string_equal(err.text, "/nonexistent.csv: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_says_class_attempts_and_sentences),
		cmocka_unit_test(the_first_row_that_fits_counts_and_codes_come_before_words),
		cmocka_unit_test(what_is_broken_is_said_with_its_line),
		cmocka_unit_test(a_pattern_is_bounded),
		cmocka_unit_test(a_missing_table_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
