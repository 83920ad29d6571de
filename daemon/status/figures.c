/* Tables of figures. Pure. Any thread. */
#include "status/figures.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/count.h"
#include "base/csv.h"
#include "base/yaml_tree.h"

enum { FINESS = 9, MOST_FAULTS = 100, MOST_CODE = 64, MOST_NUMBER = 40 };
enum column { SITE, NAME, MONTH, NUMBER, COLUMNS };

#define MOST_N INT64_C(1000000000)

struct reader {
	struct csv csv;
	enum figures_of of;
	const struct figures_mapping *mapping;
	struct arena *arena;
	struct buf *errors;
	size_t faults;
	int columns[COLUMNS];
};

/* ---- what is wrong ---- */

/* What is quoted comes from the file: nothing of it may start a line of its own. */
static void add_line(struct reader *reader, const char *sentence)
{
	if (reader->faults++ >= MOST_FAULTS)
		return;
	for (; *sentence; sentence++)
		buf_add_char(reader->errors,
			     (unsigned char)*sentence < ' ' || *sentence == 0x7f ? '?' : *sentence);
	buf_add_char(reader->errors, '\n');
}

static void complain(struct reader *reader, const char *format, ...) printf_like(2, 3);

static void complain(struct reader *reader, const char *format, ...)
{
	char words[ERR_TEXT];
	struct err err;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	csv_refuse(&reader->csv, &err, "%s", words);
	add_line(reader, err.text);
}

static const char *column_name(const struct reader *reader, enum column column)
{
	const char *const names[COLUMNS] = { "finess_eg",
					     reader->of == FIGURES_BY_FIELD ? "champ" : "type_code",
					     "month", "n" };
	const char *theirs = reader->mapping ? reader->mapping->columns[column] : NULL;

	return theirs != NULL ? theirs : names[column];
}

/* ---- fields ---- */

static bool is_finess(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		      (i == 1 && (text.p[i] == 'A' || text.p[i] == 'B'))))
			return false;
	return text.n == FINESS;
}

/* Fewer digits: a spreadsheet took it for a number. */
static bool has_lost_zeros(struct slice text)
{
	uint64_t number;

	return text.n < FINESS && slice_to_u64(text, 999999999, &number);
}

static bool read_site(struct reader *reader, struct slice text, const char **ret_site)
{
	*ret_site = text.p;
	if (is_finess(text))
		return true;
	if (has_lost_zeros(text))
		complain(reader,
			 "%s: \"%s\" has lost the zeros at its beginning: format the column as "
			 "text",
			 column_name(reader, SITE), text.p);
	else
		complain(reader, "%s: \"%.40s\" is no FINESS of nine characters",
			 column_name(reader, SITE), text.p);
	return false;
}

static bool is_code(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		      (text.p[i] >= 'A' && text.p[i] <= 'Z') ||
		      (text.p[i] >= 'a' && text.p[i] <= 'z') || strchr("-_.", text.p[i]) != NULL))
			return false;
	return text.n > 0 && text.n <= MOST_CODE;
}

static bool read_name(struct reader *reader, struct slice text, const char **ret_name)
{
	const struct figures_mapping *mapping = reader->mapping;

	*ret_name = text.p;
	if (reader->of == FIGURES_BY_FIELD) {
		if (count_field_is_known(text))
			return true;
		complain(reader, "%s: \"%.40s\" is none of MCO, SMR, PSY, HAD, DIALYSE, EHPAD",
			 column_name(reader, NAME), text.p);
		return false;
	}
	for (size_t i = 0; mapping != NULL && i < mapping->type_count; i++)
		if (slice_is(text, mapping->types[i].theirs)) {
			*ret_name = mapping->types[i].code;
			return true;
		}
	if (is_code(text))
		return true;
	complain(reader,
		 "%s: \"%.40s\" is no code of a document type: say in a mapping which it "
		 "means",
		 column_name(reader, NAME), text.p);
	return false;
}

/* 2026-11, 2026-11-30, 202611, 11/2026. */
static bool read_month(struct reader *reader, struct slice text, int *ret_month)
{
	char day[sizeof("YYYY-MM-DD")] = "";
	int parsed;

	if (text.n == strlen("YYYYMM") && memchr(text.p, '/', text.n) == NULL)
		snprintf(day, sizeof(day), "%.4s-%.2s-01", text.p, text.p + 4);
	else if (text.n == strlen("MM/YYYY") && text.p[2] == '/')
		snprintf(day, sizeof(day), "%.4s-%.2s-01", text.p + 3, text.p);
	else if (text.n == strlen("YYYY-MM"))
		snprintf(day, sizeof(day), "%.7s-01", text.p);
	else if (text.n == strlen("YYYY-MM-DD"))
		snprintf(day, sizeof(day), "%.10s", text.p);
	if (!calendar_parse_day(slice_of(day), &parsed)) {
		complain(reader, "%s: \"%.40s\" is no month (2026-11)", column_name(reader, MONTH),
			 text.p);
		return false;
	}
	*ret_month = calendar_month(parsed);
	return true;
}

/* Blanks among the digits separate thousands: plain ones, U+00A0 and U+202F. */
static bool read_number(struct reader *reader, struct slice text, int64_t *ret_n)
{
	static const char *const blanks[] = { " ", "\xc2\xa0", "\xe2\x80\xaf" };
	char digits[MOST_NUMBER];
	size_t n = 0;
	uint64_t number;

	for (size_t i = 0; i < text.n && n < sizeof(digits);) {
		size_t skipped = 0;

		for (size_t j = 0; j < length_of(blanks); j++)
			if (slice_starts(slice_from(text, i), blanks[j]))
				skipped = strlen(blanks[j]);
		if (skipped == 0)
			digits[n++] = text.p[i];
		i += max(skipped, (size_t)1);
	}
	if (slice_to_u64((struct slice){ digits, n }, (uint64_t)MOST_N, &number)) {
		*ret_n = (int64_t)number;
		return true;
	}
	complain(reader, "%s: \"%.40s\" is no number from 0 on", column_name(reader, NUMBER),
		 text.p);
	return false;
}

static struct slice field(const struct reader *reader, enum column column)
{
	struct slice text = slice_trim(slice_of(reader->csv.fields[reader->columns[column]]));

	return slice_of(arena_dup(reader->arena, text));
}

/* All four are looked at, so that all that is wrong with a line is told. */
static bool read_record(struct reader *reader, struct figure *into)
{
	bool site = read_site(reader, field(reader, SITE), &into->site);
	bool name = read_name(reader, field(reader, NAME), &into->name);
	bool month = read_month(reader, field(reader, MONTH), &into->month);
	bool n = read_number(reader, field(reader, NUMBER), &into->n);

	into->line = reader->csv.line;
	return site && name && month && n;
}

/* ---- the whole ---- */

static int in_order(const void *a, const void *b)
{
	const struct figure *x = a, *y = b;
	int order = strcmp(x->site, y->site);

	if (order == 0)
		order = strcmp(x->name, y->name);
	if (order == 0)
		order = (x->month > y->month) - (x->month < y->month);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool is_same(const struct figure *a, const struct figure *b)
{
	return strcmp(a->site, b->site) == 0 && strcmp(a->name, b->name) == 0 &&
	       a->month == b->month;
}

static void sum_up(struct reader *reader, struct figures *figures)
{
	qsort(figures->list, figures->count, sizeof(*figures->list), in_order);
	for (size_t i = 0; i < figures->count; i++) {
		const struct figure *figure = &figures->list[i];

		figures->sum += figure->n;
		figures->first_month = i ? min(figures->first_month, figure->month) : figure->month;
		figures->last_month = max(figures->last_month, figure->month);
		if (i > 0 && is_same(figure, figure - 1)) {
			reader->csv.line = figure->line;
			complain(reader, "line %u has the same site, %s and month", figure[-1].line,
				 column_name(reader, NAME));
		}
	}
}

static void read_records(struct reader *reader, struct figures *figures)
{
	struct err err = { 0 };
	int rc;

	figures->list =
		arena_alloc(reader->arena, reader->csv.most_records * sizeof(*figures->list));
	while ((rc = csv_next(&reader->csv, &err)) != 0) {
		if (rc > 0 && read_record(reader, &figures->list[figures->count]))
			figures->count++;
		if (rc < 0)
			add_line(reader, err.text);
		if (rc < 0 && !reader->csv.goes_on)
			return;
	}
	sum_up(reader, figures);
	if (figures->count == 0 && reader->faults == 0)
		complain(reader, "there is no figure in it");
}

/* A file of one column, a key in PEM, is no table: each of its lines would be quoted as what it is not. */
static bool no_column_is_two(struct reader *reader)
{
	for (enum column i = 1; i < COLUMNS; i++)
		for (enum column j = 0; j < i; j++)
			if (reader->columns[i] == reader->columns[j]) {
				complain(reader, "the column \"%s\" cannot be two things at once",
					 column_name(reader, i));
				return false;
			}
	return true;
}

static bool find_columns(struct reader *reader)
{
	struct err err;
	bool all = true;

	for (enum column i = 0; i < COLUMNS; i++)
		if (csv_column(&reader->csv, column_name(reader, i), &reader->columns[i], &err) <
		    0) {
			add_line(reader, err.text);
			all = false;
		}
	return all && no_column_is_two(reader);
}

int figures_read(struct figures *ret_figures, enum figures_of of, const char *file,
		 struct slice bytes, const struct figures_mapping *mapping, struct arena *arena,
		 struct buf *errors)
{
	struct reader reader = { .of = of, .mapping = mapping, .arena = arena, .errors = errors };
	struct figures figures = { 0 };
	struct err err;

	if (csv_parse_sheet(&reader.csv, file, bytes, arena, &err) < 0)
		add_line(&reader, err.text);
	else if (find_columns(&reader))
		read_records(&reader, &figures);
	if (reader.faults > MOST_FAULTS)
		buf_addf(errors, "%s: %zu more lines are wrong\n", file,
			 reader.faults - MOST_FAULTS);
	if (reader.faults > 0)
		return -1;
	*ret_figures = figures;
	return 0;
}

/* ---- a mapping ---- */

struct mapping_reader {
	const char *file;
	struct buf *errors;
	size_t faults;
};

static void on_fault(void *arg, struct yaml_place place, const char *sentence)
{
	struct mapping_reader *reader = arg;

	reader->faults++;
	buf_addf(reader->errors, "%s:%u:%u: %s\n", reader->file, place.line, place.column,
		 sentence);
}

static void take_column(struct mapping_reader *reader, const struct yaml_tree *entry,
			struct figures_mapping *mapping)
{
	static const struct {
		const char *name;
		enum column column;
	} rows[] = { { "finess_eg", SITE },
		     { "champ", NAME },
		     { "type_code", NAME },
		     { "month", MONTH },
		     { "n", NUMBER } };

	for (size_t i = 0; i < length_of(rows); i++)
		if (slice_is(entry->key, rows[i].name) && entry->kind == TREE_TEXT) {
			mapping->columns[rows[i].column] = entry->text.p;
			return;
		}
	on_fault(reader, entry->key_place,
		 "columns are finess_eg, champ or type_code, month and n, each with the name that "
		 "the file has for it");
}

static void take_type(struct mapping_reader *reader, const struct yaml_tree *entry,
		      struct figures_mapping *mapping)
{
	if (entry->kind != TREE_TEXT || !is_code(entry->text))
		on_fault(reader, entry->place, "this is no code of a document type");
	else
		mapping->types[mapping->type_count++] =
			(struct figures_name){ entry->key.p, entry->text.p };
}

static void take_each(struct mapping_reader *reader, const struct yaml_tree *map,
		      void (*keep)(struct mapping_reader *reader, const struct yaml_tree *entry,
				   struct figures_mapping *mapping),
		      struct figures_mapping *mapping)
{
	if (map->kind != TREE_MAP)
		on_fault(reader, map->place, "this is made of keys: write key: value");
	for (const struct yaml_tree *entry = map->kind == TREE_MAP ? map->first : NULL;
	     entry != NULL; entry = entry->next)
		keep(reader, entry, mapping);
}

int figures_read_mapping(struct figures_mapping *ret_mapping, const char *file, struct slice bytes,
			 struct arena *arena, struct buf *errors)
{
	struct mapping_reader reader = { .file = file, .errors = errors };
	const struct yaml_tree *root = yaml_tree_read(bytes, arena, on_fault, &reader);
	struct figures_mapping mapping = { 0 };

	if (root != NULL && root->kind != TREE_MAP)
		on_fault(&reader, root->place, "a mapping has the keys columns and types");
	for (const struct yaml_tree *entry = root && root->kind == TREE_MAP ? root->first : NULL;
	     entry != NULL; entry = entry->next) {
		if (slice_is(entry->key, "columns")) {
			take_each(&reader, entry, take_column, &mapping);
		} else if (slice_is(entry->key, "types")) {
			mapping.types = arena_alloc(arena, entry->count * sizeof(*mapping.types));
			take_each(&reader, entry, take_type, &mapping);
		} else {
			on_fault(&reader, entry->key_place,
				 "a mapping has the keys columns and "
				 "types");
		}
	}
	if (root == NULL || reader.faults > 0)
		return -1;
	*ret_mapping = mapping;
	return 0;
}
