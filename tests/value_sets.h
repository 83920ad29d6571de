/* The value sets of conf/, for the tests that decide with them. */
#ifndef DMPFEED_TESTS_VALUE_SETS_H
#define DMPFEED_TESTS_VALUE_SETS_H

#include "document/valueset.h"
#include "sample.h"

static struct valuesets *valuesets;

/* From the project's root or from where DMPFEED_SOURCE says it is. */
static inline int load_valuesets(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	struct err err = { 0 };

	(void)state;
	if (valuesets_load(&valuesets, folder, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static inline int free_valuesets(void **state)
{
	(void)state;
	valuesets_free(&valuesets);
	return 0;
}

#endif
