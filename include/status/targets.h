/* What an establishment is to reach: programmes, their windows and indicators, as YAML files say it.
 * A new programme is a new file: nothing here knows one by name.
 *
 * Declarative only. Each file is whole in itself (its document types, groups and denominators); ids of
 * programmes are unique over all of them, and a denominator that two files name is one and the same.
 *
 * Pure. Read at start, immutable afterwards: any thread may read it. Days as base/calendar.h has them.
 */
#ifndef DMPFEED_STATUS_TARGETS_H
#define DMPFEED_STATUS_TARGETS_H

#include "base/arena.h"
#include "base/codec.h"
#include "status/projection.h"
#include "status/workdays.h"

#define TARGETS_NO_END 99991231 /* of a window that goes on */

enum { TARGETS_FIELDS = 6 };

/* Where a window or a threshold was taken from. */
enum target_status { TARGET_TO_CONFIRM, TARGET_OFFICIAL, TARGET_INTERNAL };

const char *target_status_text(enum target_status status); /* "to_confirm" */

struct target_texts {
	const char **list;
	size_t count;
};

/* ---- denominators ---- */

enum target_source { SOURCE_DIM_IMPORT, SOURCE_ADT, SOURCE_PRODUCED, SOURCE_MANUAL };

const char *target_source_text(enum target_source source); /* "dim_import" */

struct target_denominator {
	const char *id;
	enum target_source source;
	const char *file; /* "": none. By its name, an import knows what it is for */
	enum projection_unit unit;
	const char *date_basis;
	struct target_texts exclude; /* labels: whoever counted applied them */
};

/* ---- numerators ---- */

enum target_aggregate {
	AGGREGATE_DOCUMENTS,
	AGGREGATE_STAYS,
	AGGREGATE_PATIENTS,
	AGGREGATE_MESSAGES,
	AGGREGATE_WEEKS,
};

enum target_channel { CHANNEL_DMP = 1, CHANNEL_MSS_PS = 2, CHANNEL_MSS_CIT = 4 }; /* bits */
enum target_outcome { OUTCOME_ACCEPTED = 1, OUTCOME_ACCEPTED_RECONCILED = 2 };    /* bits */
enum target_basis { BASIS_ACCEPTED, BASIS_SUBMITTED, BASIS_CREATED, BASIS_STAY_END };

struct target_numerator {
	enum target_aggregate aggregate;
	unsigned channels, outcomes;
	bool any_type;             /* none was named */
	struct target_texts types; /* codes */
	bool ins_qualified;
	uint64_t most_delay_hours; /* after the end of the stay; 0: any */
	enum target_basis basis;
	bool net_of_deletions;
	bool share_across_transfers; /* of stays: one document for two that follow each other */
	uint64_t late_grace_days;
};

/* ---- thresholds ---- */

enum target_kind {
	KIND_RATIO,
	KIND_COUNT,
	KIND_DELTA,
	KIND_ALL_OF,
	KIND_ANY_OF,
	KIND_TIERS,
	KIND_RANK
};

struct target_tier {
	double value;
	double amount_eur; /* 0: not known */
};

struct target_threshold {
	enum target_kind kind;
	enum target_kind of; /* of a delta or of tiers: KIND_RATIO or KIND_COUNT */
	bool at_most;
	bool has_value; /* false: nobody has said one yet */
	double value;
	bool per_month;
	int reference_start, reference_end; /* of a delta */
	struct target_tier *tiers;          /* in rising order */
	size_t tier_count;
	struct target_texts indicators; /* of all_of and any_of */
	enum target_status status;
	const char *source;
};

/* ---- programmes ---- */

struct target_window {
	const char *id;
	int start, end; /* both are in; TARGETS_NO_END */
	enum target_status status;
};

struct target_indicator {
	const char *id, *label;
	bool by_entity;             /* finess_ej; else finess_eg */
	struct target_texts fields; /* MCO, SMR…; none: all */
	struct target_texts sites, lanes;
	const char *
		plateau; /* "biologie", "imagerie": of those alone that have their own; "": of all */
	bool has_numerator;
	struct target_numerator numerator;
	const struct target_denominator *denominator; /* or: */
	bool has_same;
	struct target_numerator same; /* the numerator without some of what it requires */
	struct target_threshold threshold;
	double margin;
	double amount_eur; /* 0: not known */

	const char *definition;                     /* one line: all that makes the figure */
	char definition_hash[SHA256_BYTES * 2 + 1]; /* of that line */
};

struct target_programme {
	const char *id, *label, *file;
	bool closed;
	const char *rollover; /* "" or "next_window_amount" */
	struct target_window *windows;
	size_t window_count;
	struct target_indicator *indicators;
	size_t indicator_count;
	struct workdays workdays;
};

/* ---- alerts ---- */

struct target_alert {
	bool is_set;
	double warn, crit;
	uint64_t least; /* below so many documents, nothing is said */
};

struct target_alerts {
	struct target_alert dmp_absent_rate, official_gap, certificate_days, invisible_patient_days;
	double silence_factor; /* 0: not set */
};

struct targets {
	struct target_programme *programmes;
	size_t programme_count;
	struct target_denominator **denominators;
	size_t denominator_count;
	struct target_alerts alerts;
	const char *alerts_file; /* that has them; NULL: none has */
	unsigned alerts_line, alerts_column;
	uint8_t digest[SHA256_BYTES]; /* of all the files, in order */

	struct arena arena;
};

struct target_file {
	const char *name;
	struct slice bytes;
};

/* Reads them all together. 0, or -1 with every error appended to `errors`, one line each:
 * "FILE:LINE:COLUMN: sentence". No file: no targets, which is well.
 */
must_use int targets_parse(struct targets **ret_targets, const struct target_file *files,
			   size_t count, struct buf *errors);
void targets_free(struct targets **targets);

/* The indicator of that id in the programme; NULL. */
const struct target_indicator *targets_indicator(const struct target_programme *programme,
						 const char *id);

enum projection_unit target_unit(enum target_aggregate aggregate);

#endif
