/* What the DMP is told about a document: where each value comes from, what is refused and why, and
 * that what is kept is what was decided.
 */
#include "document/metadata.h"

#include <jansson.h>
#include <time.h>

#include "base/clock.h"
#include "value_sets.h"

#define LOINC "2.16.840.1.113883.6.1"

static const char *const samples[] = {
	"discharge-letter.xml",      "operative-report.xml",  "prescription.xml",
	"laboratory-report-pdf.xml", "laboratory-report.xml", "imaging-report.xml",
	"consultation-note.xml",     "emergency-report.xml",  "consultation-note-prefixed.xml",
	"discharge-letter-bom.xml",  "self-presentable.xml",  "discharge-letter-replacement.xml",
};

static const struct metadata_site site = {
	.finess_eg = "990012345",
	.name = "CH DE VALBRUME",
	.sector = "SA01",
	.lps_name = "Passerelle libre",
	.lps_model = "1.0",
	.lps_internal_id = "GW1",
};

static const struct metadata_request no_request = {
	.visit_class = "",
	.sender_id = "",
	.sender_family = "",
	.sender_given = "",
	.patient_ins = "",
	.patient_ins_oid = "",
	.patient_birth_date = "",
	.patient_sex = "",
};

static struct arena arena;

static int load(void **state)
{
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return load_valuesets(state);
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct cda cda_of(const char *name)
{
	const struct cda_limits limits = { 0 };
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err;
	struct cda cda;

	sample_read(name, &bytes);
	if (cda_read(&cda, buf_slice(&bytes), &limits, &arena, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	return cda;
}

static struct metadata_context context_of(const struct metadata_request *request)
{
	return (struct metadata_context){ .valuesets = valuesets,
					  .site = &site,
					  .request = request,
					  .environment = ENVIRONMENT_REHEARSAL };
}

static struct metadata fill(const struct cda *cda, const struct metadata_request *request)
{
	struct metadata_context context = context_of(request);
	struct err err = { 0 };
	struct metadata metadata;

	if (metadata_fill(&metadata, cda, &context, &arena, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	return metadata;
}

static struct err refuse_in(const struct cda *cda, const struct metadata_context *context)
{
	struct err err = { 0 };
	struct metadata metadata;

	if (metadata_fill(&metadata, cda, context, &arena, &err) == 0)
		fail_msg("the document should be refused");
	assert_int_equal(err.kind, ERR_REJECT);
	return err;
}

static struct err refuse(const struct cda *cda, const struct metadata_request *request)
{
	struct metadata_context context = context_of(request);

	return refuse_in(cda, &context);
}

static void assert_coded(struct coded coded, const char *code, const char *system,
			 const char *display)
{
	assert_string_equal(coded.code, code);
	assert_string_equal(coded.system, system);
	assert_string_equal(coded.display, display);
}

static void assert_time(int64_t time_ms, const char *utc)
{
	char text[CLOCK_TEXT];

	assert_string_equal(clock_xds(time_ms, text), utc);
}

static void document_gives_its_metadata(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request);

	(void)state;
	assert_int_equal(metadata.action, ACTION_SUBMIT);
	assert_string_equal(metadata.unique_id, "1.2.250.1.999.1.1.7001");
	assert_string_equal(metadata.replaces, "");
	assert_string_equal(metadata.title, "Lettre de liaison à la sortie du 20/11/2026");
	assert_string_equal(metadata.language, "fr-FR");
	assert_string_equal(metadata.mime_type, "text/xml");
	assert_time(metadata.creation_ms, "20261120084500");
	assert_time(metadata.service_start_ms, "20261116130000");
	assert_time(metadata.service_stop_ms, "20261120083000");
	assert_coded(metadata.type, "11490-0", LOINC,
		     "Lettre de liaison à la sortie d'un établissement de soins");
	assert_coded(metadata.class, "10", "1.2.250.1.213.1.1.4.1", "Compte rendu");
	assert_coded(metadata.format, "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3",
		     "Document à corps non structuré en Pdf/A-1");
	assert_coded(metadata.facility, "SA01", "1.2.250.1.71.4.2.4",
		     "Etablissement public de santé");
	assert_coded(metadata.practice, "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9",
		     "Etablissement de santé");
	assert_coded(metadata.content_type, "03", "1.2.250.1.213.2.2",
		     "Hospitalisation complète (non compris hospitalisation de semaine)");
	assert_int_equal(metadata.confidentiality_count, 1);
	assert_coded(metadata.confidentialities[0], "N", "2.16.840.1.113883.5.25", "Normal");
	assert_int_equal(metadata.event_count, 1);
	assert_coded(metadata.events[0], "IMP", "2.16.840.1.113883.5.4", "Hospitalisation");
	assert_string_equal(metadata.site, "990012345");
}

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

/* The DMP compares them with the document, blanks and all. */
static void what_is_not_as_the_dmp_reads_it_is_refused(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.id_has_extension = true; /* an empty one */
	assert_int_equal(refuse(&cda, &no_request).reason, REASON_IDENTIFIER_HAS_EXTENSION);

	cda = cda_of("discharge-letter.xml");
	cda.patient_ids[0].extension = " 279035121518989";
	assert_int_equal(refuse(&cda, &no_request).reason, REASON_INS_INVALID);
}

static void hostile_documents_are_refused(void **state)
{
	static const struct {
		const char *name;
		enum reason reason;
		const char *where;
	} cases[] = {
		{ "extension-in-id", REASON_IDENTIFIER_HAS_EXTENSION, "id/@extension" },
		{ "id-not-oid", REASON_IDENTIFIER_INVALID, "id/@root" },
		{ "parent-not-oid", REASON_IDENTIFIER_INVALID,
		  "relatedDocument/parentDocument/id" },
		{ "ins-bad-key", REASON_INS_INVALID, "recordTarget/patientRole/id" },
		{ "no-ins", REASON_INS_MISSING, "recordTarget/patientRole/id" },
		{ "unknown-type", REASON_TYPE_NOT_ACCEPTED, "code/@code" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = cda_of(arena_printf(&arena, "hostile/%s.xml", cases[i].name));
		struct err err = refuse(&cda, &no_request);

		assert_int_equal(err.reason, cases[i].reason);
		assert_string_equal(err.where, cases[i].where);
	}
}

/* A text of the header gets another value. */
static void one_wrong_value_is_refused_with_its_place(void **state)
{
#define AT(member) offsetof(struct cda, member)
	static const struct {
		size_t member;
		const char *value;
		enum reason reason;
		const char *where, *said;
	} cases[] = {
		{ AT(id.root), "", REASON_IDENTIFIER_INVALID, "id/@root", "has no id" },
		{ AT(language), "fr FR", REASON_METADATA_INVALID, "languageCode/@code",
		  "not a language" },
		{ AT(id.root), "1.2.03", REASON_IDENTIFIER_INVALID, "id/@root", "not an OID" },
		{ AT(id.root), " 1.2.3", REASON_IDENTIFIER_INVALID, "id/@root", "not an OID" },
		{ AT(code.code), "", REASON_TYPE_NOT_ACCEPTED, "code/@code", "is missing" },
		{ AT(code.code), "11490-0 ", REASON_TYPE_NOT_ACCEPTED, "code/@code",
		  "is not in the DMP's list; nearest: 11490-0" },
		{ AT(code.system), "", REASON_TYPE_NOT_ACCEPTED, "code/@codeSystem",
		  "11490-0 has no code system: it is of " LOINC },
		{ AT(code.code), "11490-9", REASON_TYPE_NOT_ACCEPTED, "code/@code",
		  "11490-9 is not in the DMP's list; nearest: 11490-0, " },
		{ AT(code.code), "DUPONT Jean", REASON_TYPE_NOT_ACCEPTED, "code/@code",
		  "(unreadable) is not in" },
		{ AT(code.code), "34895-3", REASON_TYPE_NOT_ACCEPTED, "code/@code",
		  "no class of document is known for the type 34895-3" },
		{ AT(code.system), "1.2.250.1.213.1.1.4.12", REASON_TYPE_NOT_ACCEPTED, "code/@code",
		  "11490-0 is known, but not of the code system" },
		{ AT(effective_time), "", REASON_HEADER_INCOMPLETE, "effectiveTime", "is missing" },
		{ AT(effective_time), "hier", REASON_METADATA_INVALID, "effectiveTime",
		  "is not a time" },
		{ AT(effective_time), "00791120", REASON_METADATA_INVALID, "effectiveTime",
		  "since 1900" },
		{ AT(confidentiality), "X", REASON_METADATA_INVALID, "confidentialityCode/@code",
		  "nearest: N, R or V" },
		{ AT(confidentiality), "MASQUE_PS", REASON_METADATA_INVALID,
		  "confidentialityCode/@code", "not of the code system" },
		{ AT(facility.code), "SA99", REASON_METADATA_INVALID,
		  "healthCareFacility/code/@code", "SA99 is not in the DMP's list; nearest: SA" },
		{ AT(media_type), "text/html", REASON_BODY_NOT_ACCEPTED,
		  "nonXMLBody/text/@mediaType", "no body of the media type text/html" },
		{ AT(media_type), "", REASON_BODY_NOT_ACCEPTED, "component", "no body" },
		{ AT(representation), "", REASON_BODY_NOT_ACCEPTED,
		  "nonXMLBody/text/@representation", "not said to be B64" },
		{ AT(representation), "TXT", REASON_BODY_NOT_ACCEPTED,
		  "nonXMLBody/text/@representation", "not said to be B64" },
		{ AT(birth_family), "", REASON_HEADER_INCOMPLETE, "patient/name/family",
		  "no family name" },
		{ AT(birth_time), "", REASON_HEADER_INCOMPLETE, "patient/birthTime",
		  "no birth date" },
		{ AT(birth_given), "", REASON_HEADER_INCOMPLETE, "patient/name/given",
		  "no first given name" },
		{ AT(given_names), "", REASON_HEADER_INCOMPLETE, "patient/name/given",
		  "no list of given names" },
		{ AT(sex), "", REASON_HEADER_INCOMPLETE, "patient/administrativeGenderCode",
		  "no sex" },
		{ AT(birth_place), "", REASON_HEADER_INCOMPLETE, "patient/birthplace",
		  "no place of birth" },
		{ AT(birth_time), "1979", REASON_HEADER_INCOMPLETE, "patient/birthTime",
		  "YYYYMMDD" },
		{ AT(birth_time), "19791328", REASON_HEADER_INCOMPLETE, "patient/birthTime",
		  "YYYYMMDD" },
		{ AT(legal_authenticator.family), "", REASON_HEADER_INCOMPLETE,
		  "legalAuthenticator/assignedEntity", "neither a person nor a device" },
		{ AT(legal_authenticator.id.extension), "8999^0001", REASON_METADATA_INVALID,
		  "legalAuthenticator/assignedEntity", "one of ^ & | ~" },
		{ AT(legal_authenticator.specialty.code), "G15_10/SM2", REASON_METADATA_INVALID,
		  "legalAuthenticator/assignedEntity", "nearest: G15_10/SM2" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = cda_of("discharge-letter.xml");
		struct err err;

		*(const char **)(void *)((char *)&cda + cases[i].member) = cases[i].value;
		err = refuse(&cda, &no_request);
		assert_int_equal(err.reason, cases[i].reason);
		assert_string_equal(err.where, cases[i].where);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].said);
		assert_null(strstr(err.text, "DUPONT"));
	}
}

static void a_body_that_nobody_could_read_is_refused(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.body_is_base64 = false;
	assert_int_equal(refuse(&cda, &no_request).reason, REASON_BODY_NOT_ACCEPTED);
	assert_string_equal(refuse(&cda, &no_request).where, "nonXMLBody/text");

	cda = cda_of("laboratory-report.xml"); /* structured */
	assert_false(cda.body_is_base64);
	fill(&cda, &no_request);
}

static void assert_refused(const struct cda *cda, enum reason reason, const char *where)
{
	struct err err = refuse(cda, &no_request);

	assert_int_equal(err.reason, reason);
	assert_string_equal(err.where, where);
}

static void assert_incomplete(const struct cda *cda, const char *where)
{
	assert_refused(cda, REASON_HEADER_INCOMPLETE, where);
}

static void assert_invalid(const struct cda *cda, const char *where)
{
	assert_refused(cda, REASON_METADATA_INVALID, where);
}

static void missing_participants_are_refused(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.author_count = 0;
	assert_incomplete(&cda, "author");

	cda = cda_of("discharge-letter.xml");
	cda.authors[0].family = "";
	assert_incomplete(&cda, "author/assignedAuthor");

	cda = cda_of("discharge-letter.xml");
	cda.authors[0].id = (struct cda_id){ "", "" };
	assert_incomplete(&cda, "author/assignedAuthor");

	cda = cda_of("discharge-letter.xml");
	cda.has_legal_authenticator = false;
	assert_incomplete(&cda, "legalAuthenticator");

	cda = cda_of("discharge-letter.xml");
	cda.has_custodian = false;
	assert_incomplete(&cda, "custodian");
}

static void main_event_is_needed_with_its_time_and_setting(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.main_event = NULL;
	assert_incomplete(&cda, "documentationOf/serviceEvent");

	cda = cda_of("discharge-letter.xml");
	cda.events[0].start = "";
	assert_incomplete(&cda, "serviceEvent/effectiveTime/low");

	cda = cda_of("discharge-letter.xml");
	cda.events[0].stop = "demain";
	assert_invalid(&cda, "serviceEvent/effectiveTime/high");

	cda = cda_of("discharge-letter.xml");
	cda.events[0].practice_setting.code = "";
	assert_incomplete(&cda, "standardIndustryClassCode/@code");
	cda.events[0].practice_setting.code = "HOPITAL";
	assert_invalid(&cda, "standardIndustryClassCode/@code");
}

static void unknown_visit_class_is_refused_naming_the_file_to_extend(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_request request = no_request;
	struct err err;

	(void)state;
	request.visit_class = "P";
	err = refuse(&cda, &request);
	assert_int_equal(err.reason, REASON_METADATA_INVALID);
	assert_string_equal(err.where, "PV1-2");
	assert_non_null(strstr(err.text, "content-type-from-visit.csv"));
}

static void content_type_comes_from_message_site_or_inpatient(void **state)
{
	static const struct {
		const char *message, *site, *code;
	} cases[] = {
		{ "O", "R", "07" }, { "N", NULL, "97" }, { "", "R", "19" },
		{ "", "", "03" },   { "", NULL, "03" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_request request = no_request;
		struct metadata_site own = site;
		struct metadata_context context = context_of(&request);
		struct metadata metadata;
		struct err err;

		request.visit_class = cases[i].message;
		own.default_visit_class = cases[i].site;
		context.site = &own;
		assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err), 0);
		assert_string_equal(metadata.content_type.code, cases[i].code);
	}
}

static void sector_of_the_site_stands_in_for_a_missing_one(void **state)
{
	struct cda cda = cda_of("laboratory-report.xml");

	(void)state;
	assert_string_equal(fill(&cda, &no_request).facility.code, "SA25");
	cda.facility = (struct cda_code){ "", "", "" };
	assert_string_equal(fill(&cda, &no_request).facility.code, "SA01");
	cda.has_facility = false;
	assert_incomplete(&cda, "componentOf/encompassingEncounter");
}

static void flags_become_confidentiality_codes(void **state)
{
	static const struct {
		bool masked, invisible, guardians, allowed;
		const char *codes[4]; /* none: refused */
	} cases[] = {
		{ false, false, false, false, { "N" } },
		{ true, false, false, false, { "N", "MASQUE_PS" } },
		{ false, true, false, false, { "N", "INVISIBLE_PATIENT" } },
		{ false, false, true, false, { "N", "INVISIBLE_REPRESENTANTS_LEGAUX" } },
		{ false,
		  true,
		  true,
		  false,
		  { "N", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX" } },
		{ true, true, false, false, { NULL } },
		{ true,
		  true,
		  true,
		  true,
		  { "N", "MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX" } },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata_request request = no_request;
		struct metadata_context context = context_of(&request);
		struct metadata metadata;
		struct err err;

		request.masked_from_professionals = cases[i].masked;
		request.invisible_to_patient = cases[i].invisible;
		request.invisible_to_guardians = cases[i].guardians;
		context.allow_masked_and_invisible = cases[i].allowed;
		if (cases[i].codes[0] == NULL) {
			assert_int_equal(refuse_in(&cda, &context).reason, REASON_MASKS_CONFLICT);
			continue;
		}
		assert_int_equal(metadata_fill(&metadata, &cda, &context, &arena, &err), 0);
		for (size_t j = 0; j < 4; j++) {
			if (cases[i].codes[j] == NULL) {
				assert_int_equal(metadata.confidentiality_count, j);
				break;
			}
			assert_string_equal(metadata.confidentialities[j].code, cases[i].codes[j]);
			assert_string_equal(metadata.confidentialities[j].system,
					    j == 0 ? "2.16.840.1.113883.5.25"
						   : "1.2.250.1.213.1.1.4.13");
		}
	}
}

/* What is rather told twice than seen by those who must not. */
static void a_secret_connection_hides_from_guardians_too(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_request request = no_request;

	(void)state;
	assert_false(fill(&cda, &request).secret_connection);
	request.secret_connection = true;
	for (size_t i = 0; i < 2; i++) {
		struct metadata metadata;

		request.invisible_to_guardians = i > 0;
		metadata = fill(&cda, &request);
		assert_true(metadata.secret_connection);
		assert_int_equal(metadata.confidentiality_count, 2);
		assert_string_equal(metadata.confidentialities[1].code,
				    "INVISIBLE_REPRESENTANTS_LEGAUX");
		assert_int_equal(metadata.from.visibility, FROM_MESSAGE);
	}
	request.masked_from_professionals = request.invisible_to_patient = true;
	assert_int_equal(refuse(&cda, &request).reason, REASON_MASKS_CONFLICT);
}

static void confidentiality_of_the_document_comes_first(void **state)
{
	static const char *const cases[][2] = {
		{ "", "N" }, { "N", "N" }, { "R", "R" }, { "V", "V" }
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.confidentiality = cases[i][0];
		assert_string_equal(fill(&cda, &no_request).confidentialities[0].code, cases[i][1]);
	}
}

static void replacement_names_its_predecessor(void **state)
{
	static const struct {
		const char *type, *root, *extension;
		enum reason reason;
		enum action action;
		const char *replaces;
	} cases[] = {
		{ "RPLC", "1.2.3", "", REASON_NONE, ACTION_REPLACE, "1.2.3" },
		{ "RPLC", "1.2.3", "V1", REASON_NONE, ACTION_REPLACE, "1.2.3^V1" },
		{ "XFRM", "1.2.3", "", REASON_NONE, ACTION_SUBMIT, "" },
		{ "APND", "whatever", "", REASON_NONE, ACTION_SUBMIT, "" },
		{ "", "", "", REASON_NONE, ACTION_SUBMIT, "" },
		{ "RPLC", "", "", REASON_PREDECESSOR_UNKNOWN, ACTION_SUBMIT, "" },
		{ "RPLC", "90E1C8EC-F951", "", REASON_IDENTIFIER_INVALID, ACTION_SUBMIT, "" },
		{ "RPLC", "1.2.3", "V^1", REASON_IDENTIFIER_INVALID, ACTION_SUBMIT, "" },
		{ "RPLC", "1.2.250.1.999.1.1.7001", "", REASON_IDENTIFIER_INVALID, ACTION_SUBMIT,
		  "" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.parent_type = cases[i].type;
		cda.parent_id = (struct cda_id){ cases[i].root, cases[i].extension };
		if (cases[i].reason != REASON_NONE) {
			assert_int_equal(refuse(&cda, &no_request).reason, cases[i].reason);
			continue;
		}
		assert_int_equal(fill(&cda, &no_request).action, cases[i].action);
		assert_string_equal(fill(&cda, &no_request).replaces, cases[i].replaces);
	}
}

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
			assert_int_equal(err.reason, REASON_METADATA_INVALID);
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
		assert_int_equal(err.reason, REASON_METADATA_INVALID);
		assert_string_equal(err.where, "authorPerson");
	}
}

static void separators_are_dropped_where_they_have_no_escape(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata;

	(void)state;
	cda.birth_family = "PAT^TROIS";
	cda.birth_given = "DOMI&NIQUE";
	cda.authors[0].family = "A|B";
	cda.authors[0].given = "~C";
	cda.authors[0].organisation_name = "Dupont & fils";
	cda.authors[0].specialty.display = "M^decin";
	cda.title = "Urée & créatinine ~ 2^e";
	metadata = fill(&cda, &no_request);
	assert_string_equal(metadata.patient_family, "PATTROIS");
	assert_string_equal(metadata.patient_given, "DOMINIQUE");
	assert_string_equal(metadata.authors[0].family, "AB");
	assert_string_equal(metadata.authors[0].given, "C");
	assert_string_equal(metadata.authors[0].institution_name, "Dupont  fils");
	assert_string_equal(metadata.authors[0].specialty.display, "Mdecin");
	assert_string_equal(metadata.title, "Urée & créatinine ~ 2^e"); /* a text of its own */
}

static void title_is_cut_after_128_characters(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	scoped(buf_done) struct buf title = { 0 };

	(void)state;
	for (size_t i = 0; i < 127; i++)
		buf_add_text(&title, i % 2 ? "é" : "x");
	cda.title = title.p;
	assert_string_equal(fill(&cda, &no_request).title, title.p);
	buf_add_text(&title, "\xf0\x9f\x98\x80");
	cda.title = title.p;
	assert_string_equal(fill(&cda, &no_request).title, title.p);
	buf_add_text(&title, "z");
	cda.title = title.p;
	assert_int_equal(strlen(fill(&cda, &no_request).title), title.n - 1);
}

static void missing_title_and_language_have_a_default(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.title = cda.language = "";
	assert_string_equal(fill(&cda, &no_request).title,
			    "Lettre de liaison à la sortie d'un établissement de soins");
	assert_string_equal(fill(&cda, &no_request).language, "fr-FR");
}

static void language_is_written_as_the_dmp_reads_it(void **state)
{
	static const char *const cases[][2] = {
		{ "fr", "fr" },       { "FR", "fr" },       { "fr-FR", "fr-FR" },
		{ "fr_FR", "fr-FR" }, { "fr-fr", "fr-FR" }, { "GCF-gp", "gcf-GP" },
		{ "f", NULL },        { "-FR", NULL },      { "fr-F", NULL },
		{ "fr-FRA", NULL },   { "frfr", NULL },     { "fr-FR-x", NULL },
		{ "fr--FR", NULL },   { "f2-FR", NULL },    { "fr FR", NULL },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.language = cases[i][0];
		if (cases[i][1] != NULL)
			assert_string_equal(fill(&cda, &no_request).language, cases[i][1]);
		else
			assert_string_equal(refuse(&cda, &no_request).where, "languageCode/@code");
	}
}

static void times_are_utc_and_local_without_a_zone(void **state)
{
	static const char *const cases[][2] = {
		{ "20261120094500+0100", "20261120084500" },
		{ "20261120094500", "20261120084500" }, /* winter in Paris */
		{ "20260720094500", "20260720074500" }, /* summer */
		{ "20261120", "20261119230000" },
		{ "202611200945-0500", "20261120144500" },
		{ "20261120094500.123+0000", "20261120094500" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.effective_time = cases[i][0];
		assert_time(fill(&cda, &no_request).creation_ms, cases[i][1]);
	}
}

static void an_act_of_a_day_is_told_as_of_its_noon(void **state)
{
	static const struct {
		const char *start, *stop, *told_start, *told_stop;
	} cases[] = {
		{ "20261116", "20261120", "20261116110000", "20261120110000" },
		{ "20260716", "20260716", "20260716100000", "20260716100000" },
		{ "20261116+0100", "20261120-1000", "20261116110000", "20261120220000" },
		{ "202611", "2027", "20261101110000", "20270101110000" },
		{ "2026111614", "202611161430", "20261116130000", "20261116133000" },
		/* in order, whichever is known better */
		{ "20261116140000", "20261116", "20261116130000", "20261116130000" },
		{ "20261116", "20261116090000", "20261116080000", "20261116080000" },
		/* what the document contradicts is not put right */
		{ "20261116", "20261115", "20261116110000", "20261115110000" },
		{ "20261116140000", "20261116090000", "20261116130000", "20261116080000" },
	};
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		cda.events[0].start = cases[i].start;
		cda.events[0].stop = cases[i].stop;
		assert_time(fill(&cda, &no_request).service_start_ms, cases[i].told_start);
		assert_time(fill(&cda, &no_request).service_stop_ms, cases[i].told_stop);
	}
}

static void end_of_the_act_may_be_unknown(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");

	(void)state;
	cda.events[0].stop = "";
	assert_int_equal(fill(&cda, &no_request).service_stop_ms, 0);
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

static void event_codes_are_those_of_all_acts_once(void **state)
{
	struct cda cda = cda_of("imaging-report.xml");
	const struct cda_code translations[] = {
		{ "A", "1.2", "first" },   { "B", "1.2", "" },       { "A", "1.2", "again" },
		{ "A", "1.3", "other" },   { "", "1.2", "no code" }, { "C", "", "no system" },
		{ "D", "CCAM", "no OID" }, { "E", "1.2", "" },
	};
	struct cda_event events[2] = { cda.events[0], cda.events[0] };
	struct metadata metadata;

	(void)state;
	events[0].code = (struct cda_code){ "", "", "" }; /* nullFlavor */
	events[0].translation_count = 0;
	events[1].code = (struct cda_code){ "B", "1.2", "act" };
	events[1].translations = translations;
	events[1].translation_count = length_of(translations);
	cda.events = events;
	cda.event_count = 2;
	metadata = fill(&cda, &no_request);
	assert_int_equal(metadata.event_count, 4);
	assert_coded(metadata.events[0], "B", "1.2", "act");
	assert_coded(metadata.events[1], "A", "1.2", "first");
	assert_coded(metadata.events[2], "A", "1.3", "other");
	assert_coded(metadata.events[3], "E", "1.2", "E"); /* XDS wants a name */
}

static void self_presentable_document_is_a_style_sheet(void **state)
{
	struct cda cda = cda_of("self-presentable.xml");

	(void)state;
	assert_string_equal(fill(&cda, &no_request).mime_type, "application/xslt+xml");
}

static void what_is_kept_outlives_message_and_value_sets(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	scoped(free_ptr) char *family = xstrdup("MARTIN"), *visit = xstrdup("O");
	struct metadata_request request = no_request;
	struct valuesets *kept = valuesets;
	struct metadata metadata;

	(void)state;
	valuesets = NULL;
	load(state);
	request.sender_id = "801234567866";
	request.sender_family = family;
	request.sender_given = "Claire";
	request.visit_class = visit;
	metadata = fill(&cda, &request);
	valuesets_free(&valuesets);
	valuesets = kept;
	memset(family, 'x', strlen(family));
	assert_string_equal(metadata.sender.family, "MARTIN");
	assert_string_equal(metadata.type.code, "11490-0");
	assert_string_equal(metadata.content_type.display, "Consultations soins externes");
}

static void what_is_kept_is_what_was_decided(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf first = { 0 }, second = { 0 };
		struct cda cda = cda_of(samples[i]);
		struct metadata_request request = no_request;
		struct metadata metadata, again;
		struct err err = { 0 };

		request.invisible_to_patient = i % 2;
		request.secret_connection = i % 3 == 0;
		metadata = fill(&cda, &request);
		metadata_write(&metadata, &first);
		if (metadata_parse(&again, buf_slice(&first), &arena, &err) < 0)
			fail_msg("%s", err.text);
		metadata_write(&again, &second);
		assert_string_equal(first.p, second.p);
		assert_string_equal(again.title, metadata.title);
		assert_int_equal(again.creation_ms, metadata.creation_ms);
		assert_int_equal(again.confidentiality_count, metadata.confidentiality_count);
		assert_int_equal(again.secret_connection, i % 3 == 0);
		assert_string_equal(again.authors[0].family, metadata.authors[0].family);
		assert_int_equal(again.action, metadata.action);
	}
}

static void each_value_knows_where_it_came_from(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_request request = no_request;
	struct metadata_from from = fill(&cda, &request).from;

	(void)state;
	assert_int_equal(from.unique_id, FROM_DOCUMENT);
	assert_int_equal(from.action, FROM_RULE);
	assert_int_equal(from.replaces, FROM_NOWHERE);
	assert_int_equal(from.title, FROM_DOCUMENT);
	assert_int_equal(from.class, FROM_RULE);
	assert_int_equal(from.facility, FROM_DOCUMENT);
	assert_int_equal(from.content_type, FROM_SITE);
	assert_int_equal(from.sender, FROM_SITE);
	assert_int_equal(from.visibility, FROM_NOWHERE);

	cda.title = "";
	cda.language = "";
	cda.confidentiality = "";
	cda.facility = (struct cda_code){ "", "", "" };
	request.visit_class = "O";
	request.sender_id = "801234567866";
	request.sender_family = "MARTIN";
	request.sender_given = "Claire";
	request.invisible_to_patient = true;
	from = fill(&cda, &request).from;
	assert_int_equal(from.title, FROM_RULE);
	assert_int_equal(from.language, FROM_RULE);
	assert_int_equal(from.confidentialities, FROM_RULE);
	assert_int_equal(from.facility, FROM_SITE);
	assert_int_equal(from.content_type, FROM_MESSAGE);
	assert_int_equal(from.sender, FROM_MESSAGE);
	assert_int_equal(from.visibility, FROM_MESSAGE);

	cda = cda_of("discharge-letter-replacement.xml");
	from = fill(&cda, &no_request).from;
	assert_int_equal(from.action, FROM_DOCUMENT);
	assert_int_equal(from.replaces, FROM_DOCUMENT);
}

static void tell_one(void *arg, const char *name, const char *value, enum metadata_source from)
{
	buf_addf(arg, "%s=%s<%s\n", name, value ? value : "?", metadata_source_text(from));
}

static void what_people_are_told_names_no_patient(void **state)
{
	static const char *const said[] = {
		"action=submit<rule\n",
		"type=11490-0 Lettre de liaison",
		"patient_ins=?<document\n",
		"patient_traits=?<document\n",
		"site=990012345<site\n",
		"replaces=<\n",
		"source_patient_id=?<document\n",
		"creation=2026-11-20T08:45:00.000Z<document\n",
		"authors=899900012345 LHERMITE Odile (1990012345)<document\n",
		"confidentialities=N Normal, INVISIBLE_PATIENT ",
		"visibility=<message\n",
		"secret_connection=<message\n",
		"LHERMITE",
	};
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata_request request = no_request;
	scoped(buf_done) struct buf told = { 0 };
	struct metadata metadata;

	(void)state;
	request.invisible_to_patient = request.secret_connection = true;
	metadata = fill(&cda, &request);
	metadata_tell(&metadata, tell_one, &told);
	for (size_t i = 0; i < length_of(said); i++)
		if (strstr(told.p, said[i]) == NULL)
			fail_msg("\"%s\" is not in:\n%s", said[i], told.p);
	assert_null(strstr(told.p, metadata.patient_ins));
	assert_null(strstr(told.p, metadata.patient_family));
	assert_null(strstr(told.p, metadata.source_patient_id));

	buf_clear(&told);
	metadata.authors[0].ins_oid = INS_OID_TEST; /* the patient wrote it */
	metadata.authors[0].family = metadata.patient_family;
	metadata_tell(&metadata, tell_one, &told);
	assert_null(strstr(told.p, metadata.patient_family));
}

static json_t *kept_metadata(void)
{
	struct cda cda = cda_of("imaging-report.xml");
	struct metadata metadata = fill(&cda, &no_request);
	scoped(buf_done) struct buf text = { 0 };

	metadata_write(&metadata, &text);
	return json_loadb(text.p, text.n, 0, NULL);
}

static void assert_damaged(const json_t *json, const char *name)
{
	char *text = json_dumps(json, 0);
	struct metadata metadata;
	struct err err = { 0 };

	if (metadata_parse(&metadata, slice_of(text), &arena, &err) == 0)
		fail_msg("should be refused: %s", name);
	assert_int_equal(err.kind, ERR_HALT);
	if (strstr(err.text, name) == NULL)
		fail_msg("got \"%s\", want \"%s\"", err.text, name);
	free(text);
}

static void members_are_named_as_the_fields(void **state)
{
	static const char *const names[] = {
		"action",      "unique_id",         "patient_ins",         "source_patient_is_ins",
		"creation_ms", "confidentialities", "legal_authenticator", "content_type"
	};
	json_t *kept = kept_metadata();

	(void)state;
	for (size_t i = 0; i < length_of(names); i++)
		assert_non_null(json_object_get(kept, names[i]));
	assert_string_equal(json_string_value(json_object_get(kept, "action")), "submit");
	json_decref(kept);
}

static void a_member_of_another_type_or_name_is_damage(void **state)
{
	json_t *whole = kept_metadata(), *value;
	const char *name;

	(void)state;
	json_object_foreach(whole, name, value)
	{
		json_t *kept = json_deep_copy(whole);

		json_object_set_new(kept, name, json_null());
		assert_damaged(kept, name);
		json_object_set_new(kept, name, json_real(1.5));
		assert_damaged(kept, name);
		json_object_del(kept, name);
		json_object_set_new(kept, "other", json_null());
		assert_damaged(kept, strcmp(name, "action") == 0 ? name : "metadata");
		json_decref(kept);
	}
	json_object_set_new(whole, "other", json_null());
	assert_damaged(whole, "metadata");
	json_decref(whole);
}

/* An upgrade finds what an older gateway stored, without the members that it did not have. */
static void a_member_that_came_later_is_empty(void **state)
{
	static const char *const later[] = { "from", "creation_ms", "events",
					     "source_patient_is_ins", "patient_given" };
	json_t *kept = kept_metadata();
	scoped(free_ptr) char *text = NULL;
	struct metadata metadata;
	struct err err = { 0 };

	(void)state;
	memset(&metadata, 0x55, sizeof(metadata));
	for (size_t i = 0; i < length_of(later); i++)
		assert_int_equal(json_object_del(kept, later[i]), 0);
	text = json_dumps(kept, 0);
	json_decref(kept);
	assert_int_equal(metadata_parse(&metadata, slice_of(text), &arena, &err), 0);
	assert_int_equal(metadata.from.site, FROM_NOWHERE);
	assert_int_equal(metadata.creation_ms, 0);
	assert_int_equal(metadata.event_count, 0);
	assert_false(metadata.source_patient_is_ins);
	assert_false(metadata.secret_connection); /* which older ones did not know of */
	assert_string_equal(metadata.patient_given, "");
	assert_string_not_equal(metadata.patient_family, "");
}

static void what_the_decisions_never_leave_empty_is_damage(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "action", "\"delay\"" },
		{ "action", "\"replace\"" },
		{ "unique_id", "\"1.02\"" },
		{ "replaces", "\"1.2.3\"" },
		{ "patient_ins", "\"279035121518988\"" },
		{ "patient_ins_oid", "\"1.2.3\"" },
		{ "source_patient_oid", "\"\"" },
		{ "title", "\"\"" },
		{ "patient_birth_date", "\"1979\"" },
		{ "confidentialities", "[]" },
		{ "authors", "[]" },
		{ "authors", "[{}]" },
		{ "authors", "{}" },
		{ "events", "[{\"code\":\"\",\"system\":\"1.2\",\"display\":\"\"}]" },
		{ "type", "{\"code\":\"\",\"system\":\"1.2\",\"display\":\"\"}" },
		{ "type", "{\"code\":\"x\",\"system\":\"1.2\",\"name\":\"\"}" },
		{ "site", "\"\"" },
		{ "from", "[]" },
		{ "from", "{\"delay\":\"\"}" },
		{ "from", "{\"action\":\"hearsay\"}" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		json_t *kept = kept_metadata();

		json_object_set_new(kept, cases[i].name,
				    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		assert_damaged(kept, "");
		json_decref(kept);
	}
}

/* Whatever is in a text: letters beyond ASCII, what JSON escapes, what is no character at all. */
static void texts_are_kept_as_they_are(void **state)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {
		{ "", "" },
		{ "H\xc3\xb4pital d\xe2\x80\x99\xc3\xa9t\xc3\xa9 \xf0\x9f\x8f\xa5",
		  "H\xc3\xb4pital d\xe2\x80\x99\xc3\xa9t\xc3\xa9 \xf0\x9f\x8f\xa5" },
		{ "a \"b\" \\ c/d", "a \"b\" \\ c/d" },
		{ "tab\tline\nbell\x07"
		  "del\x7f",
		  "tab\tline\nbell\x07"
		  "del\x7f" },
		{ "not whole \xc3", "\xef\xbf\xbd" },
		{ "\xff", "\xef\xbf\xbd" },
	};
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request);

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf text = { 0 };
		json_t *kept;

		metadata.title = cases[i].text;
		metadata_write(&metadata, &text);
		kept = json_loadb(text.p, text.n, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(kept, "title")),
				    cases[i].kept);
		json_decref(kept);
	}
}

static void every_cut_of_the_kept_form_is_damage(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request), again;
	scoped(buf_done) struct buf text = { 0 };
	struct err err;

	(void)state;
	metadata_write(&metadata, &text);
	for (size_t n = 0; n < text.n; n++) {
		assert_int_equal(metadata_parse(&again, (struct slice){ text.p, n }, &arena, &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
	}
	assert_int_equal(metadata_parse(&again, (struct slice){ 0 }, &arena, &err), -1);
}

#define test(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(document_gives_its_metadata),
		test(document_gives_its_patient),
		test(source_patient_is_a_local_one_or_the_ins),
		test(the_local_domain_decides_which_identifier_is_the_ipp),
		test(the_domains_of_ins_may_be_named),
		test(the_software_may_be_the_sender_whoever_asks),
		test(ins_is_the_first_id_of_an_ins_domain),
		test(two_ins_that_differ_are_two_patients),
		test(ins_goes_where_its_domain_belongs),
		test(message_and_document_must_be_about_one_patient),
		test(an_ins_of_the_message_alone_is_no_other_patient),
		test(wrong_patient_comes_before_every_other_fault),
		test(what_is_not_as_the_dmp_reads_it_is_refused),
		test(hostile_documents_are_refused),
		test(one_wrong_value_is_refused_with_its_place),
		test(a_body_that_nobody_could_read_is_refused),
		test(missing_participants_are_refused),
		test(main_event_is_needed_with_its_time_and_setting),
		test(unknown_visit_class_is_refused_naming_the_file_to_extend),
		test(content_type_comes_from_message_site_or_inpatient),
		test(sector_of_the_site_stands_in_for_a_missing_one),
		test(flags_become_confidentiality_codes),
		test(a_secret_connection_hides_from_guardians_too),
		test(confidentiality_of_the_document_comes_first),
		test(replacement_names_its_predecessor),
		test(author_is_a_person_a_patient_or_a_system),
		test(author_has_a_specialty_known_in_full_or_none),
		test(institution_is_a_struct_id_nat),
		test(sender_is_who_asks_or_the_software_of_the_site),
		test(who_sends_has_a_national_id_or_one_of_the_structure),
		test(a_sender_without_end_is_refused),
		test(separators_are_dropped_where_they_have_no_escape),
		test(title_is_cut_after_128_characters),
		test(missing_title_and_language_have_a_default),
		test(language_is_written_as_the_dmp_reads_it),
		test(times_are_utc_and_local_without_a_zone),
		test(an_act_of_a_day_is_told_as_of_its_noon),
		test(end_of_the_act_may_be_unknown),
		test(sex_is_m_f_or_unknown),
		test(few_traits_are_enough_where_that_is_said),
		test(event_codes_are_those_of_all_acts_once),
		test(self_presentable_document_is_a_style_sheet),
		test(what_is_kept_outlives_message_and_value_sets),
		test(what_is_kept_is_what_was_decided),
		test(each_value_knows_where_it_came_from),
		test(what_people_are_told_names_no_patient),
		test(members_are_named_as_the_fields),
		test(a_member_of_another_type_or_name_is_damage),
		test(a_member_that_came_later_is_empty),
		test(what_the_decisions_never_leave_empty_is_damage),
		test(texts_are_kept_as_they_are),
		test(every_cut_of_the_kept_form_is_damage),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
