/* From what was decided to rows on disk.
 *
 * Writer.
 */
#ifndef DMPFEED_INBOUND_INBOUND_TAKE_H
#define DMPFEED_INBOUND_INBOUND_TAKE_H

#include "inbound/inbound_intake.h"

/* All of it, or a failure that takes all of it back. */
must_use int inbound_take_in(struct intake *intake, struct store *store, struct err *err);

#endif
