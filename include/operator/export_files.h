/* What the files that are written out hold, month by month. Each month of all files is of one moment, so that
 * they agree with each other and with the counters to the unit.
 *
 * Worker, with its own reader; but for export_add_targets().
 */
#ifndef DMPFEED_OPERATOR_EXPORT_FILES_H
#define DMPFEED_OPERATOR_EXPORT_FILES_H

#include "board/board_gap.h"
#include "document/valueset.h"
#include "operator/export_columns.h"
#include "status/sheet.h"

struct export_asked {
	const struct config *config;
	const struct targets *targets;
	const struct valuesets *valuesets; /* what types are called */
	struct store *reader;
	int from, to; /* months */
	bool outside; /* the files leave the hospital: small counts are not told */
	bool french;
	int64_t now_ms;
};

/* A piece of a file. */
struct export_text {
	struct buf text;
	size_t rows;
};

void export_text_done(struct export_text *text);

/* Every file but that of targets. */
must_use int export_add_month(const struct export_asked *asked, int month,
			      struct export_text texts[static EXPORT_FILES], struct err *err);

/* Where each place stands, as the board has it; NULL: nothing was counted yet. Any thread that may read it. */
void export_add_targets(const struct export_asked *asked, const struct board_result *board,
			struct export_text *text);

/* Documents that the DMP took in those months: what the next rows of the history tell. *mark: 0 at first. 1: there
 * may be more, 0: these were the last, -1.
 */
must_use int export_add_evidence(const struct export_asked *asked, uint64_t *mark,
				 struct export_text *text, struct err *err);

/* The mark of byte order and the names of the columns. */
void export_add_head(const struct export_asked *asked, enum export_file file,
		     struct export_text *text);

/* What is to be known of the file to read it, but how many rows it has. The caller owns it; NULL and err. */
json_t *export_about(const struct export_asked *asked, enum export_file file, struct err *err);

#endif
