/* What became of a dropped file: the texts of NAME.error.yaml, for a file that was not taken, and
 * of NAME.result.yaml, for a batch that was. YAML; every text is quoted. Pure. Any thread.
 */
#ifndef DMPFEED_INTAKE_EXPLANATION_H
#define DMPFEED_INTAKE_EXPLANATION_H

#include "base/buf.h"

/* File, time, and a list of errors: at least one is to be added. */
void explanation_open(const char *file, int64_t now_ms, struct buf *out);

/* Its location, code (table messageErrorCondition, as a message would have been answered), reason,
 * text and what to do.
 */
void explanation_add(const struct err *why, struct buf *out);

/* File, time, and a list, "messages" or "files": at least one is to be added. */
void result_open(const char *file, int64_t now_ms, const char *list, struct buf *out);

/* Both empty: what follows came in no message. `event` of a message about a patient's identity, which brings no document; "" of another, whose
 * documents are to be added.
 */
void result_add_message(const char *control_id, const char *event, struct buf *out);

/* `known`: it was there already, the same bytes. */
/* Of an exchange medium: a file of it, whose documents follow. */
void result_add_file(const char *name, struct buf *out);

void result_add_document(const char *doc, const char *unique_id, const char *action,
			 const char *state, bool known, struct buf *out);

/* Of the document just added, which was built here: what its later versions share with it. */
void result_add_set(const char *set_id, struct buf *out);

#endif
