/* Holidays and weights, against the official calendar and a year made by a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include "status/workdays.h"

static void holidays_of_france(void **state)
{
	/* https://www.service-public.fr lists them for each year */
	static const int holidays[] = {
		20260101, 20260406, 20260501, 20260508, 20260514, 20260525, 20260714, 20260815,
		20261101, 20261111, 20261225, 20240401, 20240509, 20240520, 20250421, 20250529,
		20250609, 20270329, 20270506, 20270517, 20380426, /* the latest Easter there is */
	};
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < length_of(holidays); i++)
		assert_true(workdays_is_holiday(holidays[i]));
	for (int day = 20260101; day <= 20261231; day = calendar_add(day, 1))
		found += workdays_is_holiday(day);
	assert_int_equal(found, 11);
}

static void weekends_and_holidays_weigh_little(void **state)
{
	const struct workdays preset = workdays_preset();
	struct workdays plain = preset;

	(void)state;
	assert_near(workdays_weight(&preset, 20261120), 1, 0);    /* a Friday */
	assert_near(workdays_weight(&preset, 20261121), 0.15, 0); /* a Saturday */
	assert_near(workdays_weight(&preset, 20261122), 0.15, 0);
	assert_near(workdays_weight(&preset, 20261111), 0.15, 0); /* a Wednesday */
	plain.without_holidays = true;
	assert_near(workdays_weight(&plain, 20261111), 1, 0);
}

static void weights_add_up(void **state)
{
	const struct workdays preset = workdays_preset();

	(void)state;
	/* from Friday on: two days at rest, five at work */
	assert_near(workdays_weigh(&preset, 20261120, 20261127), 5.3, 1e-9);
	assert_near(workdays_weigh(&preset, 20261127, 20261127), 0, 0);
	assert_near(workdays_weigh(&preset, 20261127, 20261120), 0, 0);
}

static void days_between_days(void **state)
{
	(void)state;
	assert_int_equal(workdays_between(20260101, 20261231), 364);
	assert_int_equal(workdays_between(20260328, 20260330), 2); /* 47 hours */
	assert_int_equal(workdays_between(20261024, 20261026), 2); /* 49 hours */
	assert_int_equal(workdays_between(20261026, 20261024), -2);
	assert_int_equal(workdays_between(20261026, 20261026), 0);
}

/* 100 on a working day, 30 at rest, 60 on a working day of August. */
static void a_year_teaches_the_weights(void **state)
{
	const struct workdays preset = workdays_preset();
	uint64_t brought[365];
	struct workdays learned;
	int day = 20250101;

	(void)state;
	for (size_t i = 0; i < length_of(brought); i++, day = calendar_add(day, 1))
		brought[i] = workdays_is_rest(&preset, day) ? 30 : day / 100 % 100 == 8 ? 60 : 100;
	learned = workdays_learn(&preset, 20250101, brought, length_of(brought));
	assert_true(learned.learned);
	assert_near(learned.weekend, 0.3, 1e-9);
	assert_near(learned.august, 0.6, 1e-9);
	assert_near(workdays_weight(&learned, 20260803), 0.6, 1e-9);
}

static void less_than_a_year_teaches_nothing(void **state)
{
	const struct workdays preset = { .weekend = 0.2, .august = 1 };
	uint64_t brought[365] = { 0 };
	struct workdays learned;

	(void)state;
	learned = workdays_learn(&preset, 20250101, brought, 365); /* nothing was brought */
	assert_false(learned.learned);
	assert_near(learned.weekend, 0.2, 0);
	brought[0] = 1;
	assert_false(workdays_learn(&preset, 20250101, brought, 364).learned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holidays_of_france),
		cmocka_unit_test(weekends_and_holidays_weigh_little),
		cmocka_unit_test(weights_add_up),
		cmocka_unit_test(days_between_days),
		cmocka_unit_test(a_year_teaches_the_weights),
		cmocka_unit_test(less_than_a_year_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
