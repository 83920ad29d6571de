/* What a message says of a stay at the hospital: which one it is, where, from when to when, and whether it
 * is one to be discreet about. An ADT of IHE PAM France tells it as it happens; a message that brings a
 * document says whose it is.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_HL7_STAY_H
#define DMPFEED_HL7_STAY_H

#include "hl7/message.h"

enum {
	STAY_NUMBER_MOST = 128, /* bytes; CX-1 has no more. A longer one is none */
	STAY_TEXT_MOST = 64,    /* bytes of a unit, a class, a flag: likewise */
	STAY_UNITS_MOST = 4,
};

/* What happened. A correction (Z99) tells it of the movement that it corrects. */
enum stay_news {
	STAY_NOTHING,   /* it is no ADT about a stay */
	STAY_SEEN,      /* planned, on leave, under another doctor */
	STAY_BEGINS,    /* A01, A04 */
	STAY_MOVES,     /* A02; A06 and A07, which change its class */
	STAY_ENDS,      /* A03 */
	STAY_NEVER_WAS, /* A11; A27 and A38 of one that was planned */
	STAY_STAYS,     /* A12: it has not moved */
	STAY_GOES_ON,   /* A13: it has not ended */
};

/* Texts are never NULL; times are milliseconds since 1970, 0: not said, or not a time. */
struct stay {
	enum stay_news news;
	bool is_correction; /* Z99: it says again what was said of a movement */
	bool is_past;                       /* ZBE-5 is Y: a movement that others have followed */
	const char *number;                 /* PV1-19.1; "": none */
	const char *authority;              /* who gave it: the OID in PV1-19.4, or else the name */
	const char *class;                  /* PV1-2: E, I, O, R, N */
	const char *flag;                   /* PV1-16 */
	const char *units[STAY_UNITS_MOST]; /* each once: ZBE-7, ZBE-8, PV1-3.1, PV1-10 */
	size_t unit_count;
	int64_t said_ms;  /* EVN-2, or else MSH-7 */
	int64_t moved_ms; /* ZBE-2, or else EVN-6 */
	int64_t start_ms,
		end_ms; /* PV1-44, PV1-45; of what begins or ends, at least when that was */
};

/* Reads a message that hl7_parse() accepted; texts live in `arena`. Nothing is refused: what is missing or
 * malformed is not said.
 */
void stay_read(struct stay *stay, const struct hl7_message *message, struct arena *arena);

/* The unit that answers for the patient; "": it is not said. */
const char *stay_unit(const struct stay *stay);

#endif
