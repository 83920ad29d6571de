/* Many small things with one end. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(max_align_t) char bytes[];
};

enum { ARENA_BLOCK = 4000 };

void arena_done(struct arena *arena)
{
	struct arena_block *block;

	while ((block = arena->blocks) != NULL) {
		arena->blocks = block->next;
		free(block);
	}
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;
	size_t aligned =
		(bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	void *p;

	if (block == NULL || block->room - block->used < aligned) {
		size_t room = max(aligned, (size_t)ARENA_BLOCK);

		block = xcalloc(1, sizeof(*block) + room);
		block->room = room;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	p = block->bytes + block->used;
	block->used += aligned;
	return p;
}

char *arena_dup(struct arena *arena, struct slice text)
{
	char *copy = arena_alloc(arena, text.n + 1);

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	char *text;
	int n;

	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, arguments);
	text = arena_alloc(arena, (size_t)max(n, 0) + 1);
	vsnprintf(text, (size_t)max(n, 0) + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}
