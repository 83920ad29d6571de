/* What several test programs share: cmocka, and the files of tests/data. */
#ifndef DMPFEED_TESTS_SAMPLE_H
#define DMPFEED_TESTS_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"

/* Reads tests/data/<name>, from the project's root or from where DMPFEED_SOURCE says it is. A NUL
 * follows the bytes.
 */
static inline void sample_read(const char *name, struct buf *ret_bytes)
{
	const char *root = getenv("DMPFEED_SOURCE");
	char *path = xasprintf("%s/tests/data/%s", root ? root : ".", name);
	FILE *file = fopen(path, "rb");
	char *end;
	size_t n;

	if (file == NULL)
		fail_msg("cannot read %s", path);
	do {
		end = buf_reserve(ret_bytes, 4096);
		n = fread(end, 1, 4096, file);
		ret_bytes->n += n;
	} while (n > 0);
	*end = '\0';
	fclose(file);
	free(path);
}

/* A slice of a literal, which may hold NUL. */
#define bytes_of(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

#define assert_slice(got, want)                                                                    \
	do {                                                                                       \
		struct slice got_ = (got);                                                         \
		struct slice want_ = bytes_of(want);                                               \
		if (!slice_equal(got_, want_))                                                     \
			fail_msg("got \"%.*s\", want \"%s\"", (int)got_.n, got_.p, want);          \
	} while (0)

#endif
