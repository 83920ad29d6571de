/* What an ADT says, all of it that is kept or acted upon: read at once, and taken in by one change, in
 * one transaction, before the sender hears "yes" (inbound_adt.h). Nothing else of the message is kept.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_INBOUND_ADT_H
#define DMPFEED_INBOUND_ADT_H

#include "document/ins.h"
#include "hl7/identity.h"
#include "queue/store_stay.h"

struct adt {
	/* Who the patient is. An event that says nothing of it, or is none of PAM's, is ignored; one that
	 * names nobody, or does not say how the identity stands, is of no use.
	 */
	enum adt_identity { ADT_IGNORED, ADT_UNUSABLE, ADT_TAKEN } has_identity;
	struct store_identity identity; /* of what is taken; its said_ms as the message has it */
	/* Of the feeding of a DMP: of whom, what, since when (0: it does not say). Not usable where the
	 * identity is not qualified: it is then not known whose choice it is.
	 */
	bool has_choice, choice_is_usable;
	struct store_choice choice;

	/* The state of whose DMP, said when (0: not known). DMP_UNSAID, too, where the identity is not
	 * qualified.
	 */
	enum identity_dmp dmp;
	int64_t dmp_said_ms;

	const char *ins, *ins_oid; /* qualified; NULL or "": not known */

	bool lacks_patient; /* it has no PID: whatever it says, it says of nobody */

	bool has_stay; /* of which stay, and what: see stays.h */
	struct store_stay stay;
};

/* All-zero says nothing. Texts live in `arena`. An INS that is not sent from this environment is none. */
void adt_read(struct adt *adt, const struct hl7_message *message, enum environment environment,
	      struct arena *arena);

/* Something of it is to be taken in. */
bool adt_leaves_something(const struct adt *adt);

#endif
