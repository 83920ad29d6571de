/* The audit chain as it is forwarded: its rows in order, those about documents and acts alike, and up to which of
 * them somebody outside has it.
 */
#ifndef DMPFEED_QUEUE_STORE_TRAIL_H
#define DMPFEED_QUEUE_STORE_TRAIL_H

#include "queue/store.h"

/* Texts are never NULL. Nothing of a patient: neither the DMP's words, which may quote one, nor the name of a
 * file are here.
 */
struct store_trail_row {
	uint64_t number;
	int64_t at_ms;
	const char *what, *actor, *node;
	uint8_t digest[SHA256_BYTES]; /* in the chain */
	bool is_act;

	/* of an act */
	const char *subject, *text;

	/* of what happened to a document */
	struct ulid doc;
	const char *action, *unique_id, *type_code, *lane, *site, *source, *channel;
	const char *state, *reason, *code, *note;
	unsigned attempt;
	int http_status;
	int64_t duration_ms;
};

/* Those after that number, the oldest first, so many at most; texts are valid during the callback. */
must_use int store_trail(struct store *store, uint64_t after, size_t most,
			 void (*each)(void *arg, const struct store_trail_row *row), void *arg,
			 struct err *err);

struct store_trail_reach {
	uint64_t forwarded; /* the last row that was; 0: none */
	uint64_t newest;    /* the last that there is */
};

must_use int store_trail_reach(struct store *store, struct store_trail_reach *ret_reach,
			       struct err *err);

/* Writer. */
must_use int store_note_forwarded(struct store *store, uint64_t number, struct err *err);

#endif
