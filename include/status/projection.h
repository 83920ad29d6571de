/* How far an indicator is from its threshold, and where it goes: arithmetic alone.
 *
 * Pure: times and history are arguments. Any thread.
 */
#ifndef DMPFEED_STATUS_PROJECTION_H
#define DMPFEED_STATUS_PROJECTION_H

#include "base/buf.h"

enum target_state {
	TARGET_MET_NOW,
	TARGET_ON_TRACK,
	TARGET_AT_RISK,
	TARGET_OUT_OF_REACH,
	TARGET_NO_TARGET,      /* no threshold is known */
	TARGET_NO_DENOMINATOR, /* nothing to measure against */
	TARGET_STATE_COUNT
};

const char *target_state_text(enum target_state state); /* "MET_NOW" */

enum {
	PROJECTION_WEEKS = 13, /* of history that are looked at */
	PROJECTION_ENOUGH = 8, /* with fewer, an interval is to be shown rather than one figure */
};

/* A day counts as much as it brings (calendar.h): what is "a day" here is a working day. */
struct projection_input {
	bool is_ratio; /* else a count: there is no denominator */
	bool has_threshold, at_most;
	double threshold, margin;

	int64_t numerator; /* as of now */

	/* Denominators may be known up to an earlier day: that far reaches what was measured. */
	bool has_denominator;
	int64_t denominator, numerator_measured;
	double gap; /* days since then */

	bool has_end;
	double left; /* days until the end */

	double numerator_pace, denominator_pace; /* a day, lately */
	double produced_pace;                    /* documents that could count, a day */
	double first_pass_rate;                  /* of these, that pass at once */
	int64_t sendable;                        /* that would count if what waits were sent */
	int64_t recoverable; /* and if identities were qualified, for which documents wait */

	double weekly[PROJECTION_WEEKS]; /* of the numerator, a day, each of the last full weeks */
	size_t weeks;
};

/* Rates are shares of a ratio (0.7), or the count itself. NAN: not known. */
struct projection {
	enum target_state state;
	double rate;                      /* what was measured */
	double rate_end, low, high;       /* at the end: at this pace; in bad weeks, in good ones */
	bool is_young;                    /* show the interval, not the figure */
	double rate_recovered;            /* at the end, with what is recoverable */
	int64_t missing_now, missing_end; /* documents or stays; -1: not known */
	double per_day;                   /* needed until the end; NAN: not known, or no day left */
	double pace;
	double denominator_end;
};

void projection_make(const struct projection_input *input, struct projection *ret_projection);

/* What is to be said of it: one or two sentences. `unit`: what is counted. */
enum projection_unit { UNIT_DOCUMENT, UNIT_STAY, UNIT_PATIENT, UNIT_MESSAGE, UNIT_WEEK };

void projection_say(const struct projection_input *input, const struct projection *projection,
		    enum projection_unit unit, bool french, struct buf *out);

/* The rate as it is shown: one that misses its threshold is not rounded to it. */
double projection_shown(const struct projection_input *input, const struct projection *projection);

/* 61.2 %, 61,2 %: with one digit behind the point; 8,200 and 8 200. */
void projection_add_rate(double rate, bool is_ratio, bool french, struct buf *out);
void projection_add_count(int64_t count, bool french, struct buf *out);

#endif
