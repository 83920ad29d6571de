/* How the characters of an HL7 v2 message are written: MSH-18 says it, real files say it wrong, and
 * the bytes decide (ANS profile: UNICODE UTF-8 or 8859/15).
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_CHARSET_H
#define DMPFEED_HL7_CHARSET_H

#include "base/buf.h"

enum hl7_charset { HL7_UTF_8, HL7_8859_15 };

/* How to read `text`, whose MSH-18 is `declared`. *ret_corrected: the bytes are valid UTF-8 though
 * MSH-18 says otherwise. -1 (REASON_DATA_TYPE, MSH-18): they are neither what it says nor UTF-8, or
 * 8859/1 with one of the eight bytes that 8859/15 reads differently.
 */
must_use int charset_choose(struct slice declared, struct slice text, enum hl7_charset *ret_charset,
			    bool *ret_corrected, struct err *err);

bool charset_is_utf8(struct slice bytes);

/* Appends `bytes` as UTF-8 that XML may hold: broken sequences and control characters other than
 * tab and line ends become U+FFFD.
 */
void charset_to_utf8(struct slice bytes, enum hl7_charset charset, struct buf *out);

/* The first `most` characters of `utf8`, which is valid. */
struct slice charset_cut(struct slice utf8, size_t most);

#endif
