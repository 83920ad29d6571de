/* The two forms of one content, as a message brings them: both, whatever it wants.
 *
 * Writer.
 */
#ifndef DMPFEED_INBOUND_INBOUND_PAIR_H
#define DMPFEED_INBOUND_INBOUND_PAIR_H

#include "inbound/inbound_intake.h"

/* Once all of it was taken in: what came together is tied; -1: refused (cardinality), for it replaces or deletes one
 * form alone, which would leave the other in the DMP, or brings a third.
 */
must_use int inbound_mind_pairs(const struct intake *intake, struct store *store, struct err *err);

#endif
