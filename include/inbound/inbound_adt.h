/* From what an ADT says to rows on disk: each thing that it says is one verb of the store, all of them in
 * the transaction of the message.
 *
 * Writer.
 */
#ifndef DMPFEED_INBOUND_INBOUND_ADT_H
#define DMPFEED_INBOUND_INBOUND_ADT_H

#include "inbound/inbound_intake.h"

must_use int inbound_take_adt(const struct intake *intake, struct intake_part *part,
			      struct store *store, struct err *err);

#endif
