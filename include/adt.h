/* What an ADT says, all of it that is kept or acted upon: read at once, and taken in by one change, in
 * one transaction, before the sender hears "yes" (inbound_adt.h). Nothing else of the message is kept.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_ADT_H
#define DMPFEED_ADT_H

#include "hl7/identity.h"
#include "queue/store_stay.h"

struct adt {
	/* Of the feeding of a DMP: of whom, what, since when (0: it does not say). Not usable where the
	 * identity is not qualified: it is then not known whose choice it is.
	 */
	bool has_choice, choice_is_usable;
	struct store_choice choice;

	/* The state of whose DMP, said when (0: not known). DMP_UNSAID, too, where the identity is not
	 * qualified.
	 */
	enum identity_dmp dmp;
	const char *ins, *ins_oid;
	int64_t dmp_said_ms;

	bool has_stay; /* of which stay, and what: see stays.h */
	struct store_stay stay;
};

/* All-zero says nothing. Texts live in `arena`. */
void adt_read(struct adt *adt, const struct hl7_message *message, struct arena *arena);

/* Something of it is to be taken in. */
bool adt_leaves_something(const struct adt *adt);

#endif
