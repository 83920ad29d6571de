/* Who gives an order, for the ledger and the journal.
 *
 * Worker: the table of users may be a network away.
 */
#ifndef DMPFEED_OPERATOR_ACTOR_H
#define DMPFEED_OPERATOR_ACTOR_H

#include <sys/types.h>

enum { ACTOR_TEXT = 80 };

/* "name (number)" as the machine knows that user; the number alone when nobody knows a name. */
void actor_name(uid_t uid, char out[ACTOR_TEXT]);

#endif
