/* A document as it leaves: what the store has of it, and, of one that was built here for a patient whose
 * identity was not qualified then, the INS and the traits that it was let go with.
 *
 * Any thread, with a store of its own.
 */
#ifndef DMPFEED_OUTBOUND_DOCUMENT_OUT_H
#define DMPFEED_OUTBOUND_DOCUMENT_OUT_H

#include "document/metadata.h"
#include "queue/store.h"

/* Texts live in `arena`. -1: err; a document that has no INS is not sent (ERR_REJECT). */
must_use int document_out(struct store *reader, const struct ulid *doc, struct buf *ret_document,
			  struct metadata *ret_metadata, struct arena *arena, struct err *err);

#endif
