/* Whose a document is: the INS and its domain, the traits, the local number; and that no message about another
 * patient sends it.
 */
#include "metadata_world.h"

static void document_gives_its_patient(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request);

	(void)state;
	assert_string_equal(metadata.patient_ins, "279035121518989");
	assert_string_equal(metadata.patient_ins_oid, "1.2.250.1.213.1.4.10");
	assert_string_equal(metadata.source_patient_id, "4711");
	assert_string_equal(metadata.source_patient_oid, "1.2.250.1.999.1");
	assert_false(metadata.source_patient_is_ins);
	assert_string_equal(metadata.patient_family, "PAT-TROIS");
	assert_string_equal(metadata.patient_given, "DOMINIQUE");
	assert_string_equal(metadata.patient_birth_date, "19790328");
	assert_string_equal(metadata.patient_sex, "F");
}

static void source_patient_is_a_local_one_or_the_ins(void **state)
{
	static const struct {
		struct cda_id id;
		bool is_local;
	} cases[] = {
		{ { "1.2.250.1.999.1", "4711" }, true },
		{ { "1.2.250.1.213.1.4.2", "0123456789" }, false },       /* INS-C */
		{ { "1.2.250.1.213.1.4.13", "279035121518989" }, false }, /* for billing */
		{ { "1.2.250.1.999.1", "" }, false },
		{ { "", "4711" }, false },
		{ { "CHU", "4711" }, false },
		{ { "1.2.250.1.999.1", "47^11" }, false },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata metadata;

		cda.patient_ids[1] = cases[i].id;
		metadata = fill(&cda, &no_request);
		assert_int_equal(metadata.source_patient_is_ins, !cases[i].is_local);
		assert_string_equal(metadata.source_patient_id,
				    cases[i].is_local ? "4711" : "279035121518989");
	}
}

static void the_local_domain_decides_which_identifier_is_the_ipp(void **state)
{
	static const struct {
		const char *oid, *id;
		bool is_ins;
	} cases[] = {
		{ NULL, "4711", false },
		{ "", "4711", false },
		{ "1.2.250.1.999.1", "4711", false },
		{ "1.2.250.1.999.2", NULL, true },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_context context = context_of(&no_request);
		struct metadata metadata;
		struct err err = { 0 };

		context.local_oid = cases[i].oid;
		assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err), 0);
		assert_int_equal(metadata.source_patient_is_ins, cases[i].is_ins);
		assert_string_equal(metadata.source_patient_id,
				    cases[i].is_ins ? metadata.patient_ins : cases[i].id);
	}
}

static void the_domains_of_ins_may_be_named(void **state)
{
	static const struct {
		enum environment environment;
		const char *oids;
		bool taken;
	} cases[] = {
		{ ENVIRONMENT_REHEARSAL, INS_OID_TEST, true },
		{ ENVIRONMENT_REHEARSAL, INS_OID_DEMO " " INS_OID_TEST, true },
		{ ENVIRONMENT_REHEARSAL, INS_OID_DEMO, false },
		{ ENVIRONMENT_REHEARSAL, INS_OID_NIR " " INS_OID_NIA, false },
		{ ENVIRONMENT_TEST, INS_OID_TEST, true },
		{ ENVIRONMENT_PRODUCTION, INS_OID_TEST, false },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_context context = context_of(&no_request);
		struct metadata metadata;
		struct err err = { 0 };

		context.environment = cases[i].environment;
		context.ins_oids = cases[i].oids;
		assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err),
				 cases[i].taken ? 0 : -1);
		assert_int_equal(err.reason, cases[i].taken ? REASON_NONE : REASON_INS_INVALID);
	}
}

static void ins_is_the_first_id_of_an_ins_domain(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct cda_id ids[] = { { "1.2.250.1.999.1", "4711" },
				{ "1.2.250.1.213.1.4.13", "100000000000047" },
				{ "1.2.250.1.213.1.4.8", "" }, /* nullFlavor */
				{ "1.2.250.1.213.1.4.10", "279035121518989" },
				{ "1.2.250.1.213.1.4.8", "279035121518989" } };

	(void)state;
	cda.patient_ids = ids;
	cda.patient_id_count = length_of(ids);
	assert_string_equal(fill(&cda, &no_request).patient_ins, "279035121518989");
	assert_string_equal(fill(&cda, &no_request).patient_ins_oid, "1.2.250.1.213.1.4.10");
}

/* Neither is more the patient's than the other, whether the identity is qualified or not. */
static void two_ins_that_differ_are_two_patients(void **state)
{
	static const char *const domains[] = { INS_OID_TEST, INS_OID_NIR, INS_OID_NIA };
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_context context = context_of(&no_request);

	(void)state;
	for (size_t i = 0; i < length_of(domains); i++) {
		cda.patient_ids[1] = (struct cda_id){ domains[i], "185079900012385" };
		context.may_lack_ins = i % 2;
		assert_int_equal(refuse_in(&cda, &context).reason, REASON_INS_MISMATCH);
		assert_string_equal(refuse_in(&cda, &context).where, "recordTarget/patientRole/id");
	}
}

static void ins_goes_where_its_domain_belongs(void **state)
{
	static const struct {
		const char *oid;
		enum environment environment;
		bool sent;
	} cases[] = {
		{ INS_OID_NIR, ENVIRONMENT_PRODUCTION, true },
		{ INS_OID_TEST, ENVIRONMENT_PRODUCTION, false },
		{ INS_OID_DEMO, ENVIRONMENT_PRODUCTION, false },
		{ INS_OID_NIA, ENVIRONMENT_TEST, false },
		{ INS_OID_TEST, ENVIRONMENT_TEST, true },
		{ INS_OID_NIR, ENVIRONMENT_REHEARSAL, true },
		{ INS_OID_TEST, ENVIRONMENT_REHEARSAL, true },
	};
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_context context = context_of(&no_request);
	struct metadata metadata;

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };
		int rc;

		cda.patient_ids[0].root = cases[i].oid;
		context.environment = cases[i].environment;
		rc = metadata_fill(&metadata, &cda, &context, &arena, &err);
		assert_int_equal(rc == 0, cases[i].sent);
		assert_int_equal(err.reason, cases[i].sent ? REASON_NONE : REASON_INS_INVALID);
	}
}

static void message_and_document_must_be_about_one_patient(void **state)
{
	static const struct {
		const char *ins, *oid, *birth_date, *sex, *where; /* NULL: sent */
	} cases[] = {
		{ "279035121518989", INS_OID_TEST, "19790328", "F", NULL },
		{ "", "", "", "", NULL },
		{ "", "", "19790328", "U", NULL }, /* unknown is no contradiction */
		{ "185079900012385", INS_OID_TEST, "19790328", "F", "PID-3" },
		{ "279035121518989", INS_OID_NIR, "19790328", "F", "PID-3" },
		{ "279035121518989", INS_OID_TEST, "19790329", "F", "PID-7" },
		{ "279035121518989", INS_OID_TEST, "197903", "F", NULL }, /* known to the month */
		{ "279035121518989", INS_OID_TEST, "1979", "F", NULL },
		{ "279035121518989", INS_OID_TEST, "1978", "F", "PID-7" },
		{ "279035121518989", INS_OID_TEST, "19790328", "M", "PID-8" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_request request = no_request;

		request.patient_ins = cases[i].ins;
		request.patient_ins_oid = cases[i].oid;
		request.patient_birth_date = cases[i].birth_date;
		request.patient_sex = cases[i].sex;
		if (cases[i].where == NULL) {
			fill(&cda, &request);
			continue;
		}
		assert_int_equal(refuse(&cda, &request).reason, REASON_INS_MISMATCH);
		assert_string_equal(refuse(&cda, &request).where, cases[i].where);
	}
}

/* The message has it already: the document waits for its own, as it does for a message that has none. */
static void an_ins_of_the_message_alone_is_no_other_patient(void **state)
{
	struct cda cda = cda_of("hostile/no-ins.xml");
	struct metadata_request request = no_request;
	struct metadata_context context = context_of(&request);
	struct err err = { 0 };
	struct metadata metadata;

	(void)state;
	request.patient_ins = "279035121518989";
	request.patient_ins_oid = INS_OID_TEST;
	assert_int_equal(refuse_in(&cda, &context).reason, REASON_INS_MISSING);
	context.may_lack_ins = true;
	if (metadata_fill(&metadata, &cda, &context, &arena, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_string_equal(metadata.patient_ins, "");
	request.patient_birth_date = "19500101";
	assert_int_equal(refuse_in(&cda, &context).reason, REASON_INS_MISMATCH);
}

static void wrong_patient_comes_before_every_other_fault(void **state)
{
	struct cda cda = cda_of("hostile/extension-in-id.xml");
	struct metadata_request request = no_request;

	(void)state;
	request.patient_ins = "185079900012385";
	request.patient_ins_oid = INS_OID_TEST;
	assert_int_equal(refuse(&cda, &request).reason, REASON_INS_MISMATCH);
}

static void sex_is_m_f_or_unknown(void **state)
{
	static const char *const cases[][2] = {
		{ "M", "M" }, { "F", "F" }, { "UN", "U" }, { "X", "U" }
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.sex = cases[i][0];
		assert_string_equal(fill(&cda, &no_request).patient_sex, cases[i][1]);
	}
}

/* What the DMP is told of a patient, where a site's software writes no more. */
static void few_traits_are_enough_where_that_is_said(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_context context = context_of(&no_request);
	struct metadata metadata;
	struct err err = { 0 };

	(void)state;
	context.few_traits = true;
	cda.birth_given = cda.given_names = cda.sex = cda.birth_place = "";
	if (metadata_fill(&metadata, &cda, &context, &arena, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(metadata.patient_sex, "U");
	cda.birth_family = "";
	assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err), -1);
	assert_string_equal(err.where, "patient/name/family");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(document_gives_its_patient),
		test(source_patient_is_a_local_one_or_the_ins),
		test(the_local_domain_decides_which_identifier_is_the_ipp),
		test(the_domains_of_ins_may_be_named),
		test(ins_is_the_first_id_of_an_ins_domain),
		test(two_ins_that_differ_are_two_patients),
		test(ins_goes_where_its_domain_belongs),
		test(message_and_document_must_be_about_one_patient),
		test(an_ins_of_the_message_alone_is_no_other_patient),
		test(wrong_patient_comes_before_every_other_fault),
		test(sex_is_m_f_or_unknown),
		test(few_traits_are_enough_where_that_is_said),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
