/* The header of a CDA R2 document, as the French "structuration minimale" writes it, and the form
 * of its body. Reads, never alters: the document travels byte for byte.
 *
 * Pure: libxml2's SAX parser over bytes, no network, no DTD (its mere presence is refused, so no
 * entity either), one pass, nothing kept of the body. Owned by one thread at a time, after
 * cda_start().
 */
#ifndef DMPFEED_DOCUMENT_CDA_H
#define DMPFEED_DOCUMENT_CDA_H

#include "base/arena.h"
#include "base/codec.h"

/* Once, before there are threads: libxml2 prepares what they share, and keeps its words to itself. */
void cda_start(void);

/* Texts are UTF-8, trimmed, never NULL: "" when absent. What the DMP compares with the document itself (its id, its
 * type, the INS, the predecessor) is as written. Where several elements could give a value,
 * the first does; but a document with two ids, codes, patients or bodies is refused.
 */
struct cda_id {
	const char *root, *extension;
};

struct cda_code {
	const char *code, *system, *display; /* @code, @codeSystem, @displayName */
};

struct cda_person {
	struct cda_id id; /* the first one, or the national one (PS_IdNat) behind it */
	const char *family, *given;
	const char *role;          /* functionCode/@displayName */
	struct cda_code specialty; /* assignedAuthor/code, assignedEntity/code */
	/* assignedAuthoringDevice: softwareName, manufacturerModelName */
	const char *software, *device;
	struct cda_id organisation_id; /* representedOrganization/id, chosen as the person's */
	const char *organisation_name;
	bool is_device;
};

/* documentationOf/serviceEvent */
struct cda_event {
	struct cda_code code;
	const struct cda_code *translations;
	size_t translation_count;
	/* effectiveTime/low and high (@value); start also from its own @value */
	const char *start, *stop;
	struct cda_code practice_setting; /* performer//standardIndustryClassCode */
	bool has_performer_organisation;
};

struct cda {
	struct cda_id id;
	bool id_has_extension; /* maybe an empty one */
	struct cda_code code;
	const char *title;           /* line ends and runs of blanks are one blank */
	const char *effective_time;  /* as written */
	const char *confidentiality; /* N, R, V; "" reads N */
	const char *language;
	struct cda_id set_id;
	const char *version; /* versionNumber/@value */

	const char **templates; /* templateId/@root, in order */
	size_t template_count;

	struct cda_id *patient_ids; /* recordTarget/patientRole/id, in order: the INS comes first */
	size_t patient_id_count;
	const char *birth_family; /* family[@qualifier=BR], else the first family */
	const char *birth_given;  /* given[@qualifier=BR], else the first given */
	const char *given_names;  /* given without qualifier: the list of the birth certificate */
	const char *sex;          /* administrativeGenderCode/@code */
	const char *birth_time;   /* birthTime/@value */
	const char *birth_place;  /* birthplace/place/addr/county: INSEE code */

	struct cda_person *authors;
	size_t author_count;
	struct cda_person legal_authenticator;
	bool has_legal_authenticator;
	bool has_custodian;

	struct cda_event *events;
	size_t event_count;
	/* the first with a performer's organisation; NULL: none */
	const struct cda_event *main_event;

	/* componentOf/encompassingEncounter: location/healthCareFacility/code, id, effectiveTime/high */
	bool has_facility;
	struct cda_code facility;
	struct cda_id encounter;
	const char *encounter_stop;

	struct cda_id *orders; /* inFulfillmentOf/order/id */
	size_t order_count;

	/* of the relatedDocument whose typeCode is RPLC, else of the first one */
	const char *parent_type;
	struct cda_id parent_id; /* parentDocument/id */

	/* nonXMLBody/text: @mediaType: level 1; "" for a structured body; @representation; its text */
	const char *media_type, *representation;
	bool body_is_base64;   /* and not empty */
	bool structured;       /* component/structuredBody */
	bool self_presentable; /* inside an xsl:stylesheet */
	bool enveloped;        /* inside a ds:Signature */

	/* SHA-256 of the bytes without what tells one version from the next: the document's own id, setId,
	 * versionNumber, effectiveTime and relatedDocument, each with the blanks before it.
	 */
	bool has_content;
	uint8_t content[SHA256_BYTES];
};

struct cda_limits {
	size_t most_bytes; /* of the document; 0: whatever it is */
	unsigned depth;    /* of elements; 0: 256 */
};

/* Reads `bytes` (a BOM is skipped). Texts and lists live in `arena`. -1: not a CDA, not UTF-8, not
 * well-formed, or too large: REASON_DOCUMENT_INVALID or REASON_TOO_LARGE, err.where holds the
 * element's path when known. What a DMP push needs beyond that is metadata_fill()'s business.
 */
must_use int cda_read(struct cda *cda, struct slice bytes, const struct cda_limits *limits,
		      struct arena *arena, struct err *err);

#endif
