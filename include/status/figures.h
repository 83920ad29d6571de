/* Tables of figures that people bring: denominators (finess_eg;champ;month;n) and what was counted
 * elsewhere (finess_eg;type_code;month;n), as a spreadsheet writes them. Every wrong line is told.
 *
 * Columns may be called otherwise, and types have other names, if a mapping says so, in YAML:
 *
 *     columns: {finess_eg: "FINESS géographique", type_code: "Type", month: "Mois", n: "Nombre"}
 *     types: {"CR de biologie": "11502-2"}
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_FIGURES_H
#define DMPFEED_STATUS_FIGURES_H

#include "base/arena.h"
#include "base/calendar.h"

enum figures_of { FIGURES_BY_FIELD, FIGURES_BY_TYPE };

struct figure {
	const char *site; /* finess_eg */
	const char *name; /* the champ, or the code of the type */
	int month;        /* 202611 */
	int64_t n;
	unsigned line;
};

struct figures {
	struct figure *list; /* by site, name and month */
	size_t count;
	int first_month, last_month;
	int64_t sum;
};

/* What a file calls its columns and types. */
struct figures_mapping {
	const char *columns
		[4]; /* finess_eg, champ or type_code, month, n; NULL: as they are called here */
	struct figures_name {
		const char *theirs, *code;
	} * types;
	size_t type_count;
};

/* -1: what is wrong with it, one line each, is appended to `errors`. */
must_use int figures_read_mapping(struct figures_mapping *ret_mapping, const char *file,
				  struct slice bytes, struct arena *arena, struct buf *errors);

/* `mapping` may be NULL. 0, or -1 with every wrong line appended to `errors`: "FILE:LINE: sentence". */
must_use int figures_read(struct figures *ret_figures, enum figures_of of, const char *file,
			  struct slice bytes, const struct figures_mapping *mapping,
			  struct arena *arena, struct buf *errors);

#endif
