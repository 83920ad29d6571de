/* MLLP framing: <VT> payload <FS><CR> (HL7 v2, Transport Specification: MLLP, Release 1).
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_MLLP_H
#define DMPFEED_HL7_MLLP_H

#include "base/buf.h"

#define MLLP_VT '\x0b'
#define MLLP_FS '\x1c'
#define MLLP_CR '\x0d'

/* How many bytes stand before the first VT of `in`: stray bytes, which the standard forbids and
 * real senders send. The caller drops and counts them.
 */
size_t mllp_stray(struct slice in);

/* Looks for one frame at the start of `in`, whose first byte is a VT.
 *   > 0  bytes consumed; *ret_payload points into `in`; *seen is 0 again, for the next frame
 *   = 0  not complete yet: call again with more; *seen (0 at first) spares a second look at the
 *        same bytes
 *   < 0  this is not MLLP (a VT inside the payload, a FS without CR): err says why
 */
must_use ssize_t mllp_next(struct slice in, size_t *seen, struct slice *ret_payload,
			   struct err *err);

/* Appends the frame around `payload`. */
void mllp_wrap(struct slice payload, struct buf *out);

#endif
