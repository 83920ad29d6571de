/* Is each member of a request over the control socket of the kind that its readers want? Pure.
 *
 * One that is of another kind would be read as if it were not there: a site in digits would be no filter, and an order
 * would reach every site.
 */
#ifndef DMPFEED_OPERATOR_MEMBERS_H
#define DMPFEED_OPERATOR_MEMBERS_H

#include <jansson.h>

#include "base/err.h"

/* `asked`: the whole request; NULL: not one. -1 (ERR_REJECT): which member is what, and what it must be, in the language
 * of who asks. A member that nobody reads is not looked at.
 */
must_use int members_check(const json_t *asked, struct err *err);

#endif
