/* The journal: one write() a line, so that lines of several threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"

enum { LINE = 2048, AGAIN_MS = 60000 };

static _Atomic enum log_level wanted = LEVEL_INFO; /* a reload may change it */

void log_set_level(enum log_level level)
{
	wanted = level;
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

void log_line(enum log_level level, const char *format, ...)
{
	char text[LINE], line[LINE + 8];
	va_list arguments;
	size_t n;

	if (!log_wants(level))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);

	n = (size_t)snprintf(line, sizeof(line), "<%d>",
			     (int)level); /* sd-daemon(3): the severity that journald reads */
	for (const char *c = text; *c && n < sizeof(line) - 2; c++)
		line[n++] = (unsigned char)*c < ' ' || *c == 0x7f
				    ? '?'
				    : *c; /* nothing from outside may start a line of its own */
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to tell */
}
