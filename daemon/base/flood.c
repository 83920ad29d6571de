/* So many lines of a kind in an interval. Pure. */
#include "base/flood.h"

#include <stdio.h>

static bool is_over(const struct flood_kind *kind, const struct flood_limit *limit, int64_t now_ms)
{
	return now_ms - kind->since_ms >= limit->interval_ms;
}

/* The entry of that kind; a new one, in the place of one that has nothing to tell when all are taken; or NULL. */
static struct flood_kind *kind_of(struct flood *flood, const struct flood_limit *limit,
				  const char *format, int level, int64_t now_ms)
{
	struct flood_kind *kind = NULL;

	for (size_t i = 0; i < flood->count; i++) {
		struct flood_kind *known = &flood->kinds[i];

		if (known->format == format && known->level == level)
			return known;
		if (known->left_out == 0 && is_over(known, limit, now_ms))
			kind = known;
	}
	if (flood->count < FLOOD_KINDS)
		kind = &flood->kinds[flood->count++];
	if (kind != NULL)
		*kind = (struct flood_kind){ .format = format, .level = level, .since_ms = now_ms };
	return kind;
}

bool flood_lets_pass(struct flood *flood, const struct flood_limit *limit, const char *format,
		     int level, const char *text, int64_t now_ms)
{
	struct flood_kind *kind;

	if (limit->burst == 0)
		return true;
	kind = kind_of(flood, limit, format, level, now_ms);
	if (kind == NULL) /* more kinds at once than there are entries: rather a line too many */
		return true;
	if (kind->left_out == 0 && is_over(kind, limit, now_ms)) {
		kind->since_ms = now_ms;
		kind->passed = 0;
	}
	if (kind->passed < limit->burst) {
		kind->passed++;
		return true;
	}
	kind->left_out++;
	snprintf(kind->last, sizeof(kind->last), "%s", text);
	return false;
}

bool flood_next(struct flood *flood, const struct flood_limit *limit, bool at_once, int64_t now_ms,
		struct flood_told *ret_told)
{
	for (size_t i = 0; i < flood->count; i++) {
		struct flood_kind *kind = &flood->kinds[i];

		if (kind->left_out == 0 || !(at_once || is_over(kind, limit, now_ms)))
			continue;
		*ret_told = (struct flood_told){ kind->level, kind->left_out,
						 now_ms - kind->since_ms, "" };
		memcpy(ret_told->last, kind->last, sizeof(kind->last));
		kind->since_ms = now_ms;
		kind->passed = kind->left_out = 0;
		return true;
	}
	return false;
}
