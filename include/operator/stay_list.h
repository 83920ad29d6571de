/* The list of stays that ended without a letter, with their numbers, for people who see to it: who read it, and how
 * much of it, stands in the audit chain before they hear a word.
 *
 * Loop only.
 */
#ifndef DMPFEED_OPERATOR_STAY_LIST_H
#define DMPFEED_OPERATOR_STAY_LIST_H

#include "operator/orders.h"
#include "setup/snapshot.h"

struct stay_list_parts {           /* outlive every list */
	struct snapshot *snapshot; /* of now: a list ends with the one that it began with */
	struct orders_parts orders;
};

/* false: this is not what is asked. true: it is, and both `request` and `asked` are its own from now on. */
must_use bool stay_list_begin(const struct stay_list_parts *parts, struct control_request *request,
			      json_t *asked);

/* What the configuration calls a letter: words of a text, in `arena`. */
const char *const *stay_list_types(const struct config *config, struct arena *arena,
				   size_t *ret_count);

#endif
