/* The SOAP 1.2 envelope with WS-Addressing 1.0 headers, as the DMP's services want it.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_SOAP_H
#define DMPFEED_DMP_SOAP_H

#include "base/buf.h"

/* What the DMP can be asked. */
enum transaction {
	TRANSACTION_SUBMIT,    /* TD2.1: a document, new or in place of another (ITI-41) */
	TRANSACTION_EXISTENCE, /* TD0.2: has this patient a DMP (HL7 V3 PRPA_IN201307UV02) */
	TRANSACTION_FIND,      /* TD3.1b: the entry of a document of ours (ITI-18) */
	TRANSACTION_DELETE,    /* TD3.3c: a document of ours (ITI-57) */
	TRANSACTION_COUNT
};

#define SOAP_ACTION_PROVIDE_AND_REGISTER "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"

/* wsa:Action of the request, and of its answer. */
const char *soap_action(enum transaction transaction);
const char *soap_reply_action(enum transaction transaction);

/* "existence", "submit", "find", "delete": for people. */
const char *transaction_text(enum transaction transaction);

/* The value of the HTTP Content-Type header of a request that carries no document. (With one, it is
 * mtom_content_type()'s.) */
void soap_content_type(const char *action, struct buf *out);

struct soap_header {
	const char *message_id; /* a UUID, without urn:uuid: */
	const char *to;         /* URL of the service; "" is allowed by key */
	const char *action;
	struct slice security; /* the signed assertion, byte for byte; empty: no wsse:Security */
};

/* Appends everything before the body's content, and everything after it. */
void soap_open(const struct soap_header *header, struct buf *out);
void soap_close(struct buf *out);

#endif
