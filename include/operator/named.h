/* Which document somebody means.
 *
 * Worker: with its own reader.
 */
#ifndef DMPFEED_OPERATOR_NAMED_H
#define DMPFEED_OPERATOR_NAMED_H

#include <jansson.h>

#include "queue/store.h"

/* By its id (a ULID), which need not be one of the store's, or by its unique id in the DMP: an OID, with "urn:oid:" before
 * it or not, or root^extension as its source wrote it. -1 (ERR_REJECT), in the language of who asks: it is neither, no
 * document has that unique id, or several do (a document and its deletion), which are named; or what the store says.
 */
must_use int named_document(struct store *reader, const json_t *asked, const char *text,
			    struct ulid *ret_doc, struct err *err);

#endif
