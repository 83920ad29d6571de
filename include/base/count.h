/* What counting speaks of: outcomes by name, one thing that happened to a document, one lineage that the
 * DMP has, one cell of the counters. Plain values: rules are in status/counters.h, storing them is the
 * store's (queue/store_count.h).
 *
 * A lineage is a document with the versions that replaced it: it counts once. It is named by the number
 * that the store gave to its first version.
 */
#ifndef DMPFEED_BASE_COUNT_H
#define DMPFEED_BASE_COUNT_H

#include "base/arena.h"
#include "base/reason.h"

/* As the counters name them: fixed words. What waits in the queue is a state, not an outcome. */
enum count_outcome {
	COUNT_NONE,

	/* what is to be fed, or was: each lineage once, on the day on which its first version came */
	COUNT_RECEIVED,
	COUNT_RECEIVED_QUALIFIED, /* of those: the identity was qualified then */

	/* the DMP has it */
	COUNT_ACCEPTED,
	COUNT_ACCEPTED_RECONCILED, /* its answer was lost; it then said that it had it */
	COUNT_REPLACED_OK,         /* another version of what was counted */
	COUNT_DELETED_OK,          /* of what was counted */
	COUNT_DELETED_OTHER,       /* of a version that was replaced, or that we never counted */

	/* it may have it */
	COUNT_UNKNOWN,

	/* it does not have it from us */
	COUNT_SUPPRESSED_UNCHANGED,
	COUNT_HELD_MANUAL,
	COUNT_HELD_POLICY,
	COUNT_BLOCKED_INS_NOT_QUALIFIED,
	COUNT_BLOCKED_INS_CHANGED,
	COUNT_REFUSED_DMP_ABSENT,
	COUNT_REFUSED_DMP_CLOSED,
	COUNT_REFUSED_PATIENT_OPPOSED,
	COUNT_REJECTED_FORMAT,
	COUNT_REJECTED_METADATA,
	COUNT_REJECTED_AUTH,
	COUNT_REJECTED_DUPLICATE_FOREIGN,
	COUNT_REJECTED_OTHER, /* the DMP's words tell, in the document's history */
	COUNT_FAILED_TRANSIENT,
	COUNT_EXPIRED,

	COUNT_OUTCOMES
};

const char *count_outcome_text(enum count_outcome outcome); /* "ACCEPTED"; "" for none */
must_use bool count_outcome_parse(struct slice text, enum count_outcome *ret_outcome);

/* Where a document was sent: the only one there is so far. */
#define COUNT_CHANNEL_DMP "DMP"

/* The fields of activity (champ): "MCO", "SMR", "PSY", "HAD", "DIALYSE", "EHPAD". */
must_use bool count_field_is_known(struct slice text);
const char *const *count_fields(void); /* NULL after the last */

/* Texts that are not known are "", times 0; keys are 16 bytes or none. */
struct count_facts {
	const char *action; /* "submit", "replace", "delete" */
	const char *lane;   /* finess_ej */
	const char *site;   /* finess_eg */
	const char *field;
	const char *unit;
	const char *source; /* the application */
	const char *type_code;
	struct slice stay, patient;
	int64_t received_ms, created_ms, stay_end_ms;
	bool ins_qualified, invisible;
};

/* Copies what it points to. */
void count_facts_keep(struct count_facts *facts, struct arena *arena);

/* A row of the ledger, with what never changes of its document. */
struct count_event {
	uint64_t number;
	int64_t seq; /* of the document */
	int64_t at_ms;
	const char *what;
	const char *state; /* which it came to */
	bool was_out;      /* told of "retried" alone: until then it was not to be fed */
	enum reason reason;
	const char *code, *note;
	unsigned attempt;
	int64_t follows; /* the document that it replaces or deletes; 0: none that the store knows */
	struct count_facts facts;
};

/* A lineage that the DMP accepted. */
struct count_acceptance {
	int64_t root;    /* what it is named by */
	int64_t current; /* the version that the DMP shows */
	enum count_outcome outcome;
	int64_t accepted_ms, submitted_ms; /* submitted: the first attempt */
	unsigned attempts;
	unsigned replaced;        /* how often */
	int64_t deleted_ms;       /* 0: it is there */
	struct count_facts facts; /* of the version that was accepted first */
};

/* One number. Days are those of base/calendar.h. */
struct count_cell {
	const char *lane, *site, *field, *type_code, *channel;
	enum count_outcome outcome;
	int day;
	int64_t n;
};

/* Why documents of a month do not pass: what the cells of its outcomes are made of. */
struct count_rejection {
	const char *lane, *site, *unit, *source, *type_code;
	const char *code; /* the DMP's; "": it was not asked, or did not say */
	enum count_outcome outcome;
	enum reason reason;
	int month;
	int64_t n, oldest_ms, newest_ms;
};

/* REFUSED_*, REJECTED_*, BLOCKED_INS_NOT_QUALIFIED and EXPIRED. */
bool count_is_rejection(enum count_outcome outcome);

/* That document belongs to that lineage. */
struct count_root {
	int64_t seq, root;
};

/* What a document tells of its stay. */
struct count_stay {
	struct slice key;
	const char *lane, *site, *unit, *field;
	int64_t end_ms; /* 0: not told */
};

/* What some rows of the ledger change. */
struct count_changes {
	uint64_t last; /* the number of the last of them */
	const struct count_cell *cells;
	size_t cell_count;
	const struct count_acceptance *acceptances; /* as they are from now on */
	size_t acceptance_count;
	const struct count_root *roots; /* likewise */
	size_t root_count;
	const struct count_stay *stays; /* in their order: the last one counts */
	size_t stay_count;
	const struct count_rejection *rejections; /* what is to be added */
	size_t rejection_count;
};

#endif
