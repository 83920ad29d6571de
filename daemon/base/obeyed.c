/* Characters that are obeyed instead of shown. Pure. Any thread. */
#include "base/obeyed.h"

#include "base/buf.h"

static const struct {
	uint32_t least, most;
} obeyed[] = {
	{ 0x01, 0x1f },
	{ 0x7f, 0x9f }, /* C0, DEL, C1 */
	{ 0x61c, 0x61c },
	{ 0x200e, 0x200f }, /* marks of direction */
	{ 0x2028, 0x202e },
	{ 0x2066, 0x2069 }, /* separators of lines; embeddings, overrides, isolates */
};

/* As far as the table above needs it: the first bytes are of a character of one, two or three. */
static size_t character_at(const unsigned char *c, uint32_t *ret_code)
{
	const bool second = c[0] != '\0' && (c[1] & 0xc0) == 0x80;

	if (c[0] < 0x80) {
		*ret_code = c[0];
		return 1;
	}
	if ((c[0] & 0xe0) == 0xc0 && second) {
		*ret_code = (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
		return 2;
	}
	if ((c[0] & 0xf0) == 0xe0 && second && (c[2] & 0xc0) == 0x80) {
		*ret_code = (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 |
			    (c[2] & 0x3f);
		return 3;
	}
	return 0;
}

size_t obeyed_at(const char *text, uint32_t *ret_code)
{
	uint32_t code;
	size_t n = character_at((const unsigned char *)text, &code);

	for (size_t i = 0; n > 0 && i < length_of(obeyed); i++) {
		if (code < obeyed[i].least || code > obeyed[i].most)
			continue;
		*ret_code = code;
		return n;
	}
	return 0;
}
