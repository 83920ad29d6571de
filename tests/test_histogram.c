/* Durations, counted by size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void each_duration_counts_at_its_own_bound(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		histogram_add(&histogram, histogram_bounds_ms[i]);     /* within it */
		histogram_add(&histogram, histogram_bounds_ms[i] + 1); /* within the next */
	}
	assert_int_equal(histogram.counts[0], 1);
	/* 2 is the bound after 1, and what is beyond 1 */
	for (size_t i = 1; i <= HISTOGRAM_BOUNDS; i++)
		assert_int_equal(histogram.counts[i], i == HISTOGRAM_BOUNDS ? 1 : 2);
	assert_int_equal(histogram_count(&histogram), 2 * HISTOGRAM_BOUNDS);
}

static void the_bounds_ascend(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_ms[i - 1] < histogram_bounds_ms[i]);
}

static void a_clock_set_back_takes_nothing_away(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	histogram_add(&histogram, 7);
	histogram_add(&histogram, -3600000);
	assert_int_equal(histogram.total_ms, 7);
	assert_int_equal(histogram.counts[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_duration_counts_at_its_own_bound),
		cmocka_unit_test(the_bounds_ascend),
		cmocka_unit_test(a_clock_set_back_takes_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
