/* A refusal that nobody has described is the document's fault, until several different documents in
 * a row meet the same one: then it is the installation's. Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DISPATCH_SUSPICION_H
#define DMPFEED_DISPATCH_SUSPICION_H

#include "base/ulid.h"

enum { SUSPICION_CODE = 128, SUSPICION_DOCUMENTS = 3 };

/* Of one lane. All-zero: none. */
struct suspicion {
	char code[SUSPICION_CODE]; /* the last unknown one */
	struct ulid documents[SUSPICION_DOCUMENTS];
	size_t count; /* different documents that met it, SUSPICION_DOCUMENTS at most */
};

/* A document met an unknown refusal. true: it is one too many of that code, and all of them had
 * better wait for a person.
 */
must_use bool suspicion_raise(struct suspicion *suspicion, const char *code,
			      const struct ulid *doc);

/* A document got an answer that somebody has described: the way is sound. */
void suspicion_clear(struct suspicion *suspicion);

#endif
