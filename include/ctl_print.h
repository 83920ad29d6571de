/* How dmpfeedctl speaks to people: in aligned columns, or as JSON. One thread. */
#ifndef DMPFEED_CTL_PRINT_H
#define DMPFEED_CTL_PRINT_H

#include <jansson.h>

#include "ctl_words.h"

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
