/* What --check-config looks at beyond what the files say: whether this machine lets the service do what they
 * say, as the user that it runs as. A start does not ask it: it tries, and copes.
 *
 * Touches nothing; what it did not look at, it says.
 */
#ifndef DMPFEED_PREFLIGHT_H
#define DMPFEED_PREFLIGHT_H

#include "config.h"

/* Who the unit runs the service as. */
#define PREFLIGHT_USER "dmpfeed"

/* Becomes that user for good, when this is root: files and ports are then looked at as the service will. `user`
 * NULL: that of the unit, where there is one. Appends a line about it to `notes`. -1: err.
 */
must_use int preflight_become(const char *user, struct buf *notes, struct err *err);

/* -1: what is wrong is appended to `errors`, as config_load() does. What was not looked at, to `notes`, a
 * line each.
 */
must_use int preflight_check(const struct config *config, struct buf *errors, struct buf *notes);

#endif
