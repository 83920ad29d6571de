/* Preloaded, refuses one allocation: the n-th since the start, whoever asks for it.
 *
 * FAILING_MEMORY: a file that holds a struct control, which the test writes before the start and reads after.
 */
#include "preload.h"

#include <errno.h>
#include <stdatomic.h>

/* The test has the same (tests/system/disks.py). */
struct control {
	int64_t nth; /* the first is 0; negative: none is refused */
	_Atomic int64_t seen;
};

static struct control *control;

__attribute__((constructor)) static void start(void)
{
	control = shared_memory("FAILING_MEMORY", sizeof(*control));
}

static bool is_refused(void)
{
	if (control == NULL || atomic_fetch_add(&control->seen, 1) != control->nth)
		return false;
	errno = ENOMEM;
	return true;
}

/* The C library's own, by the names that need no looking up: that would allocate. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);

void *malloc(size_t bytes)
{
	return is_refused() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return is_refused() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	return is_refused() ? NULL : __libc_realloc(memory, bytes);
}
