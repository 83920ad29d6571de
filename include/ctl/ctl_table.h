/* What dmpfeedctl prints in columns. One thread. */
#ifndef DMPFEED_CTL_CTL_TABLE_H
#define DMPFEED_CTL_CTL_TABLE_H

#include <jansson.h>

#include "ctl/ctl_words.h"

/* A member of an object and its title, in English. A list of them ends with an empty one. */
struct ctl_column {
	const char *member, *title;
};

/* An array of objects, one a line under the titles. Columns in which no row has anything are left out, and so is a
 * table of which nothing is left. `heading`: "" for none.
 */
void ctl_table(const char *heading, const json_t *rows, const struct ctl_column *columns);

/* An object, one member a line; those with nothing to show are left out. */
void ctl_members(const json_t *object, const struct ctl_column *columns);

/* For lines that come one by one: adds a member of `row`, blanks after it up to `width` and two more. Width 0: as long
 * as it is, and nothing when it is not there.
 */
void ctl_cell(struct buf *line, const json_t *row, const char *member, int width);

/* Prints the line without the blanks at its end, and empties it. */
void ctl_line(struct buf *line);

#endif
