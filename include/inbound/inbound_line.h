/* The messages of one connection, in the order in which they came.
 *
 * They are read in parallel, by whoever is free. The writer is given them in their order all the same, for a
 * later one may be about an earlier: the opposition of a patient and a document of theirs, a letter and
 * its new version. Connections do not wait for each other.
 *
 * Loop only.
 */
#ifndef DMPFEED_INBOUND_INBOUND_LINE_H
#define DMPFEED_INBOUND_INBOUND_LINE_H

#include "inbound/inbound_intake.h"

LIST_HEAD(line_list, line);

/* To the end of its connection's line, which is made when there is none. true: nobody is before it, it need
 * not be ready to be handed on.
 */
bool line_join(struct line_list *lines, struct intake *intake);

typedef void line_hand_on_fn(struct intake *intake);

/* It was read, and leaves something to store: calls hand_on() for it and those behind it that waited, or for
 * nobody while another before it is not read yet.
 */
void line_is_ready(struct intake *intake, line_hand_on_fn *hand_on);

/* It is answered, or abandoned (`hand_on` NULL). */
void line_leave(struct intake *intake, line_hand_on_fn *hand_on);

#endif
