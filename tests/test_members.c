/* A member of a request that is not of its kind is refused, not read as if it were not there. */
#include "operator/members.h"

#include "sample.h"

static void assert_answer(const char *request, const char *expected)
{
	json_t *asked = json_loads(request, 0, NULL);
	struct err err = { 0 };
	const int result = members_check(asked, &err);

	json_decref(asked);
	if (result != (expected[0] ? -1 : 0))
		fail_msg("%s: %d", request, result);
	assert_string_equal(err.text, expected);
	assert_int_equal(err.kind, expected[0] ? ERR_REJECT : ERR_NONE);
}

static void what_is_of_its_kind_passes(void **state)
{
	static const char *const requests[] = {
		"{}",
		"[1]",
		"7",
		"{\"command\":\"retry\",\"lang\":\"fr\",\"docs\":[],\"reason\":\"ins\"}",
		"{\"docs\":[\"01J9\",\"1.2.3\"],\"dry_run\":true,\"force\":false}",
		"{\"command\":\"list\",\"older_than_ms\":0,\"limit\":5,\"site\":\"990012345\"}",
		"{\"command\":\"tail\",\"mark\":12}",
		"{\"command\":\"export\",\"mark\":{\"month\":202611,\"seal\":\"ab\"}}",
		"{\"command\":\"list\",\"unheard_of\":null}",
	};

	(void)state;
	for (size_t i = 0; i < length_of(requests); i++)
		assert_answer(requests[i], "");
	assert_int_equal(members_check(NULL, &(struct err){ 0 }), 0); /* refused elsewhere */
}

static void each_of_another_kind_is_refused(void **state)
{
	static const char *const texts[] = { "command", "lang",  "doc",     "state",      "reason",
					     "site",    "after", "from",    "to",         "by",
					     "actor",   "file",  "mapping", "denominator" };
	static const char *const flags[] = { "dry_run", "force",    "rebuild", "declared",
					     "outside", "evidence", "rates",   "without_letter" };
	static const char *const no_texts[] = { "990012345", "null", "true", "[\"x\"]",
						"{\"x\":1}", "1.5",  "\"\"" };
	static const char *const no_flags[] = { "1", "null", "\"true\"", "[true]", "{}" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++)
		for (size_t j = 0; j < length_of(no_texts); j++) {
			scoped(free_ptr) char *request =
				xasprintf("{\"%s\":%s}", texts[i], no_texts[j]);
			scoped(free_ptr) char *expected =
				xasprintf("%s is a text in quotes with something in it, not %s",
					  texts[i], no_texts[j]);

			assert_answer(request, expected);
		}
	for (size_t i = 0; i < length_of(flags); i++)
		for (size_t j = 0; j < length_of(no_flags); j++) {
			scoped(free_ptr) char *request =
				xasprintf("{\"%s\":%s}", flags[i], no_flags[j]);
			scoped(free_ptr) char *expected =
				xasprintf("%s is true or false, not %s", flags[i], no_flags[j]);

			assert_answer(request, expected);
		}
}

static void lists_numbers_and_marks_too(void **state)
{
	(void)state;
	assert_answer("{\"docs\":\"01J9\"}", "docs is a list of texts in quotes, not \"01J9\"");
	assert_answer("{\"docs\":[\"01J9\",7]}",
		      "docs is a list of texts in quotes, not [\"01J9\",7]");
	assert_answer("{\"docs\":null}", "docs is a list of texts in quotes, not null");
	assert_answer("{\"older_than_ms\":\"5\"}",
		      "older_than_ms is a whole number, 0 or more, not \"5\"");
	assert_answer("{\"older_than_ms\":-1}",
		      "older_than_ms is a whole number, 0 or more, not -1");
	assert_answer("{\"older_than_ms\":1.5}",
		      "older_than_ms is a whole number, 0 or more, not 1.5");
	assert_answer("{\"mark\":\"12\"}", "mark is the mark of an answer before, not \"12\"");
	assert_answer("{\"mark\":-12}", "mark is the mark of an answer before, not -12");
	assert_answer("{\"lang\":\"fr\",\"site\":990012345}",
		      "site est un texte entre guillemets, non vide, et non 990012345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_of_its_kind_passes),
		cmocka_unit_test(each_of_another_kind_is_refused),
		cmocka_unit_test(lists_numbers_and_marks_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
