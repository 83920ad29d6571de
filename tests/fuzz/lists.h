/* The value sets that the project ships, for the targets that decide with them: read once. */
#ifndef DMPFEED_TESTS_FUZZ_LISTS_H
#define DMPFEED_TESTS_FUZZ_LISTS_H

#include "document/valueset.h"

static inline const struct valuesets *lists(void)
{
	static struct valuesets *valuesets;
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	struct err err;

	if (valuesets == NULL && valuesets_load(&valuesets, folder, &err) < 0)
		abort();
	return valuesets;
}

#endif
