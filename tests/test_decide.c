/* From outside bytes to what the store takes in: the decisions that need a message and its document
 * together.
 */
#include "sample.h"

#include "decide.h"

static struct config_site site = {
	.metadata = { .finess_eg = "990012345",
		      .name = "CH DE VALBRUME",
		      .sector = "SA01",
		      .lps_name = "dmpfeed",
		      .lps_model = "1",
		      .lps_internal_id = "GW1",
		      .default_visit_class = "I" },
};
static struct config_establishment establishment = {
	.finess_ej = "990000987",
	.name = "CH DE VALBRUME",
	.sites = &site,
	.site_count = 1,
};
static struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.establishments = &establishment,
	.establishment_count = 1,
};
static struct valuesets *valuesets;
static struct decision_settings settings = { .config = &config, .site = "990012345" };

static int load_valuesets(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	struct err err = { 0 };

	(void)state;
	if (valuesets_load(&valuesets, folder, &err) < 0)
		fail_msg("%s", err.text);
	settings.valuesets = valuesets;
	return 0;
}

static int free_valuesets(void **state)
{
	(void)state;
	valuesets_free(&valuesets);
	return 0;
}

/* What varies in a message around the same document. */
struct variant {
	const char *file;      /* of tests/data */
	const char *ins, *oid; /* PID-3 */
	const char *birth, *sex, *status, *for_dmp;
};

static const struct variant usual = {
	.file = "discharge-letter.xml",
	.ins = "279035121518989",
	.oid = INS_OID_TEST,
	.birth = "19790328",
	.sex = "F",
	.status = "VALI",
	.for_dmp = "Y",
};

static void write_message(const struct variant *v, struct buf *out)
{
	scoped(buf_done) struct buf document = { 0 };

	sample_read(v->file, &document);
	buf_add_text(out,
		     "MSH|^~\\&|DPI|CH|PFI|CH|20261120101500||MDM^T02^MDM_T02|A0001|P|2.6|||||FRA|"
		     "UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2\rEVN||20261120101500\r");
	buf_addf(out, "PID|||%s^^^ASIP-SANTE-INS-NIR&%s&ISO^INS||X^Y^^^^^L||%s|%s", v->ins, v->oid,
		 v->birth, v->sex);
	buf_addf(out, "||||||||||||||||||||||||%s\r", v->status);
	buf_add_text(out, "PV1||I|UF12||||||||||||||||V1\rORC|NW\rOBR||||11490-0^x^LN\r"
			  "TXA|1|11490-0|TEXT|||||||||1.2.250.1.999.1|||||AU\r"
			  "OBX|1|ED|11490-0^x^LN||^text^XML^Base64^");
	base64_encode(buf_slice(&document), out);
	buf_addf(out,
		 "||||||F\rOBX|2|CWE|DESTDMP^x^MetaDMPMSS||%s^^expandedYes-NoIndicator||||||F\r",
		 v->for_dmp);
}

static int decide_variant(struct decision *decision, const struct variant *v, struct err *err)
{
	scoped(buf_done) struct buf message = { 0 };

	write_message(v, &message);
	return decide_message(decision, buf_slice(&message), &settings, err);
}

static void a_document_for_the_dmp_is_queued_byte_for_byte(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf document = { 0 };
	uint8_t digest[SHA256_BYTES];
	struct err err = { 0 };

	(void)state;
	sample_read("discharge-letter.xml", &document);
	if (decide_variant(&decision, &usual, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(decision.state, DOC_QUEUED);
	assert_string_equal(decision.action, "submit");
	assert_string_equal(decision.type_code, "11490-0");
	assert_string_equal(decision.origin, "A0001");
	assert_ptr_equal(decision.establishment, &establishment);
	assert_true(slice_equal(buf_slice(&decision.body), buf_slice(&document)));
	sha256(buf_slice(&document), digest);
	assert_memory_equal(decision.digest, digest, sizeof(digest));
}

static void what_is_decided_besides_sending(void **state)
{
	const struct {
		struct variant variant;
		enum doc_state state;
		enum reason reason;
	} rows[] = {
		{ { .for_dmp = "N" }, DOC_CANCELLED, REASON_NOT_FOR_DMP },
		{ { .status = "PROV" }, DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ { .status = "N~VALI" }, DOC_QUEUED, REASON_NONE },
		{ { .oid = "1.2.250.1.999.3", .ins = "4711" }, DOC_HELD, REASON_INS_NOT_QUALIFIED },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant *v = &rows[i].variant;
		const struct variant merged = {
			.file = usual.file,
			.ins = v->ins ? v->ins : usual.ins,
			.oid = v->oid ? v->oid : usual.oid,
			.birth = usual.birth,
			.sex = usual.sex,
			.status = v->status ? v->status : usual.status,
			.for_dmp = v->for_dmp ? v->for_dmp : usual.for_dmp,
		};
		struct err err = { 0 };

		if (decide_variant(&decision, &merged, &err) < 0)
			fail_msg("row %zu: %s: %s", i, err.where, err.text);
		assert_int_equal(decision.state, rows[i].state);
		assert_int_equal(decision.reason, rows[i].reason);
	}
}

static void message_and_document_must_be_about_the_same_patient(void **state)
{
	const struct {
		struct variant variant;
		const char *where;
	} rows[] = {
		{ { .ins = "177051912345688" }, "PID-3" },
		{ { .oid = INS_OID_NIR }, "PID-3" },
		{ { .birth = "19790329" }, "PID-7" },
		{ { .sex = "M" }, "PID-8" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant *v = &rows[i].variant;
		const struct variant merged = {
			.file = usual.file,
			.ins = v->ins ? v->ins : usual.ins,
			.oid = v->oid ? v->oid : usual.oid,
			.birth = v->birth ? v->birth : usual.birth,
			.sex = v->sex ? v->sex : usual.sex,
			.status = usual.status,
			.for_dmp = usual.for_dmp,
		};
		struct err err = { 0 };

		assert_int_equal(decide_variant(&decision, &merged, &err), -1);
		assert_int_equal(err.reason, REASON_INS_MISMATCH);
		assert_string_equal(err.where, rows[i].where);
		assert_null(strstr(err.text, "2790351"));
	}
}

static void a_replacement_is_not_sent_as_something_new(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct variant replacement = usual;
	struct err err = { 0 };

	(void)state;
	replacement.file = "discharge-letter-replacement.xml";
	assert_int_equal(decide_variant(&decision, &replacement, &err), -1);
	assert_int_equal(err.reason, REASON_ACTION_NOT_SUPPORTED);
}

static void a_document_alone_is_queued(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf document = { 0 };
	struct err err = { 0 };

	(void)state;
	sample_read("laboratory-report.xml", &document);
	if (decide_document(&decision, &document, &settings, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(decision.state, DOC_QUEUED);
	assert_string_equal(decision.type_code, "11502-2");
	assert_int_equal(document.n, 0);
}

static void a_site_that_nobody_declares_sends_nothing(void **state)
{
	const struct decision_settings elsewhere = { &config, settings.valuesets, "750000001" };
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf document = { 0 };
	struct err err = { 0 };

	(void)state;
	sample_read("laboratory-report.xml", &document);
	assert_int_equal(decide_document(&decision, &document, &elsewhere, &err), -1);
	assert_int_equal(err.reason, REASON_FINESS_MISMATCH);
}

static void bytes_that_are_no_document_are_refused_at_their_field(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct variant text = usual;
	struct err err = { 0 };

	(void)state;
	text.file = "hostile/not-xml.xml";
	assert_int_equal(decide_variant(&decision, &text, &err), -1);
	assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
}

static void a_document_over_the_limit_is_refused(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	config.most_document_bytes = 100;
	assert_int_equal(decide_variant(&decision, &usual, &err), -1);
	config.most_document_bytes = 1 << 20;
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_for_the_dmp_is_queued_byte_for_byte),
		cmocka_unit_test(what_is_decided_besides_sending),
		cmocka_unit_test(message_and_document_must_be_about_the_same_patient),
		cmocka_unit_test(a_replacement_is_not_sent_as_something_new),
		cmocka_unit_test(a_document_alone_is_queued),
		cmocka_unit_test(a_site_that_nobody_declares_sends_nothing),
		cmocka_unit_test(bytes_that_are_no_document_are_refused_at_their_field),
		cmocka_unit_test(a_document_over_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, load_valuesets, free_valuesets);
}
