/* The levels of each alert. Pure. Any thread. */
#include "status/thresholds.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* Past `warning`, then past `critical`. */
static struct alert_levels two(int64_t warning, int64_t critical)
{
	return (struct alert_levels){ .at = { warning, critical }, .count = 2, .critical = 2 };
}

static struct alert_levels one(int64_t level, enum alert_severity severity)
{
	return (struct alert_levels){ .at = { level },
				      .count = 1,
				      .critical = severity == ALERT_CRITICAL ? 1 : 2 };
}

static struct alert_levels of(const struct threshold *threshold)
{
	return two(threshold->warning, threshold->critical);
}

/* Days, fewer each time: 60, 30, 15, 7. Half of the first may be past the second already. */
static struct alert_levels of_certificate(const struct threshold *threshold)
{
	const int64_t first = threshold->warning / DAY_MS, third = threshold->critical / DAY_MS;
	const int64_t second = max(first / 2, third);

	return (struct alert_levels){ .at = { first, second, third, third / 2 },
				      .count = 4,
				      .critical = second == third ? 2 : 3 };
}

struct alert_levels threshold_levels(const struct threshold_settings *settings,
				     enum alert_rule rule)
{
	switch (rule) {
	case ALERT_LANE_STOPPED:
		return one(settings->lane_stopped_ms, ALERT_CRITICAL);
	case ALERT_BACKLOG_AGE:
		return of(&settings->backlog_age_ms);
	case ALERT_SOURCE_SILENT:
		return one(0, ALERT_WARNING);
	case ALERT_CERTIFICATE_ENDS:
		return of_certificate(&settings->certificate_ms);
	case ALERT_DISK_LOW:
		return threshold_of_disk(settings, 0);
	case ALERT_CLOCK_SKEW:
		return of(&settings->clock_skew_ms);
	case ALERT_CLOCK_JUMP:
		return one(settings->clock_skew_ms.warning, ALERT_WARNING);
	case ALERT_REJECTED_COUNT:
		return one((int64_t)settings->rejected_documents, ALERT_WARNING);
	case ALERT_REJECTED_AGE:
		return of(&settings->rejected_age_ms);
	case ALERT_INVISIBLE_TOO_LONG:
		return two(settings->invisible_warning_ms, settings->invisible_critical_ms);
	case ALERT_STORE_DAMAGED:
		return one(1, ALERT_CRITICAL);
	case ALERT_INS_COUNT:
		return one((int64_t)settings->ins_documents, ALERT_WARNING);
	case ALERT_INS_AGE:
		return of(&settings->ins_age_ms);
	case ALERT_IDENTITY_CHANGED:
		return one(
			1,
			ALERT_CRITICAL); /* one patient reads another's: there is no lesser level */
	case ALERT_DMP_ABSENT_RATE:
		return two(settings->absent_percent.warning * 10,
			   settings->absent_percent.critical * 10);
	case ALERT_NOT_FORWARDED:
		return of(&settings->audit_unreached_ms);
	case ALERT_RULE_COUNT:
		break;
	}
	return (struct alert_levels){ 0 };
}

/* A tenth of a large disk is a lot, so is a gigabyte of a small one: what is low is low by both. */
static int64_t low(int64_t percent, int64_t bytes, uint64_t size_bytes)
{
	return min((int64_t)(size_bytes / 100) * percent, bytes);
}

struct alert_levels threshold_of_disk(const struct threshold_settings *settings,
				      uint64_t size_bytes)
{
	const struct threshold *percent = &settings->disk_percent, *bytes = &settings->disk_bytes;

	return two(low(percent->warning, bytes->warning, size_bytes),
		   low(percent->critical, bytes->critical, size_bytes));
}
