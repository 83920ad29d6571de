/* The header of a CDA: what is read of it, and what is refused. */
#include "document/cda.h"

#include <libxml/parser.h>
#include <pthread.h>
#include <unistd.h>

#include "sample.h"

#define OPEN "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">"
#define CLOSE "</ClinicalDocument>"

static struct arena arena;

static int start(void **state)
{
	(void)state;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* libxml2 reports to stderr unless told otherwise: nothing of it may come through. */
static void speak(void *context, const char *format, ...)
{
	(void)context;
	fail_msg("libxml2 speaks: %s", format);
}

static int silence(void **state)
{
	(void)state;
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, speak);
	return 0;
}

static int read_slice(struct cda *cda, struct slice bytes, struct err *err)
{
	const struct cda_limits limits = { 0 };

	*err = (struct err){ 0 };
	return cda_read(cda, bytes, &limits, &arena, err);
}

static void *read_bad_encoding(void *unused)
{
	struct cda cda;
	struct err err;

	(void)unused;
	(void)!read_slice(&cda, slice_of("<?xml version='1.0' encoding='UTF-7'?>\nf \xff"), &err);
	return NULL;
}

/* On the thread that starts it all, and on a worker. */
static void nothing_of_a_document_goes_to_stderr(void **state)
{
	const int kept = dup(STDERR_FILENO);
	FILE *heard = tmpfile();
	pthread_t worker;
	off_t bytes;

	cda_start();
	fflush(stderr);
	assert_int_equal(dup2(fileno(heard), STDERR_FILENO), STDERR_FILENO);
	read_bad_encoding(NULL);
	assert_int_equal(pthread_create(&worker, NULL, read_bad_encoding, NULL), 0);
	assert_int_equal(pthread_join(worker, NULL), 0);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	bytes = lseek(fileno(heard), 0, SEEK_END);
	close(kept);
	fclose(heard);
	silence(state);
	assert_int_equal(bytes, 0);
}

static struct cda read_text(const char *text)
{
	struct cda cda;
	struct err err;

	if (read_slice(&cda, slice_of(text), &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	return cda;
}

static struct cda read_sample(const char *name)
{
	scoped(buf_done) struct buf bytes = { 0 };
	struct cda cda;
	struct err err;

	sample_read(name, &bytes);
	if (read_slice(&cda, buf_slice(&bytes), &err) < 0)
		fail_msg("%s: %s: %s", name, err.where, err.text);
	return cda;
}

static void assert_id(struct cda_id id, const char *root, const char *extension)
{
	assert_string_equal(id.root, root);
	assert_string_equal(id.extension, extension);
}

static void assert_code(struct cda_code code, const char *value, const char *system)
{
	assert_string_equal(code.code, value);
	assert_string_equal(code.system, system);
}

static void every_sample_is_read(void **state)
{
	static const struct {
		const char *name, *id, *type, *media_type;
	} cases[] = {
		{ "discharge-letter.xml", "7001", "11490-0", "application/pdf" },
		{ "operative-report.xml", "7002", "34874-8", "text/plain" },
		{ "prescription.xml", "7003", "57833-6", "" },
		{ "laboratory-report-pdf.xml", "7004", "11502-2", "application/pdf" },
		{ "laboratory-report.xml", "7005", "11502-2", "" },
		{ "imaging-report.xml", "7006", "18748-4", "application/pdf" },
		{ "consultation-note.xml", "7007", "11488-4", "text/rtf" },
		{ "emergency-report.xml", "7008", "15507-7", "application/pdf" },
		{ "consultation-note-prefixed.xml", "7009", "11488-4", "text/plain" },
		{ "discharge-letter-bom.xml", "7010", "11490-0", "text/plain" },
		{ "self-presentable.xml", "7011", "11490-0", "" },
		{ "discharge-letter-replacement.xml", "7012", "11490-0", "application/pdf" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = read_sample(cases[i].name);

		assert_string_equal(cda.id.root,
				    arena_printf(&arena, "1.2.250.1.999.1.1.%s", cases[i].id));
		assert_string_equal(cda.code.code, cases[i].type);
		assert_string_equal(cda.media_type, cases[i].media_type);
		assert_int_equal(cda.structured, cases[i].media_type[0] == '\0');
		assert_int_equal(cda.self_presentable,
				 strcmp(cases[i].name, "self-presentable.xml") == 0);
		assert_false(cda.enveloped);
		assert_int_equal(cda.author_count, 1);
		assert_true(cda.has_legal_authenticator && cda.has_custodian);
		assert_non_null(cda.main_event);
	}
}

static void header_gives_the_document(void **state)
{
	struct cda cda = read_sample("discharge-letter.xml");

	(void)state;
	assert_id(cda.id, "1.2.250.1.999.1.1.7001", "");
	assert_code(cda.code, "11490-0", "2.16.840.1.113883.6.1");
	assert_string_equal(cda.code.display,
			    "Lettre de liaison à la sortie d'un établissement de soins");
	assert_string_equal(cda.title, "Lettre de liaison à la sortie du 20/11/2026");
	assert_string_equal(cda.effective_time, "20261120094500+0100");
	assert_string_equal(cda.confidentiality, "N");
	assert_string_equal(cda.language, "fr-FR");
	assert_id(cda.set_id, "1.2.250.1.999.1.2.7001", "");
	assert_string_equal(cda.version, "1");
	assert_int_equal(cda.template_count, 3);
	assert_string_equal(cda.templates[0], "2.16.840.1.113883.2.8.2.1");
	assert_string_equal(cda.templates[1], "1.2.250.1.213.1.1.1.1");
	assert_string_equal(cda.templates[2], "1.3.6.1.4.1.19376.1.2.20");
	assert_code(cda.facility, "SA01", "1.2.250.1.71.4.2.4");
	assert_id(cda.encounter, "", "");
	assert_string_equal(cda.encounter_stop, "20261120093000+0100");
	assert_string_equal(cda.parent_type, "");
}

static void header_gives_the_patient(void **state)
{
	struct cda cda = read_sample("discharge-letter.xml");

	(void)state;
	assert_int_equal(cda.patient_id_count, 2);
	assert_id(cda.patient_ids[0], "1.2.250.1.213.1.4.10", "279035121518989");
	assert_id(cda.patient_ids[1], "1.2.250.1.999.1", "4711");
	assert_string_equal(cda.birth_family, "PAT-TROIS");
	assert_string_equal(cda.birth_given, "DOMINIQUE");
	assert_string_equal(cda.given_names, "DOMINIQUE MARIE-LOUISE");
	assert_string_equal(cda.sex, "F");
	assert_string_equal(cda.birth_time, "19790328");
	assert_string_equal(cda.birth_place, "51215");
}

static void header_gives_author_signatory_and_event(void **state)
{
	struct cda cda = read_sample("imaging-report.xml");
	const struct cda_person *persons[] = { &cda.authors[0], &cda.legal_authenticator };

	(void)state;
	for (size_t i = 0; i < length_of(persons); i++) {
		assert_id(persons[i]->id, "1.2.250.1.71.4.2.1", "899900045678");
		assert_string_equal(persons[i]->family, "TERRIER");
		assert_string_equal(persons[i]->given, "Blaise");
		assert_code(persons[i]->specialty, "G15_10/SM44", "1.2.250.1.213.1.1.4.5");
		assert_id(persons[i]->organisation_id, "1.2.250.1.71.4.2.2", "1990012345");
		assert_string_equal(persons[i]->organisation_name, "CH DE VALBRUME");
		assert_false(persons[i]->is_device);
	}
	assert_int_equal(cda.event_count, 1);
	assert_ptr_equal(cda.main_event, &cda.events[0]);
	assert_code(cda.events[0].code, "36643-5", "2.16.840.1.113883.6.1");
	assert_int_equal(cda.events[0].translation_count, 2);
	assert_code(cda.events[0].translations[0], "ZBQK002", "1.2.250.1.215.300.1");
	assert_code(cda.events[0].translations[1], "DX", "1.2.840.10008.2.16.4");
	assert_string_equal(cda.events[0].start, "20261119144000+0100");
	assert_string_equal(cda.events[0].stop, "20261119145500+0100");
	assert_code(cda.events[0].practice_setting, "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9");
	assert_int_equal(cda.order_count, 1);
	assert_id(cda.orders[0], "1.2.250.1.999.1.3", "DEM-2026-0815");
}

static void nothing_is_null_in_an_empty_document(void **state)
{
	struct cda cda = read_text(OPEN "<author/><legalAuthenticator/>"
					"<documentationOf><serviceEvent/></documentationOf>" CLOSE);
	const char *const texts[] = {
		cda.id.root,
		cda.id.extension,
		cda.code.code,
		cda.code.system,
		cda.code.display,
		cda.title,
		cda.effective_time,
		cda.confidentiality,
		cda.language,
		cda.set_id.root,
		cda.version,
		cda.birth_family,
		cda.birth_given,
		cda.given_names,
		cda.sex,
		cda.birth_time,
		cda.birth_place,
		cda.authors[0].id.root,
		cda.authors[0].family,
		cda.authors[0].given,
		cda.authors[0].role,
		cda.authors[0].specialty.code,
		cda.authors[0].software,
		cda.authors[0].device,
		cda.authors[0].organisation_id.extension,
		cda.authors[0].organisation_name,
		cda.legal_authenticator.family,
		cda.events[0].code.code,
		cda.events[0].start,
		cda.events[0].stop,
		cda.events[0].practice_setting.code,
		cda.facility.code,
		cda.parent_type,
		cda.parent_id.root,
		cda.media_type,
		cda.representation,
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++)
		assert_string_equal(texts[i], "");
	assert_null(cda.main_event);
	assert_false(cda.structured || cda.has_custodian || cda.has_facility);
}

static void values_are_trimmed_and_titles_are_one_line(void **state)
{
	struct cda cda = read_text(OPEN "<setId root='  1.2.3\t'/><languageCode code='\nfr-FR '/>"
					"<title>\r\n  Compte  rendu<!-- of -->\n\t d'imagerie "
					"&amp; <![CDATA[<suite>]]> &#233; </title>" CLOSE);

	(void)state;
	assert_string_equal(cda.set_id.root, "1.2.3");
	assert_string_equal(cda.language, "fr-FR");
	assert_string_equal(cda.title, "Compte rendu d'imagerie & <suite> \xc3\xa9");
}

/* Metadata made of anything else would contradict the document, and the DMP refuse it. */
static void what_the_dmp_compares_is_as_written(void **state)
{
	struct cda cda = read_text(
		OPEN "<id root='1.2.3 ' extension=''/>"
		     "<code code='11490-0 ' codeSystem=' 2.16' displayName=' Lettre '/>"
		     "<recordTarget><patientRole><id root='1.2.250.1.213.1.4.10' extension=' 279'/>"
		     "<id root=' 1.2.3' extension=' 4711'/></patientRole></recordTarget>"
		     "<relatedDocument typeCode='RPLC'><parentDocument><id root=' 1.2.4'/>"
		     "</parentDocument></relatedDocument>" CLOSE);

	(void)state;
	assert_id(cda.id, "1.2.3 ", "");
	assert_true(cda.id_has_extension);
	assert_code(cda.code, "11490-0 ", " 2.16");
	assert_string_equal(cda.code.display, "Lettre");
	assert_id(cda.patient_ids[0], "1.2.250.1.213.1.4.10", " 279");
	assert_id(cda.patient_ids[1], "1.2.3", "4711"); /* the hospital's own */
	assert_id(cda.parent_id, " 1.2.4", "");
	assert_false(read_text(OPEN "<id root='1.2.3'/>" CLOSE).id_has_extension);
}

static void body_is_base64_or_not(void **state)
{
	static const struct {
		const char *text;
		bool is_base64;
	} cases[] = {
		{ "SGVsbG8sIHdvcmxkIQ==", true },
		{ "\r\n\t SGVs\nbG8s IHdv\ncmxkIQ\n", true },
		{ "SGVs<!-- of -->bG8s<?two?>IHdv<![CDATA[cmxkIQ==]]>", true },
		{ "SGVsbG8sIHdvcmxkI", false },
		{ "Hello, world!", false },
		{ "SGVsbG8sIHdvcmxkIQ==SGVs", false },
		{ "SGVs&#233;bG8", false },
		{ "", false },
		{ "\n  \n", false },
		{ "<reference value='scan.pdf'>SGVs</reference>", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = read_text(arena_printf(
			&arena,
			OPEN "<component><nonXMLBody><text mediaType='text/plain' "
			     "representation='B64'>%s</text></nonXMLBody></component>" CLOSE,
			cases[i].text));

		assert_string_equal(cda.media_type, "text/plain");
		assert_string_equal(cda.representation, "B64");
		assert_int_equal(cda.body_is_base64, cases[i].is_base64);
	}
}

static void name_at_birth_is_preferred(void **state)
{
	static const struct {
		const char *names, *family, *given, *all;
	} cases[] = {
		{ "<family>A</family><given>B</given>", "A", "B", "B" },
		{ "<family qualifier='SP'>X</family><family qualifier='BR'>A</family>"
		  "<given qualifier='CL'>Y</given><given qualifier='BR'>B</given>",
		  "A", "B", "" },
		{ "<family qualifier='BR'>A</family><family>X</family>"
		  "<given qualifier='BR'>B</given><given>B C D</given><given>Z</given>",
		  "A", "B", "B C D" },
		{ "<family qualifier='SP BR'>A</family><family qualifier='BR'>X</family>", "A", "",
		  "" },
		{ "<family qualifier='BR'> </family><family>A</family>", "A", "", "" },
		{ "<family qualifier='SP'>X</family>", "X", "", "" },
		{ "<prefix>M</prefix>", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = read_text(
			arena_printf(&arena,
				     OPEN "<recordTarget><patientRole><patient><name>%s</name>"
					  "</patient></patientRole></recordTarget>" CLOSE,
				     cases[i].names));

		assert_string_equal(cda.birth_family, cases[i].family);
		assert_string_equal(cda.birth_given, cases[i].given);
		assert_string_equal(cda.given_names, cases[i].all);
	}
}

static void author_may_be_a_device(void **state)
{
	struct cda cda =
		read_text(OPEN "<author><functionCode displayName='Automate'/><assignedAuthor>"
			       "<id root='1.2.250.1.71.4.2.1' extension='3990012345/LABO1'/>"
			       "<assignedAuthoringDevice>"
			       "<manufacturerModelName>Modele 3</manufacturerModelName>"
			       "<softwareName>Logiciel</softwareName>"
			       "</assignedAuthoringDevice></assignedAuthor></author>" CLOSE);

	(void)state;
	assert_true(cda.authors[0].is_device);
	assert_string_equal(cda.authors[0].role, "Automate");
	assert_string_equal(cda.authors[0].software, "Logiciel");
	assert_string_equal(cda.authors[0].device, "Modele 3");
	assert_string_equal(cda.authors[0].family, "");
}

static void national_id_is_preferred(void **state)
{
	struct cda cda =
		read_text(OPEN "<author><assignedAuthor><id nullFlavor='UNK'/>"
			       "<id root='1.2.3' extension='local'/>"
			       "<id root='1.2.250.1.71.4.2.1' extension='899900012345'/>"
			       "<id root='1.2.250.1.71.4.2.1' extension='another'/>"
			       "<representedOrganization><id root='1.2.4' extension='x'/>"
			       "<id root='1.2.250.1.71.4.2.2' extension='1990012345'/>"
			       "</representedOrganization></assignedAuthor></author>" CLOSE);

	(void)state;
	assert_id(cda.authors[0].id, "1.2.250.1.71.4.2.1", "899900012345");
	assert_id(cda.authors[0].organisation_id, "1.2.250.1.71.4.2.2", "1990012345");
}

static void many_authors_and_events_keep_their_order(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	struct cda cda;

	(void)state;
	buf_add_text(&text, OPEN);
	for (int i = 0; i < 100; i++)
		buf_addf(&text,
			 "<author><assignedAuthor><id root='1.2' extension='%d'/></assignedAuthor>"
			 "</author><documentationOf><serviceEvent><code code='%d'>"
			 "<translation code='a%d'/><translation code='b%d'/></code></serviceEvent>"
			 "</documentationOf>",
			 i, i, i, i);
	buf_add_text(&text, CLOSE);
	cda = read_text(text.p);
	assert_int_equal(cda.author_count, 100);
	assert_int_equal(cda.event_count, 100);
	for (int i = 0; i < 100; i++) {
		assert_string_equal(cda.authors[i].id.extension, arena_printf(&arena, "%d", i));
		assert_string_equal(cda.events[i].code.code, arena_printf(&arena, "%d", i));
		assert_int_equal(cda.events[i].translation_count, 2);
		assert_string_equal(cda.events[i].translations[1].code,
				    arena_printf(&arena, "b%d", i));
	}
}

static void main_event_is_the_first_that_an_organisation_performs(void **state)
{
	struct cda cda = read_text(
		OPEN "<documentationOf><serviceEvent><code code='a'/><performer><assignedEntity/>"
		     "</performer></serviceEvent></documentationOf>"
		     "<documentationOf><serviceEvent><code code='b'/>"
		     "<effectiveTime value='2026'/><performer><assignedEntity>"
		     "<representedOrganization/></assignedEntity></performer>"
		     "<performer><assignedEntity><representedOrganization>"
		     "<standardIndustryClassCode code='HAD'/></representedOrganization>"
		     "</assignedEntity></performer></serviceEvent></documentationOf>"
		     "<documentationOf><serviceEvent><code code='c'/><performer><assignedEntity>"
		     "<representedOrganization/></assignedEntity></performer></serviceEvent>"
		     "</documentationOf>" CLOSE);

	(void)state;
	assert_ptr_equal(cda.main_event, &cda.events[1]);
	assert_string_equal(cda.main_event->start, "2026");
	assert_string_equal(cda.main_event->practice_setting.code, "HAD");
}

static void replaced_document_is_that_of_rplc(void **state)
{
#define RELATED(type, id)                                                                          \
	"<relatedDocument typeCode='" type "'><parentDocument><id root='" id                       \
	"'/></parentDocument></relatedDocument>"
	static const struct {
		const char *related, *type, *parent;
	} cases[] = {
		{ RELATED("RPLC", "1.1"), "RPLC", "1.1" },
		{ RELATED("XFRM", "1.1"), "XFRM", "1.1" },
		{ RELATED("XFRM", "1.1") RELATED("RPLC", "1.2"), "RPLC", "1.2" },
		{ RELATED("RPLC", "1.1") RELATED("XFRM", "1.2"), "RPLC", "1.1" },
		{ RELATED("RPLC", "1.1") RELATED("RPLC", "1.2"), "RPLC", "1.1" },
		{ RELATED("XFRM", "1.1") "<relatedDocument typeCode='RPLC'/>", "RPLC", "" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda = read_text(arena_printf(&arena, OPEN "%s" CLOSE, cases[i].related));

		assert_string_equal(cda.parent_type, cases[i].type);
		assert_id(cda.parent_id, cases[i].parent, "");
	}
}

static void signed_document_is_found_in_its_signature(void **state)
{
	struct cda cda = read_text(
		"<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo/>"
		"<ds:Object>" OPEN "<id root='1.2'/>" CLOSE "</ds:Object></ds:Signature>");

	(void)state;
	assert_string_equal(cda.id.root, "1.2");
	assert_true(cda.enveloped);
	assert_false(cda.self_presentable);
}

static void what_only_stands_beside_the_document_is_not_around_it(void **state)
{
	struct cda cda =
		read_text("<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
			  "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>" OPEN
			  "<id root='1.2'/>" CLOSE "<xsl:template/></xsl:stylesheet>");

	(void)state;
	assert_true(cda.self_presentable);
	assert_false(cda.enveloped);
}

static void other_namespaces_and_deeper_elements_are_passed_over(void **state)
{
	struct cda cda = read_text(
		"<ClinicalDocument xmlns='urn:hl7-org:v3' xmlns:o='urn:other'>"
		"<o:id root='1.9'/><o:author/><id xmlns='' root='1.8'/>"
		"<id o:root='1.7' root='1.2'/>"
		"<title>Kept<o:title>not</o:title><sub>nor this</sub></title>"
		"<component><structuredBody><component><section><id root='1.6'/><title>Not</title>"
		"<author><assignedAuthor/></author><ClinicalDocument/></section></component>"
		"</structuredBody></component></ClinicalDocument>");

	(void)state;
	assert_string_equal(cda.id.root, "1.2");
	assert_string_equal(cda.title, "Kept");
	assert_int_equal(cda.author_count, 0);
	assert_true(cda.structured);
}

static void hostile_documents_are_refused(void **state)
{
	static const struct {
		const char *name;
		enum reason reason;
		const char *said;
	} cases[] = {
		{ "dtd", REASON_DOCUMENT_INVALID, "the document declares a DTD" },
		{ "entity-bomb", REASON_DOCUMENT_INVALID, "the document declares a DTD" },
		{ "external-entity", REASON_DOCUMENT_INVALID, "the document declares a DTD" },
		{ "truncated", REASON_DOCUMENT_INVALID, "it ends too early" },
		{ "deep-nesting", REASON_TOO_LARGE, "elements are nested too deep" },
		{ "not-xml", REASON_DOCUMENT_INVALID, "it does not begin as XML does" },
		{ "not-cda", REASON_DOCUMENT_INVALID, "the root is not ClinicalDocument" },
		{ "not-utf-8", REASON_DOCUMENT_INVALID, "not UTF-8" },
		{ "two-patients", REASON_DOCUMENT_INVALID, "this element" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf bytes = { 0 };
		struct cda cda;
		struct err err;

		sample_read(arena_printf(&arena, "hostile/%s.xml", cases[i].name), &bytes);
		assert_int_equal(read_slice(&cda, buf_slice(&bytes), &err), -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, cases[i].reason);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name, err.text,
				 cases[i].said);
	}
}

static void what_is_not_a_cda_is_refused_with_words_of_our_own(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "does not begin as XML" },
		{ " ", "does not begin as XML" },
		{ "<ClinicalDocument/>", "the root is not" },
		{ "<ClinicalDocument xmlns='urn:hl7-org:v2'/>", "the root is not" },
		{ "<clinicalDocument xmlns='urn:hl7-org:v3'/>", "the root is not" },
		{ "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>",
		  "there is no ClinicalDocument in it" },
		{ "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>" OPEN CLOSE
			  OPEN CLOSE "</xsl:stylesheet>",
		  "two ClinicalDocument" },
		{ OPEN CLOSE "x", "something follows the end" },
		{ OPEN CLOSE OPEN CLOSE, "something follows the end" },
		{ OPEN, "it ends too early" },
		{ OPEN "<title>DUPONT</titre>" CLOSE, "an end tag does not match" },
		{ OPEN "<title>DUPONT & fils</title>" CLOSE, "'&'" },
		{ OPEN "<title>&DUPONT;</title>" CLOSE, "an entity is not defined" },
		{ OPEN "<title>DUPONT \x01</title>" CLOSE, "no character of XML" },
		{ OPEN "<title>DUPONT \xe9t\xe9</title>" CLOSE, "not UTF-8" },
		{ OPEN "<title>&#0;DUPONT</title>" CLOSE, "no character of XML" },
		{ OPEN "<DUPONT:title/>" CLOSE, "a namespace prefix is not declared" },
		{ OPEN "<id root='1' root='2'/>" CLOSE, "the same attribute twice" },
		{ OPEN "<id root=DUPONT/>" CLOSE, "is not quoted" },
		{ OPEN "<id root='<'/>" CLOSE, "an attribute holds '<'" },
		{ OPEN "<!-- DUPONT", "a comment is not closed" },
		{ OPEN "<![CDATA[DUPONT", "a CDATA section is not closed" },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?>" OPEN CLOSE, "not in UTF-8" },
		{ "<?xml version='1.0' encoding='DUPONT'?>" OPEN CLOSE,
		  "its encoding is not known" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct cda cda;
		struct err err;

		if (read_slice(&cda, slice_of(cases[i].text), &err) == 0)
			fail_msg("should be refused: %s", cases[i].text);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		assert_null(strstr(err.text, "DUPONT")); /* a patient's name, perhaps */
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].text, err.text,
				 cases[i].said);
	}
}

static void error_names_element_and_line(void **state)
{
	struct cda cda;
	struct err err;

	(void)state;
	assert_int_equal(read_slice(&cda,
				    slice_of(OPEN "\n<author>\n<assignedAuthor>\n<id root='1' "
						  "root='2'/></assignedAuthor></author>" CLOSE),
				    &err),
			 -1);
	assert_string_equal(err.where, "author/assignedAuthor");
	assert_non_null(strstr(err.text, "line 4"));
	assert_int_equal(read_slice(&cda,
				    slice_of(OPEN "<legalAuthenticator><assignedEntity>"
						  "<representedOrganization><name>&x;"),
				    &err),
			 -1);
	assert_string_equal(err.where, "representedOrganization/name"); /* the end, cut at a '/' */
}

static void utf_16_is_refused(void **state)
{
	static const char ascii[] = "<?xml version='1.0' encoding='UTF-16'?>" OPEN CLOSE;

	(void)state;
	for (size_t little = 0; little < 2; little++) {
		scoped(buf_done) struct buf text = { 0 };
		struct cda cda;
		struct err err;

		buf_add_text(&text, little ? "\xff\xfe" : "\xfe\xff");
		for (size_t i = 0; ascii[i] != '\0'; i++) {
			buf_add_char(&text, little ? ascii[i] : '\0');
			buf_add_char(&text, little ? '\0' : ascii[i]);
		}
		assert_int_equal(read_slice(&cda, buf_slice(&text), &err), -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		assert_non_null(strstr(err.text, "not in UTF-8"));
	}
}

static void document_cut_anywhere_is_refused(void **state)
{
	scoped(buf_done) struct buf bytes = { 0 };
	size_t end;

	(void)state;
	sample_read("self-presentable.xml", &bytes);
	end = slice_trim(buf_slice(&bytes)).n;
	for (size_t n = 0; n < end; n++) {
		scoped(free_ptr) char *copy = xcalloc(n, 1); /* so that a sanitizer sees its end */
		scoped(arena_done) struct arena own = { 0 };
		const struct cda_limits limits = { 0 };
		struct err err = { 0 };
		struct cda cda;

		memcpy(copy, bytes.p, n);
		assert_int_equal(cda_read(&cda, (struct slice){ copy, n }, &limits, &own, &err),
				 -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
	}
}

static void what_a_document_has_once_may_not_be_there_twice(void **state)
{
	static const char *const elements[] = {
		"id",           "code",          "title",        "effectiveTime",
		"setId",        "versionNumber", "languageCode", "confidentialityCode",
		"recordTarget", "custodian",     "componentOf",  "legalAuthenticator",
		"component",
	};

	(void)state;
	for (size_t i = 0; i < length_of(elements); i++) {
		const char *once = arena_printf(&arena, "<%s/>", elements[i]);
		struct cda cda = read_text(arena_printf(&arena, OPEN "%s" CLOSE, once));
		struct err err;

		assert_int_equal(
			read_slice(&cda,
				   slice_of(arena_printf(&arena, OPEN "%s%s" CLOSE, once, once)),
				   &err),
			-1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		assert_string_equal(err.where, elements[i]);
	}
}

/* OPEN, `unit` as often as it goes into `bytes` (%zu is its number), CLOSE. */
static void repeat(struct buf *out, const char *before, const char *unit, const char *after,
		   size_t bytes)
{
	const char *number = strstr(unit, "%zu");

	out->limit = bytes + 1000;
	buf_add_text(out, OPEN);
	buf_add_text(out, before);
	for (size_t i = 0; out->n < bytes; i++) {
		if (number == NULL) {
			buf_add_text(out, unit);
			continue;
		}
		buf_add(out, (struct slice){ unit, (size_t)(number - unit) });
		buf_addf(out, "%zu%s", i, number + strlen("%zu"));
	}
	buf_add_text(out, after);
	buf_add_text(out, CLOSE);
}

/* Each of these would take libxml2 or the gateway minutes, or memory without end. */
static void what_grows_without_end_is_refused(void **state)
{
	static const struct {
		const char *before, *unit, *after, *said;
	} cases[] = {
		{ "<a ", "a%zu='' ", "/>", "too many attributes" },
		{ "<a ", "xmlns:a%zu='u' ", "/>", "too many namespaces" },
		{ "", "<a xmlns:b%zu='u'>", "", "too deep" },
		{ "", "<a%zu/>", "", "too many different names" },
		{ "", "<templateId root='1.2'/>", "", "more than 256 times" },
		{ "", "<author/>", "", "more than 256 times" },
		{ "<recordTarget><patientRole>", "<id root='1.2'/>", "", "more than 256 times" },
		{ "", "<documentationOf><serviceEvent/></documentationOf>", "",
		  "more than 256 times" },
		{ "<documentationOf><serviceEvent><code>", "<translation/>", "",
		  "more than 256 translations" },
		{ "<inFulfillmentOf>", "<order><id root='1.2'/></order>", "",
		  "more than 256 times" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf text = { 0 };
		struct cda cda;
		struct err err;

		repeat(&text, cases[i].before, cases[i].unit, cases[i].after, 1000000);
		assert_int_equal(read_slice(&cda, buf_slice(&text), &err), -1);
		assert_int_equal(err.reason, REASON_TOO_LARGE);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].said);
	}
}

static void long_title_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		scoped(buf_done) struct buf text = { 0 };
		struct cda cda;

		repeat(&text, "<title>aaa", "\xf0\x9f\x98\x80", "</title>", 20000);
		memmove(text.p + strlen(OPEN "<title>"), text.p + strlen(OPEN "<title>") + shift,
			text.n - strlen(OPEN "<title>") - shift + 1);
		cda = read_text(text.p);
		assert_in_range(strlen(cda.title), 4089, 4096);
		assert_int_equal(strlen(cda.title) % 4, 3 - min(shift, (size_t)3));
	}
}

/* As long as this, the buffer that the parser gives back then is not there to be read any more. */
static void long_attribute_is_refused(void **state)
{
	static const char *const rests[] = { "'/>", "' extension='1'/>" };

	(void)state;
	for (size_t i = 0; i < length_of(rests); i++) {
		scoped(buf_done) struct buf text = { 0 };
		struct cda cda;
		struct err err;

		repeat(&text, "<id root='", "1.2.", rests[i], 1000000);
		assert_int_equal(read_slice(&cda, buf_slice(&text), &err), -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		assert_string_equal(err.where, "id");
	}
}

static void size_and_depth_have_limits(void **state)
{
	const struct slice text = slice_of(OPEN "<a><b/></a>" CLOSE);
	struct cda_limits limits = { .most_bytes = text.n, .depth = 3 };
	struct err err = { 0 };
	struct cda cda;

	(void)state;
	assert_int_equal(cda_read(&cda, text, &limits, &arena, &err), 0);
	limits.depth = 2;
	assert_int_equal(cda_read(&cda, text, &limits, &arena, &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
	limits = (struct cda_limits){ .most_bytes = text.n - 1 };
	assert_int_equal(cda_read(&cda, text, &limits, &arena, &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

/* ---- the content, whichever version has it ---- */

#define REPLACES                                                                                   \
	"<relatedDocument typeCode='RPLC'><parentDocument><id root='1.2.1'/>"                      \
	"<versionNumber value='1'/></parentDocument></relatedDocument>"

/* A document whose parts a case may change; NULL: as usual. */
struct version {
	const char *before, *id, *title, *time, *set, *number, *padding, *related, *body;
};

static void write_version(const struct version *version, struct buf *out)
{
#define OR(member, usual) (version->member ? version->member : (usual))
	buf_addf(out, "%s" OPEN "%s<title>%s</title>%s%s%s<author><time value='2026'/>",
		 OR(before, ""), OR(id, "\n <id root='1.2.2'/>"), OR(title, "Lettre"),
		 OR(time, "\n <effectiveTime value='2026'/>"), OR(set, "\n\t<setId root='1.2.9'/>"),
		 OR(number, "\r\n<versionNumber value='2'/>"));
	buf_addf(out, "<assignedAuthor><id root='1.5'/></assignedAuthor></author>%s%s\n%s" CLOSE,
		 OR(padding, ""), OR(related, "\n " REPLACES),
		 OR(body,
		    "<component><structuredBody><id root='1.2.2'/></structuredBody></component>"));
#undef OR
}

struct content {
	bool was_read;
	uint8_t digest[SHA256_BYTES];
};

static struct content content_of(struct slice bytes)
{
	struct content content = { 0 };
	struct cda cda;
	struct err err;

	content.was_read = read_slice(&cda, bytes, &err) == 0;
	assert_int_equal(cda.has_content, content.was_read);
	memcpy(content.digest, cda.content, sizeof(content.digest));
	arena_done(&arena);
	return content;
}

static struct content content_of_version(struct version version)
{
	scoped(buf_done) struct buf text = { 0 };
	struct content content;

	write_version(&version, &text);
	content = content_of(buf_slice(&text));
	assert_true(content.was_read);
	return content;
}

static bool is_same(struct content one, struct content other)
{
	return memcmp(one.digest, other.digest, sizeof(one.digest)) == 0;
}

static void versions_of_one_content_have_its_digest(void **state)
{
	static const struct {
		struct version version;
		bool same;
	} cases[] = {
		{ { .id = "<id root='1.2.3'/>" }, true },
		{ { .id = "<id\n root = '1.2.3'\n/>" }, true },
		{ { .id = "<id extension='a&gt;b>c/' root='1.2.3'></id>" }, true },
		{ { .time = "<effectiveTime value='2027'/>" }, true },
		{ { .set = "" }, true },
		{ { .set = "<setId root='1.2.8'/>" }, true },
		{ { .number = "" }, true },
		{ { .number = "<versionNumber value='3'><!-- > --></versionNumber>" }, true },
		{ { .related = "" }, true },
		{ { .related = REPLACES REPLACES }, true },
		{ { .related = "<relatedDocument typeCode='APND'/>" }, true },

		{ { .before = "<?xml version='1.0'?>" }, false },
		{ { .title = "Lettre " }, false },
		{ { .title = "Lettre<!-- -->" }, false },
		{ { .related = " <RelatedDocument/>" }, false },
		{ { .padding = "<documentationOf><relatedDocument/></documentationOf>" }, false },
		{ { .padding = "<!-- <id root='1.2.3'/> -->" }, false },
		{ { .padding = "<id xmlns='urn:other' root='1.2.3'/>" }, false },
		{ { .body = "<component><structuredBody><id "
			    "root='1.2.3'/></structuredBody></component>" },
		  false },
		{ { .body = "<component><structuredBody><id "
			    "root='1.2.2'/></structuredBody></component>"
			    "\n" },
		  false },
	};
	const struct content usual = content_of_version((struct version){ 0 });

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		if (is_same(content_of_version(cases[i].version), usual) != cases[i].same)
			fail_msg("case %zu", i);
}

/* libxml2 gives its buffer back piece by piece, and counts on: wherever the element stands. */
static void the_digest_does_not_depend_on_where_the_parser_is(void **state)
{
	static const size_t sizes[] = { 250, 4000, 4096, 40000, 3000000 };

	(void)state;
	for (size_t i = 0; i < length_of(sizes); i++) {
		for (size_t n = sizes[i]; n < sizes[i] + 40; n++) {
			scoped(buf_done) struct buf padding = { 0 };
			struct version one = { 0 }, next = { .related = "", .number = "" };

			if (n > 3000001)
				break;
			buf_add_text(&padding, "<!--");
			memset(buf_reserve(&padding, n), 'x', n);
			padding.n += n;
			buf_add_text(&padding, "-->");
			one.padding = next.padding = padding.p;
			assert_true(is_same(content_of_version(one), content_of_version(next)));
			one.padding = next.padding = NULL;
			one.before = next.before = padding.p;
			assert_true(is_same(content_of_version(one), content_of_version(next)));
		}
	}
}

static bool is_of_version(struct slice bytes, size_t at)
{
	static const char *const names[] = { "\n  <id ", "\n  <effectiveTime ", "\n  <setId ",
					     "\n  <versionNumber ", "\n  <relatedDocument " };

	for (size_t i = 0; i < length_of(names); i++) {
		const char *start = strstr(bytes.p, names[i]), *end;

		assert_non_null(start);
		end = strstr(start, i == 4 ? "</relatedDocument>" : "/>");
		if (bytes.p + at > start && bytes.p + at < end)
			return true;
	}
	return false;
}

/* Each letter and digit of a whole document in turn; what is not read any more says nothing. */
static void any_other_byte_is_a_change(void **state)
{
	scoped(buf_done) struct buf bytes = { 0 };
	size_t same = 0, other = 0;
	struct content before;

	(void)state;
	sample_read("discharge-letter-replacement.xml", &bytes);
	before = content_of(buf_slice(&bytes));
	for (size_t i = 0; i < bytes.n; i++) {
		const char was = bytes.p[i];
		const bool is_digit = was >= '0' && was <= '9', is_letter = was >= 'a' && was < 'z';
		const bool of_version = is_of_version(buf_slice(&bytes), i);
		struct content after;

		if (!is_digit && (!is_letter || of_version)) /* or "id" would be "jd" */
			continue;
		bytes.p[i] = is_digit ? (char)('0' + (was - '0' + 1) % 10) : (char)(was + 1);
		after = content_of(buf_slice(&bytes));
		bytes.p[i] = was;
		if (!after.was_read)
			continue;
		if (is_same(before, after) != of_version)
			fail_msg("byte %zu", i);
		*(of_version ? &same : &other) += 1;
	}
	assert_in_range(same, 40, 200);
	assert_in_range(other, 1900, bytes.n);
}

/* An allocator that remembers how much libxml2 held at most. */
static size_t held, most_held;

static void *count_malloc(size_t n)
{
	size_t *p = xcalloc(1, n + 16);

	*p = n;
	held += n;
	most_held = max(most_held, held);
	return (char *)p + 16;
}

static void count_free(void *p)
{
	if (p == NULL)
		return;
	held -= *(size_t *)(void *)((char *)p - 16);
	free((char *)p - 16);
}

static void *count_realloc(void *p, size_t n)
{
	void *larger = count_malloc(n);

	if (p != NULL)
		memcpy(larger, p, min(n, *(size_t *)(void *)((char *)p - 16)));
	count_free(p);
	return larger;
}

static char *count_strdup(const char *text)
{
	return memcpy(count_malloc(strlen(text) + 1), text, strlen(text) + 1);
}

static void body_of_twenty_megabytes_costs_no_memory(void **state)
{
	static const struct {
		const char *before, *unit, *after;
	} cases[] = {
		{ "<component><nonXMLBody><text mediaType='application/pdf'>",
		  "JVBERi0xLjQKMSAwIG9iago8PCAvVHlwZSAvQ2F0YWxvZyAvUGFnZXMgMiAwIFIgPj4KZW5kb2Jq",
		  "</text></nonXMLBody></component>" },
		{ "<component><structuredBody>",
		  "<component><section><text>Hémoglobine 13,8 g/dL\n</text></section></component>",
		  "</structuredBody></component>" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf text = { 0 };
		size_t before = held;

		repeat(&text, cases[i].before, cases[i].unit, cases[i].after, 20 << 20);
		most_held = held;
		read_text(text.p);
		assert_in_range(most_held - before, 1, 100 << 10);
		assert_int_equal(held, before);
	}
}

static int count_memory(void **state)
{
	(void)state;
	xmlCleanupParser();
	if (xmlMemSetup(count_free, count_malloc, count_realloc, count_strdup) < 0)
		return -1;
	xmlInitParser();
	return 0;
}

static int count_no_more(void **state)
{
	xmlCleanupParser();
	if (xmlMemSetup(free, malloc, realloc, strdup) < 0)
		return -1;
	silence(state);
	return finish(state);
}

#define test(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(every_sample_is_read),
		test(nothing_of_a_document_goes_to_stderr),
		test(header_gives_the_document),
		test(header_gives_the_patient),
		test(header_gives_author_signatory_and_event),
		test(nothing_is_null_in_an_empty_document),
		test(values_are_trimmed_and_titles_are_one_line),
		test(what_the_dmp_compares_is_as_written),
		test(body_is_base64_or_not),
		test(name_at_birth_is_preferred),
		test(author_may_be_a_device),
		test(national_id_is_preferred),
		test(many_authors_and_events_keep_their_order),
		test(main_event_is_the_first_that_an_organisation_performs),
		test(replaced_document_is_that_of_rplc),
		test(signed_document_is_found_in_its_signature),
		test(what_only_stands_beside_the_document_is_not_around_it),
		test(other_namespaces_and_deeper_elements_are_passed_over),
		test(hostile_documents_are_refused),
		test(what_is_not_a_cda_is_refused_with_words_of_our_own),
		test(error_names_element_and_line),
		test(utf_16_is_refused),
		test(document_cut_anywhere_is_refused),
		test(what_a_document_has_once_may_not_be_there_twice),
		test(what_grows_without_end_is_refused),
		test(long_title_is_cut_between_characters),
		test(long_attribute_is_refused),
		test(size_and_depth_have_limits),
		test(versions_of_one_content_have_its_digest),
		test(the_digest_does_not_depend_on_where_the_parser_is),
		test(any_other_byte_is_a_change),
		cmocka_unit_test_setup_teardown(body_of_twenty_megabytes_costs_no_memory,
						count_memory, count_no_more),
	};

	return cmocka_run_group_tests(tests, silence, NULL);
}
