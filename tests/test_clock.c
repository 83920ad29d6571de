/* Time, read and written. */
#include "base/clock.h"

#include <time.h>

#include "sample.h"

#define S INT64_C(1000)

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static int in_utc(void **state)
{
	(void)state;
	zone("UTC0");
	return 0;
}

static void times_are_written_in_utc(void **state)
{
	static const struct {
		int64_t time_ms;
		const char *iso, *xds;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z", "19700101000000" },
		{ 1, "1970-01-01T00:00:00.001Z", "19700101000000" },
		{ INT64_C(1795167667250), "2026-11-20T09:41:07.250Z", "20261120094107" },
		{ INT64_C(951782399999), "2000-02-28T23:59:59.999Z", "20000228235959" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z", "20000229000000" },
		{ -1, "1969-12-31T23:59:59.999Z", "19691231235959" },
		{ -1000, "1969-12-31T23:59:59.000Z", "19691231235959" },
		{ -1001, "1969-12-31T23:59:58.999Z", "19691231235958" },
		{ INT64_C(-1262304000000), "1930-01-01T00:00:00.000Z", "19300101000000" },
	};
	char text[CLOCK_TEXT];

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < length_of(cases); i++) {
		assert_string_equal(clock_iso(cases[i].time_ms, text), cases[i].iso);
		assert_string_equal(clock_xds(cases[i].time_ms, text), cases[i].xds);
	}
}

static void hl7_and_folders_have_the_local_time(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(clock_hl7(INT64_C(1795166101000), text), "20261120101501+0100");
	assert_string_equal(clock_hl7(INT64_C(1782864000000), text), "20260701020000+0200");
	assert_string_equal(clock_day(INT64_C(1795217400000), text), "2026-11-21"); /* 23:30 UTC */
	zone("UTC0");
	assert_string_equal(clock_hl7(INT64_C(1795166101000), text), "20261120091501+0000");
	assert_string_equal(clock_day(INT64_C(1795217400000), text), "2026-11-20");
}

static void hl7_times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t time_ms;
		bool zoned;
	} cases[] = {
		{ "1970", 0, false },
		{ "197001", 0, false },
		{ "19700101", 0, false },
		{ "1970010101", 3600 * S, false },
		{ "197001010001", 60 * S, false },
		{ "19700101000001", S, false },
		{ "19700101000001.9", S, false },
		{ "19700101000001.9999", S, false },
		{ "19700101000000+0000", 0, true },
		{ "19700101000000-0000", 0, true },
		{ "19700101010000+0100", 0, true },
		{ "19691231190000-0500", 0, true },
		{ "19700101053000+0530", 0, true },
		{ "19700101140000+1400", 0, true },
		{ "19700101000001.25+0000", S, true },
		{ "1970+0100", -3600 * S, true },
		{ "197001010100+0100", 0, true },
		{ "20261120094107+0000", 1795167667 * S, true },
		{ "20000229", 951782400 * S, false },        /* a leap year: divides by 400 */
		{ "20240229", 1709164800 * S, false },       /* divides by 4 */
		{ "20241231235960", 1735689600 * S, false }, /* a leap second is the next one */
		{ "19300101", INT64_C(-1262304000) * S, false },
		{ "99991231235959", INT64_C(253402300799) * S, false },
		{ "0001", INT64_C(-62135596800) * S, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		int64_t time_ms = 42;
		bool zoned = !cases[i].zoned;
		struct err err = { 0 };

		if (clock_parse_hl7(slice_of(cases[i].text), &time_ms, &zoned, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (time_ms != cases[i].time_ms)
			fail_msg("%s: %lld", cases[i].text, (long long)time_ms);
		assert_int_equal(zoned, cases[i].zoned);
	}
}

static void what_is_not_a_time_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"197",
		"19700",
		"197013",
		"197000",
		"19700100",
		"19700132",
		"19700431",
		"20230229",
		"19000229",
		"21000229",
		"2024022",
		"1970010124",
		"197001010060",
		"0000",
		"00000101",
		"19700101000061",
		"1970010100000",
		"19700101000000.",
		"19700101.5",
		"19700101000000.x",
		"1970.5",
		"-1970",
		"+0100",
		"1970+",
		"1970+1",
		"1970+01",
		"1970+010",
		"1970+01000",
		"1970+01:00",
		"1970+1500",
		"1970+0160",
		"1970+-100",
		"1970Z",
		"1970-01-01",
		"01/01/1970",
		" 1970",
		"1970 ",
		"1970010A",
		"19700101T000000",
		"197001010000001",
		"1970+0100+0100",
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		int64_t time_ms = 42;
		bool zoned = true;
		struct err err = { 0 };

		if (clock_parse_hl7(slice_of(texts[i]), &time_ms, &zoned, &err) == 0)
			fail_msg("\"%s\" was read", texts[i]);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_DATA_TYPE);
		assert_int_equal(time_ms, 42);
		assert_true(zoned);
	}
}

static void every_prefix_of_a_time_is_read_or_refused(void **state)
{
	static const char whole[] = "20261120094107.1234+0100";
	static const bool is_time[] = {
		false, false, false, false, true,  false, true,  false, true,
		false, true,  false, true,  false, true,  false, true,  true,
		true,  true,  false, false, false, false, true,
	};

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *copy = slice_dup((struct slice){ whole, n });
		int64_t time_ms;
		bool zoned;
		struct err err;
		int result = clock_parse_hl7((struct slice){ copy, n }, &time_ms, &zoned, &err);

		assert_int_equal(result == 0, is_time[n]);
		free(copy);
	}
}

static void without_zone_the_local_one_applies(void **state)
{
	static const struct {
		const char *text;
		int64_t time_ms;
	} cases[] = {
		{ "20261120101501", INT64_C(1795166101000) }, /* winter: an hour ahead of UTC */
		{ "20260701020000", INT64_C(1782864000000) }, /* summer: two */
		{ "20260701020000+0000", INT64_C(1782871200000) },
	};

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < length_of(cases); i++) {
		int64_t time_ms;
		bool zoned;
		struct err err;

		assert_int_equal(clock_parse_hl7(slice_of(cases[i].text), &time_ms, &zoned, &err),
				 0);
		assert_int_equal(time_ms, cases[i].time_ms);
	}
}

static int64_t read_time_ms(const char *text)
{
	int64_t time_ms;
	bool zoned;
	struct err err;

	assert_int_equal(clock_parse_hl7(slice_of(text), &time_ms, &zoned, &err), 0);
	return time_ms;
}

static void an_hour_that_exists_twice_is_the_first_whatever_was_read_before(void **state)
{
	static const char *const before[] = { "20260701120000", "20261201120000" };
	static const char *const zones[] = { "CET-1CEST,M3.5.0,M10.5.0/3", ":Europe/Paris" };

	(void)state;
	for (size_t i = 0; i < length_of(zones) * length_of(before); i++) {
		zone(zones[i / 2]);
		(void)read_time_ms(before[i % 2]);
		assert_int_equal(read_time_ms("20261025023000"),
				 read_time_ms("20261025003000+0000"));
		assert_int_equal(read_time_ms("20261025015959"),
				 read_time_ms("20261024235959+0000"));
		(void)read_time_ms(before[i % 2]);
		assert_int_equal(read_time_ms("20261025030000"),
				 read_time_ms("20261025020000+0000"));
		(void)read_time_ms(
			before[i % 2]); /* and one that does not exist is that of an hour later */
		assert_int_equal(read_time_ms("20260329023000"),
				 read_time_ms("20260329013000+0000"));
	}
}

static void what_is_written_can_be_read(void **state)
{
	static const int64_t times_s[] = { 0, 1, -1, 1795167667, -1262304000, 951782399 };

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < length_of(times_s); i++) {
		char text[CLOCK_TEXT];
		int64_t time_ms;
		bool zoned;
		struct err err;

		clock_hl7(times_s[i] * S, text);
		assert_int_equal(clock_parse_hl7(slice_of(text), &time_ms, &zoned, &err), 0);
		assert_int_equal(time_ms, times_s[i] * S);
		assert_true(zoned);
	}
}

static void clocks_run_forward(void **state)
{
	int64_t now_ms = clock_now_ms(), monotonic_ms = clock_monotonic_ms();

	(void)state;
	assert_true(now_ms > INT64_C(1700000000000)); /* 2023 */
	assert_true(clock_monotonic_ms() >= monotonic_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(times_are_written_in_utc, in_utc),
		cmocka_unit_test_setup(hl7_and_folders_have_the_local_time, in_utc),
		cmocka_unit_test_setup(hl7_times_are_read, in_utc),
		cmocka_unit_test_setup(what_is_not_a_time_is_refused, in_utc),
		cmocka_unit_test_setup(every_prefix_of_a_time_is_read_or_refused, in_utc),
		cmocka_unit_test_setup(without_zone_the_local_one_applies, in_utc),
		cmocka_unit_test_setup(
			an_hour_that_exists_twice_is_the_first_whatever_was_read_before, in_utc),
		cmocka_unit_test_setup(what_is_written_can_be_read, in_utc),
		cmocka_unit_test_setup(clocks_run_forward, in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
