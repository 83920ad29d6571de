/* How dmpfeedctl speaks to people: in English or French, in aligned columns, with nothing in them
 * that a terminal would obey. One thread.
 */
#ifndef DMPFEED_CTL_PRINT_H
#define DMPFEED_CTL_PRINT_H

#include <jansson.h>

#include "base/buf.h"

/* From LC_ALL, LC_MESSAGES, LANG. Call it first. */
void ctl_choose_language(void);
const char *ctl_language(void); /* "en", "fr" */

/* One of our own words or sentences in the language of the user. */
const char *ctl_say(const char *english);

/* "dmpfeedctl: what: about" and an advice, on stderr; "" leaves `about` or the advice out. Returns
 * `code`.
 */
int ctl_complain(int code, const char *what, const char *about, const char *advice);

/* What the lines of an answer held under "row", "event" and "metadata": arrays of objects; and under "rest": an
 * object, or NULL.
 */
struct ctl_answer {
	json_t *rows, *events, *metadata, *rest;
};

void ctl_print_status(const struct ctl_answer *answer);
void ctl_print_certificates(const struct ctl_answer *answer);
void ctl_print_list(const struct ctl_answer *answer);
void ctl_print_shape(const struct ctl_answer *answer);
void ctl_print_show(const struct ctl_answer *answer);
void ctl_print_orders(const struct ctl_answer *answer);
void ctl_print_recall(const struct ctl_answer *answer);
void ctl_print_counters(const struct ctl_answer *answer);
void ctl_print_backup(const struct ctl_answer *answer);
void ctl_print_verify(const struct ctl_answer *answer);
void ctl_print_targets(const struct ctl_answer *answer);
void ctl_print_import(const struct ctl_answer *answer);
void ctl_print_tail(const struct ctl_answer *answer);
void ctl_print_json_lines(const json_t *rows); /* each on a line of its own */
void ctl_print_json(const json_t *json);

#endif
