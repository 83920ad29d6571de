/* How much of a working day's work each day brings: what a pace is divided by, and a projection
 * multiplied with. Days as base/calendar.h has them.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_WORKDAYS_H
#define DMPFEED_STATUS_WORKDAYS_H

#include "base/calendar.h"

/* One of the eleven public holidays of metropolitan France (Code du travail, L3133-1). */
bool workdays_is_holiday(int day);

struct workdays {
	double weekend;        /* Saturdays, Sundays, and holidays if they count */
	double august;         /* what a day of August brings of any other */
	bool without_holidays; /* a holiday is a day like any other */
	bool learned;
};

/* 1 and 0.15, holidays as weekends. */
struct workdays workdays_preset(void);

bool workdays_is_rest(const struct workdays *workdays, int day);
double workdays_weight(const struct workdays *workdays, int day);

/* Of all days after `after`, up to and with `until`; 0 when there is none. */
double workdays_weigh(const struct workdays *workdays, int after, int until);

/* How many days `until` is after `after`; fewer than 0: before. */
int workdays_between(int after, int until);

/* Weights out of what each of the `count` days from `first` on brought. Less than a year, or a year in
 * which nothing was brought: those of `preset`.
 */
struct workdays workdays_learn(const struct workdays *preset, int first, const uint64_t *brought,
			       size_t count);

#endif
