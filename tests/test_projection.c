/* The arithmetic of targets, against what was worked out on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include "status/projection.h"

/* The worked example of the specification of targets: 70 % of stays. */
static const struct projection_input example = {
	.is_ratio = true,
	.has_threshold = true,
	.threshold = 0.70,
	.margin = 0.02,
	.numerator = 8200,
	.numerator_measured = 8200,
	.has_denominator = true,
	.denominator = 13400,
	.has_end = true,
	.left = 42,
	.numerator_pace = 85,
	.denominator_pace = 110,
	.produced_pace = 110,
	.first_pass_rate = 0.98,
	.sendable = 300,
	.recoverable = 1900,
	.weekly = { 85 },
	.weeks = 1,
};

static struct projection projection_of(struct projection_input input)
{
	struct projection p;

	projection_make(&input, &p);
	return p;
}

static const char *said(const struct projection_input *input, bool french)
{
	static struct buf text;
	struct projection p = projection_of(*input);

	buf_clear(&text);
	projection_say(input, &p, UNIT_STAY, french, &text);
	return buf_slice(&text).p;
}

static void worked_example_to_the_unit(void **state)
{
	struct projection p = projection_of(example);

	(void)state;
	assert_near(p.rate, 8200.0 / 13400, 1e-12);
	assert_near(p.denominator_end, 18020, 1e-9);
	assert_near(p.rate_end, 11770.0 / 18020, 1e-12);
	assert_int_equal(p.missing_now, 1180);
	assert_int_equal(p.missing_end, 4414);
	assert_near(p.per_day, 105.1, 0.05);
	assert_near(p.pace, 85, 0);
	assert_near(p.rate_recovered, 13670.0 / 18020, 1e-12);
	assert_int_equal(p.state, TARGET_AT_RISK);
}

static void what_waits_for_somebody_is_said_before_anything_else(void **state)
{
	struct projection_input without = example;

	(void)state;
	assert_string_equal(said(&example, false),
			    "Qualifying the identities that the documents of 1,900 stays wait for "
			    "brings you to 75.9% at the end; without them, 65.3% (target 70.0%).");
	assert_string_equal(
		said(&example, true),
		"Qualifier les identités qu'attendent les documents de 1\u202f900 séjours "
		"vous amène à 75,9\u202f% "
		"à la fin ; sans eux, 65,3\u202f% (objectif 70,0\u202f%).");
	without.recoverable = 0;
	without.weeks = PROJECTION_ENOUGH;
	assert_string_equal(
		said(&without, false),
		"61.2% of 70.0% asked for. At the present pace the window ends at 65.3%: "
		"4,414 stays more are needed, 105.1 a working day where 85.0 come now.");
}

/* What the state is, by the one thing that differs from the example. */
static void states(void **state)
{
	struct projection_input input = example;

	(void)state;
	input.numerator = input.numerator_measured = 9380; /* exactly 70 % */
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
	input.numerator = input.numerator_measured = 9379;
	input.numerator_pace = 86;
	assert_int_equal(projection_of(input).state, TARGET_ON_TRACK); /* 72.1 %: with the margin */
	input.numerator_pace = 85;
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK); /* 71.9 %: without */

	input = example;
	input.produced_pace = 40;
	assert_int_equal(projection_of(input).state, TARGET_OUT_OF_REACH);
	input.weeks = 0; /* nobody knows yet what will be produced */
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK);
	input.has_denominator = false;
	assert_int_equal(projection_of(input).state, TARGET_NO_DENOMINATOR);
	input.has_threshold = false;
	assert_int_equal(projection_of(input).state, TARGET_NO_TARGET);
}

static void without_a_threshold_nothing_is_missing(void **state)
{
	struct projection_input input = example;
	struct projection p;

	(void)state;
	input.has_threshold = false;
	p = projection_of(input);
	assert_int_equal(p.state, TARGET_NO_TARGET);
	assert_int_equal(p.missing_now, -1);
	assert_int_equal(p.missing_end, -1);
	assert_true(isnan(p.per_day));
	assert_near(p.rate, 8200.0 / 13400, 1e-12); /* measured all the same */
}

static void a_denominator_of_nothing_is_none(void **state)
{
	struct projection_input input = example;

	(void)state;
	input.denominator = 0;
	assert_int_equal(projection_of(input).state, TARGET_NO_DENOMINATOR);
	assert_true(isnan(projection_of(input).rate));
}

/* Stays are known until the end of last month, ten working days ago. */
static void denominators_may_come_later_than_documents(void **state)
{
	struct projection_input input = example;
	struct projection p;

	(void)state;
	input.denominator = 12300;
	input.numerator_measured = 7350;
	input.gap = 10;
	p = projection_of(input);
	assert_near(p.rate, 7350.0 / 12300, 1e-12);
	assert_int_equal(p.missing_now, 1180); /* as when 13 400 was known */
	assert_int_equal(p.missing_end, 4414);
	assert_near(p.rate_end, 11770.0 / 18020, 1e-12);
}

static void a_short_history_gives_an_interval(void **state)
{
	struct projection_input input = example;
	struct projection p;

	(void)state;
	input.weeks = 0;
	for (size_t i = 0; i < 5; i++)
		input.weekly[input.weeks++] = 80 + (double)(i * 7 % 5) * 5; /* 80 90 100 85 95 */
	p = projection_of(input);
	assert_true(p.is_young);
	/* between the least and the next: 82; and 98 */
	assert_near(p.low, (8200 + 82.0 * 42) / 18020, 1e-12);
	assert_near(p.high, (8200 + 98.0 * 42) / 18020, 1e-12);
	input.recoverable = 0;
	assert_non_null(strstr(said(&input, false), "between 64.6% and 68.3%"));
	for (size_t i = 0; i < 3; i++)
		input.weekly[input.weeks++] = 90;
	assert_false(projection_of(input).is_young);
}

/* Four documents of ten thousand, or one of ten millions: a share that is all but the threshold. */
static void what_nearly_reaches_is_not_said_to_reach(void **state)
{
	struct projection_input input = { .is_ratio = true,
					  .has_threshold = true,
					  .threshold = 0.70,
					  .numerator = 6996,
					  .numerator_measured = 6996,
					  .has_denominator = true,
					  .denominator = 10000,
					  .has_end = true };

	(void)state;
	assert_string_equal(
		said(&input, true),
		"69,9\u202f% sur 70,0\u202f% demandés : la fenêtre est close, il manque "
		"4 séjours.");
	input.numerator = input.numerator_measured = 6999999;
	input.denominator = 10000000;
	assert_int_equal(projection_of(input).state, TARGET_OUT_OF_REACH);
	assert_non_null(strstr(said(&input, false), "69.9% of 70.0%"));
	input.numerator = input.numerator_measured = 7000000;
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
	input.at_most = true;
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
	input.numerator = input.numerator_measured = 7000001;
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK);
	assert_non_null(strstr(said(&input, false), "70.1% where at most 70.0%"));
}

static void counts_have_no_denominator(void **state)
{
	struct projection_input input = {
		.has_threshold = true,
		.threshold = 500,
		.numerator = 450,
		.has_end = true,
		.left = 10,
		.numerator_pace = 6,
		.produced_pace = 6,
		.first_pass_rate = 1,
		.weekly = { 6 },
		.weeks = 1,
	};
	struct projection p = projection_of(input);

	(void)state;
	assert_int_equal(p.state, TARGET_ON_TRACK);
	assert_near(p.rate, 450, 0);
	assert_near(p.rate_end, 510, 1e-9);
	assert_int_equal(p.missing_now, 50);
	assert_near(p.per_day, 5, 1e-9);
	input.numerator_pace = 4;
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK);
	input.produced_pace = 4.9;
	assert_int_equal(projection_of(input).state, TARGET_OUT_OF_REACH);
	input.numerator = 500;
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
}

static void no_fraction_of_a_document_is_missing(void **state)
{
	struct projection_input input = example;

	(void)state;
	input.threshold = 0.55; /* times 100 is 55.00000000000001 */
	input.denominator = 100;
	input.numerator = input.numerator_measured = 50;
	assert_int_equal(projection_of(input).missing_now, 5);
	input.numerator = input.numerator_measured = 55;
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
}

static void after_the_end_nothing_comes_any_more(void **state)
{
	struct projection_input input = example;
	struct projection p;

	(void)state;
	input.left = 0;
	input.sendable = input.recoverable = 0;
	p = projection_of(input);
	assert_int_equal(p.state, TARGET_OUT_OF_REACH);
	assert_int_equal(p.missing_end, 1180);
	assert_true(isnan(p.per_day));
	assert_string_equal(
		said(&input, false),
		"61.2% of 70.0% asked for: the window has ended; missing: 1,180 stays.");
}

static void a_window_without_end_has_a_direction(void **state)
{
	struct projection_input input = example;
	struct projection p;

	(void)state;
	input.has_end = false;
	input.left = 0;
	p = projection_of(input);
	assert_int_equal(p.state, TARGET_ON_TRACK); /* 85 of 110 */
	assert_int_equal(p.missing_now, 1180);
	assert_int_equal(p.missing_end, -1);
	assert_true(isnan(p.rate_end));
	input.numerator_pace = 75;
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK);
}

static void some_thresholds_are_ceilings(void **state)
{
	struct projection_input input = example;

	(void)state;
	input.at_most = true;
	input.threshold = 0.62;
	assert_int_equal(projection_of(input).state, TARGET_MET_NOW);
	assert_int_equal(projection_of(input).missing_now, -1);
	input.threshold = 0.60;
	assert_int_equal(projection_of(input).state, TARGET_AT_RISK);
	input.numerator_pace = 50; /* 57.2 % at the end */
	assert_int_equal(projection_of(input).state, TARGET_ON_TRACK);
}

static void figures_read_as_people_write_them(void **state)
{
	scoped(buf_done) struct buf text = { 0 };

	(void)state;
	projection_add_count(1234567, false, &text);
	buf_add_char(&text, ' ');
	projection_add_count(-1234, true, &text);
	buf_add_char(&text, ' ');
	projection_add_rate(0.6125, true, true, &text);
	buf_add_char(&text, ' ');
	projection_add_rate(NAN, true, false, &text);
	buf_add_char(&text, ' ');
	projection_add_rate(26, false, false, &text);
	assert_string_equal(buf_slice(&text).p, "1,234,567 -1\u202f234 61,3\u202f% ? 26");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worked_example_to_the_unit),
		cmocka_unit_test(what_waits_for_somebody_is_said_before_anything_else),
		cmocka_unit_test(states),
		cmocka_unit_test(without_a_threshold_nothing_is_missing),
		cmocka_unit_test(a_denominator_of_nothing_is_none),
		cmocka_unit_test(denominators_may_come_later_than_documents),
		cmocka_unit_test(a_short_history_gives_an_interval),
		cmocka_unit_test(what_nearly_reaches_is_not_said_to_reach),
		cmocka_unit_test(counts_have_no_denominator),
		cmocka_unit_test(no_fraction_of_a_document_is_missing),
		cmocka_unit_test(after_the_end_nothing_comes_any_more),
		cmocka_unit_test(a_window_without_end_has_a_direction),
		cmocka_unit_test(some_thresholds_are_ceilings),
		cmocka_unit_test(figures_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
