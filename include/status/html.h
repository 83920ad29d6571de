/* What every part of a page writes: text that cannot become markup, numbers, ages and dates in French and
 * English. Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_HTML_H
#define DMPFEED_STATUS_HTML_H

#include "base/buf.h"

/* For the content of an element and of an attribute in quotes. NULL is "". */
void html_add(struct buf *out, const char *text);

/* 12 345, 12,345 */
void html_add_count(struct buf *out, uint64_t count, bool french);

/* "4 min", "3 h", "2 j": how long, by its largest unit, two when that is few. */
void html_add_duration(struct buf *out, int64_t duration_ms, bool french);

/* <time>: "il y a 4 min", with the time itself for who points at it; "jamais" for 0. */
void html_add_ago(struct buf *out, int64_t time_ms, int64_t now_ms, bool french);

/* <time>: "dans 4 min". */
void html_add_until(struct buf *out, int64_t time_ms, int64_t now_ms, bool french);

/* 22/11/2026, 22 Nov 2026; of the process's zone. */
void html_add_date(struct buf *out, int64_t time_ms, bool french);

/* 22/11, 22 Nov */
void html_add_day(struct buf *out, int64_t time_ms, bool french);

/* 09:31 */
void html_add_clock(struct buf *out, int64_t time_ms);

#endif
