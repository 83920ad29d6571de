/* The MSH of what goes back to a sender. Pure. Any thread. */
#include "hl7/return_header.h"

#include "base/clock.h"

/* In characters. 199 is the longest identifier of the profile (HD-2, XCN-1). */
enum { VALUE_MOST = 199, VERSION_MOST = 20 };

static bool has_our_delimiters(const struct hl7_message *header)
{
	const char delimiters[] = { header->field.bytes[0], header->component.bytes[0],
				    header->repetition.bytes[0], header->escape.bytes[0],
				    header->subcomponent.bytes[0] };

	return slice_is((struct slice){ delimiters, sizeof(delimiters) }, "|^~\\&");
}

/* May it be copied as it is? Then the sender finds in MSA-2 the very bytes of its MSH-10. */
static bool is_clean(const struct hl7_message *header, struct slice value)
{
	if (value.n > VALUE_MOST || !has_our_delimiters(header))
		return false;
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return false;
	return charset_is_utf8(value);
}

void return_header_add_value(const struct hl7_message *header, struct slice msh, unsigned number,
			     struct buf *out)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct slice value = hl7_field(header, msh, number);

	if (is_clean(header, value))
		buf_add(out, value);
	else
		hl7_escape(charset_cut(slice_of(hl7_text(header, value, &arena)), VALUE_MOST), out);
}

static void add_processing_id(const struct hl7_message *header, struct slice msh, struct buf *out)
{
	struct slice id = hl7_component(header, hl7_field(header, msh, 11), 1);

	buf_add_char(out, slice_is(id, "T") || slice_is(id, "D") ? id.p[0] : 'P');
}

/* "2.6", or "2.5^FRA^2.11" as PAM France writes it. */
static bool is_version(struct slice text)
{
	if (text.n > VERSION_MOST || !slice_starts(text, "2."))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' && c != '^')
			return false;
	}
	return text.n > 2;
}

static void add_version(const struct hl7_message *header, struct slice msh, struct buf *out)
{
	struct slice version = hl7_field(header, msh, 12);

	buf_add(out, is_version(version) ? version : slice_of("2.6"));
}

void return_header_add(const struct hl7_message *header, struct slice msh,
		       const struct return_header *about, struct buf *out)
{
	static const unsigned swapped[] = { 5, 6, 3, 4 };
	char now[CLOCK_TEXT];

	buf_add_text(out, "MSH|^~\\&");
	for (size_t i = 0; i < length_of(swapped); i++) {
		buf_add_char(out, '|');
		return_header_add_value(header, msh, swapped[i], out);
	}
	buf_addf(out, "|%s||%s|%.20s|", clock_hl7(about->now_ms, now), about->type,
		 about->control_id);
	add_processing_id(header, msh, out);
	buf_add_char(out, '|');
	if (about->version != NULL)
		buf_add_text(out, about->version);
	else
		add_version(header, msh, out);
	buf_add_text(out, "|||||FRA|UNICODE UTF-8");
	if (about->profile != NULL)
		buf_addf(out, "|||%s", about->profile);
	buf_add_char(out, '\r');
}
