/* The files that are written out for others: what they are called, their columns in order, and what each
 * means, in both languages.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_OPERATOR_EXPORT_COLUMNS_H
#define DMPFEED_OPERATOR_EXPORT_COLUMNS_H

#include <jansson.h>
#include <stdbool.h>

enum export_file {
	EXPORT_COUNTERS,
	EXPORT_TARGETS,
	EXPORT_REJECTIONS,
	EXPORT_RECONCILIATION,
	EXPORT_DELAYS,
	EXPORT_EVIDENCE, /* on demand only: the others hold nothing about a single document */
	EXPORT_FILES
};

const char *export_file_name(enum export_file file);           /* "counters.csv" */
const char *const *export_file_columns(enum export_file file); /* NULL after the last */

/* {column: sentence}; the caller owns it. */
json_t *export_definitions(enum export_file file, bool french);

#endif
