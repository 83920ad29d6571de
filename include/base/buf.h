/* Bytes: borrowed (struct slice) or owned (struct buf).
 *
 * A slice is a pointer and a length: never freed, may hold NUL, valid as long as its owner says. A
 * buf grows, has a limit, and is empty when all-zero. Builders append without looking at results: a
 * buf that would pass its limit remembers it and ignores what follows, and buf_check() asks once at
 * the end. Memory that cannot be had aborts the process: what was acknowledged is on disk. Any
 * thread; no locking.
 */
#ifndef DMPFEED_BASE_BUF_H
#define DMPFEED_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/err.h"

#define scoped(fn) __attribute__((cleanup(fn)))

/* Hands a scoped pointer over to the caller and leaves NULL behind. */
#define take(p)                                                                                    \
	__extension__({                                                                            \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#define min(a, b)                                                                                  \
	__extension__({                                                                            \
		__typeof__(a) min_a = (a);                                                         \
		__typeof__(b) min_b = (b);                                                         \
		min_a < min_b ? min_a : min_b;                                                     \
	})
#define max(a, b)                                                                                  \
	__extension__({                                                                            \
		__typeof__(a) max_a = (a);                                                         \
		__typeof__(b) max_b = (b);                                                         \
		max_a > max_b ? max_a : max_b;                                                     \
	})
#define length_of(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Says so, and aborts: what was acknowledged is on disk. Also for libraries that lack memory where nothing can be
 * told of it.
 */
void no_memory(void) __attribute__((noreturn, cold));

/* How a program ends that acknowledges nothing: it has words, and a code, of its own. At start. */
void no_memory_ends(void (*end)(void));

/* Small allocations do not fail: they abort so. Never for a size an outsider chose without a limit. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) printf_like(1, 2) __attribute__((malloc, returns_nonnull));

/* For scoped(): frees *(void **)p and leaves NULL. */
void free_ptr(void *p);

struct slice {
	const char *p;
	size_t n;
};

/* slice_of("literal or NUL-terminated text"); NULL reads as empty. */
static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text ? text : "", text ? strlen(text) : 0 };
}

/* The rest from start; empty when past the end. */
static inline struct slice slice_from(struct slice a, size_t start)
{
	start = min(start, a.n);
	return (struct slice){ start ? a.p + start : a.p, a.n - start };
}

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *text);        /* byte for byte */
bool slice_is_nocase(struct slice a, const char *text); /* ASCII letters without regard to case */
bool slice_starts(struct slice a, const char *prefix);
struct slice slice_trim(struct slice a);                 /* without ASCII blanks at both ends */
char *slice_dup(struct slice a) __attribute__((malloc)); /* NUL-terminated copy: the caller frees */

/* Takes the part of *rest before the next `separator` (or all of it) off *rest. false when *rest
 * was exhausted (rest->p NULL). */
bool slice_next(struct slice *rest, char separator, struct slice *ret_part);

/* Decimal digits only, no sign, no blanks; false when empty, not digits, or above `most`. */
must_use bool slice_to_u64(struct slice a, uint64_t most, uint64_t *ret_number);

enum { BUF_LIMIT_UNSET = 0 };
#define BUF_LIMIT_DEFAULT                                                                          \
	((size_t)256 << 20) /* a backstop: whoever reads outside bytes sets its own */

struct buf {
	char *p; /* always followed by a NUL once anything was appended */
	size_t n, room;
	size_t limit; /* most bytes it may hold; 0: BUF_LIMIT_DEFAULT */
	bool overfull;
};

void buf_done(struct buf *buf);  /* frees, leaves all-zero; for scoped() */
void buf_clear(struct buf *buf); /* empties, keeps memory and limit */

/* Makes room for `more` bytes after buf->n and returns their address, or NULL (and overfull) past
 * the limit. The caller adds to buf->n. */
must_use char *buf_reserve(struct buf *buf, size_t more);

void buf_add(struct buf *buf, struct slice bytes);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) printf_like(2, 3);
void buf_fit(struct buf *buf);                /* gives back the room that it does not fill */
void buf_drop(struct buf *buf, size_t first); /* forgets the first bytes, moves the rest down */

static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->p ? buf->p : "", buf->n };
}

/* 0, or -1 and err (ERR_REJECT, REASON_TOO_LARGE) when an append was ignored. `what` names the
 * thing for people. */
must_use int buf_check(const struct buf *buf, const char *what, struct err *err);

#endif
