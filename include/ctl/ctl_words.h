/* The words of dmpfeedctl: English or French, with nothing in them that a terminal would obey.
 *
 * One thread.
 */
#ifndef DMPFEED_CTL_CTL_WORDS_H
#define DMPFEED_CTL_CTL_WORDS_H

#include "base/buf.h"

/* From LC_ALL, LC_MESSAGES, LANG. Call it first. */
void ctl_choose_language(void);
bool ctl_is_french(void);
const char *ctl_language(void); /* "en", "fr" */

/* One of our own words or sentences in the language of the user. */
const char *ctl_say(const char *english);

/* "dmpfeedctl: what: about" and an advice, on stderr; "" leaves `about` or the advice out. Returns
 * `code`.
 */
int ctl_complain(int code, const char *what, const char *about, const char *advice);

/* Appends a text of somebody else's. Control characters become what JSON writes for them; `kept` is the one
 * that is ours ('\0': none).
 */
void ctl_add_clean(struct buf *out, const char *text, char kept);

#endif
