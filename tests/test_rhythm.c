/* When a source usually sends: months of arrivals, and what is silence in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "status/rhythm.h"

enum { SLOTS_A_DAY = 144, DAYS = 56, FACTOR = 300 };

#define MONDAY_SLOT ((int64_t)2962 * 7 * SLOTS_A_DAY + 4 * SLOTS_A_DAY) /* 00:00 UTC of a Monday */
#define HOUR_MS ((int64_t)3600000)

/* ---- sources ---- */

static uint32_t state_of_dice;

static double dice(void)
{
	state_of_dice = state_of_dice * 1664525 + 1013904223;
	return (double)(state_of_dice >> 8) / (1 << 24);
}

/* As many as chance gives where `mean` are expected (Knuth). */
static uint64_t poisson(double mean)
{
	double left = 1, least = 1;
	uint64_t count = 0;

	for (int i = 0; i < 100; i++) /* e^-mean, by its limit: no libm for a test */
		least *= 1 - mean / 100;
	while ((left *= dice()) > least)
		count++;
	return count;
}

/* Documents in ten minutes of a day (0: Monday), as hospitals know them. */
typedef uint64_t source_fn(int day, int slot);

/* Letters: office hours with a lunch, a few in the evening, hardly any in the night and on Sunday. */
static uint64_t letters(int day, int slot)
{
	static const double by_hour[24] = { 0,   0,   0, 0, 0,   0,   0.1, 0.5, 2,   4,   5,   4,
					    1.5, 1.5, 4, 5, 5.5, 4.5, 3,   1.5, 0.5, 0.2, 0.1, 0 };
	const double of_day = day % 7 == 6 ? 0.02 : day % 7 == 5 ? 0.1 : 1;

	return poisson(by_hour[slot / 6] * of_day);
}

/* An emergency department: always something, less in the early morning. */
static uint64_t emergencies(int day, int slot)
{
	(void)day;
	return poisson(slot / 6 < 6 ? 0.4 : 1.2);
}

/* A laboratory: every half hour what it has, fifty at once, on working days. */
static uint64_t batches(int day, int slot)
{
	return day % 7 < 5 && slot / 6 >= 7 && slot / 6 < 19 && slot % 3 == 0 ? 50 : 0;
}

/* A batch each night, a little after two. */
static uint64_t nightly(int day, int slot)
{
	(void)day;
	return slot == 13 + (int)(dice() * 3) / 3 ? 300 : 0;
}

/* One or two letters a working day, at any hour of it. */
static uint64_t rare(int day, int slot)
{
	return day % 7 < 5 && slot / 6 >= 8 && slot / 6 < 18 ? poisson(0.025) : 0;
}

/* ---- the course of time ---- */

struct course {
	struct rhythm rhythm;
	source_fn *source;
	int64_t slot;
	int64_t worst; /* the largest silence that was seen, */
	int worst_day; /* and when */
};

static int day_of(int64_t slot)
{
	return (int)((slot - MONDAY_SLOT) / SLOTS_A_DAY);
}

/* Time goes on to a slot; the source sends, or is dead. What is usual is worked out once a day. */
static void go_on(struct course *course, int64_t until, bool dead, int silent_day)
{
	for (; course->slot < until; course->slot++) {
		const int day = day_of(course->slot);
		const int slot = (int)((course->slot - MONDAY_SLOT) % SLOTS_A_DAY);
		const int64_t silence =
			rhythm_silence(&course->rhythm, course->slot * RHYTHM_SLOT_MS);

		if (silence > course->worst) {
			course->worst = silence;
			course->worst_day = day;
		}
		if (!dead && day != silent_day)
			rhythm_note(&course->rhythm, course->slot, course->source(day, slot));
		if (slot == 0)
			rhythm_learn(&course->rhythm);
	}
}

static int64_t at(int day, int hour)
{
	return MONDAY_SLOT + day * SLOTS_A_DAY + hour * 6;
}

/* Hours from its death until it has been silent for three times what is usual. */
static int64_t rings_after_h(struct course *course, int day, int hour)
{
	const int64_t died = at(day, hour);

	go_on(course, died, false, -1);
	rhythm_learn(&course->rhythm);
	course->worst = 0;
	while (rhythm_silence(&course->rhythm, course->slot * RHYTHM_SLOT_MS) < FACTOR) {
		go_on(course, course->slot + 1, true, -1);
		if (course->slot - died > 60 * SLOTS_A_DAY)
			return -1;
	}
	return (course->slot - died) / 6;
}

static struct course course_of(source_fn *source, uint32_t seed)
{
	state_of_dice = seed;
	return (struct course){ .source = source, .slot = MONDAY_SLOT };
}

/* ---- what is expected ---- */

/* Two months, with all their nights and weekends. */
static void a_source_that_lives_never_rings(void **state)
{
	source_fn *const sources[] = { letters, emergencies, batches, nightly, rare };

	(void)state;
	for (size_t i = 0; i < length_of(sources); i++)
		for (uint32_t seed = 1; seed <= 20; seed++) {
			struct course course = course_of(sources[i], seed);

			go_on(&course, at(DAYS, 0), false, -1);
			if (course.worst >= FACTOR)
				fail_msg("source %zu, seed %u: %lld on day %d", i, seed,
					 (long long)course.worst, course.worst_day);
		}
}

static void one_that_dies_in_the_morning_rings_that_day(void **state)
{
	static const struct {
		source_fn *source;
		int64_t most_h;
	} rows[] = { { letters, 3 }, { emergencies, 24 }, { batches, 3 } };

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++)
		for (uint32_t seed = 1; seed <= 20; seed++) {
			struct course course = course_of(rows[i].source, seed);
			const int64_t hours = rings_after_h(&course, 36, 9); /* a Tuesday */

			if (hours < 0 || hours > rows[i].most_h)
				fail_msg("source %zu, seed %u: after %lld h", i, seed,
					 (long long)hours);
		}
}

static void one_that_dies_on_friday_evening_waits_for_monday(void **state)
{
	struct course course = course_of(batches, 1);
	const int64_t hours = rings_after_h(&course, 39, 20);

	(void)state;
	assert_in_range(hours, 48 + 4 + 7, 48 + 4 + 10); /* Monday, from seven to ten */
}

static void three_nights_are_three_times_a_night(void **state)
{
	struct course course = course_of(nightly, 1);

	(void)state;
	assert_in_range(rings_after_h(&course, 36, 9), 2 * 24, 4 * 24);
}

/* A public holiday and an outage of a day are no pattern: they do not hide the next one. */
static void two_bad_days_do_not_become_usual(void **state)
{
	struct course course = course_of(letters, 7), other = course_of(letters, 7);
	float usual;

	(void)state;
	go_on(&other, at(35, 0), false, -1);
	usual = other.rhythm.usual;
	course = course_of(letters, 7);
	go_on(&course, at(15, 0), false, 14); /* a Monday */
	go_on(&course, at(35, 0), false, 23); /* a Wednesday */
	assert_true(course.rhythm.usual < usual * 2);
	assert_in_range(rings_after_h(&course, 36, 9), 0, 3);
}

/* Of 2026 and 2027: Armistice, Christmas, New Year's Day, Easter Monday, Ascension and Whit Monday. */
static const struct {
	int day; /* 0: Monday, 12 October 2026 */
	const char *name;
} holidays[] = {
	{ 30, "Wednesday, 11 November" }, { 74, "Friday, 25 December" },
	{ 81, "Friday, 1 January" },      { 168, "Monday, 29 March" },
	{ 206, "Thursday, 6 May" },       { 217, "Monday, 17 May" },
};

static void nobody_rings_for_a_source_that_rests_on_a_holiday(void **state)
{
	source_fn *const sources[] = { letters, batches, rare };

	(void)state;
	for (size_t i = 0; i < length_of(holidays); i++)
		for (size_t j = 0; j < length_of(sources); j++) {
			struct course course = course_of(sources[j], (uint32_t)(i + j + 1));
			const int day = holidays[i].day;

			course.slot = at(max(day - 35, 0), 0);
			go_on(&course, at(day, 0) - 3, false, -1); /* Paris is ahead of UTC */
			course.worst = 0;
			go_on(&course, at(day + 1, 7), false, day);
			if (course.worst >= FACTOR)
				fail_msg("%s, source %zu: %lld", holidays[i].name, j,
					 (long long)course.worst);
		}
}

/* An emergency department works on Sundays: dead, it rings on a holiday as on any day. */
static void who_never_rests_rings_on_a_holiday_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(holidays); i++) {
		struct course course = course_of(emergencies, (uint32_t)i + 1);
		int64_t hours;

		course.slot = at(max(holidays[i].day - 35, 0), 0);
		hours = rings_after_h(&course, holidays[i].day, 7);
		if (hours < 0 || hours > 15)
			fail_msg("%s: after %lld h", holidays[i].name, (long long)hours);
	}
}

/* One that died on the eve is heard of when work begins again. */
static void the_day_after_a_holiday_is_a_day_again(void **state)
{
	struct course course = course_of(letters, 5);

	(void)state;
	assert_in_range(rings_after_h(&course, 29, 20), 12 + 24 - 1, 12 + 24 + 5);
}

/* Two holidays on the same weekday within four weeks do not make its mornings silent ones. */
static void a_holiday_teaches_nothing_of_its_day(void **state)
{
	struct course course = course_of(batches, 2);

	(void)state;
	go_on(&course, at(74, 0), false, -1);
	go_on(&course, at(81, 0), false, 74);
	go_on(&course, at(88, 0), false, 81);
	assert_in_range(rings_after_h(&course, 88, 8), 0, 3); /* a Friday */
}

static void the_dead_stay_dead(void **state)
{
	struct course course = course_of(letters, 3);

	(void)state;
	assert_true(rings_after_h(&course, 36, 9) >= 0);
	go_on(&course, at(36 + 400, 0), true, -1); /* more than a year, learning each day */
	assert_true(rhythm_silence(&course.rhythm, course.slot * RHYTHM_SLOT_MS) >= FACTOR);
}

static void one_that_comes_back_is_heard(void **state)
{
	struct course course = course_of(letters, 3);

	(void)state;
	assert_true(rings_after_h(&course, 36, 9) >= 0);
	go_on(&course, at(50, 10), true, -1);
	go_on(&course, at(50, 11), false, -1);
	assert_true(rhythm_silence(&course.rhythm, course.slot * RHYTHM_SLOT_MS) < FACTOR);
	assert_true(rhythm_last_ms(&course.rhythm) > at(50, 10) * RHYTHM_SLOT_MS);
}

static void a_new_source_is_not_judged_for_two_weeks(void **state)
{
	struct course course = course_of(letters, 3);

	(void)state;
	assert_int_equal(rhythm_silence(&course.rhythm, at(3, 0) * RHYTHM_SLOT_MS), 0);
	assert_int_equal(rhythm_last_ms(&course.rhythm), 0);
	go_on(&course, at(10, 12), false, -1);
	assert_int_equal(rings_after_h(&course, 10, 12), -1);
}

/* Bursts of three each hour: five minutes are as nothing, and hours are. */
static void a_slot_may_be_told_again_with_more(void **state)
{
	struct rhythm once = { 0 }, twice = { 0 };

	(void)state;
	for (int64_t slot = MONDAY_SLOT; slot < MONDAY_SLOT + 20 * SLOTS_A_DAY; slot += 6) {
		rhythm_note(&once, slot, 3);
		rhythm_note(&twice, slot, 1);
		rhythm_note(&twice, slot, 3);
	}
	rhythm_learn(&once);
	rhythm_learn(&twice);
	assert_memory_equal(once.counts, twice.counts, sizeof(once.counts));
	assert_true(once.usual > 0 && once.usual <= twice.usual && twice.usual <= once.usual);
	rhythm_note(&once, MONDAY_SLOT - 40 * SLOTS_A_DAY, 9); /* older than all: nothing */
	assert_memory_equal(once.counts, twice.counts, sizeof(once.counts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_that_lives_never_rings),
		cmocka_unit_test(one_that_dies_in_the_morning_rings_that_day),
		cmocka_unit_test(one_that_dies_on_friday_evening_waits_for_monday),
		cmocka_unit_test(three_nights_are_three_times_a_night),
		cmocka_unit_test(two_bad_days_do_not_become_usual),
		cmocka_unit_test(nobody_rings_for_a_source_that_rests_on_a_holiday),
		cmocka_unit_test(who_never_rests_rings_on_a_holiday_too),
		cmocka_unit_test(the_day_after_a_holiday_is_a_day_again),
		cmocka_unit_test(a_holiday_teaches_nothing_of_its_day),
		cmocka_unit_test(the_dead_stay_dead),
		cmocka_unit_test(one_that_comes_back_is_heard),
		cmocka_unit_test(a_new_source_is_not_judged_for_two_weeks),
		cmocka_unit_test(a_slot_may_be_told_again_with_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
