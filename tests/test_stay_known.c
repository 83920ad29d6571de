/* What is known of a stay: whatever the order in which messages come, and however often, what was said last
 * counts.
 */
#include "queue/stay_known.h"
#include "sample.h"

/* Hours of one day, as the tables write them. */
#define T(hour) ((hour)*INT64_C(3600000))

static struct store_stay begins(int64_t said_ms, const char *unit)
{
	return (struct store_stay){ .said_ms = said_ms,
				    .exists = STORE_SAID_YES,
				    .start_ms = said_ms,
				    .has_place = true,
				    .site = "A",
				    .unit = unit,
				    .field = "MCO",
				    .since_ms = said_ms,
				    .counts = STORE_SAID_YES };
}

static struct store_stay moves(int64_t said_ms, int64_t since_ms, const char *unit)
{
	struct store_stay stay = begins(said_ms, unit);

	stay.start_ms = 0;
	stay.since_ms = since_ms;
	return stay;
}

static struct store_stay ends(int64_t said_ms, int64_t end_ms)
{
	return (struct store_stay){ .said_ms = said_ms,
				    .exists = STORE_SAID_YES,
				    .ended = STORE_SAID_YES,
				    .end_ms = end_ms,
				    .site = "A",
				    .unit = "",
				    .field = "" };
}

static struct store_stay goes_on(int64_t said_ms)
{
	return (struct store_stay){ .said_ms = said_ms,
				    .exists = STORE_SAID_YES,
				    .ended = STORE_SAID_NO,
				    .site = "A",
				    .unit = "",
				    .field = "" };
}

static struct store_stay never_was(int64_t said_ms)
{
	return (struct store_stay){
		.said_ms = said_ms, .exists = STORE_SAID_NO, .site = "A", .unit = "", .field = ""
	};
}

static struct stay_known learn(const struct store_stay *told, const size_t *order, size_t count)
{
	struct stay_known known = stay_unknown();

	for (size_t i = 0; i < count; i++)
		stay_learn(&known, &told[order[i]]);
	return known;
}

static void assert_same(const struct stay_known *one, const struct stay_known *other)
{
	assert_int_equal(one->cancelled, other->cancelled);
	assert_int_equal(one->start_ms, other->start_ms);
	assert_int_equal(one->end_ms, other->end_ms);
	assert_string_equal(one->unit, other->unit);
	assert_string_equal(one->site, other->site);
	assert_int_equal(one->counts, other->counts);
}

/* Every order of them comes to the same. */
static void permute(const struct store_stay *told, size_t *order, size_t count, size_t from,
		    const struct stay_known *expected)
{
	if (from == count) {
		const struct stay_known known = learn(told, order, count);

		assert_same(&known, expected);
		return;
	}
	for (size_t i = from; i < count; i++) {
		const size_t kept = order[from];

		order[from] = order[i];
		order[i] = kept;
		permute(told, order, count, from + 1, expected);
		order[i] = order[from];
		order[from] = kept;
	}
}

static void messages_may_come_in_any_order(void **state)
{
	const struct store_stay told[] = {
		begins(T(1), "UF1"), moves(T(2), T(2), "UF2"), ends(T(3), T(3)),
		goes_on(T(4)),       moves(T(5), T(5), "UF3"), ends(T(6), T(5)),
	};
	size_t order[] = { 0, 1, 2, 3, 4, 5 };
	struct stay_known known = learn(told, order, length_of(order));

	(void)state;
	assert_false(known.cancelled);
	assert_int_equal(known.start_ms, T(1));
	assert_int_equal(known.end_ms, T(5));
	assert_string_equal(known.unit, "UF3");
	permute(told, order, length_of(order), 0, &known);
}

static void what_is_repeated_changes_nothing(void **state)
{
	const struct store_stay told[] = { begins(T(1), "UF1"), ends(T(3), T(3)), goes_on(T(4)),
					   never_was(T(5)), begins(T(6), "UF1") };
	static const size_t once[] = { 0, 1, 2, 3, 4 },
			    often[] = { 0, 0, 1, 2, 1, 0, 3, 2, 4, 3, 1, 0, 4 };
	const struct stay_known one = learn(told, once, length_of(once)),
				many = learn(told, often, length_of(often));

	(void)state;
	assert_false(one.cancelled);
	assert_int_equal(one.end_ms, 0);
	assert_int_equal(one.start_ms, T(6));
	assert_same(&one, &many);
}

static void an_admission_that_was_cancelled_stays_so(void **state)
{
	const struct store_stay told[] = { begins(T(1), "UF1"), never_was(T(4)), ends(T(3), T(3)) };
	size_t order[] = { 0, 1, 2 };
	struct stay_known known = learn(told, order, length_of(order));

	(void)state;
	assert_true(known.cancelled);
	permute(told, order, length_of(order), 0, &known);
}

static void what_is_said_at_one_time_counts_as_it_comes(void **state)
{
	const struct store_stay told[] = { begins(T(1), "UF1"), ends(T(1), T(1)), goes_on(T(1)),
					   moves(T(1), T(1), "UF2"), ends(T(1), T(1)) };
	static const size_t order[] = { 0, 1, 2, 3 }, again[] = { 0, 1, 2, 3, 4 };

	(void)state;
	assert_int_equal(learn(told, order, length_of(order)).end_ms, 0);
	assert_string_equal(learn(told, order, length_of(order)).unit, "UF2");
	assert_int_equal(learn(told, again, length_of(again)).end_ms, T(1));
}

/* Somebody enters at six o'clock the transfer of two o'clock. */
static void a_transfer_entered_late_takes_nobody_back(void **state)
{
	const struct store_stay told[] = { begins(T(1), "UF1"), moves(T(3), T(3), "UF3"),
					   moves(T(6), T(2), "UF2") };
	static const size_t order[] = { 0, 1, 2 };

	(void)state;
	assert_string_equal(learn(told, order, length_of(order)).unit, "UF3");
}

/* And at six, that the transfer of three o'clock was at two, and to another unit. */
static void a_correction_of_the_last_movement_counts(void **state)
{
	const struct store_stay told[] = { begins(T(1), "UF1"), moves(T(3), T(3), "UF3"),
					   moves(T(6), 0, "UF4"), moves(T(7), T(7), "UF5") };
	static const size_t order[] = { 0, 1, 2, 3 };

	(void)state;
	assert_string_equal(learn(told, order, 3).unit, "UF4");
	assert_string_equal(learn(told, order, 4).unit, "UF5");
}

static void a_message_without_a_unit_says_no_place(void **state)
{
	const struct store_stay told[] = { ends(T(1), T(1)), begins(T(2), "UF1"),
					   moves(T(3), T(3), "") };
	static const size_t order[] = { 0, 1, 2 }, late[] = { 2, 0, 1 };

	(void)state;
	assert_string_equal(learn(told, order, 1).site, "A"); /* a guess is better than nothing */
	assert_string_equal(learn(told, order, 3).unit, "UF1");
	assert_string_equal(learn(told, late, 3).unit, "UF1");
}

static void a_stay_may_become_one_that_counts(void **state)
{
	struct store_stay told[] = { begins(T(1), "URG"), moves(T(2), T(2), "UF1"),
				     moves(T(3), T(3), "UF1") };
	static const size_t order[] = { 0, 1, 2 };

	(void)state;
	told[0].counts = STORE_SAID_NO; /* E */
	told[2].counts = STORE_UNSAID;
	assert_false(learn(told, order, 1).counts);
	assert_true(learn(told, order, 2).counts); /* A06 */
	assert_true(learn(told, order, 3).counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_may_come_in_any_order),
		cmocka_unit_test(what_is_repeated_changes_nothing),
		cmocka_unit_test(an_admission_that_was_cancelled_stays_so),
		cmocka_unit_test(what_is_said_at_one_time_counts_as_it_comes),
		cmocka_unit_test(a_transfer_entered_late_takes_nobody_back),
		cmocka_unit_test(a_correction_of_the_last_movement_counts),
		cmocka_unit_test(a_message_without_a_unit_says_no_place),
		cmocka_unit_test(a_stay_may_become_one_that_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
