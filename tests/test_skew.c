/* The server's clock and ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dispatch/skew.h"

#define NOON_MS 1795262400000

static void the_network_explains_what_it_can(void **state)
{
	static const struct {
		int64_t sent, answered, date, expected;
	} rows[] = {
		{ 0, 50, 0, 0 },           /* the same second */
		{ 900, 1100, 0, 0 },       /* it said 0 at 900, or later in that second */
		{ 900, 1100, 1000, 0 },    /* or 1 at 1000 */
		{ 0, 30000, 17000, 0 },    /* it thought for long */
		{ 0, 50, 60000, 59950 },   /* a minute ahead */
		{ 0, 50, -60000, -59001 }, /* behind: up to 59.001 s before we sent */
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct skew skew = { 0 };

		skew_note(&skew, NOON_MS + rows[i].sent, NOON_MS + rows[i].answered,
			  NOON_MS + rows[i].date, 0);
		assert_int_equal(skew_ms(&skew), rows[i].expected);
	}
}

static void one_strange_date_is_not_believed(void **state)
{
	struct skew skew = { 0 };

	(void)state;
	for (int i = 0; i < 40; i++) {
		const int64_t strange = i % 3 == 1 ? 3600000 : 0; /* one of three servers */

		skew_note(&skew, NOON_MS, NOON_MS + 10, NOON_MS + strange, i);
		assert_int_equal(skew_ms(&skew), i == 1 ? 3600000 - 10 : 0); /* of two, who knows */
	}
}

static void what_was_said_an_hour_ago_is_forgotten(void **state)
{
	struct skew skew = { 0 };

	(void)state;
	assert_false(skew_is_known(&skew, 0));
	skew_note(&skew, NOON_MS, NOON_MS, NOON_MS, 1000);
	assert_true(skew_is_known(&skew, 1000 + 3599999));
	assert_false(skew_is_known(&skew, 1000 + 3600000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_network_explains_what_it_can),
		cmocka_unit_test(one_strange_date_is_not_believed),
		cmocka_unit_test(what_was_said_an_hour_ago_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
