/* A wrong clock purges nothing: years of it, without waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own_time.h"

#define SECOND_MS ((int64_t)1000)
#define DAY_MS (86400 * SECOND_MS)
#define NOW_MS ((int64_t)1795167666000)

/* Runs that long with a clock that is ahead; how often there was that news. */
static unsigned run(struct own_time *time, int64_t *real_ms, int64_t for_ms, int64_t ahead_ms,
		    enum own_time_news news)
{
	const int64_t step_ms = 60 * SECOND_MS;
	unsigned count = 0;

	for (int64_t gone_ms = 0; gone_ms < for_ms; gone_ms += step_ms) {
		*real_ms += step_ms;
		count += own_time_pass(time, *real_ms + ahead_ms, step_ms, false) == news;
	}
	return count;
}

static void a_right_clock_is_followed(void **state)
{
	struct own_time time = { 0 };
	int64_t real_ms = NOW_MS;

	(void)state;
	assert_int_equal(own_time_pass(&time, real_ms, 1, true), OWN_TIME_NONE);
	assert_int_equal(run(&time, &real_ms, 400 * DAY_MS, 0, OWN_TIME_DOUBTS), 0);
	assert_int_equal(own_time_ms(&time, real_ms), real_ms);
}

static void a_little_is_not_doubted(void **state)
{
	struct own_time time = { .known_ms = NOW_MS };

	(void)state;
	assert_int_equal(own_time_pass(&time, NOW_MS + 3599 * SECOND_MS, 1, false), OWN_TIME_NONE);
	assert_int_equal(own_time_pass(&time, NOW_MS, 1, false), OWN_TIME_NONE);
}

/* Either way: said once; what is old stays what was old; the clock that is right again is believed at once. */
static void a_clock_that_is_set_is_doubted(void **state)
{
	static const int64_t jumps[] = { 365 * DAY_MS, -365 * DAY_MS, 2 * DAY_MS };

	(void)state;
	for (size_t i = 0; i < length_of(jumps); i++) {
		struct own_time time = { .known_ms = NOW_MS };
		int64_t real_ms = NOW_MS;

		assert_int_equal(run(&time, &real_ms, 6 * DAY_MS, jumps[i], OWN_TIME_DOUBTS), 1);
		assert_int_equal(own_time_ms(&time, real_ms + jumps[i]),
				 real_ms + (jumps[i] < 0 ? jumps[i] : 0));
		assert_int_equal(run(&time, &real_ms, DAY_MS / 24, 0, OWN_TIME_AGREES), 1);
		assert_int_equal(time.doubted_ms, 0);
	}
}

static void a_clock_that_stands_by_it_for_a_week_is_believed(void **state)
{
	struct own_time time = { .known_ms = NOW_MS };
	int64_t real_ms = NOW_MS;

	(void)state;
	assert_int_equal(run(&time, &real_ms, 8 * DAY_MS, 30 * DAY_MS, OWN_TIME_BELIEVES), 1);
	assert_int_equal(own_time_ms(&time, real_ms + 30 * DAY_MS), real_ms + 30 * DAY_MS);
}

/* It was off for that long, or its clock is wrong: nobody knows. */
static void at_start_a_week_is_believed_and_more_is_not(void **state)
{
	struct own_time time = { .known_ms = NOW_MS };

	(void)state;
	assert_int_equal(own_time_pass(&time, NOW_MS + 6 * DAY_MS, 1, true), OWN_TIME_NONE);
	assert_int_equal(own_time_pass(&time, NOW_MS + 14 * DAY_MS, 1, true), OWN_TIME_DOUBTS);
	assert_int_equal(own_time_ms(&time, NOW_MS + 14 * DAY_MS), NOW_MS + 6 * DAY_MS + 1);
}

/* A machine that is switched off each night is not asked for a week without a break. */
static void a_doubt_goes_on_after_a_restart(void **state)
{
	struct own_time time = { .known_ms = NOW_MS };
	int64_t real_ms = NOW_MS;
	unsigned believed = 0;

	(void)state;
	for (int day = 0; day < 8; day++) {
		if (!believed)
			assert_int_equal(own_time_pass(&time, real_ms + 365 * DAY_MS, 1, true),
					 OWN_TIME_DOUBTS);
		believed += run(&time, &real_ms, DAY_MS, 365 * DAY_MS, OWN_TIME_BELIEVES);
	}
	assert_int_equal(believed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_clock_is_followed),
		cmocka_unit_test(a_little_is_not_doubted),
		cmocka_unit_test(a_clock_that_is_set_is_doubted),
		cmocka_unit_test(a_clock_that_stands_by_it_for_a_week_is_believed),
		cmocka_unit_test(at_start_a_week_is_believed_and_more_is_not),
		cmocka_unit_test(a_doubt_goes_on_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
