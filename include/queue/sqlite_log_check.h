/* Whether the log of a database still holds all that was synced into it. Inside queue/ only. */
#ifndef DMPFEED_QUEUE_SQLITE_LOG_CHECK_H
#define DMPFEED_QUEUE_SQLITE_LOG_CHECK_H

#include "base/err.h"

/* Before the database is opened, which would forget what stands behind the damage. No log, or one that a kill
 * or a power cut left, is whole. -1: it is not, or could not be read; nothing was touched. Any thread.
 */
must_use int sqlite_log_check(const char *database_path, struct err *err);

#endif
