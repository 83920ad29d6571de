/* The business acknowledgement. Pure. Any thread. */
#include "hl7/zam.h"

#include "base/clock.h"
#include "hl7/return_header.h"

/* In characters: CWE.1 and CWE.2 as HL7 2.6 bounds them, less what the DMP never needs. */
enum { CODE_MOST = 60, TEXT_MOST = 250 };

/* The DMP's words may hold any bytes. */
static void add_words(const char *words, size_t most, struct buf *out)
{
	scoped(buf_done) struct buf text = { 0 };

	charset_to_utf8(slice_of(words), HL7_UTF_8, &text);
	hl7_escape(charset_cut(buf_slice(&text), most), out);
}

static void add_err(const struct zam *zam, struct buf *out)
{
	buf_add_text(out, "ERR|||207^Application error^messageErrorCondition|E|");
	add_words(zam->code, CODE_MOST, out);
	buf_add_char(out, '^');
	add_words(zam->text, TEXT_MOST, out);
	buf_addf(out, "^%s\r", zam->code_is_ours ? "local" : "DMP_ERROR_CODE");
}

void zam_build(struct slice header, const struct zam *zam, struct buf *out)
{
	struct hl7_message message;
	struct slice msh = hl7_header(&message, header);
	char now[CLOCK_TEXT];

	return_header_add(&message, msh,
			  &(struct return_header){
				  .now_ms = zam->now_ms,
				  .type = "ZAM^Z01^ZAM_Z01",
				  .control_id = zam->control_id,
				  .version = "2.6",
				  .profile = "2.1^CISIS_CDA_HL7_V2",
			  },
			  out);
	buf_addf(out, "EVN||%s\r", clock_hl7(zam->now_ms, now));
	buf_add_text(out, "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|");
	return_header_add_value(&message, msh, 10, out);
	buf_addf(out, "|%c^^expandedYes-NoIndicator||||||F\r", zam->positive ? 'Y' : 'N');
	if (!zam->positive)
		add_err(zam, out);
}

/* ---- the answer ---- */

static struct slice code_of(const struct hl7_message *message, struct slice segment,
			    unsigned number)
{
	return hl7_code(message, hl7_field(message, segment, number), 1);
}

/* A code of HL7's table 0008 that is not AA, or what may be said of another. */
static const char *refusal_of(struct slice code)
{
	static const char *const codes[] = { "AE", "AR", "CA", "CE", "CR" };

	for (size_t i = 0; i < length_of(codes); i++)
		if (slice_is(code, codes[i]))
			return codes[i];
	return "a code that is none";
}

enum zam_answer zam_read_answer(struct slice answer, const char *control_id, struct err *ret_why)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct hl7_message message;
	struct slice msa, code;
	size_t index = 0;

	if (hl7_parse(&message, answer, &arena, ret_why) < 0) {
		err_set(ret_why, ERR_RETRY, "the source's answer is no HL7 message");
		return ZAM_NOT_AN_ACK;
	}
	msa = hl7_find(&message, "MSA", &index);
	if (!slice_is(code_of(&message, message.segments[0], 9), "ACK") || msa.p == NULL) {
		err_set(ret_why, ERR_RETRY, "the source's answer is no acknowledgement");
		return ZAM_NOT_AN_ACK;
	}
	if (!slice_is(code_of(&message, msa, 2), control_id)) {
		err_set(ret_why, ERR_RETRY, "the source acknowledged another message (MSA-2)");
		return ZAM_NOT_AN_ACK;
	}
	code = code_of(&message, msa, 1);
	if (slice_is(code, "AA"))
		return ZAM_ACCEPTED;
	err_set(ret_why, ERR_RETRY, "the source answered %s (MSA-1)", refusal_of(code));
	return ZAM_REFUSED;
}
