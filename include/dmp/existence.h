/* TD0.2: has this patient a DMP, and is it open (HL7 V3: PRPA_IN201307UV02, answered by
 * PRPA_IN201308UV02). A template with escaped values.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_EXISTENCE_H
#define DMPFEED_DMP_EXISTENCE_H

#include "dmp/reply.h"

struct existence_request {
	const char *ins, *ins_oid;
	const char *gateway_oid;     /* of this gateway: its ids are made under it */
	const char *software;        /* its name, as homologated */
	const char *processing_code; /* "P" in production, "D" elsewhere */
	const char *message_uuid, *query_uuid;
	int64_t now_ms;
};

/* Appends PRPA_IN201307UV02. */
void existence_build(const struct existence_request *request, struct buf *out);

enum existence {
	EXISTENCE_UNKNOWN, /* not asked, or answered in a way that nobody described */
	EXISTENCE_ACTIVE,  /* the DMP takes documents */
	EXISTENCE_CLOSED,
	EXISTENCE_ABSENT,
};

const char *existence_text(enum existence existence); /* "active" */

/* What a successful answer to this request means for the patient of the request. Names, dates and
 * phones that it holds were never read. *ret_why: "", or why it is unknown, in our words.
 */
enum existence existence_read(const struct reply *reply, const char *ins, const char *ins_oid,
			      const char **ret_why);

#endif
