/* Writing XML by hand, safely. Any thread. */
#include "base/xml.h"

/* XML 1.0 (fifth edition), production 2. */
static bool is_allowed(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xd7ff) ||
	       (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

/* ASCII that no escaping touches. */
static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '&' && c != '<' && c != '>' && c != '"';
}

/* The length that a first byte of UTF-8 announces; 0: no character begins so. */
static size_t announced_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t xml_char(struct slice text, uint32_t *ret_char)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)text.p[0];
	size_t n = announced_length(first);
	uint32_t c = n == 1 ? first : first & (0x7fU >> n);

	*ret_char = XML_REPLACEMENT;
	if (n == 0 || n > text.n)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)text.p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | ((unsigned char)text.p[i] & 0x3f);
	}
	if (c < least[n]) /* a longer form than needed: RFC 3629, section 3 */
		return 1;
	if (is_allowed(c))
		*ret_char = c;
	return n;
}

/* What stands for a character; NULL: it stands for itself. */
typedef const char *escape_fn(uint32_t c);

static const char *escape_anywhere(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>': /* "]]>" may not stand in character data */
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t': /* a parser makes blanks of these three in an attribute */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	case XML_REPLACEMENT:
		return "\xef\xbf\xbd";
	default:
		return NULL;
	}
}

/* Canonical XML 1.0, 2.3: text nodes, and attribute nodes. */
static const char *escape_canonical_text(uint32_t c)
{
	switch (c) {
	case '"':
	case '\t':
	case '\n':
		return NULL;
	case '\r':
		return "&#xD;";
	default:
		return escape_anywhere(c);
	}
}

static const char *escape_canonical_attribute(uint32_t c)
{
	switch (c) {
	case '>':
		return NULL;
	case '\t':
		return "&#x9;";
	case '\n':
		return "&#xA;";
	case '\r':
		return "&#xD;";
	default:
		return escape_anywhere(c);
	}
}

/* How many characters at the start stand for themselves anywhere, as nearly all do. */
static size_t plain_length(struct slice text)
{
	size_t n = 0;

	while (n < text.n && is_plain((unsigned char)text.p[n]))
		n++;
	return n;
}

/* Runs of characters that stand for themselves are copied whole. */
static void add_escaped(struct buf *out, struct slice text, escape_fn *escape_of)
{
	struct slice run = text;

	run.n = 0;
	while (text.n > 0) {
		uint32_t c;
		size_t plain = plain_length(text), n;
		const char *escape;

		run.n += plain;
		text = slice_from(text, plain);
		if (text.n == 0)
			break;
		n = xml_char(text, &c);
		escape = escape_of(c);

		text = slice_from(text, n);
		if (escape == NULL) {
			run.n += n;
			continue;
		}
		buf_add(out, run);
		buf_add_text(out, escape);
		run = (struct slice){ text.p, 0 };
	}
	buf_add(out, run);
}

void xml_add(struct buf *out, const char *text)
{
	add_escaped(out, slice_of(text), escape_anywhere);
}

void xml_add_canonical_text(struct buf *out, const char *text)
{
	add_escaped(out, slice_of(text), escape_canonical_text);
}

void xml_add_canonical_attribute(struct buf *out, const char *text)
{
	add_escaped(out, slice_of(text), escape_canonical_attribute);
}
