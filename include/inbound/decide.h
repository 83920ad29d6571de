/* What a message or a file is, and what becomes of it: send, hold, refuse. From outside bytes to
 * the rows that the store takes in.
 *
 * Pure, of hl7/ and document/ together. Owned by one thread at a time.
 */
#ifndef DMPFEED_INBOUND_DECIDE_H
#define DMPFEED_INBOUND_DECIDE_H

#include "config.h"
#include "document/xdm.h"
#include "inbound/adt.h"
#include "inbound/remark.h"

struct decision_settings {
	const struct config *config;
	const struct valuesets *valuesets;
	const char *site;  /* FINESS EG that the door stands for, where a message names none */
	bool may_lack_ins; /* a document that comes alone waits for its patient to have one */
	const atomic_bool *ends; /* what takes long is given up once this is true; NULL: never */
};

struct decision_document {
	const char *unique_id, *type_code;
	const char *follows; /* the unique id of what it replaces or deletes; "" */
	const char *patient_ins, *patient_ins_oid;
	const char *where;   /* the place to name when the id is refused: "TXA-12", "id/@root" */
	struct buf body;     /* the document, byte for byte */
	struct buf metadata; /* as kept with it */
	uint8_t digest[SHA256_BYTES];
	bool has_content; /* of what the next version may repeat: see content.h */
	uint8_t content[SHA256_BYTES];
	unsigned remarks;             /* what goes all the same: remark.h */
	bool invisible;               /* to the patient */
	struct store_subject subject; /* whose it is, by its own word */
	bool id_tells;                /* the id was made of what came: nothing else has it */
	struct store_facts facts;
	bool is_discreet;                   /* its site sends nothing of its type by itself */
	struct store_discretion discretion; /* what it says of its stay */
};

/* Of one message, or of one document that comes alone. All-zero is empty. */
struct decision {
	const char *site; /* FINESS EG that the documents are of */
	/* of a pair that was refused: all that is wrong with its sidecar; else none */
	const struct err *faults;
	size_t fault_count;
	const char *set_id; /* of a pair: what later versions are to say; NULL: not ours to say */

	const char *origin; /* MSH-10, of a refused message too; "" for a file */
	/* Not "": a message about a patient's identity (ADT), this event; it brings no document. */
	const char *event;
	struct adt adt; /* what it says */

	/* The MSH of a message whose sender wants to hear what becomes of it at the DMP (ACK_RECEPTION);
	 * empty: it does not, or the DMP will not be asked (DESTDMP is N).
	 */
	struct slice ack_header;

	/* what is done with the documents: the same with both, together or not at all */
	const char *action;
	const struct config_establishment *establishment; /* the legal entity that sends them */
	enum doc_state state;
	enum reason reason;
	int64_t delay_ms; /* of a held one: it is released after so long; 0: by a person */
	bool for_person;  /* a person must release it, whatever else it waits for */
	struct decision_document documents[TRANSMISSION_DOCUMENTS_MOST];
	size_t document_count;

	struct arena arena; /* of the texts above */
};

void decision_done(struct decision *decision);

/* An HL7 message (the payload of a frame, or a file), which is spoilt: a document that it brings alone
 * is decoded in its place, and keeps its memory. -1: refused, err has reason and place.
 */
must_use int decide_message(struct decision *decision, struct buf *message,
			    const struct decision_settings *settings, struct err *err);

/* A CDA document alone. Takes the bytes over. */
must_use int decide_document(struct decision *decision, struct buf *document,
			     const struct decision_settings *settings, struct err *err);

/* A document of an exchange medium, with what METADATA.XML says of it. Takes the bytes over. */
must_use int decide_medium(struct decision *decision, struct xdm_document *document,
			   const struct decision_settings *settings, struct err *err);

/* A body that is no CDA, and the sidecar that says what it is. */
struct decision_pair {
	struct slice sidecar;
	struct buf *body; /* taken over */
	const char *media_type;
};

/* The CDA built around the body, decided as any other. A PDF that is not PDF/A-1 is converted,
 * refused or sent, as the configuration says: that may take long, and a child process.
 *
 * Its id is made of the bytes of both files as they came, under the site's OID: the same pair
 * again, after a crash or dropped twice, is the same document and known as such (were its id made
 * of chance or time, a crash after the commit and before the move would send it twice); one byte
 * changed is another document, which says in `replaces` if it is a version of the first. 120 bits
 * of SHA-256: two pairs do not meet. So the id alone tells the same pair again (id_tells): the CDA
 * around it is built anew each time, and a conversion notes its date.
 */
must_use int decide_pair(struct decision *decision, const struct decision_pair *pair,
			 const struct decision_settings *settings, struct err *err);

/* That would be long: its PDF is one to convert. */
bool decide_pair_takes_long(const struct decision_pair *pair, const struct config *config);

#endif
