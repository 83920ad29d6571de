/* Many small things with one end: the strings of a document's header, of a message, of a
 * configuration.
 *
 * All-zero is empty. What it hands out lives until arena_done(). Owned by one thread at a time.
 */
#ifndef DMPFEED_BASE_ARENA_H
#define DMPFEED_BASE_ARENA_H

#include "base/buf.h"

struct arena {
	struct arena_block *blocks;
};

void arena_done(struct arena *arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((returns_nonnull));

/* A NUL-terminated copy. */
char *arena_dup(struct arena *arena, struct slice text) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...) printf_like(2, 3)
	__attribute__((returns_nonnull));

#endif
