/* What is written to the store with who ordered it, from the request to the commit:
 *
 *     prepare    worker   who orders it: the table of users may be a network away; and what there is to read first
 *     apply      writer   it is done, or noted, under that name
 *     done       loop     the commit has happened, or something came in between
 *
 * A daemon that is closing begins no change: the writer may have ended.
 *
 * Loop only, but for the callbacks.
 */
#ifndef DMPFEED_OPERATOR_SIGNED_ORDER_H
#define DMPFEED_OPERATOR_SIGNED_ORDER_H

#include "operator/actor.h"
#include "pipeline.h"

struct hands;

struct signed_order_parts {      /* outlive the order */
	struct workers *workers; /* their context is a struct hands */
	struct writer *writer;
	const struct pipeline *pipeline;
};

/* Lies in the struct of whoever carries the order out. */
struct signed_order {
	/* Worker. 0: it is to be applied; 1: it is not, and nothing is wrong; -1. NULL: nothing is to be read. */
	int (*prepare)(struct signed_order *order, struct hands *hands, struct err *err);
	/* Writer. As change.apply has it. */
	int (*apply)(struct signed_order *order, struct store *store, struct err *err);
	/* Loop. work.err says what went wrong, work.moves what the change did. The order may be freed, or work used
	 * anew.
	 */
	void (*done)(struct signed_order *order);

	char actor[ACTOR_TEXT]; /* from prepare() on */
	struct change work;

	/* private */
	struct signed_order_parts parts;
	uid_t uid;
	int prepared;
};

void signed_order_begin(struct signed_order *order, const struct signed_order_parts *parts,
			uid_t uid);

#endif
