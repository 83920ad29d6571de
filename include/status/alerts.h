/* What a person should hear of before anybody complains: alerts, each with a fixed name, raised and
 * cleared with hysteresis.
 *
 * Whoever looks tells what it saw, one sight per rule and subject, a round at a time. A value that
 * passes a level of its rule, and stays there for a while, raises the alert; one that comes back
 * past the level by a margin, and stays there, clears it. So a value that wavers about a level rings
 * once. What a later round does not see any more (a folder that is no longer configured) is cleared.
 *
 * Pure. Any thread; one set of alerts belongs to one.
 */
#ifndef DMPFEED_STATUS_ALERTS_H
#define DMPFEED_STATUS_ALERTS_H

#include "base/buf.h"

/* What is watched. Several may share a name: what people, scripts and dashboards know. */
enum alert_rule {
	ALERT_LANE_STOPPED,       /* value: for how long */
	ALERT_BACKLOG_AGE,        /* value: of the oldest document that is queued */
	ALERT_SOURCE_SILENT,      /* value: for how long */
	ALERT_CERTIFICATE_ENDS,   /* value: days left; fewer are worse */
	ALERT_DISK_LOW,           /* value: free bytes; fewer are worse */
	ALERT_CLOCK_SKEW,         /* value: how far off */
	ALERT_CLOCK_JUMP,         /* value: how far it jumped */
	ALERT_REJECTED_COUNT,     /* value: documents */
	ALERT_REJECTED_AGE,       /* value: of the oldest */
	ALERT_INVISIBLE_TOO_LONG, /* value: for how long the oldest has been */
	ALERT_STORE_DAMAGED,      /* value: 1 */
	ALERT_INS_COUNT,          /* value: documents */
	ALERT_INS_AGE,            /* value: of the oldest */
	ALERT_IDENTITY_CHANGED,   /* value: documents */
	ALERT_DMP_ABSENT_RATE,    /* value: tenths of a percent */
	ALERT_NOT_FORWARDED,      /* value: for how long */
	ALERT_RULE_COUNT
};

/* "lane_stopped" */
const char *alert_name(enum alert_rule rule);

enum alert_severity { ALERT_WARNING, ALERT_CRITICAL };

const char *alert_severity_text(enum alert_severity severity); /* "warning", "critical" */

/* Up to four levels, each worse than the one before: what lies past the first is an alert, and each
 * further one is told anew (60, 30, 15, 7 days).
 */
enum { ALERT_STEPS = 4 };

struct alert_levels {
	int64_t at[ALERT_STEPS];
	unsigned count;
	unsigned critical; /* from this level on, the first being 1 */
};

struct alert_sight {
	enum alert_rule rule;
	const char *subject; /* a lane, a source, a certificate: nothing of a patient */
	int64_t value;
	struct alert_levels levels;
	const char *detail;        /* more words for the sentence; NULL: none */
	const char *detail_french; /* NULL: the same */
};

enum { ALERT_SUBJECT = 96, ALERT_DETAIL = 400 };

struct alert {
	enum alert_rule rule;
	enum alert_severity severity;
	char subject[ALERT_SUBJECT], detail[ALERT_DETAIL];
	char detail_french[ALERT_DETAIL]; /* "": the same */
	int64_t value;
	int64_t since_ms; /* by the wall clock */
};

/* The holds are counted by the monotonic clock; people are told the other. */
struct alert_time {
	int64_t monotonic_ms, wall_ms;
};

enum alert_change {
	ALERT_RAISED,
	ALERT_CHANGED, /* past another level, either way */
	ALERT_CLEARED
};

const char *alert_change_text(enum alert_change change); /* "raised", "changed", "cleared" */

struct alerts;

/* Of `most` rules and subjects; further ones are not looked at. */
struct alerts *alerts_new(size_t most);
void alerts_free(struct alerts **alerts);

/* One round: what was seen at `time`, and then what has changed by it. */
void alerts_begin(struct alerts *alerts, struct alert_time time);
void alerts_see(struct alerts *alerts, const struct alert_sight *sight);
void alerts_end(struct alerts *alerts,
		void (*changed)(void *arg, const struct alert *alert, enum alert_change change),
		void *arg);

/* Those that are raised, in the order of their rules; valid until the next round begins. */
const struct alert *alerts_raised(const struct alerts *alerts, size_t *ret_count);

/* Append one sentence: what is wrong; what to do about it. */
void alert_say(const struct alert *alert, bool french, struct buf *out);
void alert_advise(const struct alert *alert, bool french, struct buf *out);

#endif
