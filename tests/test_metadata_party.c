/* Who takes part in a document: its authors, their institutions, and who sends it. */
#include "metadata_world.h"

static void author_is_a_person_a_patient_or_a_system(void **state)
{
#define NATIONAL "1.2.250.1.71.4.2.1"
	static const struct {
		struct cda_id id;
		bool is_device;
		const char *want, *ins_oid;
		bool is_internal, is_system;
	} cases[] = {
		{ { NATIONAL, "899900012345" }, false, "899900012345", "", false, false },
		{ { NATIONAL, "3990012345/47" }, false, "3990012345/47", "", true, false },
		{ { NATIONAL, "518003502400041/1.2" },
		  true,
		  "518003502400041/1.2",
		  "",
		  true,
		  true },
		{ { NATIONAL, "AUTOMATE" }, true, "3990012345/AUTOMATE", "", true, true },
		{ { NATIONAL, "AUTO/2" }, true, "3990012345/AUTO/2", "", true, true },
		{ { "1.2.250.1.999.5", "47" }, false, "3990012345/47", "", true, false },
		{ { "1.2.250.1.999.5", "" }, true, "3990012345/1.2.250.1.999.5", "", true, true },
		{ { INS_OID_TEST, "279035121518989" },
		  false,
		  "279035121518989",
		  INS_OID_TEST,
		  false,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = cda_of("discharge-letter.xml");
		struct metadata metadata;
		struct party author;

		cda.authors[0].id = cases[i].id;
		if (cases[i].is_device) {
			cda.authors[0].is_device = true;
			cda.authors[0].family = cda.authors[0].given = "";
			cda.authors[0].software = "Automate^1";
			cda.authors[0].device = "Modele|3";
		}
		metadata = fill(&cda, &no_request);
		author = metadata.authors[0];
		assert_string_equal(author.id, cases[i].want);
		assert_string_equal(author.ins_oid, cases[i].ins_oid);
		assert_int_equal(author.id_is_internal, cases[i].is_internal);
		assert_int_equal(author.is_system, cases[i].is_system);
		assert_string_equal(author.family, cases[i].is_device ? "Automate1" : "LHERMITE");
		assert_string_equal(author.given, cases[i].is_device ? "Modele3" : "Odile");
	}
}

static void author_has_a_specialty_known_in_full_or_none(void **state)
{
	static const struct {
		struct cda_code specialty;
		const char *code;
	} cases[] = {
		{ { "G15_10/SM26", "1.2.250.1.213.1.1.4.5", "Label" }, "G15_10/SM26" },
		{ { "G15_10/SM26", "", "Label" }, "" },
		{ { "G15_10/SM26", "G15", "Label" }, "" },
		{ { "G15_10/SM26", "1.2.250.1.213.1.1.4.5", "" }, "G15_10/SM26" },
		{ { "MCO", "1.2.250.1.71.4.2.9", "Of another system" }, "" },
		{ { "", "1.2.250.1.213.1.1.4.5", "Label" }, "" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.authors[0].specialty = cases[i].specialty;
		assert_string_equal(fill(&cda, &no_request).authors[0].specialty.code,
				    cases[i].code);
	}
}

static void institution_is_a_struct_id_nat(void **state)
{
	static const struct {
		struct cda_id id;
		const char *want;
	} cases[] = {
		{ { "1.2.250.1.71.4.2.2", "1990012345" }, "1990012345" },
		{ { "1.2.250.1.71.4.2.2", "990012345" }, "1990012345" }, /* a bare FINESS */
		{ { "1.2.250.1.71.4.2.2", "2A0000014" }, "12A0000014" },
		{ { "1.2.250.1.71.4.2.2", "318003502400041" }, "318003502400041" },
		{ { "1.2.250.1.71.4.2.2", "1^2" }, "" },
		{ { "1.2.3", "1990012345" }, "" },
		{ { "", "" }, "" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.authors[0].organisation_id = cases[i].id;
		assert_string_equal(fill(&cda, &no_request).authors[0].institution_id,
				    cases[i].want);
	}
}

static void the_software_may_be_the_sender_whoever_asks(void **state)
{
	struct metadata_request request = no_request;
	struct metadata_context context;
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata;
	struct err err = { 0 };

	(void)state;
	request.sender_id = "801234567866";
	request.sender_family = "MARTIN";
	request.sender_given = "Claire";
	context = context_of(&request);
	context.system_sends = true;
	assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err), 0);
	assert_true(metadata.sender.is_system);
	assert_string_equal(metadata.sender.id, "3990012345/GW1");
}

static void sender_is_who_asks_or_the_software_of_the_site(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_request request = no_request;
	struct metadata metadata = fill(&cda, &request);

	(void)state;
	assert_true(metadata.sender.is_system);
	assert_string_equal(metadata.sender.id, "3990012345/GW1");
	assert_string_equal(metadata.sender.family, "Passerelle libre");
	assert_string_equal(metadata.sender.given, "1.0");

	request.sender_id = "801234567866";
	request.sender_family = "MARTIN~";
	request.sender_given = "Claire";
	metadata = fill(&cda, &request);
	assert_false(metadata.sender.is_system || metadata.sender.id_is_internal);
	assert_string_equal(metadata.sender.id, "801234567866");
	assert_string_equal(metadata.sender.family, "MARTIN");
	assert_string_equal(metadata.sender.given, "Claire");
	assert_string_equal(metadata.sender.institution_name, "CH DE VALBRUME");
	assert_string_equal(metadata.sender.institution_id, "1990012345");

	request.sender_given = "";
	assert_true(fill(&cda, &request).sender.is_system);
	request.sender_given = "Claire";
	request.sender_family = "";
	assert_true(fill(&cda, &request).sender.is_system);
}

static void who_sends_has_a_national_id_or_one_of_the_structure(void **state)
{
	static const struct {
		const char *id;
		bool said_internal;
		const char *want; /* NULL: refused */
		bool is_internal;
	} cases[] = {
		{ "801234567866", false, "801234567866", false },
		{ "01234567866", false, "801234567866", false }, /* a bare RPPS */
		{ "0991234567", false, "0991234567", false },
		{ "02A1234567", false, "02A1234567", false },
		{ "3990012345/DR12", false, "3990012345/DR12", true },
		{ "3990012345/DR12", true, "3990012345/DR12", true },
		{ "DR12", true, "3990012345/DR12", true },
		{ "801234567866", true, "3990012345/801234567866", true },
		{ "DR12", false, NULL, false },
		{ "8012345678666", false, NULL, false },
		{ "80123456786X", false, NULL, false },
		{ "901234567866", false, NULL, false },
		{ "099123456", false, NULL, false },
		{ "2990012345/DR12", false, NULL, false },
		{ "7990012345/DR12", false, NULL, false },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_request request = no_request;
		struct metadata metadata;
		struct err err;

		request.sender_id = cases[i].id;
		request.sender_id_is_internal = cases[i].said_internal;
		request.sender_family = "MARTIN";
		request.sender_given = "Claire";
		if (cases[i].want == NULL) {
			err = refuse(&cda, &request);
			assert_int_equal(err.reason, REASON_DATA_TYPE);
			assert_string_equal(err.where, "authorPerson");
			continue;
		}
		metadata = fill(&cda, &request);
		assert_string_equal(metadata.sender.id, cases[i].want);
		assert_int_equal(metadata.sender.id_is_internal, cases[i].is_internal);
	}
}

static void a_sender_without_end_is_refused(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	char most[257 + 1] = { 0 };

	(void)state;
	memset(most, '8', 257);
	memcpy(most, "33/", 3); /* an internal id, also without its first character */
	for (int i = 0; i < 3; i++) {
		struct metadata_request request = no_request;
		const char **texts[] = { &request.sender_id, &request.sender_family,
					 &request.sender_given };
		struct err err;

		request.sender_id = request.sender_family = request.sender_given = most + 1;
		assert_string_equal(fill(&cda, &request).sender.id, most + 1);
		*texts[i] = most;
		err = refuse(&cda, &request);
		assert_int_equal(err.reason, REASON_DATA_TYPE);
		assert_string_equal(err.where, "authorPerson");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(author_is_a_person_a_patient_or_a_system),
		test(author_has_a_specialty_known_in_full_or_none),
		test(institution_is_a_struct_id_nat),
		test(the_software_may_be_the_sender_whoever_asks),
		test(sender_is_who_asks_or_the_software_of_the_site),
		test(who_sends_has_a_national_id_or_one_of_the_structure),
		test(a_sender_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
