/* TD0.2: the question whether a patient has a DMP, and what the answers mean. */
#include "tree.h"

#include "dmp/existence.h"

#define INS "279035121518989"
#define TEST_OID "1.2.250.1.213.1.4.10"
#define NOON_MS 1795176000000LL /* 2026-11-20T12:00:00Z */

static const struct existence_request usual = {
	.ins = INS,
	.ins_oid = TEST_OID,
	.gateway_oid = "1.2.250.1.999.77",
	.software = "Passerelle libre",
	.processing_code = "D",
	.message_uuid = "58f7d1b0-3c55-4a51-8a2e-c0a1f0de7001",
	.query_uuid = "58f7d1b0-3c55-4a51-8a2e-c0a1f0de7002",
	.now_ms = NOON_MS,
};

#define ROOT "/h:PRPA_IN201307UV02"
#define QUERY ROOT "/h:controlActProcess/h:queryByParameter"
#define PATIENT QUERY "/h:parameterList/h:patientIdentifier"

static void the_question_names_who_asks_and_the_patient(void **state)
{
	static const struct fact facts[] = {
		{ ROOT "/@ITSVersion", "XML_1.0" },
		{ ROOT "/h:id/@root", "1.2.250.1.999.77.3.1" },
		{ ROOT "/h:id/@extension", "58f7d1b0-3c55-4a51-8a2e-c0a1f0de7001" },
		{ ROOT "/h:creationTime/@value", "20261120120000" },
		{ ROOT "/h:interactionId/@root", "2.16.840.1.113883.1.6" },
		{ ROOT "/h:interactionId/@extension", "PRPA_IN201307UV02" },
		{ ROOT "/h:processingCode/@code", "D" },
		{ ROOT "/h:processingModeCode/@code", "T" },
		{ ROOT "/h:acceptAckCode/@code", "AL" },
		{ ROOT "/h:receiver/@typeCode", "RCV" },
		{ ROOT "/h:receiver/h:device/h:id/@root", "1.2.250.1.213.4.1.1.1" },
		{ ROOT "/h:receiver/h:device/h:softwareName", "DMP" },
		{ ROOT "/h:sender/@typeCode", "SND" },
		{ ROOT "/h:sender/h:device/h:id/@root", "1.2.250.1.999.77" },
		{ "count(" ROOT "/h:sender/h:device/h:id/@extension)", "0" },
		{ ROOT "/h:sender/h:device/h:softwareName", "Passerelle libre" },
		{ ROOT "/h:attentionLine/@xsi:nil", "true" },
		{ ROOT "/h:controlActProcess/@classCode", "CACT" },
		{ ROOT "/h:controlActProcess/@moodCode", "EVN" },
		{ ROOT "/h:controlActProcess/h:reasonCode/@code", "TEST_EXST" },
		{ ROOT "/h:controlActProcess/h:reasonCode/@codeSystem", "1.2.250.1.213.1.1.4.11" },
		{ ROOT "/h:controlActProcess/h:reasonCode/@displayName",
		  "Test d'existence de dossier" },
		{ QUERY "/h:queryId/@root", "1.2.250.1.999.77.3.2" },
		{ QUERY "/h:queryId/@extension", "58f7d1b0-3c55-4a51-8a2e-c0a1f0de7002" },
		{ QUERY "/h:statusCode/@code", "new" },
		{ QUERY "/h:parameterList/h:dataSource/@xsi:nil", "true" },
		{ PATIENT "/h:value/@root", TEST_OID },
		{ PATIENT "/h:value/@extension", INS },
		{ PATIENT "/h:semanticsText", "Patient.id" },
		{ "count(//*)", "26" },
	};
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	existence_build(&usual, &body);
	assert_facts(&body, facts, length_of(facts));
}

static void no_value_escapes_its_place(void **state)
{
	static const struct fact facts[] = {
		{ ROOT "/h:sender/h:device/h:softwareName", "<A & B>" },
		{ PATIENT "/h:value/@extension", "\"><x/>" },
		{ ROOT "/h:processingCode/@code", "\"" },
		{ "count(//*)", "26" },
	};
	scoped(buf_done) struct buf body = { 0 };
	struct existence_request request = usual;

	(void)state;
	request.software = "<A & B>";
	request.ins = "\"><x/>";
	request.processing_code = "\"";
	existence_build(&request, &body);
	assert_facts(&body, facts, length_of(facts));
}

static void the_schema_takes_the_question(void **state)
{
	xmlSchema *schema =
		schema_at_hand("schema/HL7V3/NE2009/multicacheschemas/PRPA_IN201307UV02.xsd");
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	if (schema == NULL)
		return;
	existence_build(&usual, &body);
	assert_valid(schema, &body);
	xmlSchemaFree(schema);
}

#define ID(root, extension) "<id root=\"" root "\" extension=\"" extension "\"/>"
#define OURS ID(TEST_OID, INS)
#define STATUS(code) "<statusCode code=\"" code "\"/>"
#define PERSON                                                                                     \
	"<patientPerson classCode=\"PSN\" determinerCode=\"INSTANCE\"><name><family>PAT-TROIS"     \
	"</family><given>DOMINIQUE</given></name></patientPerson>"
#define ABOUT(patient)                                                                             \
	"<subject typeCode=\"SUBJ\" contextConductionInd=\"false\"><registrationEvent "            \
	"classCode=\"REG\" moodCode=\"EVN\"><statusCode code=\"completed\"/><subject1 "            \
	"typeCode=\"SBJ\"><patient classCode=\"PAT\">" patient PERSON "</patient></subject1>"      \
	"<custodian typeCode=\"CST\"><assignedEntity classCode=\"ASSIGNED\"><id "                  \
	"root=\"1.2.250.1.213.4.1.1.1\"/></assignedEntity></custodian></registrationEvent></"      \
	"subject>"
#define MESSAGE(ack, subject, code)                                                                \
	"<PRPA_IN201308UV02 xmlns=\"urn:hl7-org:v3\" "                                             \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ITSVersion=\"XML_1.0\">"          \
	"<id root=\"7c0e2b1e-91a4-4f6e-9a53-2f4b8c1d7003\"/>"                                      \
	"<creationTime value=\"20261120120001\"/>"                                                 \
	"<interactionId root=\"2.16.840.1.113883.1.6\" extension=\"PRPA_IN201308UV02\"/>"          \
	"<processingCode code=\"P\"/><processingModeCode code=\"T\"/><acceptAckCode code=\"NE\"/>" \
	"<receiver typeCode=\"RCV\"><device classCode=\"DEV\" determinerCode=\"INSTANCE\">"        \
	"<id root=\"1.2.250.1.999.77\"/></device></receiver>"                                      \
	"<sender typeCode=\"SND\"><device classCode=\"DEV\" determinerCode=\"INSTANCE\">"          \
	"<id root=\"1.2.250.1.213.4.1.1.1\"/></device></sender>"                                   \
	"<attentionLine><keyWordText code=\"AUTORISATION\" "                                       \
	"codeSystem=\"1.2.250.1.213.4.1.2.6.1\"/><value xsi:type=\"CV\" code=\"INTERDIT\" "        \
	"codeSystem=\"1.2.250.1.213.4.1.2.6.2\"/></attentionLine>" ack                             \
	"<controlActProcess classCode=\"CACT\" moodCode=\"EVN\">" subject                          \
	"<queryAck><queryId root=\"1.2.250.1.999.77.3.2\" extension=\"x\"/>"                       \
	"<queryResponseCode code=\"" code                                                          \
	"\"/></queryAck></controlActProcess></PRPA_IN201308UV02>"
#define ACK(type)                                                                                  \
	"<acknowledgement typeCode=\"" type "\"><targetMessage><id root=\"1.2.250.1.999.77.3.1\" " \
	"extension=\"x\"/></targetMessage></acknowledgement>"
#define ANSWER(subject, code) MESSAGE(ACK("AA"), subject, code)

static struct reply read_answer(const char *message, enum transaction asked, struct arena *arena)
{
	scoped(free_ptr) char *body =
		xasprintf("<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">"
			  "<soap:Body>%s</soap:Body></soap:Envelope>",
			  message);
	struct reply reply;

	reply_read(&reply, asked, slice_of("application/soap+xml"), slice_of(body), arena);
	return reply;
}

static void the_answer_says_whether_the_dmp_is_open(void **state)
{
	static const struct {
		const char *message;
		enum existence existence;
		const char *why;
	} cases[] = {
		{ ANSWER(ABOUT(OURS STATUS("active")), "OK"), EXISTENCE_ACTIVE, "" },
		{ ANSWER(ABOUT(OURS STATUS("terminated")), "OK"), EXISTENCE_CLOSED, "" },
		{ ANSWER("", "NF"), EXISTENCE_ABSENT, "" },
		{ MESSAGE(ACK("CA"), ABOUT(OURS STATUS("active")), "OK"), EXISTENCE_ACTIVE, "" },
		/* an older identifier beside ours */
		{ ANSWER(ABOUT(ID("1.2.250.1.213.1.4.2", "0123456789") OURS STATUS("active")),
			 "OK"),
		  EXISTENCE_ACTIVE, "" },
		{ ANSWER(ABOUT(OURS STATUS("nullified")), "OK"), EXISTENCE_UNKNOWN,
		  "the status of the patient's DMP is neither active nor terminated" },
		{ ANSWER(ABOUT(OURS), "OK"), EXISTENCE_UNKNOWN,
		  "the status of the patient's DMP is neither active nor terminated" },
		{ ANSWER(ABOUT(ID(TEST_OID, "279035121518900") STATUS("active")), "OK"),
		  EXISTENCE_UNKNOWN, "the answer is about another patient" },
		{ ANSWER(ABOUT(OURS ID(TEST_OID, "279035121518900") STATUS("active")), "OK"),
		  EXISTENCE_UNKNOWN, "the answer is about another patient" },
		{ ANSWER(ABOUT(ID("1.2.250.1.213.1.4.8", INS) STATUS("active")), "OK"),
		  EXISTENCE_UNKNOWN, "the answer names no patient of the domain asked for" },
		{ ANSWER(ABOUT(OURS STATUS("active")) ABOUT(OURS STATUS("active")), "OK"),
		  EXISTENCE_UNKNOWN, "the answer names several patients" },
		{ ANSWER("", "OK"), EXISTENCE_UNKNOWN, "the answer names no patient" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_answer(cases[i].message, TRANSACTION_EXISTENCE, &arena);
		const char *why;

		assert_int_equal(reply.shape, REPLY_SUCCESS);
		assert_int_equal(existence_read(&reply, INS, TEST_OID, &why), cases[i].existence);
		assert_string_equal(why, cases[i].why);
	}
}

static void nothing_is_kept_of_who_the_patient_is(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_answer(ANSWER(ABOUT(OURS STATUS("active")), "OK"),
					 TRANSACTION_EXISTENCE, &arena);
	const char *const texts[] = { reply.code,   reply.text,       reply.location,
				      reply.action, reply.query_code, reply.patient_status };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++)
		assert_null(strstr(texts[i], "PAT-TROIS"));
	assert_int_equal(reply.patient_id_count, 1);
}

static void an_answer_that_is_an_error_is_a_refusal(void **state)
{
	static const struct {
		const char *message, *code, *text;
	} cases[] = {
		{ ANSWER("", "AE"), "AE", "" },
		{ ANSWER("", "QE"), "QE", "" },
		{ ANSWER(ABOUT(OURS STATUS("active")), "XX"), "XX", "" },
		{ MESSAGE("<acknowledgement typeCode=\"AE\"><acknowledgementDetail typeCode=\"E\">"
			  "<code code=\"DMPClosed\"/><text>DMP clos</text></acknowledgementDetail>"
			  "</acknowledgement>",
			  ABOUT(OURS STATUS("active")), "OK"),
		  "DMPClosed", "DMP clos" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_answer(cases[i].message, TRANSACTION_EXISTENCE, &arena);

		assert_int_equal(reply.shape, REPLY_HL7_ACK);
		assert_string_equal(reply.code, cases[i].code);
		assert_string_equal(reply.text, cases[i].text);
	}
}

static void an_answer_counts_only_for_its_question(void **state)
{
	static const enum transaction others[] = { TRANSACTION_SUBMIT, TRANSACTION_FIND,
						   TRANSACTION_DELETE };

	(void)state;
	for (size_t i = 0; i < length_of(others); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply =
			read_answer(ANSWER(ABOUT(OURS STATUS("active")), "OK"), others[i], &arena);

		assert_int_equal(reply.shape, REPLY_NONE);
		assert_string_equal(reply.text, "the SOAP answer is to another request");
	}
}

static void an_answer_without_acknowledgement_decides_nothing(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_answer(MESSAGE("", ABOUT(OURS STATUS("active")), "OK"),
					 TRANSACTION_EXISTENCE, &arena);

	(void)state;
	assert_int_equal(reply.shape, REPLY_NONE);
}

static void identifiers_without_end_are_not_all_kept(void **state)
{
	scoped(buf_done) struct buf ids = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	scoped(free_ptr) char *message = NULL;
	struct reply reply;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add_text(&ids, ID("1.2.3", "4"));
	message = xasprintf(ANSWER(ABOUT("%s" STATUS("active")), "OK"), ids.p);
	reply = read_answer(message, TRANSACTION_EXISTENCE, &arena);
	assert_int_equal(reply.patient_id_count, REPLY_IDS);
}

/* Any one element or value of an answer that says "active" renamed: it may still say so where
 * the element does not matter, and must never say anything else than that or nothing.
 */
static void no_damage_turns_active_into_another_state(void **state)
{
	static const char whole[] = ANSWER(ABOUT(OURS STATUS("active")), "OK");

	(void)state;
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(free_ptr) char *damaged = xstrdup(whole);
		struct reply reply;
		const char *why;
		enum existence existence;

		damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
		reply = read_answer(damaged, TRANSACTION_EXISTENCE, &arena);
		if (reply.shape != REPLY_SUCCESS)
			continue;
		existence = existence_read(&reply, INS, TEST_OID, &why);
		assert_true(existence == EXISTENCE_ACTIVE || existence == EXISTENCE_UNKNOWN);
	}
}

static void every_state_has_a_word(void **state)
{
	(void)state;
	assert_string_equal(existence_text(EXISTENCE_UNKNOWN), "unknown");
	assert_string_equal(existence_text(EXISTENCE_ACTIVE), "active");
	assert_string_equal(existence_text(EXISTENCE_CLOSED), "closed");
	assert_string_equal(existence_text(EXISTENCE_ABSENT), "absent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_names_who_asks_and_the_patient),
		cmocka_unit_test(no_value_escapes_its_place),
		cmocka_unit_test(the_schema_takes_the_question),
		cmocka_unit_test(the_answer_says_whether_the_dmp_is_open),
		cmocka_unit_test(nothing_is_kept_of_who_the_patient_is),
		cmocka_unit_test(an_answer_that_is_an_error_is_a_refusal),
		cmocka_unit_test(an_answer_counts_only_for_its_question),
		cmocka_unit_test(an_answer_without_acknowledgement_decides_nothing),
		cmocka_unit_test(identifiers_without_end_are_not_all_kept),
		cmocka_unit_test(no_damage_turns_active_into_another_state),
		cmocka_unit_test(every_state_has_a_word),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
