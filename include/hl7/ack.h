/* The technical acknowledgement (HL7 2.x, ACK; ANS profile "Transmission de documents CDA en HL7
 * v2").
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_ACK_H
#define DMPFEED_HL7_ACK_H

#include "hl7/message.h"

struct ack {
	int64_t now_ms;
	const char *control_id; /* ours: MSH-10 of the answer, 20 characters at most */
	/* NULL or ERR_NONE: AA. Else the row of its reason decides between AE and AR and gives
	 * ERR-3; err->where is ERR-2; ERR-5 is our reason and text. An error without a reason is a
	 * circumstance: AR, 207.
	 */
	const struct err *err;
};

/* Appends the answer to `message` (segments end with CR, no frame). `message` may be any bytes,
 * not a message at all, or nothing: what its MSH tells is used, what it does not is left empty.
 * Nothing is appended when it is itself an acknowledgement, good or not: those get no answer.
 */
void ack_build(struct slice message, const struct ack *ack, struct buf *out);

/* MSA-1 of the answer that ack_build() gives: "AA", "AE", "AR". */
const char *ack_code(const struct err *err);

#endif
