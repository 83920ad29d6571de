/* Days in Paris: at midnight, at the changes of clocks, and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"

enum { HOUR_MS = 3600000 };

static int64_t at(const char *hl7) /* with its zone */
{
	int64_t time_ms;
	struct err err = { 0 };
	bool zoned;

	if (clock_parse_hl7(slice_of(hl7), &time_ms, &zoned, &err) < 0 || !zoned)
		fail_msg("%s: %s", hl7, err.text);
	return time_ms;
}

static void a_day_ends_at_midnight_in_paris(void **state)
{
	static const struct {
		const char *midnight; /* the first moment of `day` */
		int before, day;
	} cases[] = {
		{ "20261231230000+0000", 20261231, 20270101 }, /* winter, a year's last day */
		{ "20260630220000+0000", 20260630, 20260701 }, /* summer, the last day of a window */
		{ "20260328230000+0000", 20260328, 20260329 }, /* the night of the change to summer */
		{ "20260329220000+0000", 20260329, 20260330 }, /* its day has 23 hours */
		{ "20261024220000+0000", 20261024, 20261025 }, /* the night of the change to winter */
		{ "20261025230000+0000", 20261025, 20261026 }, /* its day has 25 hours */
		{ "20240228230000+0000", 20240228, 20240229 }, /* a leap year */
		{ "20240229230000+0000", 20240229, 20240301 },
		{ "20210331220000+0000", 20210331, 20210401 },
		{ "19700101230000+0000", 19700101, 19700102 },
		{ "19691231230000+0000", 19691231, 19700101 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const int64_t midnight_ms = at(cases[i].midnight);

		assert_int_equal(calendar_day(midnight_ms - 100), cases[i].before);
		assert_int_equal(calendar_day(midnight_ms - 1), cases[i].before);
		assert_int_equal(calendar_day(midnight_ms), cases[i].day);
		assert_int_equal(calendar_day(midnight_ms + 100), cases[i].day);
		assert_int_equal(calendar_begins_ms(cases[i].day), midnight_ms);
		assert_int_equal(calendar_add(cases[i].before, 1), cases[i].day);
		assert_int_equal(calendar_add(cases[i].day, -1), cases[i].before);
	}
}

/* The system knows the zone too: the tests run with TZ=Europe/Paris. */
static void every_day_is_the_systems(void **state)
{
	char ours[CALENDAR_TEXT], theirs[CLOCK_TEXT];
	const int64_t end_ms = at("20380101000000+0000");

	(void)state;
	assert_string_equal(getenv("TZ"), "Europe/Paris");
	tzset();
	for (int64_t time_ms = at("19970101000000+0000"); time_ms < end_ms; time_ms += HOUR_MS) {
		const int day = calendar_day(time_ms);

		clock_day(time_ms, theirs);
		if (strcmp(calendar_day_text(day, ours), theirs) != 0)
			fail_msg("%s is not %s", ours, theirs);
		if (calendar_begins_ms(day) > time_ms ||
		    calendar_begins_ms(calendar_add(day, 1)) <= time_ms)
			fail_msg("%s does not hold its own hours", ours);
	}
}

static void a_week_begins_on_monday(void **state)
{
	(void)state;
	assert_int_equal(calendar_monday(20261122), 20261116); /* a Sunday */
	assert_int_equal(calendar_monday(20261116), 20261116);
	assert_int_equal(calendar_monday(20270101), 20261228);
	assert_int_equal(calendar_monday(19691231), 19691229);
	assert_int_equal(calendar_month(20261122), 202611);
}

static void a_day_is_read_as_it_is_written(void **state)
{
	static const char *const refused[] = { "",           "2026-11",     "2026-02-29",
					       "2026-13-01", "2026-00-10",  "2026-11-31",
					       "20261122",   "2026-11-22 ", "2026-1-022",
					       "0000-01-01", "2026-11-+2" };
	char text[CALENDAR_TEXT];
	int day;

	(void)state;
	assert_true(calendar_parse_day(slice_of("2024-02-29"), &day));
	assert_int_equal(day, 20240229);
	assert_string_equal(calendar_day_text(day, text), "2024-02-29");
	assert_string_equal(calendar_month_text(calendar_month(day), text), "2024-02");
	for (size_t i = 0; i < length_of(refused); i++)
		assert_false(calendar_parse_day(slice_of(refused[i]), &day));
	assert_int_equal(day, 20240229);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_ends_at_midnight_in_paris),
		cmocka_unit_test(every_day_is_the_systems),
		cmocka_unit_test(a_week_begins_on_monday),
		cmocka_unit_test(a_day_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
