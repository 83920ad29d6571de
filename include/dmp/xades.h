/* The signature of a submission set, a document of its own beside those it is about: IHE DSG, in
 * XAdES 1.1.1 as the DMP's own example has it.
 *
 * Written in canonical form (xmldsig.h); only the clinical document is canonicalised. Pure. Any
 * thread, after cda_start() of document/cda.h.
 */
#ifndef DMPFEED_DMP_XADES_H
#define DMPFEED_DMP_XADES_H

#include "dmp/xmldsig.h"

struct xades_settings {
	enum digest_kind digest;
	bool full_chain; /* name every certificate up to the root, or the leaf alone */
};

struct xades {
	const struct xades_settings *settings;
	const char *unique_id; /* of the signature, an OID */
	const char *set_unique_id;
	const char *document_unique_id;
	struct slice document;
	int64_t now_ms; /* SigningTime */
};

/* Appends the file. -1: the document has no canonical form (ERR_REJECT), or it cannot be signed
 * (ERR_HALT).
 */
must_use int xades_build(const struct xades *xades, struct pen *pen, struct buf *out,
			 struct err *err);

#endif
