/* What becomes of one document, whichever door it came through: alone or on a medium (decide.c), in a message
 * (decide_message.c), with a sidecar (decide_pair.c). For those alone.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_INBOUND_DECIDE_ONE_H
#define DMPFEED_INBOUND_DECIDE_ONE_H

#include "document/metadata.h"
#include "hl7/transmission.h"
#include "inbound/decide.h"

/* Where nothing is said beyond the document. */
extern const struct metadata_request decide_no_request;

/* Reads the body of a document of the decision and fills in the rest of it; `metadata` is what it says. `message`
 * carried it; NULL: it came alone. -1: refused, err has reason and place.
 */
must_use int decide_one(struct decision *decision, struct decision_document *document,
			struct metadata *metadata, const struct metadata_request *request,
			const struct transmission *message,
			const struct decision_settings *settings, struct err *err);

/* PID-32 says so, and there is an INS to be qualified. */
bool decide_is_qualified(const struct transmission *message);

/* Whatever else the documents wait for, their patient's identity comes first, and the rest after it. */
void decide_wait_for_identity(struct decision *decision);

/* Replacing and deleting begin with a question to the registry (TD3.1b): refused where there is none to ask, at the
 * place that asked for it.
 */
must_use int decide_check_supported(const struct decision *decision, const char *where,
				    struct err *err);

#endif
