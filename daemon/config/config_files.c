/* The files of a configuration, from the disk to one tree. At start and at a reload, on the loop. */
#include "config/config_files.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>

#include "base/disk.h"
#include "base/yaml_merge.h"

enum { MOST_FILES = 100 }; /* that are included */

static void complain_of_file(struct option_reading *reading, unsigned file, int number,
			     const char *what_is_right)
{
	option_complain_at(reading, (struct yaml_place){ 1, 1, file },
			   arena_printf(option_scratch(reading), "cannot be read (%s): %s",
					strerror(number), what_is_right));
}

static struct yaml_tree *parse(struct option_reading *reading, unsigned file, struct slice bytes)
{
	return yaml_tree_read_file(file, bytes, option_scratch(reading), option_complain_at,
				   reading);
}

const struct yaml_tree *config_files_parse(struct option_reading *reading, const char *file,
					   struct slice bytes)
{
	return parse(reading, option_add_file(reading, file), bytes);
}

static struct yaml_tree *load(struct option_reading *reading, const char *file,
			      const char *what_is_right)
{
	const unsigned number = option_add_file(reading, file);
	scoped(buf_done) struct buf bytes = { 0 };
	int failed = disk_read(file, YAML_TREE_BYTES, &bytes);

	if (failed == 0)
		return parse(reading, number, buf_slice(&bytes));
	complain_of_file(reading, number, failed, what_is_right);
	return NULL;
}

/* ---- what is included ---- */

static void merge(struct option_reading *reading, struct yaml_tree *tree, struct yaml_tree *more)
{
	const struct yaml_merging merging = { option_files(reading), option_complain_at, reading };

	if (more->kind != TREE_MAP) {
		if (!yaml_tree_is_null(more))
			option_complain_at(reading, more->place,
					   "a configuration is made of keys: write key: value, one "
					   "a line");
		return;
	}
	for (struct yaml_tree *entry = more->first; entry != NULL; entry = entry->next) {
		if (!slice_is(entry->key, "include"))
			continue;
		option_complain_at(reading, entry->key_place,
				   "only the first file includes others: take this away");
		entry->kind = TREE_REFUSED;
	}
	yaml_merge(tree, more, &merging);
}

/* The pattern, from / on; the folder stands for itself, whatever characters are in it. */
static const char *whole_pattern(const char *pattern, const char *folder, struct arena *arena)
{
	scoped(buf_done) struct buf whole = { 0 };

	if (pattern[0] == '/')
		return pattern;
	for (; *folder; folder++) {
		if (strchr("*?[\\", *folder) != NULL)
			buf_add_char(&whole, '\\');
		buf_add_char(&whole, *folder);
	}
	buf_addf(&whole, "/%s", pattern);
	return arena_dup(arena, buf_slice(&whole));
}

static int stop_at_trouble(const char *path, int number)
{
	(void)path;
	return number != ENOENT && number != ENOTDIR;
}

static void include(struct option_reading *reading, struct yaml_tree *tree, struct yaml_place place,
		    const char *pattern, const char *folder)
{
	const char *whole = whole_pattern(pattern, folder, option_scratch(reading));
	glob_t found = { 0 };
	int rc = glob(whole, 0, stop_at_trouble, &found);

	if (rc != 0 && rc != GLOB_NOMATCH)
		option_complain_at(
			reading, place,
			"include: a folder that is named cannot be read: let the gateway "
			"enter it, or write \"\" to include nothing");
	else if (rc == GLOB_NOMATCH && strpbrk(pattern, "*?[") == NULL)
		option_complain_at(reading, place, "include: there is no such file");
	else if (found.gl_pathc > MOST_FILES)
		option_complain_at(reading, place,
				   "include: more than 100 files: they are hardly those you mean");
	for (size_t i = 0; rc == 0 && i < min(found.gl_pathc, (size_t)MOST_FILES); i++) {
		struct yaml_tree *more = load(reading, found.gl_pathv[i],
					      "let the gateway read it, or move it away");

		if (more != NULL)
			merge(reading, tree, more);
	}
	globfree(&found);
}

const struct yaml_tree *config_files_load(struct option_reading *reading, const char *file,
					  const char *folder)
{
	struct yaml_tree *tree = load(reading, file, "name another file with --config");
	const struct yaml_tree *written = tree ? yaml_tree_find(tree, slice_of("include")) : NULL;

	if (tree == NULL || (tree->kind != TREE_MAP && !yaml_tree_is_null(tree)))
		return tree;
	if (written == NULL)
		include(reading, tree, tree->place, CONFIG_INCLUDE, folder);
	else if (written->kind == TREE_TEXT && written->text.n > 0)
		include(reading, tree, written->place, written->text.p, folder);
	return tree;
}
