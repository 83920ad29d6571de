/* The files that dmpfeedctl writes out of what the daemon tells: under their names once all of them are whole,
 * each beside a file (.meta.json) that says what is in it. They belong to whoever asks. One thread.
 */
#ifndef DMPFEED_CTL_CTL_EXPORT_H
#define DMPFEED_CTL_CTL_EXPORT_H

#include <jansson.h>
#include <stdbool.h>

struct ctl_export;

/* The folder is made if it is not there. NULL: it was complained about. */
struct ctl_export *ctl_export_new(const char *folder);

/* Adds pieces, as an answer has them in its rows. false: it was complained about. */
bool ctl_export_take(struct ctl_export *export, const json_t *rows);

/* That was all: an array of what was written, which the caller owns; NULL: it was complained about. */
json_t *ctl_export_end(struct ctl_export *export);

/* What was not ended leaves nothing behind. */
void ctl_export_free(struct ctl_export **export);

#endif
