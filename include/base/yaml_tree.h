/* A YAML text as a tree whose every part knows its line and column, so that whoever gives it a
 * meaning can say where that meaning is wrong.
 *
 * Only what a file written by hand needs: mappings, lists, texts. Aliases (which can make a huge
 * tree of a small file), anchors, tags, keys given twice and a second document are refused. Size,
 * depth and number of entries are bounded.
 *
 * Pure: the one home of libyaml. Owned by one thread at a time.
 */
#ifndef DMPFEED_BASE_YAML_TREE_H
#define DMPFEED_BASE_YAML_TREE_H

#include "base/arena.h"

enum {
	YAML_TREE_BYTES = 1 << 20,
	YAML_TREE_DEPTH = 16,
	YAML_TREE_ENTRIES = 1000, /* of one mapping, of one list */
};

enum yaml_tree_kind {
	TREE_TEXT,
	TREE_MAP,
	TREE_LIST,
	TREE_REFUSED, /* something is here, and was complained about already */
};

struct yaml_place {
	unsigned line, column; /* from 1; columns count characters */
	unsigned file;         /* which one, to whoever reads several; else 0 */
};

struct yaml_tree {
	enum yaml_tree_kind kind;
	struct yaml_place place;
	struct slice text; /* of a text; a NUL follows */
	bool quoted;       /* not plain: nothing but a text can be meant */

	struct slice key; /* of an entry of a mapping */
	struct yaml_place key_place;

	struct yaml_tree *first, *next; /* entries, in order */
	size_t count;
};

typedef void yaml_complain_fn(void *arg, struct yaml_place place, const char *sentence);

/* The tree of `bytes`, in `arena`; an empty text has an empty TREE_TEXT. NULL after a complaint
 * that leaves nothing to work with (no YAML, a limit); after lesser ones reading goes on.
 */
struct yaml_tree *yaml_tree_read(struct slice bytes, struct arena *arena,
				 yaml_complain_fn *complain, void *arg);

/* The same, of one of several files: its places say which. */
struct yaml_tree *yaml_tree_read_file(unsigned file, struct slice bytes, struct arena *arena,
				      yaml_complain_fn *complain, void *arg);

/* The entry of a mapping; NULL when there is none, or `map` is no mapping. */
const struct yaml_tree *yaml_tree_find(const struct yaml_tree *map, struct slice key);

/* Nothing was written here: no text at all, ~ or null. */
bool yaml_tree_is_null(const struct yaml_tree *tree);

#endif
