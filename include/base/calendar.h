/* Days, months and weeks in Europe/Paris, whatever the zone of the process: what is counted for an
 * establishment is counted by its own calendar.
 *
 * A day is the number that its date reads as (20261122), a month likewise (202611): both sort, and a
 * database shows them as people say them. The Union's rule of summer time (last Sundays of March and
 * October, 01:00 UTC, in force since 1996) is arithmetic, so this needs no zone files. Pure.
 */
#ifndef DMPFEED_BASE_CALENDAR_H
#define DMPFEED_BASE_CALENDAR_H

#include "base/buf.h"

enum { CALENDAR_TEXT = 16 };

int calendar_day(int64_t time_ms);

/* The moment at which the day begins. */
int64_t calendar_begins_ms(int day);

/* The month of a day. */
int calendar_month(int day);

/* The day that lies `days` later; fewer than 0: earlier. */
int calendar_add(int day, int days);

/* The Monday of the day's week. */
int calendar_monday(int day);

/* "2026-11-22"; a month: "2026-11". */
const char *calendar_day_text(int day, char ret_text[static CALENDAR_TEXT]);
const char *calendar_month_text(int month, char ret_text[static CALENDAR_TEXT]);

/* Reads "2026-11-22"; false: there is no such day. */
must_use bool calendar_parse_day(struct slice text, int *ret_day);

#endif
