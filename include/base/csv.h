/* CSV as the gateway's own tables are written (RFC 4180, UTF-8): commas, quotes, one line of column
 * names, other columns welcome. Lines that begin with '#' are comments. What is wrong is said with
 * file and line (ERR_HALT): a person wrote it and can mend it.
 *
 * Any thread; a struct csv belongs to whoever declared it.
 */
#ifndef DMPFEED_BASE_CSV_H
#define DMPFEED_BASE_CSV_H

#include "base/arena.h"

enum { CSV_BYTES = 1 << 20, CSV_COLUMNS = 32 };

struct csv {
	const char *path;
	unsigned line;                   /* where the record begins */
	const char *fields[CSV_COLUMNS]; /* of the record, after csv_open() the column names */
	size_t field_count;
	size_t most_records; /* as many as there may be, no less */
	struct slice head;   /* the comments before the column names */
	char separator;      /* ',' or ';' */
	bool goes_on; /* after -1: that record alone is wrong, the next one can be asked for */

	/* private */
	char *p; /* what is left of the text */
	unsigned next_line;
	size_t width;
};

/* Reads the file and its column names. Fields live in `arena`, all of them at once. */
must_use int csv_open(struct csv *csv, const char *path, struct arena *arena, struct err *err);

/* The same of bytes that were read already; `path` names them. */
must_use int csv_parse(struct csv *csv, const char *path, struct slice bytes, struct arena *arena,
		       struct err *err);

/* The same of a table that a spreadsheet wrote: its fields are separated by whichever of ; and , comes
 * first in the line of column names.
 */
must_use int csv_parse_sheet(struct csv *csv, const char *path, struct slice bytes,
			     struct arena *arena, struct err *err);

/* Before the first csv_next(): which field a column is. -1: there is none of that name. */
must_use int csv_column(const struct csv *csv, const char *name, int *ret_column, struct err *err);

/* 1: the next record, as wide as the header; 0: there is none; -1: it is broken. */
must_use int csv_next(struct csv *csv, struct err *err);

/* What a comment before the column names says of the whole file: "# NAME: words". "" when none
 * does.
 */
const char *csv_note(const struct csv *csv, const char *name, struct arena *arena);

/* "FILE:LINE: words", of the record at hand. Returns -1. */
int csv_refuse(const struct csv *csv, struct err *err, const char *format, ...) printf_like(3, 4);

#endif
