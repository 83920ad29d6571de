/* TD3.1b: the registry's entry of a document of ours (IHE ITI-18, stored query GetDocuments,
 * references only). The unique id is ours and never changes; the entry's id is theirs and changes
 * with every version of the metadata: it is asked for just before it is needed, and not kept.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_FIND_H
#define DMPFEED_DMP_FIND_H

#include "dmp/reply.h"

/* Appends query:AdhocQueryRequest. */
void find_build(const char *unique_id, struct buf *out);

/* Of a successful answer: 1 and the entry ("urn:uuid:…", borrowed from the reply); 0: the DMP
 * holds no such document, or none of ours; -1: several, or something else than an entry, of which
 * none is taken (ERR_REJECT).
 */
must_use int find_read(const struct reply *reply, const char **ret_entry, struct err *err);

#endif
