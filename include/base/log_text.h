/* What may stand in a line of the journal: nothing from outside can begin a line, drive a terminal, or pass for a
 * key of ours. Pure. Any thread.
 */
#ifndef DMPFEED_BASE_LOG_TEXT_H
#define DMPFEED_BASE_LOG_TEXT_H

#include "base/buf.h"

/* `text` as one line of UTF-8: control characters and bytes that are not UTF-8 become \n, \t, \r or \x1b, as in C.
 * What does not fit into `room` (at least 8) is cut between two characters, and … says so.
 */
const char *log_text(const char *text, char *out, size_t room);

enum { LOG_WORD = 256 };

/* The same, and blanks become \x20: a value from outside stays one value. */
const char *log_word(const char *text, char out[static LOG_WORD]);

#endif
