/* The journal: one line per thing that happened, on stderr, where systemd picks it up.
 *
 * A line is "<severity>event key=value …" with the document's id first when there is one. Control
 * characters are escaped, so that nothing from outside can forge a line; never patient data. Error:
 * a human must act. Warning: we are coping. Info: a document moved on. Debug: the rest. Any thread:
 * a line is one write(). base/, the pure folders and queue/ never log: who ends the story does.
 */
#ifndef DMPFEED_BASE_LOG_H
#define DMPFEED_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level {
	LEVEL_ERROR = 3,
	LEVEL_WARNING = 4,
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7
}; /* syslog's numbers (RFC 5424) */

void log_set_level(enum log_level level); /* at start, before threads */
bool log_wants(enum log_level level);

/* For what may happen again and again: true when it was not told for a minute. *logged_ms, 0 at
 * first, is the caller's.
 */
bool log_may_repeat(int64_t *logged_ms, int64_t now_ms);

void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);

#define log_error(...) log_line(LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LEVEL_DEBUG, __VA_ARGS__)

#endif
