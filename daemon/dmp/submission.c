/* The registry objects of a submission, written out. Any thread.
 *
 * Two layers. Below, the grammar of ebRIM: slot(), classification(), external_identifier(),
 * association(), which number what they write and know the object they belong to. Above, what XDS
 * puts in it, in the order of the DMP's own example. Composed values (HL7 v2.5 data types inside
 * XDS metadata, IHE ITI TF-3, 4.2.3.1.7) live in an arena until the end.
 */
#include "dmp/submission.h"

#include <string.h>

#include "base/clock.h"
#include "base/xml.h"

#define RIM "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define LCM "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
#define XDSB "urn:ihe:iti:xds-b:2007"
#define XOP "http://www.w3.org/2004/08/xop/include"
#define HAS_MEMBER "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
#define REPLACES "urn:ihe:iti:2007:AssociationType:RPLC"
#define SIGNS "urn:ihe:iti:2007:AssociationType:signs"

#define SET_ID SUBMISSION_SET_ID
#define DOCUMENT_ID "Document01"
#define SIGNATURE_ID "Signature01"

#define SET_NODE "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
#define SET_AUTHOR "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
#define SET_CONTENT_TYPE "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
#define SET_PATIENT_ID "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
#define SET_SOURCE_ID "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
#define SET_UNIQUE_ID "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"

#define ENTRY_TYPE "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
#define ENTRY_AUTHOR "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
#define ENTRY_CLASS "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
#define ENTRY_TYPE_CODE "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
#define ENTRY_CONFIDENTIALITY "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
#define ENTRY_FORMAT "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
#define ENTRY_FACILITY "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
#define ENTRY_PRACTICE "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
#define ENTRY_EVENT "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
#define ENTRY_PATIENT_ID "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
#define ENTRY_UNIQUE_ID "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

#define OID_PERSONS "1.2.250.1.71.4.2.1"    /* PS_IdNat: professionals and their systems */
#define OID_STRUCTURES "1.2.250.1.71.4.2.2" /* Struct_IdNat */

/* Characters that rim.xsd allows in a value (LongName) and in a text for people (FreeFormText), and
 * what is left for the components of a composed value so that the whole stays within LongName. */
enum {
	MOST_VALUE = 256,
	MOST_TEXT = 1024,
	MOST_ID = 64,
	MOST_NAME = 50,
	MOST_LABEL = 110,
	MOST_DATE = 8,
};

struct writer {
	struct buf *out;
	struct arena arena;
	const struct metadata *metadata;
	const char *object; /* the id of the registry object being written */
	unsigned classifications, identifiers, associations;
};

/* Composed values */

/* One component of a composed value, at most `most` characters, on one line. The separators of
 * HL7 v2 are dropped: the registry's samples know no escape for them. */
static const char *part(struct writer *w, const char *text, size_t most)
{
	scoped(buf_done) struct buf kept = { 0 };
	struct slice rest = slice_trim(slice_of(text));
	bool blank = false;

	while (rest.n > 0 && most > 0) {
		uint32_t c;
		size_t n = xml_char(rest, &c);
		bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';

		if (c != '^' && c != '&' && c != '|' && c != '~' && !(is_blank && blank)) {
			buf_add(&kept, is_blank ? slice_of(" ") : (struct slice){ rest.p, n });
			blank = is_blank;
			most--;
		}
		rest = slice_from(rest, n);
	}
	return arena_dup(&w->arena, buf_slice(&kept));
}

static const char *name_part(struct writer *w, const char *text)
{
	return part(w, text, MOST_NAME);
}

static const char *id_part(struct writer *w, const char *text)
{
	return part(w, text, MOST_ID);
}

static const char *time_of(struct writer *w, int64_t time_ms)
{
	char text[CLOCK_TEXT];

	return arena_dup(&w->arena, slice_of(clock_xds(time_ms, text)));
}

/* CX: an identifier in a domain. `type`: NH, a national identity; PI, the establishment's own. */
static const char *cx(struct writer *w, const char *id, const char *oid, const char *type)
{
	return arena_printf(&w->arena, "%s^^^&%s&ISO^%s", id_part(w, id), id_part(w, oid), type);
}

static const char *ins_of_patient(struct writer *w)
{
	return cx(w, w->metadata->patient_ins, w->metadata->patient_ins_oid, "NH");
}

static const char *source_patient(struct writer *w)
{
	const struct metadata *m = w->metadata;

	return cx(w, m->source_patient_id, m->source_patient_oid,
		  m->source_patient_is_ins ? "NH" : "PI");
}

/* The domain, name type and identifier type of a party: components 9, 10 and 13 of its XCN. */
struct party_form {
	const char *oid, *name_type, *id_type;
};

static struct party_form form_of(const struct party *party)
{
	if (party->is_system)
		return (struct party_form){ OID_PERSONS, "U", "RI" };
	if (party->ins_oid[0] != '\0')
		return (struct party_form){ party->ins_oid, "D", "NH" };
	return (struct party_form){ OID_PERSONS, "D", party->id_is_internal ? "EI" : "IDNPS" };
}

/* XCN: a person, or a system. Without an identifier there is no domain to give either (component 9
 * goes with component 1). "": nobody. */
static const char *xcn(struct writer *w, const struct party *party)
{
	struct party_form form = form_of(party);
	const char *id = id_part(w, party->id);
	const char *family = name_part(w, party->family), *given = name_part(w, party->given);

	if (id[0] == '\0' && family[0] == '\0' && given[0] == '\0')
		return "";
	if (id[0] == '\0')
		return arena_printf(&w->arena, "^%s^%s^^^^^^^%s", family, given, form.name_type);
	return arena_printf(&w->arena, "%s^%s^%s^^^^^^&%s&ISO^%s^^^%s", id, family, given,
			    id_part(w, form.oid), form.name_type, form.id_type);
}

/* XON: a structure. "": none. */
static const char *xon(struct writer *w, const struct party *party)
{
	const char *name = part(w, party->institution_name, MOST_LABEL);
	const char *id = id_part(w, party->institution_id);

	if (id[0] == '\0')
		return name;
	return arena_printf(&w->arena, "%s^^^^^&" OID_STRUCTURES "&ISO^IDNST^^^%s", name, id);
}

static const char *specialty_of(struct writer *w, const struct party *party)
{
	const struct coded *s = &party->specialty;

	if (s->code[0] == '\0')
		return "";
	return arena_printf(&w->arena, "%s^%s^%s", id_part(w, s->code),
			    part(w, s->display, MOST_LABEL), id_part(w, s->system));
}

/* The grammar of ebRIM */

/* A value where the schema has LongName or FreeFormText: cut, escaped. */
static void add_cut(struct writer *w, const char *text, size_t most)
{
	struct slice rest = slice_of(text);
	uint32_t c;

	for (; rest.n > 0 && most > 0; most--)
		rest = slice_from(rest, xml_char(rest, &c));
	xml_add(w->out,
		rest.n == 0 ? text
			    : arena_dup(&w->arena, (struct slice){ text, strlen(text) - rest.n }));
}

static void attribute(struct writer *w, const char *name, const char *value)
{
	buf_addf(w->out, " %s=\"", name);
	add_cut(w, value, MOST_VALUE);
	buf_add_char(w->out, '"');
}

/* One slot with those of the values that are known; none known: no slot. */
static void slot_of(struct writer *w, const char *name, const char *const *values, size_t count)
{
	bool opened = false;

	for (size_t i = 0; i < count; i++) {
		if (values[i][0] == '\0')
			continue;
		if (!opened)
			buf_addf(w->out, "<Slot name=\"%s\"><ValueList>", name);
		opened = true;
		buf_add_text(w->out, "<Value>");
		add_cut(w, values[i], MOST_VALUE);
		buf_add_text(w->out, "</Value>");
	}
	if (opened)
		buf_add_text(w->out, "</ValueList></Slot>");
}

static void slot(struct writer *w, const char *name, const char *value)
{
	slot_of(w, name, &value, 1);
}

static void name_element(struct writer *w, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_add_text(w->out, "<Name><LocalizedString charset=\"UTF8\" xml:lang=\"FR\" value=\"");
	add_cut(w, text, MOST_TEXT);
	buf_add_text(w->out, "\"/></Name>");
}

static void open_classification(struct writer *w, const char *scheme, const char *node)
{
	buf_addf(w->out, "<Classification id=\"cla%u\"", ++w->classifications);
	attribute(w, "classificationScheme", scheme);
	attribute(w, "classifiedObject", w->object);
	attribute(w, "nodeRepresentation", node);
	buf_add_char(w->out, '>');
}

static void classification(struct writer *w, const char *scheme, const struct coded *value)
{
	if (value->code[0] == '\0')
		return;
	open_classification(w, scheme, value->code);
	slot(w, "codingScheme", value->system);
	name_element(w, value->display);
	buf_add_text(w->out, "</Classification>");
}

static void author(struct writer *w, const char *scheme, const struct party *party)
{
	open_classification(w, scheme, "");
	slot(w, "authorPerson", xcn(w, party));
	slot(w, "authorRole", part(w, party->role, MOST_VALUE));
	slot(w, "authorSpecialty", specialty_of(w, party));
	slot(w, "authorInstitution", xon(w, party));
	buf_add_text(w->out, "</Classification>");
}

static void external_identifier(struct writer *w, const char *scheme, const char *name,
				const char *value)
{
	buf_addf(w->out, "<ExternalIdentifier id=\"ei%u\"", ++w->identifiers);
	attribute(w, "identificationScheme", scheme);
	attribute(w, "registryObject", w->object);
	attribute(w, "value", value);
	buf_add_char(w->out, '>');
	name_element(w, name);
	buf_add_text(w->out, "</ExternalIdentifier>");
}

/* `status`: of the target in this submission; "" where it is not said. */
static void association_with(struct writer *w, const char *type, const char *source,
			     const char *target, const char *status)
{
	buf_addf(w->out, "<Association id=\"as%u\"", ++w->associations);
	attribute(w, "associationType", type);
	attribute(w, "sourceObject", source);
	attribute(w, "targetObject", target);
	buf_add_char(w->out, '>');
	slot(w, "SubmissionSetStatus", status);
	buf_add_text(w->out, "</Association>");
}

static void association(struct writer *w, const char *type, const char *source, const char *target)
{
	association_with(w, type, source, target, "Original");
}

static void open_entry(struct writer *w, const char *id, const char *mime_type)
{
	w->object = id;
	buf_add_text(w->out, "<ExtrinsicObject");
	attribute(w, "id", id);
	attribute(w, "mimeType", mime_type);
	attribute(w, "objectType", ENTRY_TYPE);
	buf_add_char(w->out, '>');
}

static void close_entry(struct writer *w)
{
	buf_add_text(w->out, "</ExtrinsicObject>");
}

/* Where the bytes of an entry are. The Include is alone, without white space (XOP 1.0, 2.1). */
static void document_element(struct writer *w, const char *id, const char *content_id)
{
	buf_add_text(w->out, "<xdsb:Document");
	attribute(w, "id", id);
	buf_add_text(w->out, "><xop:Include xmlns:xop=\"" XOP "\" href=\"cid:");
	xml_add(w->out, content_id);
	buf_add_text(w->out, "\"/></xdsb:Document>");
}

/* The objects of XDS */

static void submission_set(struct writer *w, const struct submission *submission)
{
	const struct metadata *m = w->metadata;

	w->object = SET_ID;
	buf_add_text(w->out, "<RegistryPackage id=\"" SET_ID "\">");
	slot(w, "submissionTime", time_of(w, submission->now_ms));
	author(w, SET_AUTHOR, &m->sender);
	classification(w, SET_CONTENT_TYPE, &m->content_type);
	buf_addf(w->out,
		 "<Classification id=\"cla%u\" classificationNode=\"" SET_NODE
		 "\" classifiedObject=\"" SET_ID "\"/>",
		 ++w->classifications);
	external_identifier(w, SET_PATIENT_ID, "XDSSubmissionSet.patientId", ins_of_patient(w));
	external_identifier(w, SET_SOURCE_ID, "XDSSubmissionSet.sourceId", submission->source_id);
	external_identifier(w, SET_UNIQUE_ID, "XDSSubmissionSet.uniqueId",
			    submission->set_unique_id);
	buf_add_text(w->out, "</RegistryPackage>");
}

/* HL7 v2 fields by their names, one value each; a field that is not known is no value. */
static void source_patient_info(struct writer *w)
{
	const struct metadata *m = w->metadata;
	const char *family = name_part(w, m->patient_family);
	const char *given = name_part(w, m->patient_given);
	const char *birth = part(w, m->patient_birth_date, MOST_DATE);
	const char *sex = id_part(w, m->patient_sex);
	const char *values[] = {
		family[0] || given[0] ? arena_printf(&w->arena, "PID-5|%s^%s^^^^^L", family, given)
				      : "",
		birth[0] ? arena_printf(&w->arena, "PID-7|%s", birth) : "",
		sex[0] ? arena_printf(&w->arena, "PID-8|%s", sex) : "",
	};

	slot_of(w, "sourcePatientInfo", values, length_of(values));
}

static void document_entry(struct writer *w, const struct submission *submission)
{
	const struct metadata *m = w->metadata;

	open_entry(w, DOCUMENT_ID, m->mime_type);
	slot(w, "creationTime", time_of(w, m->creation_ms));
	if (submission->document_hash != NULL)
		slot(w, "hash", submission->document_hash);
	slot(w, "languageCode", m->language);
	slot(w, "legalAuthenticator", xcn(w, &m->legal_authenticator));
	slot(w, "serviceStartTime", time_of(w, m->service_start_ms));
	slot(w, "serviceStopTime", m->service_stop_ms ? time_of(w, m->service_stop_ms) : "");
	if (submission->document_hash != NULL)
		slot(w, "size", arena_printf(&w->arena, "%zu", submission->document_bytes));
	slot(w, "sourcePatientId", source_patient(w));
	source_patient_info(w);
	name_element(w, m->title);
	for (size_t i = 0; i < m->author_count; i++)
		author(w, ENTRY_AUTHOR, &m->authors[i]);
	classification(w, ENTRY_CLASS, &m->class);
	classification(w, ENTRY_TYPE_CODE, &m->type);
	for (size_t i = 0; i < m->confidentiality_count; i++)
		classification(w, ENTRY_CONFIDENTIALITY, &m->confidentialities[i]);
	classification(w, ENTRY_FORMAT, &m->format);
	classification(w, ENTRY_FACILITY, &m->facility);
	classification(w, ENTRY_PRACTICE, &m->practice);
	for (size_t i = 0; i < m->event_count; i++)
		classification(w, ENTRY_EVENT, &m->events[i]);
	external_identifier(w, ENTRY_PATIENT_ID, "XDSDocumentEntry.patientId", ins_of_patient(w));
	external_identifier(w, ENTRY_UNIQUE_ID, "XDSDocumentEntry.uniqueId", m->unique_id);
	close_entry(w);
}

/* IHE DSG, with the constants of the DMP. It is the gateway's own, seen by nobody, and stands where
 * the document does.
 */
static void signature_entry(struct writer *w, const struct submission *submission)
{
	/* clang-format off */
	static const struct coded class = {
		"urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature" };
	static const struct coded type = { "E1762", "ASTM", "Full Document" };
	static const struct coded format = {
		"http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style" };
	static const struct coded event = {
		"1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source" };
	static const struct coded confidentialities[] = {
		{ "N", "2.16.840.1.113883.5.25", "Normal" },
		{ "MASQUE_PS", "1.2.250.1.213.1.1.4.13",
		  "Masqu\xc3\xa9 aux professionnels de sant\xc3\xa9" },
		{ "INVISIBLE_PATIENT", "1.2.250.1.213.1.1.4.13", "Non visible par le patient" },
	};
	/* clang-format on */
	const struct metadata *m = w->metadata;
	const char *now = time_of(w, submission->now_ms);

	open_entry(w, SIGNATURE_ID, "text/xml");
	slot(w, "creationTime", now);
	slot(w, "languageCode", "art");
	slot(w, "legalAuthenticator", xcn(w, &m->sender));
	slot(w, "serviceStartTime", now);
	slot(w, "serviceStopTime", now);
	slot(w, "sourcePatientId", ins_of_patient(w));
	name_element(w, "Source");
	author(w, ENTRY_AUTHOR, &m->sender);
	classification(w, ENTRY_CLASS, &class);
	classification(w, ENTRY_TYPE_CODE, &type);
	for (size_t i = 0; i < length_of(confidentialities); i++)
		classification(w, ENTRY_CONFIDENTIALITY, &confidentialities[i]);
	classification(w, ENTRY_FORMAT, &format);
	classification(w, ENTRY_FACILITY, &m->facility);
	classification(w, ENTRY_PRACTICE, &m->practice);
	classification(w, ENTRY_EVENT, &event);
	external_identifier(w, ENTRY_PATIENT_ID, "XDSDocumentEntry.patientId", ins_of_patient(w));
	external_identifier(w, ENTRY_UNIQUE_ID, "XDSDocumentEntry.uniqueId",
			    submission->signature_unique_id);
	close_entry(w);
}

/* The old entry becomes Deprecated (ITI-41, document replacement). Sources differ on the slot. */
static void replacement(struct writer *w, const struct submission *submission)
{
	const char *entry = submission->replaced_entry;

	if (entry != NULL && entry[0] != '\0')
		association_with(w, REPLACES, DOCUMENT_ID, entry,
				 submission->replacement_has_status ? "Original" : "");
}

void submission_set_build(const struct submission *submission, struct buf *out)
{
	struct writer w = { .out = out, .metadata = submission->metadata };

	submission_set(&w, submission);
	arena_done(&w.arena);
}

void submission_build(const struct submission *submission, struct buf *out)
{
	struct writer w = { .out = out, .metadata = submission->metadata };

	buf_add_text(out, "<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb=\"" XDSB
			  "\" xmlns:lcm=\"" LCM "\" xmlns=\"" RIM
			  "\"><lcm:SubmitObjectsRequest><RegistryObjectList>");
	submission_set(&w, submission);
	document_entry(&w, submission);
	signature_entry(&w, submission);
	association(&w, HAS_MEMBER, SET_ID, DOCUMENT_ID);
	association(&w, HAS_MEMBER, SET_ID, SIGNATURE_ID);
	association(&w, SIGNS, SIGNATURE_ID, SET_ID);
	replacement(&w, submission);
	buf_add_text(out, "</RegistryObjectList></lcm:SubmitObjectsRequest>");
	document_element(&w, DOCUMENT_ID, submission->document_cid);
	document_element(&w, SIGNATURE_ID, submission->signature_cid);
	buf_add_text(out, "</xdsb:ProvideAndRegisterDocumentSetRequest>");
	arena_done(&w.arena);
}
