/* Traits of a patient. Any thread. */
#include "document/traits.h"

#include <stddef.h>

static const size_t texts[] = {
	offsetof(struct traits, ins),         offsetof(struct traits, ins_oid),
	offsetof(struct traits, family),      offsetof(struct traits, given),
	offsetof(struct traits, given_names), offsetof(struct traits, sex),
	offsetof(struct traits, birth_date),  offsetof(struct traits, birth_place),
};

static const char **text_at(struct traits *traits, size_t i)
{
	return (const char **)((char *)traits + texts[i]);
}

/* A line each. */
void traits_write(const struct traits *traits, struct buf *out)
{
	struct traits copy = *traits;

	for (size_t i = 0; i < length_of(texts); i++) {
		const struct slice text = slice_of(*text_at(&copy, i));

		for (size_t j = 0; j < text.n; j++)
			buf_addf(out, "%c", text.p[j] == '\n' ? ' ' : text.p[j]);
		buf_addf(out, "\n");
	}
}

bool traits_read(struct traits *ret_traits, struct slice kept, struct arena *arena)
{
	struct traits traits;

	for (size_t i = 0; i < length_of(texts); i++) {
		const char *end = kept.n > 0 ? memchr(kept.p, '\n', kept.n) : NULL;

		if (end == NULL)
			return false;
		*text_at(&traits, i) =
			arena_dup(arena, (struct slice){ kept.p, (size_t)(end - kept.p) });
		kept = slice_from(kept, (size_t)(end - kept.p) + 1);
	}
	*ret_traits = traits;
	return kept.n == 0;
}

const char *traits_compared(const char *birth_date, const char *sex, struct arena *arena)
{
	if (strlen(birth_date) != 8 || (strcmp(sex, "M") != 0 && strcmp(sex, "F") != 0))
		return "";
	return arena_printf(arena, "%s%s", birth_date, sex);
}
