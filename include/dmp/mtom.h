/* The MTOM/XOP frame around an envelope and what it carries (W3C MTOM 1.0, XOP 1.0, RFC 2046,
 * RFC 2392).
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_MTOM_H
#define DMPFEED_DMP_MTOM_H

#include "base/buf.h"

enum { MTOM_BOUNDARY = 48 };

/* Content-IDs, without brackets: letters, digits and "@._-" only, so that a cid: URL is the same
 * text (RFC 2392 percent-encodes anything else). */
#define MTOM_ROOT_ID "root@dmpfeed"
#define MTOM_DOCUMENT_ID "document1@dmpfeed"
#define MTOM_SIGNATURE_ID "signature1@dmpfeed"

/* A boundary no part can hold by chance: 128 random bits, given as bytes because chance is an
 * argument. */
const char *mtom_boundary(const uint8_t chance[static 16], char ret_boundary[static MTOM_BOUNDARY]);

/* The value of the HTTP Content-Type header. */
void mtom_content_type(const char *boundary, const char *action, struct buf *out);

/* The frame, in order: the root part's headers, then (by the caller) the envelope, then for each
 * document its part's headers and (by the caller) its bytes, then the end.
 */
void mtom_open_root(const char *boundary, const char *action, struct buf *out);
void mtom_open_part(const char *boundary, const char *content_id, struct buf *out);
void mtom_close(const char *boundary, struct buf *out);

/* The root part of a reply, plain or multipart, by the Content-Type received; *ret_root points into
 * `body`. -1: a frame that is none (ERR_RETRY: a proxy answers).
 */
must_use int mtom_root(struct slice content_type, struct slice body, struct slice *ret_root,
		       struct err *err);

#endif
