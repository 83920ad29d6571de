/* The code tables, and what the configuration names of them: held against each other at start, so
 * that a role or a type that no list knows is not found out by the DMP.
 *
 * At start.
 */
#ifndef DMPFEED_SETUP_TABLES_H
#define DMPFEED_SETUP_TABLES_H

#include "config.h"

/* Reads the lists that valuesets.dir names. -1: what is wrong with them, or with what the
 * configuration says in their codes, is appended to `errors`, one line each.
 */
must_use int tables_load(struct valuesets **ret_valuesets, const struct config *config,
			 struct buf *errors);

/* Which edition of each list is in force: one comment of YAML each. */
void tables_print(const struct valuesets *valuesets, struct buf *out);

#endif
