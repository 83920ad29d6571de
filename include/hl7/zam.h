/* The business acknowledgement of the ANS profile (ZAM^Z01): what became of a message at the DMP, told
 * to its sender after the final outcome; and the sender's answer to it (ACK^Z01^ACK).
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_ZAM_H
#define DMPFEED_HL7_ZAM_H

#include "hl7/message.h"

struct zam {
	int64_t now_ms;
	const char *
		control_id; /* ours: MSH-10, 20 characters at most; the same each time it is sent */
	bool positive;      /* Y: the DMP has it */

	/* why not: ERR-5. Cut at 60 and 250 characters, escaped */
	const char *code, *text;
	bool code_is_ours; /* not of the DMP's list: the third component says "local" */
};

/* Appends the ZAM^Z01 (segments end with CR, no frame) about the message whose MSH is `header`. */
void zam_build(struct slice header, const struct zam *zam, struct buf *out);

enum zam_answer {
	ZAM_ACCEPTED,   /* AA: the sender knows */
	ZAM_REFUSED,    /* AE, AR or another code: it may take it another time */
	ZAM_NOT_AN_ACK, /* not an acknowledgement, or of another message */
};

/* What the sender answered to the ZAM with that control id. Unless it is ZAM_ACCEPTED, *ret_why
 * (ERR_RETRY) has a sentence; nothing in it but MSA-1 is the sender's.
 */
enum zam_answer zam_read_answer(struct slice answer, const char *control_id, struct err *ret_why);

#endif
