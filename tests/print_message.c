/* What our parser makes of a message: one line of JSON per smallest part, as [segment, its name,
 * field, repetition, component, subcomponent, bytes as ISO 8859-1]; or the code of the reason for
 * which it is refused. For comparison with the parsers of others.
 *
 *         print_message FILE
 */
#include <stdio.h>

#include <jansson.h>

#include "hl7/message.h"

struct place {
	size_t segment;
	const char *name;
	unsigned field, repetition, component;
};

static unsigned pieces_of(struct slice text, const struct hl7_delimiter *delimiter)
{
	unsigned count = 1;

	for (size_t i = 0; i + delimiter->n <= text.n; i++)
		count += memcmp(text.p + i, delimiter->bytes, delimiter->n) == 0;
	return count;
}

/* Each byte as the character of the same number: JSON holds any bytes so. */
static json_t *bytes_as_text(struct slice bytes)
{
	scoped(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (c >= 0x80)
			buf_add_char(&text, (char)(0xc0 | c >> 6));
		buf_add_char(&text, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
	return json_stringn(buf_slice(&text).p, text.n);
}

static void print_part(const struct place *at, unsigned subcomponent, struct slice bytes)
{
	json_t *line = json_pack("[i, s, i, i, i, i, o]", (int)at->segment, at->name,
				 (int)at->field, (int)at->repetition, (int)at->component,
				 (int)subcomponent, bytes_as_text(bytes));

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_repetition(const struct hl7_message *message, struct place *at,
			     struct slice repetition)
{
	unsigned components = pieces_of(repetition, &message->component);

	for (at->component = 1; at->component <= components; at->component++) {
		struct slice component = hl7_component(message, repetition, at->component);
		unsigned count = pieces_of(component, &message->subcomponent);

		for (unsigned i = 1; i <= count; i++)
			print_part(at, i, hl7_subcomponent(message, component, i));
	}
}

static void print_segment(const struct hl7_message *message, size_t index)
{
	struct slice segment = message->segments[index], rest, repetition;
	const bool is_header = hl7_is(segment, "MSH");
	const unsigned last = pieces_of(segment, &message->field) - 1 + is_header;
	const char name[] = { segment.p[0], segment.p[1], segment.p[2], '\0' };
	struct place at = { .segment = index, .name = name };

	for (at.field = 1; at.field <= last; at.field++) {
		rest = hl7_field(message, segment, at.field);
		at.repetition = at.component = 1;
		if (is_header && at.field <= 2) {
			print_part(&at, 1, rest);
			continue;
		}
		for (; hl7_next_repetition(message, &rest, &repetition); at.repetition++)
			print_repetition(message, &at, repetition);
	}
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char bytes[65536];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(out, (struct slice){ bytes, n });
	return fclose(file) == 0;
}

int main(int argc, char **argv)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf text = { 0 };
	struct hl7_message message;
	struct err err = { 0 };

	if (argc != 2 || !read_file(argv[1], &text)) {
		fprintf(stderr, "usage: print_message FILE\n");
		return 2;
	}
	if (hl7_parse(&message, buf_slice(&text), &arena, &err) < 0) {
		puts(reason_row(err.reason)->code);
		return 1;
	}
	for (size_t i = 0; i < message.segment_count; i++)
		print_segment(&message, i);
	return 0;
}
