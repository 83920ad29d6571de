/* What an ADT of IHE PAM France says of a patient: who they are (PID), with which other identity they were
 * merged (MRG), whether the feeding of their DMP is opposed (ZFA-9), and in which state it is (ZFA-1).
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_HL7_IDENTITY_H
#define DMPFEED_HL7_IDENTITY_H

#include "hl7/message.h"

/* ZFA-9. */
enum identity_feeding {
	FEEDING_UNSAID,
	FEEDING_NOT_OPPOSED, /* INO: informed, does not oppose it */
	FEEDING_OPPOSED,     /* IO: informed, opposes it */
	FEEDING_NOT_ASKED,   /* NA: nobody has asked */
};

/* ZFA-1. */
enum identity_dmp { DMP_UNSAID, DMP_OPEN, DMP_CLOSED, DMP_ABSENT };

/* What the message is about, as far as the identity goes. */
enum identity_event {
	IDENTITY_IGNORED, /* an event that says nothing of it, or that we do not know */
	IDENTITY_UPDATE,  /* PID is the identity as it stands now */
	IDENTITY_MERGE,   /* A40: that of MRG is PID's from now on */
	IDENTITY_CHANGE, /* A47: a number was given, changed or taken away; MRG has the former one */
};

/* A number and the authority that gave it (CX-1, CX-4), by its name or its OID, or both. */
struct identity_number {
	const char *number, *name, *oid;
};

enum { IDENTITY_NUMBERS_MOST = 8 /* of one list; more are not read */ };

struct identity_numbers {
	struct identity_number ins;                          /* the INS; number "": none */
	bool ins_is_null;                                    /* "": there is none any more */
	struct identity_number local[IDENTITY_NUMBERS_MOST]; /* IPP and the like */
	size_t local_count;
};

/* As PID has them; "" where it is silent. */
struct identity_traits {
	const char *family, *given, *given_names; /* PID-5, the name at birth (L) */
	const char *sex, *birth_date;             /* PID-8; PID-7, YYYYMMDD */
	const char *birth_place;                  /* PID-11, INSEE code of the address BDL */
};

/* Times are milliseconds since 1970; 0: not said, or not a time. Texts are never NULL. */
struct identity {
	const char *event; /* MSH-9.2 */
	enum identity_event kind;
	const char *ins, *ins_oid;         /* of the first INS in PID-3; "": none */
	struct identity_numbers now, then; /* PID-3; MRG-1 */
	struct identity_traits traits;
	bool has_status;     /* PID-32 says something */
	bool validated;      /* PID-32 holds VALI */
	int64_t message_ms;  /* MSH-7 */
	int64_t recorded_ms; /* EVN-2, or else MSH-7: since when PID is so */
	enum identity_dmp dmp;
	int64_t dmp_ms, closed_ms; /* since when it is in that state (ZFA-2); ZFA-3 */
	enum identity_feeding feeding;
	int64_t feeding_ms; /* ZFA-10, or else MSH-7 */
};

/* Reads an ADT that hl7_parse() accepted; texts live in `arena`. Nothing is refused: what is missing,
 * malformed or of an event that has no ZFA is not said. `is_ins` tells the domains of the INS by
 * their OID.
 */
void identity_read(struct identity *identity, const struct hl7_message *message,
		   bool (*is_ins)(const char *oid), struct arena *arena);

#endif
