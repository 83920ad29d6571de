/* The keys of a table, and what is meant by one that it does not have. Pure. */
#include "config/option_keys.h"

enum { LONGEST_KEY = 40 };

/* The key that a row has right below `within` ("" or "dmp.tls."); empty when it stands elsewhere.
 */
static struct slice key_below(const struct option *option, const char *within)
{
	struct slice name = slice_of(option->name), key;

	if (!slice_starts(name, within))
		return (struct slice){ 0 };
	name = slice_from(name, strlen(within));
	return slice_next(&name, '.', &key) ? key : (struct slice){ 0 };
}

enum option_key option_key_of(const struct option_table *of, const char *within, struct slice key)
{
	for (size_t i = 0; i < of->count; i++)
		if (key.n > 0 && slice_equal(key_below(&of->options[i], within), key))
			return strlen(of->options[i].name) == strlen(within) + key.n
				       ? OPTION_KEY_VALUE
				       : OPTION_KEY_GROUP;
	return OPTION_KEY_UNKNOWN;
}

void option_keys_list(const struct option_table *of, const char *within, struct buf *out)
{
	struct slice key, last = { 0 };

	for (size_t i = 0; i < of->count; i++) {
		key = key_below(&of->options[i], within);
		if (key.n == 0 || slice_equal(key, last))
			continue;
		buf_addf(out, "%s%.*s", out->n ? ", " : "", (int)key.n, key.p);
		last = key;
	}
}

/* How many characters must be changed, added or taken away to make b of a (Levenshtein). */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[LONGEST_KEY + 1], diagonal, above;

	if (a.n > LONGEST_KEY || b.n > LONGEST_KEY)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			above = row[j];
			row[j] = min(above, row[j - 1]) + 1;
			row[j] = min(row[j], diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

static struct slice nearest_key(const struct option_table *of, const char *within, struct slice key)
{
	size_t least = min((size_t)2, key.n / 2) + 1, d;
	struct slice nearest = { 0 }, candidate;

	for (size_t i = 0; i < of->count; i++) {
		candidate = key_below(&of->options[i], within);
		d = candidate.n ? distance(key, candidate) : SIZE_MAX;
		if (d < least) {
			least = d;
			nearest = candidate;
		}
	}
	return nearest;
}

/* Where a key of that name would be right: "establishments[].dmp", "status". One that is a row or groups some. */
static void list_homes(const struct option_table *of, const char *within, struct slice key,
		       struct buf *out)
{
	scoped(free_ptr) char *last = NULL;

	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		struct slice rest = slice_of(o->name), word;

		if (o->kind == OPTION_LIST) {
			scoped(free_ptr) char *inner = xasprintf("%s%s[].", within, o->name);

			list_homes(o->entries, inner, key, out);
		}
		while (slice_next(&rest, '.', &word)) {
			size_t before = (size_t)(word.p - o->name);
			char *home;

			if (!slice_equal(word, key))
				continue;
			home = xasprintf("%s%.*s", within, (int)before, o->name);
			if (last == NULL || strcmp(home, last) != 0)
				buf_addf(out, "%s%.*s", out->n ? ", or " : "",
					 home[0] ? (int)strlen(home) - 1 : 16,
					 home[0] ? home : "the first column");
			free(last);
			last = home;
		}
	}
}

/* A key that is right elsewhere was put at the wrong depth; one that is nearly right was misspelt. */
void option_key_unknown(const struct option_table *whole, const struct option_table *of,
			const char *within, struct slice key, struct buf *sentence)
{
	scoped(buf_done) struct buf homes = { 0 }, known = { 0 };
	const struct slice nearest = nearest_key(of, within, key);
	const struct slice shown = key.n <= LONGEST_KEY ? key : slice_of("...");

	buf_addf(sentence, "\"%.*s\" is not a key here: ", (int)shown.n, shown.p);
	if (key.n > 0)
		list_homes(whole, "", key, &homes);
	if (homes.n > 0) {
		buf_addf(sentence, "it belongs below %s", homes.p);
	} else if (nearest.n > 0) {
		buf_addf(sentence, "did you mean \"%.*s\"?", (int)nearest.n, nearest.p);
	} else if (key.n > 0 && memchr(key.p, '.', key.n) != NULL) {
		buf_add_text(sentence, "write what stands before the dot as a key, the rest on a "
				       "line of its own below it");
	} else {
		option_keys_list(of, within, &known);
		buf_addf(sentence, "known are %s", known.p);
	}
}
