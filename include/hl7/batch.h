/* A file of several HL7 v2 messages (HL7 2.5, 2.10.3): [FHS] { [BHS] { message } [BTS] } [FTS].
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_BATCH_H
#define DMPFEED_HL7_BATCH_H

#include "base/arena.h"

enum { HL7_BATCH_MOST = 10000 }; /* messages in one file */

/* Does `text` begin, after a BOM and blank lines, with FHS or BHS? */
bool hl7_is_batch(struct slice text);

/* Cuts a batch file into its messages: the list lives in `arena`, the messages are `text`'s own
 * bytes, each for hl7_parse(). Lines may end with CR, LF or CRLF. -1: no message is to be taken
 * from the file, since it is cut short or put together wrongly: a header without its trailer, a
 * count in BTS-1 or FTS-1 that is not that of the messages or batches, a segment outside any
 * message, no message at all or too many.
 */
must_use int hl7_batch_cut(struct slice text, struct slice **ret_messages, size_t *ret_count,
			   struct arena *arena, struct err *err);

#endif
