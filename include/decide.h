/* What a message or a file is, and what becomes of it: send, hold, refuse. From outside bytes to
 * the row that the store takes in.
 *
 * Pure, of hl7/ and document/ together. Owned by one thread at a time.
 */
#ifndef DMPFEED_DECIDE_H
#define DMPFEED_DECIDE_H

#include "config.h"

struct decision_settings {
	const struct config *config;
	const struct valuesets *valuesets;
	const char *site; /* FINESS EG that the door stands for */
};

/* All-zero is empty. */
struct decision {
	const char *action, *unique_id, *type_code;
	const struct config_establishment *establishment; /* the legal entity that sends it */
	const char *origin;                               /* MSH-10; "" for a file */
	enum doc_state state;
	enum reason reason;
	struct buf body;     /* the document, byte for byte */
	struct buf metadata; /* as kept with it */
	uint8_t digest[SHA256_BYTES];

	struct arena arena; /* of the texts above */
};

void decision_done(struct decision *decision);

/* An HL7 message (the payload of a frame, or a file). -1: refused, err has reason and place. */
must_use int decide_message(struct decision *decision, struct slice message,
			    const struct decision_settings *settings, struct err *err);

/* A CDA document alone. Takes the bytes over. */
must_use int decide_document(struct decision *decision, struct buf *document,
			     const struct decision_settings *settings, struct err *err);

#endif
