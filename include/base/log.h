/* The journal: one line per thing that happened.
 *
 * Where systemd connected standard error to the journal, a line goes to journald as an entry with a field for each
 * key=value of it; elsewhere to standard error, as "<severity>event key=value …". The document's id comes first when
 * there is one. Nothing from outside can forge a line (log_text.h); never patient data. Error: a human must act.
 * Warning: we are coping. Info: a document moved on. Debug: the rest. base/, the pure folders and queue/ never log:
 * who ends the story does.
 *
 * Any thread. Of lines from one place that matter alike so many are written in an interval, and
 * then one that says how many were left out (flood.h): each thread measures its own, since nobody
 * but the loop has much to say. journald is waited for a tenth of a second in all; what it then
 * does not take is lost, and counted. Standard error that is not the journal's waits as any file
 * does.
 */
#ifndef DMPFEED_BASE_LOG_H
#define DMPFEED_BASE_LOG_H

#include "base/flood.h"

enum log_level {
	LEVEL_ERROR = 3,
	LEVEL_WARNING = 4,
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7
}; /* syslog's numbers (RFC 5424) */

/* At start, before threads: where lines go. `journal` is JOURNAL_SOCKET. */
void log_start(const char *journal);

void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* At first there is no limit. */
void log_limit(const struct flood_limit *limit);

/* Tells what this thread left out, as far as the interval is over: from time to time; at the end, all of it. */
void log_tell_left_out(void);
void log_end(void);

/* Lines since the start, of all threads. */
struct log_figures {
	uint64_t left_out; /* as many others like them */
	uint64_t lost;     /* the journal did not take them */
};

struct log_figures log_figures(void);

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
