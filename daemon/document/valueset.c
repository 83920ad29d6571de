/* The code tables of the DMP's metadata. Loaded by one thread at start, read by any. */
#include "document/valueset.h"

#include "base/csv.h"

enum {
	CODE_COMPARED = 64, /* characters of a code, in the search for one that looks like it */
	CHOICES = 3,
};

/* Beside the lists that others ask for, two that lead into them: code is the key, link the code
 * that it leads to and system that code's.
 */
enum { FORMAT_OF = VALUESET_COUNT, CONTENT_TYPE_OF, LIST_COUNT };

#define ANY_TEMPLATE "*" /* the key of the format for documents outside every profile */

/* From which columns the four members of a row come. */
static const struct source {
	const char *file, *code, *system, *display, *link;
} sources[LIST_COUNT] = {
	[VALUESET_TYPE] = { "type-code.csv", "code", "system", "display", "class" },
	[VALUESET_CLASS] = { "class-code.csv", "code", "system", "display", NULL },
	[VALUESET_FORMAT] = { "format-code.csv", "code", "system", "display", NULL },
	[VALUESET_FACILITY] = { "healthcare-facility-type.csv", "code", "system", "display", NULL },
	[VALUESET_PRACTICE] = { "practice-setting.csv", "code", "system", "display", NULL },
	[VALUESET_CONFIDENTIALITY] = { "confidentiality.csv", "code", "system", "display", NULL },
	[VALUESET_CONTENT_TYPE] = { "content-type.csv", "code", "system", "display", NULL },
	[VALUESET_SPECIALTY] = { "author-specialty.csv", "code", "system", "display", NULL },
	[VALUESET_ROLE] = { "subject-role.csv", "code", "system", "display", NULL },
	[FORMAT_OF] = { "format-by-template.csv", "template_or_media_type", "system", NULL,
			"format" },
	[CONTENT_TYPE_OF] = { "content-type-from-visit.csv", "visit", "system", NULL,
			      "content_type" },
};

/* Where the link of a row must be found. */
static const struct reference {
	int from;
	enum valueset_list to;
	bool same_system;  /* as the row says, or of whatever system */
	bool may_be_empty; /* a type whose class is not known: no document of it is accepted */
} references[] = {
	{ VALUESET_TYPE, VALUESET_CLASS, .may_be_empty = true },
	{ FORMAT_OF, VALUESET_FORMAT, .same_system = true },
	{ CONTENT_TYPE_OF, VALUESET_CONTENT_TYPE, .same_system = true },
};

/* What the program itself asks for by name. */
static const struct {
	int list;
	const char *code;
} needed[] = {
	{ VALUESET_ROLE, "AUTOMATE" },
	{ FORMAT_OF, ANY_TEMPLATE },
	{ CONTENT_TYPE_OF, "I" },
	{ VALUESET_CONFIDENTIALITY, "N" },
	{ VALUESET_CONFIDENTIALITY, "MASQUE_PS" },
	{ VALUESET_CONFIDENTIALITY, "INVISIBLE_PATIENT" },
	{ VALUESET_CONFIDENTIALITY, "INVISIBLE_REPRESENTANTS_LEGAUX" },
};

struct entry {
	struct valueset_row row;
	unsigned line;
};

struct list {
	struct valueset_edition edition;
	const char *path;
	struct entry *entries; /* by code; those of one code as the file has them */
	size_t count;
};

struct valuesets {
	struct arena arena; /* the text of the files, into which the rows point, and the rows */
	struct list lists[LIST_COUNT];
};

enum { CODE, SYSTEM, DISPLAY, LINK, MEMBERS };

/* Which column gives which member of a row (-1: none does). */
static int take_header(const struct csv *csv, const struct source *source,
		       int columns[static MEMBERS], struct err *err)
{
	const char *const names[MEMBERS] = { source->code, source->system, source->display,
					     source->link };

	for (int i = 0; i < MEMBERS; i++) {
		columns[i] = -1;
		if (names[i] != NULL && csv_column(csv, names[i], &columns[i], err) < 0)
			return -1;
	}
	return 0;
}

static const char *field(const struct csv *csv, int column)
{
	return column < 0 ? "" : csv->fields[column];
}

static int take_rows(struct csv *csv, const int columns[static MEMBERS], struct list *list,
		     struct err *err)
{
	int rc;

	while ((rc = csv_next(csv, err)) > 0) {
		struct entry *entry = &list->entries[list->count++];

		entry->line = csv->line;
		entry->row = (struct valueset_row){ field(csv, columns[CODE]),
						    field(csv, columns[SYSTEM]),
						    field(csv, columns[DISPLAY]),
						    field(csv, columns[LINK]) };
		if (entry->row.code[0] == '\0' || entry->row.system[0] == '\0' ||
		    (columns[DISPLAY] >= 0 && entry->row.display[0] == '\0'))
			return csv_refuse(csv, err, "a row lacks its code, system or display");
	}
	return rc;
}

static int by_code(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->row.code, right->row.code);

	return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

/* The same pair of code and system twice: which of the two rows is right? */
static int refuse_twins(const struct list *list, struct err *err)
{
	for (size_t i = 1; i < list->count; i++)
		for (size_t j = i; j-- > 0;) {
			const struct entry *entry = &list->entries[i], *before = &list->entries[j];

			if (strcmp(entry->row.code, before->row.code) != 0)
				break;
			if (strcmp(entry->row.system, before->row.system) == 0)
				return err_set(err, ERR_HALT, "%s:%u: %s stands on line %u too",
					       list->path, entry->line, entry->row.code,
					       before->line);
		}
	return 0;
}

static int load_list(struct list *list, const struct source *source, const char *folder,
		     struct arena *arena, struct err *err)
{
	int columns[MEMBERS];
	struct csv csv;

	if (list->path == NULL)
		list->path = arena_printf(arena, "%s/%s", folder, source->file);
	if (csv_open(&csv, list->path, arena, err) < 0)
		return -1;
	list->edition = (struct valueset_edition){
		.file = source->file,
		.list = csv_note(&csv, "list", arena),
		.oid = csv_note(&csv, "oid", arena),
		.version = csv_note(&csv, "version", arena),
		.date = csv_note(&csv, "date", arena),
	};
	list->entries = arena_alloc(arena, csv.most_records * sizeof(*list->entries));
	if (take_header(&csv, source, columns, err) < 0 || take_rows(&csv, columns, list, err) < 0)
		return -1;
	qsort(list->entries, list->count, sizeof(*list->entries), by_code);
	return refuse_twins(list, err);
}

/* The first entry whose code is not before `code`. */
static size_t lower_bound(const struct list *list, const char *code)
{
	size_t first = 0, end = list->count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strcmp(list->entries[middle].row.code, code) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static const struct valueset_row *find(const struct valuesets *valuesets, int which,
				       const char *code, const char *system)
{
	const struct list *list = &valuesets->lists[which];

	for (size_t i = lower_bound(list, code); i < list->count; i++) {
		const struct valueset_row *row = &list->entries[i].row;

		if (strcmp(row->code, code) != 0)
			break;
		if (system == NULL || system[0] == '\0' || strcmp(row->system, system) == 0)
			return row;
	}
	return NULL;
}

static int check_reference(const struct valuesets *valuesets, const struct reference *reference,
			   struct err *err)
{
	const struct list *list = &valuesets->lists[reference->from];

	for (size_t i = 0; i < list->count; i++) {
		const struct entry *entry = &list->entries[i];
		const char *system = reference->same_system ? entry->row.system : NULL;

		if (entry->row.link[0] == '\0' && reference->may_be_empty)
			continue;
		if (find(valuesets, (int)reference->to, entry->row.link, system) == NULL)
			return err_set(err, ERR_HALT, "%s:%u: \"%s\" is not in %s", list->path,
				       entry->line, entry->row.link, sources[reference->to].file);
	}
	return 0;
}

static int check(const struct valuesets *valuesets, struct err *err)
{
	for (size_t i = 0; i < length_of(references); i++)
		if (check_reference(valuesets, &references[i], err) < 0)
			return -1;
	for (size_t i = 0; i < length_of(needed); i++)
		if (find(valuesets, needed[i].list, needed[i].code, NULL) == NULL)
			return err_set(err, ERR_HALT, "%s: there is no row for \"%s\"",
				       valuesets->lists[needed[i].list].path, needed[i].code);
	return 0;
}

int valuesets_load(struct valuesets **ret_valuesets, const char *folder, struct err *err)
{
	return valuesets_load_mapped(ret_valuesets, folder, "", err);
}

int valuesets_load_mapped(struct valuesets **ret_valuesets, const char *folder,
			  const char *content_type_map, struct err *err)
{
	scoped(valuesets_free) struct valuesets *valuesets = xcalloc(1, sizeof(*valuesets));

	if (content_type_map[0] != '\0')
		valuesets->lists[CONTENT_TYPE_OF].path =
			arena_dup(&valuesets->arena, slice_of(content_type_map));
	for (size_t i = 0; i < LIST_COUNT; i++)
		if (load_list(&valuesets->lists[i], &sources[i], folder, &valuesets->arena, err) <
		    0)
			return -1;
	if (check(valuesets, err) < 0)
		return -1;
	*ret_valuesets = take(valuesets);
	return 0;
}

void valuesets_free(struct valuesets **valuesets)
{
	if (*valuesets == NULL)
		return;
	arena_done(&(*valuesets)->arena);
	free_ptr(valuesets);
}

const struct valueset_edition *valuesets_edition(const struct valuesets *valuesets, size_t index)
{
	return index < LIST_COUNT ? &valuesets->lists[index].edition : NULL;
}

const struct valueset_row *valueset_find(const struct valuesets *valuesets, enum valueset_list list,
					 const char *code, const char *system)
{
	return find(valuesets, (int)list, code, system);
}

bool valueset_knows_system(const struct valuesets *valuesets, enum valueset_list which,
			   const char *system)
{
	const struct list *list = &valuesets->lists[which];

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->entries[i].row.system, system) == 0)
			return true;
	return false;
}

/* What a key of one of the two leading lists leads to. */
static const struct valueset_row *follow(const struct valuesets *valuesets, int from,
					 enum valueset_list to, const char *key)
{
	const struct valueset_row *row = find(valuesets, from, key, NULL);

	return row ? find(valuesets, (int)to, row->link, row->system) : NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* "Application/PDF; version=1" is application/pdf (RFC 2045, 5.1). */
static const struct valueset_row *format_of_media_type(const struct valuesets *valuesets,
						       const char *media_type)
{
	struct slice rest = slice_of(media_type), name;
	char key[64] = "";

	if (!slice_next(&rest, ';', &name))
		return NULL;
	name = slice_trim(name);
	if (name.n >= sizeof(key) || memchr(name.p, '/', name.n) == NULL)
		return NULL;
	for (size_t i = 0; i < name.n; i++)
		key[i] = lower(name.p[i]);
	return follow(valuesets, FORMAT_OF, VALUESET_FORMAT, key);
}

const struct valueset_row *valueset_format(const struct valuesets *valuesets,
					   const char *media_type, const char *const *templates,
					   size_t template_count)
{
	const struct valueset_row *row = NULL;

	if (media_type[0] != '\0')
		return format_of_media_type(valuesets, media_type);
	while (row == NULL && template_count-- > 0)
		if (strchr(templates[template_count], '/') == NULL) /* a media type is none */
			row = follow(valuesets, FORMAT_OF, VALUESET_FORMAT,
				     templates[template_count]);
	return row ? row : follow(valuesets, FORMAT_OF, VALUESET_FORMAT, ANY_TEMPLATE);
}

const struct valueset_row *valueset_content_type(const struct valuesets *valuesets,
						 const char *visit_class)
{
	return follow(valuesets, CONTENT_TYPE_OF, VALUESET_CONTENT_TYPE, visit_class);
}

/* How many characters must change to make one code of the other (Levenshtein), case aside. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[CODE_COMPARED + 1];
	size_t most = strnlen(b, CODE_COMPARED), length = strnlen(a, CODE_COMPARED);

	for (unsigned j = 0; j <= most; j++)
		row[j] = j;
	for (unsigned i = 0; i < length; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < most; j++) {
			unsigned above = row[j + 1], shorter = min(above, row[j]) + 1;

			row[j + 1] = min(diagonal + (lower(a[i]) != lower(b[j])), shorter);
			diagonal = above;
		}
	}
	return row[most];
}

struct choice {
	const char *code;
	unsigned distance;
};

/* Takes its place among the choices, nearest first; the farthest falls off. */
static void consider(struct choice choices[static CHOICES], struct choice choice)
{
	for (size_t i = 0; i < CHOICES; i++) {
		struct choice there = choices[i];

		if (there.code != NULL && there.distance <= choice.distance)
			continue;
		choices[i] = choice;
		if (there.code == NULL)
			return;
		choice = there;
	}
}

/* A name that differs by a word's ending is the same name: somebody kept it and mistyped the code.
 */
static unsigned distance_of(const struct valueset_row *row, const char *code, const char *display)
{
	unsigned by_code = distance(code, row->code);
	unsigned by_name = distance(display, row->display);

	if (by_name * 4 <= strnlen(display, CODE_COMPARED))
		return min(by_code, (unsigned)(by_name > 0));
	return by_code;
}

void valueset_nearest(const struct valuesets *valuesets, enum valueset_list list, const char *code,
		      const char *display, struct buf *out)
{
	static const char *const before[CHOICES + 1][CHOICES] = {
		{ "" }, { "" }, { "", " or " }, { "", ", ", " or " }
	};
	const struct list *rows = &valuesets->lists[list];
	struct choice choices[CHOICES] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct valueset_row *row = &rows->entries[i].row;

		if (i == 0 || strcmp(row->code, rows->entries[i - 1].row.code) != 0)
			consider(choices,
				 (struct choice){ row->code,
						  distance_of(row, code, display ? display : "") });
	}
	while (count < CHOICES && choices[count].code != NULL)
		count++;
	for (size_t i = 0; i < count; i++) {
		buf_add_text(out, before[count][i]);
		buf_add_text(out, choices[i].code);
	}
}
