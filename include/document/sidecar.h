/* The sidecar: the YAML file beside a body (letter.yaml beside letter.pdf) that says what the body
 * does not: whose it is, what it is, who wrote it. conf/examples/sidecar.yaml documents every key.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_SIDECAR_H
#define DMPFEED_DOCUMENT_SIDECAR_H

#include "base/arena.h"
#include "document/ins.h"
#include "document/valueset.h"

enum { SIDECAR_FAULTS = 50 }; /* told of one file; the rest waits until these are mended */

/* Texts are never NULL: "" when the file is silent. Times are in HL7's form, with their zone:
 * YYYYMMDDHHMMSS+ZZZZ, or YYYYMMDD.
 */
struct sidecar_person {
	const char *id; /* PS_IdNat */
	const char *family, *given, *prefix;
	const char *specialty;             /* G15_10/SM26 */
	const char *finess, *organisation; /* both "": the site's own */
};

struct sidecar_patient {
	const char *ins, *ins_oid;
	const char *identity;    /* table 0445: VALI, PROV… */
	const char *id, *id_oid; /* the local one (IPP); both or none */
	const char *family, *given, *given_names;
	const char *sex, *birth_date, *birth_place;
};

struct sidecar_act {
	const char *start, *stop;
	const char *code, *code_system, *code_name;
	const char *practice;
	struct sidecar_person *performer; /* never NULL once read, as those below */
};

struct sidecar_stay {
	const char *class; /* PV1-2 */
	const char *number, *number_oid;
	const char *unit; /* UF */
	const char *start, *stop;
	const char *sector;
};

struct sidecar {
	const char *type, *title, *date;
	const char *confidentiality;
	bool hidden_from_professionals, hidden_from_patient, hidden_from_guardians;
	bool hidden_from_nobody; /* it says so: [] */
	bool secret_connection;  /* a minor's care that the guardians must not hear of at all */
	const char *site;        /* FINESS EG; "": the folder's */
	const char *replaces, *set_id;
	uint64_t version; /* 0: the file is silent */

	struct sidecar_patient *patient;
	struct sidecar_person *author, *legal_authenticator;
	struct sidecar_act *act;
	struct sidecar_stay *stay;

	/* what is wrong with the file, in its order; REASON_…, and where: "line 4, column 8" */
	struct err *faults;
	size_t fault_count;
};

struct sidecar_context {
	const struct valuesets *valuesets;
	enum environment environment;
};

/* Reads the file, and fills in what it may leave out (performer and legal authenticator: the
 * author; start of the act: the date; and so on). -1: it cannot be used; err is the first of the
 * faults. A fault names keys and codes, never a value that may be the patient's.
 */
must_use int sidecar_read(struct sidecar *sidecar, struct slice yaml,
			  const struct sidecar_context *context, struct arena *arena,
			  struct err *err);

/* Each key: "patient.ins", and whether the file must have it. For the example, which a test holds
 * against them.
 */
void sidecar_keys(void (*each)(void *arg, const char *key, bool is_needed), void *arg);

#endif
