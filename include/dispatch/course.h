/* The life of one delivery: which request comes next, or how it ends. A new document is one request;
 * to replace or delete one, its entry in the DMP is found first; whether the patient has a DMP is
 * asked before all, when the settings want it. No clock, no socket: whoever drives it builds the
 * request, sends it, and tells the course what came of it, until it has ended:
 *
 *         while (!(step = course_next(&course)).ended)
 *                 course_learn(&course, step.request, &outcome, &reply);
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DISPATCH_COURSE_H
#define DMPFEED_DISPATCH_COURSE_H

#include "dispatch/outcome.h"
#include "dmp/existence.h"
#include "document/metadata.h"

enum course_target { TARGET_NOT_SOUGHT, TARGET_FOUND, TARGET_ABSENT };

struct course {
	/* what is to be done, and how; borrowed texts */
	enum action action;
	const char *ins, *ins_oid;
	bool was_doubtful;    /* an earlier attempt may have done it */
	bool check_existence; /* TD0.2 first */
	bool absent_as_new;   /* a document whose predecessor is not there goes as a new one */

	/* what has been learnt; existence may come from a cache */
	enum existence existence;
	enum course_target target;
	const char *entry; /* of the document to replace or delete; borrowed from the reply */
	unsigned searches;
	bool entry_is_the_same; /* the second search found what the first one had */
	enum course_target own; /* the document itself, which an earlier attempt may have brought */

	/* what the last request came to */
	bool has_asked;
	enum transaction last;
	struct outcome outcome;
	char why[ERR_TEXT];
};

struct course_step {
	bool ended;

	/* the next request */
	enum transaction request;
	bool own;          /* to find: the document itself, not the one to replace or delete */
	const char *entry; /* to replace or delete; "": none */
	bool archived;     /* it must be: see struct deletion */

	/* or the end; borrows from the course and the last reply */
	struct outcome outcome;
};

struct course_step course_next(const struct course *course);

/* `reply` is read only if the outcome says that the question was answered; its texts stay borrowed
 * until the end of the course. */
void course_learn(struct course *course, enum transaction asked, const struct outcome *outcome,
		  const struct reply *reply);

/* What the last request has taught about the patient's DMP, for other documents; EXISTENCE_UNKNOWN:
 * nothing. */
enum existence course_existence(const struct course *course);

#endif
