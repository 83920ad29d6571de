/* When an unknown refusal stops being one document's fault. */
#include "sample.h"

#include "dispatch/suspicion.h"

static const struct ulid a = { { 1 } }, b = { { 2 } }, c = { { 3 } }, d = { { 4 } };

static void the_third_document_in_a_row_is_one_too_many(void **state)
{
	struct suspicion suspicion = { 0 };

	(void)state;
	assert_false(suspicion_raise(&suspicion, "DMPNew", &a));
	assert_false(suspicion_raise(&suspicion, "DMPNew", &b));
	assert_true(suspicion_raise(&suspicion, "DMPNew", &c));
}

static void it_stays_so_until_something_known_comes(void **state)
{
	struct suspicion suspicion = { 0 };

	(void)state;
	assert_false(suspicion_raise(&suspicion, "DMPNew", &a));
	assert_false(suspicion_raise(&suspicion, "DMPNew", &b));
	assert_true(suspicion_raise(&suspicion, "DMPNew", &c));
	assert_true(suspicion_raise(&suspicion, "DMPNew", &c));
	assert_true(suspicion_raise(&suspicion, "DMPNew", &d));
	suspicion_clear(&suspicion);
	assert_false(suspicion_raise(&suspicion, "DMPNew", &c));
}

static void one_document_counts_once(void **state)
{
	struct suspicion suspicion = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_false(suspicion_raise(&suspicion, "DMPNew", &a));
		assert_false(suspicion_raise(&suspicion, "DMPNew", &b));
	}
}

static void another_code_begins_anew(void **state)
{
	struct suspicion suspicion = { 0 };

	(void)state;
	assert_false(suspicion_raise(&suspicion, "DMPNew", &a));
	assert_false(suspicion_raise(&suspicion, "DMPNew", &b));
	assert_false(suspicion_raise(&suspicion, "DMPOther", &c));
	assert_false(suspicion_raise(&suspicion, "DMPNew", &d));
}

static void a_code_of_any_length_is_compared_by_its_start(void **state)
{
	struct suspicion suspicion = { 0 };
	char code[1000];

	(void)state;
	memset(code, 'x', sizeof(code));
	code[sizeof(code) - 1] = '\0';
	assert_false(suspicion_raise(&suspicion, code, &a));
	assert_false(suspicion_raise(&suspicion, code, &b));
	assert_true(suspicion_raise(&suspicion, code, &c));
}

static void the_fifth_strange_answer_in_a_row_is_one_too_many(void **state)
{
	struct suspicion suspicion = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(suspicion_of_stranger(&suspicion));
	suspicion_was_the_dmp(&suspicion);
	for (int i = 0; i < 4; i++)
		assert_false(suspicion_of_stranger(&suspicion));
	suspicion_clear(&suspicion); /* that is about refusals */
	for (int i = 0; i < 3; i++)
		assert_true(suspicion_of_stranger(&suspicion));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_third_document_in_a_row_is_one_too_many),
		cmocka_unit_test(it_stays_so_until_something_known_comes),
		cmocka_unit_test(one_document_counts_once),
		cmocka_unit_test(another_code_begins_anew),
		cmocka_unit_test(a_code_of_any_length_is_compared_by_its_start),
		cmocka_unit_test(the_fifth_strange_answer_in_a_row_is_one_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
