/* Who may ask what. */
#include "operator/rights.h"

#include "sample.h"

static enum control_role needed_for(const char *request)
{
	json_t *asked = json_loads(request, 0, NULL);
	enum control_role role = rights_needed(asked);

	json_decref(asked);
	return role;
}

static void each_command_has_its_role(void **state)
{
	static const struct {
		const char *request;
		enum control_role role;
	} cases[] = {
		{ "{\"command\":\"status\"}", ROLE_READ },
		{ "{\"command\":\"show\",\"doc\":\"01J9\"}", ROLE_READ },
		{ "{\"command\":\"counters\"}", ROLE_READ },
		{ "{\"command\":\"counters\",\"rebuild\":false}", ROLE_READ },
		{ "{\"command\":\"counters\",\"rebuild\":true}", ROLE_ADMIN },
		{ "{\"command\":\"hold\"}", ROLE_OPERATE },
		{ "{\"command\":\"release\",\"dry_run\":true}", ROLE_OPERATE },
		{ "{\"command\":\"recall\"}", ROLE_ADMIN },
		{ "{\"command\":\"backup\"}", ROLE_ADMIN },
		{ "{\"command\":\"audit\"}", ROLE_ADMIN },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		if (needed_for(cases[i].request) != cases[i].role)
			fail_msg("%s", cases[i].request);
}

static void what_is_not_known_is_for_administrators(void **state)
{
	(void)state;
	assert_int_equal(needed_for("{\"command\":\"shutdown\"}"), ROLE_ADMIN);
	assert_int_equal(needed_for("{\"command\":7}"), ROLE_ADMIN);
	assert_int_equal(needed_for("[]"), ROLE_ADMIN);
	assert_int_equal(rights_needed(NULL), ROLE_ADMIN); /* no JSON at all */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_has_its_role),
		cmocka_unit_test(what_is_not_known_is_for_administrators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
