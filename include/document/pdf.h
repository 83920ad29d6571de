/* What a PDF says of itself: is it encrypted, does it claim to be PDF/A. Looks at a few places, in
 * time that grows with the file and no faster; renders nothing. Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_PDF_H
#define DMPFEED_DOCUMENT_PDF_H

#include "base/buf.h"

struct pdf {
	bool encrypted;
	/* what its XMP claims: 1 and 'B' for PDF/A-1b; 0: nothing, or nowhere where PDF/A allows it
	 */
	unsigned pdfa_part;
	char pdfa_conformance;
};

/* Does a PDF begin here? Some producers put a few bytes before it. */
bool pdf_begins(struct slice bytes);

/* Does it end as one? Of what was cut off, Ghostscript makes pages that lack something. */
bool pdf_ends(struct slice bytes);

/* `bytes` begin as a PDF. */
struct pdf pdf_look(struct slice bytes);

/* PDF/A-1, a or b, and not encrypted. */
bool pdf_is_pdfa_1(const struct pdf *pdf);

#endif
