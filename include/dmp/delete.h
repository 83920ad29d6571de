/* TD3.3c: the logical deletion of a document of ours (IHE ITI-57 Update Document Set). A submission
 * set without document nor signature, and one association. Final, for us.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_DELETE_H
#define DMPFEED_DMP_DELETE_H

#include "dmp/submission.h"

struct deletion {
	struct submission set; /* whose document_cid is not looked at */
	const char *entry;     /* urn:uuid:…, as find_read() gave it */
	bool archived;         /* the entry's present status: archived, else approved */
};

/* Appends lcm:SubmitObjectsRequest. */
void delete_build(const struct deletion *deletion, struct buf *out);

#endif
