/* The counts behind the curves: what falls where, and what is forgotten. TZ is Europe/Paris. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "status/curve.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

#define DAY_MS (INT64_C(24) * HOUR_MS)
#define NOW_MS 1795340400000LL /* 2026-11-22T09:40:00Z, 10:40 in Paris */

static uint64_t at(const struct curve *curve, enum curve_span span, int64_t now_ms, size_t back)
{
	struct curve_point points[CURVE_HALF_HOURS];
	size_t n = curve_read(curve, span, now_ms, points);

	return points[n - 1 - back].counts[CURVE_RECEIVED];
}

static void what_comes_now_is_in_the_last_point(void **state)
{
	struct curve curve = { 0 };

	(void)state;
	curve_add(&curve, CURVE_RECEIVED, NOW_MS, 3);
	curve_add(&curve, CURVE_RECEIVED, NOW_MS - 9 * MINUTE_MS, 2);  /* 09:31 */
	curve_add(&curve, CURVE_RECEIVED, NOW_MS - 11 * MINUTE_MS, 1); /* 09:29 */
	assert_int_equal(at(&curve, CURVE_DAY, NOW_MS, 0), 5);
	assert_int_equal(at(&curve, CURVE_DAY, NOW_MS, 1), 1);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS, 0), 6);
}

static void kinds_are_apart(void **state)
{
	struct curve_point points[CURVE_HALF_HOURS];
	struct curve curve = { 0 };
	size_t n;

	(void)state;
	curve_add(&curve, CURVE_DELIVERED, NOW_MS, 7);
	curve_add(&curve, CURVE_REJECTED, NOW_MS, 1);
	n = curve_read(&curve, CURVE_DAY, NOW_MS, points);
	assert_int_equal(n, CURVE_HALF_HOURS);
	assert_int_equal(points[n - 1].counts[CURVE_RECEIVED], 0);
	assert_int_equal(points[n - 1].counts[CURVE_DELIVERED], 7);
	assert_int_equal(points[n - 1].counts[CURVE_REJECTED], 1);
}

static void a_day_later_the_half_hours_are_empty_and_the_day_is_not(void **state)
{
	struct curve curve = { 0 };

	(void)state;
	curve_add(&curve, CURVE_RECEIVED, NOW_MS, 3);
	for (size_t back = 0; back < CURVE_HALF_HOURS; back++)
		assert_int_equal(at(&curve, CURVE_DAY, NOW_MS + DAY_MS, back), 0);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS + DAY_MS, 1), 3);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS + 29 * DAY_MS, 29), 3);
	for (size_t back = 0; back < CURVE_DAYS; back++)
		assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS + 30 * DAY_MS, back), 0);
}

static void what_comes_late_does_not_push_out_what_is_newer(void **state)
{
	struct curve curve = { 0 };

	(void)state;
	curve_add(&curve, CURVE_RECEIVED, NOW_MS, 3);
	curve_add(&curve, CURVE_RECEIVED, NOW_MS - DAY_MS, 5); /* the same place in the ring */
	curve_add(&curve, CURVE_RECEIVED, NOW_MS - 30 * DAY_MS, 5);
	assert_int_equal(at(&curve, CURVE_DAY, NOW_MS, 0), 3);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS, 0), 3);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS, 1), 5);
}

/* Days are the calendar's: the one on which summer time ends has 25 hours. */
static void days_begin_at_midnight_of_the_zone(void **state)
{
	const int64_t midnight_ms = 1792879200000LL; /* 2026-10-25T00:00+02:00 */
	struct curve_point points[CURVE_HALF_HOURS];
	struct curve curve = { 0 };
	size_t n = curve_read(&curve, CURVE_MONTH, midnight_ms + 26 * HOUR_MS, points);

	(void)state;
	assert_int_equal(points[n - 1].begins_ms, midnight_ms + 25 * HOUR_MS);
	assert_int_equal(points[n - 2].begins_ms, midnight_ms);
	curve_add(&curve, CURVE_RECEIVED, midnight_ms + 25 * HOUR_MS - 1, 1);
	assert_int_equal(at(&curve, CURVE_MONTH, midnight_ms + 26 * HOUR_MS, 1), 1);
	assert_int_equal(curve_oldest_ms(midnight_ms + 26 * HOUR_MS), points[0].begins_ms);
}

static void what_is_not_known_is_told_from_nothing(void **state)
{
	struct curve curve = { .since_ms = NOW_MS - HOUR_MS }; /* 08:40 */
	struct curve_point points[CURVE_HALF_HOURS];
	size_t n = curve_read(&curve, CURVE_DAY, NOW_MS, points);

	(void)state;
	assert_true(points[n - 1].is_known);
	assert_true(points[n - 3].is_known); /* 08:30: a part of it */
	assert_false(points[n - 4].is_known);
	n = curve_read(&curve, CURVE_MONTH, NOW_MS, points);
	assert_true(points[n - 1].is_known);
	assert_false(points[n - 2].is_known);
}

static void a_curve_of_earlier_times_can_be_joined(void **state)
{
	struct curve curve = { .since_ms = NOW_MS }, earlier = { .since_ms = NOW_MS - 40 * DAY_MS };

	(void)state;
	curve_add(&curve, CURVE_RECEIVED, NOW_MS, 3);
	curve_add(&earlier, CURVE_RECEIVED, NOW_MS - MINUTE_MS, 4);
	curve_add(&earlier, CURVE_RECEIVED, NOW_MS - 2 * DAY_MS, 5);
	curve_join(&curve, &earlier);
	assert_int_equal(at(&curve, CURVE_DAY, NOW_MS, 0), 7);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS, 0), 7);
	assert_int_equal(at(&curve, CURVE_MONTH, NOW_MS, 2), 5);
	assert_int_equal(curve.since_ms, NOW_MS - 40 * DAY_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_now_is_in_the_last_point),
		cmocka_unit_test(kinds_are_apart),
		cmocka_unit_test(a_day_later_the_half_hours_are_empty_and_the_day_is_not),
		cmocka_unit_test(what_comes_late_does_not_push_out_what_is_newer),
		cmocka_unit_test(days_begin_at_midnight_of_the_zone),
		cmocka_unit_test(what_is_not_known_is_told_from_nothing),
		cmocka_unit_test(a_curve_of_earlier_times_can_be_joined),
	};

	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
