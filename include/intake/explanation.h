/* Why a dropped file was not taken: the text of NAME.error.yaml. Pure. Any thread. */
#ifndef DMPFEED_INTAKE_EXPLANATION_H
#define DMPFEED_INTAKE_EXPLANATION_H

#include "base/buf.h"

/* Appends a YAML document: file, time, and one error with its location, code (table
 * messageErrorCondition, as a message would have been answered), reason, text and what to do.
 */
void explanation_write(const char *file, int64_t now_ms, const struct err *why, struct buf *out);

#endif
