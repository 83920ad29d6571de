/* What a person may order of a document, and from which state: a table.
 *
 * Pure.
 */
#ifndef DMPFEED_QUEUE_ORDER_H
#define DMPFEED_QUEUE_ORDER_H

#include "queue/store.h"

const char *order_text(enum order order); /* "hold" */
must_use bool order_parse(struct slice text, enum order *ret_order);

/* How a document stands. */
struct order_case {
	enum doc_state state;
	enum reason reason;
	bool doubtful;  /* an earlier attempt may have been stored by the DMP */
	bool purged;    /* its body is not there any more */
	bool lacks_ins; /* no INS is known to send it under */
	bool deleted;   /* its source, or a recall, has it deleted, since it came last */
};

/* Where the order takes it. */
struct order_aim {
	const char *what; /* as the ledger says it: "released" */
	enum doc_state state;
	enum reason reason;
};

struct order_aim order_aim(enum order order);

/* NULL: it may be done. Otherwise why not; with `forced`, what only a person can answer for is done
 * all the same.
 */
const struct order_refusal *order_refusal(enum order order, const struct order_case *its,
					  bool forced);

/* What is given up may be one of two forms of one content: what speaks against it is how the other one stands. `changes`:
 * they replace or delete, so that one alone would leave the DMP with what the other was to change.
 */
const struct order_refusal *order_refusal_by_other(const struct order_case *other, bool changes,
						   bool forced);

#endif
