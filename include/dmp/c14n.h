/* The canonical form of a whole document: Canonical XML 1.0, inclusive, with comments (W3C
 * REC-xml-c14n-20010315#WithComments), which is what the signature of a submission digests.
 *
 * Streamed: neither a tree nor the canonical text is held, so that a document of 20 MiB costs no
 * more memory than a small one, and a small one half the time that a tree would take. libxml2
 * parses, no network, no DTD (its mere presence is refused). Pure. Any thread, after cda_start() of
 * document/cda.h.
 */
#ifndef DMPFEED_DMP_C14N_H
#define DMPFEED_DMP_C14N_H

#include "base/codec.h"

/* Gets the canonical text piece by piece, in order. */
typedef void c14n_sink(void *arg, struct slice piece);

/* -1: not in UTF-8, not well-formed, a DTD, a namespace whose name is a relative URI (which has no
 * canonical form), or too deep: REASON_DOCUMENT_INVALID or REASON_TOO_LARGE. What the sink had by then
 * is the start of nothing.
 */
must_use int c14n(struct slice document, c14n_sink *sink, void *arg, struct err *err);

/* The digest of the canonical form; *ret_n: how many bytes of it were filled. */
must_use int c14n_digest(struct slice document, enum digest_kind kind,
			 uint8_t ret_digest[static DIGEST_MOST], size_t *ret_n, struct err *err);

#endif
