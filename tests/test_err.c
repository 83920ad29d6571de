/* What went wrong: kinds, reasons, places, and the story that callers add to. */
#include "base/err.h"

#include "sample.h"

static void setting_an_error_fails(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_RETRY, "no answer in %d ms", 412), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(err.reason, REASON_NONE);
	assert_string_equal(err.where, "");
	assert_string_equal(err.text, "no answer in 412 ms");
}

static void refusing_names_reason_and_place(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_refuse(&err, REASON_FIELD_MISSING, "TXA-12", "%s is empty", "it"), -1);
	assert_int_equal(err.kind, ERR_REJECT);
	assert_int_equal(err.reason, REASON_FIELD_MISSING);
	assert_string_equal(err.where, "TXA-12");
	assert_string_equal(err.text, "it is empty");
}

static void a_new_error_replaces_the_old_one(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_FIELD_MISSING, "TXA-12", "it is empty");
	(void)err_set(&err, ERR_HALT, "no key");
	assert_int_equal(err.kind, ERR_HALT);
	assert_int_equal(err.reason, REASON_NONE);
	assert_string_equal(err.where, "");
	assert_string_equal(err.text, "no key");
}

static void what_is_quoted_is_answered_and_not_told(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_TABLE_VALUE, "PV1-2", "279035121518988 is no class");
	assert_string_equal(err_told(&err), "279035121518988 is no class");
	assert_int_equal(err_quotes(&err), -1);
	assert_int_equal(err_within(&err, "message %d", 7), -1);
	assert_string_equal(err_told(&err), reason_row(REASON_TABLE_VALUE)->english);
	assert_string_equal(err.text, "message 7: 279035121518988 is no class");
	(void)err_refuse(&err, REASON_TABLE_VALUE, "PV1-2", "it is no class");
	assert_string_equal(err_told(&err), "it is no class");
}

static void callers_put_their_part_in_front(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_FIELD_MISSING, "MSH-9", "MSH-9 is empty");
	assert_int_equal(err_within(&err, "message %d", 7), -1);
	assert_int_equal(err_within(&err, "from %s", "10.0.0.7"), -1);
	assert_string_equal(err.text, "from 10.0.0.7: message 7: MSH-9 is empty");
	assert_int_equal(err.kind, ERR_REJECT);
	assert_int_equal(err.reason, REASON_FIELD_MISSING);
	assert_string_equal(err.where, "MSH-9");
}

static void what_is_too_long_is_cut(void **state)
{
	struct err err = { 0 };
	char longer[2 * ERR_TEXT];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)err_refuse(&err, REASON_DATA_TYPE, longer, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
	assert_int_equal(strlen(err.where), ERR_WHERE - 1);
	(void)err_within(&err, "a");
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
	assert_memory_equal(err.text, "a: xxx", 6);
	(void)err_within(&err, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
}

/* The journal, the answers and the page are UTF-8: half a character would break them. */
static void a_cut_text_is_still_utf_8(void **state)
{
	(void)state;
	for (int before = 0; before < 3; before++) {
		scoped(buf_done) struct buf words = { 0 };
		struct err err = { 0 };
		size_t n;

		for (int i = 0; i < before; i++)
			buf_add_char(&words, 'x');
		for (int i = 0; i < ERR_TEXT; i++)
			buf_add_text(&words, "€");
		(void)err_set(&err, ERR_REJECT, "%s", words.p);
		n = strlen(err.text);
		assert_in_range(n, ERR_TEXT - 4, ERR_TEXT - 1);
		assert_int_equal((n - (size_t)before) % 3, 0);
		(void)err_within(&err, "y");
		assert_int_equal((strlen(err.text) - 3 - (size_t)before) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_an_error_fails),
		cmocka_unit_test(refusing_names_reason_and_place),
		cmocka_unit_test(a_new_error_replaces_the_old_one),
		cmocka_unit_test(what_is_quoted_is_answered_and_not_told),
		cmocka_unit_test(callers_put_their_part_in_front),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(a_cut_text_is_still_utf_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
