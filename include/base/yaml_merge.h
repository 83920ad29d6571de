/* Several YAML texts as one: what a later one says is added to what the earlier ones said.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_BASE_YAML_MERGE_H
#define DMPFEED_BASE_YAML_MERGE_H

#include "base/yaml_tree.h"

struct yaml_merging {
	const char *const *files; /* names, by the number that places have */
	yaml_complain_fn *complain;
	void *arg;
};

/* Adds `more` to `tree`, both mappings or nothing at all: keys go beside keys, the entries of a list
 * after those that are there. What both give otherwise is complained about, with both places, and
 * stays as it was. `more` belongs to `tree` from then on.
 */
void yaml_merge(struct yaml_tree *tree, struct yaml_tree *more, const struct yaml_merging *merging);

#endif
