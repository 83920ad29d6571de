/* The id of a document. */
#include "base/ulid.h"

#include "sample.h"

#define FIRST "00000000000000000000000000"
#define LAST "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"

static struct ulid parsed(const char *text)
{
	struct ulid ulid = { 0 };

	if (!ulid_parse(slice_of(text), &ulid))
		fail_msg("%s is not read", text);
	return ulid;
}

static int compare(const struct ulid *a, const struct ulid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void an_id_holds_its_time(void **state)
{
	struct ulid ulid = ulid_new(INT64_C(0x0123456789ab));

	(void)state;
	assert_memory_equal(ulid.bytes, "\x01\x23\x45\x67\x89\xab", 6);
}

static void ids_ascend_within_a_millisecond_and_when_the_clock_goes_back(void **state)
{
	static const int64_t steps_ms[] = { 1, 0, 0, 5, -3, -1000000, 0, 7, 1000000, 1 };
	const int64_t start_ms = INT64_C(1795167667250);
	int64_t now_ms = start_ms;
	struct ulid last = parsed(FIRST), next;
	char last_text[ULID_TEXT], next_text[ULID_TEXT];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		now_ms += steps_ms[i % (int)length_of(steps_ms)];
		next = ulid_new(now_ms);
		assert_true(compare(&last, &next) < 0);
		assert_true(strcmp(ulid_text(&last, last_text), ulid_text(&next, next_text)) < 0);
		last = next;
	}
}

static void ids_of_one_millisecond_differ_by_chance(void **state)
{
	struct ulid a = ulid_new(INT64_C(200000000000001)), b = ulid_new(INT64_C(200000000000002));

	(void)state;
	assert_memory_not_equal(a.bytes + 6, b.bytes + 6, 10);
}

static void text_is_read_back_in_any_case(void **state)
{
	struct ulid ulid = ulid_new(INT64_C(281474976710000)), again;
	char text[ULID_TEXT];

	(void)state;
	again = parsed(ulid_text(&ulid, text));
	assert_int_equal(compare(&ulid, &again), 0);
	for (char *c = text; *c; c++)
		if (*c >= 'A')
			*c = (char)(*c - 'A' + 'a');
	again = parsed(text);
	assert_int_equal(compare(&ulid, &again), 0);
}

/* The example of the ULID specification. */
static void a_known_id_has_its_known_bytes(void **state)
{
	struct ulid ulid = parsed("01ARZ3NDEKTSV4RRFFQ69G5FAV");
	char text[ULID_TEXT];

	(void)state;
	assert_memory_equal(ulid.bytes,
			    "\x01\x56\x3e\x3a\xb5\xd3\xd6\x76\x4c\x61\xef\xb9\x93\x02\xbd\x5b", 16);
	assert_string_equal(ulid_text(&ulid, text), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
}

static void what_is_not_an_id_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"0",
		"0000000000000000000000000",   /* 25 */
		"000000000000000000000000000", /* 27 */
		"80000000000000000000000000",  /* 129 bits */
		"Z0000000000000000000000000",
		"0000000000000000000000000I",
		"0000000000000000000000000L",
		"0000000000000000000000000O",
		"0000000000000000000000000U",
		"0000000000000000000000000u",
		"0000000000000 000000000000",
		"000000000000-0000000000000",
		"\3510000000000000000000000000",
		"\351000000000000000000000000",
	};
	struct ulid ulid;

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++)
		assert_false(ulid_parse(slice_of(texts[i]), &ulid));
	assert_false(ulid_parse(bytes_of("0000000000000\0"
					 "000000000000"),
				&ulid));
	assert_false(ulid_parse((struct slice){ NULL, 0 }, &ulid));
}

static void decimal_is_the_whole_number(void **state)
{
	static const struct {
		const char *text, *decimal;
	} cases[] = {
		{ FIRST, "0" },
		{ "00000000000000000000000001", "1" },
		{ "0000000000000000000000000A", "10" },
		{ "0000000000000000000000000Z", "31" },
		{ "00000000000000000000000010", "32" },
		{ "0000000000000FZZZZZZZZZZZZ", "18446744073709551615" },
		{ "0000000000000G000000000000", "18446744073709551616" },
		{ LAST, "340282366920938463463374607431768211455" },
	};
	char decimal[ULID_DECIMAL];

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct ulid ulid = parsed(cases[i].text);

		assert_string_equal(ulid_decimal(&ulid, decimal), cases[i].decimal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* each takes ids of later times than the one before: ids of a thread never go back */
		cmocka_unit_test(an_id_holds_its_time),
		cmocka_unit_test(ids_ascend_within_a_millisecond_and_when_the_clock_goes_back),
		cmocka_unit_test(ids_of_one_millisecond_differ_by_chance),
		cmocka_unit_test(text_is_read_back_in_any_case),
		cmocka_unit_test(a_known_id_has_its_known_bytes),
		cmocka_unit_test(what_is_not_an_id_is_refused),
		cmocka_unit_test(decimal_is_the_whole_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
