/* Who may ask what over the control socket. Pure.
 *
 * A command that is not in the table is for administrators: one that was forgotten there is noticed,
 * not abused.
 */
#ifndef DMPFEED_OPERATOR_RIGHTS_H
#define DMPFEED_OPERATOR_RIGHTS_H

#include <jansson.h>

#include "control/control.h"

/* `asked`: the whole request; NULL: not one. */
enum control_role rights_needed(const json_t *asked);

#endif
