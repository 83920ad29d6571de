/* A message of HL7 v2, changed: its segments and what they are made of, one value, the document in it, the
 * delimiters. It begins with MSH and its delimiters, each line is a segment or continues an OBX, and MSH-18 tells
 * how the bytes are to be read, as before.
 */
#include "base/codec.h"
#include "mutate.h"

enum { PARTS_MOST = 512, TRIES = 16, PAYLOAD_LEAST = 32, COPIES_MOST = 64, HEADER_CHARSET = 17 };

enum level { SEGMENT, FIELD, REPETITION, COMPONENT, SUBCOMPONENT, LEVELS };

struct message {
	struct slice text;
	struct dice *dice;
	char delimiters[LEVELS]; /* that of segments first: CR or LF; NUL: it has none */
	struct buf *out;
};

/* What a level cuts a text into; the first few stay as they are. */
struct parts {
	struct slice list[PARTS_MOST];
	size_t count, first;
	enum level level;
	struct dice *dice;
};

static const char *const words[] = {
	"",
	"\"\"",
	"0",
	"1",
	"Y",
	"N",
	"F",
	"C",
	"D",
	"P",
	"SB",
	"ED",
	"CWE",
	"INS",
	"PI",
	"VN",
	"I",
	"VALI",
	"PROV",
	"NW",
	"RP",
	"CA",
	"ADT",
	"MDM",
	"ORU",
	"ACK",
	"T02",
	"T04",
	"T10",
	"R01",
	"A01",
	"A03",
	"A11",
	"A28",
	"A40",
	"Z99",
	"2.1",
	"2.5",
	"2.6",
	"UNICODE UTF-8",
	"8859/15",
	"20261120101500",
	"20261120101500+0100",
	"20260229",
	"-1",
	"99999999999999999999",
	"1.2.250.1.213.1.4.10",
	"1.2.250.1.213.1.4.8",
	"279035121518989",
	"11490-0",
	"DESTDMP",
	"MASQUE_PS",
	"INVISIBLE_PATIENT",
	"ACK_RECEPTION",
	"\\F\\",
	"\\S\\",
	"\\X41\\",
	"\\XC3\\",
	"\\.br\\",
	"\\H\\x\\N\\",
	"\\",
	"\\Z",
	"&&",
	"^^",
	"~~",
};

static const char *const segments[] = { "EVN", "PID", "PV1", "ORC", "OBR", "TXA", "OBX", "PRT",
					"NTE", "MRG", "ZBE", "ZFA", "ZFD", "MSA", "ERR", "ZZZ" };

/* ---- cutting ---- */

static bool ends_line(char c)
{
	return c == '\r' || c == '\n';
}

static bool is_segment(const struct message *message, struct slice text)
{
	for (size_t i = 0; i < 3; i++)
		if (i >= text.n || !((text.p[i] >= 'A' && text.p[i] <= 'Z') ||
				     (text.p[i] >= '0' && text.p[i] <= '9')))
			return false;
	return text.n == 3 || ends_line(text.p[3]) || text.p[3] == message->delimiters[FIELD];
}

/* A line that is no segment belongs to the one before it. */
static bool cuts(const struct message *message, enum level level, struct slice text, size_t at)
{
	if (level == SEGMENT)
		return ends_line(text.p[at]) && is_segment(message, slice_from(text, at + 1));
	return text.p[at] == message->delimiters[level] && text.p[at] != '\0';
}

static void cut(const struct message *message, enum level level, struct slice text,
		struct parts *parts)
{
	size_t start = 0;

	parts->level = level;
	parts->dice = message->dice;
	parts->count = parts->first = 0;
	for (size_t i = 0; i < text.n && parts->count < PARTS_MOST - 1; i++) {
		if (!cuts(message, level, text, i))
			continue;
		parts->list[parts->count++] = (struct slice){ text.p + start, i - start };
		start = i + 1;
	}
	parts->list[parts->count++] = slice_from(text, start);
	for (size_t i = 0; level == SEGMENT && i < parts->count; i++)
		parts->list[i] = slice_trim(parts->list[i]);
	if (level == SEGMENT)
		parts->first = 1; /* MSH */
	else if (level == FIELD)
		parts->first = slice_starts(text, "MSH") ? 2 : 1; /* the name, the delimiters */
}

/* ---- a list of parts ---- */

static size_t any(const struct parts *parts)
{
	return parts->first + dice_below(parts->dice, parts->count - parts->first);
}

static void insert(struct parts *parts, size_t at, struct slice part)
{
	if (parts->count == PARTS_MOST)
		return;
	memmove(&parts->list[at + 1], &parts->list[at], (parts->count - at) * sizeof(part));
	parts->list[at] = part;
	parts->count++;
}

static void drop(struct parts *parts)
{
	const size_t at = any(parts);

	parts->count--;
	memmove(&parts->list[at], &parts->list[at + 1],
		(parts->count - at) * sizeof(parts->list[0]));
}

static void drop_the_rest(struct parts *parts)
{
	parts->count = any(parts);
}

static void empty(struct parts *parts)
{
	struct slice *part = &parts->list[any(parts)];

	part->n = parts->level == SEGMENT ? min(part->n, (size_t)3) : 0;
}

static void repeat(struct parts *parts)
{
	const size_t at = any(parts);

	for (size_t n = dice_below(parts->dice, 1 + dice_below(parts->dice, COPIES_MOST)) + 1;
	     n > 0; n--)
		insert(parts, at, parts->list[at]);
}

static void swap(struct parts *parts)
{
	const size_t a = any(parts), b = any(parts);
	const struct slice kept = parts->list[a];

	parts->list[a] = parts->list[b];
	parts->list[b] = kept;
}

static void copy_between(struct parts *parts)
{
	insert(parts, any(parts), parts->list[any(parts)]);
}

static void copy_over(struct parts *parts)
{
	parts->list[any(parts)] = parts->list[any(parts)];
}

static void shift(struct parts *parts)
{
	insert(parts, any(parts), slice_of(""));
}

static void (*const list_changes[])(struct parts *) = {
	drop, drop_the_rest, empty, repeat, swap, copy_between, copy_over, shift,
};

/* ---- a value ---- */

/* Some other one of the message. */
static struct slice value_elsewhere(const struct message *message)
{
	const struct slice from =
		slice_from(message->text, dice_below(message->dice, message->text.n));
	size_t n = 0;

	while (n < from.n && memchr(message->delimiters, from.p[n], LEVELS) == NULL &&
	       (unsigned char)from.p[n] >= ' ' && (unsigned char)from.p[n] <= '~')
		n++;
	return (struct slice){ from.p, n };
}

/* A few times, or so often that limits are met. */
static void add_repeated(const struct message *message, struct slice value)
{
	const size_t most = dice_below(message->dice, 2) ? COPIES_MOST / 8 : message->out->limit;

	for (size_t n = 2 + dice_below(message->dice, most); n > 0 && !message->out->overfull; n--)
		buf_add(message->out, value.n > 0 ? value : slice_of("x"));
}

static void change_value(const struct message *message, struct slice value)
{
	char reserved[LEVELS + 1] = { 0 };

	switch (dice_below(message->dice, 8)) {
	case 0:
		buf_add(message->out, value_elsewhere(message));
		break;
	case 1:
		add_repeated(message, value);
		break;
	case 2 ... 4:
		memcpy(reserved, message->delimiters, LEVELS);
		mutate_text(value, reserved, message->out);
		break;
	default:
		buf_add_text(message->out, words[dice_below(message->dice, length_of(words))]);
	}
}

/* A document in Base64, which may be XML. */
static bool change_payload(const struct message *message, struct slice value)
{
	scoped(buf_done) struct buf payload = { 0 }, changed = { .limit = message->out->limit };
	struct err err;

	if (base64_decode(value, &payload, &err) < 0)
		return false;
	if (dice_below(message->dice, 4) == 0 ||
	    !mutate_xml(buf_slice(&payload), message->dice, &changed)) {
		buf_clear(&changed);
		mutate_bytes(buf_slice(&payload), &changed);
	}
	base64_encode(buf_slice(&changed), message->out);
	return true;
}

/* ---- the whole ---- */

static void change(const struct message *message, enum level level, struct slice text);

/* The part at `at` changes; none when there is none there. */
static void add_parts(const struct message *message, const struct parts *parts, size_t at)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (i > 0)
			buf_add_char(message->out, message->delimiters[parts->level]);
		if (i == at)
			change(message, parts->level + 1, parts->list[i]);
		else
			buf_add(message->out, parts->list[i]);
	}
}

/* Only an OBX goes on in lines that are no segments. */
static void rename_segment(struct parts *parts, struct slice segment)
{
	if (memchr(segment.p, '\r', segment.n) == NULL &&
	    memchr(segment.p, '\n', segment.n) == NULL)
		parts->list[0] = slice_of(segments[dice_below(parts->dice, length_of(segments))]);
}

/* A list of parts, or what one of them is made of. The header keeps its order: it says how the rest is read. */
static void change(const struct message *message, enum level level, struct slice text)
{
	const bool in_header = level == FIELD && slice_starts(text, "MSH");
	struct parts parts;
	size_t at;

	if (level == LEVELS) {
		change_value(message, text);
		return;
	}
	cut(message, level, text, &parts);
	at = dice_below(message->dice, parts.count);
	if (!in_header && parts.count > max(parts.first, (size_t)1) &&
	    dice_below(message->dice, 3) == 0) {
		list_changes[dice_below(message->dice, length_of(list_changes))](&parts);
		at = parts.count;
	} else if (in_header && (at < parts.first || at == HEADER_CHARSET)) {
		at = parts.count;
	} else if (level == FIELD && at == 0) {
		rename_segment(&parts, text);
		at = parts.count;
	}
	add_parts(message, &parts, at);
}

/* The longest value: where there is a document, that is it. */
static bool change_document(const struct message *message)
{
	const struct slice text = message->text;
	struct slice longest = { text.p, 0 };
	size_t start = 0;

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && memchr(message->delimiters, text.p[i], LEVELS) == NULL)
			continue;
		if (i - start > longest.n)
			longest = (struct slice){ text.p + start, i - start };
		start = i + 1;
	}
	if (longest.n < PAYLOAD_LEAST)
		return false;
	start = (size_t)(longest.p - text.p);
	buf_add(message->out, (struct slice){ text.p, start });
	if (!change_payload(message, longest))
		return false;
	buf_add(message->out, slice_from(text, start + longest.n));
	return true;
}

/* Another character for one of them, everywhere; or another end of lines. */
static bool change_delimiter(const struct message *message)
{
	static const char others[] = "|^~\\&#@!$%*+:;?_{}\r\n";
	const char from = message->delimiters[dice_below(message->dice, LEVELS)];
	const char to = others[dice_below(message->dice, sizeof(others) - 1)];

	if (from == '\0' || ends_line(from) != ends_line(to) ||
	    memchr(message->text.p, to, message->text.n) != NULL)
		return false;
	buf_add(message->out, message->text);
	buf_add_char(message->out, message->delimiters[SEGMENT]);
	for (size_t i = 0; i < message->out->n; i++)
		if (message->out->p[i] == from)
			message->out->p[i] = to;
	return true;
}

static bool is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return true;
}

/* false: MSH does not begin it. Delimiters of several bytes are left alone, with what they delimit: what
 * lies within a field is then one value.
 */
static bool read_header(struct message *message)
{
	const char *p = message->text.p;

	if (message->text.n < 9 || !slice_starts(message->text, "MSH"))
		return false;
	message->delimiters[SEGMENT] = memchr(p, '\r', message->text.n) != NULL ? '\r' : '\n';
	message->delimiters[FIELD] = p[3];
	if (p[8] != p[3] || !is_ascii((struct slice){ p + 4, 4 }))
		return true;
	message->delimiters[COMPONENT] = p[4];
	message->delimiters[REPETITION] = p[5];
	message->delimiters[SUBCOMPONENT] = p[7];
	return true;
}

static bool change_once(const struct message *message)
{
	const size_t roll = dice_below(message->dice, 16);

	if (roll == 0)
		return change_delimiter(message);
	if (roll >= 5)
		change(message, SEGMENT, message->text);
	else if (!change_document(message))
		return false;
	buf_add_char(message->out, message->delimiters[SEGMENT]);
	return true;
}

bool mutate_hl7(struct slice text, struct dice *dice, struct buf *out)
{
	struct message message = { .text = slice_trim(text), .dice = dice, .out = out };

	if (!read_header(&message))
		return false;
	for (size_t i = 0; i < TRIES; i++) {
		buf_clear(out);
		if (change_once(&message) && !out->overfull && !slice_equal(text, buf_slice(out)))
			return true;
	}
	return false;
}
