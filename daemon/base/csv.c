/* Tables that people write. Cut into fields where they stand. Any thread. */
#include "base/csv.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/disk.h"

int csv_refuse(const struct csv *csv, struct err *err, const char *format, ...)
{
	char words[ERR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	return err_set(err, ERR_HALT, "%s:%u: %s", csv->path, csv->line, words);
}

/* The bytes of the character that begins at p, before `end`; 0: none does (RFC 3629, section 4). */
static size_t character(const unsigned char *p, const unsigned char *end)
{
	static const struct {
		unsigned char from, to, second_from, second_to;
		size_t bytes;
	} forms[] = {
		{ 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < length_of(forms); i++) {
		size_t n = forms[i].bytes;

		if (*p < forms[i].from || *p > forms[i].to)
			continue;
		if (n > (size_t)(end - p) ||
		    (n > 1 && (p[1] < forms[i].second_from || p[1] > forms[i].second_to)))
			return 0;
		for (size_t j = 2; j < n; j++)
			if (p[j] < 0x80 || p[j] > 0xbf)
				return 0;
		return n;
	}
	return 0;
}

static bool is_text(struct slice bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p, *end = p + bytes.n;
	size_t n = 1;

	while (p < end && (n = character(p, end)) > 0)
		p += n;
	return n > 0;
}

/* Unwraps a quoted field, up to the quote that closes it; "" stands for one quote. */
static int take_quoted(struct csv *csv, char **ret_end, struct err *err)
{
	char *from = csv->p + 1, *to = csv->p;

	while (*from != '"' || from[1] == '"') {
		if (*from == '\0')
			return csv_refuse(csv, err, "a quoted field is not closed");
		if (*from == '\n')
			csv->next_line++;
		if (*from == '"')
			from++;
		*to++ = *from++;
	}
	*ret_end = to;
	csv->p = from + 1;
	return 0;
}

/* The next field of a record. *ret_last: the record ends with it. */
static int take_field(struct csv *csv, const char **ret_field, bool *ret_last, struct err *err)
{
	char *start = csv->p, *end = csv->p, separator;

	if (*csv->p == '"') {
		if (take_quoted(csv, &end, err) < 0)
			return -1;
	} else {
		csv->p += strcspn(csv->p, (const char[]){ csv->separator, '"', '\r', '\n', '\0' });
		end = csv->p;
	}
	if (csv->p[0] == '\r' && csv->p[1] == '\n')
		csv->p++;
	separator = *csv->p;
	if (separator != csv->separator && separator != '\n' && separator != '\0')
		return csv_refuse(csv, err,
				  "a quote stands inside a field, or text behind a quoted one");
	if (separator == '\n')
		csv->next_line++;
	if (separator != '\0')
		csv->p++;
	*end = '\0';
	*ret_field = start;
	*ret_last = separator != csv->separator;
	return 0;
}

static void skip_comments(struct csv *csv)
{
	while (*csv->p == '#' || *csv->p == '\n' || (csv->p[0] == '\r' && csv->p[1] == '\n')) {
		csv->p += strcspn(csv->p, "\n");
		if (*csv->p == '\n')
			csv->p++;
		csv->next_line++;
	}
}

/* 1: a record, 0: the end of the text. */
static int take_record(struct csv *csv, struct err *err)
{
	bool last = false;

	skip_comments(csv);
	csv->line = csv->next_line;
	if (*csv->p == '\0')
		return 0;
	for (csv->field_count = 0; !last; csv->field_count++) {
		if (csv->field_count == CSV_COLUMNS)
			return csv_refuse(csv, err, "there are more than %d columns", CSV_COLUMNS);
		if (take_field(csv, &csv->fields[csv->field_count], &last, err) < 0)
			return -1;
	}
	return 1;
}

static size_t lines_of(struct slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static int parse(struct csv *csv, const char *path, struct slice bytes, struct arena *arena,
		 bool is_sheet, struct err *err)
{
	int rc;

	*csv = (struct csv){ .path = arena_dup(arena, slice_of(path)),
			     .next_line = 1,
			     .separator = ',' };
	if (bytes.n > CSV_BYTES)
		return err_set(err, ERR_HALT, "%s: larger than 1 MiB", path);
	if (!is_text(bytes))
		return err_set(err, ERR_HALT, "%s: not text in UTF-8", path);
	if (slice_starts(bytes, "\xef\xbb\xbf"))
		bytes = slice_from(bytes, 3); /* spreadsheets write a BOM */
	csv->most_records = lines_of(bytes);
	csv->p = arena_dup(arena, bytes);
	csv->head.p = csv->p;
	skip_comments(csv);
	csv->head.n = (size_t)(csv->p - csv->head.p);
	if (is_sheet && csv->p[strcspn(csv->p, ",;\n")] == ';')
		csv->separator = ';';
	rc = take_record(csv, err);
	if (rc <= 0)
		return rc < 0 ? -1 : csv_refuse(csv, err, "the file is empty");
	csv->width = csv->field_count;
	return 0;
}

int csv_parse(struct csv *csv, const char *path, struct slice bytes, struct arena *arena,
	      struct err *err)
{
	return parse(csv, path, bytes, arena, false, err);
}

int csv_parse_sheet(struct csv *csv, const char *path, struct slice bytes, struct arena *arena,
		    struct err *err)
{
	return parse(csv, path, bytes, arena, true, err);
}

int csv_open(struct csv *csv, const char *path, struct arena *arena, struct err *err)
{
	scoped(buf_done) struct buf bytes = { 0 };
	const int failed = disk_read(path, CSV_BYTES, &bytes);

	if (failed)
		return err_set(err, ERR_HALT, "%s: %s", path, strerror(failed));
	return csv_parse(csv, path, buf_slice(&bytes), arena, err);
}

int csv_column(const struct csv *csv, const char *name, int *ret_column, struct err *err)
{
	for (size_t i = 0; i < csv->field_count; i++)
		if (strcmp(csv->fields[i], name) == 0) {
			*ret_column = (int)i;
			return 0;
		}
	return csv_refuse(csv, err, "there is no column \"%s\" (columns are separated by %s)", name,
			  csv->separator == ',' ? "commas" : "semicolons");
}

const char *csv_note(const struct csv *csv, const char *name, struct arena *arena)
{
	struct slice rest = csv->head, line, key;

	while (slice_next(&rest, '\n', &line)) {
		if (!slice_starts(line, "#"))
			continue;
		line = slice_from(line, 1);
		if (slice_next(&line, ':', &key) && line.p != NULL &&
		    slice_is(slice_trim(key), name))
			return arena_dup(arena, slice_trim(line));
	}
	return "";
}

int csv_next(struct csv *csv, struct err *err)
{
	int rc = take_record(csv, err);

	csv->goes_on = rc > 0;
	if (rc > 0 && csv->field_count != csv->width)
		return csv_refuse(csv, err, "%zu fields under %zu columns", csv->field_count,
				  csv->width);
	return rc;
}
