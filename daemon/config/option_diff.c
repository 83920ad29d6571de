/* What one configuration says otherwise than another. Pure. */
#include "config/option_diff.h"

#include <stdio.h>

struct comparing {
	void (*each)(void *arg, const struct option_change *change);
	void *arg;
};

/* The entries of a list. */
struct entries {
	const char *p;
	size_t n, bytes;
};

static struct entries entries_of(const struct option *option, const void *from)
{
	struct entries entries = { .bytes = option->entries->struct_bytes };

	memcpy(&entries.p, (const char *)from + option->at, sizeof(entries.p));
	memcpy(&entries.n, (const char *)from + option->count_at, sizeof(entries.n));
	return entries;
}

static const void *entry(const struct entries *entries, size_t i)
{
	return entries->p + i * entries->bytes;
}

/* ---- values ---- */

static void print(const struct option *option, const void *from, struct buf *out)
{
	struct entries entries;

	if (option->kind != OPTION_VALUES) {
		option_print(option, (const char *)from + option->at, out);
		return;
	}
	entries = entries_of(option, from);
	buf_add_char(out, '[');
	for (size_t i = 0; i < entries.n; i++) {
		buf_add_text(out, i ? ", " : "");
		option_print(option->entries->options, entry(&entries, i), out);
	}
	buf_add_char(out, ']');
}

/* Of a webhook less is printed than it has. */
static bool is_changed(const struct option *option, const void *before, const void *after)
{
	const char *was, *is;

	if (option->kind != OPTION_WEBHOOK)
		return false;
	memcpy(&was, (const char *)before + option->at, sizeof(was));
	memcpy(&is, (const char *)after + option->at, sizeof(is));
	return !slice_equal(slice_of(was), slice_of(is));
}

static void compare_values(const struct comparing *comparing, const struct option *option,
			   const char *name, const void *before, const void *after)
{
	scoped(buf_done) struct buf was = { 0 }, is = { 0 };

	print(option, before, &was);
	print(option, after, &is);
	if (slice_equal(buf_slice(&was), buf_slice(&is))) {
		if (!is_changed(option, before, after))
			return;
		buf_add_text(&is, " (what follows the host is another)");
	}
	comparing->each(comparing->arg,
			&(struct option_change){ name, was.p, is.p, option,
						 (const char *)after + option->at });
}

/* ---- entries ---- */

/* What an entry is called; NULL: it has no name. */
static const char *name_of(const struct option *list, const void *of)
{
	const struct option *first = &list->entries->options[0];
	const char *name = NULL;

	if (first->kind == OPTION_TEXT || first->kind == OPTION_NAME ||
	    first->kind == OPTION_FINESS)
		memcpy(&name, (const char *)of + first->at, sizeof(name));
	return name;
}

static size_t find(const struct option *list, const struct entries *entries, const char *name)
{
	size_t i = 0;

	while (i < entries->n && strcmp(name_of(list, entry(entries, i)), name) != 0)
		i++;
	return i;
}

static bool are_named(const struct option *list, const struct entries *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		const char *name = name_of(list, entry(entries, i));

		if (name == NULL || find(list, entries, name) < i)
			return false;
	}
	return true;
}

static void tell_entry(const struct comparing *comparing, const struct option *list,
		       const char *name, const void *before, const void *after)
{
	comparing->each(comparing->arg, &(struct option_change){ name, before ? "" : NULL,
								 after ? "" : NULL, list, after });
}

static void compare_structs(const struct comparing *comparing, const struct option_table *table,
			    const char *within, const void *before, const void *after);

/* One of them may be NULL. */
static void compare_entry(const struct comparing *comparing, const struct option *list,
			  const char *name, const void *before, const void *after)
{
	scoped(free_ptr) char *within = xasprintf("%s.", name);

	if (before == NULL || after == NULL)
		tell_entry(comparing, list, name, before, after);
	else
		compare_structs(comparing, list->entries, within, before, after);
}

static void compare_named(const struct comparing *comparing, const struct option *list,
			  const char *name, const struct entries *before,
			  const struct entries *after)
{
	for (size_t i = 0; i < before->n; i++) {
		const char *called = name_of(list, entry(before, i));
		scoped(free_ptr) char *full = xasprintf("%s[%s]", name, called);
		size_t j = find(list, after, called);

		compare_entry(comparing, list, full, entry(before, i),
			      j < after->n ? entry(after, j) : NULL);
	}
	for (size_t i = 0; i < after->n; i++) {
		const char *called = name_of(list, entry(after, i));
		scoped(free_ptr) char *full = xasprintf("%s[%s]", name, called);

		if (find(list, before, called) == before->n)
			compare_entry(comparing, list, full, NULL, entry(after, i));
	}
}

static void compare_placed(const struct comparing *comparing, const struct option *list,
			   const char *name, const struct entries *before,
			   const struct entries *after)
{
	for (size_t i = 0; i < max(before->n, after->n); i++) {
		scoped(free_ptr) char *full = xasprintf("%s[%zu]", name, i + 1);

		compare_entry(comparing, list, full, i < before->n ? entry(before, i) : NULL,
			      i < after->n ? entry(after, i) : NULL);
	}
}

static void compare_lists(const struct comparing *comparing, const struct option *list,
			  const char *name, const void *before, const void *after)
{
	const struct entries was = entries_of(list, before), is = entries_of(list, after);

	if (are_named(list, &was) && are_named(list, &is))
		compare_named(comparing, list, name, &was, &is);
	else
		compare_placed(comparing, list, name, &was, &is);
}

static void compare_structs(const struct comparing *comparing, const struct option_table *table,
			    const char *within, const void *before, const void *after)
{
	for (const struct option *o = table->options; o < table->options + table->count; o++) {
		scoped(free_ptr) char *name = xasprintf("%s%s", within, o->name);

		if (o->kind == OPTION_LIST)
			compare_lists(comparing, o, name, before, after);
		else
			compare_values(comparing, o, name, before, after);
	}
}

void option_diff(const struct option_table *table, const void *before, const void *after,
		 void (*each)(void *arg, const struct option_change *change), void *arg)
{
	const struct comparing comparing = { each, arg };

	compare_structs(&comparing, table, "", before, after);
}
