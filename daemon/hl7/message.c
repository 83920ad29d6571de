/* An HL7 v2 message in ER7 form. Pure. Owned by one thread at a time. */
#include "hl7/message.h"

#include <stdio.h>

#include "base/clock.h"

static const char *delimiter_find(const struct hl7_delimiter *delimiter, struct slice in)
{
	const char *found = NULL;

	while (in.n >= delimiter->n) {
		found = memchr(in.p, delimiter->bytes[0], in.n - delimiter->n + 1);
		if (found == NULL || delimiter->n == 1 ||
		    memcmp(found, delimiter->bytes, delimiter->n) == 0)
			return found;
		in = slice_from(in, (size_t)(found - in.p) + 1);
	}
	return NULL;
}

/* Takes the part of *rest before the next delimiter (or all of it) off *rest. */
static bool next_part(const struct hl7_delimiter *delimiter, struct slice *rest,
		      struct slice *ret_part)
{
	const char *end;

	if (rest->p == NULL)
		return false;
	end = delimiter_find(delimiter, *rest);
	if (end == NULL) {
		*ret_part = *rest;
		*rest = (struct slice){ 0 };
		return true;
	}
	*ret_part = (struct slice){ rest->p, (size_t)(end - rest->p) };
	*rest = slice_from(*rest, ret_part->n + delimiter->n);
	return true;
}

static struct slice part(const struct hl7_delimiter *delimiter, struct slice whole, unsigned index)
{
	struct slice rest = whole, found;

	while (next_part(delimiter, &rest, &found))
		if (index-- == 0)
			return found;
	return slice_of("");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Neither a blank nor any byte of a no-break space, as nearly all that begins or ends a value: no more
 * need be looked at.
 */
static bool is_visible(char c)
{
	return c > ' ' && c <= '~';
}

static struct slice no_break_space(const struct hl7_message *message)
{
	return slice_of(message->charset == HL7_UTF_8 ? "\xc2\xa0" : "\xa0");
}

static struct slice trim_end(const struct hl7_message *message, struct slice value)
{
	struct slice space;

	if (value.n == 0 || is_visible(value.p[value.n - 1]))
		return value;
	space = no_break_space(message);
	for (;;) {
		if (value.n > 0 && is_blank(value.p[value.n - 1]))
			value.n--;
		else if (value.n >= space.n &&
			 memcmp(value.p + value.n - space.n, space.p, space.n) == 0)
			value.n -= space.n;
		else
			return value;
	}
}

struct slice hl7_trim(const struct hl7_message *message, struct slice value)
{
	struct slice space;

	value = trim_end(message, value);
	if (value.n == 0 || is_visible(value.p[0]))
		return value;
	space = no_break_space(message);
	for (;;) {
		if (value.n > 0 && is_blank(value.p[0]))
			value = slice_from(value, 1);
		else if (slice_starts(value, space.p))
			value = slice_from(value, space.n);
		else
			return value;
	}
}

bool hl7_is(struct slice segment, const char *name)
{
	return segment.n >= 3 && memcmp(segment.p, name, 3) == 0;
}

struct slice hl7_find(const struct hl7_message *message, const char *name, size_t *index)
{
	for (; *index < message->segment_count; (*index)++)
		if (hl7_is(message->segments[*index], name))
			return message->segments[*index];
	return (struct slice){ 0 };
}

void hl7_fields(const struct hl7_message *message, struct slice segment, struct slice *ret_fields,
		unsigned count)
{
	struct slice rest = segment;

	for (unsigned i = 0; i < count; i++) {
		/* HL7 2.5, 2.5.1: in MSH, and there only, the first delimiter is itself a field */
		if (i == 1 && hl7_is(segment, "MSH") && segment.n > 3)
			ret_fields[i] = (struct slice){ segment.p + 3, message->field.n };
		else if (next_part(&message->field, &rest, &ret_fields[i]))
			ret_fields[i] = trim_end(message, ret_fields[i]);
		else
			ret_fields[i] = slice_of("");
	}
}

struct slice hl7_field(const struct hl7_message *message, struct slice segment, unsigned number)
{
	bool in_header = hl7_is(segment, "MSH");

	if (in_header && number == 1)
		return (struct slice){ segment.p + 3,
				       min(segment.n - 3, (size_t)message->field.n) };
	return trim_end(message, part(&message->field, segment,
				      in_header && number > 1 ? number - 1 : number));
}

struct slice hl7_repetition(const struct hl7_message *message, struct slice field, unsigned index)
{
	return part(&message->repetition, field, index);
}

struct slice hl7_component(const struct hl7_message *message, struct slice repetition,
			   unsigned number)
{
	return part(&message->component, repetition, number - 1);
}

struct slice hl7_subcomponent(const struct hl7_message *message, struct slice component,
			      unsigned number)
{
	return part(&message->subcomponent, component, number - 1);
}

struct slice hl7_code(const struct hl7_message *message, struct slice repetition, unsigned number)
{
	return hl7_trim(message, hl7_component(message, repetition, number));
}

int64_t hl7_time(const struct hl7_message *message, struct slice field)
{
	int64_t time_ms = 0;
	struct err ignored;
	bool zoned;

	if (clock_parse_hl7(hl7_code(message, field, 1), &time_ms, &zoned, &ignored) < 0)
		return 0;
	return time_ms;
}

bool hl7_next_repetition(const struct hl7_message *message, struct slice *rest,
			 struct slice *ret_repetition)
{
	return next_part(&message->repetition, rest, ret_repetition);
}

unsigned hl7_repetitions(const struct hl7_message *message, struct slice field)
{
	struct slice rest = field, repetition;
	unsigned count = 0;

	if (field.n == 0)
		return 0;
	while (hl7_next_repetition(message, &rest, &repetition))
		count++;
	return count;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A delimiter is any visible character that no value is made of. */
static bool delimiter_read(struct slice *rest, struct hl7_delimiter *ret_delimiter)
{
	size_t n = charset_cut(*rest, 1).n;

	if (n == 0 || n > sizeof(ret_delimiter->bytes) ||
	    !charset_is_utf8((struct slice){ rest->p, n }))
		return false;
	if (n == 1 && (rest->p[0] <= ' ' || rest->p[0] == 0x7f || is_alphanumeric(rest->p[0])))
		return false;
	*ret_delimiter = (struct hl7_delimiter){ .n = (uint8_t)n };
	memcpy(ret_delimiter->bytes, rest->p, n);
	*rest = slice_from(*rest, n);
	return true;
}

static bool delimiters_differ(const struct hl7_message *message)
{
	const struct hl7_delimiter all[] = { message->field, message->component,
					     message->repetition, message->escape,
					     message->subcomponent };

	for (size_t i = 0; i < length_of(all); i++)
		for (size_t j = i + 1; j < length_of(all); j++)
			if (memcmp(&all[i], &all[j], sizeof(all[i])) == 0)
				return false;
	return true;
}

static void delimiters_default(struct hl7_message *message)
{
	message->field = (struct hl7_delimiter){ "|", 1 };
	message->component = (struct hl7_delimiter){ "^", 1 };
	message->repetition = (struct hl7_delimiter){ "~", 1 };
	message->escape = (struct hl7_delimiter){ "\\", 1 };
	message->subcomponent = (struct hl7_delimiter){ "&", 1 };
}

/* MSH-2 is read as characters, never as bytes: U+02DC in place of '~' takes two. HL7 2.7 knows a
 * fifth, which nothing here needs.
 */
static int read_delimiters(struct hl7_message *message, struct slice msh, struct err *err)
{
	struct slice rest = slice_from(msh, 3);
	struct hl7_delimiter truncation;

	if (!delimiter_read(&rest, &message->field) || message->field.n != 1)
		return err_refuse(err, REASON_DATA_TYPE, "MSH-1",
				  "MSH is not followed by a field delimiter");
	rest = trim_end(message, part(&message->field, rest, 0));
	if (!delimiter_read(&rest, &message->component) ||
	    !delimiter_read(&rest, &message->repetition) ||
	    !delimiter_read(&rest, &message->escape) ||
	    !delimiter_read(&rest, &message->subcomponent) || !delimiters_differ(message) ||
	    (rest.n > 0 && (!delimiter_read(&rest, &truncation) || rest.n > 0)))
		return err_refuse(err, REASON_DATA_TYPE, "MSH-2",
				  "the delimiters are not four different characters like ^~\\&");
	return 0;
}

struct lines {
	struct slice text;
	size_t at, next_cr, next_lf; /* each found once: a search that crosses many lines is kept */
	bool done;
};

static size_t position_of(struct slice text, size_t from, char byte)
{
	const char *found = from < text.n ? memchr(text.p + from, byte, text.n - from) : NULL;

	return found ? (size_t)(found - text.p) : text.n;
}

static struct lines lines_of(struct slice text)
{
	return (struct lines){ .text = text,
			       .next_cr = position_of(text, 0, '\r'),
			       .next_lf = position_of(text, 0, '\n') };
}

static bool lines_next(struct lines *lines, struct slice *ret_line)
{
	size_t end;

	if (lines->done)
		return false;
	if (lines->next_cr < lines->at)
		lines->next_cr = position_of(lines->text, lines->at, '\r');
	if (lines->next_lf < lines->at)
		lines->next_lf = position_of(lines->text, lines->at, '\n');
	end = min(lines->next_cr, lines->next_lf);
	*ret_line = slice_from((struct slice){ lines->text.p, end }, lines->at);
	lines->done = end == lines->text.n;
	lines->at = end + 1;
	return true;
}

static bool is_segment(const struct hl7_message *message, struct slice line)
{
	for (size_t i = 0; i < 3; i++)
		if (i >= line.n || !is_alphanumeric(line.p[i]) ||
		    (line.p[i] >= 'a' && line.p[i] <= 'z'))
			return false;
	return line.n == 3 || line.p[3] == message->field.bytes[0];
}

static void segments_grow(struct hl7_message *message, size_t *room, struct arena *arena)
{
	struct slice *grown;

	*room = *room ? *room * 2 : 64;
	grown = arena_alloc(arena, *room * sizeof(*grown));
	if (message->segment_count > 0)
		memcpy(grown, message->segments, message->segment_count * sizeof(*grown));
	message->segments = grown;
}

static int add_segment(struct hl7_message *message, struct slice line, size_t *room,
		       struct arena *arena, struct err *err)
{
	if (message->segment_count > 0 && hl7_is(line, "MSH"))
		return err_refuse(err, REASON_CARDINALITY, "MSH",
				  "a second message begins: send one at a time");
	if (message->segment_count == HL7_SEGMENTS_MOST)
		return err_refuse(err, REASON_CARDINALITY, "", "more than %d segments",
				  HL7_SEGMENTS_MOST);
	if (message->segment_count == *room)
		segments_grow(message, room, arena);
	message->segments[message->segment_count++] = line;
	return 0;
}

static int cut_segments(struct hl7_message *message, struct slice text, struct arena *arena,
			struct err *err)
{
	struct lines lines = lines_of(text);
	struct slice line, *last;
	size_t room = 0;

	message->line_feeds = lines.next_lf < text.n;
	while (lines_next(&lines, &line)) {
		last = message->segment_count ? &message->segments[message->segment_count - 1]
					      : NULL;
		line = hl7_trim(message, line);
		if (line.n == 0)
			continue;
		if (is_segment(message, line)) {
			if (add_segment(message, line, &room, arena, err) < 0)
				return -1;
		} else if (last != NULL && hl7_is(*last, "OBX")) {
			last->n = (size_t)(line.p + line.n - last->p);
		} else {
			return err_refuse(err, REASON_SEQUENCE, "",
					  "the line after segment %zu is no segment: three capital "
					  "letters or digits, then the field delimiter",
					  message->segment_count);
		}
	}
	return 0;
}

struct slice hl7_bare(struct slice text)
{
	return slice_trim(slice_starts(text, "\xef\xbb\xbf") ? slice_from(text, 3) : text);
}

static struct slice first_line(struct slice text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n')
		n++;
	return (struct slice){ text.p, n };
}

int hl7_parse(struct hl7_message *message, struct slice text, struct arena *arena, struct err *err)
{
	struct slice declared;

	text = hl7_bare(text);
	*message = (struct hl7_message){ .text = text };
	if (!hl7_is(text, "MSH"))
		return err_refuse(err, REASON_NO_HEADER, "MSH",
				  "this does not begin with MSH: not an HL7 v2 message");
	if (read_delimiters(message, first_line(text), err) < 0 ||
	    cut_segments(message, text, arena, err) < 0)
		return -1;
	declared = hl7_repetition(message, hl7_field(message, message->segments[0], 18), 0);
	return charset_choose(hl7_trim(message, declared), text, &message->charset,
			      &message->charset_corrected, err);
}

struct slice hl7_header(struct hl7_message *message, struct slice text)
{
	struct slice msh;
	struct err ignored;

	text = hl7_bare(text);
	msh = first_line(text);
	*message = (struct hl7_message){ .text = text };
	delimiters_default(message);
	if (!hl7_is(msh, "MSH"))
		return (struct slice){ 0 };
	if (read_delimiters(message, msh, &ignored) < 0)
		delimiters_default(message);
	message->charset = charset_is_utf8(msh) ? HL7_UTF_8 : HL7_8859_15;
	return msh;
}

static bool hex_digit(char c, uint8_t *ret_digit)
{
	const char *digits = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	if (found != NULL)
		*ret_digit = (uint8_t)(found - digits);
	return found != NULL;
}

static bool add_hex(struct slice digits, struct buf *out)
{
	uint8_t high, low;

	if (digits.n == 0 || digits.n % 2 != 0)
		return false;
	for (size_t i = 0; i < digits.n; i++)
		if (!hex_digit(digits.p[i], &high))
			return false;
	for (size_t i = 0; i < digits.n; i += 2)
		if (hex_digit(digits.p[i], &high) && hex_digit(digits.p[i + 1], &low))
			buf_add_char(out, (char)(high << 4 | low));
	return true;
}

static void add_delimiter(const struct hl7_delimiter *delimiter, struct buf *out)
{
	buf_add(out, (struct slice){ delimiter->bytes, delimiter->n });
}

/* HL7 2.5, 2.7: what an escape sequence stands for; false when it is none of those. */
static bool add_escaped(const struct hl7_message *message, struct slice sequence, struct buf *out)
{
	const struct {
		const char *sequence;
		const struct hl7_delimiter *delimiter;
	} delimiters[] = {
		{ "F", &message->field },        { "S", &message->component },
		{ "T", &message->subcomponent }, { "R", &message->repetition },
		{ "E", &message->escape },
	};

	for (size_t i = 0; i < length_of(delimiters); i++) {
		if (slice_is(sequence, delimiters[i].sequence)) {
			add_delimiter(delimiters[i].delimiter, out);
			return true;
		}
	}
	if (slice_is(sequence, ".br")) {
		buf_add_char(out, '\n');
		return true;
	}
	if (slice_starts(sequence, "X"))
		return add_hex(slice_from(sequence, 1), out);
	return slice_is(sequence, "H") || slice_is(sequence, "N");
}

static void unescape(const struct hl7_message *message, struct slice value, struct buf *out)
{
	struct slice rest = value, plain, sequence;

	while (next_part(&message->escape, &rest, &plain)) {
		buf_add(out, plain);
		if (rest.p == NULL)
			return;
		if (delimiter_find(&message->escape, rest) == NULL) { /* opened, never closed */
			add_delimiter(&message->escape, out);
			buf_add(out, rest);
			return;
		}
		if (next_part(&message->escape, &rest, &sequence) &&
		    !add_escaped(message, sequence, out)) {
			add_delimiter(&message->escape, out);
			buf_add(out, sequence);
			add_delimiter(&message->escape, out);
		}
	}
}

/* Printable ASCII without an escape: most values are, and need not be copied twice. */
static bool is_plain(const struct hl7_message *message, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] > '~' || value.p[i] == message->escape.bytes[0])
			return false;
	return true;
}

char *hl7_text(const struct hl7_message *message, struct slice value, struct arena *arena)
{
	scoped(buf_done) struct buf bytes = { 0 }, text = { 0 };

	if (is_plain(message, value) && !slice_is(value, "\"\""))
		return arena_dup(arena, value);
	if (!slice_is(value, "\"\""))
		unescape(message, value, &bytes);
	charset_to_utf8(buf_slice(&bytes), message->charset, &text);
	return arena_dup(arena, buf_slice(&text));
}

void hl7_escape(struct slice text, struct buf *out)
{
	static const struct {
		char c;
		const char *sequence;
	} escapes[] = {
		{ '|', "\\F\\" }, { '^', "\\S\\" },  { '&', "\\T\\" },
		{ '~', "\\R\\" }, { '\\', "\\E\\" }, { '\n', "\\.br\\" },
	};

	for (size_t i = 0; i < text.n; i++) {
		const char *sequence = NULL;

		for (size_t j = 0; j < length_of(escapes); j++)
			if (text.p[i] == escapes[j].c)
				sequence = escapes[j].sequence;
		if (sequence != NULL)
			buf_add_text(out, sequence);
		else if ((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f)
			buf_add_char(out, text.p[i]);
	}
}

const char *hl7_where(const char *segment, unsigned field, unsigned component,
		      char ret_text[static ERR_WHERE])
{
	if (component > 0)
		snprintf(ret_text, ERR_WHERE, "%s-%u.%u", segment, field, component);
	else
		snprintf(ret_text, ERR_WHERE, "%s-%u", segment, field);
	return ret_text;
}
