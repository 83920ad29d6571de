/* The registry objects of a submission: what they hold, where, in which order; and that the schema
 * takes them, where it is at hand (environment variable DMPFEED_SCHEMAS: the folder that holds
 * schema/IHE and schema/ebRS).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "base/clock.h"
#include "dmp/mtom.h"
#include "dmp/submission.h"
#include "skip.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };
#define NOON_MS (1795176000LL * SECOND) /* 2026-11-20T12:00:00Z */

#define INS "279035121518989"
#define INS_CX "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
#define DOCTOR "899900012345^LHERMITE^Odile^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
#define GATEWAY "3990012345/GW1^Passerelle libre^1.0^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI"
#define HOSPITAL "CH DE VALBRUME^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990012345"
#define SPECIALTY                                                                                  \
	"G15_10/SM26^M\xc3\xa9"                                                                    \
	"decin - Gyn\xc3\xa9"                                                                      \
	"cologie^1.2.250.1.213.1.1.4.5"

/* clang-format off */
static const struct coded no_code = { "", "", "" };
static const struct party doctor = {
	.id = "899900012345", .ins_oid = "", .family = "LHERMITE", .given = "Odile",
	.role = "M\xc3\xa9" "decin intervenant principal",
	.specialty = { "G15_10/SM26", "1.2.250.1.213.1.1.4.5",
		       "M\xc3\xa9" "decin - Gyn\xc3\xa9" "cologie" },
	.institution_name = "CH DE VALBRUME", .institution_id = "1990012345",
};
static const struct party gateway = {
	.id = "3990012345/GW1", .ins_oid = "", .family = "Passerelle libre", .given = "1.0",
	.is_system = true, .role = "", .specialty = { "", "", "" },
	.institution_name = "CH DE VALBRUME", .institution_id = "1990012345",
};

static struct metadata usual(void)
{
	static struct party authors[1];
	static struct coded confidentialities[] = {
		{ "N", "2.16.840.1.113883.5.25", "Normal" },
		{ "MASQUE_PS", "1.2.250.1.213.1.1.4.13", "Masqu\xc3\xa9 aux professionnels de sant\xc3\xa9" },
	};
	static struct coded events[] = { { "HHQE002", "1.2.250.1.213.2.5", "Coloscopie totale" } };

	authors[0] = doctor;
	return (struct metadata){
		.action = ACTION_SUBMIT,
		.unique_id = "1.2.250.1.999.77.5.2026.88121",
		.replaces = "",
		.patient_ins = INS, .patient_ins_oid = INS_OID_TEST,
		.source_patient_id = "P0042178", .source_patient_oid = "1.2.250.1.999.77.9",
		.patient_family = "PAT-TROIS", .patient_given = "DOMINIQUE",
		.patient_birth_date = "19790328", .patient_sex = "F",
		.title = "Compte rendu de fibroscopie", .language = "fr-FR", .mime_type = "text/xml",
		.creation_ms = NOON_MS - 2 * HOUR,
		.service_start_ms = NOON_MS - 5 * HOUR, .service_stop_ms = NOON_MS - 4 * HOUR,
		.type = { "27899-4", "2.16.840.1.113883.6.1", "CR d'acte diagnostique (autre)" },
		.class = { "10", "1.2.250.1.213.1.1.4.1", "Compte rendu" },
		.format = { "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", "Document PDF/A-1" },
		.facility = { "SA01", "1.2.250.1.71.4.2.4", "Etablissement public de sant\xc3\xa9" },
		.practice = { "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de sant\xc3\xa9" },
		.content_type = { "04", "1.2.250.1.213.2.2", "Hospitalisation de jour" },
		.confidentialities = confidentialities, .confidentiality_count = 2,
		.events = events, .event_count = 1,
		.authors = authors, .author_count = 1,
		.legal_authenticator = doctor,
		.sender = gateway,
		.site = "990012345",
	};
}
/* clang-format on */

static struct submission submission_of(const struct metadata *metadata)
{
	return (struct submission){
		.metadata = metadata,
		.set_unique_id = "1.2.250.1.999.77.1.1795167666.17",
		.source_id = "1.2.250.1.999.77",
		.document_cid = MTOM_DOCUMENT_ID,
		.signature_unique_id = "1.2.250.1.999.77.2.1795167666.17",
		.signature_cid = MTOM_SIGNATURE_ID,
		.now_ms = NOON_MS,
	};
}

static void build(const struct metadata *metadata, struct buf *out)
{
	const struct submission submission = submission_of(metadata);

	submission_build(&submission, out);
}

/* What is built, as a tree to ask questions of. */
struct tree {
	struct buf text;
	xmlDoc *doc;
	xmlXPathContext *xpath;
};

static void tree_done(struct tree *tree)
{
	xmlXPathFreeContext(tree->xpath);
	xmlFreeDoc(tree->doc);
	buf_done(&tree->text);
}

static struct tree tree_of(const struct submission *submission)
{
	static const char *const spaces[][2] = {
		{ "x", "urn:ihe:iti:xds-b:2007" },
		{ "l", "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" },
		{ "r", "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" },
		{ "i", "http://www.w3.org/2004/08/xop/include" },
	};
	struct tree tree = { 0 };

	submission_build(submission, &tree.text);
	tree.doc = xmlReadMemory(tree.text.p, (int)tree.text.n, NULL, NULL, XML_PARSE_NONET);
	assert_non_null(tree.doc);
	tree.xpath = xmlXPathNewContext(tree.doc);
	for (size_t i = 0; i < length_of(spaces); i++)
		xmlXPathRegisterNs(tree.xpath, (const xmlChar *)spaces[i][0],
				   (const xmlChar *)spaces[i][1]);
	return tree;
}

static void assert_says(const struct tree *tree, const char *expression, const char *expected)
{
	xmlXPathObject *found = xmlXPathEval((const xmlChar *)expression, tree->xpath);
	xmlChar *text;

	assert_non_null(found);
	text = xmlXPathCastToString(found);
	if (strcmp((const char *)text, expected) != 0)
		print_error("%s\n", expression);
	assert_string_equal((const char *)text, expected);
	xmlFree(text);
	xmlXPathFreeObject(found);
}

#define ROOT "/x:ProvideAndRegisterDocumentSetRequest"
#define LIST ROOT "/l:SubmitObjectsRequest/r:RegistryObjectList"
#define SET LIST "/r:RegistryPackage"
#define ENTRY LIST "/r:ExtrinsicObject[@id='Document01']"
#define SIGNATURE LIST "/r:ExtrinsicObject[@id='Signature01']"
#define SLOT(name) "/r:Slot[@name='" name "']/r:ValueList/r:Value"
#define CLASS(scheme) "/r:Classification[@classificationScheme='urn:uuid:" scheme "']"
#define IDENTIFIER(scheme) "/r:ExternalIdentifier[@identificationScheme='urn:uuid:" scheme "']"
#define LABEL "/r:Name/r:LocalizedString/@value"
#define SET_AUTHOR CLASS("a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d")
#define ENTRY_AUTHOR CLASS("93606bcf-9494-43ec-9b4e-a7748d1a838d")

struct fact {
	const char *expression, *expected;
};

static void assert_facts_of(const struct submission *submission, const struct fact *facts,
			    size_t count)
{
	scoped(tree_done) struct tree tree = tree_of(submission);

	for (size_t i = 0; i < count; i++)
		assert_says(&tree, facts[i].expression, facts[i].expected);
}

static void assert_facts(const struct metadata *metadata, const struct fact *facts, size_t count)
{
	const struct submission submission = submission_of(metadata);

	assert_facts_of(&submission, facts, count);
}

static void the_set_says_who_sends_what_for_whom(void **state)
{
	static const struct fact facts[] = {
		{ SET "/@id", "SubmissionSet01" },
		{ SET SLOT("submissionTime"), "20261120120000" },
		{ SET SET_AUTHOR "/@nodeRepresentation", "" },
		{ "count(" SET SET_AUTHOR "/@nodeRepresentation)", "1" },
		{ SET SET_AUTHOR "/@classifiedObject", "SubmissionSet01" },
		{ SET SET_AUTHOR SLOT("authorPerson"), GATEWAY },
		{ SET SET_AUTHOR SLOT("authorInstitution"), HOSPITAL },
		{ SET CLASS("aa543740-bdda-424e-8c96-df4873be8500") "/@nodeRepresentation", "04" },
		{ SET CLASS("aa543740-bdda-424e-8c96-df4873be8500") SLOT("codingScheme"),
		  "1.2.250.1.213.2.2" },
		{ SET CLASS("aa543740-bdda-424e-8c96-df4873be8500") LABEL,
		  "Hospitalisation de jour" },
		{ "count(" SET "/r:Classification[@classificationNode="
		  "'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd' and "
		  "@classifiedObject='SubmissionSet01'])",
		  "1" },
		{ SET IDENTIFIER("6b5aea1a-874d-4603-a4bc-96a0a7b38446") "/@value", INS_CX },
		{ SET IDENTIFIER("6b5aea1a-874d-4603-a4bc-96a0a7b38446") LABEL,
		  "XDSSubmissionSet.patientId" },
		{ SET IDENTIFIER("554ac39e-e3fe-47fe-b233-965d2a147832") "/@value",
		  "1.2.250.1.999.77" },
		{ SET IDENTIFIER("554ac39e-e3fe-47fe-b233-965d2a147832") LABEL,
		  "XDSSubmissionSet.sourceId" },
		{ SET IDENTIFIER("96fdda7c-d067-4183-912e-bf5ee74998a8") "/@value",
		  "1.2.250.1.999.77.1.1795167666.17" },
		{ SET IDENTIFIER("96fdda7c-d067-4183-912e-bf5ee74998a8") LABEL,
		  "XDSSubmissionSet.uniqueId" },
		{ "count(" SET "/r:ExternalIdentifier[@registryObject='SubmissionSet01'])", "3" },
		{ "count(" SET "/r:Classification)", "3" },
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

static void the_entry_says_what_the_document_is(void **state)
{
	static const struct fact facts[] = {
		{ ENTRY "/@mimeType", "text/xml" },
		{ ENTRY "/@objectType", "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" },
		{ ENTRY SLOT("creationTime"), "20261120100000" },
		{ ENTRY SLOT("languageCode"), "fr-FR" },
		{ ENTRY SLOT("legalAuthenticator"), DOCTOR },
		{ ENTRY SLOT("serviceStartTime"), "20261120070000" },
		{ ENTRY SLOT("serviceStopTime"), "20261120080000" },
		{ ENTRY SLOT("sourcePatientId"), "P0042178^^^&1.2.250.1.999.77.9&ISO^PI" },
		{ ENTRY SLOT("sourcePatientInfo") "[1]", "PID-5|PAT-TROIS^DOMINIQUE^^^^^L" },
		{ ENTRY SLOT("sourcePatientInfo") "[2]", "PID-7|19790328" },
		{ ENTRY SLOT("sourcePatientInfo") "[3]", "PID-8|F" },
		{ ENTRY LABEL, "Compte rendu de fibroscopie" },
		{ ENTRY ENTRY_AUTHOR "/@nodeRepresentation", "" },
		{ ENTRY ENTRY_AUTHOR SLOT("authorPerson"), DOCTOR },
		{ ENTRY ENTRY_AUTHOR SLOT("authorRole"), "M\xc3\xa9"
							 "decin intervenant principal" },
		{ ENTRY ENTRY_AUTHOR SLOT("authorSpecialty"), SPECIALTY },
		{ ENTRY ENTRY_AUTHOR SLOT("authorInstitution"), HOSPITAL },
		{ ENTRY CLASS("41a5887f-8865-4c09-adf7-e362475b143a") "/@nodeRepresentation",
		  "10" },
		{ ENTRY CLASS("41a5887f-8865-4c09-adf7-e362475b143a") SLOT("codingScheme"),
		  "1.2.250.1.213.1.1.4.1" },
		{ ENTRY CLASS("41a5887f-8865-4c09-adf7-e362475b143a") LABEL, "Compte rendu" },
		{ ENTRY CLASS("f0306f51-975f-434e-a61c-c59651d33983") "/@nodeRepresentation",
		  "27899-4" },
		{ ENTRY CLASS("a09d5840-386c-46f2-b5ad-9c3699a4309d") "/@nodeRepresentation",
		  "urn:ihe:iti:xds-sd:pdf:2008" },
		{ ENTRY CLASS("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1") "/@nodeRepresentation",
		  "SA01" },
		{ ENTRY CLASS("cccf5598-8b07-4b77-a05e-ae952c785ead") "/@nodeRepresentation",
		  "ETABLISSEMENT" },
		{ ENTRY CLASS("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4") "/@nodeRepresentation",
		  "HHQE002" },
		{ ENTRY CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") "[1]/@nodeRepresentation",
		  "N" },
		{ ENTRY CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") "[2]/@nodeRepresentation",
		  "MASQUE_PS" },
		{ ENTRY IDENTIFIER("58a6f841-87b3-4a3e-92fd-a8ffeff98427") "/@value", INS_CX },
		{ ENTRY IDENTIFIER("58a6f841-87b3-4a3e-92fd-a8ffeff98427") LABEL,
		  "XDSDocumentEntry.patientId" },
		{ ENTRY IDENTIFIER("2e82c1f6-a085-4c72-9da3-8640a32e42ab") "/@value",
		  "1.2.250.1.999.77.5.2026.88121" },
		{ ENTRY IDENTIFIER("2e82c1f6-a085-4c72-9da3-8640a32e42ab") LABEL,
		  "XDSDocumentEntry.uniqueId" },
		{ "count(" ENTRY "/r:Classification)", "9" },
		{ "count(" ENTRY "/r:Classification[@classifiedObject='Document01'])", "9" },
		{ "count(" ENTRY "/r:ExternalIdentifier[@registryObject='Document01'])", "2" },
		{ "count(" ENTRY "/r:Slot)", "7" }, /* neither hash nor size */
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

static void objects_come_in_order_with_ids_of_their_own(void **state)
{
	static const struct fact facts[] = {
		{ "count(" LIST "/*)", "6" },
		{ "local-name(" LIST "/*[1])", "RegistryPackage" },
		{ "local-name(" LIST "/*[2])", "ExtrinsicObject" },
		{ LIST "/*[2]/@id", "Document01" },
		{ LIST "/*[3]/@id", "Signature01" },
		{ "local-name(" LIST "/*[4])", "Association" },
		{ "local-name(" ROOT "/*[2])", "Document" },
		{ ROOT "/*[2]/@id", "Document01" },
		{ ROOT "/*[3]/@id", "Signature01" },
		{ "count(//r:Classification)", "22" },
		{ "//r:Classification[1]/@id", "cla1" },
		{ ENTRY "/r:Classification[1]/@id", "cla4" },
		{ ENTRY "/r:Classification[last()]/@id", "cla12" },
		{ SET "/r:ExternalIdentifier[1]/@id", "ei1" },
		{ ENTRY "/r:ExternalIdentifier[last()]/@id", "ei5" },
		{ SIGNATURE "/r:Classification[last()]/@id", "cla22" },
		{ SIGNATURE "/r:ExternalIdentifier[last()]/@id", "ei7" },
		{ LIST "/r:Association[1]/@id", "as1" },
		{ LIST "/r:Association[3]/@id", "as3" },
		{ "count(" LIST "//*[@id = preceding::*/@id])", "0" },
		/* nine codes, five identifiers, a title; of the signature nine, two and one */
		{ "count(//r:LocalizedString[@charset='UTF8' and @xml:lang='FR'])", "27" },
		{ "count(//r:LocalizedString)", "27" },
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

#define HAS_MEMBER "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"

static void both_are_members_of_the_set_and_one_signs_it(void **state)
{
	static const struct fact facts[] = {
		{ "count(" LIST "/r:Association)", "3" },
		{ LIST "/r:Association[1]/@associationType", HAS_MEMBER },
		{ LIST "/r:Association[1]/@sourceObject", "SubmissionSet01" },
		{ LIST "/r:Association[1]/@targetObject", "Document01" },
		{ LIST "/r:Association[2]/@associationType", HAS_MEMBER },
		{ LIST "/r:Association[2]/@sourceObject", "SubmissionSet01" },
		{ LIST "/r:Association[2]/@targetObject", "Signature01" },
		{ LIST "/r:Association[3]/@associationType",
		  "urn:ihe:iti:2007:AssociationType:signs" },
		{ LIST "/r:Association[3]/@sourceObject", "Signature01" },
		{ LIST "/r:Association[3]/@targetObject", "SubmissionSet01" },
		{ "count(" LIST "/r:Association" SLOT("SubmissionSetStatus") "[. = 'Original'])",
		  "3" },
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

static void a_replacement_points_at_the_entry_it_takes_the_place_of(void **state)
{
#define RPLC LIST "/r:Association[@associationType='urn:ihe:iti:2007:AssociationType:RPLC']"
	static const struct fact facts[] = {
		{ "count(" LIST "/r:Association)", "4" },
		{ RPLC "/@id", "as4" },
		{ RPLC "/@sourceObject", "Document01" },
		{ RPLC "/@targetObject", "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002" },
		{ "count(" RPLC "/*)", "0" },
	};
	static const struct fact with_status = { RPLC SLOT("SubmissionSetStatus"), "Original" };
	const struct metadata metadata = usual();
	struct submission submission = submission_of(&metadata);

	(void)state;
	submission.replaced_entry = "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002";
	assert_facts_of(&submission, facts, length_of(facts));
	submission.replacement_has_status = true;
	assert_facts_of(&submission, &with_status, 1);
}

static void hash_and_size_are_said_when_wanted(void **state)
{
	static const struct fact none = { "count(//r:Slot[@name='hash' or @name='size'])", "0" };
	static const struct fact facts[] = {
		{ "count(//r:Slot[@name='hash' or @name='size'])", "2" },
		{ ENTRY SLOT("hash"), "0123456789abcdef0123456789abcdef01234567" },
		{ ENTRY SLOT("size"), "4711" },
	};
	const struct metadata metadata = usual();
	struct submission submission = submission_of(&metadata);

	(void)state;
	assert_facts_of(&submission, &none, 1);
	submission.document_hash = "0123456789abcdef0123456789abcdef01234567";
	submission.document_bytes = 4711;
	assert_facts_of(&submission, facts, length_of(facts));
}

static void the_bytes_are_included_by_reference_and_alone(void **state)
{
	static const struct fact facts[] = {
		{ ROOT "/x:Document[@id='Document01']/i:Include/@href", "cid:document1@dmpfeed" },
		{ ROOT "/x:Document[@id='Signature01']/i:Include/@href", "cid:signature1@dmpfeed" },
		{ "count(" ROOT "/x:Document/node())", "2" },
		{ "count(" ROOT "/x:Document)", "2" },
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

static void the_entry_of_the_signature_is_nearly_constant(void **state)
{
	static const struct fact facts[] = {
		{ SIGNATURE "/@mimeType", "text/xml" },
		{ SIGNATURE "/@objectType", "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" },
		{ SIGNATURE SLOT("creationTime"), "20261120120000" },
		{ SIGNATURE SLOT("serviceStartTime"), "20261120120000" },
		{ SIGNATURE SLOT("serviceStopTime"), "20261120120000" },
		{ SIGNATURE SLOT("languageCode"), "art" },
		{ SIGNATURE SLOT("legalAuthenticator"), GATEWAY },
		{ SIGNATURE SLOT("sourcePatientId"), INS_CX },
		{ "count(" SIGNATURE "/r:Slot)", "6" }, /* no sourcePatientInfo */
		{ SIGNATURE LABEL, "Source" },
		{ SIGNATURE ENTRY_AUTHOR SLOT("authorPerson"), GATEWAY },
		{ SIGNATURE ENTRY_AUTHOR SLOT("authorInstitution"), HOSPITAL },
		{ SIGNATURE CLASS("41a5887f-8865-4c09-adf7-e362475b143a") "/@nodeRepresentation",
		  "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1" },
		{ SIGNATURE CLASS("f0306f51-975f-434e-a61c-c59651d33983") "/@nodeRepresentation",
		  "E1762" },
		{ "count(" SIGNATURE CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") ")", "3" },
		{ SIGNATURE CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") "[1]/@nodeRepresentation",
		  "N" },
		{ SIGNATURE CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") "[2]/@nodeRepresentation",
		  "MASQUE_PS" },
		{ SIGNATURE CLASS("f4f85eac-e6cb-4883-b524-f2705394840f") "[3]/@nodeRepresentation",
		  "INVISIBLE_PATIENT" },
		{ SIGNATURE CLASS("a09d5840-386c-46f2-b5ad-9c3699a4309d") "/@nodeRepresentation",
		  "http://www.w3.org/2000/09/xmldsig#" },
		{ SIGNATURE CLASS("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4") "/@nodeRepresentation",
		  "1.2.840.10065.1.12.1.14" },
		/* where the document stands */
		{ SIGNATURE CLASS("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1") "/@nodeRepresentation",
		  "SA01" },
		{ SIGNATURE CLASS("cccf5598-8b07-4b77-a05e-ae952c785ead") "/@nodeRepresentation",
		  "ETABLISSEMENT" },
		{ SIGNATURE IDENTIFIER("58a6f841-87b3-4a3e-92fd-a8ffeff98427") "/@value", INS_CX },
		{ SIGNATURE IDENTIFIER("2e82c1f6-a085-4c72-9da3-8640a32e42ab") "/@value",
		  "1.2.250.1.999.77.2.1795167666.17" },
		{ "count(" SIGNATURE "/r:Classification[@classifiedObject='Signature01'])", "10" },
	};
	const struct metadata metadata = usual();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

static void each_author_has_a_classification(void **state)
{
	static const struct fact facts[] = {
		{ "count(" ENTRY ENTRY_AUTHOR ")", "2" },
		{ ENTRY ENTRY_AUTHOR "[1]" SLOT("authorPerson"), DOCTOR },
		{ ENTRY ENTRY_AUTHOR "[2]" SLOT("authorPerson"), GATEWAY },
		{ "count(" ENTRY ENTRY_AUTHOR "[2]/r:Slot)", "2" }, /* no role, no specialty */
	};
	struct metadata metadata = usual();
	struct party both[] = { doctor, gateway };

	(void)state;
	metadata.authors = both;
	metadata.author_count = 2;
	assert_facts(&metadata, facts, length_of(facts));
}

static void each_party_has_its_form(void **state)
{
	struct party internal = doctor, patient = doctor, nameless = doctor, unnumbered = doctor;
	const struct {
		const struct party *party;
		const char *person;
	} cases[] = {
		{ &doctor, DOCTOR },
		{ &gateway, GATEWAY },
		{ &internal, "3990012345/77^LHERMITE^Odile^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^EI" },
		{ &patient, INS "^PAT-TROIS^DOMINIQUE^^^^^^&1.2.250.1.213.1.4.10&ISO^D^^^NH" },
		{ &nameless, "899900012345^^^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS" },
		{ &unnumbered, "^LHERMITE^Odile^^^^^^^D" },
	};

	(void)state;
	internal.id = "3990012345/77";
	internal.id_is_internal = true;
	patient.id = INS;
	patient.ins_oid = INS_OID_TEST;
	patient.family = "PAT-TROIS";
	patient.given = "DOMINIQUE";
	nameless.family = nameless.given = "";
	unnumbered.id = "";
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata metadata = usual();
		const struct fact facts[] = {
			{ ENTRY ENTRY_AUTHOR SLOT("authorPerson"), cases[i].person },
			{ ENTRY SLOT("legalAuthenticator"), cases[i].person },
			{ SET SET_AUTHOR SLOT("authorPerson"), cases[i].person },
		};

		metadata.authors[0] = *cases[i].party;
		metadata.legal_authenticator = metadata.sender = *cases[i].party;
		assert_facts(&metadata, facts, length_of(facts));
	}
}

static void a_structure_is_known_by_its_name_its_number_or_both(void **state)
{
	static const struct {
		const char *name, *id, *institution;
	} cases[] = {
		{ "CH DE VALBRUME", "1990012345", HOSPITAL },
		{ "", "1990012345", "^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990012345" },
		{ "CH DE VALBRUME", "", "CH DE VALBRUME" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct metadata metadata = usual();
		const struct fact fact = { ENTRY ENTRY_AUTHOR SLOT("authorInstitution"),
					   cases[i].institution };

		metadata.authors[0].institution_name = cases[i].name;
		metadata.authors[0].institution_id = cases[i].id;
		assert_facts(&metadata, &fact, 1);
	}
}

static void without_a_local_number_the_ins_stands_for_it(void **state)
{
	static const struct fact fact = { ENTRY SLOT("sourcePatientId"), INS_CX };
	struct metadata metadata = usual();

	(void)state;
	metadata.source_patient_id = INS;
	metadata.source_patient_oid = INS_OID_TEST;
	metadata.source_patient_is_ins = true;
	assert_facts(&metadata, &fact, 1);
}

static void what_is_not_known_is_left_out(void **state)
{
	static const struct fact facts[] = {
		{ "count(" ENTRY "/r:Slot[@name='serviceStopTime'])", "0" },
		{ "count(" ENTRY SLOT("sourcePatientInfo") ")", "1" },
		{ ENTRY SLOT("sourcePatientInfo"), "PID-8|F" },
		{ "count(" ENTRY ENTRY_AUTHOR "/r:Slot)", "2" },
		{ "count(" ENTRY CLASS("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4") ")", "0" },
		{ "count(//r:Value[not(text())])", "0" },
		{ "count(//r:ValueList[not(r:Value)])", "0" },
		{ "count(" ENTRY CLASS("41a5887f-8865-4c09-adf7-e362475b143a") "/r:Name)", "0" },
	};
	struct metadata metadata = usual();

	(void)state;
	metadata.service_stop_ms = 0;
	metadata.patient_family = metadata.patient_given = metadata.patient_birth_date = "";
	metadata.authors[0].role = "";
	metadata.authors[0].specialty = no_code;
	metadata.event_count = 0;
	metadata.class.display = "";
	assert_facts(&metadata, facts, length_of(facts));
}

static void separators_do_not_pass_into_composed_values(void **state)
{
	static const struct fact facts[] = {
		{ ENTRY ENTRY_AUTHOR SLOT("authorPerson"),
		  "899900012345^LHER MITE^O'dile <b>^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS" },
		{ ENTRY ENTRY_AUTHOR SLOT("authorRole"), "a b" },
		{ ENTRY ENTRY_AUTHOR SLOT("authorSpecialty"), "C^M\xc3\xa8re et enfant^1.2" },
		{ ENTRY ENTRY_AUTHOR SLOT("authorInstitution"),
		  "CHU A B^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990012345" },
		{ ENTRY SLOT("sourcePatientId"), "P1^^^&1.2.250.1.999.77.9&ISO^PI" },
		{ ENTRY SLOT("sourcePatientInfo") "[1]", "PID-5|PAT-TROIS^DOMINIQUE^^^^^L" },
		{ ENTRY SLOT("sourcePatientInfo") "[2]", "PID-7|19790328" },
		{ ENTRY LABEL, "R & D <1> \"a\" ^" }, /* a text for people is not composed */
	};
	struct metadata metadata = usual();

	(void)state;
	metadata.authors[0].family = " LHER\n\tMITE^";
	metadata.authors[0].given = "O'dile <b>";
	metadata.authors[0].role = "a | b";
	metadata.authors[0].specialty = (struct coded){ "C", "1.2", "M\xc3\xa8re & ~ et enfant" };
	metadata.authors[0].institution_name = "CHU A & B";
	metadata.source_patient_id = "P|1";
	metadata.patient_family = "PAT-|TROIS";
	metadata.patient_birth_date = "197903280815+0100";
	metadata.title = "R & D <1> \"a\" ^";
	assert_facts(&metadata, facts, length_of(facts));
}

/* A text of many characters of two bytes each. */
static const char *long_text(void)
{
	static char text[2 * 3000 + 1];

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? '\xa9' : '\xc3';
	return text;
}

static struct metadata longest(void)
{
	struct metadata metadata = usual();
	const char *text = long_text();
	const struct coded coded = { text, text, text };
	const struct party party = {
		.id = text,
		.ins_oid = text,
		.family = text,
		.given = text,
		.role = text,
		.specialty = coded,
		.institution_name = text,
		.institution_id = text,
	};

	metadata.authors[0] = metadata.legal_authenticator = metadata.sender = party;
	metadata.title = metadata.language = metadata.mime_type = text;
	metadata.source_patient_id = metadata.source_patient_oid = text;
	metadata.patient_family = metadata.patient_given = metadata.patient_sex = text;
	metadata.type = metadata.class = metadata.format = metadata.facility = coded;
	metadata.practice = metadata.content_type = coded;
	return metadata;
}

static void no_value_is_longer_than_the_schema_allows(void **state)
{
	static const struct fact facts[] = {
		{ "count(//r:Value[string-length() > 256])", "0" },
		{ "count(//@nodeRepresentation[string-length() > 256])", "0" },
		{ "count(//@mimeType[string-length() > 256])", "0" },
		{ "count(//r:LocalizedString/@value[string-length() > 1024])", "0" },
		{ "string-length(" ENTRY LABEL ")", "1024" },
		/* a composed value loses the end of its parts, never its form */
		{ "substring-after(" ENTRY ENTRY_AUTHOR SLOT("authorPerson") ", '&ISO')",
		  "^D^^^NH" },
	};
	const struct metadata metadata = longest();

	(void)state;
	assert_facts(&metadata, facts, length_of(facts));
}

/* The schema, with every body it must take. */

static xmlSchema *schema_of(const char *folder)
{
	scoped(free_ptr) char *path =
		xasprintf("%s/schema/IHE/XDS.b_DocumentRepository.xsd", folder);
	xmlSchemaParserCtxt *parser;
	xmlSchema *schema;

	if (access(path, R_OK) < 0)
		return NULL;
	parser = xmlSchemaNewParserCtxt(path);
	schema = xmlSchemaParse(parser);
	xmlSchemaFreeParserCtxt(parser);
	return schema;
}

/* The schema knows bytes where MTOM puts a reference to them. */
static xmlDoc *with_bytes_inside(const struct buf *body)
{
	scoped(buf_done) struct buf whole = { 0 };
	const char *from = body->p, *to;

	for (; (to = strstr(from, "<xop:Include")) != NULL; from = strstr(to, "/>") + 2) {
		buf_add(&whole, (struct slice){ from, (size_t)(to - from) });
		buf_add_text(&whole, "PENsaW5pY2FsRG9jdW1lbnQvPg==");
	}
	buf_add_text(&whole, from);
	return xmlReadMemory(whole.p, (int)whole.n, NULL, NULL, XML_PARSE_NONET);
}

static void assert_valid(xmlSchema *schema, const struct metadata *metadata)
{
	scoped(buf_done) struct buf body = { 0 };
	xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(schema);
	xmlDoc *doc;

	build(metadata, &body);
	doc = with_bytes_inside(&body);
	assert_non_null(doc);
	assert_int_equal(xmlSchemaValidateDoc(context, doc), 0);
	xmlFreeDoc(doc);
	xmlSchemaFreeValidCtxt(context);
}

static void the_schema_takes_what_is_built(void **state)
{
	const char *folder = getenv("DMPFEED_SCHEMAS");
	xmlSchema *schema = folder ? schema_of(folder) : NULL;
	struct metadata metadata = usual();

	(void)state;
	if (schema == NULL) {
		skip_because("%s",
			     folder ? "DMPFEED_SCHEMAS holds no schema/IHE that can be read"
				    : "DMPFEED_SCHEMAS, the folder of the schemas, is not set");
	}
	assert_valid(schema, &metadata);
	metadata.event_count = metadata.author_count = 0;
	metadata.service_stop_ms = 0;
	metadata.title = "";
	metadata.legal_authenticator.id = metadata.legal_authenticator.family = "";
	assert_valid(schema, &metadata);
	metadata = longest();
	assert_valid(schema, &metadata);
	xmlSchemaFree(schema);
}

static void a_body_never_ends_in_the_middle(void **state)
{
	const struct metadata metadata = usual();
	scoped(buf_done) struct buf small = { .limit = 1000 };
	struct err err = { 0 };

	(void)state;
	build(&metadata, &small);
	assert_int_equal(buf_check(&small, "the request", &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_set_says_who_sends_what_for_whom),
		cmocka_unit_test(the_entry_says_what_the_document_is),
		cmocka_unit_test(objects_come_in_order_with_ids_of_their_own),
		cmocka_unit_test(a_replacement_points_at_the_entry_it_takes_the_place_of),
		cmocka_unit_test(both_are_members_of_the_set_and_one_signs_it),
		cmocka_unit_test(the_entry_of_the_signature_is_nearly_constant),
		cmocka_unit_test(hash_and_size_are_said_when_wanted),
		cmocka_unit_test(the_bytes_are_included_by_reference_and_alone),
		cmocka_unit_test(each_author_has_a_classification),
		cmocka_unit_test(each_party_has_its_form),
		cmocka_unit_test(a_structure_is_known_by_its_name_its_number_or_both),
		cmocka_unit_test(without_a_local_number_the_ins_stands_for_it),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(separators_do_not_pass_into_composed_values),
		cmocka_unit_test(no_value_is_longer_than_the_schema_allows),
		cmocka_unit_test(the_schema_takes_what_is_built),
		cmocka_unit_test(a_body_never_ends_in_the_middle),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
