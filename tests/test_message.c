/* An HL7 v2 message cut into its parts, and put together again. */
#include "hl7/message.h"

#include "base/clock.h"
#include "sample.h"

#define MSH "MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101500||MDM^T02^MDM_T02|A0001|P|2.6|||||FRA"

static const char *const samples[] = {
	"hl7/mdm_new.hl7",       "hl7/mdm_new_2.0.hl7",  "hl7/mdm_replace.hl7",
	"hl7/mdm_delete.hl7",    "hl7/oru_new.hl7",      "hl7/mdm_lps.hl7",
	"hl7/adt_admission.hl7", "hl7/ack_business.hl7", "hl7/zam_refused.hl7",
	"hl7/oru_replace.hl7",   "hl7/oru_delete.hl7",   "hl7/oru_two_forms_2.0.hl7",
	"hl7/oru_new_1.2.hl7",   "hl7/adt_identity.hl7",
};

struct parsed {
	struct arena arena;
	struct hl7_message message;
	struct err err;
	int result;
};

static struct parsed parse(struct slice text)
{
	struct parsed parsed = { 0 };

	parsed.result = hl7_parse(&parsed.message, text, &parsed.arena, &parsed.err);
	return parsed;
}

static void parsed_done(struct parsed *parsed)
{
	arena_done(&parsed->arena);
}

static struct slice field_of(const struct parsed *parsed, const char *segment, unsigned number)
{
	size_t index = 0;

	return hl7_field(&parsed->message, hl7_find(&parsed->message, segment, &index), number);
}

static void segments_end_with_cr_lf_or_both(void **state)
{
	static const struct {
		const char *text;
		bool line_feeds;
	} cases[] = {
		{ MSH "\rEVN||1\rPID|1", false },
		{ MSH "\rEVN||1\rPID|1\r", false },
		{ MSH "\nEVN||1\nPID|1\n", true },
		{ MSH "\r\nEVN||1\r\nPID|1\r\n", true },
		{ MSH "\rEVN||1\nPID|1\r\n", true },
		{ "\r\n" MSH "\n\n\rEVN||1\r \t\r\302\240\rPID|1 \r\n\r\n", true },
		{ "\357\273\277" MSH "\rEVN||1\rPID|1", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(parsed_done) struct parsed parsed = parse(slice_of(cases[i].text));

		assert_int_equal(parsed.result, 0);
		assert_int_equal(parsed.message.segment_count, 3);
		assert_int_equal(parsed.message.line_feeds, cases[i].line_feeds);
		assert_slice(parsed.message.segments[0], MSH);
		assert_slice(parsed.message.segments[1], "EVN||1");
		assert_slice(parsed.message.segments[2], "PID|1");
	}
}

static void what_is_no_message_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
		const char *where;
	} cases[] = {
		{ "", REASON_NO_HEADER, "MSH" },
		{ "MS", REASON_NO_HEADER, "MSH" },
		{ "PID|1\r" MSH, REASON_NO_HEADER, "MSH" },
		{ "An example:\r" MSH, REASON_NO_HEADER, "MSH" },
		{ "msh|^~\\&|", REASON_NO_HEADER, "MSH" },
		{ "MSH", REASON_DATA_TYPE, "MSH-1" },
		{ "MSH\r", REASON_DATA_TYPE, "MSH-1" },
		{ "MSHA^~\\&A", REASON_DATA_TYPE, "MSH-1" },
		{ "MSH\313\234^~\\&\313\234", REASON_DATA_TYPE, "MSH-1" },
		{ "MSH|", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH||", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\|", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\\rPID|1", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^^\\&|", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\||", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\T|", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^\234\\&|", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\& |x|", REASON_NONE, "" },
		{ "MSH|^~\\&#|", REASON_NONE, "" },
		{ "MSH|^~\\&#!|", REASON_DATA_TYPE, "MSH-2" },
		{ MSH "\r" MSH, REASON_CARDINALITY, "MSH" },
		{ MSH "\rMSH", REASON_CARDINALITY, "MSH" },
		{ MSH "\rThe answer:\r", REASON_SEQUENCE, "" },
		{ MSH "\rpid|1\r", REASON_SEQUENCE, "" },
		{ MSH "\rPID^1\r", REASON_SEQUENCE, "" },
		{ MSH "\rPI|1\r", REASON_SEQUENCE, "" },
		{ MSH "|UNICODE UTF-8\rPID|caf\351", REASON_DATA_TYPE, "MSH-18" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(parsed_done) struct parsed parsed = parse(slice_of(cases[i].text));

		if (parsed.err.reason != cases[i].reason ||
		    strcmp(parsed.err.where, cases[i].where) != 0)
			fail_msg("%s: %s at \"%s\"", cases[i].text,
				 reason_row(parsed.err.reason)->code, parsed.err.where);
		assert_int_equal(parsed.result, cases[i].reason == REASON_NONE ? 0 : -1);
	}
}

static void header_counts_its_delimiter_as_a_field(void **state)
{
	scoped(parsed_done) struct parsed parsed = parse(slice_of(MSH));

	(void)state;
	assert_slice(field_of(&parsed, "MSH", 0), "MSH");
	assert_slice(field_of(&parsed, "MSH", 1), "|");
	assert_slice(field_of(&parsed, "MSH", 2), "^~\\&");
	assert_slice(field_of(&parsed, "MSH", 3), "DPI-A");
	assert_slice(field_of(&parsed, "MSH", 10), "A0001");
	assert_slice(field_of(&parsed, "MSH", 17), "FRA");
	assert_slice(field_of(&parsed, "MSH", 18), "");
	assert_slice(field_of(&parsed, "MSH", 4000000000), "");
}

static void parts_are_found_at_each_level(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "\rPID|||1^^^A&1.2&ISO^INS~2^^^B&1.3~|x"));
	const struct hl7_message *message = &parsed.message;
	struct slice field = field_of(&parsed, "PID", 3), first, second;

	(void)state;
	first = hl7_repetition(message, field, 0);
	second = hl7_repetition(message, field, 1);
	assert_slice(first, "1^^^A&1.2&ISO^INS");
	assert_slice(second, "2^^^B&1.3");
	assert_slice(hl7_repetition(message, field, 2), "");
	assert_slice(hl7_repetition(message, field, 3), "");
	assert_int_equal(hl7_repetitions(message, field), 3);
	assert_int_equal(hl7_repetitions(message, field_of(&parsed, "PID", 2)), 0);
	assert_int_equal(hl7_repetitions(message, field_of(&parsed, "PID", 4)), 1);
	assert_slice(hl7_component(message, first, 5), "INS");
	assert_slice(hl7_component(message, second, 5), "");
	assert_slice(hl7_component(message, first, 6), "");
	assert_slice(hl7_subcomponent(message, hl7_component(message, first, 4), 2), "1.2");
	assert_slice(hl7_subcomponent(message, hl7_component(message, first, 4), 4), "");
	assert_slice(hl7_subcomponent(message, hl7_component(message, first, 1), 1), "1");
	assert_slice(hl7_subcomponent(message, hl7_component(message, first, 2), 1), "");
}

static void fields_cut_together_are_the_fields_cut_alone(void **state)
{
	static const char *const segments[] = { "MSH", "PID", "ZZZ", "NTE" };
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "\rPID|1|2 |\302\240|4\302\240|5\rZZZ|\rNTE"));
	struct slice fields[30];

	(void)state;
	for (size_t i = 0; i < length_of(segments); i++) {
		size_t index = 0;
		struct slice segment = hl7_find(&parsed.message, segments[i], &index);

		hl7_fields(&parsed.message, segment, fields, length_of(fields));
		for (unsigned j = 0; j < length_of(fields); j++)
			assert_true(slice_equal(fields[j], hl7_field(&parsed.message, segment, j)));
	}
}

static void blanks_at_the_end_of_a_field_are_no_part_of_it(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "\rPID| a b \t|c\302\240 \302\240|  \r"));

	(void)state;
	assert_slice(field_of(&parsed, "PID", 1), " a b");
	assert_slice(field_of(&parsed, "PID", 2), "c");
	assert_slice(field_of(&parsed, "PID", 3), "");
	assert_slice(hl7_trim(&parsed.message, field_of(&parsed, "PID", 1)), "a b");
	assert_slice(hl7_trim(&parsed.message, slice_of("\302\240 x \302\240")), "x");
	assert_slice(hl7_trim(&parsed.message, slice_of("\302\240")), "");
}

static void no_break_space_of_latin_9_is_one_byte(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "|8859/15\rPID|caf\351\240|\303\240"));

	(void)state;
	assert_int_equal(parsed.message.charset, HL7_8859_15);
	assert_slice(field_of(&parsed, "PID", 1), "caf\351");
	assert_slice(field_of(&parsed, "PID", 2), "\303");
}

static void segments_of_one_name_are_found_in_turn(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "\rOBX|1\rPRT|1\rOBX|2\rOBXX|3"));
	size_t index = 0;

	(void)state;
	assert_slice(hl7_find(&parsed.message, "OBX", &index), "OBX|1");
	assert_int_equal(index, 1);
	index++;
	assert_true(slice_starts(hl7_find(&parsed.message, "OBX", &index), "OBX|2"));
	assert_int_equal(index, 3);
	index++;
	assert_null(hl7_find(&parsed.message, "OBX", &index).p);
}

static void a_line_that_is_no_segment_continues_an_obx(void **state)
{
	scoped(parsed_done) struct parsed parsed = parse(slice_of(
		MSH "\rOBX|1|ED|||^text^XML^Base64^QUJD\r\nREVG\r\n+EV\r\n\r\nRw==||||||F\rPRT|1"));
	struct slice value = field_of(&parsed, "OBX", 5);

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.message.segment_count, 3);
	assert_slice(hl7_component(&parsed.message, value, 5), "QUJD\r\nREVG\r\n+EV\r\n\r\nRw==");
	assert_slice(field_of(&parsed, "OBX", 11), "F");
}

static void delimiters_are_those_of_msh_2(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of("MSH#!%*@#DPI\rPID#1!2%3@4#a*S*b*F*c"));
	const struct hl7_message *message = &parsed.message;
	struct slice field = field_of(&parsed, "PID", 1);

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(hl7_repetitions(message, field), 2);
	assert_slice(hl7_component(message, hl7_repetition(message, field, 0), 2), "2");
	assert_slice(hl7_subcomponent(message, hl7_repetition(message, field, 1), 2), "4");
	assert_string_equal(hl7_text(message, field_of(&parsed, "PID", 2), &parsed.arena), "a!b#c");
}

static void a_delimiter_may_take_two_bytes(void **state)
{
	scoped(parsed_done) struct parsed parsed = parse(
		slice_of("MSH|^\313\234\\&|DPI\rPID|one\313\234two\313\235\313~\313\234|\313\234"));
	const struct hl7_message *message = &parsed.message;
	struct slice field = field_of(&parsed, "PID", 1);

	(void)state;
	assert_int_equal(message->repetition.n, 2);
	assert_int_equal(hl7_repetitions(message, field), 3);
	assert_slice(hl7_repetition(message, field, 0), "one");
	assert_slice(hl7_repetition(message, field, 1), "two\313\235\313~");
	assert_slice(hl7_repetition(message, field, 2), "");
	assert_int_equal(hl7_repetitions(message, field_of(&parsed, "PID", 2)), 2);
}

static void text_is_the_value_as_people_read_it(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "", "" },
		{ "\"\"", "" },
		{ "\"\"\"", "\"\"\"" },
		{ "été", "été" },
		{ "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f" },
		{ "\\E\\T\\E\\", "\\T\\" },
		{ "one\\.br\\two", "one\ntwo" },
		{ "\\H\\bold\\N\\", "bold" },
		{ "\\XC3A9\\", "é" },
		{ "\\Xc3a9\\", "é" },
		{ "\\XC2AFc2af\\", "¯¯" },
		{ "\\X\\", "\\X\\" },
		{ "\\XC\\", "\\XC\\" },
		{ "\\XGG\\", "\\XGG\\" },
		{ "\\X00\\", "\357\277\275" },
		{ "\\XE9\\", "\357\277\275" },
		{ "\\.sp3\\", "\\.sp3\\" },
		{ "\\Z1\\F\\", "\\Z1\\F\\" },
		{ "\\", "\\" },
		{ "a\\b", "a\\b" },
		{ "\\\\", "\\\\" },
		{ "\\f\\", "\\f\\" },
		{ "\\F", "\\F" },
		{ "\\F\\\\", "|\\" },
	};
	scoped(parsed_done) struct parsed parsed = parse(slice_of(MSH "|UNICODE UTF-8"));

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_string_equal(
			hl7_text(&parsed.message, slice_of(cases[i].value), &parsed.arena),
			cases[i].text);
}

static void text_is_utf_8_whatever_the_message_is(void **state)
{
	scoped(parsed_done) struct parsed parsed =
		parse(slice_of(MSH "|8859/15\rPID|caf\351 \244|\\XE9A4\\"));

	(void)state;
	assert_string_equal(hl7_text(&parsed.message, field_of(&parsed, "PID", 1), &parsed.arena),
			    "café €");
	assert_string_equal(hl7_text(&parsed.message, field_of(&parsed, "PID", 2), &parsed.arena),
			    "é€");
}

static uint32_t chance(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void escaping_and_reading_give_the_text_back(void **state)
{
	static const char *const pieces[] = { "|", "^",   "&",   "~", "\\", "\n", "a",
					      "F", ".br", "X41", "é", "€",  " " };
	scoped(parsed_done) struct parsed parsed = parse(slice_of(MSH));
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		scoped(buf_done) struct buf text = { 0 }, escaped = { 0 };

		for (uint32_t n = chance(&seed) % 12; n > 0; n--)
			buf_add_text(&text, pieces[chance(&seed) % length_of(pieces)]);
		hl7_escape(buf_slice(&text), &escaped);
		assert_false(escaped.n > 0 && memchr(escaped.p, '|', escaped.n));
		assert_string_equal(hl7_text(&parsed.message, buf_slice(&escaped), &parsed.arena),
				    buf_slice(&text).p);
	}
}

static void escaping_drops_control_characters(void **state)
{
	scoped(buf_done) struct buf escaped = { 0 };

	(void)state;
	hl7_escape(bytes_of("a\0b\r\v\034\033\177c"), &escaped);
	assert_slice(buf_slice(&escaped), "abc");
}

static unsigned pieces_of(struct slice text, const struct hl7_delimiter *delimiter)
{
	unsigned count = 1;

	for (size_t i = 0; i + delimiter->n <= text.n; i++)
		count += memcmp(text.p + i, delimiter->bytes, delimiter->n) == 0;
	return count;
}

static void print_delimiter(const struct hl7_delimiter *delimiter, struct buf *out)
{
	buf_add(out, (struct slice){ delimiter->bytes, delimiter->n });
}

static void print_component(const struct hl7_message *message, struct slice component,
			    struct buf *out)
{
	unsigned count = pieces_of(component, &message->subcomponent);

	for (unsigned i = 1; i <= count; i++) {
		if (i > 1)
			print_delimiter(&message->subcomponent, out);
		buf_add(out, hl7_subcomponent(message, component, i));
	}
}

static void print_repetition(const struct hl7_message *message, struct slice repetition,
			     struct buf *out)
{
	unsigned count = pieces_of(repetition, &message->component);

	for (unsigned i = 1; i <= count; i++) {
		if (i > 1)
			print_delimiter(&message->component, out);
		print_component(message, hl7_component(message, repetition, i), out);
	}
}

static void print_field(const struct hl7_message *message, struct slice field, struct buf *out)
{
	struct slice rest = field, repetition;
	unsigned i = 0;

	while (hl7_next_repetition(message, &rest, &repetition)) {
		assert_true(slice_equal(repetition, hl7_repetition(message, field, i)));
		if (i++ > 0)
			print_delimiter(&message->repetition, out);
		print_repetition(message, repetition, out);
	}
	assert_int_equal(hl7_repetitions(message, field), field.n ? i : 0);
}

static void print_segment(const struct hl7_message *message, struct slice segment, struct buf *out)
{
	bool is_header = hl7_is(segment, "MSH");
	unsigned last = pieces_of(segment, &message->field) - 1 + is_header;

	buf_add(out, hl7_field(message, segment, 0));
	for (unsigned i = 1; i <= last; i++) {
		if (!is_header || i > 2)
			print_delimiter(&message->field, out);
		if (is_header && i <= 2)
			buf_add(out, hl7_field(message, segment, i));
		else
			print_field(message, hl7_field(message, segment, i), out);
	}
	buf_add_char(out, '\r');
}

static void print(const struct hl7_message *message, struct buf *out)
{
	for (size_t i = 0; i < message->segment_count; i++)
		print_segment(message, message->segments[i], out);
}

static void assert_printing_settles(struct slice text)
{
	scoped(parsed_done) struct parsed first = parse(text), second = { 0 };
	scoped(buf_done) struct buf once = { 0 }, twice = { 0 };

	if (first.result < 0)
		return;
	print(&first.message, &once);
	second = parse(buf_slice(&once));
	assert_int_equal(second.result, 0);
	print(&second.message, &twice);
	assert_int_equal(first.message.segment_count, second.message.segment_count);
	assert_true(slice_equal(buf_slice(&once), buf_slice(&twice)));
}

static void a_message_printed_from_its_parts_is_the_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf text = { 0 }, printed = { 0 };
		struct parsed parsed;

		sample_read(samples[i], &text);
		for (size_t j = 0; j < text.n; j++)
			if (text.p[j] == '\n')
				text.p[j] = '\r';
		parsed = parse(buf_slice(&text));
		assert_int_equal(parsed.result, 0);
		print(&parsed.message, &printed);
		assert_true(slice_equal(buf_slice(&printed), buf_slice(&text)));
		parsed_done(&parsed);
	}
}

/* Whatever becomes of a message on its way, what can be read of it can be written and read again.
 */
static void printing_what_was_parsed_loses_nothing(void **state)
{
	static const char bytes[] = "|^~\\&\r\n A\313\234\303\251\0";
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf text = { 0 };

		sample_read(samples[i], &text);
		for (int round = 0; round < 300; round++) {
			text.p[9 + chance(&seed) % (text.n - 9)] =
				bytes[chance(&seed) % (sizeof(bytes) - 1)];
			assert_printing_settles(buf_slice(&text));
		}
	}
}

static void every_prefix_of_a_message_can_be_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf text = { 0 };

		sample_read(samples[i], &text);
		for (size_t n = 0; n <= text.n; n++) {
			char *copy =
				slice_dup((struct slice){ text.p, n }); /* its end is guarded */
			struct parsed parsed = parse((struct slice){ copy, n });

			parsed_done(&parsed);
			free(copy);
		}
	}
}

static void fill(struct buf *text, const char *with, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_text(text, with);
}

static void segments_have_a_limit(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	struct parsed parsed;

	(void)state;
	buf_add_text(&text, MSH "\r");
	fill(&text, "ZZZ\r", HL7_SEGMENTS_MOST - 1);
	parsed = parse(buf_slice(&text));
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.message.segment_count, HL7_SEGMENTS_MOST);
	parsed_done(&parsed);

	buf_add_text(&text, "ZZZ\r");
	parsed = parse(buf_slice(&text));
	assert_int_equal(parsed.result, -1);
	assert_int_equal(parsed.err.reason, REASON_CARDINALITY);
	parsed_done(&parsed);
}

/* Each takes milliseconds when every byte is looked at a few times, hours when it is not. */
static void hostile_messages_cost_no_more_than_their_bytes(void **state)
{
	static const char *const fillings[] = { "\r",       "\n",       " ",  "\r\n", "~",
						"|",        "^",        "\\", "\\F",  "\313",
						"\313\234", "\302\240", "x\r" };
	const int64_t start_ms = clock_monotonic_ms();

	(void)state;
	for (size_t i = 0; i < length_of(fillings); i++) {
		scoped(buf_done) struct buf text = { 0 };
		struct parsed parsed;
		struct slice field, rest, repetition;
		unsigned count = 0;

		buf_add_text(&text, "MSH|^\313\234\\&|x|\rOBX|");
		fill(&text, fillings[i], 1000000);
		parsed = parse(buf_slice(&text));
		assert_int_equal(parsed.result, 0);
		field = rest = field_of(&parsed, "OBX", 1);
		hl7_text(&parsed.message, field, &parsed.arena);
		while (hl7_next_repetition(&parsed.message, &rest, &repetition))
			count++;
		assert_int_equal(count, max(hl7_repetitions(&parsed.message, field), 1u));
		parsed_done(&parsed);
	}
	assert_true(clock_monotonic_ms() - start_ms < 60000);
}

static void header_of_anything_can_be_asked_for(void **state)
{
	static const struct {
		const char *text, *control_id;
	} cases[] = {
		{ MSH "\rPID|1", "A0001" },
		{ "\357\273\277\r\n" MSH, "A0001" },
		{ MSH "\r" MSH, "A0001" },
		{ "MSH|||||||||A0001|P|2.6", "A0001" },
		{ "MSH|^^^^|||||||MDM|A0001|P|2.6", "A0001" },
		{ "MSH|^~\\&", "" },
		{ "MSH", "" },
	};
	struct hl7_message header;

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct slice msh = hl7_header(&header, slice_of(cases[i].text));

		assert_true(hl7_is(msh, "MSH"));
		assert_true(slice_is(hl7_field(&header, msh, 10), cases[i].control_id));
	}
	assert_null(hl7_header(&header, slice_of("")).p);
	assert_null(hl7_header(&header, (struct slice){ NULL, 0 }).p);
	assert_null(hl7_header(&header, slice_of("PID|1")).p);
	assert_int_equal(hl7_field(&header, (struct slice){ 0 }, 10).n, 0);
}

static void where_names_segment_field_and_component(void **state)
{
	char where[ERR_WHERE];

	(void)state;
	assert_string_equal(hl7_where("PID", 3, 0, where), "PID-3");
	assert_string_equal(hl7_where("PID", 3, 4, where), "PID-3.4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_end_with_cr_lf_or_both),
		cmocka_unit_test(what_is_no_message_is_refused_with_its_place),
		cmocka_unit_test(header_counts_its_delimiter_as_a_field),
		cmocka_unit_test(parts_are_found_at_each_level),
		cmocka_unit_test(fields_cut_together_are_the_fields_cut_alone),
		cmocka_unit_test(blanks_at_the_end_of_a_field_are_no_part_of_it),
		cmocka_unit_test(no_break_space_of_latin_9_is_one_byte),
		cmocka_unit_test(segments_of_one_name_are_found_in_turn),
		cmocka_unit_test(a_line_that_is_no_segment_continues_an_obx),
		cmocka_unit_test(delimiters_are_those_of_msh_2),
		cmocka_unit_test(a_delimiter_may_take_two_bytes),
		cmocka_unit_test(text_is_the_value_as_people_read_it),
		cmocka_unit_test(text_is_utf_8_whatever_the_message_is),
		cmocka_unit_test(escaping_and_reading_give_the_text_back),
		cmocka_unit_test(escaping_drops_control_characters),
		cmocka_unit_test(a_message_printed_from_its_parts_is_the_message),
		cmocka_unit_test(printing_what_was_parsed_loses_nothing),
		cmocka_unit_test(every_prefix_of_a_message_can_be_parsed),
		cmocka_unit_test(segments_have_a_limit),
		cmocka_unit_test(hostile_messages_cost_no_more_than_their_bytes),
		cmocka_unit_test(header_of_anything_can_be_asked_for),
		cmocka_unit_test(where_names_segment_field_and_component),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
