/* What an ADT of IHE PAM France says of a patient's DMP: whether its feeding is opposed (ZFA-9), and
 * in which state it is (ZFA-1).
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

/* Times are milliseconds since 1970; 0: not said, or not a time. Texts are never NULL. */
struct identity {
	const char *event;         /* MSH-9.2 */
	const char *ins, *ins_oid; /* of the first INS in PID-3; "": none */
	bool validated;            /* PID-32 holds VALI */
	int64_t message_ms;        /* MSH-7 */
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
