/* What the DMP's error codes and words mean, and what to do about each: a CSV file that the hospital
 * can correct without a new build, since the DMP's own list is not public. conf/dmp-errors.csv says
 * what its columns are.
 *
 * Loaded by one thread at start; read-only afterwards: any thread.
 */
#ifndef DMPFEED_DISPATCH_ERROR_TABLE_H
#define DMPFEED_DISPATCH_ERROR_TABLE_H

#include "dmp/reply.h"

enum error_class {
	ERROR_TRANSIENT,     /* their trouble: this document again, later */
	ERROR_SLOW,          /* likewise, and it lasts: after the longest pause */
	ERROR_DOCUMENT,      /* the document is at fault */
	ERROR_ABSENT,        /* the patient has no DMP */
	ERROR_CLOSED,        /* or no more */
	ERROR_OPPOSED,       /* or wants nothing put in it */
	ERROR_CONFIGURATION, /* the installation is at fault */
	ERROR_DUPLICATE,     /* the DMP holds this identifier already */
	ERROR_MISSING,       /* or holds no document of it */
	ERROR_STALE,         /* the entry that the request named is not as it was found */
	ERROR_VAGUE,         /* it wraps other refusals: its words decide, else it is transient */
	ERROR_CLASS_COUNT
};

struct error_row {
	const char *code, *shape, *text; /* what it fits; "": anything */
	enum error_class class;
	unsigned attempts; /* after so many alike, a passing error is the document's; 0: never */
	const char *english, *french, *todo_english, *todo_french; /* may be "" */
	unsigned line;
};

struct error_table;

/* -1: a file that is missing or broken, or a row that says nothing, said with its line (ERR_HALT).
 */
must_use int error_table_load(struct error_table **ret_table, const char *file, struct err *err);

/* The same of bytes that were read already; `file` names them. */
must_use int error_table_parse(struct error_table **ret_table, const char *file, struct slice bytes,
			       struct err *err);
void error_table_free(struct error_table **table);

/* The row for a refusal (a failure, a fault, an acknowledgement): the first that fits of those with
 * its code; then, also when that one is vague, the first that fits of those without a code. NULL:
 * the table does not know it.
 */
const struct error_row *error_table_find(const struct error_table *table,
					 const struct reply *refusal);

#endif
