/* The business acknowledgement: what a sender reads when the DMP has decided, and what it answers. */
#include "hl7/zam.h"

#include <time.h>

#include "sample.h"

#define NOW_MS INT64_C(1795166250000) /* 2026-11-20 09:17:30 UTC */

static const char header[] =
	"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101500||MDM^T02^MDM_T02|A0001|P|2.6|||||FRA|UNICODE "
	"UTF-8|||2.1^CISIS_CDA_HL7_V2";

#define OUR_MSH                                                                                    \
	"MSH|^~\\&|PFI|CH-A|DPI-A|CH-A|20261120101730+0100||ZAM^Z01^ZAM_Z01|G0003|P|2.6|||||FRA|"  \
	"UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2\r"                                                   \
	"EVN||20261120101730+0100\r"
#define OBX "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|"

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1", 1);
	tzset();
	return 0;
}

static struct buf built(const char *about, const struct zam *zam)
{
	struct zam with_ids = *zam;
	struct buf out = { 0 };

	with_ids.now_ms = NOW_MS;
	with_ids.control_id = "G0003";
	zam_build(slice_of(about), &with_ids, &out);
	return out;
}

static void assert_built(const char *about, const struct zam *zam, const char *want)
{
	scoped(buf_done) struct buf out = built(about, zam);

	if (!slice_is(buf_slice(&out), want))
		fail_msg("got\n%s\nwant\n%s", out.p, want);
}

/* ---- what goes out ---- */

static void a_delivery_is_told_with_y(void **state)
{
	(void)state;
	assert_built(header, &(struct zam){ .positive = true },
		     OUR_MSH OBX "A0001|Y^^expandedYes-NoIndicator||||||F\r");
}

static void a_refusal_is_told_with_n_and_the_words_of_the_dmp(void **state)
{
	(void)state;
	assert_built(header, &(struct zam){ .code = "DMPClosed", .text = "DMP fermé" },
		     OUR_MSH OBX "A0001|N^^expandedYes-NoIndicator||||||F\r"
				 "ERR|||207^Application error^messageErrorCondition|E|"
				 "DMPClosed^DMP fermé^DMP_ERROR_CODE\r");
}

static void a_code_of_ours_is_no_code_of_the_dmp(void **state)
{
	(void)state;
	assert_built(header,
		     &(struct zam){ .code = "manual", .text = "annulé", .code_is_ours = true },
		     OUR_MSH OBX "A0001|N^^expandedYes-NoIndicator||||||F\r"
				 "ERR|||207^Application error^messageErrorCondition|E|"
				 "manual^annulé^local\r");
}

/* The segment of that name, without its end. */
static struct slice segment_of(const struct buf *message, const char *name)
{
	struct slice rest = buf_slice(message), segment;

	while (slice_next(&rest, '\r', &segment))
		if (slice_starts(segment, name))
			return segment;
	return slice_of("");
}

static void words_cannot_break_the_message(void **state)
{
	const struct zam zam = { .code = "A|B^C", .text = "line\nOBX|2~&\\ \xe9" };
	scoped(buf_done) struct buf out = built(header, &zam);

	(void)state;
	assert_slice(segment_of(&out, "ERR"),
		     "ERR|||207^Application error^messageErrorCondition|E|A\\F\\B\\S\\C^line\\.br\\"
		     "OBX\\F\\2\\R\\\\T\\\\E\\ \xef\xbf\xbd^DMP_ERROR_CODE");
}

static void long_words_are_cut(void **state)
{
	char code[200], text[2000];
	const struct zam zam = { .code = code, .text = text };
	scoped(buf_done) struct buf out = { 0 };
	struct slice err, cut;

	(void)state;
	memset(code, 'C', sizeof(code) - 1);
	memset(text, 'T', sizeof(text) - 1);
	code[sizeof(code) - 1] = text[sizeof(text) - 1] = '\0';
	out = built(header, &zam);
	err = segment_of(&out, "ERR");
	assert_true(slice_next(&err, '^', &cut) && slice_next(&err, '^', &cut) &&
		    slice_next(&err, '^', &cut));
	assert_int_equal(cut.n, strlen("messageErrorCondition|E|") + 60);
	assert_true(slice_next(&err, '^', &cut));
	assert_int_equal(cut.n, 250);
}

/* It asked in 2.5 (an ORU), in a test, with a control id that needs escapes between our delimiters. */
static void the_message_decides_what_comes_back(void **state)
{
	static const struct {
		const char *header, *msh, *obx;
	} cases[] = {
		{ "MSH|^~\\&|SIL|LABO|PFI|CH-A|20261120||ORU^R01^ORU_R01|77|T|2.5|||||FRA|8859/15",
		  "MSH|^~\\&|PFI|CH-A|SIL|LABO|20261120101730+0100||ZAM^Z01^ZAM_Z01|G0003|T|2.6",
		  OBX "77|Y" },
		{ "MSH|^~\\&|DPI\\T\\A|CH^1.2.3^ISO|PFI||20261120||MDM^T02|A-1\\F\\2|D|2.6",
		  "MSH|^~\\&|PFI||DPI\\T\\A|CH^1.2.3^ISO|20261120101730+0100||ZAM^Z01^ZAM_Z01|"
		  "G0003|"
		  "D|2.6",
		  OBX "A-1\\F\\2|Y" },
		{ "MSH|^~\\&|D\xe9pi|CH|PFI|CH|20261120||MDM^T02|A\xe9|P|2.6|||||FRA|8859/15",
		  "MSH|^~\\&|PFI|CH|Dépi|CH|20261120101730+0100||ZAM^Z01^ZAM_Z01|G0003|P|2.6",
		  OBX "Aé|Y" },
		{ "", "MSH|^~\\&|||||20261120101730+0100||ZAM^Z01^ZAM_Z01|G0003|P|2.6", OBX "|Y" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out =
			built(cases[i].header, &(struct zam){ .positive = true });

		if (!slice_starts(segment_of(&out, "MSH"), cases[i].msh) ||
		    !slice_starts(segment_of(&out, "OBX"), cases[i].obx))
			fail_msg("case %zu: got\n%s", i, out.p);
	}
}

/* ---- what comes back ---- */

#define ACK_MSH                                                                                    \
	"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101731||ACK^Z01^ACK|A7|P|2.6|||||FRA|UNICODE "      \
	"UTF-8\r"

static void answers_are_understood(void **state)
{
	static const struct {
		const char *answer;
		enum zam_answer want;
		const char *why;
	} cases[] = {
		{ ACK_MSH "MSA|AA|G0003\r", ZAM_ACCEPTED, "" },
		{ ACK_MSH "MSA|AA|G0003", ZAM_ACCEPTED, "" },
		{ ACK_MSH "MSA|AA|G0003|Message accepted\r", ZAM_ACCEPTED, "" },
		{ "MSH|^~\\&|||||||ACK|1|P|2.3\nMSA|AA| G0003 \n", ZAM_ACCEPTED, "" },
		{ "MSH|$~\\&|||||||ACK$Z01|1|P|2.3\rMSA|AA|G0003\r", ZAM_ACCEPTED, "" },
		{ ACK_MSH "MSA|AE|G0003\rERR|||207|E\r", ZAM_REFUSED, "answered AE" },
		{ ACK_MSH "MSA|AR|G0003\r", ZAM_REFUSED, "answered AR" },
		{ ACK_MSH "MSA|CA|G0003\r", ZAM_REFUSED, "answered CA" },
		{ ACK_MSH "MSA||G0003\r", ZAM_REFUSED, "a code that is none" },
		{ ACK_MSH "MSA|DUPONT|G0003\r", ZAM_REFUSED, "a code that is none" },
		{ ACK_MSH "MSA|AA|G0004\r", ZAM_NOT_AN_ACK, "another message" },
		{ ACK_MSH "MSA|AA|G00031\r", ZAM_NOT_AN_ACK, "another message" },
		{ ACK_MSH "MSA|AA\r", ZAM_NOT_AN_ACK, "another message" },
		{ ACK_MSH, ZAM_NOT_AN_ACK, "no acknowledgement" },
		{ "MSH|^~\\&|||||||ORU^R01|1|P|2.3\rMSA|AA|G0003\r", ZAM_NOT_AN_ACK,
		  "no acknowledgement" },
		{ "HTTP/1.1 400 Bad Request", ZAM_NOT_AN_ACK, "no HL7 message" },
		{ "", ZAM_NOT_AN_ACK, "no HL7 message" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err why = { 0 };
		enum zam_answer got = zam_read_answer(slice_of(cases[i].answer), "G0003", &why);

		if (got != cases[i].want || strstr(why.text, cases[i].why) == NULL)
			fail_msg("case %zu: %d, \"%s\"", i, (int)got, why.text);
		assert_int_equal(why.kind, got == ZAM_ACCEPTED ? ERR_NONE : ERR_RETRY);
	}
}

/* Whatever an answer holds, the journal gets our words only. */
static void an_answer_does_not_get_into_the_journal(void **state)
{
	struct err why = { 0 };

	(void)state;
	(void)zam_read_answer(slice_of("MSH|^~\\&|||||||ACK|1|P|2.6\rMSH|PAT-TROIS\r"), "G0003",
			      &why);
	assert_null(strstr(why.text, "PAT-TROIS"));
	(void)zam_read_answer(slice_of(ACK_MSH "MSA|PAT-TROIS|G0003\r"), "G0003", &why);
	assert_null(strstr(why.text, "PAT-TROIS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_is_told_with_y),
		cmocka_unit_test(a_refusal_is_told_with_n_and_the_words_of_the_dmp),
		cmocka_unit_test(a_code_of_ours_is_no_code_of_the_dmp),
		cmocka_unit_test(words_cannot_break_the_message),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(the_message_decides_what_comes_back),
		cmocka_unit_test(answers_are_understood),
		cmocka_unit_test(an_answer_does_not_get_into_the_journal),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
