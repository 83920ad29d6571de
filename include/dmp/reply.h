/* What the DMP answered, in any of its shapes: registry response, SOAP fault, HL7 V3
 * acknowledgement.
 *
 * Pure (libxml2, no network, no DTD). Owned by one thread at a time, after cda_start()
 * of document/cda.h.
 */
#ifndef DMPFEED_DMP_REPLY_H
#define DMPFEED_DMP_REPLY_H

#include "base/arena.h"

enum reply_shape {
	REPLY_NONE,    /* not SOAP: decide on HTTP alone */
	REPLY_SUCCESS, /* RegistryResponse Success, warnings allowed */
	REPLY_FAILURE, /* RegistryResponse Failure or PartialSuccess (ITI-41 is atomic) */
	REPLY_FAULT,   /* SOAP fault */
	REPLY_HL7_ACK, /* acknowledgement other than AA */
};

/* What is kept of an answer. Its texts come from outside: cleaned of control characters, on one
 * line, cut at so many characters. They may name the patient: for the document's history, never for
 * a log.
 */
enum { REPLY_CODE = 100, REPLY_TEXT = 500 };

struct reply {
	enum reply_shape shape;
	const char *code; /* errorCode, or the local part of the fault's innermost subcode; "" */
	const char *text; /* codeContext, reason, text: the DMP's words; "" */
	const char *location;   /* of a registry error; "" */
	bool fault_of_receiver; /* soap:Receiver: their side */
	const char *relates_to; /* wsa:RelatesTo; "" */
};

/* Reads an HTTP reply by the Content-Type received (plain SOAP or multipart). Never fails: what
 * cannot be read is REPLY_NONE, and `text` says why, in our words. Texts live in `arena` or for
 * ever.
 */
void reply_read(struct reply *reply, struct slice content_type, struct slice body,
		struct arena *arena);

#endif
