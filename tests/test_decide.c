/* From outside bytes to what the store takes in: the decisions that need a message and its document
 * together.
 */
#include "value_sets.h"

#include "base/clock.h"
#include "inbound/decide.h"

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
	.url_registry = "",
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
static struct decision_settings settings = { .config = &config, .site = "990012345" };

static int load(void **state)
{
	load_valuesets(state);
	settings.valuesets = valuesets;
	return 0;
}

/* What varies in a message around the same document. */
struct variant {
	const char *file;      /* of tests/data */
	const char *ins, *oid; /* PID-3 */
	const char *birth, *sex, *status, *for_dmp;
	const char *event;     /* MSH-9.2: of an MDM, unless it is R01 */
	const char *wanted;    /* ORC-1 and OBX-11: "NWF", "ROC", "CAD" */
	const char *replaces;  /* TXA-13 */
	const char *second;    /* the file of a second document */
	const char *wants_ack; /* ACK_RECEPTION */
	const char *secret;    /* CONNEXION_SECRETE */
	const char *structure; /* PRT-8.10 */
	const char *person;    /* PRT-5.8 and what follows */
};

static const struct variant usual = {
	.file = "discharge-letter.xml",
	.ins = "279035121518989",
	.oid = INS_OID_TEST,
	.birth = "19790328",
	.sex = "F",
	.status = "VALI",
	.for_dmp = "Y",
	.event = "T02",
	.wanted = "NWF",
	.replaces = "",
	.structure = "",
	.person = "^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
};

/* The usual one, but for what is said. */
static struct variant usual_but(struct variant v)
{
	return (struct variant){
		.file = v.file ? v.file : usual.file,
		.ins = v.ins ? v.ins : usual.ins,
		.oid = v.oid ? v.oid : usual.oid,
		.birth = v.birth ? v.birth : usual.birth,
		.sex = v.sex ? v.sex : usual.sex,
		.status = v.status ? v.status : usual.status,
		.for_dmp = v.for_dmp ? v.for_dmp : usual.for_dmp,
		.event = v.event ? v.event : usual.event,
		.wanted = v.wanted ? v.wanted : usual.wanted,
		.replaces = v.replaces ? v.replaces : usual.replaces,
		.structure = v.structure ? v.structure : usual.structure,
		.person = v.person ? v.person : usual.person,
		.second = v.second,
		.wants_ack = v.wants_ack,
		.secret = v.secret,
	};
}

static void write_document(const char *file, char status, struct buf *out)
{
	scoped(buf_done) struct buf document = { 0 };

	sample_read(file, &document);
	buf_add_text(out, "OBX|1|ED|11490-0^x^LN||^text^XML^Base64^");
	base64_encode(buf_slice(&document), out);
	buf_addf(out, "||||||%c\r", status);
}

static void write_flags(const struct variant *v, struct buf *out)
{
	const struct {
		const char *code, *value;
	} flags[] = {
		{ "MASQUE_PS", "N" },
		{ "INVISIBLE_PATIENT", "N" },
		{ "INVISIBLE_REP_LEGAUX", "N" },
		{ "CONNEXION_SECRETE", v->secret ? v->secret : "N" },
		{ "MODIF_CONF_CODE", "N" },
		{ "DESTDMP", v->for_dmp },
		{ "ACK_RECEPTION", v->wants_ack },
	};

	for (size_t i = 0; i < length_of(flags); i++)
		if (flags[i].value != NULL)
			buf_addf(
				out,
				"OBX|%zu|CWE|%s^x^MetaDMPMSS||%s^^expandedYes-NoIndicator||||||F\r",
				i + 2, flags[i].code, flags[i].value);
}

static void write_message(const struct variant *v, struct buf *out)
{
	bool oru = strcmp(v->event, "R01") == 0;

	buf_addf(out,
		 "MSH|^~\\&|DPI|CH|PFI|CH|20261120101500||%s^%s|A0001|P|%s|||||FRA|"
		 "UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2\rEVN||20261120101500\r",
		 oru ? "ORU" : "MDM", v->event, oru ? "2.5" : "2.6");
	buf_addf(out, "PID|||%s^^^ASIP-SANTE-INS-NIR&%s&ISO^INS||X^Y^^^^^L||%s|%s", v->ins, v->oid,
		 v->birth, v->sex);
	buf_addf(out, "||||||||||||||||||||||||%s\r", v->status);
	buf_addf(out, "PV1||I|UF12||||||||||||||||V1\rORC|%.2s\rOBR||||11490-0^x^LN\r", v->wanted);
	if (!oru)
		buf_addf(out, "TXA|1|11490-0|TEXT|||||||||1.2.250.1.999.1|%s||||AU\r", v->replaces);
	write_document(v->file, v->wanted[2], out);
	if (v->second != NULL)
		write_document(v->second, v->wanted[2], out);
	buf_addf(out,
		 "PRT||UC||SB^Send by^participation|801234567866^MARTIN^Claire^^^^%s|||CH^^^^^ANS&"
		 "1.2.250.1.71.4.2.2&ISO^FINEG^^^%s\r",
		 v->person, v->structure);
	write_flags(v, out);
}

static int decide_variant(struct decision *decision, const struct variant *v, struct err *err)
{
	scoped(buf_done) struct buf message = { 0 };

	write_message(v, &message);
	return decide_message(decision, &message, &settings, err);
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
	assert_string_equal(decision.documents[0].type_code, "11490-0");
	assert_string_equal(decision.origin, "A0001");
	assert_ptr_equal(decision.establishment, &establishment);
	assert_true(slice_equal(buf_slice(&decision.documents[0].body), buf_slice(&document)));
	sha256(buf_slice(&document), digest);
	assert_memory_equal(decision.documents[0].digest, digest, sizeof(digest));
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
		/* the number for billing is no INS, neither its own patient's nor another's */
		{ { .oid = INS_OID_TEST "&ISO^NH~4711^^^CH&1.2.250.1.999.1" },
		  DOC_HELD,
		  REASON_INS_NOT_QUALIFIED },
		{ { .ins = "177051912345688^^^NIR&" INS_OID_NIR "&ISO^NH~279035121518989" },
		  DOC_QUEUED,
		  REASON_NONE },
		/* an INS that is not qualified is as if it were not there: nothing to compare */
		{ { .file = "hostile/no-ins.xml", .status = "PROV" },
		  DOC_HELD,
		  REASON_INS_NOT_QUALIFIED },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		if (decide_variant(&decision, &merged, &err) < 0)
			fail_msg("row %zu: %s: %s", i, err.where, err.text);
		assert_int_equal(decision.state, rows[i].state);
		assert_int_equal(decision.reason, rows[i].reason);
	}
}

/* Only the DMP's decision is told: nobody waits for it where the DMP is not asked. */
static void who_wants_to_hear_of_the_end_leaves_its_header(void **state)
{
	static const char header[] = "MSH|^~\\&|DPI|CH|PFI|CH|20261120101500||MDM^T02|A0001|P|2.6"
				     "|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2";
	const struct {
		struct variant variant;
		const char *header;
	} rows[] = {
		{ { .wants_ack = "Y" }, header },
		{ { .wants_ack = "Y", .status = "PROV" }, header },
		{ { .wants_ack = "N" }, "" },
		{ { .wants_ack = NULL }, "" },
		{ { .wants_ack = "Y", .for_dmp = "N" }, "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		if (decide_variant(&decision, &merged, &err) < 0)
			fail_msg("row %zu: %s: %s", i, err.where, err.text);
		if (!slice_is(decision.ack_header, rows[i].header))
			fail_msg("row %zu: %.*s", i, (int)decision.ack_header.n,
				 decision.ack_header.p);
	}
}

#define ANOTHER_IS "^^^ASIP-SANTE-INS-NIR&" INS_OID_TEST "&ISO^INS~"
#define THE_INS_AND "279035121518989" ANOTHER_IS

static void message_and_document_must_be_about_the_same_patient(void **state)
{
	const struct {
		struct variant variant;
		const char *where;
	} rows[] = {
		{ { .ins = "177051912345688" }, "PID-3" },
		{ { .oid = INS_OID_NIR }, "PID-3" },
		{ { .ins = "177051912345688", .status = "PROV" }, "PID-3" },
		{ { .ins = THE_INS_AND "177051912345688" }, "PID-3" },
		{ { .ins = "177051912345688" ANOTHER_IS "279035121518989" }, "PID-3" },
		{ { .ins = THE_INS_AND "279035121518989", .oid = INS_OID_NIR }, "PID-3" },
		{ { .birth = "19790329" }, "PID-7" },
		{ { .sex = "M" }, "PID-8" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		assert_int_equal(decide_variant(&decision, &merged, &err), -1);
		assert_int_equal(err.reason, REASON_INS_MISMATCH);
		assert_string_equal(err.where, rows[i].where);
		assert_null(strstr(err.text, "2790351"));
	}
}

#define REPLACEMENT "discharge-letter-replacement.xml"
#define PARENT "1.2.250.1.999.1.1.7001" /* what it replaces */

/* What is wanted is decided first: the one that is wrong hears what is wrong with it, the one that
 * is right that it cannot be done yet.
 */
static void message_and_document_must_want_the_same(void **state)
{
	const struct {
		struct variant variant;
		enum reason reason;
		const char *where;
	} rows[] = {
		{ { .file = REPLACEMENT }, REASON_MESSAGE_INVALID, "OBX-11" },
		{ { .file = REPLACEMENT, .event = "R01" }, REASON_MESSAGE_INVALID, "OBX-11" },
		{ { .event = "T10", .wanted = "ROC" },
		  REASON_PREDECESSOR_UNKNOWN,
		  "relatedDocument" },
		{ { .event = "T10", .wanted = "ROC", .replaces = "1.2.250.1.999.1.1.7001" },
		  REASON_PREDECESSOR_UNKNOWN,
		  "relatedDocument" },
		{ { .event = "R01", .wanted = "ROC" },
		  REASON_PREDECESSOR_UNKNOWN,
		  "relatedDocument" },
		{ { .file = REPLACEMENT, .event = "T10", .wanted = "ROC", .replaces = "1.2.3" },
		  REASON_MESSAGE_INVALID,
		  "TXA-13" },
		{ { .file = REPLACEMENT,
		    .event = "T10",
		    .wanted = "ROC",
		    .ins = "177051912345688" },
		  REASON_INS_MISMATCH,
		  "PID-3" },
		{ { .file = "hostile/not-xml.xml", .event = "T04", .wanted = "CAD" },
		  REASON_DOCUMENT_INVALID,
		  "" },
		{ { .file = "hostile/extension-in-id.xml", .event = "T04", .wanted = "CAD" },
		  REASON_IDENTIFIER_HAS_EXTENSION,
		  "id/@extension" },
		/* right, but for the registry that is not configured */
		{ { .file = REPLACEMENT, .event = "T10", .wanted = "ROC" },
		  REASON_ACTION_NOT_SUPPORTED,
		  "OBX-11" },
		{ { .file = REPLACEMENT, .event = "T10", .wanted = "ROC", .replaces = PARENT },
		  REASON_ACTION_NOT_SUPPORTED,
		  "OBX-11" },
		{ { .file = REPLACEMENT, .event = "R01", .wanted = "ROC" },
		  REASON_ACTION_NOT_SUPPORTED,
		  "OBX-11" },
		{ { .event = "T04", .wanted = "CAD" }, REASON_ACTION_NOT_SUPPORTED, "OBX-11" },
		{ { .file = REPLACEMENT, .event = "T04", .wanted = "CAD", .replaces = "1.2.3" },
		  REASON_ACTION_NOT_SUPPORTED,
		  "OBX-11" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		assert_int_equal(decide_variant(&decision, &merged, &err), -1);
		if (err.reason != rows[i].reason || strcmp(err.where, rows[i].where) != 0)
			fail_msg("row %zu: %s at \"%s\": %s", i, reason_row(err.reason)->code,
				 err.where, err.text);
	}
}

static void assert_kept(const struct decision *decision, struct metadata *metadata,
			struct arena *arena)
{
	struct err err = { 0 };

	if (metadata_parse(metadata, buf_slice(&decision->documents[0].metadata), arena, &err) < 0)
		fail_msg("%s", err.text);
}

/* Whatever is done with the document, and though INVISIBLE_REP_LEGAUX does not say so, as in the official
 * example of a replacement.
 */
static void what_comes_of_a_secret_connection_is_kept_as_such(void **state)
{
	static const struct {
		const char *file, *event, *wanted;
	} rows[] = {
		{ "discharge-letter.xml", "T02", "NWF" },
		{ REPLACEMENT, "T10", "ROC" },
		{ "discharge-letter.xml", "T04", "CAD" },
	};

	(void)state;
	establishment.url_registry = "https://127.0.0.1/registry";
	for (size_t i = 0; i < 2 * length_of(rows); i++) {
		const bool is_secret = i % 2;
		struct variant v = usual_but((struct variant){ .file = rows[i / 2].file,
							       .event = rows[i / 2].event,
							       .wanted = rows[i / 2].wanted,
							       .secret = is_secret ? "Y" : "N" });
		scoped(decision_done) struct decision decision = { 0 };
		scoped(arena_done) struct arena arena = { 0 };
		struct metadata metadata;
		struct err err = { 0 };

		if (decide_variant(&decision, &v, &err) < 0)
			fail_msg("row %zu: %s", i / 2, err.text);
		assert_int_equal(decision.state, DOC_QUEUED);
		assert_kept(&decision, &metadata, &arena);
		assert_int_equal(metadata.secret_connection, is_secret);
		assert_int_equal(metadata.confidentiality_count, is_secret ? 2 : 1);
		if (is_secret)
			assert_string_equal(metadata.confidentialities[1].code,
					    "INVISIBLE_REPRESENTANTS_LEGAUX");
	}
	establishment.url_registry = "";
}

/* decide_message() has decided all there is to say of them when it refuses them. */
static void a_deletion_is_of_the_document_itself(void **state)
{
	const struct variant deletion =
		usual_but((struct variant){ .file = REPLACEMENT, .event = "T04", .wanted = "CAD" });
	scoped(decision_done) struct decision decision = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;
	struct err err = { 0 };

	(void)state;
	(void)!decide_variant(&decision, &deletion, &err);
	assert_string_equal(decision.action, "delete");
	assert_kept(&decision, &metadata, &arena);
	assert_int_equal(metadata.action, ACTION_DELETE);
	assert_string_equal(metadata.unique_id, decision.documents[0].unique_id);
	assert_string_equal(metadata.replaces, "");
}

static void a_batch_is_told_where_it_is_taken(void **state)
{
	static const char *const batches[] = { "FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|DPI\r",
					       "BHS|^~\\&\rMSH|^~\\&|DPI\r" };

	(void)state;
	for (size_t i = 0; i < length_of(batches); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		scoped(buf_done) struct buf message = { 0 };
		struct err err = { 0 };

		buf_add_text(&message, batches[i]);
		assert_int_equal(decide_message(&decision, &message, &settings, &err), -1);
		assert_int_equal(err.reason, REASON_NO_HEADER);
		assert_non_null(
			strstr(err.text, "drop it as a file (.hl7 or .er7) in a drop folder"));
	}
}

static void a_replacement_alone_is_a_replacement(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf document = { 0 };
	struct err err = { 0 };

	(void)state;
	sample_read(REPLACEMENT, &document);
	assert_int_equal(decide_document(&decision, &document, &settings, &err), -1);
	assert_int_equal(err.reason, REASON_ACTION_NOT_SUPPORTED);
	assert_string_equal(decision.action, "replace");
}

static void with_a_registry_a_replacement_is_queued(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf document = { 0 };
	struct err err = { 0 };
	int decided;

	(void)state;
	sample_read(REPLACEMENT, &document);
	establishment.url_registry = "https://127.0.0.1/registry";
	decided = decide_document(&decision, &document, &settings, &err);
	establishment.url_registry = "";
	assert_int_equal(decided, 0);
	assert_string_equal(decision.action, "replace");
	assert_int_equal(decision.state, DOC_QUEUED);
}

/* The same text elsewhere in the letter: once, or the test is of nothing. */
static void change(struct buf *document, const char *was, const char *is)
{
	char *at = strstr(document->p, was);

	assert_non_null(at);
	assert_int_equal(strlen(was), strlen(is));
	memcpy(at, is, strlen(is));
}

static void what_a_version_says_is_told_from_its_name(void **state)
{
	static const struct {
		const char *was, *is;
		bool hidden, same;
	} rows[] = {
		{ "<id root=\"1.2.250.1.999.1.1.7001", "<id root=\"1.2.250.1.999.1.1.7002", false,
		  true },
		{ "Time value=\"20261120", "Time value=\"20261121", false, true },
		{ "<title>L", "<title>M", false, false },
		{ "<title>L", "<title>L", true, false },
	};
	uint8_t first[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i <= length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		scoped(buf_done) struct buf document = { 0 };
		const uint8_t *content = decision.documents[0].content;
		static struct config_policy hide = { "11490-0", "", POLICY_INVISIBLE, 0 };
		struct err err = { 0 };

		sample_read("discharge-letter.xml", &document);
		if (i > 0)
			change(&document, rows[i - 1].was, rows[i - 1].is);
		site.policies = &hide;
		site.policy_count = i > 0 && rows[i - 1].hidden;
		assert_int_equal(decide_document(&decision, &document, &settings, &err), 0);
		site.policies = NULL;
		site.policy_count = 0;
		assert_true(decision.documents[0].has_content);
		if (i == 0)
			memcpy(first, content, sizeof(first));
		else if ((memcmp(content, first, sizeof(first)) == 0) != rows[i - 1].same)
			fail_msg("row %zu", i - 1);
	}
}

static void a_deletion_says_nothing(void **state)
{
	const struct variant deletion =
		usual_but((struct variant){ .event = "T04", .wanted = "CAD" });
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	(void)!decide_variant(&decision, &deletion, &err);
	assert_string_equal(decision.action, "delete");
	assert_false(decision.documents[0].has_content);
}

static void two_forms_are_two_documents_of_one_decision(void **state)
{
	const struct variant pair =
		usual_but((struct variant){ .event = "R01", .second = "prescription.xml" });
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	if (decide_variant(&decision, &pair, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(decision.document_count, 2);
	assert_int_equal(decision.state, DOC_QUEUED);
	assert_string_equal(decision.documents[0].type_code, "11490-0");
	assert_string_not_equal(decision.documents[0].type_code, decision.documents[1].type_code);
	assert_string_not_equal(decision.documents[0].unique_id, decision.documents[1].unique_id);
	assert_memory_not_equal(decision.documents[0].digest, decision.documents[1].digest,
				SHA256_BYTES);
}

static void one_bad_form_refuses_both(void **state)
{
	const struct {
		struct variant variant;
		enum reason reason;
		const char *where, *text;
	} rows[] = {
		{ { .second = "hostile/not-xml.xml" },
		  REASON_DOCUMENT_INVALID,
		  "",
		  "document 2: " },
		{ { .file = "hostile/not-xml.xml", .second = "prescription.xml" },
		  REASON_DOCUMENT_INVALID,
		  "",
		  "document 1: " },
		{ { .second = "discharge-letter.xml" },
		  REASON_DUPLICATE_FOREIGN,
		  "OBX-5.5",
		  "the same id" },
		{ { .file = REPLACEMENT, .second = "prescription.xml", .wanted = "ROC" },
		  REASON_PREDECESSOR_UNKNOWN,
		  "relatedDocument",
		  "document 2: " },
		{ { .second = "prescription.xml", .wanted = "CAD" },
		  REASON_ACTION_NOT_SUPPORTED,
		  "OBX-11",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		merged.event = "R01";
		assert_int_equal(decide_variant(&decision, &merged, &err), -1);
		if (err.reason != rows[i].reason || strcmp(err.where, rows[i].where) != 0 ||
		    strstr(err.text, rows[i].text) == NULL)
			fail_msg("row %zu: %s at \"%s\": %s", i, reason_row(err.reason)->code,
				 err.where, err.text);
	}
}

static void a_document_alone_has_the_memory_of_its_message(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf message = { 0 };
	const struct buf *body = &decision.documents[0].body;
	struct err err = { 0 };

	(void)state;
	write_message(&usual, &message);
	assert_int_equal(decide_message(&decision, &message, &settings, &err), 0);
	assert_null(message.p);
	assert_int_equal(body->room, body->n + 1);
	assert_int_equal(body->p[body->n], '\0');
}

static void an_adt_is_accepted_and_brings_nothing(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf message = { 0 };
	struct err err = { 0 };

	(void)state;
	sample_read("hl7/adt_identity.hl7", &message);
	assert_int_equal(decide_message(&decision, &message, &settings, &err), 0);
	assert_string_equal(decision.event, "A28");
	assert_string_equal(decision.origin, "77002");
	assert_int_equal(decision.document_count, 0);
	assert_false(decision.adt.has_choice);
}

static void the_choice_of_a_qualified_patient_is_read(void **state)
{
	static const struct {
		const char *from, *to; /* in the message */
		bool usable;
		enum store_feeding feeding;
	} rows[] = {
		{ "|IO|", "|IO|", true, STORE_OPPOSED },
		{ "|IO|", "|NA|", true, STORE_NOT_ASKED },
		{ "VALI", "PROV", false, STORE_OPPOSED },
		{ "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.13", false, STORE_OPPOSED },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		scoped(buf_done) struct buf message = { 0 };
		struct err err = { 0 };
		int64_t chosen_ms;
		bool zoned;
		char *at;

		sample_read("hl7/adt_admission.hl7", &message);
		at = strstr(message.p, rows[i].from);
		assert_non_null(at);
		memcpy(at, rows[i].to, strlen(rows[i].to));
		assert_int_equal(decide_message(&decision, &message, &settings, &err), 0);
		assert_true(decision.adt.has_choice);
		assert_int_equal(decision.adt.choice_is_usable, rows[i].usable);
		assert_int_equal(decision.adt.choice.feeding, rows[i].feeding);
		assert_int_equal(
			clock_parse_hl7(slice_of("20261120085900"), &chosen_ms, &zoned, &err), 0);
		assert_int_equal(decision.adt.choice.chosen_ms, chosen_ms);
	}
}

static void a_document_knows_its_patient(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf message = { 0 };
	struct err err = { 0 };

	(void)state;
	write_message(&usual, &message);
	assert_int_equal(decide_message(&decision, &message, &settings, &err), 0);
	assert_string_equal(decision.documents[0].patient_ins, "279035121518989");
	assert_string_equal(decision.documents[0].patient_ins_oid, "1.2.250.1.213.1.4.10");
	assert_true(decision.documents[0].subject.is_qualified);
	assert_string_equal(decision.documents[0].subject.traits, "19790328F");
	assert_string_equal(decision.documents[0].subject.locals[0].number, "4711");
	assert_string_equal(decision.documents[0].subject.locals[0].domain, "1.2.250.1.999.1");
	assert_int_not_equal(decision.documents[0].subject.said_ms, 0);
}

/* The message's before the document's, which has 4711 of 1.2.250.1.999.1; where the site names a domain, that one's
 * alone.
 */
static void the_local_number_is_of_the_domain_that_is_named(void **state)
{
#define LOCALS                                                                                     \
	"17^^^OTHER&1.2.3.1&ISO^NW~77^^^CHV&1.2.3.2&ISO^PI~88^^^HAD&1.2.3.3&ISO^PI~"               \
	"279035121518989"
	static char chv[] = "1.2.3.2", had[] = "1.2.3.3", other[] = "1.2.3.1",
		    own[] = "1.2.250.1.999.1";
	static const struct {
		char *wanted;
		struct store_local locals[2];
	} rows[] = {
		{ NULL, { { "1.2.3.2", "77" }, { "CHV", "77" } } },
		{ chv, { { "1.2.3.2", "77" }, { "CHV", "77" } } },
		{ had, { { "1.2.3.3", "88" }, { "HAD", "88" } } },
		{ own, { { "1.2.250.1.999.1", "4711" }, { NULL, NULL } } },
		{ other, { { NULL, NULL }, { NULL, NULL } } }, /* NW: no number of a patient */
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		scoped(buf_done) struct buf message = { 0 };
		const struct variant v = usual_but((struct variant){ .ins = LOCALS });
		const struct store_local *locals = decision.documents[0].subject.locals;
		struct err err = { 0 };

		write_message(&v, &message);
		config.local_oid = rows[i].wanted;
		if (decide_message(&decision, &message, &settings, &err) < 0)
			fail_msg("row %zu: %s: %s", i, err.where, err.text);
		config.local_oid = NULL;
		for (size_t j = 0; j < length_of(rows[i].locals); j++) {
			const struct store_local *wanted = &rows[i].locals[j];

			if (wanted->number == NULL) {
				assert_null(locals[j].number);
				continue;
			}
			assert_string_equal(locals[j].domain, wanted->domain);
			assert_string_equal(locals[j].number, wanted->number);
		}
	}
}

static void edition_1_2_waits_for_its_setting(void **state)
{
	scoped(decision_done) struct decision without = { 0 }, with = { 0 };
	scoped(buf_done) struct buf message = { 0 };
	struct err err = { 0 };

	(void)state;
	sample_read("hl7/oru_new_1.2.hl7", &message);
	assert_int_equal(decide_message(&without, &message, &settings, &err), -1);
	assert_int_equal(err.reason, REASON_VERSION);
	config.transmission.profile_1_2 = true;
	assert_int_equal(decide_message(&with, &message, &settings, &err), -1);
	config.transmission.profile_1_2 = false;
	assert_int_not_equal(err.reason, REASON_VERSION); /* its document is a few bytes only */
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
	assert_string_equal(decision.documents[0].type_code, "11502-2");
	assert_int_equal(document.n, 0);
}

/* What an exchange medium says of its document must be what the document says, and where it is not, the word
 * of the medium is named.
 */
static void a_medium_and_its_document_say_the_same(void **state)
{
	static const struct {
		struct xdm_document medium;
		const char *where; /* "": taken */
		enum reason reason;
	} rows[] = {
		{
			{ .unique_id = "1.2.250.1.999.1.2" },
			"uniqueId",
			REASON_DOCUMENT_INVALID,
		},
		{
			{ .patient_ins = "179035121518981" },
			"patientId",
			REASON_INS_MISMATCH,
		},
		{
			{ .replaces = true },
			"relatedDocument",
			REASON_PREDECESSOR_UNKNOWN,
		},
		{
			{ .replaced_id = "1.2.3" },
			"RPLC",
			REASON_DOCUMENT_INVALID,
		},
		{
			{ .unique_id = NULL },
			"",
			REASON_NONE,
		},
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct xdm_document medium = rows[i].medium;
		struct err err = { 0 };
		int rc;

		sample_read("discharge-letter.xml", &medium.bytes);
		medium.name = "IHE_XDM/SUBSET01/DOC00001.XML";
		medium.unique_id = medium.unique_id ? medium.unique_id : "1.2.250.1.999.1.1.7001";
		medium.patient_ins = medium.patient_ins ? medium.patient_ins : "279035121518989";
		medium.patient_ins_oid = INS_OID_TEST;
		medium.replaced_id = medium.replaced_id ? medium.replaced_id : "";
		medium.sender_id = medium.sender_family = medium.sender_given = "";
		rc = decide_medium(&decision, &medium, &settings, &err);
		buf_done(&medium.bytes);
		if (rc != (rows[i].where[0] ? -1 : 0) || strcmp(err.where, rows[i].where) != 0 ||
		    err.reason != rows[i].reason)
			fail_msg("row %zu: %s: %s", i, err.where, err.text);
	}
}

static void a_site_that_nobody_declares_sends_nothing(void **state)
{
	const struct decision_settings elsewhere = { .config = &config,
						     .valuesets = settings.valuesets,
						     .site = "750000001" };
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

/* The sender's structure may be a stranger's, unless the configuration is strict; it may never be
 * one that is declared of another legal entity.
 */
static void a_structure_of_another_legal_entity_is_refused(void **state)
{
	static struct config_site other_site = { .metadata = { .finess_eg = "990054321" } };
	struct config_establishment both[] = {
		establishment,
		{ .finess_ej = "990000111", .sites = &other_site, .site_count = 1 },
	};
	static const struct {
		const char *structure;
		bool known, strict; /* taken */
	} rows[] = {
		{ "", true, true },
		{ "990012345", true, true },
		{ "1990012345", true, true },
		{ "990000987", true, true }, /* the legal entity itself */
		{ "990054321", false, false },
		{ "1990054321", false, false },
		{ "1990000111", false, false },
		{ "120456789", true, false },
		{ "2801234567", true, false }, /* a SIREN */
		{ "0990054321", true, false }, /* an ADELI number, of the digits of a FINESS */
		{ "0990012345", true, false },
	};

	(void)state;
	config.establishments = both;
	config.establishment_count = 2;
	for (size_t i = 0; i < 2 * length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct variant v = usual;
		struct err err = { 0 };
		bool taken;

		v.structure = rows[i / 2].structure;
		config.strict_structures = i % 2;
		taken = decide_variant(&decision, &v, &err) == 0;
		if (taken != (i % 2 ? rows[i / 2].strict : rows[i / 2].known))
			fail_msg("row %zu: %s", i / 2, err.text);
		if (!taken) {
			assert_int_equal(err.reason, REASON_FINESS_MISMATCH);
			assert_string_equal(err.where, "PRT-8.10");
		}
	}
	config.strict_structures = false;
	config.establishments = &establishment;
	config.establishment_count = 1;
}

/* Of several sites behind one door, the one whose structure asks (Identifiant_Structure = PRT-8.10): its
 * policies, its sector, its count. The door's is that of messages which name none.
 */
static void the_structure_that_a_message_names_is_the_site(void **state)
{
	static struct config_policy hold = { "*", "", POLICY_HOLD, 0 };
	static struct config_unit units[] = { { "UF12", "SMR" } };
	struct config_site both[] = { site, site };
	static const struct {
		const char *structure, *site;
	} rows[] = {
		{ "", "990012345" },          { "990012345", "990012345" },
		{ "990012352", "990012352" }, { "1990012352", "990012352" },
		{ "990000987", "990012345" }, /* the legal entity */
		{ "120456789", "990012345" }, { "2990012352", "990012345" },
	};

	(void)state;
	both[1].metadata.finess_eg = "990012352";
	both[1].metadata.name = "LES TILLEULS";
	both[1].policies = &hold;
	both[1].policy_count = 1;
	both[1].units = units;
	both[1].unit_count = 1;
	establishment.sites = both;
	establishment.site_count = 2;
	for (size_t i = 0; i < length_of(rows); i++) {
		const struct variant v =
			usual_but((struct variant){ .structure = rows[i].structure });
		const bool is_other = strcmp(rows[i].site, "990012352") == 0;
		scoped(decision_done) struct decision decision = { 0 };
		scoped(arena_done) struct arena arena = { 0 };
		struct metadata metadata;
		struct err err = { 0 };

		if (decide_variant(&decision, &v, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(decision.site, rows[i].site);
		assert_int_equal(decision.state, is_other ? DOC_HELD : DOC_QUEUED);
		assert_string_equal(decision.documents[0].facts.field, is_other ? "SMR" : "");
		assert_kept(&decision, &metadata, &arena);
		assert_string_equal(metadata.site, rows[i].site);
		assert_string_equal(metadata.sender.institution_id + 1, rows[i].site);
		assert_string_equal(metadata.sender.institution_name,
				    is_other ? "LES TILLEULS" : "CH DE VALBRUME");
	}
	establishment.sites = &site;
	establishment.site_count = 1;
}

/* In its own name, the national number of somebody else would sign what the DMP shows. */
static void who_asks_by_a_number_of_another_authority_is_the_software(void **state)
{
	static const struct {
		const char *person, *id;
		bool is_system;
	} rows[] = {
		{ "^^ANS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS", "801234567866", false },
		{ "^^^D^^^RPPS", "801234567866", false },
		{ "^^CH&1.2.250.1.999.4&ISO^D^^^IDNPS", "3990012345/GW1", true },
		{ "^^CH&1.2.250.1.999.4&ISO^D", "3990012345/GW1", true },
		{ "^^CH&1.2.250.1.999.4&ISO^D^^^EI", "3990012345/801234567866", false },
		{ "^^ANS&1.2.250.1.71.4.2.1&ISO^U^^^RI", "3990012345/GW1", true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		const struct variant v = usual_but((struct variant){ .person = rows[i].person });
		scoped(decision_done) struct decision decision = { 0 };
		scoped(arena_done) struct arena arena = { 0 };
		struct metadata metadata;
		struct err err = { 0 };

		if (decide_variant(&decision, &v, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_kept(&decision, &metadata, &arena);
		assert_string_equal(metadata.sender.id, rows[i].id);
		assert_int_equal(metadata.sender.is_system, rows[i].is_system);
	}
}

static void a_site_sends_the_types_that_it_lists(void **state)
{
	static const char *types[] = { "34112-3", "11490-0" };
	scoped(decision_done) struct decision first = { 0 }, second = { 0 }, third = { 0 };
	struct variant deletion = usual_but((struct variant){ .event = "T04", .wanted = "CAD" });
	struct err err = { 0 };

	(void)state;
	site.types = types;
	site.type_count = 2;
	assert_int_equal(decide_variant(&first, &usual, &err), 0);
	site.type_count = 1;
	assert_int_equal(decide_variant(&second, &usual, &err), -1);
	assert_int_equal(err.reason, REASON_TYPE_NOT_ACCEPTED);
	assert_string_equal(err.where, "code/@code");
	establishment.url_registry = "https://127.0.0.1/registry";
	if (decide_variant(&third, &deletion, &err) < 0) /* it was sent when that was the rule */
		fail_msg("%s", err.text);
	establishment.url_registry = "";
	site.type_count = 0;
}

static void a_restricted_document_waits_for_a_person(void **state)
{
	static const struct {
		enum restricted key;
		const char *code;
		int rc;
		enum doc_state state;
		enum reason reason;
	} rows[] = {
		{ RESTRICTED_HOLD, "N", 0, DOC_QUEUED, REASON_NONE },
		{ RESTRICTED_HOLD, "R", 0, DOC_HELD, REASON_RESTRICTED },
		{ RESTRICTED_HOLD, "V", 0, DOC_HELD, REASON_RESTRICTED },
		{ RESTRICTED_REFUSE, "N", 0, DOC_QUEUED, REASON_NONE },
		{ RESTRICTED_REFUSE, "V", -1, 0, REASON_RESTRICTED },
		{ RESTRICTED_SEND, "R", 0, DOC_QUEUED, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct buf document = { 0 };
		struct err err = { 0 };
		char *code;

		sample_read("discharge-letter.xml", &document);
		code = strstr(document.p, "<confidentialityCode code=\"N\"");
		assert_non_null(code);
		code[strlen("<confidentialityCode code=\"")] = rows[i].code[0];
		config.restricted = rows[i].key;
		assert_int_equal(decide_document(&decision, &document, &settings, &err),
				 rows[i].rc);
		if (rows[i].rc == 0)
			assert_int_equal(decision.state, rows[i].state);
		assert_int_equal(rows[i].rc == 0 ? decision.reason : err.reason, rows[i].reason);
	}
	config.restricted = RESTRICTED_HOLD;
}

static void the_first_policy_that_fits_decides_when(void **state)
{
	static struct config_policy policies[] = {
		{ "34112-3", "", POLICY_HOLD, 0 },
		{ "11490-0", "UF99", POLICY_HOLD, 0 },
		{ "*", "", POLICY_SEND, 0 },
	};
	static const struct {
		struct config_policy second; /* the sample is of type 11490-0 and unit UF12 */
		enum doc_state state;
		enum reason reason;
		int64_t delay_ms;
		bool for_person, invisible;
	} rows[] = {
		{ { "11490-0", "UF99", POLICY_HOLD, 0 }, DOC_QUEUED, REASON_NONE, 0, false, false },
		{ { "11490-0", "UF12", POLICY_HOLD, 0 },
		  DOC_HELD,
		  REASON_POLICY_HOLD,
		  0,
		  true,
		  false },
		{ { "*", "", POLICY_HOLD, 0 }, DOC_HELD, REASON_POLICY_HOLD, 0, true, false },
		{ { "*", "UF12", POLICY_DELAY, 5000 },
		  DOC_HELD,
		  REASON_POLICY_HOLD,
		  5000,
		  false,
		  false },
		{ { "11490-0", "", POLICY_INVISIBLE, 0 }, DOC_QUEUED, REASON_NONE, 0, false, true },
	};

	(void)state;
	site.policies = policies;
	site.policy_count = length_of(policies);
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct err err = { 0 };

		policies[1] = rows[i].second;
		if (decide_variant(&decision, &usual, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(decision.state, rows[i].state);
		assert_int_equal(decision.reason, rows[i].reason);
		assert_int_equal(decision.delay_ms, rows[i].delay_ms);
		assert_int_equal(decision.for_person, rows[i].for_person);
		assert_int_equal(decision.documents[0].invisible, rows[i].invisible);
		assert_string_equal(decision.documents[0].follows, "");
	}
	site.policy_count = 0;
}

/* The store holds them, with what it knows of the stay: here is what the document says itself. */
static void what_is_sensitive_is_told_to_the_store(void **state)
{
	static const char *unit[] = { "UF12" }, *other_unit[] = { "UF99" }, *type[] = { "11490-0" },
			  *other_type[] = { "34112-3" };
	static const struct {
		const char **units, **types;
		bool by_unit, is_discreet;
	} rows[] = {
		{ unit, other_type, true, false },
		{ other_unit, other_type, false, false },
		{ other_unit, type, false, true },
	};

	(void)state;
	site.sensitive_unit_count = site.sensitive_type_count = 1;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct err err = { 0 };

		site.sensitive_units = rows[i].units;
		site.sensitive_types = rows[i].types;
		if (decide_variant(&decision, &usual, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(decision.documents[0].discretion.unit, rows[i].by_unit);
		assert_int_equal(decision.documents[0].discretion.flag, STORE_FLAG_UNSAID);
		assert_int_equal(decision.documents[0].is_discreet, rows[i].is_discreet);
	}
	site.sensitive_unit_count = site.sensitive_type_count = 0;
}

/* A delay never sends what something else keeps back, and a deletion waits for nobody. */
static void a_policy_gives_way_to_what_matters_more(void **state)
{
	static struct config_policy policy = { "*", "", POLICY_DELAY, 5000 };
	static const struct {
		struct variant variant;
		enum doc_state state;
		enum reason reason;
	} rows[] = {
		{ { .status = "PROV" }, DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ { .for_dmp = "N" }, DOC_CANCELLED, REASON_NOT_FOR_DMP },
		{ { .event = "T04", .wanted = "CAD" }, DOC_QUEUED, REASON_NONE },
	};

	(void)state;
	site.policies = &policy;
	site.policy_count = 1;
	establishment.url_registry = "https://127.0.0.1/registry";
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		const struct variant merged = usual_but(rows[i].variant);
		struct err err = { 0 };

		if (decide_variant(&decision, &merged, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(decision.state, rows[i].state);
		assert_int_equal(decision.reason, rows[i].reason);
	}
	establishment.url_registry = "";
	site.policy_count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_a_registry_a_replacement_is_queued),
		cmocka_unit_test(a_document_for_the_dmp_is_queued_byte_for_byte),
		cmocka_unit_test(what_is_decided_besides_sending),
		cmocka_unit_test(who_wants_to_hear_of_the_end_leaves_its_header),
		cmocka_unit_test(message_and_document_must_be_about_the_same_patient),
		cmocka_unit_test(message_and_document_must_want_the_same),
		cmocka_unit_test(what_comes_of_a_secret_connection_is_kept_as_such),
		cmocka_unit_test(a_deletion_is_of_the_document_itself),
		cmocka_unit_test(a_batch_is_told_where_it_is_taken),
		cmocka_unit_test(a_replacement_alone_is_a_replacement),
		cmocka_unit_test(what_a_version_says_is_told_from_its_name),
		cmocka_unit_test(a_deletion_says_nothing),
		cmocka_unit_test(two_forms_are_two_documents_of_one_decision),
		cmocka_unit_test(one_bad_form_refuses_both),
		cmocka_unit_test(a_document_alone_has_the_memory_of_its_message),
		cmocka_unit_test(an_adt_is_accepted_and_brings_nothing),
		cmocka_unit_test(the_choice_of_a_qualified_patient_is_read),
		cmocka_unit_test(a_document_knows_its_patient),
		cmocka_unit_test(the_local_number_is_of_the_domain_that_is_named),
		cmocka_unit_test(edition_1_2_waits_for_its_setting),
		cmocka_unit_test(a_document_alone_is_queued),
		cmocka_unit_test(a_medium_and_its_document_say_the_same),
		cmocka_unit_test(a_site_that_nobody_declares_sends_nothing),
		cmocka_unit_test(bytes_that_are_no_document_are_refused_at_their_field),
		cmocka_unit_test(a_document_over_the_limit_is_refused),
		cmocka_unit_test(a_structure_of_another_legal_entity_is_refused),
		cmocka_unit_test(the_structure_that_a_message_names_is_the_site),
		cmocka_unit_test(who_asks_by_a_number_of_another_authority_is_the_software),
		cmocka_unit_test(a_site_sends_the_types_that_it_lists),
		cmocka_unit_test(a_restricted_document_waits_for_a_person),
		cmocka_unit_test(the_first_policy_that_fits_decides_when),
		cmocka_unit_test(what_is_sensitive_is_told_to_the_store),
		cmocka_unit_test(a_policy_gives_way_to_what_matters_more),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
