/* The national health identity: form, key, domains. */
#include "document/ins.h"

#include "sample.h"

static void key_is_97_less_the_remainder_of_the_number(void **state)
{
	static const struct {
		const char *number;
		bool valid;
	} cases[] = {
		{ "279035121518989", true },  /* 2790351215189 mod 97 is 8 */
		{ "279035121518988", false }, /* one off */
		{ "279035121518990", false },
		{ "185079900012385", true },
		{ "100000000000047", true },
		{ "279035121518900", false }, /* keys go from 01 to 97 */
		{ "279035121518999", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };

		if ((ins_check(cases[i].number, &err) == 0) != cases[i].valid)
			fail_msg("%s should be %s", cases[i].number,
				 cases[i].valid ? "valid" : "invalid");
		assert_int_equal(err.reason, cases[i].valid ? REASON_NONE : REASON_INS_INVALID);
	}
}

static void corsica_counts_as_19_and_18(void **state)
{
	static const struct {
		const char *number;
		bool valid;
	} cases[] = {
		{ "177052A123456KK", true },  { "177052B123456KK", true },
		{ "177052C123456KK", false }, /* there is no third department */
		{ "177052a123456KK", false }, { "17705A2123456KK", false },
		{ "1770522A12345KK", false }, /* at places 6 and 7 only */
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };
		char number[INS_DIGITS + 1];
		bool found = false;

		for (unsigned key = 0; key < 100 && !found; key++) {
			snprintf(number, sizeof(number), "%.13s%02u", cases[i].number, key);
			found = ins_check(number, &err) == 0;
		}
		if (found != cases[i].valid)
			fail_msg("%.13s should %shave a key", cases[i].number,
				 cases[i].valid ? "" : "not ");
	}
}

static void corsican_key_is_that_of_the_number_it_stands_for(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(ins_check("177051912345637", &err), 0);
	assert_int_equal(ins_check("177052A12345637", &err), 0);
	assert_int_equal(ins_check("177051812345664", &err), 0);
	assert_int_equal(ins_check("177052B12345664", &err), 0);
	assert_int_equal(ins_check("177052B12345637", &err), -1);
}

static void what_has_not_the_form_is_refused_without_quoting_it(void **state)
{
	static const char *const cases[] = {
		"",
		"2",
		"27903512151898",   /* 14 */
		"2790351215189890", /* 16 */
		"2790351215189 9",
		"27903512151898A",
		"2790351215189-8",
		"-79035121518989",
		"27903512151898\xc3\xa9",
		"PAT-TROIS^DOMIN",
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(ins_check(cases[i], &err), -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_INS_INVALID);
		if (strlen(cases[i]) > 1)
			assert_null(strstr(err.text, cases[i]));
	}
}

static void domains_are_sent_where_they_belong(void **state)
{
	static const struct {
		const char *oid;
		bool is_domain, production, test, rehearsal;
	} cases[] = {
		{ INS_OID_NIR, true, true, false, true },
		{ INS_OID_NIA, true, true, false, true },
		{ INS_OID_TEST, true, false, true, true },
		{ INS_OID_DEMO, true, false, true, true },
		{ "1.2.250.1.213.1.4.2", false, false, false, false },  /* INS-C, withdrawn */
		{ "1.2.250.1.213.1.4.13", false, false, false, false }, /* the NIR for billing */
		{ "1.2.250.1.213.1.4.1", false, false, false, false },
		{ "1.2.250.1.213.1.4.100", false, false, false, false },
		{ "", false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		assert_int_equal(ins_is_domain(cases[i].oid), cases[i].is_domain);
		assert_int_equal(ins_domain_allowed(cases[i].oid, ENVIRONMENT_PRODUCTION),
				 cases[i].production);
		assert_int_equal(ins_domain_allowed(cases[i].oid, ENVIRONMENT_TEST), cases[i].test);
		assert_int_equal(ins_domain_allowed(cases[i].oid, ENVIRONMENT_REHEARSAL),
				 cases[i].rehearsal);
	}
}

static void environments_have_names(void **state)
{
	(void)state;
	assert_string_equal(environment_text(ENVIRONMENT_PRODUCTION), "production");
	assert_string_equal(environment_text(ENVIRONMENT_TEST), "test");
	assert_string_equal(environment_text(ENVIRONMENT_REHEARSAL), "rehearsal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_is_97_less_the_remainder_of_the_number),
		cmocka_unit_test(corsica_counts_as_19_and_18),
		cmocka_unit_test(corsican_key_is_that_of_the_number_it_stands_for),
		cmocka_unit_test(what_has_not_the_form_is_refused_without_quoting_it),
		cmocka_unit_test(domains_are_sent_where_they_belong),
		cmocka_unit_test(environments_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
