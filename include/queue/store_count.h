/* What the store counts: derived tables that follow the ledger, and what can be asked of them.
 *
 * Nothing here is touched when a document is taken in or settled. The ledger is the truth; whoever
 * follows it (tally.h) reads it from its mark on, works out what changes (status/counters.h), and has the
 * writer apply that and move the mark in one transaction. So the tables always are what the ledger was up
 * to the mark, and can be made again from its first row.
 *
 * There is no number of a patient or of a stay in them: keys, made as the patients' choices are.
 */
#ifndef DMPFEED_QUEUE_STORE_COUNT_H
#define DMPFEED_QUEUE_STORE_COUNT_H

#include "base/calendar.h"
#include "base/count.h"
#include "queue/store.h"

/* ---- following the ledger ---- */

struct store_tally {
	uint64_t last;    /* the last row of the ledger that is counted */
	uint64_t edition; /* how often all was counted anew */
	bool is_emptying; /* it is to be counted anew, and the old numbers are not gone yet */
	uint64_t newest;  /* the last row that there is */
	uint64_t stays;   /* so many messages about stays were noted (store_stay.h) */
	int64_t until_ms; /* when the last row that is counted was written; 0: none is */
};

/* Any store. */
must_use int store_tally_now(struct store *store, struct store_tally *ret_tally, struct err *err);

/* Up to `most` rows after `after`, oldest first; texts are valid during the callback, which may look things
 * up below. 0, or -1: the callback's, or err.
 */
must_use int store_tally_read(struct store *store, uint64_t after, size_t most,
			      int (*each)(void *arg, const struct count_event *event,
					  struct err *err),
			      void *arg, struct err *err);

/* The lineage that the document belongs to, as it is counted so far: its own if it is not said. */
must_use int store_tally_root(struct store *store, int64_t seq, int64_t *ret_root, struct err *err);

/* 1: the acceptance of the lineage, its texts in `arena`; 0: there is none; -1. */
must_use int store_tally_acceptance(struct store *store, int64_t root, struct arena *arena,
				    struct count_acceptance *ret_acceptance, struct err *err);

/* When the document was first tried, as the ledger has it before that row; `otherwise` if it was not. */
must_use int store_tally_first_try(struct store *store, int64_t seq, uint64_t before,
				   int64_t otherwise, int64_t *ret_ms, struct err *err);

/* Whether a version of the lineage, other than `except`, was neither cancelled nor suppressed just before that
 * row of the ledger.
 */
must_use int store_tally_is_here(struct store *store, int64_t root, int64_t except, uint64_t before,
				 bool *ret_is, struct err *err);

/* What never changes of a document, its texts in `arena`. */
must_use int store_tally_facts(struct store *store, int64_t seq, struct arena *arena,
			       struct count_facts *ret_facts, struct err *err);

/* Writer. What rows tally->last + 1 to changes->last change. 1: done; 0: the mark is not what `tally` says any more, nothing was done; -1. */
must_use int store_tally_apply(struct store *store, const struct store_tally *tally,
			       const struct count_changes *changes, struct err *err);

/* Writer. All is to be counted anew, as `actor` wants: from now on the mark says that it is emptying. */
must_use int store_tally_again(struct store *store, const char *actor, int64_t now_ms,
			       struct err *err);

/* Writer. Removes up to `most` of the old rows; 1: there may be more; 0: all are gone, the mark stands at
 * the beginning of the ledger; -1.
 */
must_use int store_tally_empty(struct store *store, size_t most, struct err *err);

/* Writer. Removes up to `most` numbers of single days before `day`: those of months stay. 1: there may be more;
 * 0: there were none; -1.
 */
must_use int store_tally_forget(struct store *store, int day, size_t most, struct err *err);

/* ---- sites that had another number ---- */

struct store_alias {
	const char *former, *current; /* finess_eg */
};

/* Writer. These, and no others. */
must_use int store_note_aliases(struct store *store, const struct store_alias *aliases,
				size_t count, struct err *err);

/* ---- what is asked ---- */

/* Every cell whose day lies in [from_day, to_day], ordered by site, field, type, channel, day, outcome.
 * `site` as the documents had it; `current` is the number that it has now, the same unless it was renumbered.
 * Days are kept for a while (store_tally_forget), months for ever: those are told with the month's number
 * (202611) as their day.
 */
must_use int store_counters(struct store *store, int from_day, int to_day,
			    void (*each)(void *arg, const struct count_cell *cell,
					 const char *current),
			    void *arg, struct err *err);
must_use int store_counters_by_month(struct store *store, int from_month, int to_month,
				     void (*each)(void *arg, const struct count_cell *cell,
						  const char *current),
				     void *arg, struct err *err);

struct store_names { /* which of them count; none: all do */
	const char *const *names;
	size_t count;
};

enum store_basis { STORE_BY_ACCEPTED, STORE_BY_SUBMITTED, STORE_BY_CREATED, STORE_BY_STAY_END };

enum store_aggregate {
	STORE_DOCUMENTS, /* lineages */
	STORE_STAYS,     /* each once, at its first document */
	STORE_PATIENTS,  /* likewise */
	STORE_WEEKS,     /* in which there is a document: told with their Monday */
};

struct store_numerator {
	struct store_names types, sites, lanes, fields, units; /* sites: as they are called now */
	const char *channel;                                   /* NULL or "": any */
	int64_t from_ms, to_ms;                                /* [from_ms, to_ms[ */
	enum store_basis basis;
	enum store_aggregate aggregate;
	bool by_lane;        /* a stay that two sites of an entity tell of is one then */
	bool ins_qualified;  /* only those whose identity was when they were sent */
	bool has_most_delay; /* only what was accepted no later after its stay's end */
	int64_t most_delay_ms;
	/* What is dated by the feed (STORE_DOCUMENTS, by accepted or submitted) is told once more, as less than
	 * nothing, on the day of its deletion. What is dated by itself or by its stay, and stays, patients and
	 * weeks, of which nothing else is there: as if what was deleted since, whenever, had never been.
	 */
	bool net_of_deletions;
	/* of STORE_STAYS: a document is also of the stay from which its patient was transferred, at another
	 * site of the entity, no more than a day before or after, as ADT tells
	 */
	bool share_across_transfers;
	/* of STORE_STAYS: only stays that ADT tells of, at the site, in the field and the unit where store_ended
	 * has them, wherever their documents come from
	 */
	bool adt_only;
	bool not_reconciled; /* COUNT_ACCEPTED alone */
	/* > 0: of a stay that is known to end, its end must lie in the window, and the document may be
	 * accepted so many days after the window. Of others, `basis` counts as if there were none.
	 */
	int late_grace_days;
};

/* `site` as it is called now; by lane, and for weeks, what is not told apart is "". */
struct store_number {
	const char *site, *lane, *field;
	int day;
	int64_t n;
	int64_t discreet; /* of stays that ended: so many of them are to be discreet about */
};

must_use int store_numerator(struct store *store, const struct store_numerator *asked,
			     void (*each)(void *arg, const struct store_number *number), void *arg,
			     struct err *err);

/* What would count too if all that waits were accepted at now_ms: documents, or stays and patients that nothing
 * else satisfies yet; of weeks there is none. What waits for an identity to be qualified is told apart. What
 * goes under no circumstances (ins_changed, ins_not_in_document) does not.
 */
struct store_awaited {
	const char *site, *lane; /* as in store_number */
	bool needs_ins;
	int64_t n;
};

must_use int store_awaited(struct store *store, const struct store_numerator *asked, int64_t now_ms,
			   void (*each)(void *arg, const struct store_awaited *awaited), void *arg,
			   struct err *err);

/* Of each site, as it is called now, when its newest document was accepted, if that was later than after_ms. */
must_use int store_last_accepted(struct store *store, int64_t after_ms,
				 void (*each)(void *arg, const char *site, int64_t accepted_ms),
				 void *arg, struct err *err);

/* What was to be fed (COUNT_RECEIVED): lineages, by the day on which they came. */
struct store_produced {
	struct store_names types, sites, lanes, fields;
	int from_day, to_day; /* both are in */
	bool ins_qualified;
};

must_use int store_produced(struct store *store, const struct store_produced *asked,
			    void (*each)(void *arg, const struct store_number *number), void *arg,
			    struct err *err);

/* Stays that ended in the window, but those that were cancelled. What ADT says of a stay counts, or else
 * what documents say.
 */
struct store_ended {
	struct store_names sites, lanes, fields, units;
	int64_t from_ms, to_ms; /* [from_ms, to_ms[ */
	bool adt_only;
};

must_use int store_stays_ended(struct store *store, const struct store_ended *asked,
			       void (*each)(void *arg, const struct store_number *number),
			       void *arg, struct err *err);

#endif
