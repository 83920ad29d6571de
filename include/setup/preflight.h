/* What --check-config looks at beyond what the files say: whether this machine lets the service do what they
 * say, as the user that it runs as. A start does not ask it: it tries, and copes.
 *
 * Touches nothing; what it did not look at, it says.
 */
#ifndef DMPFEED_SETUP_PREFLIGHT_H
#define DMPFEED_SETUP_PREFLIGHT_H

#include "config.h"

/* Becomes that user for good: files and ports are then looked at as the service will. `user` NULL: when root asks
 * about a file of the service's own folder, the user of the unit, where there is one; else nobody. Appends a line
 * about it to `notes`. -1: err.
 */
must_use int preflight_become(const char *user, const char *file, struct buf *notes,
			      struct err *err);

/* -1: what is wrong is appended to `errors`, as config_load() does. What was not looked at, to `notes`, a
 * line each; and that the zone of the process is not that of Paris, when it is not.
 */
must_use int preflight_check(const struct config *config, struct buf *errors, struct buf *notes);

#endif
