/* The technical acknowledgement. Pure. Any thread. */
#include "hl7/ack.h"

#include "hl7/return_header.h"

enum { TEXT_MOST = 200 }; /* characters */

const char *ack_code(const struct err *err)
{
	const char *code;

	if (err == NULL || err->kind == ERR_NONE)
		return "AA";
	code = reason_row(err->reason)->hl7_ack;
	return code ? code : "AR";
}

static bool is_upper_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A segment ("PID") or an event ("T02"). */
static bool is_name(struct slice text)
{
	return text.n == 3 && text.p[0] >= 'A' && text.p[0] <= 'Z' &&
	       is_upper_or_digit(text.p[1]) && is_upper_or_digit(text.p[2]);
}

static void add_type(const struct hl7_message *header, struct slice msh, struct buf *out)
{
	struct slice event = hl7_component(header, hl7_field(header, msh, 9), 2);

	buf_add_text(out, "ACK");
	if (is_name(event))
		buf_addf(out, "^%.*s^ACK", (int)event.n, event.p);
}

/* "PID-3.4.2" as HL7's ERL: segment, its occurrence, field, its repetition, component,
 * subcomponent. false, and nothing added, when `where` is of another form.
 */
static bool add_location(const char *where, struct buf *out)
{
	struct slice rest = slice_of(where), name = { 0 }, digits;
	uint64_t numbers[3];
	size_t count = 0;

	if (!slice_next(&rest, '-', &name) || !is_name(name))
		return false;
	while (slice_next(&rest, '.', &digits))
		if (count == length_of(numbers) || !slice_to_u64(digits, 999, &numbers[count++]))
			return false;
	buf_addf(out, "%.*s^1", (int)name.n, name.p);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, i == 1 ? "^1^%u" : "^%u", (unsigned)numbers[i]);
	return true;
}

static void add_err(const struct err *err, struct buf *out)
{
	const struct reason_row *row = reason_row(err->reason);
	int code = row->hl7_code ? row->hl7_code : 207;
	bool is_circumstance = code == 207 && strcmp(ack_code(err), "AR") == 0;
	scoped(buf_done) struct buf words = { 0 }, text = { 0 };

	buf_add_text(out, "ERR||");
	if (!add_location(err->where, out) && err->where[0] != '\0')
		buf_addf(&words, "%s: ", err->where);
	buf_add_text(&words, err->text);
	charset_to_utf8(buf_slice(&words), HL7_UTF_8, &text);
	buf_addf(out, "|%d^%s^messageErrorCondition|%c|%s^", code, hl7_error_text(code),
		 is_circumstance ? 'F' : 'E', row->code);
	hl7_escape(charset_cut(buf_slice(&text), TEXT_MOST), out);
	buf_add_text(out, "^local\r");
}

/* What a source says of a business acknowledgement that we sent it: the exchange ends there. Any other
 * ACK has no business at an intake, and its sender is told so.
 */
static bool ends_an_exchange(const struct hl7_message *header, struct slice msh)
{
	static const char *const events[] = { "Z01", "Z02", "Z03" };
	struct slice field = hl7_field(header, msh, 9);
	struct slice event = hl7_code(header, field, 2);

	if (!slice_is(hl7_code(header, field, 1), "ACK"))
		return false;
	for (size_t i = 0; i < length_of(events); i++)
		if (slice_is(event, events[i]))
			return true;
	return false;
}

void ack_build(struct slice message, const struct ack *ack, struct buf *out)
{
	scoped(buf_done) struct buf type = { 0 };
	struct hl7_message header;
	struct slice msh = hl7_header(&header, message);

	if (ends_an_exchange(&header, msh))
		return;
	add_type(&header, msh, &type);
	return_header_add(&header, msh,
			  &(struct return_header){
				  .now_ms = ack->now_ms,
				  .type = type.p,
				  .control_id = ack->control_id,
			  },
			  out);
	buf_addf(out, "MSA|%s|", ack_code(ack->err));
	return_header_add_value(&header, msh, 10, out);
	buf_add_char(out, '\r');
	if (ack->err != NULL && ack->err->kind != ERR_NONE)
		add_err(ack->err, out);
}
