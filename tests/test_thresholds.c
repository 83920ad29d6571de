/* The levels of each alert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "status/thresholds.h"

#define DAYS(n) ((int64_t)(n)*24 * 3600 * 1000)
#define GIB(n) ((int64_t)(n) << 30)

static void assert_certificate(int64_t warning, int64_t critical, const int64_t *expected,
			       unsigned first_critical)
{
	const struct threshold_settings settings = { .certificate_ms = { DAYS(warning),
									 DAYS(critical) } };
	const struct alert_levels levels = threshold_levels(&settings, ALERT_CERTIFICATE_ENDS);

	assert_int_equal(levels.count, 4);
	assert_memory_equal(levels.at, expected, sizeof(levels.at));
	assert_int_equal(levels.critical, first_critical);
}

static void a_certificate_is_told_of_four_times(void **state)
{
	(void)state;
	assert_certificate(60, 15, (const int64_t[]){ 60, 30, 15, 7 }, 3);
	assert_certificate(90, 60, (const int64_t[]){ 90, 60, 60, 30 }, 2);
	assert_certificate(1, 1, (const int64_t[]){ 1, 1, 1, 0 }, 2);
}

static void a_disk_is_low_by_share_and_by_bytes(void **state)
{
	const struct threshold_settings settings = {
		.disk_percent = { 10, 5 },
		.disk_bytes = { GIB(10), GIB(2) },
	};
	const struct alert_levels small = threshold_of_disk(&settings, GIB(20));
	const struct alert_levels large = threshold_of_disk(&settings, GIB(4000));

	(void)state;
	assert_in_range(small.at[0], GIB(2) - 100, GIB(2));
	assert_in_range(small.at[1], GIB(1) - 100, GIB(1));
	assert_int_equal(large.at[0], GIB(10));
	assert_int_equal(large.at[1], GIB(2));
	assert_int_equal(large.critical, 2);
}

static void every_rule_has_levels(void **state)
{
	const struct threshold_settings settings = { .absent_percent = { 5, 10 } };

	(void)state;
	for (enum alert_rule rule = 0; rule < ALERT_RULE_COUNT; rule++)
		assert_in_range(threshold_levels(&settings, rule).count, 1, ALERT_STEPS);
	assert_int_equal(threshold_levels(&settings, ALERT_DMP_ABSENT_RATE).at[1], 100);
	assert_int_equal(threshold_levels(&settings, ALERT_LANE_STOPPED).critical, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_told_of_four_times),
		cmocka_unit_test(a_disk_is_low_by_share_and_by_bytes),
		cmocka_unit_test(every_rule_has_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
