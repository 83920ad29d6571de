/* What went wrong: filling a struct err. Any thread. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text cut inside a character ends before it: journal, answers and page want whole UTF-8. */
static void drop_half_character(char *text)
{
	size_t n = strlen(text), first = n, length;
	unsigned char lead;

	while (first > 0 && n - first < 3 && ((unsigned char)text[first - 1] & 0xc0) == 0x80)
		first--;
	if (first == 0)
		return;
	lead = (unsigned char)text[--first];
	length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (n - first < length)
		text[first] = '\0';
}

static void printf_like(5, 0) err_fill(struct err *err, enum err_kind kind, enum reason reason,
				       const char *where, const char *format, va_list arguments)
{
	err->kind = kind;
	err->reason = reason;
	err->quotes = false;
	snprintf(err->where, sizeof(err->where), "%s", where);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	drop_half_character(err->where);
	drop_half_character(err->text);
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	err_fill(err, kind, REASON_NONE, "", format, arguments);
	va_end(arguments);
	return -1;
}

int err_refuse(struct err *err, enum reason reason, const char *where, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	err_fill(err, ERR_REJECT, reason, where, format, arguments);
	va_end(arguments);
	return -1;
}

int err_quotes(struct err *err)
{
	err->quotes = true;
	return -1;
}

const char *err_told(const struct err *err)
{
	return err->quotes ? reason_row(err->reason)->english : err->text;
}

int err_within(struct err *err, const char *format, ...)
{
	char rest[ERR_TEXT];
	va_list arguments;
	size_t n;

	memcpy(rest, err->text, sizeof(rest));
	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	n = strlen(err->text);
	strncat(err->text, ": ", sizeof(err->text) - n - 1);
	n = strlen(err->text);
	strncat(err->text, rest, sizeof(err->text) - n - 1);
	drop_half_character(err->text);
	return -1;
}
