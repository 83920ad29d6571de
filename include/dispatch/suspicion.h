/* When what is odd becomes the installation's fault. A refusal that nobody has described is the
 * document's, until several different documents in a row meet the same one; an answer that is none of
 * the DMP's (a proxy's page) passes, until several come in a row.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DISPATCH_SUSPICION_H
#define DMPFEED_DISPATCH_SUSPICION_H

#include "base/ulid.h"

enum { SUSPICION_CODE = 128, SUSPICION_DOCUMENTS = 3, SUSPICION_STRANGERS = 5 };

/* Of one lane. All-zero: none. */
struct suspicion {
	char code[SUSPICION_CODE]; /* the last unknown one */
	struct ulid documents[SUSPICION_DOCUMENTS];
	size_t count;       /* different documents that met it, SUSPICION_DOCUMENTS at most */
	unsigned strangers; /* answers in a row that were none of the DMP's */
};

/* A document met an unknown refusal. true: it is one too many of that code, and all of them had
 * better wait for a person.
 */
must_use bool suspicion_raise(struct suspicion *suspicion, const char *code,
			      const struct ulid *doc);

/* An answer came that is none of the DMP's. true: too many of them in a row. */
must_use bool suspicion_of_stranger(struct suspicion *suspicion);

/* The DMP itself answered, whatever it said. */
void suspicion_was_the_dmp(struct suspicion *suspicion);

/* A document got an answer that somebody has described: the way is sound. */
void suspicion_clear(struct suspicion *suspicion);

#endif
