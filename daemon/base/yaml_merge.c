/* Several YAML texts as one. Pure. */
#include "base/yaml_merge.h"

#include <stdarg.h>
#include <stdio.h>

static void complain(const struct yaml_merging *merging, struct yaml_place place,
		     const char *format, ...) printf_like(3, 4);

static void complain(const struct yaml_merging *merging, struct yaml_place place,
		     const char *format, ...)
{
	char sentence[ERR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	merging->complain(merging->arg, place, sentence);
}

static void append(struct yaml_tree *tree, struct yaml_tree *entry,
		   const struct yaml_merging *merging)
{
	struct yaml_tree **end = &tree->first;

	if (tree->count == YAML_TREE_ENTRIES) {
		complain(merging, entry->key.n ? entry->key_place : entry->place,
			 "more than %d entries in one list or mapping, with those of other files",
			 YAML_TREE_ENTRIES);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	entry->next = NULL;
	*end = entry;
	tree->count++;
}

static struct yaml_tree *find(struct yaml_tree *map, struct slice key)
{
	struct yaml_tree *entry = map->first;

	while (entry != NULL && !slice_equal(entry->key, key))
		entry = entry->next;
	return entry;
}

static void merge_entries(struct yaml_tree *tree, struct yaml_tree *more,
			  const struct yaml_merging *merging)
{
	for (struct yaml_tree *entry = more->first, *next; entry != NULL; entry = next) {
		struct yaml_tree *before = tree->kind == TREE_MAP ? find(tree, entry->key) : NULL;

		next = entry->next;
		if (before != NULL)
			yaml_merge(before, entry, merging);
		else
			append(tree, entry, merging);
	}
}

/* What was nothing becomes what the other is, in its place among its siblings. */
static void become(struct yaml_tree *tree, const struct yaml_tree *more)
{
	struct yaml_tree *next = tree->next;

	*tree = *more;
	tree->next = next;
}

void yaml_merge(struct yaml_tree *tree, struct yaml_tree *more, const struct yaml_merging *merging)
{
	if (yaml_tree_is_null(more) || more->kind == TREE_REFUSED || tree->kind == TREE_REFUSED)
		return;
	if (yaml_tree_is_null(tree))
		become(tree, more);
	else if (tree->kind == more->kind && tree->kind != TREE_TEXT)
		merge_entries(tree, more, merging);
	else
		complain(merging, more->key.n ? more->key_place : more->place,
			 "this is given in %s at line %u already: keep one of the two",
			 merging->files[tree->place.file],
			 tree->key.n ? tree->key_place.line : tree->place.line);
}
