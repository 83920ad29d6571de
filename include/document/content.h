/* What a document says, whichever version of it says so: two documents of one digest differ at most in
 * what tells a version from the next.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_CONTENT_H
#define DMPFEED_DOCUMENT_CONTENT_H

#include "document/metadata.h"

/* Appends the metadata as metadata_write() does, and digests: of a CDA that has one (cda->has_content) the
 * content, of the metadata all but action, ids and time of creation. Who sees it is part of them, so
 * hiding a document is a change.
 */
void content_write(const struct cda *cda, const struct metadata *metadata, struct buf *out,
		   uint8_t ret_digest[static SHA256_BYTES]);

#endif
