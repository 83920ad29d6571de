/* A batch file, cut into its messages: whole, or not at all. */
#include "hl7/batch.h"

#include "sample.h"

#define A "MSH|^~\\&|A\rPID|1\r"
#define B "MSH|^~\\&|B\rOBX|1|ED|x\rMSHmore\r"
#define C "MSH|^~\\&|C"

struct cut {
	struct arena arena;
	struct slice *messages;
	size_t count;
	struct err err;
	int result;
};

static struct cut cut(struct slice text)
{
	struct cut cut = { 0 };

	cut.result = hl7_batch_cut(text, &cut.messages, &cut.count, &cut.arena, &cut.err);
	return cut;
}

static void cut_done(struct cut *cut)
{
	arena_done(&cut->arena);
}

static void a_batch_begins_with_its_header(void **state)
{
	static const struct {
		const char *text;
		bool is_batch;
	} cases[] = {
		{ "FHS|^~\\&|x", true }, { "BHS|^~\\&|x", true }, { "\357\273\277BHS|", true },
		{ "\r\n\nFHS|", true },  { "FHS", true },         { "MSH|^~\\&|", false },
		{ "FHSX|", false },      { "FTS|1", false },      { "", false },
		{ "<FHS|/>", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_int_equal(hl7_is_batch(slice_of(cases[i].text)), cases[i].is_batch);
}

static void messages_are_the_bytes_between_the_marks(void **state)
{
	static const char *const files[] = {
		"FHS|^~\\&\rBHS|^~\\&\r" A B C "\rBTS|3\rFTS|1\r",
		"BHS|^~\\&\r" A B C "\rBTS\r",
		"FHS|^~\\&\r" A B C "\rFTS\r",
		"FHS|^~\\&\r" A B C "\rFTS|1||\r",
		"FHS|\rBHS|\r" A "BTS|1\rBHS|\r" B C "\rBTS| 2 |x\rFTS|2",
		"\357\273\277\rFHS|\r\rBHS|\r\r" A B C "\rBTS|3\r\rFTS|1\r\r\r",
	};

	(void)state;
	for (size_t i = 0; i < length_of(files); i++) {
		scoped(cut_done) struct cut found = cut(slice_of(files[i]));

		if (found.result < 0)
			fail_msg("file %zu: %s: %s", i, found.err.where, found.err.text);
		assert_int_equal(found.count, 3);
		assert_slice(slice_trim(found.messages[0]), "MSH|^~\\&|A\rPID|1");
		assert_slice(slice_trim(found.messages[1]),
			     "MSH|^~\\&|B\rOBX|1|ED|x\rMSHmore"); /* a line of Base64 */
		assert_slice(slice_trim(found.messages[2]), C);
	}
}

static void lines_may_end_in_any_way(void **state)
{
	scoped(cut_done) struct cut found =
		cut(slice_of("FHS|\r\nBHS|\nMSH|1\r\nPID|\r\nMSH|2\nBTS|2\r\nFTS|1\r\n"));

	(void)state;
	assert_int_equal(found.result, 0);
	assert_int_equal(found.count, 2);
	assert_slice(slice_trim(found.messages[0]), "MSH|1\r\nPID|");
	assert_slice(slice_trim(found.messages[1]), "MSH|2");
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
		const char *where;
	} cases[] = {
		{ "FHS|\rBHS|\r" A "BTS|1\r", REASON_SEQUENCE, "FTS" },
		{ "FHS|\rBHS|\r" A, REASON_SEQUENCE, "BTS" },
		{ "BHS|\r" A, REASON_SEQUENCE, "BTS" },
		{ "FHS|\r" A, REASON_SEQUENCE, "FTS" },
		{ "FHS|\rBHS|\r" A "FTS|1\r", REASON_SEQUENCE, "FTS" },
		{ "BHS|\rBHS|\r" A "BTS|1\r", REASON_SEQUENCE, "BTS" },
		{ "FHS|\rFHS|\r" A "FTS\r", REASON_SEQUENCE, "FHS" },
		{ "BHS|\r" A "BTS|1\rBTS|1\r", REASON_SEQUENCE, "BHS" },
		{ "BHS|\r" A "BTS|1\rFTS|1\r", REASON_SEQUENCE, "FTS" },
		{ "BHS|\r" A "BTS|1\r" A, REASON_SEQUENCE, "MSH" },
		{ "BHS|\r" A "BTS|1\rPID|1\r", REASON_SEQUENCE, "MSH" },
		{ "FHS|\rBHS|\rPID|1\r" A "BTS|1\rFTS|1\r", REASON_SEQUENCE, "MSH" },
		{ "FHS|\r" A "FTS\r" A, REASON_SEQUENCE, "FTS" },
		{ "BHS|\r" A B "BTS|1\r", REASON_CARDINALITY, "BTS-1" },
		{ "BHS|\r" A "BTS|2\r", REASON_CARDINALITY, "BTS-1" },
		{ "FHS|\rBHS|\r" A "BTS|1\rFTS|2\r", REASON_CARDINALITY, "FTS-1" },
		{ "BHS|\r" A "BTS|one\r", REASON_DATA_TYPE, "BTS-1" },
		{ "BHS|\rBTS|0\r", REASON_CARDINALITY, "MSH" },
		{ "FHS|\rFTS|0\r", REASON_CARDINALITY, "MSH" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(cut_done) struct cut found = cut(slice_of(cases[i].text));

		if (found.result == 0 || found.err.reason != cases[i].reason ||
		    strcmp(found.err.where, cases[i].where) != 0)
			fail_msg("row %zu: %s at \"%s\": %s", i, reason_row(found.err.reason)->code,
				 found.err.where, found.err.text);
	}
}

static void every_prefix_of_a_batch_but_the_whole_is_refused(void **state)
{
	const struct slice whole = slice_of("FHS|\rBHS|\r" A B "BTS|2\rFTS|1");

	(void)state;
	for (size_t n = 0; n <= whole.n; n++) {
		scoped(free_ptr) char *copy = slice_dup((struct slice){ whole.p, n });
		scoped(cut_done) struct cut found = cut((struct slice){ copy, n });
		bool has_end = n + strlen("|1") >= whole.n; /* the count may be left out */

		assert_int_equal(found.result, has_end ? 0 : -1);
	}
}

static void messages_have_a_limit(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	scoped(cut_done) struct cut found = { 0 };

	(void)state;
	buf_add_text(&text, "BHS|\r");
	for (int i = 0; i <= HL7_BATCH_MOST; i++)
		buf_add_text(&text, "MSH|\r");
	buf_add_text(&text, "BTS\r");
	found = cut(buf_slice(&text));
	assert_int_equal(found.result, -1);
	assert_int_equal(found.err.reason, REASON_CARDINALITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_begins_with_its_header),
		cmocka_unit_test(messages_are_the_bytes_between_the_marks),
		cmocka_unit_test(lines_may_end_in_any_way),
		cmocka_unit_test(a_file_that_is_not_whole_is_refused),
		cmocka_unit_test(every_prefix_of_a_batch_but_the_whole_is_refused),
		cmocka_unit_test(messages_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
