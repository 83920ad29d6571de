/* The SOAP 1.2 envelope with WS-Addressing 1.0 headers, as the DMP's services want it.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_SOAP_H
#define DMPFEED_DMP_SOAP_H

#include "base/buf.h"

#define SOAP_ACTION_PROVIDE_AND_REGISTER "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"

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
