/* What the DMP answered, in any of its shapes: registry response, query response, SOAP fault,
 * HL7 V3 acknowledgement and answer.
 *
 * Pure (libxml2, no network, no DTD). Owned by one thread at a time, after cda_start()
 * of document/cda.h.
 */
#ifndef DMPFEED_DMP_REPLY_H
#define DMPFEED_DMP_REPLY_H

#include "base/arena.h"
#include "dmp/soap.h"

enum reply_shape {
	REPLY_NONE,    /* not SOAP: decide on HTTP alone */
	REPLY_SUCCESS, /* the answer that was asked for; warnings allowed */
	REPLY_FAILURE, /* registry or query: Failure, or PartialSuccess (ITI-41 is atomic) */
	REPLY_FAULT,   /* SOAP fault */
	REPLY_HL7_ACK, /* acknowledgement other than AA, or a query that went wrong */
};

/* What is kept of an answer. Its texts come from outside: cleaned of control characters, on one
 * line, cut at so many characters. They may name the patient: for the document's history, never for
 * a log.
 */
enum { REPLY_CODE = 100, REPLY_TEXT = 500, REPLY_IDS = 16 };

struct reply_id {
	const char *root, *extension;
};

struct reply {
	enum reply_shape shape;
	const char *code; /* errorCode, or the local part of the fault's innermost subcode; "" */
	const char *text; /* codeContext, reason, text: the DMP's words; "" */
	const char *location;   /* of a registry error; "" */
	bool fault_of_receiver; /* soap:Receiver: their side */
	const char *relates_to; /* wsa:RelatesTo; "" */
	const char *action;     /* wsa:Action; "" */

	/* TD3.1b: how many references came, and the first of them ("" when none) */
	size_t object_count;
	const char *object;

	/* TD0.2: OK or NF; the status of the (first) patient's DMP; that patient's identifiers. Names,
	 * dates, phones are never read. find.h and existence.h say what these members mean. */
	const char *query_code, *patient_status;
	size_t patient_count;
	struct reply_id patient_ids[REPLY_IDS]; /* more are not kept */
	size_t patient_id_count;
};

/* Reads an HTTP reply to `asked`, by the Content-Type received (plain SOAP or multipart). Never
 * fails: what cannot be read, and a success of another transaction, is REPLY_NONE, and `text` says
 * why, in our words. Texts live in `arena` or for ever.
 */
void reply_read(struct reply *reply, enum transaction asked, struct slice content_type,
		struct slice body, struct arena *arena);

/* What its addressing headers say that does not fit the request, in our words; "" when nothing. It
 * decides nothing: for the journal. `message_id` without urn:uuid:.
 */
const char *reply_oddity(const struct reply *reply, enum transaction asked, const char *message_id);

#endif
