/* Tables for spreadsheets, as the hospital's people open them: UTF-8 with a byte order mark, fields separated
 * by semicolons, one line of column names, ISO dates, no thousands separator.
 *
 * A text of somebody else's never becomes a formula: one that begins with = + - @, a tab or a carriage return
 * gets an apostrophe before it, which spreadsheets take for "this is text".
 *
 * Pure. A sheet belongs to whoever declared it.
 */
#ifndef DMPFEED_STATUS_SHEET_H
#define DMPFEED_STATUS_SHEET_H

#include "base/calendar.h"

struct sheet {
	struct buf *out;
	char decimal;         /* ',' or '.' */
	uint64_t least_shown; /* a count below it, but 0, is told as "<5"; 0: every count is told */

	bool is_within; /* private: a cell of the line is there */
};

/* The byte order mark and the names, which end with a NULL. */
void sheet_begin(const struct sheet *sheet, const char *const *columns);

void sheet_text(struct sheet *sheet, const char *text); /* from outside: see above */
void sheet_word(struct sheet *sheet, const char *word); /* one of our own */
void sheet_code(struct sheet *sheet, const char *code); /* in quotes always, so that zeros stay */
void sheet_number(struct sheet *sheet, int64_t number);
void sheet_count(struct sheet *sheet, int64_t count);          /* of documents: may be masked */
void sheet_real(struct sheet *sheet, double real, int digits); /* not finite: empty */
void sheet_time(struct sheet *sheet, int64_t time_ms);         /* UTC, to the second; 0: empty */
void sheet_day(struct sheet *sheet, int day);                  /* 0: empty */
void sheet_month(struct sheet *sheet, int month);
void sheet_none(struct sheet *sheet);
void sheet_end_line(struct sheet *sheet);

/* Is it one of those counts that are not told? */
bool sheet_masks(const struct sheet *sheet, int64_t count);

#endif
