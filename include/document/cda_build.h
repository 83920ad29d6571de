/* A CDA document of level 1 around a body that is no XML: the header of the French "structuration
 * minimale" from a sidecar, and what the site knows. cda_read() and metadata_fill() read it back.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_CDA_BUILD_H
#define DMPFEED_DOCUMENT_CDA_BUILD_H

#include "document/metadata.h"
#include "document/sidecar.h"
#include "document/traits.h"

struct cda_source {
	const struct sidecar *sidecar; /* as sidecar_read() took it, with the same value sets */
	const struct metadata_site *site;
	const struct valuesets *valuesets;
	const char *unique_id, *set_id;
	const char *media_type;
	struct slice body;
};

/* Appends the document: the same bytes for the same source. A patient without INS has the local identifier
 * alone.
 */
void cda_build(const struct cda_source *source, struct buf *out);

/* Appends a document that cda_build() built, with another patient: the INS first, the local identifier as
 * it was, and each trait that is said. Everything else stays, byte for byte: it is the same document. -1
 * (ERR_HALT): it was not built here.
 */
must_use int cda_put_patient(struct slice document, const struct traits *traits, struct buf *out,
			     struct err *err);

#endif
