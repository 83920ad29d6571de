/* When to try again: a week of retries, without waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/retry.h"

static const struct retry_settings usual = { .first_ms = 30000, .most_ms = 3600000 };

enum { MIDDLE = 512 }; /* dice that change nothing */

static void the_delay_doubles_up_to_the_most(void **state)
{
	static const int64_t seconds[] = { 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600 };

	(void)state;
	for (unsigned i = 0; i < length_of(seconds); i++)
		assert_int_equal(retry_delay_ms(&usual, i + 1, MIDDLE), seconds[i] * 1000);
}

static void chance_moves_it_by_a_quarter_at_most(void **state)
{
	(void)state;
	for (uint32_t dice = 0; dice < 5000; dice++) {
		int64_t delay = retry_delay_ms(&usual, 1, dice);

		assert_in_range(delay, 22500, 37499);
		assert_int_equal(delay, retry_delay_ms(&usual, 1, dice + 1024));
	}
	assert_int_equal(retry_delay_ms(&usual, 1, 0), 22500);
	assert_int_equal(retry_delay_ms(&usual, 1, UINT32_MAX), 37485);
}

static void a_thousand_documents_do_not_come_back_at_once(void **state)
{
	unsigned came_back_in_the_first_second = 0;

	(void)state;
	for (uint32_t dice = 0; dice < 1000; dice++)
		if (retry_delay_ms(&usual, 1, dice * 2654435761U >> 16) < 23500)
			came_back_in_the_first_second++;
	assert_in_range(came_back_in_the_first_second, 30, 110);
}

static void a_week_of_retries_is_fewer_than_two_hundred_attempts(void **state)
{
	const int64_t week_ms = 7 * 24 * 3600 * (int64_t)1000;
	unsigned failures = 0;
	int64_t now_ms = 0;

	(void)state;
	while (now_ms < week_ms) {
		failures++;
		now_ms += retry_delay_ms(&usual, failures, failures * 2654435761U >> 16);
	}
	assert_in_range(failures, 165, 185);
}

static void no_count_of_failures_is_too_many(void **state)
{
	static const unsigned counts[] = { 0, 1, 63, 64, 1000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < length_of(counts); i++) {
		int64_t delay = retry_delay_ms(&usual, counts[i], MIDDLE);

		assert_int_equal(delay, counts[i] <= 1 ? 30000 : 3600000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_delay_doubles_up_to_the_most),
		cmocka_unit_test(chance_moves_it_by_a_quarter_at_most),
		cmocka_unit_test(a_thousand_documents_do_not_come_back_at_once),
		cmocka_unit_test(a_week_of_retries_is_fewer_than_two_hundred_attempts),
		cmocka_unit_test(no_count_of_failures_is_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
