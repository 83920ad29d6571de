/* A file on its way in: what is in it, and the words that are left beside it.
 *
 * Disk worker.
 */
#ifndef DMPFEED_INBOUND_INBOUND_FILE_H
#define DMPFEED_INBOUND_INBOUND_FILE_H

#include "inbound/inbound_intake.h"

/* Reads a file whole, or a body with its sidecar, and decides. What is wrong goes to
 * intake->err and to the parts.
 */
void inbound_read_file(struct intake *intake, const struct decision_settings *settings);

/* What is told beside the file, NAME.error.yaml or NAME.result.yaml; nothing where a file that
 * was taken needs no words.
 */
void inbound_explain(const struct intake *intake, int64_t now_ms, struct buf *out);

#endif
