/* Why a document is where it is, or why a message was not taken: one row per reason, from which the
 * acknowledgement, the journal, the control tool, the API and the page all print. Codes are fixed
 * names: users filter on them.
 */
#ifndef DMPFEED_BASE_REASON_H
#define DMPFEED_BASE_REASON_H

enum reason {
	REASON_NONE,

	/* a document waits */
	REASON_INS_NOT_QUALIFIED,
	REASON_POLICY_HOLD,
	REASON_SENSITIVE_STAY,
	REASON_MANUAL_HOLD,
	REASON_WAITING_PREDECESSOR,
	REASON_RETRYING,
	REASON_DOUBTFUL,
	REASON_LANE_STOPPED,
	REASON_LANE_SLOWED,  /* never kept: worked out when somebody asks */
	REASON_WAITING_TURN, /* the same */
	REASON_FEEDING_NOT_ASKED,
	REASON_INS_NOT_IN_DOCUMENT,
	REASON_INS_CHANGED,

	/* the patient's DMP does not take it */
	REASON_PATIENT_OPPOSED,
	REASON_DMP_ABSENT,
	REASON_DMP_CLOSED,

	/* a document cannot pass */
	REASON_INS_MISSING,
	REASON_INS_INVALID,
	REASON_INS_MISMATCH,
	REASON_TYPE_NOT_ACCEPTED,
	REASON_HEADER_INCOMPLETE,
	REASON_METADATA_INVALID,
	REASON_BODY_NOT_ACCEPTED,
	REASON_DOCUMENT_INVALID,
	REASON_SIDECAR_INVALID,
	REASON_COMPANION_MISSING,
	REASON_BODY_INVALID,
	REASON_PDF_NOT_PDFA,
	REASON_IDENTIFIER_HAS_EXTENSION,
	REASON_IDENTIFIER_INVALID,
	REASON_FINESS_MISMATCH,
	REASON_MASKS_CONFLICT,
	REASON_RESTRICTED,
	REASON_PREDECESSOR_UNKNOWN,
	REASON_ACTION_NOT_SUPPORTED,
	REASON_TOO_LARGE,
	REASON_DUPLICATE_FOREIGN,
	REASON_TOO_OLD,
	REASON_DMP_ERROR,

	/* a document need not go, or need not go again */
	REASON_NOT_FOR_DMP,
	REASON_UNCHANGED,
	REASON_WITHDRAWN,
	REASON_SUPERSEDED,

	/* a message is at fault: the profile's technical error codes */
	REASON_SEQUENCE,
	REASON_FIELD_MISSING,
	REASON_DATA_TYPE,
	REASON_TABLE_VALUE,
	REASON_CARDINALITY,
	REASON_MESSAGE_INVALID,
	REASON_NO_HEADER,
	REASON_MESSAGE_TYPE,
	REASON_EVENT,
	REASON_PROCESSING_ID,
	REASON_VERSION,

	/* the gateway cannot take anything now */
	REASON_STORE_UNAVAILABLE,
	REASON_SHUTTING_DOWN,

	REASON_COUNT
};

struct reason_row {
	const char *code;    /* "ins_not_qualified" */
	int hl7_code;        /* table messageErrorCondition of the ANS profile: 100 to 207; 0: never
				answered to a message */
	const char *hl7_ack; /* "AE": will fail again unchanged, "AR": a circumstance; NULL with
				hl7_code 0 */
	const char *english, *french;               /* one sentence: what it means */
	const char *action_english, *action_french; /* one sentence: what to do */
};

/* The row; REASON_NONE has an empty one. Never NULL. */
const struct reason_row *reason_row(enum reason reason);

/* The reason with this code; REASON_NONE when there is none. */
enum reason reason_of(const char *code);

/* "Segment sequence error" for 100, as table messageErrorCondition of the ANS profile words it; ""
 * for a number outside it. */
const char *hl7_error_text(int hl7_code);

#endif
