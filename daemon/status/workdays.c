/* Holidays, and what each day weighs. Pure. Any thread. */
#include "status/workdays.h"

enum { DAYS_OF_A_YEAR = 365, AUGUST = 8, FRIDAY = 4 };

#define DAY_MS (24 * INT64_C(3600000))

/* The Gregorian Easter Sunday (Meeus, Jones and Butcher). */
static int easter(int year)
{
	const int golden = year % 19, century = year / 100, of_century = year % 100;
	const int epact = (19 * golden + century - century / 4 -
			   (century - (century + 8) / 25 + 1) / 3 + 15) %
			  30;
	const int weekday =
		(32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
	const int correction = (golden + 11 * epact + 22 * weekday) / 451;
	const int sum = epact + weekday - 7 * correction + 114;

	return year * 10000 + sum / 31 * 100 + sum % 31 + 1;
}

bool workdays_is_holiday(int day)
{
	static const int fixed[] = { 101, 501, 508, 714, 815, 1101, 1111, 1225 };
	static const int after_easter[] = { 1, 39, 50 }; /* Mondays, and the Ascension */
	const int sunday = easter(day / 10000);

	for (size_t i = 0; i < length_of(fixed); i++)
		if (day % 10000 == fixed[i])
			return true;
	for (size_t i = 0; i < length_of(after_easter); i++)
		if (calendar_add(sunday, after_easter[i]) == day)
			return true;
	return false;
}

struct workdays workdays_preset(void)
{
	return (struct workdays){ .weekend = 0.15, .august = 1 };
}

bool workdays_is_rest(const struct workdays *workdays, int day)
{
	return day > calendar_add(calendar_monday(day), FRIDAY) ||
	       (!workdays->without_holidays && workdays_is_holiday(day));
}

static bool is_august(int day)
{
	return day / 100 % 100 == AUGUST;
}

double workdays_weight(const struct workdays *workdays, int day)
{
	return (workdays_is_rest(workdays, day) ? workdays->weekend : 1) *
	       (is_august(day) ? workdays->august : 1);
}

double workdays_weigh(const struct workdays *workdays, int after, int until)
{
	double sum = 0;

	for (int day = calendar_add(after, 1); day <= until; day = calendar_add(day, 1))
		sum += workdays_weight(workdays, day);
	return sum;
}

/* Days have 23 to 25 hours: half a day more, and it is whole days. */
int workdays_between(int after, int until)
{
	const int64_t ms = calendar_begins_ms(until) - calendar_begins_ms(after);

	return (int)((ms + (ms < 0 ? -DAY_MS : DAY_MS) / 2) / DAY_MS);
}

struct heap {
	double brought, days;
};

static double mean(struct heap heap)
{
	return heap.days > 0 ? heap.brought / heap.days : 0;
}

struct workdays workdays_learn(const struct workdays *preset, int first, const uint64_t *brought,
			       size_t count)
{
	struct heap work = { 0 }, rest = { 0 }, august = { 0 };
	struct workdays learned = *preset;
	int day = first;

	if (count < DAYS_OF_A_YEAR)
		return learned;
	for (size_t i = 0; i < count; i++, day = calendar_add(day, 1)) {
		struct heap *heap = workdays_is_rest(preset, day) ? &rest
				    : is_august(day)              ? &august
								  : &work;

		heap->brought += (double)brought[i];
		heap->days++;
	}
	if (mean(work) <= 0)
		return learned;
	learned.weekend = mean(rest) / mean(work);
	learned.august = mean(august) / mean(work);
	learned.learned = true;
	return learned;
}
