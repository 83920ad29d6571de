/* A message of the ANS profile "Transmission de documents CDA en HL7 v2": what it asks for, about
 * whom, and the documents it carries. MDM^T02, T10, T04 and ORU^R01 in editions 2.1, 2.0 and, where
 * wanted, 1.2. Of PAM's ADT it tells what it is, no more.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_HL7_TRANSMISSION_H
#define DMPFEED_HL7_TRANSMISSION_H

#include "hl7/stay.h"

/* Up to FLAG_DESTDMP they concern the DMP: a message of edition 2.1 that lacks one is refused. */
enum transmission_flag {
	FLAG_MASQUE_PS,
	FLAG_INVISIBLE_PATIENT,
	FLAG_INVISIBLE_REP_LEGAUX,
	FLAG_CONNEXION_SECRETE,
	FLAG_MODIF_CONF_CODE,
	FLAG_DESTDMP,
	FLAG_DESTMSSANTEPS,
	FLAG_DESTMSSANTEPAT,
	FLAG_ACK_RECEPTION,
	FLAG_ACK_LECTURE_MSS,
	FLAG_COUNT
};

/* An identifier of PID-3: number, authority's name and OID, type code (INS, PI, NH…). Texts are never NULL.
 */
struct transmission_id {
	const char *number, *oid, *type, *name;
};

/* Who asks for the sending (PRT with PRT-4 = SB): the VIHF's identity and the submission set's
 * author.
 */
struct transmission_sender {
	const char *person_id, *person_family, *person_given; /* PRT-5.1, .2, .3 */
	const char *person_id_type;                           /* PRT-5.13: IDNPS, RPPS, EI */
	bool person_is_system;                                /* PRT-5.10 is U */
	/* PRT-5.9 names another authority than the national one, and the id is not said to be of the structure (EI):
	   nationally, that number is somebody else's */
	bool person_is_foreign;
	const char *structure_name, *structure_id; /* PRT-8.1, .10 */
	const char *device;                        /* PRT-10.1 */
};

enum transmission_action { TRANSMISSION_SUBMIT, TRANSMISSION_REPLACE, TRANSMISSION_DELETE };

/* An ORU may carry the same content twice, as CDA level 1 and level 3; an MDM carries one. */
enum { TRANSMISSION_DOCUMENTS_MOST = 2 };

struct transmission_document {
	const char *type_code; /* OBX-3.1 */
	const char *status;    /* OBX-11: F, C, D; says what `action` says */
	struct slice base64;   /* OBX-5.5, borrowed from the message */
};

struct transmission_settings {
	bool profile_1_2; /* edition 1.2 is read too */
};

struct transmission {
	bool is_identity;        /* an ADT: event and the next three are all that is read */
	const char *event;       /* MSH-9.2 */
	const char *control_id;  /* MSH-10 */
	const char *application; /* MSH-3.1 */
	const char *facility;    /* MSH-4.1 */
	const char *profile;     /* MSH-21.1: "2.1" */

	const struct transmission_id *ids; /* PID-3 */
	size_t id_count;
	const char *birth_date, *sex; /* PID-7 (first 8 digits), PID-8 */
	bool identity_validated;      /* PID-32 holds VALI */
	int64_t identity_ms;          /* as of when: EVN-2, or else MSH-7; 0: neither is a time */

	const char *visit_class;  /* PV1-2 */
	const char *visit_number; /* PV1-19.1 */
	const char *visit_end;    /* PV1-45: an HL7 time, not looked at */
	const char *unit;         /* PV1-3.1 */
	struct stay stay;         /* all that it says of it */

	enum transmission_action action; /* trigger, ORC-1 and OBX-11 agree */
	const char *type_code;           /* TXA-2; OBR-4 of an ORU */
	const char *replaces;            /* TXA-13, as root or root^extension; "" in an ORU */
	struct transmission_sender sender;
	bool has_sender;
	bool flags[FLAG_COUNT]; /* absent: false, but FLAG_DESTDMP: true */
	bool lacks_flag; /* one of those that edition 2.1 requires, and the DMP has no use for */

	struct transmission_document documents[TRANSMISSION_DOCUMENTS_MOST];
	size_t document_count; /* 1 or 2; 0 of an ADT */
};

/* Reads a message that hl7_parse() accepted; texts live in `arena` and are never NULL. -1:
 * refused; err has the reason (of the profile's technical codes) and the field, as section
 * "Technical acknowledgement" of the profile wants them in ERR-2 and ERR-3. An ACK is refused like
 * any message that does not come to a gateway; ack_build() sees to it that it is never answered.
 * Refuses what sending to the DMP could not do without; a message without sender is for the caller
 * to judge.
 */
must_use int transmission_read(struct transmission *transmission, const struct hl7_message *message,
			       const struct transmission_settings *settings, struct arena *arena,
			       struct err *err);

#endif
