/* What the DMP is told about a document: one internal model, independent of ebRIM, so that another
 * encoder can stand beside the SOAP one. Filled from the CDA first, then the message, then the
 * site's defaults (CI-SIS: mapping of the CDA header to XDS metadata). Kept with the document as
 * JSON, so that what is sent later is what was decided when the document was taken.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_METADATA_H
#define DMPFEED_DOCUMENT_METADATA_H

#include "document/cda.h"
#include "document/ins.h"
#include "document/valueset.h"

enum action { ACTION_SUBMIT, ACTION_REPLACE, ACTION_DELETE };

/* "submit", "replace", "delete" */
const char *action_text(enum action action);

/* Where a value came from. */
enum metadata_source {
	FROM_NOWHERE,  /* there is no value */
	FROM_DOCUMENT, /* its header */
	FROM_MESSAGE,  /* what brought it */
	FROM_SITE,     /* the configuration */
	FROM_RULE,     /* a table or a rule made it of other values */
	SOURCE_COUNT
};

/* "", "document", "message", "site", "rule" */
const char *metadata_source_text(enum metadata_source source);

/* By the names of the members of struct metadata. */
struct metadata_from {
	enum metadata_source action, unique_id, replaces, patient_ins, source_patient_id,
		patient_traits, title, language, mime_type, creation_ms, service_start_ms,
		service_stop_ms, type, class, format, facility, practice, content_type,
		confidentialities, /* of the first one; of those that hide: */
		visibility, events, authors, legal_authenticator, sender, site;
};

struct coded {
	const char *code, *system, *display;
};

/* Who wrote, signed or asked: a person, or a system. Texts are never NULL. What stands inside an
 * XCN, XON or CX value (names, displays, identifiers) holds none of ^ & | ~, which have no escape
 * there.
 */
struct party {
	const char *id;      /* national id (PS_IdNat), or internal */
	const char *ins_oid; /* the patient is who wrote or signed: domain of `id`, an INS; "" */
	const char *family, *given; /* of a system: its name and its model */
	bool is_system;
	bool id_is_internal; /* EI rather than IDNPS */
	const char *role;
	struct coded specialty;
	const char *institution_name, *institution_id; /* Struct_IdNat: '1' + FINESS */
};

struct metadata {
	enum action action;
	const char *unique_id; /* an OID: the CDA's id */
	const char *replaces; /* unique id of the predecessor, "root^extension" if it has one; "" */
	const char *patient_ins, *patient_ins_oid;
	/* the IPP; the INS when there is none */
	const char *source_patient_id, *source_patient_oid;
	bool source_patient_is_ins;
	/* at birth, without ^ & | ~; YYYYMMDD; M, F or U */
	const char *patient_family, *patient_given, *patient_birth_date, *patient_sex;

	const char *title, *language, *mime_type;               /* title: 128 characters at most */
	int64_t creation_ms, service_start_ms, service_stop_ms; /* service_stop_ms 0: unknown */

	struct coded type, class, format, facility, practice, content_type;
	struct coded *confidentialities;
	size_t confidentiality_count;
	bool secret_connection; /* who asks says so in the VIHF (EX_0.1-1100) */
	struct coded *events;   /* eventCodeList, without repetitions */
	size_t event_count;

	struct party *authors;
	size_t author_count;
	struct party legal_authenticator;
	struct party sender; /* author of the submission set: the one who asks */

	const char *site; /* FINESS EG */

	struct metadata_from from;
};

/* What the site says where document and message are silent. */
struct metadata_site {
	const char *finess_eg, *name;
	const char *sector; /* SAnn: healthcareFacilityTypeCode by default */
	const char *lps_name, *lps_model, *lps_internal_id; /* the sender when no person asks */
	const char *default_visit_class; /* PV1-2 of a document without message; "" or NULL: I */
};

/* What the message adds (all of it absent for a document from a folder). Texts are never NULL. */
struct metadata_request {
	bool masked_from_professionals, invisible_to_patient, invisible_to_guardians;
	const char *restricted;  /* "R", "V", though the document may say less; NULL: neither */
	bool secret_connection;  /* a minor's care that the guardians must not hear of at all */
	bool visibility_changes; /* what it says of that is the last word: no policy of the site's */
	const char *visit_class;                              /* PV1-2 */
	const char *sender_id, *sender_family, *sender_given; /* PRT SB */
	bool sender_id_is_internal;
	/* PID: the document must be about the same patient; "" is not compared */
	const char *patient_ins, *patient_ins_oid, *patient_birth_date, *patient_sex;
};

struct metadata_context {
	const struct valuesets *valuesets;
	const struct metadata_site *site;
	const struct metadata_request *request;
	enum environment environment;
	bool hide_from_patient;          /* the site wants it, beside what the request says */
	bool allow_masked_and_invisible; /* the DMP's parameter cumul-invisible_patient-masque_ps */
	const char *ins_oids;  /* domains of INS that are taken, separated by blanks; NULL or "":
				  those of the environment */
	const char *local_oid; /* the domain of the IPP; NULL or "": the first that is local */
	bool few_traits;       /* family name and birth date are enough */
	bool may_lack_ins;     /* it waits for one: it goes with another, or not at all */
	bool system_sends;     /* the software of the site asks, whoever the message names */
};

/* Decides. -1: the document cannot go (ERR_REJECT), with its reason and the element at fault. Texts
 * come from `arena` or, unchanged, from `cda`; nothing of the context is borrowed.
 */
must_use int metadata_fill(struct metadata *metadata, const struct cda *cda,
			   const struct metadata_context *context, struct arena *arena,
			   struct err *err);

/* To and from the form kept with the document: a JSON object whose members are named as those of
 * the struct. Reading refuses anything that metadata_fill() of this or an earlier gateway cannot have
 * made (ERR_HALT: the store is damaged); a member that an earlier one did not have is empty.
 */
void metadata_write(const struct metadata *metadata, struct buf *out);
/* And, to `same`, what it would be if nothing in it told a version from the next: no ids, no time of
 * creation, a submission. */
void metadata_write_with_same(const struct metadata *metadata, struct buf *out, struct buf *same);
must_use int metadata_parse(struct metadata *metadata, struct slice json, struct arena *arena,
			    struct err *err);

/* For people: each value in words, and where it came from. `value` is "" when there is none, and
 * NULL when it would tell who the patient is.
 */
void metadata_tell(const struct metadata *metadata,
		   void (*each)(void *arg, const char *name, const char *value,
				enum metadata_source from),
		   void *arg);

#endif
