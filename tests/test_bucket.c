/* How many documents a second, on time that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dispatch/bucket.h"

#define START_MS ((int64_t)1795262400000) /* 2026-11-21T12:00:00Z */

static const struct bucket_settings four_a_second = { .per_s = 4, .burst = 10 };

static void a_full_bucket_gives_a_burst_then_its_rate(void **state)
{
	struct bucket bucket = bucket_new(&four_a_second, START_MS);

	(void)state;
	assert_int_equal(bucket_room(&bucket, START_MS), 10);
	bucket_take(&bucket, 10, START_MS);
	assert_int_equal(bucket_room(&bucket, START_MS), 0);
	assert_int_equal(bucket_room(&bucket, START_MS + 249), 0);
	assert_int_equal(bucket_room(&bucket, START_MS + 250), 1);
	assert_int_equal(bucket_room(&bucket, START_MS + 1000), 4);
	assert_int_equal(bucket_room(&bucket, START_MS + 60000), 10);
}

/* Whoever comes for each token at its time loses nothing to rounding, if there is room for two. */
static void what_is_taken_over_an_hour_is_the_rate(void **state)
{
	static const uint64_t rates[] = { 1, 3, 7, 64, 128, 999, 1000 };

	(void)state;
	for (size_t i = 0; i < length_of(rates); i++) {
		const struct bucket_settings settings = { .per_s = rates[i], .burst = 2 };
		struct bucket bucket = bucket_new(&settings, START_MS);
		uint64_t taken = 0;

		for (int64_t now = START_MS; now < START_MS + 3600000;
		     now = max(bucket_next_ms(&bucket), now)) {
			assert_in_range(bucket_room(&bucket, now), 1, 2);
			bucket_take(&bucket, 1, now);
			taken++;
		}
		assert_in_range(taken, rates[i] * 3600 - 1, rates[i] * 3600 + 2);
	}
}

static void without_a_limit_there_is_always_room(void **state)
{
	static const struct bucket_settings none = { .per_s = 0, .burst = 1 };
	struct bucket bucket = bucket_new(&none, START_MS);

	(void)state;
	bucket_take(&bucket, 1000000, START_MS);
	assert_true(bucket_room(&bucket, START_MS) == SIZE_MAX);
	assert_true(bucket_next_ms(&bucket) == INT64_MIN);
}

static void a_clock_that_leaps_gives_one_burst_or_nothing(void **state)
{
	const int64_t year_ms = 365 * 86400 * (int64_t)1000;
	struct bucket bucket = bucket_new(&four_a_second, START_MS);

	(void)state;
	bucket_take(&bucket, 10, START_MS);
	assert_int_equal(bucket_room(&bucket, START_MS - year_ms), 0);
	assert_int_equal(bucket_room(&bucket, START_MS + year_ms), 10);
	assert_int_equal(bucket_room(&bucket, INT64_MAX), 10);
	bucket_take(&bucket, 0, START_MS - year_ms);
	assert_int_equal(bucket_room(&bucket, START_MS - year_ms + 250), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_bucket_gives_a_burst_then_its_rate),
		cmocka_unit_test(what_is_taken_over_an_hour_is_the_rate),
		cmocka_unit_test(without_a_limit_there_is_always_room),
		cmocka_unit_test(a_clock_that_leaps_gives_one_burst_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
