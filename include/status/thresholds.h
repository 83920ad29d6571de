/* From what the configuration says to the levels of each alert. Pure. Any thread. */
#ifndef DMPFEED_STATUS_THRESHOLDS_H
#define DMPFEED_STATUS_THRESHOLDS_H

#include "status/alerts.h"

/* What is worth a warning, and what is critical. */
struct threshold {
	int64_t warning, critical;
};

struct threshold_settings {
	int64_t lane_stopped_ms;         /* for so long */
	struct threshold backlog_age_ms; /* of the oldest document to be sent */
	uint64_t silence_factor;         /* times the source's usual silence, */
	int64_t silence_least_ms;        /* and at least so long */
	struct threshold certificate_ms; /* before it ends; told anew at half of each */
	/* a disk has less left than this share, and less than so many bytes */
	struct threshold disk_percent, disk_bytes;
	struct threshold clock_skew_ms;
	uint64_t rejected_documents; /* so many wait for a person */
	struct threshold rejected_age_ms;
	int64_t invisible_warning_ms, invisible_critical_ms; /* the first is visibility's own */
	uint64_t ins_documents;
	struct threshold ins_age_ms;
	struct threshold absent_percent;
	uint64_t absent_least;               /* fewer documents say nothing of that */
	struct threshold audit_unreached_ms; /* for so long the collector of the trail */
};

/* Levels of a rule that every subject shares. Not for a disk: its size counts. */
struct alert_levels threshold_levels(const struct threshold_settings *settings,
				     enum alert_rule rule);

struct alert_levels threshold_of_disk(const struct threshold_settings *settings,
				      uint64_t size_bytes);

#endif
