/* Bytes, borrowed and owned. Any thread. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

static void (*ends)(void);

void no_memory_ends(void (*end)(void))
{
	ends = end;
}

void no_memory(void)
{
	static const char words[] =
		"<3>out of memory: stopping; what was acknowledged is on disk\n";

	if (ends != NULL)
		ends();
	fputs(words, stderr);
	abort();
}

static void *or_abort(void *p)
{
	if (p == NULL)
		no_memory();
	return p;
}

void *xmalloc(size_t size)
{
	return or_abort(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_abort(realloc(p, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return or_abort(text);
}

void free_ptr(void *p)
{
	void **owned = p;

	free(*owned);
	*owned = NULL;
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice a, const char *text)
{
	return slice_equal(a, slice_of(text));
}

bool slice_is_nocase(struct slice a, const char *text)
{
	return a.n == strlen(text) && (a.n == 0 || strncasecmp(a.p, text, a.n) == 0);
}

bool slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
	while (a.n > 0 && is_blank(a.p[0]))
		a = slice_from(a, 1);
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

char *slice_dup(struct slice a)
{
	char *text = xcalloc(a.n + 1, 1);

	if (a.n > 0)
		memcpy(text, a.p, a.n);
	return text;
}

bool slice_next(struct slice *rest, char separator, struct slice *ret_part)
{
	const char *end;

	if (rest->p == NULL)
		return false;
	end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	if (end == NULL) {
		*ret_part = *rest;
		*rest = (struct slice){ 0 };
		return true;
	}
	*ret_part = (struct slice){ rest->p, (size_t)(end - rest->p) };
	*rest = slice_from(*rest, ret_part->n + 1);
	return true;
}

bool slice_to_u64(struct slice a, uint64_t most, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (a.n == 0)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(a.p[i] - '0'), &number) ||
		    number > most)
			return false;
	}
	*ret_number = number;
	return true;
}

void buf_done(struct buf *buf)
{
	free(buf->p);
	*buf = (struct buf){ 0 };
}

void buf_clear(struct buf *buf)
{
	buf->n = 0;
	buf->overfull = false;
	if (buf->p != NULL)
		buf->p[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t more)
{
	size_t limit = buf->limit ? buf->limit : BUF_LIMIT_DEFAULT;
	size_t room;

	if (buf->overfull || more > limit - min(buf->n, limit)) {
		buf->overfull = true;
		return NULL;
	}
	if (buf->room - buf->n < more + 1 || buf->p == NULL) {
		room = max(buf->room + buf->room / 2, (size_t)64);
		room = min(room, limit + 1);
		room = max(room, buf->n + more + 1);
		buf->p = xrealloc(buf->p, room);
		buf->room = room;
	}
	return buf->p + buf->n;
}

void buf_add(struct buf *buf, struct slice bytes)
{
	char *end = buf_reserve(buf, bytes.n);

	if (end == NULL)
		return;
	if (bytes.n > 0)
		memcpy(end, bytes.p, bytes.n);
	buf->n += bytes.n;
	buf->p[buf->n] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, slice_of(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, (struct slice){ &c, 1 });
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	char small[256];
	va_list arguments, again;
	char *end;
	int n;

	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(small, sizeof(small), format, arguments);
	if (n < 0) {
		buf->overfull = true;
	} else if ((size_t)n < sizeof(small)) {
		buf_add(buf, (struct slice){ small, (size_t)n });
	} else if ((end = buf_reserve(buf, (size_t)n)) != NULL) {
		vsnprintf(end, (size_t)n + 1, format, again);
		buf->n += (size_t)n;
	}
	va_end(again);
	va_end(arguments);
}

void buf_drop(struct buf *buf, size_t first)
{
	first = min(first, buf->n);
	if (first == 0)
		return;
	memmove(buf->p, buf->p + first, buf->n - first);
	buf->n -= first;
	buf->p[buf->n] = '\0';
}

void buf_fit(struct buf *buf)
{
	if (buf->p == NULL)
		return;
	buf->room = buf->n + 1;
	buf->p = xrealloc(buf->p, buf->room);
}

int buf_check(const struct buf *buf, const char *what, struct err *err)
{
	if (!buf->overfull)
		return 0;
	return err_refuse(err, REASON_TOO_LARGE, "", "%s would pass %zu bytes", what,
			  buf->limit ? buf->limit : BUF_LIMIT_DEFAULT);
}
