/* Time: int64_t milliseconds since 1970 (UTC). Pure code gets it as an argument; only edges read a
 * clock. Any thread. */
#ifndef DMPFEED_BASE_CLOCK_H
#define DMPFEED_BASE_CLOCK_H

#include <stdint.h>

#include "base/buf.h"

int64_t clock_now_ms(void);       /* wall clock */
int64_t clock_monotonic_ms(void); /* for how long something took */

enum { CLOCK_TEXT = 32 };

/* 2026-11-20T09:41:07.250Z */
const char *clock_iso(int64_t time_ms, char ret_text[static CLOCK_TEXT]);

/* 20261120094107, as XDS and HL7 V3 write a time in UTC */
const char *clock_xds(int64_t time_ms, char ret_text[static CLOCK_TEXT]);

/* 20261120094107+0000, as HL7 v2 writes a time with its zone (local zone of the process) */
const char *clock_hl7(int64_t time_ms, char ret_text[static CLOCK_TEXT]);

/* 2026-11-20, in the local zone: the names of done/ and rejected/ folders */
const char *clock_day(int64_t time_ms, char ret_text[static CLOCK_TEXT]);

/* Reads the HL7 time YYYY[MM[DD[HH[MM[SS[.s…]]]]]][+/-ZZZZ] (v2 TS, V3 TS) into UTC milliseconds.
 * What is missing at the end is taken as its least value; without a zone the process's local zone
 * applies and *ret_zoned is false; of two times that are written alike, in October, it is the first.
 * -1: not a time (err: REASON_DATA_TYPE). */
must_use int clock_parse_hl7(struct slice text, int64_t *ret_time_ms, bool *ret_zoned,
			     struct err *err);

#endif
