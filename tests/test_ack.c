/* The technical acknowledgement: what a sender reads when we took its message, or did not. */
#include "hl7/ack.h"

#include <time.h>

#include "sample.h"

#define NOW_MS INT64_C(1795166101000) /* 2026-11-20 09:15:01 UTC */

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1", 1);
	tzset();
	return 0;
}

static struct buf answer_to(struct slice message, const struct err *err)
{
	const struct ack ack = { .now_ms = NOW_MS, .control_id = "G0001", .err = err };
	struct buf answer = { 0 };

	ack_build(message, &ack, &answer);
	return answer;
}

static void assert_answer(const char *message, const struct err *err, const char *want)
{
	scoped(buf_done) struct buf answer = answer_to(slice_of(message), err);

	if (!slice_is(buf_slice(&answer), want))
		fail_msg("got\n%s\nwant\n%s", answer.p, want);
}

/* The segment of that name, without its end. */
static struct slice segment_of(const struct buf *answer, const char *name)
{
	struct slice rest = buf_slice(answer), segment;

	while (slice_next(&rest, '\r', &segment))
		if (slice_starts(segment, name))
			return segment;
	return slice_of("");
}

static void what_was_taken_is_answered_aa(void **state)
{
	(void)state;
	assert_answer(
		"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101500||MDM^T02^MDM_T02|A0001|P|2.6|||||"
		"FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2\rEVN||20261120101500\r",
		NULL,
		"MSH|^~\\&|PFI|CH-A|DPI-A|CH-A|20261120101501+0100||ACK^T02^ACK|G0001|P|2.6|||||"
		"FRA|UNICODE UTF-8\r"
		"MSA|AA|A0001\r");
}

static void what_is_at_fault_is_answered_ae_with_the_field(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_INS_MISMATCH, "PID-3",
			 "INS of PID-3 and of the document differ");
	assert_answer(
		"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101500||MDM^T02^MDM_T02|A0002|P|2.6|||||"
		"FRA|UNICODE UTF-8\r",
		&err,
		"MSH|^~\\&|PFI|CH-A|DPI-A|CH-A|20261120101501+0100||ACK^T02^ACK|G0001|P|2.6|||||"
		"FRA|UNICODE UTF-8\r"
		"MSA|AE|A0002\r"
		"ERR||PID^1^3|207^Application error^messageErrorCondition|E|"
		"ins_mismatch^INS of PID-3 and of the document differ^local\r");
}

static void answer_follows_from_the_reason(void **state)
{
	static const struct {
		enum reason reason;
		const char *ack, *err_3_and_4;
	} cases[] = {
		{ REASON_SEQUENCE, "AE", "|100^Segment sequence error^messageErrorCondition|E|" },
		{ REASON_FIELD_MISSING, "AE",
		  "|101^Required field missing^messageErrorCondition|E|" },
		{ REASON_DATA_TYPE, "AE", "|102^Data type error^messageErrorCondition|E|" },
		{ REASON_TABLE_VALUE, "AE", "|103^Table value not found^messageErrorCondition|E|" },
		{ REASON_CARDINALITY, "AE",
		  "|198^Non-conformant cardinality^messageErrorCondition|E|" },
		{ REASON_TOO_LARGE, "AE", "|199^Other HL7 error^messageErrorCondition|E|" },
		{ REASON_MESSAGE_TYPE, "AR",
		  "|200^Unsupported message type^messageErrorCondition|E|" },
		{ REASON_EVENT, "AR", "|201^Unsupported event code^messageErrorCondition|E|" },
		{ REASON_ACTION_NOT_SUPPORTED, "AR",
		  "|201^Unsupported event code^messageErrorCondition|E|" },
		{ REASON_PROCESSING_ID, "AE",
		  "|202^Unsupported processing id^messageErrorCondition|E|" },
		{ REASON_VERSION, "AE", "|203^Unsupported version id^messageErrorCondition|E|" },
		{ REASON_PATIENT_OPPOSED, "AE", "|207^Application error^messageErrorCondition|E|" },
		{ REASON_STORE_UNAVAILABLE, "AR",
		  "|207^Application error^messageErrorCondition|F|" },
		{ REASON_SHUTTING_DOWN, "AR", "|207^Application error^messageErrorCondition|F|" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { .kind = ERR_REJECT, .reason = cases[i].reason };
		scoped(buf_done) struct buf answer = answer_to(slice_of("MSH|^~\\&|"), &err);

		assert_string_equal(ack_code(&err), cases[i].ack);
		assert_non_null(strstr(answer.p, cases[i].ack));
		if (strstr(answer.p, cases[i].err_3_and_4) == NULL)
			fail_msg("got %s, want %s", answer.p, cases[i].err_3_and_4);
	}
}

static void an_error_without_reason_is_a_circumstance(void **state)
{
	struct err err = { 0 };
	scoped(buf_done) struct buf answer = { 0 };

	(void)state;
	(void)err_set(&err, ERR_RETRY, "the database is locked");
	answer = answer_to(slice_of("MSH|^~\\&|"), &err);
	assert_string_equal(ack_code(&err), "AR");
	assert_slice(segment_of(&answer, "ERR"),
		     "ERR|||207^Application error^messageErrorCondition|F|"
		     "^the database is locked^local");
}

static void no_error_is_aa(void **state)
{
	const struct err err = { 0 };

	(void)state;
	assert_string_equal(ack_code(NULL), "AA");
	assert_string_equal(ack_code(&err), "AA");
	assert_answer("", &err,
		      "MSH|^~\\&|||||20261120101501+0100||ACK|G0001|P|2.6|||||FRA|UNICODE UTF-8\r"
		      "MSA|AA|\r");
}

static void place_of_the_fault_is_err_2(void **state)
{
	static const struct {
		const char *where, *err_2, *before_text;
	} cases[] = {
		{ "PID-3", "PID^1^3", "" },
		{ "OBX-5", "OBX^1^5", "" },
		{ "OBX-5.4", "OBX^1^5^1^4", "" },
		{ "PID-3.4.2", "PID^1^3^1^4^2", "" },
		{ "TXA", "TXA^1", "" },
		{ "ZFA-9", "ZFA^1^9", "" },
		{ "", "", "" },
		{ "id/@root", "", "id/@root: " },
		{ "recordTarget", "", "recordTarget: " },
		{ "pid-3", "", "pid-3: " },
		{ "PID-", "", "PID-: " },
		{ "PID-x", "", "PID-x: " },
		{ "PID-3.", "", "PID-3.: " },
		{ "PID-3.4.2.1", "", "PID-3.4.2.1: " },
		{ "PID-3-4", "", "PID-3-4: " },
		{ "PID-99999999999999999999", "", "PID-99999999999999999999: " },
		{ "3PI-1", "", "3PI-1: " },
		{ "a|b", "", "a\\F\\b: " },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };
		scoped(buf_done) struct buf answer = { 0 }, want = { 0 };

		(void)err_refuse(&err, REASON_DATA_TYPE, cases[i].where, "why");
		answer = answer_to(slice_of(""), &err);
		buf_addf(
			&want,
			"ERR||%s|102^Data type error^messageErrorCondition|E|data_type^%swhy^local",
			cases[i].err_2, cases[i].before_text);
		assert_true(slice_equal(segment_of(&answer, "ERR"), buf_slice(&want)));
	}
}

static void text_of_the_fault_is_escaped(void **state)
{
	struct err err = { 0 };
	scoped(buf_done) struct buf answer = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_DATA_TYPE, "MSH-2", "not |^~\\&\r\nPID|1\v\033[2J");
	answer = answer_to(slice_of(""), &err);
	assert_slice(
		segment_of(&answer, "ERR"),
		"ERR||MSH^1^2|102^Data type error^messageErrorCondition|E|"
		"data_type^not \\F\\\\S\\\\R\\\\E\\\\T\\\\.br\\PID\\F\\1\357\277\275\357\277\275"
		"[2J^local");
}

static void text_of_the_fault_has_200_characters_at_most(void **state)
{
	struct err err = { 0 };
	scoped(buf_done) struct buf words = { 0 }, answer = { 0 };
	struct slice rest, text = { 0 };

	(void)state;
	for (int i = 0; i < 190; i++)
		buf_add_text(&words, "é");
	for (int i = 0; i < 40; i++)
		buf_add_char(&words, '|');
	(void)err_refuse(&err, REASON_DATA_TYPE, "", "%s", words.p);
	answer = answer_to(slice_of(""), &err);
	rest = segment_of(&answer, "ERR");
	for (int i = 0; i < 4; i++) /* ERR-3 holds two '^', ERR-5.1 ends with the third */
		slice_next(&rest, '^', &text);
	assert_int_equal(text.n, 190 * 2 + 10 * 3);
}

static void text_of_the_fault_is_utf_8_whatever_it_quotes(void **state)
{
	struct err err = { 0 };
	scoped(buf_done) struct buf answer = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_DATA_TYPE, "", "caf\351 \303 !");
	answer = answer_to(slice_of(""), &err);
	assert_true(charset_is_utf8(buf_slice(&answer)));
	assert_non_null(strstr(answer.p, "^caf\357\277\275 \357\277\275 !^local"));
}

static void event_is_copied_when_there_is_one(void **state)
{
	static const struct {
		const char *msh_9, *answer;
	} cases[] = {
		{ "MDM^T02^MDM_T02", "|ACK^T02^ACK|" },
		{ "ORU^R01", "|ACK^R01^ACK|" },
		{ "ADT^Z99", "|ACK^Z99^ACK|" },
		{ "MDM", "|ACK|" },
		{ "", "|ACK|" },
		{ "MDM^", "|ACK|" },
		{ "MDM^T2", "|ACK|" },
		{ "MDM^t02", "|ACK|" },
		{ "MDM^T02&x", "|ACK|" },
		{ "MDM^T\\T", "|ACK|" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf message = { 0 }, answer = { 0 };

		buf_addf(&message, "MSH|^~\\&|A|B|C|D|1||%s|1|P|2.6", cases[i].msh_9);
		answer = answer_to(buf_slice(&message), NULL);
		if (strstr(answer.p, cases[i].answer) == NULL)
			fail_msg("%s: %s", cases[i].msh_9, answer.p);
	}
}

static void processing_id_and_version_are_copied_when_plausible(void **state)
{
	static const struct {
		const char *sent, *answered;
	} cases[] = {
		{ "P|2.6", "|G0001|P|2.6|" },
		{ "T|2.5", "|G0001|T|2.5|" },
		{ "D|2.5^FRA^2.11", "|G0001|D|2.5^FRA^2.11|" },
		{ "|", "|G0001|P|2.6|" },
		{ "X|2.", "|G0001|P|2.6|" },
		{ "PT|3.0", "|G0001|P|2.6|" },
		{ "p|2.6\\F\\", "|G0001|P|2.6|" },
		{ "P|2.6.5.4.3.2.1.0.9.8.7.6", "|G0001|P|2.6|" },
		{ "\302\240P|2.6", "|G0001|P|2.6|" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf message = { 0 }, answer = { 0 };

		buf_addf(&message, "MSH|^~\\&|A|B|C|D|1||MDM^T02|1|%s", cases[i].sent);
		answer = answer_to(buf_slice(&message), NULL);
		if (strstr(answer.p, cases[i].answered) == NULL)
			fail_msg("%s: %s", cases[i].sent, answer.p);
	}
}

static void control_id_comes_back_as_it_was_sent(void **state)
{
	static const struct {
		struct slice sent;
		const char *msa;
	} cases[] = {
		{ { "A0001", 5 }, "MSA|AA|A0001" },
		{ { "", 0 }, "MSA|AA|" },
		{ { "A-1 {2}/3", 9 }, "MSA|AA|A-1 {2}/3" },
		{ { "A^1&2~3", 7 }, "MSA|AA|A^1&2~3" },
		{ { "A\\F\\1\\X41\\", 10 }, "MSA|AA|A\\F\\1\\X41\\" },
		{ { "n\303\251", 3 }, "MSA|AA|né" },
		{ { "n\351", 2 }, "MSA|AA|né" },
		{ { "A\0B", 3 }, "MSA|AA|A\357\277\275B" },
		{ { "A\vB", 3 }, "MSA|AA|A\357\277\275B" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf message = { 0 }, answer = { 0 };

		buf_add_text(&message, "MSH|^~\\&|A|B|C|D|1||MDM^T02|");
		buf_add(&message, cases[i].sent);
		buf_add_text(&message, "|P|2.6\r");
		answer = answer_to(buf_slice(&message), NULL);
		assert_true(slice_is(segment_of(&answer, "MSA"), cases[i].msa));
	}
}

static void names_keep_their_components(void **state)
{
	(void)state;
	assert_answer(
		"MSH|^~\\&|DPI^1.2.3^ISO|CH-A|PFI|CH-B&x|20261120101500||MDM^T02|1|P|2.6", NULL,
		"MSH|^~\\&|PFI|CH-B&x|DPI^1.2.3^ISO|CH-A|20261120101501+0100||ACK^T02^ACK|G0001|"
		"P|2.6|||||FRA|UNICODE UTF-8\r"
		"MSA|AA|1\r");
}

static void other_delimiters_become_ours(void **state)
{
	(void)state;
	assert_answer(
		"MSH#!%*@#D|I#CH^A#P*F*I#CH!A#1##MDM!T02#A|1#P#2.6", NULL,
		"MSH|^~\\&|P#I|CH!A|D\\F\\I|CH\\S\\A|20261120101501+0100||ACK^T02^ACK|G0001|P|2.6|"
		"||||FRA|UNICODE UTF-8\r"
		"MSA|AA|A\\F\\1\r");
}

static void a_broken_msh_2_does_not_hide_the_control_id(void **state)
{
	scoped(buf_done) struct buf answer =
		answer_to(slice_of("MSH|^~|DPI|CH|PFI|CH|1||MDM^T02|A7|P|2.6"), NULL);

	(void)state;
	assert_slice(segment_of(&answer, "MSA"), "MSA|AA|A7");
}

static void long_values_are_cut(void **state)
{
	scoped(buf_done) struct buf message = { 0 }, answer = { 0 };

	(void)state;
	buf_add_text(&message, "MSH|^~\\&|");
	for (int i = 0; i < 1000000; i++)
		buf_add_text(&message, "é");
	buf_add_text(&message, "|B|C|D|1||MDM^T02|");
	for (int i = 0; i < 1000000; i++)
		buf_add_char(&message, '9');
	answer = answer_to(buf_slice(&message), NULL);
	assert_true(answer.n < 1000);
	assert_int_equal(segment_of(&answer, "MSA").n, strlen("MSA|AA|") + 199);
}

static void our_control_id_has_20_characters_at_most(void **state)
{
	const struct ack ack = { .now_ms = NOW_MS, .control_id = "01ABCDEFGHJKMNPQRSTVWXYZ99" };
	scoped(buf_done) struct buf answer = { 0 };

	(void)state;
	ack_build(slice_of(""), &ack, &answer);
	assert_non_null(strstr(answer.p, "|01ABCDEFGHJKMNPQRSTV|"));
}

static void an_answer_to_a_business_acknowledgement_gets_none(void **state)
{
	static const struct {
		const char *message;
		bool answered;
	} rows[] = {
		{ "MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|2026||ACK^Z01^ACK|A0007|P|2.6\rMSA|AA|G0003\r",
		  false },
		{ "MSH|^~\\&|||||||ACK^Z02|1\r", false },
		{ "MSH|$%\\&|||||||ACK$Z03\rMSH|", false },
		{ "\357\273\277\nMSH|^~\\&|||||||ACK^Z01", false },
		{ "MSH|^~\\&|||||||ACK^T02^ACK", true },
		{ "MSH|^~\\&|||||||ACK|1\r", true },
		{ "MSH|^~\\&|||||||ZAM^Z01^ZAM_Z01|1\r", true },
	};
	struct err err = { 0 };

	(void)state;
	(void)err_refuse(&err, REASON_MESSAGE_TYPE, "MSH-9", "not for us");
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(buf_done) struct buf answer = answer_to(slice_of(rows[i].message), &err);

		assert_int_equal(answer.n > 0, rows[i].answered);
	}
}

static void any_bytes_get_an_answer_that_parses(void **state)
{
	static const char *const messages[] = { "",     "GET / HTTP/1.1\r\n", "MSH", "MSH|", "\v",
						"PID|1" };

	(void)state;
	for (size_t i = 0; i < length_of(messages); i++) {
		struct err err = { 0 };
		scoped(arena_done) struct arena arena = { 0 };
		struct hl7_message message;
		scoped(buf_done) struct buf answer = { 0 };

		(void)err_refuse(&err, REASON_MESSAGE_INVALID, "MSH", "not a message");
		answer = answer_to(slice_of(messages[i]), &err);
		assert_int_equal(hl7_parse(&message, buf_slice(&answer), &arena, &err), 0);
		assert_int_equal(message.segment_count, 3);
	}
}

static void an_answer_is_appended(void **state)
{
	const struct ack ack = { .now_ms = NOW_MS, .control_id = "G1" };
	scoped(buf_done) struct buf answer = { 0 };

	(void)state;
	buf_add_char(&answer, '\v');
	ack_build(slice_of(""), &ack, &answer);
	assert_true(slice_starts(buf_slice(&answer), "\vMSH|"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_is_answered_aa),
		cmocka_unit_test(what_is_at_fault_is_answered_ae_with_the_field),
		cmocka_unit_test(answer_follows_from_the_reason),
		cmocka_unit_test(an_error_without_reason_is_a_circumstance),
		cmocka_unit_test(no_error_is_aa),
		cmocka_unit_test(place_of_the_fault_is_err_2),
		cmocka_unit_test(text_of_the_fault_is_escaped),
		cmocka_unit_test(text_of_the_fault_has_200_characters_at_most),
		cmocka_unit_test(text_of_the_fault_is_utf_8_whatever_it_quotes),
		cmocka_unit_test(event_is_copied_when_there_is_one),
		cmocka_unit_test(processing_id_and_version_are_copied_when_plausible),
		cmocka_unit_test(control_id_comes_back_as_it_was_sent),
		cmocka_unit_test(names_keep_their_components),
		cmocka_unit_test(other_delimiters_become_ours),
		cmocka_unit_test(a_broken_msh_2_does_not_hide_the_control_id),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(our_control_id_has_20_characters_at_most),
		cmocka_unit_test(an_answer_to_a_business_acknowledgement_gets_none),
		cmocka_unit_test(any_bytes_get_an_answer_that_parses),
		cmocka_unit_test(an_answer_is_appended),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
