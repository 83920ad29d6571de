/* How the characters of an HL7 v2 message are written. Pure. Any thread. */
#include "hl7/charset.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* How many bytes at the start are ASCII. Eight at a time: a message is megabytes of Base64. */
static size_t ascii_run(struct slice bytes)
{
	const uint64_t high_bits = 0x8080808080808080;
	size_t n = 0;
	uint64_t eight;

	for (; bytes.n - n >= sizeof(eight); n += sizeof(eight)) {
		memcpy(&eight, bytes.p + n, sizeof(eight));
		if (eight & high_bits)
			break;
	}
	while (n < bytes.n && (unsigned char)bytes.p[n] < 0x80)
		n++;
	return n;
}

/* The character at the start of `bytes` and how many bytes it takes (RFC 3629, 4: no long forms, no
 * surrogates, nothing above U+10FFFF); 0 when there is none.
 */
static size_t utf8_character(struct slice bytes, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = bytes.n ? (uint8_t)bytes.p[0] : 0xff;
	size_t n = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t code;

	if (n == 0 || first > 0xf4 || bytes.n < n)
		return 0;
	code = n == 1 ? first : first & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)bytes.p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((uint8_t)bytes.p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

bool charset_is_utf8(struct slice bytes)
{
	uint32_t code;
	size_t n;

	for (bytes = slice_from(bytes, ascii_run(bytes)); bytes.n > 0;
	     bytes = slice_from(bytes, ascii_run(bytes))) {
		n = utf8_character(bytes, &code);
		if (n == 0)
			return false;
		bytes = slice_from(bytes, n);
	}
	return true;
}

/* The eight bytes that ISO 8859-15 reads otherwise than ISO 8859-1, where a byte is its code. */
static const struct {
	uint8_t byte;
	uint16_t code;
} of_8859_15[] = {
	{ 0xa4, 0x20ac }, { 0xa6, 0x0160 }, { 0xa8, 0x0161 }, { 0xb4, 0x017d },
	{ 0xb8, 0x017e }, { 0xbc, 0x0152 }, { 0xbd, 0x0153 }, { 0xbe, 0x0178 },
};

static uint32_t code_8859_15(char byte)
{
	for (size_t i = 0; i < length_of(of_8859_15); i++)
		if (of_8859_15[i].byte == (uint8_t)byte)
			return of_8859_15[i].code;
	return (uint8_t)byte;
}

static bool reads_alike_in_8859_1(struct slice text)
{
	for (size_t i = 0; i < length_of(of_8859_15); i++)
		if (text.n > 0 && memchr(text.p, of_8859_15[i].byte, text.n) != NULL)
			return false;
	return true;
}

static const struct label {
	const char *name;
	enum hl7_charset charset;
	bool is_8859_1;
} labels[] = {
	{ "UNICODE UTF-8", HL7_UTF_8, false },
	{ "8859/15", HL7_8859_15, false },
	{ "8859/1", HL7_8859_15, true },
};

static const struct label *label_of(struct slice declared)
{
	for (size_t i = 0; i < length_of(labels); i++)
		if (slice_is_nocase(declared, labels[i].name))
			return &labels[i];
	return NULL;
}

/* What MSH-18 says of bytes that are not UTF-8. */
static int choose_bytes(const struct label *label, bool silent, struct slice text,
			enum hl7_charset *ret_charset, struct err *err)
{
	if (label == NULL && !silent)
		return err_refuse(
			err, REASON_DATA_TYPE, "MSH-18",
			"the character set is not one of the profile, and the text is not "
			"UTF-8");
	if (label != NULL && label->charset == HL7_UTF_8)
		return err_refuse(err, REASON_DATA_TYPE, "MSH-18",
				  "the text is declared UTF-8 but is not");
	if (label != NULL && label->is_8859_1 && !reads_alike_in_8859_1(text))
		return err_refuse(
			err, REASON_DATA_TYPE, "MSH-18",
			"8859/1 is declared, but the text holds a byte that 8859/15 reads "
			"differently: declare 8859/15 or UNICODE UTF-8");
	*ret_charset = HL7_8859_15;
	return 0;
}

int charset_choose(struct slice declared, struct slice text, enum hl7_charset *ret_charset,
		   bool *ret_corrected, struct err *err)
{
	const struct label *label = label_of(declared);
	bool silent = declared.n == 0;

	*ret_corrected = false;
	if (ascii_run(text) == text.n) { /* escapes may still stand for other bytes */
		*ret_charset = label ? label->charset : HL7_UTF_8;
		*ret_corrected = label == NULL && !silent;
		return 0;
	}
	if (charset_is_utf8(text)) {
		*ret_charset = HL7_UTF_8;
		*ret_corrected = !silent && (label == NULL || label->charset != HL7_UTF_8);
		return 0;
	}
	return choose_bytes(label, silent, text, ret_charset, err);
}

/* XML 1.0, 2.2: what a document may hold; and no DEL, which a terminal obeys. */
static bool is_text(uint32_t code)
{
	return code >= 0x20 ? code != 0x7f && code != 0xfffe && code != 0xffff
			    : code == '\t' || code == '\n' || code == '\r';
}

static void add_latin(struct buf *out, uint32_t code)
{
	if (code < 0x80) {
		buf_add_char(out, (char)code);
		return;
	}
	if (code >= 0x800) {
		buf_add_char(out, (char)(0xe0 | code >> 12));
		buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xc0 | code >> 6));
	}
	buf_add_char(out, (char)(0x80 | (code & 0x3f)));
}

void charset_to_utf8(struct slice bytes, enum hl7_charset charset, struct buf *out)
{
	for (size_t n; bytes.n > 0; bytes = slice_from(bytes, n)) {
		uint32_t code = 0;

		if (charset == HL7_UTF_8) {
			n = utf8_character(bytes, &code);
		} else {
			n = 1;
			code = code_8859_15(bytes.p[0]);
		}
		if (n == 0 || !is_text(code)) {
			buf_add_text(out, REPLACEMENT);
			n = max(n, (size_t)1);
		} else if (charset == HL7_UTF_8) {
			buf_add(out, (struct slice){ bytes.p, n });
		} else {
			add_latin(out, code);
		}
	}
}

struct slice charset_cut(struct slice utf8, size_t most)
{
	size_t n = 0;

	for (; n < utf8.n; n++)
		if (((uint8_t)utf8.p[n] & 0xc0) != 0x80 && most-- == 0)
			break;
	return (struct slice){ utf8.p, n };
}
