/* What the DMP is told about a document: where each value comes from, what is refused and why. */
#include "metadata_world.h"

#include "base/clock.h"

#define LOINC "2.16.840.1.113883.6.1"

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
		{ AT(effective_time), "hier", REASON_DATA_TYPE, "effectiveTime", "is not a time" },
		{ AT(effective_time), "00791120", REASON_DATA_TYPE, "effectiveTime", "since 1900" },
		{ AT(effective_time), "20261320", REASON_DATA_TYPE, "effectiveTime",
		  "is not a time" },
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
		{ AT(birth_time), "19791328", REASON_DATA_TYPE, "patient/birthTime", "YYYYMMDD" },
		{ AT(legal_authenticator.family), "", REASON_HEADER_INCOMPLETE,
		  "legalAuthenticator/assignedEntity", "neither a person nor a device" },
		{ AT(legal_authenticator.id.extension), "8999^0001", REASON_DATA_TYPE,
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
	assert_refused(&cda, REASON_DATA_TYPE, "serviceEvent/effectiveTime/high");

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(document_gives_its_metadata),
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
		test(separators_are_dropped_where_they_have_no_escape),
		test(title_is_cut_after_128_characters),
		test(missing_title_and_language_have_a_default),
		test(language_is_written_as_the_dmp_reads_it),
		test(times_are_utc_and_local_without_a_zone),
		test(an_act_of_a_day_is_told_as_of_its_noon),
		test(end_of_the_act_may_be_unknown),
		test(event_codes_are_those_of_all_acts_once),
		test(self_presentable_document_is_a_style_sheet),
		test(each_value_knows_where_it_came_from),
		test(what_people_are_told_names_no_patient),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
