/* Options from YAML and back. */
#include "config/option_yaml.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/option_keys.h"

/* ---- what is wrong, and where ---- */

enum { MOST_FAULTS = 100 };

struct fault {
	struct yaml_place place;
	size_t number; /* in order of finding */
	const char *sentence;
	bool of_lacking;
};

struct option_reading {
	const struct option_table *table; /* of the whole */
	const char *folder;               /* where relative paths start */
	struct arena *arena;              /* of the values */
	struct arena scratch;             /* the tree, the sentences */
	struct fault faults[MOST_FAULTS];
	size_t fault_count; /* may pass MOST_FAULTS: the rest is counted only */
	size_t lacking;     /* of these, about files that may lack */
	size_t passing;     /* and those that leave no doubt of what else is said */
	struct stand_in {
		const struct option *option;
		void *field;
	} stand_ins[MOST_FAULTS]; /* a preset for what could not be read */
	size_t stand_in_count;
	struct option_spots spots;
	size_t spot_room;
};

struct option_reading *option_reading_new(const char *folder, struct arena *arena)
{
	struct option_reading *reading = xcalloc(1, sizeof(*reading));

	reading->folder = folder;
	reading->arena = arena;
	return reading;
}

void option_reading_free(struct option_reading **reading)
{
	if (*reading == NULL)
		return;
	arena_done(&(*reading)->scratch);
	free((*reading)->spots.list);
	free((*reading)->spots.files);
	free_ptr(reading);
}

struct arena *option_scratch(struct option_reading *reading)
{
	return &reading->scratch;
}

unsigned option_add_file(struct option_reading *reading, const char *file)
{
	struct option_spots *spots = &reading->spots;

	spots->files = xrealloc(spots->files, (spots->file_count + 1) * sizeof(*spots->files));
	spots->files[spots->file_count] = arena_dup(reading->arena, slice_of(file));
	return (unsigned)spots->file_count++;
}

const char *const *option_files(const struct option_reading *reading)
{
	return reading->spots.files;
}

void option_complain_at(void *arg, struct yaml_place place, const char *sentence)
{
	struct option_reading *reading = arg;
	size_t number = reading->fault_count++;

	if (number < MOST_FAULTS)
		reading->faults[number] =
			(struct fault){ .place = place,
					.number = number,
					.sentence =
						arena_dup(&reading->scratch, slice_of(sentence)) };
}

static void complain(struct option_reading *reading, struct yaml_place place, const char *format,
		     ...) printf_like(3, 4);

static void complain(struct option_reading *reading, struct yaml_place place, const char *format,
		     ...)
{
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	option_complain_at(reading, place, sentence);
}

static struct yaml_place spot_of(const struct option_spots *spots, const void *field)
{
	for (size_t i = 0; i < spots->count; i++)
		if (spots->list[i].field == field)
			return spots->list[i].place;
	return (struct yaml_place){ 1, 1, 0 };
}

void option_complain(struct option_reading *reading, const void *field, const char *format, ...)
{
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	option_complain_at(reading, spot_of(&reading->spots, field), sentence);
}

const char *option_where(struct option_reading *reading, const void *field, const void *beside)
{
	struct yaml_place place = spot_of(&reading->spots, field);

	if (place.file == spot_of(&reading->spots, beside).file)
		return arena_printf(&reading->scratch, "at line %u", place.line);
	return arena_printf(&reading->scratch, "in %s at line %u", reading->spots.files[place.file],
			    place.line);
}

static void note_spot(struct option_reading *reading, const void *field, struct yaml_place place)
{
	struct option_spots *spots = &reading->spots;

	if (spots->count == reading->spot_room) {
		reading->spot_room = reading->spot_room * 2 + 64;
		spots->list = xrealloc(spots->list, reading->spot_room * sizeof(*spots->list));
	}
	spots->list[spots->count++] = (struct option_spot){ field, place };
}

static void *copy_of(const void *array, size_t bytes, struct arena *arena)
{
	void *copy = arena_alloc(arena, bytes);

	if (bytes > 0)
		memcpy(copy, array, bytes);
	return copy;
}

struct option_spots *option_keep_spots(const struct option_reading *reading, struct arena *arena)
{
	const struct option_spots *spots = &reading->spots;
	struct option_spots *kept = arena_alloc(arena, sizeof(*kept));

	*kept = (struct option_spots){
		copy_of(spots->list, spots->count * sizeof(*spots->list), arena), spots->count,
		copy_of(spots->files, spots->file_count * sizeof(*spots->files), arena),
		spots->file_count
	};
	return kept;
}

static int compare_faults(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	if (x->place.file != y->place.file)
		return x->place.file < y->place.file ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

/* What the sentences quote comes from the file: nothing of it may start a line of its own. */
static void add_printable(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_char(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void tell(const struct option_spots *spots, struct yaml_place place, const char *sentence,
		 struct buf *errors)
{
	buf_addf(errors, "%s:%u:%u: ", spots->files[place.file], place.line, place.column);
	add_printable(errors, sentence);
	buf_add_char(errors, '\n');
}

void option_tell_one(const struct option_spots *spots, const void *field, const char *sentence,
		     struct buf *errors)
{
	tell(spots, spot_of(spots, field), sentence, errors);
}

void option_tell(struct option_reading *reading, bool with_lacking, struct buf *errors)
{
	size_t told = min(reading->fault_count, (size_t)MOST_FAULTS);

	qsort(reading->faults, told, sizeof(reading->faults[0]), compare_faults);
	for (size_t i = 0; i < told; i++)
		if (with_lacking || !reading->faults[i].of_lacking)
			tell(&reading->spots, reading->faults[i].place, reading->faults[i].sentence,
			     errors);
	if (told < reading->fault_count)
		buf_addf(errors, "%s:1:1: %zu more errors are not shown: correct these first\n",
			 reading->spots.files[0], reading->fault_count - told);
}

bool option_is_usable(const struct option_reading *reading)
{
	return reading->fault_count == reading->lacking;
}

bool option_is_whole(const struct option_reading *reading)
{
	return reading->fault_count == reading->lacking + reading->passing;
}

void option_stand_in(struct option_reading *reading)
{
	for (size_t i = 0; i < reading->stand_in_count; i++) {
		const struct option *option = reading->stand_ins[i].option;
		const struct option_text preset = { slice_of(option->preset), true,
						    reading->folder };
		struct err err = { 0 };

		(void)!option_parse(option, &preset, reading->arena, reading->stand_ins[i].field,
				    &err);
	}
}

/* ---- keys ---- */

static void complain_of_key(struct option_reading *reading, const struct option_table *of,
			    const char *within, const struct yaml_tree *entry)
{
	scoped(buf_done) struct buf sentence = { 0 };

	option_key_unknown(reading->table, of, within, entry->key, &sentence);
	complain(reading, entry->key_place, "%s", sentence.p);
}

static void check_keys(struct option_reading *reading, const struct option_table *of,
		       const char *within, const struct yaml_tree *map);

static void check_group(struct option_reading *reading, const struct option_table *of,
			const char *within, const struct yaml_tree *entry)
{
	const char *group =
		arena_printf(&reading->scratch, "%s%.*s.", within, (int)entry->key.n, entry->key.p);
	scoped(buf_done) struct buf known = { 0 };

	if (entry->kind == TREE_MAP) {
		check_keys(reading, of, group, entry);
	} else if (entry->kind != TREE_REFUSED && !yaml_tree_is_null(entry)) {
		option_keys_list(of, group, &known);
		complain(reading, entry->place,
			 "%.*s has no value of its own: write its keys (%s) on lines below it",
			 (int)entry->key.n, entry->key.p, known.p);
	}
}

/* Every key below `map` is that of a row, or groups several. */
static void check_keys(struct option_reading *reading, const struct option_table *of,
		       const char *within, const struct yaml_tree *map)
{
	for (const struct yaml_tree *entry = map->first; entry != NULL; entry = entry->next) {
		enum option_key kind = option_key_of(of, within, entry->key);

		if (kind == OPTION_KEY_UNKNOWN) {
			complain_of_key(reading, of, within, entry);
			reading->passing++;
		} else if (kind == OPTION_KEY_GROUP) {
			check_group(reading, of, within, entry);
		}
	}
}

/* ---- values ---- */

/* Follows "dmp.tls.cert" down from `map`. NULL when something lacks; *ret_last is the last that was
 * there.
 */
static const struct yaml_tree *locate(const struct yaml_tree *map, const char *name,
				      const struct yaml_tree **ret_last)
{
	struct slice rest = slice_of(name), key;
	const struct yaml_tree *tree = map;

	while (tree != NULL && slice_next(&rest, '.', &key)) {
		*ret_last = tree;
		tree = yaml_tree_find(tree, key);
	}
	return tree;
}

static bool is_map(const struct yaml_tree *tree)
{
	return tree->kind == TREE_MAP || yaml_tree_is_null(tree);
}

static struct yaml_place head_of(const struct yaml_tree *map)
{
	return map->key.n ? map->key_place : map->place;
}

/* A preset of these kinds says what this machine has, and would be held against that. */
static bool has_stand_in(const struct option *option)
{
	return option->preset != NULL &&
	       (option->kind < OPTION_PATH || option->kind > OPTION_ADDRESS);
}

static void note_stand_in(struct option_reading *reading, const struct option *option, void *field)
{
	if (!has_stand_in(option) || reading->stand_in_count == MOST_FAULTS)
		return;
	reading->stand_ins[reading->stand_in_count++] = (struct stand_in){ option, field };
	reading->passing++;
}

/* A complaint stands at `place` and begins with the option's name and `link`. */
static void read_value(struct option_reading *reading, const struct option *option,
		       const struct option_text *text, struct yaml_place place, const char *link,
		       void *into)
{
	void *field = (char *)into + option->at;
	struct err err = { 0 };

	note_spot(reading, field, place);
	if (option_parse(option, text, reading->arena, field, &err) < 0) {
		complain(reading, place, "%s %s%s", option->name, link, err.text);
		note_stand_in(reading, option, field);
	} else if (option->may_lack && option_check_file(*(const char **)field,
							 option->kind != OPTION_FILE, &err) < 0) {
		complain(reading, place, "%s %s%s", option->name, link, err.text);
		reading->lacking++;
		if (reading->fault_count <= MOST_FAULTS)
			reading->faults[reading->fault_count - 1].of_lacking = true;
	}
}

static void read_written(struct option_reading *reading, const struct option *option,
			 const struct yaml_tree *tree, void *into)
{
	const struct option_text text = { tree->text, tree->quoted, reading->folder };

	if (tree->kind == TREE_REFUSED)
		return;
	if (tree->kind != TREE_TEXT) {
		complain(reading, tree->place, "%s takes one value: %s", option->name,
			 option->help);
	} else if (yaml_tree_is_null(tree) && option->preset != NULL) {
		complain(reading, tree->place,
			 "%s is empty: write a value, or take the line away%s%s", option->name,
			 option->preset[0] ? " to have " : "", option->preset);
		note_stand_in(reading, option, (char *)into + option->at);
	} else if (yaml_tree_is_null(tree)) {
		complain(reading, tree->place, "%s is empty: %s", option->name, option->help);
	} else {
		read_value(reading, option, &text, tree->place, "", into);
	}
}

static void read_unwritten(struct option_reading *reading, const struct option *option,
			   const struct yaml_tree *last, void *into)
{
	const struct option_text text = { slice_of(option->preset), true, reading->folder };

	if (option->preset != NULL)
		read_value(reading, option, &text, head_of(last), "is not written, and by default ",
			   into);
	else if (is_map(last))
		complain(reading, head_of(last), "%s is missing: %s", option->name, option->help);
}

static void read_list(struct option_reading *reading, const struct option *option,
		      const struct yaml_tree *list, const struct yaml_tree *last, void *into);

static void read_struct(struct option_reading *reading, const struct option_table *of,
			const struct yaml_tree *map, void *into)
{
	check_keys(reading, of, "", map);
	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		const struct yaml_tree *last = map, *tree = locate(map, o->name, &last);

		if (o->kind == OPTION_LIST || o->kind == OPTION_VALUES)
			read_list(reading, o, tree, last, into);
		else if (tree != NULL)
			read_written(reading, o, tree, into);
		else
			read_unwritten(reading, o, last, into);
	}
}

static void read_entry(struct option_reading *reading, const struct option *option,
		       const struct yaml_tree *entry, void *into)
{
	if (option->kind == OPTION_VALUES)
		read_written(reading, option->entries->options, entry, into);
	else if (is_map(entry))
		read_struct(reading, option->entries, entry, into);
	else if (entry->kind != TREE_REFUSED)
		complain(reading, entry->place,
			 "an entry of %s is made of keys: write key: value after the dash",
			 option->name);
}

/* The entries of a list, whose struct keeps a pointer to the first and their number. */
static void read_entries(struct option_reading *reading, const struct option *option,
			 const struct yaml_tree *list, void *into)
{
	size_t bytes = option->entries->struct_bytes, n = 0;
	char *entries = arena_alloc(reading->arena, list->count * bytes);

	for (const struct yaml_tree *entry = list->first; entry != NULL; entry = entry->next)
		read_entry(reading, option, entry, entries + n++ * bytes);
	memcpy((char *)into + option->at, &entries, sizeof(entries));
	memcpy((char *)into + option->count_at, &n, sizeof(n));
}

static void read_list(struct option_reading *reading, const struct option *option,
		      const struct yaml_tree *list, const struct yaml_tree *last, void *into)
{
	struct yaml_place place = list ? list->key_place : head_of(last);

	note_spot(reading, (char *)into + option->at, place);
	if (list != NULL ? list->kind == TREE_REFUSED : !is_map(last))
		return; /* that was complained about */
	if (list != NULL && list->kind != TREE_LIST && !yaml_tree_is_null(list)) {
		complain(reading, list->place,
			 "%s is a list: begin each of its entries with a dash", option->name);
		return;
	}
	if (list != NULL && list->kind == TREE_LIST)
		read_entries(reading, option, list, into);
	if (option->least > 0 && (list == NULL || list->count == 0))
		complain(reading, place, "%s needs at least one entry: %s", option->name,
			 option->help);
}

int option_read(struct option_reading *reading, const struct option_table *table,
		const struct yaml_tree *tree, void *into)
{
	if (!is_map(tree)) {
		complain(reading, tree->place,
			 "a configuration is made of keys: write key: value, one a line");
		return -1;
	}
	reading->table = table;
	read_struct(reading, table, tree, into);
	return 0;
}

/* ---- and back ---- */

struct printer {
	struct buf *out;
	bool dash; /* the next line begins an entry of a list */
};

static void begin_line(struct printer *printer, size_t depth)
{
	for (size_t i = printer->dash; i < depth; i++)
		buf_add_text(printer->out, "  ");
	if (printer->dash)
		buf_add_text(printer->out, "- ");
	printer->dash = false;
}

/* The groups that `name` opens and `before`, the row above, did not. Returns how many enclose it.
 */
static size_t print_groups(struct printer *printer, const char *name, const char *before,
			   size_t depth)
{
	struct slice rest = slice_of(name), above = slice_of(before), group, group_above;
	bool is_open = true;

	for (; slice_next(&rest, '.', &group) && rest.p != NULL; depth++) {
		is_open = is_open && slice_next(&above, '.', &group_above) &&
			  slice_equal(group, group_above);
		if (is_open)
			continue;
		begin_line(printer, depth);
		buf_addf(printer->out, "%.*s:\n", (int)group.n, group.p);
	}
	return depth;
}

static void print_struct(struct printer *printer, const struct option_table *of, const void *from,
			 size_t depth);

static void print_value(struct printer *printer, const struct option *option, const void *from)
{
	option_print(option, (const char *)from + option->at, printer->out);
	buf_add_char(printer->out, '\n');
}

static void print_list(struct printer *printer, const struct option *option, const void *from,
		       size_t depth)
{
	const char *entries;
	size_t n;

	memcpy(&entries, (const char *)from + option->at, sizeof(entries));
	memcpy(&n, (const char *)from + option->count_at, sizeof(n));
	buf_add_text(printer->out, n ? "\n" : " []\n");
	for (size_t i = 0; i < n; i++, entries += option->entries->struct_bytes) {
		printer->dash = true;
		if (option->kind == OPTION_LIST) {
			print_struct(printer, option->entries, entries, depth + 2);
			continue;
		}
		begin_line(printer, depth + 2);
		print_value(printer, option->entries->options, entries);
	}
}

static void print_struct(struct printer *printer, const struct option_table *of, const void *from,
			 size_t depth)
{
	const char *before = "", *dot;

	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		size_t inner = print_groups(printer, o->name, before, depth);

		dot = strrchr(o->name, '.');
		begin_line(printer, inner);
		buf_addf(printer->out, "%s:", dot ? dot + 1 : o->name);
		if (o->kind == OPTION_LIST || o->kind == OPTION_VALUES) {
			print_list(printer, o, from, inner);
		} else {
			buf_add_char(printer->out, ' ');
			print_value(printer, o, from);
		}
		before = o->name;
	}
}

void option_write(const struct option_table *table, const void *from, struct buf *out)
{
	struct printer printer = { .out = out };

	print_struct(&printer, table, from, 0);
}
