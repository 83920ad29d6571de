/* Tables for spreadsheets. Pure. */
#include "status/sheet.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>

#include "base/clock.h"

static struct buf *begin_cell(struct sheet *sheet)
{
	if (sheet->is_within)
		buf_add_char(sheet->out, ';');
	sheet->is_within = true;
	return sheet->out;
}

static void add_quoted(const char *text, struct buf *out)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void add_plain(const char *text, struct buf *out)
{
	if (strpbrk(text, ";,\"\r\n\t") != NULL)
		add_quoted(text, out);
	else
		buf_add_text(out, text);
}

static bool looks_like_a_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
}

void sheet_begin(const struct sheet *sheet, const char *const *columns)
{
	buf_add_text(sheet->out, "\xef\xbb\xbf");
	for (size_t i = 0; columns[i] != NULL; i++)
		buf_addf(sheet->out, "%s%s", i ? ";" : "", columns[i]);
	buf_add_text(sheet->out, "\r\n");
}

/* What is not UTF-8 reads as '?', so that the rest of the file stays what it says it is. */
static void make_utf8(char *text)
{
	json_t *valid = json_string(text);

	for (char *c = text; valid == NULL && *c; c++)
		if ((unsigned char)*c > 0x7f)
			*c = '?';
	json_decref(valid);
}

static char *make_safe(const char *text)
{
	char *safe = xasprintf("%s%s", looks_like_a_formula(text) ? "'" : "", text);

	make_utf8(safe);
	return safe;
}

void sheet_text(struct sheet *sheet, const char *text)
{
	scoped(free_ptr) char *safe = make_safe(text);

	add_plain(safe, begin_cell(sheet));
}

void sheet_word(struct sheet *sheet, const char *word)
{
	add_plain(word, begin_cell(sheet));
}

void sheet_code(struct sheet *sheet, const char *code)
{
	scoped(free_ptr) char *safe = make_safe(code);

	add_quoted(safe, begin_cell(sheet));
}

void sheet_number(struct sheet *sheet, int64_t number)
{
	buf_addf(begin_cell(sheet), "%" PRId64, number);
}

bool sheet_masks(const struct sheet *sheet, int64_t count)
{
	return count > 0 && (uint64_t)count < sheet->least_shown;
}

void sheet_count(struct sheet *sheet, int64_t count)
{
	if (sheet_masks(sheet, count))
		buf_addf(begin_cell(sheet), "<%" PRIu64, sheet->least_shown);
	else
		sheet_number(sheet, count);
}

/* Written with a point whatever the locale of the process: nobody sets one in the daemon. */
void sheet_real(struct sheet *sheet, double real, int digits)
{
	struct buf *out = begin_cell(sheet);
	const size_t start = out->n;

	if (!isfinite(real))
		return;
	buf_addf(out, "%.*f", digits, real);
	for (size_t i = start; i < out->n; i++)
		if (out->p[i] == '.')
			out->p[i] = sheet->decimal;
}

void sheet_time(struct sheet *sheet, int64_t time_ms)
{
	char text[CLOCK_TEXT];

	sheet_word(sheet, time_ms ? clock_iso(time_ms, text) : "");
}

void sheet_day(struct sheet *sheet, int day)
{
	char text[CALENDAR_TEXT];

	sheet_word(sheet, day ? calendar_day_text(day, text) : "");
}

void sheet_month(struct sheet *sheet, int month)
{
	char text[CALENDAR_TEXT];

	sheet_word(sheet, calendar_month_text(month, text));
}

void sheet_none(struct sheet *sheet)
{
	begin_cell(sheet);
}

void sheet_end_line(struct sheet *sheet)
{
	buf_add_text(sheet->out, "\r\n");
	sheet->is_within = false;
}
