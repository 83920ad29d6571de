/* What people had done to the gateway rather than to a document: figures that were imported, all counted
 * anew, evidence taken out. An act stands in the audit chain among the ledger's rows, with a number of the
 * same series: neither can be altered, taken out or put in without a trace.
 */
#ifndef DMPFEED_QUEUE_STORE_ACT_H
#define DMPFEED_QUEUE_STORE_ACT_H

#include "queue/store.h"

/* Texts are never NULL. */
struct store_act {
	uint64_t number; /* in the chain; given when it is noted */
	int64_t at_ms;
	const char *what;    /* one word: "imported", "recounted", "evidence", "backup" */
	const char *subject; /* of what: "denominator sejours" */
	const char *text;    /* the rest: "revision=3 file=sejours.csv …" */
	const char *actor;   /* who gave the order */
};

/* Writer. */
must_use int store_note_act(struct store *store, const struct store_act *act, struct err *err);

/* Those after that number, the oldest first, so many at most; texts are valid during the callback. */
must_use int store_acts(struct store *store, uint64_t after, size_t most,
			void (*each)(void *arg, const struct store_act *act), void *arg,
			struct err *err);

/* What somebody did: an act, or an order about a document. Texts are never NULL. */
struct store_deed {
	uint64_t number; /* in the chain */
	int64_t at_ms;
	const char *what, *actor;
	const char *subject, *text; /* of an act */
	struct ulid doc;            /* all-zero: an act */
	const char *lane, *site;    /* of the document, */
	const char *state, *reason; /* and where the order left it */
};

struct store_deeds_filter {
	int64_t from_ms, until_ms; /* at or after the first, before the other */
	const char *actor;         /* "alice", or "alice (1000)" as it was written; "": any */
	const char
		*place; /* a site or a legal entity: of a document, or named by an act; "": any */
	size_t limit;
};

/* The newest of them, so many at most, the oldest first; texts are valid during the callback. */
must_use int store_deeds(struct store *store, const struct store_deeds_filter *filter,
			 void (*each)(void *arg, const struct store_deed *deed), void *arg,
			 struct err *err);

#endif
