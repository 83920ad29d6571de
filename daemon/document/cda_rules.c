/* What is read of the header of a CDA document. Any thread, one document at a time. */
#include "document/cda_rules.h"

#include <assert.h>
#include <libxml/parser.h>

#include "document/ins.h"

/* The domains of the national identifiers of professionals and of structures. */
#define PERSON_DOMAIN "1.2.250.1.71.4.2.1"
#define STRUCTURE_DOMAIN "1.2.250.1.71.4.2.2"

enum { MOST_ITEMS = 256 /* of each list */ };

static const struct cda_person nobody = {
	.id = { "", "" },
	.family = "",
	.given = "",
	.role = "",
	.specialty = { "", "", "" },
	.software = "",
	.device = "",
	.organisation_id = { "", "" },
	.organisation_name = "",
};

static const struct cda_event no_event = {
	.code = { "", "", "" },
	.start = "",
	.stop = "",
	.practice_setting = { "", "", "" },
};

static const struct cda no_document = {
	.id = { "", "" },
	.code = { "", "", "" },
	.title = "",
	.effective_time = "",
	.confidentiality = "",
	.language = "",
	.set_id = { "", "" },
	.version = "",
	.birth_family = "",
	.birth_given = "",
	.given_names = "",
	.sex = "",
	.birth_time = "",
	.birth_place = "",
	.facility = { "", "", "" },
	.encounter = { "", "" },
	.encounter_stop = "",
	.parent_type = "",
	.parent_id = { "", "" },
	.media_type = "",
	.representation = "",
};

/* The last whole components of the path that err.where has room for. */
const char *cda_where(const struct cda_reader *reader)
{
	const char *path = reader->place == CDA_INSIDE ? reader->path : "";

	while (strlen(path) >= ERR_WHERE && strchr(path, '/') != NULL)
		path = strchr(path, '/') + 1;
	return path;
}

void cda_stop(struct cda_reader *reader, enum reason reason, const char *text)
{
	if (reader->failed)
		return;
	err_refuse(reader->err, reason, cda_where(reader), "%s", text);
	reader->failed = true;
	xmlStopParser(reader->parser);
}

/* NULL: there is none. The values stand in the parser's own buffer, which cda_stop() has it give back: none is read
 * after that.
 */
static struct slice find_attribute(struct cda_reader *reader,
				   const struct cda_attributes *attributes, const char *name)
{
	for (size_t i = 0; i < attributes->count && !reader->failed; i++) {
		const xmlChar **five = attributes->five + i * 5; /* name, prefix, URI, value, end */
		struct slice value = { (const char *)five[3], (size_t)(five[4] - five[3]) };

		if (five[2] != NULL || strcmp((const char *)five[0], name) != 0)
			continue;
		if (value.n <= CDA_MOST_VALUE)
			return value;
		cda_stop(reader, REASON_DOCUMENT_INVALID, "an attribute is longer than 4096 bytes");
	}
	return (struct slice){ 0 };
}

static const char *as_written(struct cda_reader *reader, const struct cda_attributes *attributes,
			      const char *name)
{
	return arena_dup(reader->arena, find_attribute(reader, attributes, name));
}

static const char *attribute(struct cda_reader *reader, const struct cda_attributes *attributes,
			     const char *name)
{
	return arena_dup(reader->arena, slice_trim(find_attribute(reader, attributes, name)));
}

static struct cda_id id_of(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	return (struct cda_id){ attribute(reader, attributes, "root"),
				attribute(reader, attributes, "extension") };
}

/* What the DMP holds against the document, which goes byte for byte: blanks are a part of it. */
static struct cda_id id_as_written(struct cda_reader *reader,
				   const struct cda_attributes *attributes)
{
	return (struct cda_id){ as_written(reader, attributes, "root"),
				as_written(reader, attributes, "extension") };
}

static struct cda_code code_of(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	return (struct cda_code){ attribute(reader, attributes, "code"),
				  attribute(reader, attributes, "codeSystem"),
				  attribute(reader, attributes, "displayName") };
}

static bool id_is_empty(const struct cda_id *id)
{
	return id->root[0] == '\0' && id->extension[0] == '\0'; /* nullFlavor */
}

/* The list with room for one item more; NULL when it may not grow. Lists double, so one is full
 * when its count is a power of two.
 */
static void *list_grow(struct cda_reader *reader, const void *items, size_t count, size_t size)
{
	void *larger;

	if (count >= MOST_ITEMS) {
		cda_stop(reader, REASON_TOO_LARGE,
			 "the header repeats an element more than 256 times");
		return NULL;
	}
	larger = arena_alloc(reader->arena, (count + 1) * 2 * size);
	if (count > 0)
		memcpy(larger, items, count * size);
	return larger;
}

static bool list_is_full(size_t count)
{
	return (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8… */
}

/* Makes room for one item more at the end of a list; false: the document has too many of them. */
#define list_reserve(reader, items, count)                                                         \
	__extension__({                                                                            \
		if (list_is_full(count))                                                           \
			(items) = list_grow(reader, items, count, sizeof(*(items)));               \
		(items) != NULL;                                                                   \
	})

static void on_template(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;

	if (list_reserve(reader, cda->templates, cda->template_count))
		cda->templates[cda->template_count++] = attribute(reader, attributes, "root");
}

static void on_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	reader->cda->id = id_as_written(reader, attributes);
	reader->cda->id_has_extension = find_attribute(reader, attributes, "extension").p != NULL;
}

static void on_code(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	reader->cda->code = (struct cda_code){ as_written(reader, attributes, "code"),
					       as_written(reader, attributes, "codeSystem"),
					       attribute(reader, attributes, "displayName") };
}

static void on_patient_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;
	struct cda_id id = id_of(reader, attributes);

	if (ins_is_domain(id.root))
		id = id_as_written(reader, attributes);
	if (!id_is_empty(&id) && list_reserve(reader, cda->patient_ids, cda->patient_id_count))
		cda->patient_ids[cda->patient_id_count++] = id;
}

static void on_order_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;
	struct cda_id id = id_of(reader, attributes);

	if (!id_is_empty(&id) && list_reserve(reader, cda->orders, cda->order_count))
		cda->orders[cda->order_count++] = id;
}

static void on_name_part(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	reader->qualifier = attribute(reader, attributes, "qualifier");
}

/* qualifier is a list: "BR", "SP BR". */
static bool is_birth_name(const char *qualifier)
{
	struct slice rest = slice_of(qualifier), word;

	while (slice_next(&rest, ' ', &word))
		if (slice_is(word, "BR"))
			return true;
	return false;
}

static void first_text(const char **member, const char *text)
{
	if ((*member)[0] == '\0')
		*member = text;
}

/* A name at birth takes the place of any other; of several, the first stays. */
static void birth_text(struct cda_reader *reader, const char **member, bool *has_birth,
		       const char *text)
{
	bool birth = is_birth_name(reader->qualifier);

	if (text[0] == '\0' || *has_birth)
		return;
	if (birth || (*member)[0] == '\0')
		*member = text;
	*has_birth = birth;
}

static void on_family(struct cda_reader *reader, const char *text)
{
	birth_text(reader, &reader->cda->birth_family, &reader->has_birth_family, text);
}

static void on_given(struct cda_reader *reader, const char *text)
{
	birth_text(reader, &reader->cda->birth_given, &reader->has_birth_given, text);
	if (reader->qualifier[0] == '\0')
		first_text(&reader->cda->given_names, text);
}

static void on_author(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;

	(void)attributes;
	if (!list_reserve(reader, cda->authors, cda->author_count))
		return;
	reader->person = &cda->authors[cda->author_count++];
	*reader->person = nobody;
}

static void on_legal_authenticator(struct cda_reader *reader,
				   const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->cda->has_legal_authenticator = true;
	reader->person = &reader->cda->legal_authenticator;
}

/* The first id, unless one of the national domain follows. */
static void choose_id(struct cda_id *chosen, struct cda_id id, const char *national_domain)
{
	if (id_is_empty(chosen) ||
	    (strcmp(chosen->root, national_domain) != 0 && strcmp(id.root, national_domain) == 0))
		*chosen = id;
}

static void on_person_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	choose_id(&reader->person->id, id_of(reader, attributes), PERSON_DOMAIN);
}

static void on_organisation_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	choose_id(&reader->person->organisation_id, id_of(reader, attributes), STRUCTURE_DOMAIN);
}

static void on_device(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->person->is_device = true;
}

static void on_custodian(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->cda->has_custodian = true;
}

static void on_event(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;

	(void)attributes;
	if (!list_reserve(reader, cda->events, cda->event_count))
		return;
	reader->event = &cda->events[cda->event_count++];
	*reader->event = no_event;
	reader->translations = NULL;
}

static void on_translation(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda_event *event = reader->event;

	if (reader->translation_count++ >= MOST_ITEMS) {
		cda_stop(reader, REASON_TOO_LARGE, "the events have more than 256 translations");
		return;
	}
	if (!list_reserve(reader, reader->translations, event->translation_count))
		return;
	reader->translations[event->translation_count++] = code_of(reader, attributes);
	event->translations = reader->translations;
}

static void on_performer_organisation(struct cda_reader *reader,
				      const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->event->has_performer_organisation = true;
}

static void on_related_document(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	struct cda *cda = reader->cda;
	const char *type = attribute(reader, attributes, "typeCode");

	reader->parent_wanted =
		cda->parent_type[0] == '\0' ||
		(strcmp(type, "RPLC") == 0 && strcmp(cda->parent_type, "RPLC") != 0);
	if (!reader->parent_wanted)
		return;
	cda->parent_type = type;
	cda->parent_id = no_document.parent_id;
}

static void on_parent_id(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	if (reader->parent_wanted && id_is_empty(&reader->cda->parent_id))
		reader->cda->parent_id = id_as_written(reader, attributes);
}

static void on_facility(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->cda->has_facility = true;
}

static void on_body(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	reader->cda->media_type = attribute(reader, attributes, "mediaType");
	reader->cda->representation = attribute(reader, attributes, "representation");
}

static void on_structured_body(struct cda_reader *reader, const struct cda_attributes *attributes)
{
	(void)attributes;
	reader->cda->structured = true;
}

#define DOCUMENT(m) .owner = CDA_OF_DOCUMENT, .member = offsetof(struct cda, m)
#define PERSON(m) .owner = CDA_OF_PERSON, .member = offsetof(struct cda_person, m)
#define EVENT(m) .owner = CDA_OF_EVENT, .member = offsetof(struct cda_event, m)
#define FROM(name) .kind = CDA_ATTRIBUTE, .attribute = (name)

#define RECORD "recordTarget/patientRole/"
#define PATIENT RECORD "patient/"
#define AUTHOR "author/assignedAuthor/"
#define SIGNATORY "legalAuthenticator/assignedEntity/"
#define SERVICE_EVENT "documentationOf/serviceEvent/"
#define PERFORMER SERVICE_EVENT "performer/assignedEntity/representedOrganization"
#define ENCOUNTER "componentOf/encompassingEncounter/"
#define FACILITY ENCOUNTER "location/healthCareFacility"

/* clang-format off */
static const struct cda_rule rules[] = {
	{ "templateId", .open = on_template },
	{ "id", .open = on_id, .once = true, .of_version = true },
	{ "code", .open = on_code, .once = true },
	{ "title", .kind = CDA_TEXT, DOCUMENT(title), .once = true },
	{ "effectiveTime", FROM("value"), DOCUMENT(effective_time), .once = true, .of_version = true },
	{ "confidentialityCode", FROM("code"), DOCUMENT(confidentiality), .once = true },
	{ "languageCode", FROM("code"), DOCUMENT(language), .once = true },
	{ "setId", .kind = CDA_ID, DOCUMENT(set_id), .once = true, .of_version = true },
	{ "versionNumber", FROM("value"), DOCUMENT(version), .once = true, .of_version = true },

	{ "recordTarget", .once = true },
	{ "recordTarget/patientRole", .once = true },
	{ RECORD "id", .open = on_patient_id },
	{ PATIENT "name/family", .open = on_name_part, .close = on_family, .kind = CDA_TEXT },
	{ PATIENT "name/given", .open = on_name_part, .close = on_given, .kind = CDA_TEXT },
	{ PATIENT "administrativeGenderCode", FROM("code"), DOCUMENT(sex) },
	{ PATIENT "birthTime", FROM("value"), DOCUMENT(birth_time) },
	{ PATIENT "birthplace/place/addr/county", .kind = CDA_TEXT, DOCUMENT(birth_place) },

	{ "author", .open = on_author },
	{ "author/functionCode", FROM("displayName"), PERSON(role) },
	{ AUTHOR "id", .open = on_person_id },
	{ AUTHOR "code", .kind = CDA_CODE, PERSON(specialty) },
	{ AUTHOR "assignedPerson/name/family", .kind = CDA_TEXT, PERSON(family) },
	{ AUTHOR "assignedPerson/name/given", .kind = CDA_TEXT, PERSON(given) },
	{ AUTHOR "assignedAuthoringDevice", .open = on_device },
	{ AUTHOR "assignedAuthoringDevice/softwareName", .kind = CDA_TEXT, PERSON(software) },
	{ AUTHOR "assignedAuthoringDevice/manufacturerModelName", .kind = CDA_TEXT, PERSON(device) },
	{ AUTHOR "representedOrganization/id", .open = on_organisation_id },
	{ AUTHOR "representedOrganization/name", .kind = CDA_TEXT, PERSON(organisation_name) },

	{ "custodian", .open = on_custodian, .once = true },

	{ "legalAuthenticator", .open = on_legal_authenticator, .once = true },
	{ SIGNATORY "id", .open = on_person_id },
	{ SIGNATORY "code", .kind = CDA_CODE, PERSON(specialty) },
	{ SIGNATORY "assignedPerson/name/family", .kind = CDA_TEXT, PERSON(family) },
	{ SIGNATORY "assignedPerson/name/given", .kind = CDA_TEXT, PERSON(given) },
	{ SIGNATORY "representedOrganization/id", .open = on_organisation_id },
	{ SIGNATORY "representedOrganization/name", .kind = CDA_TEXT, PERSON(organisation_name) },

	{ "documentationOf/serviceEvent", .open = on_event },
	{ SERVICE_EVENT "code", .kind = CDA_CODE, EVENT(code) },
	{ SERVICE_EVENT "code/translation", .open = on_translation },
	{ SERVICE_EVENT "effectiveTime", FROM("value"), EVENT(start) },
	{ SERVICE_EVENT "effectiveTime/low", FROM("value"), EVENT(start) },
	{ SERVICE_EVENT "effectiveTime/high", FROM("value"), EVENT(stop) },
	{ PERFORMER, .open = on_performer_organisation },
	{ PERFORMER "/standardIndustryClassCode", .kind = CDA_CODE, EVENT(practice_setting) },

	{ "componentOf", .once = true },
	{ ENCOUNTER "id", .kind = CDA_ID, DOCUMENT(encounter) },
	{ ENCOUNTER "effectiveTime/high", FROM("value"), DOCUMENT(encounter_stop) },
	{ FACILITY, .open = on_facility },
	{ FACILITY "/code", .kind = CDA_CODE, DOCUMENT(facility) },
	{ "inFulfillmentOf/order/id", .open = on_order_id },
	{ "relatedDocument", .open = on_related_document, .of_version = true },
	{ "relatedDocument/parentDocument/id", .open = on_parent_id },

	{ "component", .once = true },
	{ "component/nonXMLBody/text", .open = on_body, .kind = CDA_BODY, .once = true },
	{ "component/structuredBody", .open = on_structured_body },
};
/* clang-format on */

static_assert(length_of(rules) <= 64, "reader->seen has a bit for each rule");

const struct cda_rule *cda_rule_of(const struct cda_reader *reader, bool *ret_leads)
{
	const struct cda_rule *found = NULL;
	const size_t n = reader->path_n;

	*ret_leads = false;
	for (size_t i = 0; i < length_of(rules) && n < CDA_RULE_PATH; i++) {
		const char *path = rules[i].path, after = path[n];

		/* the last character spares most of the comparisons, of every element there is */
		if (path[n - 1] != reader->path[n - 1] ||
		    (after != '\0' && (after != '/' || *ret_leads)) ||
		    memcmp(path, reader->path, n) != 0)
			continue;
		if (after == '\0')
			found = &rules[i];
		else
			*ret_leads = true;
	}
	return found;
}

static void *owner_of(const struct cda_reader *reader, const struct cda_rule *rule)
{
	switch (rule->owner) {
	case CDA_OF_DOCUMENT:
		return reader->cda;
	case CDA_OF_PERSON:
		return reader->person;
	case CDA_OF_EVENT:
		return reader->event;
	}
	return NULL;
}

/* What the attributes give to the rule's member, if it is still empty. */
static void keep_attributes(struct cda_reader *reader, const struct cda_rule *rule,
			    const struct cda_attributes *attributes)
{
	char *member = (char *)owner_of(reader, rule) + rule->member;
	struct cda_id *id = (void *)member;
	struct cda_code *code = (void *)member;

	switch (rule->kind) {
	case CDA_ID:
		if (id_is_empty(id))
			*id = id_of(reader, attributes);
		break;
	case CDA_CODE:
		if (code->code[0] == '\0')
			*code = code_of(reader, attributes);
		break;
	case CDA_ATTRIBUTE:
		first_text((void *)member, attribute(reader, attributes, rule->attribute));
		break;
	case CDA_BODY:
	case CDA_TEXT:
		reader->text_rule = rule;
		buf_clear(&reader->text);
		break;
	case CDA_NOTHING:
		break;
	}
}

uint64_t cda_rule_bit(const struct cda_rule *rule)
{
	return UINT64_C(1) << (rule - rules);
}

void cda_take_element(struct cda_reader *reader, const struct cda_rule *rule,
		      const struct cda_attributes *attributes)
{
	if (rule->open != NULL)
		rule->open(reader, attributes);
	if (!reader->failed)
		keep_attributes(reader, rule, attributes);
}

/* Without the part of a character that a cut left at the end. */
static struct slice whole_characters(struct slice text)
{
	size_t n = text.n;

	while (n > 0 && ((uint8_t)text.p[n - 1] & 0xc0) == 0x80)
		n--;
	return text.n < CDA_MOST_VALUE || n == 0 ? text : (struct slice){ text.p, n - 1 };
}

/* A copy in which each run of blanks is one, with none at the ends. */
static const char *words_of(struct arena *arena, struct slice text)
{
	char *copy = arena_dup(arena, slice_trim(text)), *to = copy;

	for (const char *from = copy; *from != '\0'; from++) {
		bool blank = strchr(" \t\r\n", *from) != NULL;

		if (!blank || to[-1] != ' ') /* it begins with none */
			*to++ = blank ? ' ' : *from;
	}
	*to = '\0';
	return copy;
}

void cda_take_text(struct cda_reader *reader)
{
	const struct cda_rule *rule = reader->text_rule;
	const char *text = words_of(reader->arena, whole_characters(buf_slice(&reader->text)));

	reader->text_rule = NULL;
	if (rule->kind == CDA_BODY)
		reader->cda->body_is_base64 = base64_is_whole(&reader->body);
	else if (rule->close != NULL)
		rule->close(reader, text);
	else
		first_text((void *)((char *)owner_of(reader, rule) + rule->member), text);
}

void cda_begin(struct cda *cda)
{
	*cda = no_document;
	cda->legal_authenticator = nobody;
}

const struct cda_event *cda_main_event(const struct cda *cda)
{
	for (size_t i = 0; i < cda->event_count; i++)
		if (cda->events[i].has_performer_organisation)
			return &cda->events[i];
	return NULL;
}
