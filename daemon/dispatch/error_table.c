/* The table of the DMP's errors. Regular expressions are compiled once, at start. Any thread. */
#include "dispatch/error_table.h"

#include <regex.h>

#include "base/csv.h"

enum { MOST_PATTERN = 200, MOST_ATTEMPTS = 1000 };

struct entry {
	struct error_row row;
	regex_t words;
	bool has_words;
};

struct error_table {
	struct arena arena;
	struct entry *entries; /* as the file has them */
	size_t count;
};

static const char *const classes[ERROR_CLASS_COUNT] = {
	[ERROR_TRANSIENT] = "transient",
	[ERROR_SLOW] = "slow",
	[ERROR_DOCUMENT] = "document",
	[ERROR_ABSENT] = "absent",
	[ERROR_CLOSED] = "closed",
	[ERROR_OPPOSED] = "opposed",
	[ERROR_CONFIGURATION] = "configuration",
	[ERROR_DUPLICATE] = "duplicate",
	[ERROR_MISSING] = "missing",
	[ERROR_STALE] = "stale",
	[ERROR_VAGUE] = "vague",
};

static const char *shape_text(enum reply_shape shape)
{
	switch (shape) {
	case REPLY_FAILURE:
		return "registry";
	case REPLY_FAULT:
		return "fault";
	case REPLY_HL7_ACK:
		return "hl7";
	case REPLY_NONE:
	case REPLY_SUCCESS:
		break;
	}
	return "";
}

static bool is_shape(const char *text)
{
	return text[0] == '\0' || strcmp(text, shape_text(REPLY_FAILURE)) == 0 ||
	       strcmp(text, shape_text(REPLY_FAULT)) == 0 ||
	       strcmp(text, shape_text(REPLY_HL7_ACK)) == 0;
}

enum { CODE, SHAPE, TEXT, CLASS, ATTEMPTS, ENGLISH, FRENCH, TODO_ENGLISH, TODO_FRENCH, COLUMNS };

static int take_header(const struct csv *csv, int columns[static COLUMNS], struct err *err)
{
	static const char *const names[COLUMNS] = {
		[CODE] = "code",
		[SHAPE] = "shape",
		[TEXT] = "text",
		[CLASS] = "class",
		[ATTEMPTS] = "attempts",
		[ENGLISH] = "english",
		[FRENCH] = "french",
		[TODO_ENGLISH] = "todo_english",
		[TODO_FRENCH] = "todo_french",
	};

	for (int i = 0; i < COLUMNS; i++)
		if (csv_column(csv, names[i], &columns[i], err) < 0)
			return -1;
	return 0;
}

static int take_class(const struct csv *csv, const char *text, enum error_class *ret_class,
		      struct err *err)
{
	scoped(buf_done) struct buf known = { 0 };

	for (int i = 0; i < ERROR_CLASS_COUNT; i++) {
		if (strcmp(text, classes[i]) == 0) {
			*ret_class = (enum error_class)i;
			return 0;
		}
		buf_addf(&known, "%s%s", i ? ", " : "", classes[i]);
	}
	return csv_refuse(csv, err, "the class \"%.40s\" is none of %s", text, known.p);
}

static int take_attempts(const struct csv *csv, const char *text, unsigned *ret_attempts,
			 struct err *err)
{
	uint64_t number = 0;

	if (text[0] != '\0' && !slice_to_u64(slice_of(text), MOST_ATTEMPTS, &number))
		return csv_refuse(csv, err, "attempts is no number, or above %d", MOST_ATTEMPTS);
	*ret_attempts = (unsigned)number;
	return 0;
}

static int take_words(const struct csv *csv, struct entry *entry, struct err *err)
{
	const char *text = entry->row.text;
	char why[200];
	int rc;

	if (text[0] == '\0')
		return 0;
	if (strlen(text) > MOST_PATTERN)
		return csv_refuse(csv, err, "the regular expression is longer than %d",
				  MOST_PATTERN);
	rc = regcomp(&entry->words, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (rc == 0) {
		entry->has_words = true;
		return 0;
	}
	regerror(rc, &entry->words, why, sizeof(why));
	return csv_refuse(csv, err, "the regular expression is none: %s", why);
}

static const struct entry *twin_of(const struct error_table *table, const struct error_row *row)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct error_row *other = &table->entries[i].row;

		if (strcmp(other->code, row->code) == 0 && strcmp(other->shape, row->shape) == 0 &&
		    strcmp(other->text, row->text) == 0)
			return &table->entries[i];
	}
	return NULL;
}

static int take_row(struct error_table *table, const struct csv *csv,
		    const int columns[static COLUMNS], struct err *err)
{
	struct entry *entry = &table->entries[table->count];
	const char *const *fields = csv->fields;
	const struct entry *twin;

	entry->row = (struct error_row){
		.code = fields[columns[CODE]],
		.shape = fields[columns[SHAPE]],
		.text = fields[columns[TEXT]],
		.english = fields[columns[ENGLISH]],
		.french = fields[columns[FRENCH]],
		.todo_english = fields[columns[TODO_ENGLISH]],
		.todo_french = fields[columns[TODO_FRENCH]],
		.line = csv->line,
	};
	if (entry->row.code[0] == '\0' && entry->row.text[0] == '\0')
		return csv_refuse(csv, err, "the row has neither a code nor a text");
	if (!is_shape(entry->row.shape))
		return csv_refuse(csv, err, "the shape is none of registry, fault, hl7");
	twin = twin_of(table, &entry->row);
	if (twin != NULL)
		return csv_refuse(csv, err, "line %u fits the same and comes first",
				  twin->row.line);
	if (take_class(csv, fields[columns[CLASS]], &entry->row.class, err) < 0 ||
	    take_attempts(csv, fields[columns[ATTEMPTS]], &entry->row.attempts, err) < 0 ||
	    take_words(csv, entry, err) < 0)
		return -1;
	table->count++;
	return 0;
}

static int take_rows(struct error_table *table, struct csv *csv, struct err *err)
{
	int columns[COLUMNS], rc;

	if (take_header(csv, columns, err) < 0)
		return -1;
	table->entries = arena_alloc(&table->arena, csv->most_records * sizeof(*table->entries));
	while ((rc = csv_next(csv, err)) > 0)
		if (take_row(table, csv, columns, err) < 0)
			return -1;
	return rc;
}

int error_table_load(struct error_table **ret_table, const char *file, struct err *err)
{
	scoped(error_table_free) struct error_table *table = xcalloc(1, sizeof(*table));
	struct csv csv;

	if (csv_open(&csv, file, &table->arena, err) < 0 || take_rows(table, &csv, err) < 0)
		return -1;
	*ret_table = take(table);
	return 0;
}

int error_table_parse(struct error_table **ret_table, const char *file, struct slice bytes,
		      struct err *err)
{
	scoped(error_table_free) struct error_table *table = xcalloc(1, sizeof(*table));
	struct csv csv;

	if (csv_parse(&csv, file, bytes, &table->arena, err) < 0 || take_rows(table, &csv, err) < 0)
		return -1;
	*ret_table = take(table);
	return 0;
}

void error_table_free(struct error_table **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; i < (*table)->count; i++)
		if ((*table)->entries[i].has_words)
			regfree(&(*table)->entries[i].words);
	arena_done(&(*table)->arena);
	free_ptr(table);
}

static bool fits(const struct entry *entry, const struct reply *refusal)
{
	const char *shape = entry->row.shape;

	if (shape[0] != '\0' && strcmp(shape, shape_text(refusal->shape)) != 0)
		return false;
	return !entry->has_words || regexec(&entry->words, refusal->text, 0, NULL, 0) == 0;
}

static const struct error_row *first_with(const struct error_table *table, const char *code,
					  const struct reply *refusal)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct entry *entry = &table->entries[i];

		if (strcmp(entry->row.code, code) == 0 && fits(entry, refusal))
			return &entry->row;
	}
	return NULL;
}

const struct error_row *error_table_find(const struct error_table *table,
					 const struct reply *refusal)
{
	const struct error_row *by_code = NULL, *by_words;

	if (refusal->code[0] != '\0')
		by_code = first_with(table, refusal->code, refusal);
	if (by_code != NULL && by_code->class != ERROR_VAGUE)
		return by_code;
	by_words = first_with(table, "", refusal);
	return by_words ? by_words : by_code;
}
