/* The journal: one write() or one datagram a line, so that lines of several threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/journal.h"
#include "base/log_entry.h"
#include "base/log_text.h"

enum { LINE = 2048, AGAIN_MS = 60000 };

/* A reload may change them while other threads log. */
static _Atomic enum log_level wanted = LEVEL_INFO;
static _Atomic uint64_t burst;
static _Atomic int64_t interval_ms;

static int journal = -1;
static const char *journal_path;
static _Atomic uint64_t left_out, lost; /* since the start */

static _Thread_local struct flood flood;
static _Thread_local int64_t patience_ms = JOURNAL_PATIENCE_MS;
static _Thread_local uint64_t lost_untold;

void log_start(const char *path)
{
	if (journal >= 0)
		close(journal);
	journal_path = path;
	journal = journal_is_behind(STDERR_FILENO, getenv("JOURNAL_STREAM")) ? journal_connect(path)
									     : -1;
}

void log_set_level(enum log_level level)
{
	wanted = level;
}

void log_limit(const struct flood_limit *limit)
{
	burst = limit->burst;
	interval_ms = limit->interval_ms;
}

struct log_figures log_figures(void)
{
	return (struct log_figures){ left_out, lost };
}

bool log_wants(enum log_level level)
{
	return level <= wanted;
}

bool log_may_repeat(int64_t *logged_ms, int64_t now_ms)
{
	if (*logged_ms != 0 && now_ms - *logged_ms < AGAIN_MS)
		return false;
	*logged_ms = now_ms;
	return true;
}

/* sd-daemon(3): the severity in front, which journald reads. The journal's own socket is not waited
 * for here either.
 */
static bool write_to_stderr(enum log_level level, const char *text)
{
	char line[LINE + 8];
	const int n = snprintf(line, sizeof(line), "<%d>%s\n", (int)level, text);

	if (journal < 0)
		return write(STDERR_FILENO, line, (size_t)n) >= 0;
	return send(STDERR_FILENO, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Gone: its socket was made anew. While that lasts, systemd keeps the other end of standard error. */
static bool write_to_journal(enum log_level level, const char *text)
{
	scoped(buf_done) struct buf entry = { 0 };
	enum journal_answer answer;

	log_entry((int)level, slice_of(text), &entry);
	answer = journal_send(journal, buf_slice(&entry), &patience_ms);
	if (answer == JOURNAL_IS_GONE && journal_connect_again(journal, journal_path))
		answer = journal_send(journal, buf_slice(&entry), &patience_ms);
	return answer == JOURNAL_TOOK ||
	       (answer == JOURNAL_IS_GONE && write_to_stderr(level, text));
}

static bool write_line(enum log_level level, const char *text)
{
	return journal >= 0 ? write_to_journal(level, text) : write_to_stderr(level, text);
}

static void tell_lost(void)
{
	char text[64];

	snprintf(text, sizeof(text), "lost=%ju: the journal did not take them",
		 (uintmax_t)lost_untold);
	if (write_line(LEVEL_WARNING, text))
		lost_untold = 0;
}

static void tell(enum log_level level, const char *text)
{
	if (lost_untold > 0)
		tell_lost();
	if (write_line(level, text))
		return;
	lost_untold++;
	lost++;
}

/* They matter as much as those that they stand for: who looks for errors only sees that there are more. */
static void tell_left_out(bool at_once)
{
	const struct flood_limit limit = { burst, interval_ms };
	const int64_t now_ms = clock_monotonic_ms();
	struct flood_told told;
	char text[LINE];

	while (flood_next(&flood, &limit, at_once, now_ms, &told)) {
		snprintf(text, sizeof(text), "left_out=%ju: %ju more like this in %jd s: %s",
			 (uintmax_t)told.left_out, (uintmax_t)told.left_out,
			 (intmax_t)max((told.within_ms + 999) / 1000, (int64_t)1), told.last);
		tell((enum log_level)told.level, text);
	}
}

void log_tell_left_out(void)
{
	tell_left_out(false);
}

void log_end(void)
{
	tell_left_out(true);
}

void log_line(enum log_level level, const char *format, ...)
{
	const struct flood_limit limit = { burst, interval_ms };
	char raw[LINE + 8], text[LINE]; /* the longer is cut by log_text(), which says so */
	va_list arguments;

	if (!log_wants(level))
		return;
	va_start(arguments, format);
	vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	log_text(raw, text, sizeof(text));
	tell_left_out(false);
	if (flood_lets_pass(&flood, &limit, format, (int)level, text, clock_monotonic_ms()))
		tell(level, text);
	else
		left_out++;
}
