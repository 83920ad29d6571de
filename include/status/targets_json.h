/* How each place stands towards each indicator: what the page, the API and the tool show. Made off the loop
 * (board.h), immutable afterwards.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_TARGETS_JSON_H
#define DMPFEED_STATUS_TARGETS_JSON_H

#include <jansson.h>

#include "base/count.h"
#include "status/projection.h"
#include "status/targets.h"

/* What the figure is divided by, and where that came from. */
struct board_denominator {
	bool is_known;
	int64_t n;
	const char *id;     /* "": the numerator's own, without a condition */
	const char *source; /* "dim_import", "adt", "produced", "manual", "same_numerator" */
	uint64_t revision;  /* the newest import; 0: none was imported */
	int64_t imported_ms;
	const char *imported_by; /* "": none was */
	int until;               /* the last day that it is known for; 0: none */
	const char *gaps;        /* "2025-07..2026-08": months that lack; "" */
	int64_t sensitive;       /* of stays: so many of n are; < 0: not known */
};

/* One indicator, in one window, at one place. Texts are never NULL. */
struct board_row {
	const char *programme, *programme_label;
	const char *window;
	int start, end; /* TARGETS_NO_END */
	enum target_status window_status;
	const char *indicator, *label;
	const char *place, *place_name; /* finess_eg, or finess_ej of an entity */
	bool is_entity;
	const char *lane;   /* finess_ej */
	const char *fields; /* "MCO+SMR"; "": all */
	enum projection_unit unit;
	bool has_ended; /* and its grace too: nothing more can come */

	bool is_counted; /* false: this gateway cannot count it; the sentence says why */
	struct board_denominator denominator;

	enum target_kind kind;
	enum target_status threshold_status;
	const char *threshold_source;
	size_t tier, tier_count; /* which tier the threshold is: from 1; 0: there are none */
	bool per_month;
	double amount_eur; /* of the tier or the indicator; 0: not known */
	double reference;  /* of a delta: what it starts from; NAN: not known */

	struct projection_input input; /* all that went in, */
	struct projection projection;  /* and what came out */
	const char *english, *french;  /* one or two sentences */

	const char *definition, *definition_hash;

	/* When the window had ended; "": not yet, or not here. A JSON object like the row's own. */
	const char *frozen;
	int64_t frozen_ms;
	bool is_as_frozen; /* it is not counted any more: all its figures are those */
};

/* The last day of the stay or before, the next day, the second to the eighth, later. */
enum { BOARD_D0, BOARD_D1, BOARD_D2_D8, BOARD_D9_PLUS, BOARD_PROMPT };

/* What a place did in a while, whatever the programme. Rates: NAN when there is nothing to divide by. */
struct board_quality {
	const char *site, *name;
	int64_t received, received_qualified, accepted, first_pass, replaced, invisible;
	int64_t absent, closed, opposed, rejected, held, waiting, waiting_for_ins;
	int64_t still_invisible;             /* for longer than a document may be */
	int64_t rejected_by[COUNT_OUTCOMES]; /* of the REJECTED_* alone */
	int64_t stays, fed_stays;     /* that ended, as ADT tells; of which a letter is there */
	int64_t letters;              /* that were accepted */
	int64_t prompt[BOARD_PROMPT]; /* of these, by when after the end of their stay */
	unsigned weeks, active_weeks;
};

/* Likewise of a unit, as documents and ADT messages name it. One of which patients leave and no document is
 * accepted is not covered.
 */
struct board_unit {
	const char *site, *unit;
	int64_t discharges, accepted;
	unsigned weeks, active_weeks;
};

bool board_is_covered(const struct board_unit *unit);

/* The rates of a place, by name: gross and addressable ones side by side. */
struct board_rate {
	const char *name;
	double rate;
};

enum { BOARD_RATES = 16 };

void board_rates(const struct board_quality *quality,
		 struct board_rate ret_rates[static BOARD_RATES]);

/* A month in which what was counted elsewhere is not what we counted. */
enum board_level { BOARD_WELL, BOARD_WARN, BOARD_CRIT };

struct board_gap {
	const char *site, *type_code;
	int month;
	int64_t ours, official, declared; /* -1: not known */
	double gap;                       /* (ours - official) / official; NAN */
	enum board_level level;
};

struct board_result {
	struct arena arena; /* of all below */
	int64_t as_of_ms;
	int today;
	int64_t counted_until_ms; /* how far the counters have followed */
	uint64_t counted_last,
		counted_edition; /* the ledger's last row; how often it was counted */
	uint64_t counted_stays;  /* messages about stays */
	int64_t took_ms;
	bool weights_learned;

	const struct targets *targets; /* outlive the result */
	struct board_row *rows; /* by programme, window, indicator, place, as they are written */
	size_t row_count;

	int quality_from, quality_to; /* days, both in */
	struct board_quality *qualities;
	size_t quality_count;
	struct board_unit *units; /* by site and unit */
	size_t unit_count;

	struct board_gap *gaps; /* those with an official or declared figure */
	size_t gap_count;
};

void board_result_free(struct board_result **result);

/* Appends the JSON object of GET /api/v1/targets, on one line without its end. `result` may be NULL: nothing
 * was counted yet. Rates are shares (0.612); what is not known is null.
 */
void targets_write(const struct board_result *result, struct buf *out);

/* What is divided by the denominator, as far as that is known; else all that counts. */
int64_t board_numerator(const struct board_row *row);

const char *targets_unit_text(enum projection_unit unit); /* "document" */

/* What targets_write_row() wrote when it was frozen, its texts in `arena`; but what the frozen figures are, and when
 * that was, is left to the caller. -1: that is none.
 */
must_use int targets_read_frozen(const char *frozen, struct arena *arena,
				 struct board_row *ret_row);

/* The array of programmes: windows, and the definition of each indicator. The caller owns it. */
json_t *targets_programmes(const struct targets *targets);

/* One row alone, as it is in that object: dmpfeedctl targets prints it, a frozen window keeps it. */
void targets_write_row(const struct board_row *row, struct buf *out);
void targets_write_gap(const struct board_gap *gap, struct buf *out);
void targets_write_quality(const struct board_quality *quality, struct buf *out);
void targets_write_unit(const struct board_unit *unit, struct buf *out);

#endif
