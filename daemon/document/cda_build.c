/* A CDA document of level 1, element by element in the order of the schema. Any thread. */
#include "document/cda_build.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/xml.h"

#define PERSON_DOMAIN "1.2.250.1.71.4.2.1"
#define STRUCTURE_DOMAIN "1.2.250.1.71.4.2.2"
#define SEX_SYSTEM "2.16.840.1.113883.5.1"
#define CONFIDENTIALITY_SYSTEM "2.16.840.1.113883.5.25"

/* Not asked of the source, and not needed by the DMP: the profile wants the elements all the same.
 */
#define NO_ADDRESS "<addr nullFlavor=\"NASK\"/>"
#define NO_TELECOM "<telecom nullFlavor=\"NASK\"/>"

static void add(struct buf *out, const char *text)
{
	buf_add_text(out, text);
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_addf(out, " %s=\"", name);
	xml_add(out, value);
	add(out, "\"");
}

/* An element with attributes and nothing in it: pairs of name and value, up to NULL. */
#define add_empty(out, element, ...)                                                               \
	add_empty_of(out, element, (const char *const[]){ __VA_ARGS__, NULL })

static void add_empty_of(struct buf *out, const char *element, const char *const *attributes)
{
	buf_addf(out, "<%s", element);
	for (; *attributes != NULL; attributes += 2)
		add_attribute(out, attributes[0], attributes[1]);
	add(out, "/>");
}

/* `element` may carry attributes of its own. */
static void add_text(struct buf *out, const char *element, const char *text)
{
	struct slice rest = slice_of(element), name;

	if (text[0] == '\0')
		return;
	buf_addf(out, "<%s>", element);
	xml_add(out, text);
	(void)!slice_next(&rest, ' ', &name);
	buf_addf(out, "</%.*s>", (int)name.n, name.p);
}

static void add_code(struct buf *out, const char *element, const char *code, const char *system,
		     const char *display)
{
	if (code[0] != '\0')
		add_empty(out, element, "code", code, "codeSystem", system, "displayName", display);
}

/* A code of a list, which says of what system it is and what it is called. */
static void add_listed(const struct cda_source *source, const char *element,
		       enum valueset_list list, const char *code, struct buf *out)
{
	const struct valueset_row *row = valueset_find(source->valuesets, list, code, NULL);

	add_code(out, element, code, row ? row->system : "", row ? row->display : "");
}

static void add_interval(struct buf *out, const char *start, const char *stop)
{
	add(out, "<effectiveTime>");
	add_empty(out, "low", "value", start);
	if (stop[0] != '\0')
		add_empty(out, "high", "value", stop);
	add(out, "</effectiveTime>");
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text[0] != '\0' ? text : otherwise;
}

static void add_head(const struct cda_source *source, struct buf *out)
{
	const struct sidecar *sidecar = source->sidecar;
	const struct valueset_row *type =
		valueset_find(source->valuesets, VALUESET_TYPE, sidecar->type, NULL);

	add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		 "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">"
		 "<realmCode code=\"FR\"/>"
		 "<typeId root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"/>"
		 "<templateId root=\"2.16.840.1.113883.2.8.2.1\"/>"
		 "<templateId root=\"1.2.250.1.213.1.1.1.1\"/>"
		 "<templateId root=\"1.3.6.1.4.1.19376.1.2.20\"/>");
	add_empty(out, "id", "root", source->unique_id);
	add_listed(source, "code", VALUESET_TYPE, sidecar->type, out);
	add_text(out, "title", or_else(sidecar->title, type ? type->display : sidecar->type));
	add_empty(out, "effectiveTime", "value", sidecar->date);
	add_listed(source, "confidentialityCode", VALUESET_CONFIDENTIALITY,
		   sidecar->confidentiality, out);
	add(out, "<languageCode code=\"fr-FR\"/>");
	add_empty(out, "setId", "root", source->set_id);
	buf_addf(out, "<versionNumber value=\"%llu\"/>", (unsigned long long)sidecar->version);
}

static const char *sex_text(const char *code)
{
	return code[0] == 'M' ? "Masculin" : code[0] == 'F' ? "Féminin" : "Inconnu";
}

/* The INS first (structuration minimale), then the local identifier. */
static void add_patient(const struct cda_source *source, struct buf *out)
{
	const struct sidecar_patient *patient = source->sidecar->patient;

	add(out, "<recordTarget><patientRole>");
	if (patient->ins[0] != '\0')
		add_empty(out, "id", "root", patient->ins_oid, "extension", patient->ins);
	if (patient->id[0] != '\0')
		add_empty(out, "id", "root", patient->id_oid, "extension", patient->id);
	add(out, NO_ADDRESS NO_TELECOM "<patient><name>");
	add_text(out, "family qualifier=\"BR\"", patient->family);
	add_text(out, "given", patient->given_names);
	add_text(out, "given qualifier=\"BR\"", patient->given);
	add(out, "</name>");
	/* HL7 has UN where the French identity says U */
	add_code(out, "administrativeGenderCode", patient->sex[0] == 'U' ? "UN" : patient->sex,
		 SEX_SYSTEM, sex_text(patient->sex));
	add_empty(out, "birthTime", "value", patient->birth_date);
	add(out, "<birthplace><place><addr>");
	add_text(out, "county", patient->birth_place);
	add(out, "</addr></place></birthplace></patient></patientRole></recordTarget>");
}

/* Id and name of where a person works, Struct_IdNat ('1' and the FINESS): the site's own where the
 * sidecar names no other.
 */
static void add_organisation(const struct cda_source *source, const struct sidecar_person *person,
			     struct buf *out)
{
	const char *finess = or_else(person->finess, source->site->finess_eg);
	const char *name = person->finess[0] ? person->organisation
					     : or_else(person->organisation, source->site->name);

	buf_addf(out, "<id root=\"" STRUCTURE_DOMAIN "\" extension=\"1");
	xml_add(out, finess);
	add(out, "\"/>");
	add_text(out, "name", name);
}

/* What assignedAuthor and assignedEntity hold, up to the organisation. */
static void add_person(const struct cda_source *source, const struct sidecar_person *person,
		       struct buf *out)
{
	add_empty(out, "id", "root", PERSON_DOMAIN, "extension", person->id);
	add_listed(source, "code", VALUESET_SPECIALTY, person->specialty, out);
	add(out, NO_ADDRESS NO_TELECOM "<assignedPerson><name>");
	add_text(out, "prefix", person->prefix);
	add_text(out, "given", person->given);
	add_text(out, "family", person->family);
	add(out, "</name></assignedPerson><representedOrganization>");
}

static void add_author(const struct cda_source *source, struct buf *out)
{
	const struct sidecar *sidecar = source->sidecar;

	add(out, "<author>");
	add_empty(out, "time", "value", sidecar->date);
	add(out, "<assignedAuthor>");
	add_person(source, sidecar->author, out);
	add_organisation(source, sidecar->author, out);
	add(out, NO_TELECOM NO_ADDRESS "</representedOrganization></assignedAuthor></author>");
}

static void add_custodian(const struct cda_source *source, struct buf *out)
{
	static const struct sidecar_person site = { .finess = "", .organisation = "" };

	add(out, "<custodian><assignedCustodian><representedCustodianOrganization>");
	add_organisation(source, &site, out);
	add(out, NO_TELECOM NO_ADDRESS
	    "</representedCustodianOrganization></assignedCustodian></custodian>");
}

static void add_legal_authenticator(const struct cda_source *source, struct buf *out)
{
	const struct sidecar *sidecar = source->sidecar;

	add(out, "<legalAuthenticator>");
	add_empty(out, "time", "value", sidecar->date);
	add(out, "<signatureCode code=\"S\"/><assignedEntity>");
	add_person(source, sidecar->legal_authenticator, out);
	add_organisation(source, sidecar->legal_authenticator, out);
	add(out, NO_TELECOM NO_ADDRESS
	    "</representedOrganization></assignedEntity></legalAuthenticator>");
}

static void add_event(const struct cda_source *source, struct buf *out)
{
	const struct sidecar_act *act = source->sidecar->act;

	add(out, "<documentationOf><serviceEvent>");
	add_code(out, "code", act->code, act->code_system, act->code_name);
	add_interval(out, act->start, act->stop);
	add(out, "<performer typeCode=\"PRF\"><assignedEntity>");
	add_person(source, act->performer, out);
	add_organisation(source, act->performer, out);
	add(out, NO_TELECOM NO_ADDRESS);
	add_listed(source, "standardIndustryClassCode", VALUESET_PRACTICE, act->practice, out);
	add(out, "</representedOrganization></assignedEntity></performer></serviceEvent>"
		 "</documentationOf>");
}

static void add_predecessor(const struct cda_source *source, struct buf *out)
{
	const char *replaces = source->sidecar->replaces;

	if (replaces[0] == '\0')
		return;
	add(out, "<relatedDocument typeCode=\"RPLC\"><parentDocument>");
	add_empty(out, "id", "root", replaces);
	add(out, "</parentDocument></relatedDocument>");
}

static void add_stay(const struct cda_source *source, struct buf *out)
{
	const struct sidecar_stay *stay = source->sidecar->stay;

	add(out, "<componentOf><encompassingEncounter>");
	if (stay->number[0] != '\0')
		add_empty(out, "id", "root", stay->number_oid, "extension", stay->number);
	add_interval(out, stay->start, stay->stop);
	add(out, "<location><healthCareFacility>");
	add_listed(source, "code", VALUESET_FACILITY, or_else(stay->sector, source->site->sector),
		   out);
	add(out, "</healthCareFacility></location></encompassingEncounter></componentOf>");
}

static void add_body(const struct cda_source *source, struct buf *out)
{
	add(out, "<component><nonXMLBody>");
	buf_addf(out, "<text mediaType=\"%s\" representation=\"B64\">", source->media_type);
	base64_encode(source->body, out);
	add(out, "</text></nonXMLBody></component></ClinicalDocument>\n");
}

void cda_build(const struct cda_source *source, struct buf *out)
{
	/* clang-format off */
	static void (*const parts[])(const struct cda_source *, struct buf *) = {
		add_head, add_patient, add_author, add_custodian, add_legal_authenticator,
		add_event, add_predecessor, add_stay, add_body,
	};
	/* clang-format on */

	for (size_t i = 0; i < length_of(parts); i++)
		parts[i](source, out);
}

/* ---- another patient ---- */

static struct slice before(struct slice text, size_t n)
{
	return (struct slice){ text.p, n };
}

/* What stands between the first `start` and the next `end`, as it is written there; else nothing. */
static struct slice between(struct slice text, const char *start, const char *end)
{
	const char *from = memmem(text.p, text.n, start, strlen(start));
	const char *to;

	if (from == NULL)
		return slice_of("");
	text = slice_from(text, (size_t)(from - text.p) + strlen(start));
	to = memmem(text.p, text.n, end, strlen(end));
	return to != NULL ? before(text, (size_t)(to - text.p)) : slice_of("");
}

/* A trait that is said; or else the one that was there, which is XML already. */
static void add_said(struct buf *out, const char *said, struct slice was)
{
	if (said[0] != '\0')
		xml_add(out, said);
	else
		buf_add(out, was);
}

static void add_named(struct buf *out, const char *start, const char *end, const char *said,
		      struct slice patient)
{
	add(out, start);
	add_said(out, said, between(patient, start, end));
	add(out, end);
}

/* Identifiers of the patient but the INS. */
static void add_local_ids(struct buf *out, struct slice patient)
{
	static const char start[] = "<id root=\"";
	struct slice rest = patient;

	while (slice_starts(rest, start)) {
		const char *end = memmem(rest.p, rest.n, "/>", 2);
		const struct slice oid = between(rest, start, "\"");
		char text[sizeof(INS_OID_TEST) + 1] = "";
		size_t n;

		if (end == NULL)
			return;
		n = (size_t)(end - rest.p) + 2;
		memcpy(text, oid.p, min(oid.n, sizeof(text) - 1));
		if (!ins_is_domain(text))
			buf_add(out, before(rest, n));
		rest = slice_from(rest, n);
	}
}

static void add_sex(struct buf *out, const char *said, struct slice patient)
{
	const struct slice was = between(patient, "<administrativeGenderCode code=\"", "\"");
	char code[4] = "";

	memcpy(code, was.p, min(was.n, sizeof(code) - 1));
	if (said[0] != '\0')
		snprintf(code, sizeof(code), "%s", said[0] == 'U' ? "UN" : said);
	add_code(out, "administrativeGenderCode", code, SEX_SYSTEM, sex_text(code));
}

/* As add_patient() writes it. */
static void add_other_patient(struct buf *out, const struct traits *traits, struct slice was)
{
	add_empty(out, "id", "root", traits->ins_oid, "extension", traits->ins);
	add_local_ids(out, was);
	add(out, NO_ADDRESS NO_TELECOM "<patient><name>");
	add_named(out, "<family qualifier=\"BR\">", "</family>", traits->family, was);
	add_named(out, "<given>", "</given>",
		  traits->given_names[0] ? traits->given_names : traits->given, was);
	add_named(out, "<given qualifier=\"BR\">", "</given>", traits->given, was);
	add(out, "</name>");
	add_sex(out, traits->sex, was);
	add_named(out, "<birthTime value=\"", "\"/>", traits->birth_date, was);
	add(out, "<birthplace><place><addr>");
	add_named(out, "<county>", "</county>", traits->birth_place, was);
	add(out, "</addr></place></birthplace></patient>");
}

int cda_put_patient(struct slice document, const struct traits *traits, struct buf *out,
		    struct err *err)
{
	static const char start[] = "<recordTarget><patientRole>",
			  end[] = "</patientRole></recordTarget>";
	const struct slice was = between(document, start, end);
	const size_t at = was.n > 0 ? (size_t)(was.p - document.p) : 0;

	if (at == 0)
		return err_set(err, ERR_HALT,
			       "the document was not built here: its patient is not "
			       "where it would be");
	buf_add(out, before(document, at));
	add_other_patient(out, traits, was);
	buf_add(out, slice_from(document, at + was.n));
	return buf_check(out, "the document", err);
}
