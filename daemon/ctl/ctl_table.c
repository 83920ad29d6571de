/* What dmpfeedctl prints in columns. One thread. */
#include "ctl/ctl_table.h"

#include <assert.h>
#include <stdio.h>

/* "" when there is nothing to show. */
static const char *cell_of(const json_t *row, const struct ctl_column *column, struct buf *cell)
{
	const json_t *value = json_object_get(row, column->member);

	buf_clear(cell);
	buf_add_text(cell, "");
	if (json_is_string(value))
		ctl_add_clean(cell, json_string_value(value), '\0');
	else if (json_is_integer(value))
		buf_addf(cell, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_text(cell, ctl_say(json_is_true(value) ? "yes" : "no"));
	return cell->p;
}

/* In UTF-8 the bytes that continue a character take no place. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void add_padded(struct buf *line, const char *text, int width)
{
	buf_addf(line, "%s%*s", text, max(width - width_of(text), 0) + 2, "");
}

void ctl_cell(struct buf *line, const json_t *row, const char *member, int width)
{
	scoped(buf_done) struct buf cell = { 0 };
	const char *text = cell_of(row, &(struct ctl_column){ member, "" }, &cell);

	if (text[0] || width > 0)
		add_padded(line, text, width);
}

void ctl_line(struct buf *line)
{
	while (line->n > 0 && line->p[line->n - 1] == ' ')
		line->p[--line->n] = '\0';
	puts(line->p);
	buf_clear(line);
}

/* 0: no row has anything in it. */
static int column_width(const json_t *rows, const struct ctl_column *column, struct buf *cell)
{
	int width = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		width = max(width, width_of(cell_of(json_array_get(rows, i), column, cell)));
	return width ? max(width, width_of(ctl_say(column->title))) : 0;
}

enum { MOST_COLUMNS = 16 };

void ctl_table(const char *heading, const json_t *rows, const struct ctl_column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int widths[MOST_COLUMNS];

	for (size_t i = 0; columns[i].member; i++) {
		assert(i < MOST_COLUMNS);
		widths[i] = column_width(rows, &columns[i], &cell);
		if (widths[i] > 0)
			add_padded(&line, ctl_say(columns[i].title), widths[i]);
	}
	if (line.n == 0)
		return;
	if (heading[0])
		printf("\n%s\n", ctl_say(heading));
	ctl_line(&line);
	for (size_t row = 0; row < json_array_size(rows); row++) {
		for (size_t i = 0; columns[i].member; i++) {
			const char *text = cell_of(json_array_get(rows, row), &columns[i], &cell);

			if (widths[i] > 0)
				add_padded(&line, text[0] ? text : "-", widths[i]);
		}
		ctl_line(&line);
	}
}

void ctl_members(const json_t *object, const struct ctl_column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int width = 0;

	for (size_t i = 0; columns[i].member; i++)
		width = max(width, width_of(ctl_say(columns[i].title)));
	for (size_t i = 0; columns[i].member; i++) {
		if (cell_of(object, &columns[i], &cell)[0] == '\0')
			continue;
		add_padded(&line, ctl_say(columns[i].title), width);
		buf_add(&line, buf_slice(&cell));
		ctl_line(&line);
	}
}
