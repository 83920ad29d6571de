/* Time, read and written. Any thread. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* Rounded down, before 1970 too: patients are born there. */
static time_t seconds_of(int64_t time_ms)
{
	return (time_t)(time_ms / 1000 - (time_ms % 1000 < 0));
}

static struct tm utc_of(int64_t time_ms)
{
	time_t seconds = seconds_of(time_ms);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	return tm;
}

static struct tm local_of(int64_t time_ms)
{
	time_t seconds = seconds_of(time_ms);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	return tm;
}

const char *clock_iso(int64_t time_ms, char ret_text[static CLOCK_TEXT])
{
	struct tm tm = utc_of(time_ms);
	size_t n = strftime(ret_text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(ret_text + n, CLOCK_TEXT - n, ".%03dZ",
		 (int)(time_ms - (int64_t)seconds_of(time_ms) * 1000));
	return ret_text;
}

const char *clock_xds(int64_t time_ms, char ret_text[static CLOCK_TEXT])
{
	struct tm tm = utc_of(time_ms);

	strftime(ret_text, CLOCK_TEXT, "%Y%m%d%H%M%S", &tm);
	return ret_text;
}

const char *clock_hl7(int64_t time_ms, char ret_text[static CLOCK_TEXT])
{
	struct tm tm = local_of(time_ms);

	strftime(ret_text, CLOCK_TEXT, "%Y%m%d%H%M%S%z", &tm);
	return ret_text;
}

const char *clock_day(int64_t time_ms, char ret_text[static CLOCK_TEXT])
{
	struct tm tm = local_of(time_ms);

	strftime(ret_text, CLOCK_TEXT, "%Y-%m-%d", &tm);
	return ret_text;
}

/* Reads `digits` digits off *rest. 1: read, 0: none left (*rest empty), -1: something else. */
static int read_number(struct slice *rest, size_t digits, int least, int most, int *ret_number)
{
	uint64_t number;

	if (rest->n == 0)
		return 0;
	if (rest->n < digits ||
	    !slice_to_u64((struct slice){ rest->p, digits }, (uint64_t)most, &number) ||
	    (int)number < least)
		return -1;
	*rest = slice_from(*rest, digits);
	*ret_number = (int)number;
	return 1;
}

/* The "+0100" that ends `text`, if any: cuts it off and gives minutes east of Greenwich. 1: there
 * was one, 0: none, -1: broken. */
static int read_zone(struct slice *text, int *ret_minutes)
{
	size_t sign = text->n;
	struct slice zone;
	int hours = 0, minutes = 0;

	while (sign > 0 && text->p[sign - 1] != '+' && text->p[sign - 1] != '-')
		sign--;
	if (sign == 0)
		return 0;
	zone = slice_from(*text, sign);
	if (zone.n != 4 || read_number(&zone, 2, 0, 14, &hours) < 0 ||
	    read_number(&zone, 2, 0, 59, &minutes) < 0)
		return -1;
	*ret_minutes = (hours * 60 + minutes) * (text->p[sign - 1] == '-' ? -1 : 1);
	text->n = sign - 1;
	return 1;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Of the hour that exists twice in October, the first: mktime() takes the one which suits what it was asked before,
 * so that one text would be two times, and the second may lie in the future.
 */
static int64_t local_time_s(struct tm tm)
{
	const time_t time_s = mktime(&tm), earlier_s = time_s - 3600;
	struct tm earlier;

	localtime_r(&earlier_s, &earlier);
	return earlier.tm_hour == tm.tm_hour && earlier.tm_min == tm.tm_min ? earlier_s : time_s;
}

int clock_parse_hl7(struct slice text, int64_t *ret_time_ms, bool *ret_zoned, struct err *err)
{
	int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, zone_minutes = 0, zoned;
	const struct {
		size_t digits;
		int least, most, *value;
	} parts[] = {
		{ 4, 1, 9999, &year }, { 2, 1, 12, &month },  { 2, 1, 31, &day },
		{ 2, 0, 23, &hour },   { 2, 0, 59, &minute }, { 2, 0, 60, &second },
	};
	struct slice rest = text;
	struct tm tm;
	int64_t time_s;

	zoned = read_zone(&rest, &zone_minutes);
	if (zoned < 0 || rest.n < 4)
		goto not_a_time;
	for (size_t i = 0; i < length_of(parts); i++)
		if (read_number(&rest, parts[i].digits, parts[i].least, parts[i].most,
				parts[i].value) < 0)
			goto not_a_time;
	if (rest.n > 0) { /* a fraction: read, not kept */
		uint64_t fraction;

		if (rest.p[0] != '.' || !slice_to_u64(slice_from(rest, 1), UINT64_MAX, &fraction))
			goto not_a_time;
	}
	if (day > days_in_month(year, month))
		goto not_a_time;

	tm = (struct tm){ .tm_year = year - 1900,
			  .tm_mon = month - 1,
			  .tm_mday = day,
			  .tm_hour = hour,
			  .tm_min = minute,
			  .tm_sec = second,
			  .tm_isdst = -1 };
	time_s = zoned ? timegm(&tm) - (int64_t)zone_minutes * 60 : local_time_s(tm);
	*ret_time_ms = time_s * 1000;
	*ret_zoned = zoned != 0;
	return 0;

not_a_time:
	return err_refuse(err, REASON_DATA_TYPE, "",
			  "a time is not of the form YYYYMMDDHHMMSS+ZZZZ");
}
