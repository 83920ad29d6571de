/* An exchange medium (IHE XDM, ITI TF-2, 3.32): a zip archive that holds, in each folder
 * IHE_XDM/SUBSETnn/, documents and what METADATA.XML says of them (an ebRIM
 * SubmitObjectsRequest). Read whole or not at all: a document that METADATA.XML does not name, or
 * that is not the one it names, makes nobody's word about the others good.
 *
 * Pure. Owned by one thread at a time. cda_start() comes first.
 */
#ifndef DMPFEED_DOCUMENT_XDM_H
#define DMPFEED_DOCUMENT_XDM_H

#include "base/arena.h"
#include "document/unzip.h"

enum { XDM_DOCUMENTS_MOST = 64 };

/* Texts are UTF-8, never NULL: "" when METADATA.XML is silent. */
struct xdm_document {
	const char *name; /* "IHE_XDM/SUBSET01/DOC00001.XML" */
	struct buf bytes;

	const char *unique_id;
	bool masked_from_professionals, invisible_to_patient, invisible_to_guardians;
	const char *restricted;                    /* "R", "V"; NULL: neither */
	const char *patient_ins, *patient_ins_oid; /* its patientId, if that is an INS */
	bool replaces;                             /* an association RPLC begins at it */
	const char *replaced_id; /* the uniqueId of what it replaces, if that is of this medium */

	/* the author of its submission set, if that is a person who has a national number, or one
	 * that the structure gave
	 */
	const char *sender_id, *sender_family, *sender_given;
	bool sender_id_is_internal;
};

struct xdm {
	struct xdm_document documents[XDM_DOCUMENTS_MOST];
	size_t count;
};

/* -1: refused, REASON_DOCUMENT_INVALID or REASON_TOO_LARGE; a document is told by its place. The
 * texts live in `arena`.
 */
must_use int xdm_read(struct xdm *xdm, struct slice bytes, const struct unzip_limits *limits,
		      struct arena *arena, struct err *err);
void xdm_done(struct xdm *xdm);

#endif
