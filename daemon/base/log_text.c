/* What may stand in a line of the journal. Pure. */
#include "base/log_text.h"

#include <stdio.h>

#include "base/obeyed.h"
#include "base/xml.h"

static const char cut[] = "…";

enum { SHOWN = 8 }; /* as much as one character becomes, with what ends it */

/* The first character of `text` as it is shown; the bytes it takes there. */
static size_t show(struct slice text, bool with_blanks, char out[static SHOWN])
{
	static const char *const short_ones[] = { ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t" };
	const unsigned char first = (unsigned char)text.p[0];
	uint32_t character;
	const size_t n = xml_char(text, &character);

	if (first < length_of(short_ones) && short_ones[first] != NULL)
		strcpy(out, short_ones[first]);
	else if (first < ' ' || first == 0x7f || (first == ' ' && !with_blanks) ||
		 (n == 1 && first >= 0x80))
		snprintf(out, SHOWN, "\\x%02x", first);
	else if (n > 1 && obeyed_at(text.p, &character) > 0)
		snprintf(out, SHOWN, "\\u%04x", character);
	else
		snprintf(out, SHOWN, "%.*s", (int)n, text.p);
	return n;
}

/* How many characters from here on are shown as they are: nearly all of nearly every line. */
static size_t plain(struct slice text, bool with_blanks)
{
	const char first = with_blanks ? ' ' : '!';
	size_t n = 0;

	while (n < text.n && text.p[n] >= first && text.p[n] <= '~')
		n++;
	return n;
}

static const char *write_shown(const char *text, bool with_blanks, char *out, size_t room)
{
	const size_t most = room - sizeof(cut);
	struct slice rest = slice_of(text);
	size_t n = 0, whole = 0; /* so much may stay when the next does not fit */
	char shown[SHOWN];

	out[0] = '\0';
	while (rest.n > 0) {
		const size_t run = n < most ? min(plain(rest, with_blanks), most - n) : 0;

		if (run > 0) {
			memcpy(out + n, rest.p, run);
			rest = slice_from(rest, run);
		} else {
			rest = slice_from(rest, show(rest, with_blanks, shown));
			if (n + strlen(shown) >= room) {
				strcpy(out + whole, cut);
				break;
			}
			strcpy(out + n, shown);
		}
		n += run ? run : strlen(shown);
		out[n] = '\0';
		if (n <= most)
			whole = n;
	}
	return out;
}

const char *log_text(const char *text, char *out, size_t room)
{
	return write_shown(text, true, out, room);
}

const char *log_word(const char *text, char out[static LOG_WORD])
{
	return write_shown(text, false, out, LOG_WORD);
}
