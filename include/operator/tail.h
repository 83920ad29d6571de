/* The ledger as it grows, for whoever watches it over the control socket.
 *
 * A request is answered once there is something to tell, or after half a minute with nothing: then it is
 * asked again, from the mark that its answer ended with. So a watcher that leaves, or does not read, costs
 * one request.
 *
 * Loop only; the store is read by workers, whose context is a struct hands.
 */
#ifndef DMPFEED_OPERATOR_TAIL_H
#define DMPFEED_OPERATOR_TAIL_H

#include <jansson.h>

#include "base/jobs.h"
#include "control/control.h"

struct event_base;
struct tails;

/* The workers outlive it: free it once they have ended. */
struct tails *tails_new(struct event_base *loop, struct workers *workers);
void tails_free(struct tails **tails);

/* Something happened to a document: on disk. */
void tails_poke(struct tails *tails);

/* false: nobody asks to watch. true: both `request` and `asked` are its own from now on. {"command":
 * "tail", "mark": a number (absent: the last ten), "site": a geographic FINESS}; the rows of the answer are
 * events, the last one is {"mark": N}.
 */
must_use bool tails_begin(struct tails *tails, struct control_request *request, json_t *asked);

#endif
