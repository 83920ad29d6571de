/* What a document or its message does not as the profile wants it, and what goes all the same: the journal
 * warns, for whoever looks after the source.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_INBOUND_REMARK_H
#define DMPFEED_INBOUND_REMARK_H

#include "document/cda.h"
#include "hl7/transmission.h"

enum remark {
	REMARK_LOCAL_IDS, /* PID-3 and recordTarget know the patient by other local ids (INS apart) */
	REMARK_INS_NOT_FIRST, /* of the ids in recordTarget */
	REMARK_TEMPLATES,     /* it does not say that it is a French CDA of the CI-SIS */
	REMARK_LONG_TITLE,    /* the DMP is told its beginning */
	REMARK_NO_SET_ID,
	REMARK_NO_ZONE,      /* effectiveTime is taken for local time */
	REMARK_FLAG_MISSING, /* of mail or acknowledgements: taken as N */
	REMARK_FOREIGN_SENDER, /* the id of PRT-5 is of another authority: the software of the site sends */
	REMARK_COUNT
};

const char *remark_text(enum remark remark); /* a sentence */

/* A set of them: 1 << remark. `message` NULL: the document came alone. */
unsigned remarks_of(const struct cda *cda, const struct transmission *message);

#endif
