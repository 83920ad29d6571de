/* A built document is one that the gateway itself takes, and says what its sidecar said. */
#include "value_sets.h"

#include "base/codec.h"
#include "document/cda_build.h"

static const struct metadata_site site = {
	.finess_eg = "990012345",
	.name = "CH DE VALBRUME",
	.sector = "SA01",
	.lps_name = "dmpfeed",
	.lps_model = "1",
	.lps_internal_id = "GW1",
};

/* A sidecar, what is built of it, and what the gateway reads there. */
struct built {
	struct arena arena;
	struct buf yaml, bytes;
	struct sidecar sidecar;
	struct cda cda;
	struct metadata metadata;
};

static void built_done(struct built *built)
{
	arena_done(&built->arena);
	buf_done(&built->yaml);
	buf_done(&built->bytes);
}

static void build(struct built *built, const char *more, struct slice body)
{
	const struct sidecar_context about = { valuesets, ENVIRONMENT_TEST };
	const struct cda_source source = {
		.sidecar = &built->sidecar,
		.site = &site,
		.valuesets = valuesets,
		.unique_id = "1.2.250.1.999.77.5.1",
		.set_id = "1.2.250.1.999.77.6.1",
		.media_type = "application/pdf",
		.body = body,
	};
	struct err err = { 0 };

	sample_read("pair/letter.yaml", &built->yaml);
	buf_add_text(&built->yaml, more);
	if (sidecar_read(&built->sidecar, buf_slice(&built->yaml), &about, &built->arena, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	cda_build(&source, &built->bytes);
}

static void read_back(struct built *built)
{
	static const struct metadata_request request = { .visit_class = "",
							 .sender_id = "",
							 .sender_family = "",
							 .sender_given = "",
							 .patient_ins = "",
							 .patient_ins_oid = "",
							 .patient_birth_date = "",
							 .patient_sex = "" };
	const struct metadata_context context = {
		.valuesets = valuesets,
		.site = &site,
		.request = &request,
		.environment = ENVIRONMENT_TEST,
	};
	const struct cda_limits limits = { 0 };
	struct err err = { 0 };

	if (cda_read(&built->cda, buf_slice(&built->bytes), &limits, &built->arena, &err) < 0 ||
	    metadata_fill(&built->metadata, &built->cda, &context, &built->arena, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
}

/* Whatever was said before, and whatever characters a name has. */
static void another_patient_is_put_in_its_place(void **state)
{
	static const struct traits others = {
		"277076322082910", INS_OID_TEST, "O&NEIL",   "RUTH",
		"RUTH <I>",        "M",          "19770714", "63220"
	};
	static const struct traits few = {
		"277076322082910", INS_OID_TEST, "", "", "", "", "", ""
	};
	scoped(built_done) struct built built = { 0 }, as_it_was = { 0 };
	struct buf *bytes[] = { &built.bytes, &as_it_was.bytes };
	const struct traits *const traits[] = { &others, &few };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < length_of(bytes); i++) {
		scoped(buf_done) struct buf other = { 0 }, same = { 0 };
		struct built *its = i == 0 ? &built : &as_it_was;

		build(its, "", slice_of("%PDF-1.4"));
		assert_int_equal(cda_put_patient(buf_slice(bytes[i]), traits[i], &other, &err), 0);
		assert_int_equal(cda_put_patient(buf_slice(&other), traits[i], &same, &err), 0);
		assert_true(slice_equal(buf_slice(&other), buf_slice(&same))); /* once is enough */
		buf_done(bytes[i]);
		*bytes[i] = other;
		other = (struct buf){ 0 };
		read_back(its);
		assert_string_equal(its->metadata.patient_ins, "277076322082910");
		assert_string_equal(its->metadata.source_patient_id, "4711");
		assert_string_equal(its->metadata.unique_id, "1.2.250.1.999.77.5.1");
	}
	assert_string_equal(built.cda.birth_family, "O&NEIL");
	assert_string_equal(built.cda.birth_given, "RUTH");
	assert_string_equal(built.cda.given_names, "RUTH <I>");
	assert_string_equal(built.cda.sex, "M");
	assert_string_equal(built.metadata.patient_birth_date, "19770714");
	assert_string_equal(built.cda.birth_place, "63220");
	assert_string_equal(as_it_was.cda.birth_family, "PAT-TROIS");
	assert_string_equal(as_it_was.cda.given_names, "DOMINIQUE MARIE-LOUISE");
	assert_string_equal(as_it_was.cda.sex, "F");
	assert_string_equal(as_it_was.metadata.patient_birth_date, "19790328");
	assert_string_equal(as_it_was.cda.birth_place, "51215");
}

static void the_sex_is_said_in_words(void **state)
{
	static const struct {
		const char *sex, *said;
	} rows[] = {
		{ "M", "code=\"M\" codeSystem=\"2.16.840.1.113883.5.1\" displayName=\"Masculin\"" },
		{ "F", "code=\"F\" codeSystem=\"2.16.840.1.113883.5.1\" displayName=\"Féminin\"" },
		{ "U", "code=\"UN\" codeSystem=\"2.16.840.1.113883.5.1\" displayName=\"Inconnu\"" },
	};
	scoped(built_done) struct built built = { 0 };

	(void)state;
	build(&built, "", slice_of("%PDF-1.4"));
	for (size_t i = 0; i < length_of(rows); i++) {
		const struct traits traits = { "277076322082910", INS_OID_TEST, "", "", "",
					       rows[i].sex,       "",           "" };
		scoped(buf_done) struct buf out = { 0 };
		struct err err = { 0 };

		assert_int_equal(cda_put_patient(buf_slice(&built.bytes), &traits, &out, &err), 0);
		if (strstr(out.p, rows[i].said) == NULL)
			fail_msg("%s should be %s", rows[i].sex, rows[i].said);
	}
}

static void a_patient_is_put_in_nothing_else(void **state)
{
	static const struct traits traits = {
		"277076322082910", INS_OID_TEST, "", "", "", "", "", ""
	};
	static const char *const others[] = { "", "<ClinicalDocument/>",
					      "<recordTarget><patientRole>" };
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < length_of(others); i++) {
		struct err err = { 0 };

		assert_int_equal(cda_put_patient(slice_of(others[i]), &traits, &out, &err), -1);
		assert_int_equal(err.kind, ERR_HALT);
	}
}

static void the_gateway_reads_what_it_built(void **state)
{
	scoped(built_done) struct built built = { 0 };
	const struct metadata *metadata = &built.metadata;
	const struct cda *cda = &built.cda;

	(void)state;
	build(&built, "", slice_of("%PDF-1.4"));
	read_back(&built);
	assert_string_equal(metadata->unique_id, "1.2.250.1.999.77.5.1");
	assert_int_equal(metadata->action, ACTION_SUBMIT);
	assert_string_equal(metadata->patient_ins, "279035121518989");
	assert_string_equal(metadata->patient_ins_oid, INS_OID_TEST);
	assert_string_equal(metadata->source_patient_id, "4711");
	assert_string_equal(metadata->patient_family, "PAT-TROIS");
	assert_string_equal(metadata->patient_given, "DOMINIQUE");
	assert_string_equal(metadata->patient_birth_date, "19790328");
	assert_string_equal(metadata->patient_sex, "F");
	assert_string_equal(metadata->type.code, "11490-0");
	assert_string_equal(metadata->class.code, "10");
	assert_string_equal(metadata->title, "Lettre de liaison du 20/11/2026");
	assert_string_equal(metadata->format.code, "urn:ihe:iti:xds-sd:pdf:2008");
	assert_string_equal(metadata->facility.code, "SA01");
	assert_string_equal(metadata->practice.code, "ETABLISSEMENT");
	assert_string_equal(metadata->legal_authenticator.id, "801234567866");
	assert_int_equal(metadata->author_count, 1);
	assert_string_equal(metadata->authors[0].institution_id, "1990012345");
	assert_string_equal(metadata->authors[0].institution_name, "CH DE VALBRUME");
	assert_string_equal(metadata->authors[0].specialty.code, "G15_10/SM26");
	assert_string_equal(cda->patient_ids[0].root, INS_OID_TEST); /* the INS comes first */
	assert_string_equal(cda->set_id.root, "1.2.250.1.999.77.6.1");
	assert_string_equal(cda->version, "1");
	assert_string_equal(cda->given_names, "DOMINIQUE MARIE-LOUISE");
	assert_string_equal(cda->birth_place, "51215");
	assert_string_equal(cda->main_event->start, "20261118071500+0100");
	assert_string_equal(cda->main_event->stop, "20261120");
	assert_int_equal(cda->template_count, 3);
}

static void a_replacement_names_its_predecessor(void **state)
{
	scoped(built_done) struct built built = { 0 };

	(void)state;
	build(&built, "replaces: 1.2.250.1.999.77.5.9\n", slice_of("%PDF-1.4"));
	read_back(&built);
	assert_int_equal(built.metadata.action, ACTION_REPLACE);
	assert_string_equal(built.metadata.replaces, "1.2.250.1.999.77.5.9");
	assert_string_equal(built.cda.version, "2");
}

static void the_body_is_inside_byte_for_byte(void **state)
{
	static const struct slice body = { "%PDF-1.4\n\0\xff]]>", 14 };
	scoped(built_done) struct built built = { 0 };
	scoped(buf_done) struct buf decoded = { 0 };
	const char *start, *end;
	struct err err = { 0 };

	(void)state;
	build(&built, "", body);
	start = strstr(built.bytes.p, "representation=\"B64\">");
	assert_non_null(start);
	start += strlen("representation=\"B64\">");
	end = strstr(start, "</text>");
	assert_int_equal(
		base64_decode((struct slice){ start, (size_t)(end - start) }, &decoded, &err), 0);
	assert_true(slice_equal(buf_slice(&decoded), body));
}

static void the_same_source_gives_the_same_bytes(void **state)
{
	scoped(built_done) struct built one = { 0 }, other = { 0 };

	(void)state;
	build(&one, "", slice_of("%PDF-1.4"));
	build(&other, "", slice_of("%PDF-1.4"));
	assert_true(slice_equal(buf_slice(&one.bytes), buf_slice(&other.bytes)));
}

static void markup_in_a_sidecar_is_text_in_the_document(void **state)
{
	scoped(built_done) struct built built = { 0 };

	(void)state;
	build(&built,
	      "legal_authenticator: { id: '8\"/>', family: '</name>&amp;<b>', given: \"O'B\" }\n",
	      slice_of("%PDF-1.4"));
	read_back(&built);
	assert_string_equal(built.cda.legal_authenticator.family, "</name>&amp;<b>");
	assert_string_equal(built.cda.legal_authenticator.id.extension, "8\"/>");
	assert_string_equal(built.cda.legal_authenticator.given, "O'B");
}

static void another_organisation_takes_the_place_of_the_site(void **state)
{
	scoped(built_done) struct built built = { 0 };

	(void)state;
	build(&built,
	      "legal_authenticator: { id: \"801\", family: X, given: Y, finess: \"990099999\","
	      " organisation: CLINIQUE }\n",
	      slice_of("%PDF-1.4"));
	read_back(&built);
	assert_string_equal(built.metadata.legal_authenticator.institution_id, "1990099999");
	assert_string_equal(built.metadata.legal_authenticator.institution_name, "CLINIQUE");
	assert_string_equal(built.metadata.authors[0].institution_id, "1990012345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_patient_is_put_in_its_place),
		cmocka_unit_test(the_sex_is_said_in_words),
		cmocka_unit_test(a_patient_is_put_in_nothing_else),
		cmocka_unit_test(the_gateway_reads_what_it_built),
		cmocka_unit_test(a_replacement_names_its_predecessor),
		cmocka_unit_test(the_body_is_inside_byte_for_byte),
		cmocka_unit_test(the_same_source_gives_the_same_bytes),
		cmocka_unit_test(markup_in_a_sidecar_is_text_in_the_document),
		cmocka_unit_test(another_organisation_takes_the_place_of_the_site),
	};

	return cmocka_run_group_tests(tests, load_valuesets, free_valuesets);
}
