/* Preloaded, refuses one allocation: the first by the n-th way to one, whoever asks for it. A way is the calls that lead
 * to an allocation: there are ten thousand, and most are gone many times.
 *
 * FAILING_MEMORY: a file that holds a struct control, which the test writes before the start and reads after.
 */
#include "preload.h"

#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>

enum {
	CALLS = 18,     /* that a way is told by, with ours */
	WAYS = 1 << 16, /* a power of two, many more than there are */
};

/* The test has the same (tests/system/disks.py). */
struct control {
	int64_t nth; /* the first is 0; negative: none is refused */
	_Atomic int64_t seen;
};

static struct control *control;
static _Atomic uint64_t ways[WAYS]; /* 0: free */
/* backtrace() may allocate itself, and so may looking for what a thread has of its own */
static _Thread_local bool is_looking __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void start(void)
{
	void *calls[CALLS];

	backtrace(calls, CALLS); /* loads what it needs */
	control = shared_memory("FAILING_MEMORY", sizeof(*control));
}

/* FNV-1a; a call that calls itself is one. */
static uint64_t way_here(void)
{
	void *calls[CALLS];
	int count = backtrace(calls, CALLS);
	uint64_t way = 0xcbf29ce484222325;

	for (int i = 1; i < count; i++)
		if (calls[i] != calls[i - 1])
			way = (way ^ (uintptr_t)calls[i]) * 0x100000001b3;
	return way | 1;
}

static bool is_new(uint64_t way)
{
	for (uint64_t i = way >> 1;; i++) {
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&ways[i % WAYS], &found, way))
			return true;
		if (found == way)
			return false;
	}
}

static bool is_refused(void)
{
	bool refused;

	if (control == NULL || is_looking)
		return false;
	is_looking = true;
	refused = is_new(way_here()) && atomic_fetch_add(&control->seen, 1) == control->nth;
	is_looking = false;
	if (refused)
		errno = ENOMEM;
	return refused;
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
