/* Days, months and weeks in Europe/Paris. Pure. */
#include "base/calendar.h"

#include <stdio.h>

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS, FIRST_YEAR = 1, LAST_YEAR = 9999 };

struct date {
	int year, month, day;
};

static int64_t divide(int64_t number, int64_t by) /* rounded down, before 1970 too */
{
	return number / by - (number % by < 0);
}

/* ---- dates and numbers of days since 1970-01-01 ---- */

/* Years begin in March here: the odd day then comes last. 400 years are 146 097 days. */
static int64_t number_of(struct date date)
{
	const int64_t year = date.year - (date.month <= 2);
	const int64_t era = divide(year, 400);
	const int64_t of_era = year - era * 400;
	const int64_t of_year =
		(153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date date_of(int64_t number)
{
	const int64_t shifted = number + 719468;
	const int64_t era = divide(shifted, 146097);
	const int64_t day = shifted - era * 146097;
	const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	const int64_t of_year = day - (365 * year + year / 4 - year / 100);
	const int64_t month = (5 * of_year + 2) / 153; /* 0: March */

	return (struct date){
		.year = (int)(year + era * 400 + (month >= 10)),
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(of_year - (153 * month + 2) / 5 + 1),
	};
}

static int day_of(int64_t number)
{
	const struct date date = date_of(number);

	return date.year * 10000 + date.month * 100 + date.day;
}

static int64_t number_of_day(int day)
{
	return number_of((struct date){ day / 10000, day / 100 % 100, day % 100 });
}

/* Days since a Monday: 1970-01-01 was a Thursday. */
static int weekday(int64_t number)
{
	return (int)(number + 3 - divide(number + 3, 7) * 7);
}

/* ---- Paris ---- */

/* When clocks change in that month: 01:00 UTC of its last Sunday. March and October have 31 days. */
static int64_t change_ms(int year, int month)
{
	const int64_t last = number_of((struct date){ year, month, 31 });

	return (last - (weekday(last) + 1) % 7) * DAY_MS + HOUR_MS;
}

static int64_t offset_ms(int64_t time_ms)
{
	const int year = date_of(divide(time_ms, DAY_MS)).year;
	const bool is_summer = time_ms >= change_ms(year, 3) && time_ms < change_ms(year, 10);

	return is_summer ? 2 * HOUR_MS : HOUR_MS;
}

int calendar_day(int64_t time_ms)
{
	return day_of(divide(time_ms + offset_ms(time_ms), DAY_MS));
}

/* Clocks change at 02:00 or 03:00 in Paris: at midnight the offset is that of an hour before. */
int64_t calendar_begins_ms(int day)
{
	const int64_t winter_ms = number_of_day(day) * DAY_MS - HOUR_MS;

	return winter_ms - (offset_ms(winter_ms - HOUR_MS) - HOUR_MS);
}

int calendar_month(int day)
{
	return day / 100;
}

int calendar_add(int day, int days)
{
	return day_of(number_of_day(day) + days);
}

int calendar_monday(int day)
{
	const int64_t number = number_of_day(day);

	return day_of(number - weekday(number));
}

/* ---- texts ---- */

const char *calendar_day_text(int day, char ret_text[static CALENDAR_TEXT])
{
	snprintf(ret_text, CALENDAR_TEXT, "%04d-%02d-%02d", day / 10000 % 10000, day / 100 % 100,
		 day % 100);
	return ret_text;
}

const char *calendar_month_text(int month, char ret_text[static CALENDAR_TEXT])
{
	snprintf(ret_text, CALENDAR_TEXT, "%04d-%02d", month / 100 % 10000, month % 100);
	return ret_text;
}

bool calendar_parse_day(struct slice text, int *ret_day)
{
	struct slice rest = text, year, month, day;
	uint64_t y, m, d;
	int parsed;

	if (text.n != 10 || !slice_next(&rest, '-', &year) || year.n != 4 ||
	    !slice_next(&rest, '-', &month) || month.n != 2 || !slice_next(&rest, '-', &day) ||
	    day.n != 2 || !slice_to_u64(year, LAST_YEAR, &y) || y < FIRST_YEAR ||
	    !slice_to_u64(month, 12, &m) || m == 0 || !slice_to_u64(day, 31, &d) || d == 0)
		return false;
	parsed = (int)(y * 10000 + m * 100 + d);
	if (calendar_add(parsed, 0) != parsed) /* there is no 30th of February */
		return false;
	*ret_day = parsed;
	return true;
}
