/* What one configuration says otherwise than another, one line per option.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_CONFIG_OPTION_DIFF_H
#define DMPFEED_CONFIG_OPTION_DIFF_H

#include "config/option.h"

/* An option whose value is another, or an entry of a list that is in one of them only. Valid during the callback. */
struct option_change {
	const char *name;           /* "intake.mllp[lab].idle"; an entry: "intake.mllp[lab]" */
	const char *before, *after; /* as YAML; of an entry "" where it is, NULL where it is not */
	const struct option *option;
	const void *field; /* where it is in the second; NULL: an entry of the first alone */
};

/* Calls `each` for what differs, in the order of the table. The entries of a list that have a name (their first
 * option, a text, if no two have the same) are known by it wherever they stand; others by their place, from 1.
 */
void option_diff(const struct option_table *table, const void *before, const void *after,
		 void (*each)(void *arg, const struct option_change *change), void *arg);

#endif
