/* Characters that who reads a text obeys instead of showing them: controls of a terminal (C0, DEL, C1), ends of
 * lines, and what turns the direction of text, so that a line reads otherwise than it is. Pure. Any thread.
 */
#ifndef DMPFEED_BASE_OBEYED_H
#define DMPFEED_BASE_OBEYED_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes of the one at the start of `text` (UTF-8), and which it is; 0: it is none, or text has ended. */
size_t obeyed_at(const char *text, uint32_t *ret_code);

#endif
