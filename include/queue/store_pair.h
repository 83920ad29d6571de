/* Pairs: the two forms of one content (a CDA of level 1 and one of level 3), which one message brought, each under an
 * id of its own. They live and die together: whoever replaces or deletes one must say what becomes of the other, or the
 * DMP would go on showing what that one says.
 */
#ifndef DMPFEED_QUEUE_STORE_PAIR_H
#define DMPFEED_QUEUE_STORE_PAIR_H

#include "queue/store.h"

/* In the transaction that took them in: these two, or their two deletions, came together. Said again it changes
 * nothing. 1: one of them came with a third before, which is left as it is. Writer.
 */
must_use int store_note_pair(struct store *store, const struct ulid docs[static 2],
			     struct err *err);

/* What one message, or one file, replaces and deletes. */
struct store_named {
	const char *const *unique_ids;
	size_t count;
};

/* One of the named documents may be one of two forms. Appends the unique id of what would be left alone if nothing
 * became of the other: that form when the DMP has it or may yet have it, and it is not named; when it was not sent or
 * did not pass, the version before it, which the DMP has in its place. Nothing when nothing would be.
 */
must_use int store_find_left(struct store *store, const char *unique_id,
			     const struct store_named *named, struct buf *ret_left,
			     struct err *err);

#endif
