/* How dmpfeedctl speaks to people: in aligned columns, or as JSON. One thread. */
#ifndef DMPFEED_CTL_CTL_PRINT_H
#define DMPFEED_CTL_CTL_PRINT_H

#include <jansson.h>

#include "ctl/ctl_words.h"

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
void ctl_print_stays(const struct ctl_answer *answer);
void ctl_print_counters(const struct ctl_answer *answer);
void ctl_print_backup(const struct ctl_answer *answer);
void ctl_print_audit(const struct ctl_answer *answer);
void ctl_print_verify(const struct ctl_answer *answer);
void ctl_print_reload(const struct ctl_answer *answer);
void ctl_print_targets(const struct ctl_answer *answer);
void ctl_print_import(const struct ctl_answer *answer);
void ctl_print_export(const struct ctl_answer *answer);
void ctl_print_tail(const struct ctl_answer *answer);
void ctl_print_json_lines(const json_t *rows); /* each on a line of its own */
void ctl_print_json(const json_t *json);

/* An array that comes in parts, `before` of its rows having been printed; then its end. */
void ctl_print_json_part(const json_t *rows, size_t before);
void ctl_print_json_end(size_t count);

/* Adds to `kinds`, an array, how many rows there are of each site and type to which the same would happen. */
void ctl_count_kinds(json_t *kinds, const json_t *rows);
void ctl_print_kinds(json_t *kinds);

#endif
