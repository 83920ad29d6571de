/* A message of the ANS profile: what is taken from it, what is tolerated, what is refused. */
#include "hl7/transmission.h"

#include "sample.h"

#define CDA "^text^XML^Base64^PD94"

static struct transmission_settings settings;

struct read {
	struct buf text;
	struct arena arena;
	struct hl7_message message;
	struct transmission transmission;
	struct err err;
	int result;
};

static void read_done(struct read *read)
{
	buf_done(&read->text);
	arena_done(&read->arena);
}

/* Reads a sample in which the first `find` became `put`; a NULL `find` changes nothing. */
static struct read read_changed(const char *sample, const char *find, const char *put)
{
	struct read read = { 0 };
	scoped(buf_done) struct buf original = { 0 };
	const char *place;

	sample_read(sample, &original);
	place = find ? strstr(original.p, find) : original.p;
	if (place == NULL)
		fail_msg("%s does not hold \"%s\"", sample, find);
	buf_add(&read.text, (struct slice){ original.p, (size_t)(place - original.p) });
	buf_add_text(&read.text, find ? put : "");
	buf_add_text(&read.text, place + (find ? strlen(find) : 0));
	read.result = hl7_parse(&read.message, buf_slice(&read.text), &read.arena, &read.err);
	if (read.result == 0)
		read.result = transmission_read(&read.transmission, &read.message, &settings,
						&read.arena, &read.err);
	return read;
}

static void a_new_document_is_read(void **state)
{
	scoped(read_done) struct read read = read_changed("hl7/mdm_new.hl7", NULL, NULL);
	const struct transmission *t = &read.transmission;

	(void)state;
	assert_int_equal(read.result, 0);
	assert_string_equal(t->control_id, "A0001");
	assert_string_equal(t->application, "DPI-A");
	assert_string_equal(t->facility, "CH-A");
	assert_string_equal(t->profile, "2.1");
	assert_string_equal(t->birth_date, "19790328");
	assert_string_equal(t->sex, "F");
	assert_true(t->identity_validated);
	assert_string_equal(t->visit_class, "I");
	assert_string_equal(t->visit_number, "V88001");
	assert_string_equal(t->visit_end, "");
	assert_string_equal(t->unit, "UF12");
	assert_string_equal(t->type_code, "11490-0");
	assert_string_equal(t->event, "T02");
	assert_int_equal(t->action, TRANSMISSION_SUBMIT);
	assert_int_equal(t->document_count, 1);
	assert_string_equal(t->documents[0].type_code, "11490-0");
	assert_string_equal(t->documents[0].status, "F");
	assert_true(slice_starts(t->documents[0].base64, "PD94bWwg"));
	assert_int_equal(t->documents[0].base64.n, 180);
}

static void the_end_of_the_visit_is_read(void **state)
{
	scoped(read_done) struct read read =
		read_changed("hl7/mdm_new.hl7", "V88001^^^CH-A&1.2.250.1.999.3&ISO^VN",
			     "V88001^^^CH-A&1.2.250.1.999.3&ISO^VN||||||||||||||||||||||||||"
			     "202611201015+0100");

	(void)state;
	assert_int_equal(read.result, 0);
	assert_string_equal(read.transmission.visit_number, "V88001");
	assert_string_equal(read.transmission.visit_end, "202611201015+0100");
}

static void every_identifier_of_the_patient_is_read(void **state)
{
	scoped(read_done) struct read read = read_changed("hl7/mdm_new.hl7", NULL, NULL);
	const struct transmission_id *ids = read.transmission.ids;

	(void)state;
	assert_int_equal(read.transmission.id_count, 2);
	assert_string_equal(ids[0].number, "279035121518989");
	assert_string_equal(ids[0].oid, "1.2.250.1.213.1.4.10");
	assert_string_equal(ids[0].type, "INS");
	assert_string_equal(ids[1].number, "4711");
	assert_string_equal(ids[1].oid, "1.2.250.1.999.1");
	assert_string_equal(ids[1].type, "PI");
}

static void sender_is_the_participant_sb(void **state)
{
	scoped(read_done) struct read read =
		read_changed("hl7/mdm_new.hl7", "PRT||UC||SB",
			     "PRT||UC||RCT^^participation|1^OTHER\nPRT||UC||SB");
	const struct transmission_sender *sender = &read.transmission.sender;

	(void)state;
	assert_true(read.transmission.has_sender);
	assert_string_equal(sender->person_id, "801234567866");
	assert_string_equal(sender->person_family, "MARTIN");
	assert_string_equal(sender->person_given, "Claire");
	assert_string_equal(sender->person_id_type, "IDNPS");
	assert_string_equal(sender->structure_name, "CH-A");
	assert_string_equal(sender->structure_id, "120456789");
	assert_string_equal(sender->device, "");
}

/* PRT-5.9, .10 and .13 say whose number PRT-5.1 is. */
static void whose_number_the_sender_has_is_read(void **state)
{
	static const struct {
		const char *person;
		bool is_foreign, is_system;
	} cases[] = {
		{ "801234567866^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS", false,
		  false },
		{ "801234567866^MARTIN^Claire^^^^^^ASIP- SANTE&1.2.250.1.71.4.2.1&ISO^D^^^RPPS",
		  false, false },
		{ "801234567866^MARTIN^Claire^^^^^^ANS& 1.2.250.1.71.4.2.1 ^D^^^IDNPS", false,
		  false },
		{ "801234567866^MARTIN^Claire", false, false },
		{ "801234567866^MARTIN^Claire^^^^^^ANS^D^^^IDNPS", false, false },
		{ "801234567866^MARTIN^Claire^^^^^^CH-A&\"\"&ISO^D^^^IDNPS", false, false },
		{ "801234567866^MARTIN^Claire^^^^^^CH-A&1.2.250.1.999.4&ISO^D^^^IDNPS", true,
		  false },
		{ "801234567866^MARTIN^Claire^^^^^^CH-A&1.2.250.1.999.4&ISO^D", true, false },
		{ "801234567866^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.2&ISO^D^^^RPPS", true,
		  false },
		{ "801234567866^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.10&ISO^D^^^RPPS", true,
		  false },
		{ "DR12^MARTIN^Claire^^^^^^CH-A&1.2.250.1.999.4&ISO^D^^^EI", false, false },
		{ "DR12^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^ EI", false, false },
		{ "3990012345/GW1^Logiciel^2^^^^^^ANS&1.2.250.1.71.4.2.1&ISO^U^^^RI", false, true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read = read_changed(
			"hl7/mdm_new.hl7",
			"801234567866^MARTIN^Claire^^^^^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
			cases[i].person);

		assert_int_equal(read.result, 0);
		if (read.transmission.sender.person_is_foreign != cases[i].is_foreign ||
		    read.transmission.sender.person_is_system != cases[i].is_system)
			fail_msg("%s", cases[i].person);
	}
}

static void what_is_null_of_the_sender_is_empty(void **state)
{
	scoped(read_done) struct read read = read_changed(
		"hl7/mdm_new.hl7", "801234567866^MARTIN^Claire^^^^^^", "\"\"^\"\"^\"\"^^^^^^");

	(void)state;
	assert_true(read.transmission.has_sender);
	assert_string_equal(read.transmission.sender.person_id, "");
	assert_string_equal(read.transmission.sender.person_family, "");
	assert_string_equal(read.transmission.sender.person_given, "");
}

static void sender_may_be_a_device_and_its_code_bare(void **state)
{
	scoped(read_done) struct read read =
		read_changed("hl7/mdm_new.hl7", "PRT||UC||SB^Send by^participation|801234567866^",
			     "PRT||UC|| SB ||||||SOFT-1^x\nPRT||UC||RCT|801234567866^");

	(void)state;
	assert_int_equal(read.result, 0);
	assert_true(read.transmission.has_sender);
	assert_string_equal(read.transmission.sender.device, "SOFT-1");
	assert_string_equal(read.transmission.sender.person_id, "");
	assert_string_equal(read.transmission.sender.structure_id, "");
}

static void no_break_spaces_do_not_enter_an_identifier(void **state)
{
	scoped(read_done) struct read read = read_changed("hl7/mdm_new.hl7", "^FINEG^^^120456789",
							  "^FINEG^^^120456789\302\240\302\240 ");

	(void)state;
	assert_string_equal(read.transmission.sender.structure_id, "120456789");
}

static void without_sender_the_caller_decides(void **state)
{
	scoped(read_done) struct read read =
		read_changed("hl7/mdm_new.hl7", "PRT||UC||SB", "PRT||UC||REPLY");

	(void)state;
	assert_int_equal(read.result, 0);
	assert_false(read.transmission.has_sender);
	assert_string_equal(read.transmission.sender.person_id, "");
	assert_string_equal(read.transmission.sender.structure_id, "");
}

static void flags_are_read_by_their_code(void **state)
{
	static const struct {
		const char *find, *put;
		enum transmission_flag flag;
		bool value;
	} cases[] = {
		{ NULL, NULL, FLAG_DESTDMP, true },
		{ NULL, NULL, FLAG_ACK_RECEPTION, true },
		{ NULL, NULL, FLAG_MASQUE_PS, false },
		{ "patient^MetaDMPMSS||N", "patient^MetaDMPMSS||Y", FLAG_INVISIBLE_PATIENT, true },
		{ "|INVISIBLE_REP_LEGAUX^Non visible par les représentants Légaux du "
		  "patient^MetaDMPMSS||N",
		  "|INVISIBLE_REP_LEGAUX||Y", FLAG_INVISIBLE_REP_LEGAUX, true },
		{ "|INVISIBLE_REP_LEGAUX^", "|INVISIBLE_REPRENSANTS_LEGAUX||Y^",
		  FLAG_INVISIBLE_REP_LEGAUX, true },
		{ "|INVISIBLE_REP_LEGAUX^", "|INVISIBLE_REPRESENTANTS_LEGAUX||Y^",
		  FLAG_INVISIBLE_REP_LEGAUX, true },
		{ "|MODIF_CONF_CODE^", "|MODIF_CONFIDENTIALITYCODE||Y^", FLAG_MODIF_CONF_CODE,
		  true },
		{ "|ACK_LECTURE_MSS^", "|ACK_LECTURE||Y^", FLAG_ACK_LECTURE_MSS, true },
		{ "Destinataire DMP^MetaDMPMSS||Y", "x|| N ", FLAG_DESTDMP, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", cases[i].find, cases[i].put);

		assert_int_equal(read.result, 0);
		assert_int_equal(read.transmission.flags[cases[i].flag], cases[i].value);
		assert_false(read.transmission.lacks_flag);
	}
}

/* Of edition 2.1; 2.0 took what was missing for a no, and for the DMP. */
static void a_missing_flag_is_refused_where_the_dmp_would_need_it(void **state)
{
	static const struct {
		const char *find, *code;
		enum transmission_flag flag;
		bool refused;
	} cases[] = {
		{ "|MASQUE_PS^", "MASQUE_PS", FLAG_MASQUE_PS, true },
		{ "|INVISIBLE_PATIENT^", "INVISIBLE_PATIENT", FLAG_INVISIBLE_PATIENT, true },
		{ "|INVISIBLE_REP_LEGAUX^", "INVISIBLE_REP_LEGAUX", FLAG_INVISIBLE_REP_LEGAUX,
		  true },
		{ "|CONNEXION_SECRETE^", "CONNEXION_SECRETE", FLAG_CONNEXION_SECRETE, true },
		{ "|MODIF_CONF_CODE^", "MODIF_CONF_CODE", FLAG_MODIF_CONF_CODE, true },
		{ "|DESTDMP^", "DESTDMP", FLAG_DESTDMP, true },
		{ "|DESTMSSANTEPS^", "DESTMSSANTEPS", FLAG_DESTMSSANTEPS, false },
		{ "|DESTMSSANTEPAT^", "DESTMSSANTEPAT", FLAG_DESTMSSANTEPAT, false },
		{ "|ACK_RECEPTION^", "ACK_RECEPTION", FLAG_ACK_RECEPTION, false },
		{ "|ACK_LECTURE_MSS^", "ACK_LECTURE_MSS", FLAG_ACK_LECTURE_MSS, false },
	};

	(void)state;
	assert_int_equal(length_of(cases), FLAG_COUNT);
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read new =
			read_changed("hl7/mdm_new.hl7", cases[i].find, "|OLD^");
		scoped(read_done) struct read old =
			read_changed("hl7/mdm_new_2.0.hl7", cases[i].find, "|OLD^");

		assert_int_equal(new.result, cases[i].refused ? -1 : 0);
		if (cases[i].refused) {
			assert_int_equal(new.err.reason, REASON_FIELD_MISSING);
			assert_string_equal(new.err.where, "OBX");
			assert_non_null(strstr(new.err.text, cases[i].code));
		} else {
			assert_true(new.transmission.lacks_flag);
			assert_false(new.transmission.flags[cases[i].flag]);
		}
		assert_int_equal(old.result, 0);
		assert_false(old.transmission.lacks_flag);
		assert_int_equal(old.transmission.flags[cases[i].flag],
				 cases[i].flag == FLAG_DESTDMP);
	}
}

static void what_the_dmp_does_not_need_is_tolerated(void **state)
{
	static const struct {
		const char *why, *find, *put;
	} cases[] = {
		{ "no organisations in MSH", "|DPI-A|CH-A|PFI|CH-A|20261120101500|", "||||||" },
		{ "no structure in MSH-9", "MDM^T02^MDM_T02", "MDM^T02" },
		{ "no country", "|FRA|", "||" },
		{ "MSH one field short", "|||||FRA|UNICODE UTF-8|", "||||FRA|UNICODE UTF-8|" },
		{ "MSH-18 of no table", "UNICODE UTF-8", "FR" },
		{ "the minor number in MSH-21", "|2.1^CISIS", "|2.1.3^CISIS" },
		{ "a version with its country", "|2.6|", "|2.6^FRA|" },
		{ "a test", "|P|2.6", "|T|2.6" },
		{ "a rehearsal", "|P|2.6", "|D|2.6" },
		{ "EVN empty", "EVN||20261120101500", "EVN" },
		{ "segments of ours between", "PV1||", "PD1||x\nZZZ|1\nPV1||" },
		{ "no INS", "^INS~", "^PI~" },
		{ "an empty identifier beside", "|279035121518989^", "|^^^x~279035121518989^" },
		{ "blanks around an identifier", "|279035121518989^", "| 279035121518989 ^" },
		{ "no name", "||PAT-TROIS^DOMINIQUE^DOMINIQUE^^^^L||", "||||" },
		{ "a birth year only", "|19790328|", "|1979|" },
		{ "no birth date", "|19790328|", "||" },
		{ "a status that is not VALI", "|VALI", "|PROV" },
		{ "several statuses", "|VALI", "|HOMD~VALI" },
		{ "a status that has no row beside VALI", "|VALI", "|VALI~NEWS" },
		{ "no status", "|VALI", "" },
		{ "no visit number", "|V88001^^^CH-A&1.2.250.1.999.3&ISO^VN", "" },
		{ "a free location", "|UF12|", "|Chir. A / 3^x~y|" },
		{ "another status of the document in TXA", "|AU", "|LA" },
		{ "an opaque number in TXA-12", "|1.2.250.1.999.1.1.7001|", "|2638^CH-A|" },
		{ "another code in OBR", "OBR||||11490-0^", "OBR||||34555-3^" },
		{ "trailing separators", "ORC|NW", "ORC|NW|||" },
		{ "blanks at the end of a segment", "ORC|NW", "ORC|NW   " },
		{ "a document in capitals", "^text^XML^Base64^", "^TEXT^xml^BASE64^" },
		{ "lines in the Base64", "^Base64^PD94", "^Base64^PD94\n" },
		{ "the type of a flag", "|2|CWE|", "|2|CE|" },
		{ "the same flag twice", "OBX|3|CWE", "OBX|9|CWE|DESTDMP||Y||||||F\nOBX|3|CWE" },
		{ "an unknown flag", "OBX|3|CWE", "OBX|9|CWE|NEWS^x^MetaDMPMSS||?\nOBX|3|CWE" },
		{ "an unknown flag with data", "OBX|3|CWE",
		  "OBX|9|ED|NEWS^x^MetaDMPMSS||" CDA "||||||F\nOBX|3|CWE" },
		{ "a lot of 1.2", "OBX|3|CWE", "OBX|9|CE|COMP_LOT||1.2^CDAN1||||||F\nOBX|3|CWE" },
		{ "a mail that is cut", "OBX|3|CWE",
		  "OBX|9|ED|CORPSMAIL_PS^x^MetaDMPMSS||^text^^Base64^Q2h||||||F\nOBX|3|CWE" },
		{ "a mail without table", "OBX|3|CWE",
		  "OBX|9|ED|CORPSMAIL_PATIENT||^text^^Base64^Q2h||||||F\nOBX|3|CWE" },
		{ "a note under a flag", "OBX|9|CWE", "NTE|1|||FIN\nOBX|9|CWE" },
		{ "U+02DC for the repetition", "^~\\&", "^\313\234\\&" },
		{ "a truncation character", "^~\\&", "^~\\&#" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", cases[i].find, cases[i].put);

		if (read.result < 0)
			fail_msg("%s: %s %s", cases[i].why, read.err.where, read.err.text);
	}
}

static void what_the_dmp_needs_is_required(void **state)
{
	static const struct {
		const char *find, *put;
		enum reason reason;
		const char *where;
	} cases[] = {
		/* types, events, versions */
		{ "^~\\&", "^~&\\", REASON_DATA_TYPE, "MSH-2" },
		{ "MSH|^~\\&|", "MSH|#~\\&|", REASON_DATA_TYPE, "MSH-2" },
		{ "MDM^T02^MDM_T02", "", REASON_FIELD_MISSING, "MSH-9" },
		{ "MDM^T02^MDM_T02", "ORM^O01^ORM_O01", REASON_MESSAGE_TYPE, "MSH-9" },
		{ "MDM^T02^MDM_T02", "SIU^S12", REASON_MESSAGE_TYPE, "MSH-9" },
		{ "MDM^T02^MDM_T02", "OUL^R22", REASON_MESSAGE_TYPE, "MSH-9" },
		{ "MDM^T02^MDM_T02", "ZAM^Z01^ZAM_Z01", REASON_EVENT, "MSH-9" },
		{ "MDM^T02^MDM_T02", "ADT", REASON_EVENT, "MSH-9" },
		{ "MDM^T02^MDM_T02", "MDM^T01^MDM_T01", REASON_EVENT, "MSH-9" },
		{ "MDM^T02^MDM_T02", "MDM", REASON_EVENT, "MSH-9" },
		{ "MDM^T02^MDM_T02", "ORU^R03", REASON_EVENT, "MSH-9" },
		{ "|A0001|", "||", REASON_FIELD_MISSING, "MSH-10" },
		{ "|A0001|", "|\"\"|", REASON_FIELD_MISSING, "MSH-10" },
		{ "|P|2.6", "||2.6", REASON_FIELD_MISSING, "MSH-11" },
		{ "|P|2.6", "|X|2.6", REASON_PROCESSING_ID, "MSH-11" },
		{ "|P|2.6", "|PT|2.6", REASON_PROCESSING_ID, "MSH-11" },
		{ "|2.6|", "||", REASON_FIELD_MISSING, "MSH-12" },
		{ "|2.6|", "|2.3|", REASON_VERSION, "MSH-12" },
		{ "|2.6|", "|2.5|", REASON_VERSION, "MSH-12" },
		{ "|2.1^CISIS_CDA_HL7_V2", "", REASON_FIELD_MISSING, "MSH-21" },
		{ "|2.1^CISIS_CDA_HL7_V2", "|1.2^CISIS_CDA_HL7_V1", REASON_VERSION, "MSH-21" },
		{ "|2.1^CISIS_CDA_HL7_V2", "|2.2^CISIS_CDA_HL7_V2", REASON_VERSION, "MSH-21" },
		{ "|2.1^CISIS_CDA_HL7_V2", "|2.10^CISIS_CDA_HL7_V2", REASON_VERSION, "MSH-21" },
		{ "|2.1^CISIS_CDA_HL7_V2", "|2.1^OTHER", REASON_VERSION, "MSH-21" },
		/* segments */
		{ "EVN||20261120101500\n", "", REASON_SEQUENCE, "EVN" },
		{ "PV1||", "PV2||", REASON_SEQUENCE, "PV1" },
		{ "ORC|NW\n", "", REASON_SEQUENCE, "ORC" },
		{ "OBR||||", "ZBR||||", REASON_SEQUENCE, "OBR" },
		{ "TXA|1|", "ZXA|1|", REASON_SEQUENCE, "TXA" },
		{ "ORC|NW\nOBR||||11490-0^Lettre de liaison à la sortie^LN\n",
		  "OBR||||11490-0\nORC|NW\n", REASON_SEQUENCE, "ORC" },
		{ "OBX|2|CWE", "TXA|1\nOBX|2|CWE", REASON_CARDINALITY, "TXA" },
		{ "PV1||", "PID|||1\nPV1||", REASON_CARDINALITY, "PID" },
		{ "ORC|NW", "ORC|NW\nORC|NW", REASON_CARDINALITY, "ORC" },
		/* fields */
		{ "PV1||I|", "PV1|||", REASON_FIELD_MISSING, "PV1-2" },
		{ "PV1||I|", "PV1||B|", REASON_TABLE_VALUE, "PV1-2" },
		{ "ORC|NW", "ORC", REASON_FIELD_MISSING, "ORC-1" },
		{ "TXA|1|11490-0|", "TXA|1||", REASON_FIELD_MISSING, "TXA-2" },
		{ "|1.2.250.1.999.1.1.7001|", "||", REASON_FIELD_MISSING, "TXA-12" },
		{ "|19790328|", "|28/03/1979|", REASON_DATA_TYPE, "PID-7" },
		{ "|19790328|", "|19790230|", REASON_DATA_TYPE, "PID-7" },
		{ "|VALI", "|VALIDATED", REASON_TABLE_VALUE, "PID-32" },
		{ "|VALI", "|PROV~NEWS", REASON_TABLE_VALUE, "PID-32" },
		/* agreement */
		{ "ORC|NW", "ORC|RO", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "ORC|NW", "ORC|CA", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "ORC|NW", "ORC|SC", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "MDM^T02", "MDM^T10", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "MDM^T02", "MDM^T04", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "||||||F\nPRT", "||||||C\nPRT", REASON_MESSAGE_INVALID, "OBX-11" },
		{ "||||||F\nPRT", "||||||D\nPRT", REASON_MESSAGE_INVALID, "OBX-11" },
		{ "||||||F\nPRT", "||||||P\nPRT", REASON_MESSAGE_INVALID, "OBX-11" },
		{ "||||||F\nPRT", "\nPRT", REASON_FIELD_MISSING, "OBX-11" },
		/* the document */
		{ "OBX|1|ED|11490-0^", "OBX|1|CE|11502-2^", REASON_CARDINALITY, "OBX" },
		{ "OBX|1|ED|", "OBX|1|ST|", REASON_DATA_TYPE, "OBX-2" },
		{ "OBX|1|ED|", "OBX|1||", REASON_FIELD_MISSING, "OBX-2" },
		{ "||^text^XML^Base64^", "||||||||F|^text^XML^Base64^", REASON_FIELD_MISSING,
		  "OBX-5" },
		{ "||^text^XML^Base64^", "||\"\"||||||F|^text^XML^Base64^", REASON_FIELD_MISSING,
		  "OBX-5" },
		{ "OBX|2|CWE", "OBX|2|ED|11502-2||" CDA "||||||F\nOBX|2|CWE", REASON_CARDINALITY,
		  "OBX" },
		{ "^text^XML^Base64^", "^application^XML^Base64^", REASON_DATA_TYPE, "OBX-5.2" },
		{ "^text^XML^Base64^", "^text^PDF^Base64^", REASON_DATA_TYPE, "OBX-5.3" },
		{ "^text^XML^Base64^", "^text^XML^A^", REASON_DATA_TYPE, "OBX-5.4" },
		{ "^text^XML^Base64^", "^text^XML^Base64^^", REASON_FIELD_MISSING, "OBX-5.5" },
		{ "^text^XML^Base64^", "", REASON_DATA_TYPE, "OBX-5.2" },
		/* flags */
		{ "Destinataire DMP^MetaDMPMSS||Y", "x||O", REASON_TABLE_VALUE, "OBX-5" },
		{ "Destinataire DMP^MetaDMPMSS||Y", "x||y", REASON_TABLE_VALUE, "OBX-5" },
		{ "Destinataire DMP^MetaDMPMSS||Y", "x||", REASON_FIELD_MISSING, "OBX-5" },
		{ "Destinataire DMP^MetaDMPMSS||Y", "x||\"\"", REASON_FIELD_MISSING, "OBX-5" },
		{ "OBX|3|CWE", "OBX|9|CWE|DESTDMP||N||||||F\nOBX|3|CWE", REASON_MESSAGE_INVALID,
		  "OBX-5" },
		{ "OBX|3|CWE", "OBX|9|CWE|INVISIBLE_REPRESENTANTS_LEGAUX||Y\nOBX|3|CWE",
		  REASON_MESSAGE_INVALID, "OBX-5" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", cases[i].find, cases[i].put);

		if (read.result == 0 || read.err.reason != cases[i].reason ||
		    strcmp(read.err.where, cases[i].where) != 0)
			fail_msg("\"%s\" to \"%s\": %s at \"%s\": %s", cases[i].find, cases[i].put,
				 reason_row(read.err.reason)->code, read.err.where, read.err.text);
	}
}

static void no_identifier_of_the_patient_is_a_missing_field(void **state)
{
	static const char *const ids[] = { "", "\"\"", "^^^A&1.2&ISO^INS",
					   "\"\"^^^A&1.2&ISO^INS~" };

	(void)state;
	for (size_t i = 0; i < length_of(ids); i++) {
		scoped(read_done) struct read read = read_changed(
			"hl7/mdm_new.hl7",
			"279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS~4711^^^"
			"CH-A&1.2.250.1.999.1&ISO^PI",
			ids[i]);

		assert_int_equal(read.result, -1);
		assert_int_equal(read.err.reason, REASON_FIELD_MISSING);
		assert_string_equal(read.err.where, "PID-3");
	}
}

static void identifiers_of_the_patient_have_a_limit(void **state)
{
	scoped(buf_done) struct buf many = { 0 };
	struct read read;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		buf_add_char(&many, '~');
	read = read_changed("hl7/mdm_new.hl7", "^INS~", buf_slice(&many).p);
	assert_int_equal(read.err.reason, REASON_CARDINALITY);
	assert_string_equal(read.err.where, "PID-3");
	read_done(&read);
}

static void only_vali_validates_the_identity(void **state)
{
	static const struct {
		const char *status;
		bool validated;
	} cases[] = {
		{ "VALI", true },  { " VALI ", true }, { "PROV~VALI", true }, { "PROV", false },
		{ "VIDE", false }, { "", false },      { "\"\"", false },     { "IDVER", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", "VALI", cases[i].status);

		assert_int_equal(read.result, 0);
		assert_int_equal(read.transmission.identity_validated, cases[i].validated);
	}
}

static void birth_date_is_at_most_eight_digits(void **state)
{
	static const struct {
		const char *field, *date;
	} cases[] = {
		{ "|19790328|", "19790328" },
		{ "|197903281200|", "19790328" },
		{ "|197903|", "197903" },
		{ "|1979|", "1979" },
		{ "|1979+0100|", "1979" },
		{ "|19790328120000+0100|", "19790328" },
		{ "|19790328000000.0|", "19790328" },
		{ "||", "" },
		{ "|\"\"|", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", "|19790328|", cases[i].field);

		assert_int_equal(read.result, 0);
		assert_string_equal(read.transmission.birth_date, cases[i].date);
	}
}

static void edition_2_0_has_no_order(void **state)
{
	static const char *const orders[] = { "", "ORC|SC\nOBR|1\n", "ORC|NW\nOBR|1\n" };

	(void)state;
	for (size_t i = 0; i < length_of(orders); i++) {
		scoped(buf_done) struct buf put = { 0 };
		struct read read;

		buf_addf(&put, "%sTXA|1|", orders[i]);
		read = read_changed("hl7/mdm_new_2.0.hl7", "TXA|1|", put.p);
		assert_int_equal(read.result, 0);
		assert_string_equal(read.transmission.profile, "2.0");
		assert_true(read.transmission.has_sender);
		assert_true(read.transmission.flags[FLAG_DESTDMP]);
		read_done(&read);
	}
}

static void edition_2_0_still_says_what_it_wants(void **state)
{
	scoped(read_done) struct read order =
		read_changed("hl7/mdm_new_2.0.hl7", "TXA|1|", "ORC|CA\nOBR|1\nTXA|1|");
	scoped(read_done) struct read status =
		read_changed("hl7/mdm_new_2.0.hl7", "||||||F\nPRT", "||||||C\nPRT");

	(void)state;
	assert_string_equal(order.err.where, "ORC-1");
	assert_string_equal(status.err.where, "OBX-11");
}

static void what_does_not_come_to_a_gateway_is_refused(void **state)
{
	static const struct {
		const char *sample;
		enum reason reason;
		const char *where;
	} cases[] = {
		{ "hl7/mdm_lps.hl7", REASON_VERSION, "MSH-21" },
		{ "hl7/ack_business.hl7", REASON_MESSAGE_TYPE, "MSH-9" },
		{ "hl7/zam_refused.hl7", REASON_EVENT, "MSH-9" },
		{ "hl7/oru_new_1.2.hl7", REASON_VERSION, "MSH-21" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read = read_changed(cases[i].sample, NULL, NULL);

		assert_int_equal(read.result, -1);
		assert_int_equal(read.err.kind, ERR_REJECT);
		assert_int_equal(read.err.reason, cases[i].reason);
		assert_string_equal(read.err.where, cases[i].where);
	}
}

/* ---- what is wanted ---- */

static void the_three_places_agree_on_what_is_wanted(void **state)
{
	static const struct {
		const char *sample, *event;
		enum transmission_action action;
		const char *status, *replaces;
	} cases[] = {
		{ "hl7/mdm_new.hl7", "T02", TRANSMISSION_SUBMIT, "F", "" },
		{ "hl7/mdm_replace.hl7", "T10", TRANSMISSION_REPLACE, "C",
		  "1.2.250.1.999.1.1.7001" },
		{ "hl7/mdm_delete.hl7", "T04", TRANSMISSION_DELETE, "D", "" },
		{ "hl7/oru_new.hl7", "R01", TRANSMISSION_SUBMIT, "F", "" },
		{ "hl7/oru_replace.hl7", "R01", TRANSMISSION_REPLACE, "C", "" },
		{ "hl7/oru_delete.hl7", "R01", TRANSMISSION_DELETE, "D", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read = read_changed(cases[i].sample, NULL, NULL);
		const struct transmission *t = &read.transmission;

		if (read.result < 0)
			fail_msg("%s: %s %s", cases[i].sample, read.err.where, read.err.text);
		assert_string_equal(t->event, cases[i].event);
		assert_int_equal(t->action, cases[i].action);
		assert_int_equal(t->document_count, 1);
		assert_string_equal(t->documents[0].status, cases[i].status);
		assert_string_equal(t->replaces, cases[i].replaces);
		assert_false(t->is_identity);
	}
}

static void the_replaced_document_is_named_in_one_of_several_ways(void **state)
{
	static const struct {
		const char *field, *replaces;
	} cases[] = {
		{ "1.2.250.1.999.5", "1.2.250.1.999.5" },
		{ "1.2.250.1.999.5^Organisation-Y", "1.2.250.1.999.5" },
		{ "4711^^1.2.250.1.999.5^ISO", "1.2.250.1.999.5^4711" },
		{ "^^1.2.250.1.999.5^ISO", "1.2.250.1.999.5" },
		{ " 1.2.250.1.999.5 ", "1.2.250.1.999.5" },
		{ "1.2.250.1.999.5~1.2.250.1.999.6", "1.2.250.1.999.5" },
		{ "\"\"", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf put = { 0 };
		struct read read;

		buf_addf(&put, "7002|%s|", cases[i].field);
		read = read_changed("hl7/mdm_replace.hl7", "7002|1.2.250.1.999.1.1.7001|", put.p);
		assert_int_equal(read.result, 0);
		assert_string_equal(read.transmission.replaces, cases[i].replaces);
		read_done(&read);
	}
}

static void an_oru_that_contradicts_itself_is_refused(void **state)
{
	static const struct {
		const char *sample, *find, *put;
		enum reason reason;
		const char *where;
	} cases[] = {
		{ "hl7/oru_new.hl7", "ORC|NW", "ORC|RO", REASON_MESSAGE_INVALID, "OBX-11" },
		{ "hl7/oru_new.hl7", "ORC|NW", "ORC|SC", REASON_MESSAGE_INVALID, "ORC-1" },
		{ "hl7/oru_new.hl7", "ORC|NW", "ORC", REASON_FIELD_MISSING, "ORC-1" },
		{ "hl7/oru_new.hl7", "ORC|NW\n", "", REASON_SEQUENCE, "ORC" },
		{ "hl7/oru_new.hl7", "OBR|", "ZBR|", REASON_SEQUENCE, "OBR" },
		{ "hl7/oru_new.hl7", "PV1|", "ZV1|", REASON_SEQUENCE, "PV1" },
		{ "hl7/oru_new.hl7", "OBX|2|", "PID|||1\nOBX|2|", REASON_CARDINALITY, "PID" },
		{ "hl7/oru_new.hl7", "OBX|2|", "OBR|2\nOBX|2|", REASON_CARDINALITY, "OBR" },
		{ "hl7/oru_new.hl7", "OBX|2|", "ORC|NW\nOBX|2|", REASON_SEQUENCE, "OBR" },
		{ "hl7/oru_new.hl7", "OBX|2|", "ORC|RO\nOBR|2\nOBX|2|", REASON_MESSAGE_INVALID,
		  "ORC-1" },
		{ "hl7/oru_new.hl7", "|P|2.5|", "|P|2.6|", REASON_VERSION, "MSH-12" },
		{ "hl7/oru_new.hl7", "OBX|1|ED|", "OBX|1|ST|", REASON_DATA_TYPE, "OBX-2" },
		{ "hl7/oru_new.hl7", "OBX|1|ED|11490-0^", "OBX|1|CE|11502-2^", REASON_CARDINALITY,
		  "OBX" },
		{ "hl7/oru_new.hl7", "OBX|2|", "OBX|9|ED|11490-0||" CDA "||||||C\nOBX|2|",
		  REASON_MESSAGE_INVALID, "OBX-11" },
		{ "hl7/oru_two_forms_2.0.hl7", "OBX|3|", "OBX|9|ED|11490-0||" CDA "||||||F\nOBX|3|",
		  REASON_CARDINALITY, "OBX" },
		{ "hl7/oru_two_forms_2.0.hl7", "||||||F\nPRT", "||||||C\nPRT",
		  REASON_MESSAGE_INVALID, "OBX-11" },
		{ "hl7/oru_two_forms_2.0.hl7", "ORC|SC", "ORC|CA", REASON_MESSAGE_INVALID,
		  "OBX-11" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed(cases[i].sample, cases[i].find, cases[i].put);

		if (read.result == 0 || read.err.reason != cases[i].reason ||
		    strcmp(read.err.where, cases[i].where) != 0)
			fail_msg("\"%s\" to \"%s\": %s at \"%s\": %s", cases[i].find, cases[i].put,
				 reason_row(read.err.reason)->code, read.err.where, read.err.text);
	}
}

static void an_oru_carries_two_forms_of_one_content(void **state)
{
	static const char *const groups[] = { "OBX|2|", "ORC|SC\nOBR||||11490-0\nOBX|2|" };

	(void)state;
	for (size_t i = 0; i < length_of(groups); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/oru_two_forms_2.0.hl7", "OBX|2|", groups[i]);
		const struct transmission *t = &read.transmission;

		assert_int_equal(read.result, 0);
		assert_int_equal(t->action, TRANSMISSION_SUBMIT);
		assert_int_equal(t->document_count, 2);
		assert_string_equal(t->documents[0].type_code, "11490-0");
		assert_string_equal(t->documents[1].type_code, "11490-0");
		assert_false(slice_equal(t->documents[0].base64, t->documents[1].base64));
		assert_true(t->has_sender);
		assert_string_equal(t->sender.person_id, "801234567866");
		assert_true(t->flags[FLAG_ACK_RECEPTION]);
		assert_int_equal(t->id_count, 2); /* U+02DC between them */
	}
}

static void an_oru_may_say_what_it_is_about_in_its_own_way(void **state)
{
	static const struct {
		const char *why, *find, *put;
	} cases[] = {
		{ "a code of its own in OBR", "OBR||||11490-0^", "OBR|1|98765431^N|1001-E1|777^" },
		{ "no code in OBR", "OBR||||11490-0^Lettre de liaison à la sortie^LN", "OBR|1" },
		{ "an OBX of no code", "OBX|2|CE", "OBX|9|ST|||x||||||F\nOBX|2|CE" },
		{ "a flag by the type of an MDM", "OBX|2|CE|", "OBX|2|CWE|" },
		{ "EVN and TXA, which are an MDM's", "PID|", "EVN||2026\nTXA|1\nPID|" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/oru_new.hl7", cases[i].find, cases[i].put);

		if (read.result < 0)
			fail_msg("%s: %s %s", cases[i].why, read.err.where, read.err.text);
	}
}

static void edition_1_2_is_read_where_it_is_wanted(void **state)
{
	struct read read;

	(void)state;
	settings.profile_1_2 = true;
	read = read_changed("hl7/oru_new_1.2.hl7",
			    "LEGAUX^Non visible par les représentants "
			    "Légaux du patient||N",
			    "LEGAUX||Y");
	settings.profile_1_2 = false;
	if (read.result < 0)
		fail_msg("%s %s", read.err.where, read.err.text);
	assert_string_equal(read.transmission.profile, "1.2");
	assert_int_equal(read.transmission.action, TRANSMISSION_SUBMIT);
	assert_true(read.transmission.flags[FLAG_INVISIBLE_REP_LEGAUX]);
	assert_true(read.transmission.flags[FLAG_DESTDMP]);
	assert_false(read.transmission.flags[FLAG_ACK_RECEPTION]); /* it has none */
	assert_false(read.transmission.has_sender);
	read_done(&read);
}

static void in_edition_1_2_a_document_has_the_senders_own_number(void **state)
{
	struct read read;

	(void)state;
	settings.profile_1_2 = true;
	read = read_changed("hl7/mdm_replace.hl7", "|2.1^CISIS_CDA_HL7_V2",
			    "|1.2^CISIS_CDA_HL7_V1");
	settings.profile_1_2 = false;
	assert_int_equal(read.result, 0);
	assert_string_equal(read.transmission.replaces, "");
	read_done(&read);
}

static void of_an_adt_only_what_it_is_is_read(void **state)
{
	static const struct {
		const char *sample, *event, *control_id;
	} cases[] = {
		{ "hl7/adt_admission.hl7", "A01", "77001" },
		{ "hl7/adt_identity.hl7", "A28", "77002" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read = read_changed(cases[i].sample, NULL, NULL);
		const struct transmission *t = &read.transmission;

		assert_int_equal(read.result, 0);
		assert_true(t->is_identity);
		assert_string_equal(t->event, cases[i].event);
		assert_string_equal(t->control_id, cases[i].control_id);
		assert_string_equal(t->application, "GAM");
		assert_int_equal(t->document_count, 0);
		assert_string_equal(t->replaces, "");
		assert_string_equal(t->sender.person_id, "");
	}
}

/* A message cut short is refused, or read without what is missing; never beyond its end. */
static void every_prefix_of_a_message_is_read_or_refused(void **state)
{
	static const char *const samples[] = {
		"hl7/mdm_new.hl7",      "hl7/mdm_new_2.0.hl7",  "hl7/mdm_replace.hl7",
		"hl7/mdm_delete.hl7",   "hl7/mdm_lps.hl7",      "hl7/oru_new.hl7",
		"hl7/oru_replace.hl7",  "hl7/oru_delete.hl7",   "hl7/oru_two_forms_2.0.hl7",
		"hl7/oru_new_1.2.hl7",  "hl7/adt_identity.hl7", "hl7/adt_admission.hl7",
		"hl7/ack_business.hl7", "hl7/zam_refused.hl7",
	};
	const struct transmission_settings every_edition = { .profile_1_2 = true };

	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf text = { 0 };

		sample_read(samples[i], &text);
		for (size_t n = 0; n <= text.n; n++) {
			scoped(free_ptr) char *copy = slice_dup((struct slice){ text.p, n });
			scoped(arena_done) struct arena arena = { 0 };
			struct hl7_message message;
			struct transmission read;
			struct err err = { 0 };

			if (hl7_parse(&message, (struct slice){ copy, n }, &arena, &err) < 0 ||
			    transmission_read(&read, &message, &every_edition, &arena, &err) < 0)
				assert_true(err.kind == ERR_REJECT && err.reason != REASON_NONE);
			else
				assert_true(read.is_identity || read.document_count > 0);
		}
	}
}

static void nothing_is_written_when_a_message_is_refused(void **state)
{
	scoped(read_done) struct read read =
		read_changed("hl7/mdm_new.hl7", "|2|CWE|", "|2|CWE|DESTDMP||maybe|");

	(void)state;
	assert_int_equal(read.result, -1);
	assert_null(read.transmission.control_id);
}

static void refusals_do_not_name_the_patient(void **state)
{
	static const struct {
		const char *find, *put;
	} cases[] = {
		{ "|19790328|", "|28031979X|" },
		{ "|VALI", "|DOMINIQUE" },
		{ "Destinataire DMP^MetaDMPMSS||Y", "x||279035121518989" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(read_done) struct read read =
			read_changed("hl7/mdm_new.hl7", cases[i].find, cases[i].put);

		assert_int_equal(read.result, -1);
		assert_null(strstr(read.err.text, "2803"));
		assert_null(strstr(read.err.text, "DOMINIQUE"));
		assert_null(strstr(read.err.text, "279035121518989"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_document_is_read),
		cmocka_unit_test(the_end_of_the_visit_is_read),
		cmocka_unit_test(every_identifier_of_the_patient_is_read),
		cmocka_unit_test(sender_is_the_participant_sb),
		cmocka_unit_test(whose_number_the_sender_has_is_read),
		cmocka_unit_test(what_is_null_of_the_sender_is_empty),
		cmocka_unit_test(sender_may_be_a_device_and_its_code_bare),
		cmocka_unit_test(no_break_spaces_do_not_enter_an_identifier),
		cmocka_unit_test(without_sender_the_caller_decides),
		cmocka_unit_test(flags_are_read_by_their_code),
		cmocka_unit_test(a_missing_flag_is_refused_where_the_dmp_would_need_it),
		cmocka_unit_test(what_the_dmp_does_not_need_is_tolerated),
		cmocka_unit_test(what_the_dmp_needs_is_required),
		cmocka_unit_test(no_identifier_of_the_patient_is_a_missing_field),
		cmocka_unit_test(identifiers_of_the_patient_have_a_limit),
		cmocka_unit_test(only_vali_validates_the_identity),
		cmocka_unit_test(birth_date_is_at_most_eight_digits),
		cmocka_unit_test(edition_2_0_has_no_order),
		cmocka_unit_test(edition_2_0_still_says_what_it_wants),
		cmocka_unit_test(what_does_not_come_to_a_gateway_is_refused),
		cmocka_unit_test(the_three_places_agree_on_what_is_wanted),
		cmocka_unit_test(the_replaced_document_is_named_in_one_of_several_ways),
		cmocka_unit_test(an_oru_that_contradicts_itself_is_refused),
		cmocka_unit_test(an_oru_carries_two_forms_of_one_content),
		cmocka_unit_test(an_oru_may_say_what_it_is_about_in_its_own_way),
		cmocka_unit_test(edition_1_2_is_read_where_it_is_wanted),
		cmocka_unit_test(in_edition_1_2_a_document_has_the_senders_own_number),
		cmocka_unit_test(of_an_adt_only_what_it_is_is_read),
		cmocka_unit_test(every_prefix_of_a_message_is_read_or_refused),
		cmocka_unit_test(nothing_is_written_when_a_message_is_refused),
		cmocka_unit_test(refusals_do_not_name_the_patient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
