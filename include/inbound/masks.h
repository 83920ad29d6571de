/* From whom a document is hidden, and whether it comes again hidden from others.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_INBOUND_MASKS_H
#define DMPFEED_INBOUND_MASKS_H

#include "document/metadata.h"

/* What `before` said of the first of those for whom `now` says otherwise, to follow "a document that"
 * ("professionals see"); NULL: they are hidden from the same.
 */
const char *masks_said_otherwise(const struct metadata *before, const struct metadata *now);

#endif
