/* Counts of the last day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/window.h"

enum { HOUR_MS = 3600000 };

#define NOON_MS 1795262400000

static void what_is_a_day_old_does_not_count(void **state)
{
	struct window window = { 0 };

	(void)state;
	assert_int_equal(window_sum(&window, NOON_MS), 0);
	window_add(&window, NOON_MS, 3);
	window_add(&window, NOON_MS + 2 * HOUR_MS, 4);
	assert_int_equal(window_sum(&window, NOON_MS + 2 * HOUR_MS), 7);
	assert_int_equal(window_sum(&window, NOON_MS + 24 * HOUR_MS - 1), 7);
	assert_int_equal(window_sum(&window, NOON_MS + 24 * HOUR_MS), 4);
	assert_int_equal(window_sum(&window, NOON_MS + 26 * HOUR_MS), 0);
	window_add(&window, NOON_MS + 1000 * (int64_t)HOUR_MS, 1);
	assert_int_equal(window_sum(&window, NOON_MS + 1000 * (int64_t)HOUR_MS), 1);
}

/* Against a plain list of what happened. */
static void it_agrees_with_a_list(void **state)
{
	struct window window = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 200; hour++) {
		uint64_t expected = 0;

		if (hour % 3 != 0)
			window_add(&window, NOON_MS + hour * HOUR_MS, (uint64_t)hour);
		for (int64_t past = max(hour - 23, (int64_t)0); past <= hour; past++)
			expected += past % 3 != 0 ? (uint64_t)past : 0;
		assert_int_equal(window_sum(&window, NOON_MS + hour * HOUR_MS), expected);
	}
}

static void a_clock_set_back_loses_nothing(void **state)
{
	struct window window = { 0 };

	(void)state;
	window_add(&window, NOON_MS, 3);
	window_add(&window, NOON_MS - 5 * HOUR_MS, 4);
	assert_int_equal(window_sum(&window, NOON_MS - 5 * HOUR_MS), 7);
	assert_int_equal(window_sum(&window, NOON_MS), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_day_old_does_not_count),
		cmocka_unit_test(it_agrees_with_a_list),
		cmocka_unit_test(a_clock_set_back_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
