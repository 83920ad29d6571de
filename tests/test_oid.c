/* Object identifiers, as IHE XDS allows them. */
#include "document/oid.h"

#include "sample.h"

#define TEN "1234567890"

static void oids_are_digits_and_dots(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "1.2.250.1.999.1.1.7001", true },
		{ "2.16.840.1.113883.6.1", true },
		{ "0.9", true },
		{ "1.0.3", true }, /* an arc may be nought */
		{ "1.2.250.1.71.4.2.2.20250327113507.186252", true },
		{ "1.2.250.1.71.4.2.2.20250327113507.084013", false }, /* a leading zero */
		{ "1.00", false },
		{ "", false },
		{ "1", false }, /* one arc names nothing */
		{ "1.", false },
		{ ".1", false },
		{ "1..2", false },
		{ "3.1", false }, /* X.660 knows roots 0, 1 and 2 */
		{ "01.2", false },
		{ "1.2.a", false },
		{ "1.2 ", false },
		{ " 1.2", false },
		{ "1.-2", false },
		{ "1.2^3", false },
		{ "1.2.250.1.71.4.2.2.120456789.A71024000081", false },
		{ "90E1C8EC-F951-4B26-A305-A34848818DD6", false },
		{ "urn:oid:1.2.3", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		if (oid_is_valid(cases[i].text) != cases[i].valid)
			fail_msg("\"%s\" should be %s", cases[i].text,
				 cases[i].valid ? "valid" : "invalid");
	assert_false(oid_is_valid(NULL));
}

static void oids_have_64_characters_at_most(void **state)
{
	(void)state;
	assert_true(oid_is_valid("1." TEN TEN TEN TEN TEN TEN "12"));
	assert_false(oid_is_valid("1." TEN TEN TEN TEN TEN TEN "123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oids_are_digits_and_dots),
		cmocka_unit_test(oids_have_64_characters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
