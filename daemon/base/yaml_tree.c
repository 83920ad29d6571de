/* YAML, from libyaml's events to a tree. Pure. */
#include "base/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	unsigned file;
	struct slice bytes;
	struct arena *arena;
	yaml_complain_fn *complain;
	void *arg;
};

static void complain(struct reader *reader, struct yaml_place place, const char *format, ...)
	printf_like(3, 4);

static void complain(struct reader *reader, struct yaml_place place, const char *format, ...)
{
	char sentence[ERR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	reader->complain(reader->arg, place, sentence);
}

static struct yaml_place place_of(const struct reader *reader, yaml_mark_t mark)
{
	return (struct yaml_place){ (unsigned)mark.line + 1, (unsigned)mark.column + 1,
				    reader->file };
}

/* Where a byte stands, for the errors that libyaml finds before it counts lines. */
static struct yaml_place place_of_offset(const struct reader *reader, size_t offset)
{
	struct slice bytes = reader->bytes;
	struct yaml_place place = { 1, 1, reader->file };

	for (size_t i = 0; i < min(offset, bytes.n); i++) {
		if (bytes.p[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if ((bytes.p[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* The character that a mark stands on: libyaml counts characters, not bytes. */
static char character_at(struct slice bytes, size_t index)
{
	for (size_t i = 0; i < bytes.n; i++)
		if ((bytes.p[i] & 0xc0) != 0x80 && index-- == 0)
			return bytes.p[i];
	return '\0';
}

static void complain_about_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;

	if (parser->error == YAML_READER_ERROR) {
		complain(reader, place_of_offset(reader, parser->problem_offset),
			 "a character is not allowed here (%s): save the file as UTF-8 text",
			 parser->problem);
	} else if (character_at(reader->bytes, parser->problem_mark.index) == '\t') {
		complain(reader, place_of(reader, parser->problem_mark),
			 "YAML does not allow a tab here: indent with spaces");
	} else {
		complain(reader, place_of(reader, parser->problem_mark),
			 "YAML cannot be read from here on (%s%s%s): check the indentation, the "
			 "quotes and the colons",
			 parser->context ? parser->context : "", parser->context ? ", " : "",
			 parser->problem);
	}
}

static int next_event(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (yaml_parser_parse(&reader->parser, &reader->event))
		return 0;
	if (reader->parser.problem == NULL) /* else it has a sentence for what it refuses */
		no_memory();
	complain_about_syntax(reader);
	return -1;
}

static struct yaml_tree *new_tree(struct reader *reader, enum yaml_tree_kind kind)
{
	struct yaml_tree *tree = arena_alloc(reader->arena, sizeof(*tree));

	tree->kind = kind;
	tree->place = place_of(reader, reader->event.start_mark);
	tree->text = slice_of("");
	return tree;
}

static void refuse_extras(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct yaml_place place = place_of(reader, reader->event.start_mark);

	if (anchor != NULL)
		complain(reader, place,
			 "anchors (&) and aliases (*) are not taken: write the value out at every "
			 "place that needs it");
	if (tag != NULL)
		complain(reader, place, "tags (!) are not taken: leave it out");
}

static struct yaml_tree *read_any(struct reader *reader, unsigned depth);

static struct yaml_tree *read_text(struct reader *reader)
{
	struct yaml_tree *tree = new_tree(reader, TREE_TEXT);
	struct slice text = { (const char *)reader->event.data.scalar.value,
			      reader->event.data.scalar.length };

	refuse_extras(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
	tree->text = (struct slice){ arena_dup(reader->arena, text), text.n };
	tree->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return tree;
}

static struct yaml_tree *read_alias(struct reader *reader)
{
	refuse_extras(reader, reader->event.data.alias.anchor, NULL);
	return new_tree(reader, TREE_REFUSED);
}

static int append(struct reader *reader, struct yaml_tree *tree, struct yaml_tree ***end,
		  struct yaml_tree *entry)
{
	if (++tree->count > YAML_TREE_ENTRIES) {
		complain(reader, entry->place, "more than %d entries in one list or mapping",
			 YAML_TREE_ENTRIES);
		return -1;
	}
	**end = entry;
	*end = &entry->next;
	return 0;
}

static struct yaml_tree *read_list(struct reader *reader, unsigned depth)
{
	struct yaml_tree *list = new_tree(reader, TREE_LIST), *entry, **end = &list->first;

	refuse_extras(reader, reader->event.data.sequence_start.anchor,
		      reader->event.data.sequence_start.tag);
	for (;;) {
		if (next_event(reader) < 0)
			return NULL;
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return list;
		entry = read_any(reader, depth + 1);
		if (entry == NULL || append(reader, list, &end, entry) < 0)
			return NULL;
	}
}

/* The key under the reader, then its value. */
static struct yaml_tree *read_entry(struct reader *reader, unsigned depth)
{
	struct yaml_tree *key, *value;

	if (reader->event.type != YAML_SCALAR_EVENT) {
		complain(reader, place_of(reader, reader->event.start_mark),
			 "a key must be one word, followed by a colon");
		return NULL;
	}
	key = read_text(reader);
	if (next_event(reader) < 0)
		return NULL;
	value = read_any(reader, depth + 1);
	if (value != NULL) {
		value->key = key->text;
		value->key_place = key->place;
	}
	return value;
}

static struct yaml_tree *read_map(struct reader *reader, unsigned depth)
{
	struct yaml_tree *map = new_tree(reader, TREE_MAP), *entry, **end = &map->first;
	const struct yaml_tree *before;

	refuse_extras(reader, reader->event.data.mapping_start.anchor,
		      reader->event.data.mapping_start.tag);
	for (;;) {
		if (next_event(reader) < 0)
			return NULL;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			return map;
		entry = read_entry(reader, depth);
		if (entry == NULL)
			return NULL;
		before = yaml_tree_find(map, entry->key);
		if (before != NULL)
			complain(reader, entry->key_place,
				 "this key was given at line %u already: keep one of the two",
				 before->key_place.line);
		else if (append(reader, map, &end, entry) < 0)
			return NULL;
	}
}

/* What begins under the reader, to its end. */
static struct yaml_tree *read_any(struct reader *reader, unsigned depth)
{
	if (depth > YAML_TREE_DEPTH) {
		complain(reader, place_of(reader, reader->event.start_mark),
			 "lists and mappings are nested more than %d deep", YAML_TREE_DEPTH);
		return NULL;
	}
	if (reader->event.type == YAML_MAPPING_START_EVENT)
		return read_map(reader, depth);
	if (reader->event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(reader, depth);
	if (reader->event.type == YAML_ALIAS_EVENT)
		return read_alias(reader);
	return read_text(reader);
}

static struct yaml_tree *read_stream(struct reader *reader)
{
	struct yaml_tree *tree;

	if (next_event(reader) < 0 || next_event(reader) < 0) /* the stream, the document */
		return NULL;
	if (reader->event.type == YAML_STREAM_END_EVENT) {
		tree = new_tree(reader, TREE_TEXT);
		tree->place = (struct yaml_place){ 1, 1, reader->file };
		return tree;
	}
	if (next_event(reader) < 0)
		return NULL;
	tree = read_any(reader, 1);
	if (tree == NULL || next_event(reader) < 0 || next_event(reader) < 0)
		return NULL;
	if (reader->event.type != YAML_STREAM_END_EVENT) {
		complain(reader, place_of(reader, reader->event.start_mark),
			 "a second document begins here: keep one in the file");
		return NULL;
	}
	return tree;
}

struct yaml_tree *yaml_tree_read(struct slice bytes, struct arena *arena,
				 yaml_complain_fn *complain_fn, void *arg)
{
	return yaml_tree_read_file(0, bytes, arena, complain_fn, arg);
}

struct yaml_tree *yaml_tree_read_file(unsigned file, struct slice bytes, struct arena *arena,
				      yaml_complain_fn *complain_fn, void *arg)
{
	struct reader reader = {
		.file = file, .bytes = bytes, .arena = arena, .complain = complain_fn, .arg = arg
	};
	struct yaml_tree *tree;

	if (bytes.n > YAML_TREE_BYTES) {
		complain(&reader, (struct yaml_place){ 1, 1, file },
			 "the file is larger than %d bytes: it is hardly the one you mean",
			 YAML_TREE_BYTES);
		return NULL;
	}
	if (!yaml_parser_initialize(&reader.parser))
		no_memory();
	/* libyaml would count a byte order mark as a column, and the first line as indented */
	if (slice_starts(bytes, "\xef\xbb\xbf"))
		reader.bytes = slice_from(bytes, 3);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.bytes.p,
				     reader.bytes.n);
	tree = read_stream(&reader);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return tree;
}

const struct yaml_tree *yaml_tree_find(const struct yaml_tree *map, struct slice key)
{
	const struct yaml_tree *entry = map->kind == TREE_MAP ? map->first : NULL;

	while (entry != NULL && !slice_equal(entry->key, key))
		entry = entry->next;
	return entry;
}

bool yaml_tree_is_null(const struct yaml_tree *tree)
{
	return tree->kind == TREE_TEXT && !tree->quoted &&
	       (tree->text.n == 0 || slice_is(tree->text, "~") ||
		slice_is_nocase(tree->text, "null"));
}
