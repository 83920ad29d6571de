/* The header of a CDA document: a table of paths says what is read, everything else is passed over.
 * Any thread, one document at a time.
 */
#include "document/cda.h"

#include <assert.h>
#include <libxml/parser.h>

#define CDA_NAMESPACE "urn:hl7-org:v3"
#define XSL_NAMESPACE "http://www.w3.org/1999/XSL/Transform"
#define SIGNATURE_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"

/* The domains of the national identifiers of professionals and of structures. */
#define PERSON_DOMAIN "1.2.250.1.71.4.2.1"
#define STRUCTURE_DOMAIN "1.2.250.1.71.4.2.2"

enum {
	DEPTH = 256,
	MOST_ITEMS = 256,      /* of each list */
	MOST_ATTRIBUTES = 256, /* of an element: libxml2 compares each with all others */
	MOST_NAMESPACES = 256, /* declared around an element: it searches them one by one */
	MOST_NAMES = 16384,    /* different ones: its dictionary becomes a list above that */
	MOST_VALUE = 4096,     /* bytes kept of a text; an attribute is refused above */
	PATH = 192,
};

enum place { BEFORE, INSIDE, AFTER }; /* of the ClinicalDocument */

struct reader {
	struct cda *cda;
	struct arena *arena;
	struct err *err;
	bool failed;

	xmlParserCtxtPtr parser;
	struct slice rest; /* not handed to the parser yet */

	struct slice bytes;     /* all of them */
	struct digest *content; /* of those before `digested`, but for what tells a version */
	size_t digested;
	unsigned apart; /* depth of the element that is left out; 0: none */
	bool lost;      /* where an element begins or ends could not be told */

	enum place place;
	unsigned depth, most_depth;
	unsigned root;                  /* depth of the ClinicalDocument */
	unsigned skipped;               /* depth of the element being passed over; 0: none */
	unsigned stylesheet, signature; /* depth of what is around the ClinicalDocument; 0: none */
	char path[PATH]; /* of the element, from the ClinicalDocument: "author/time" */
	size_t path_n;
	uint64_t seen; /* rules that may apply once only, by their place in the table */

	const struct rule *text_rule; /* what the characters are for; NULL: nobody wants them */
	struct buf text;
	const char *qualifier; /* of the part of the patient's name being read */
	bool has_birth_family, has_birth_given;

	struct cda_person *person; /* the author or signatory being read */
	struct cda_event *event;
	struct cda_code *translations; /* of this event */
	size_t translation_count;      /* of all events */
	bool parent_wanted;            /* the relatedDocument being read is the one to keep */
};

/* The attributes of an element, as libxml2 gives them: five pointers each. */
struct attributes {
	const xmlChar **five;
	size_t count;
};

enum owner { OF_DOCUMENT, OF_PERSON, OF_EVENT };
enum kind { NOTHING, ID, CODE, ATTRIBUTE, TEXT };

/* What an element at `path` gives: its id, code, attribute or text goes to the member at `member`
 * of its owner, unless that holds a value already. `open` does whatever else the element asks for,
 * first.
 */
struct rule {
	const char *path;
	void (*open)(struct reader *reader, const struct attributes *attributes);
	void (*close)(struct reader *reader, const char *text); /* a text that needs a thought */
	enum kind kind;
	enum owner owner;
	size_t member;
	const char *attribute;
	bool once;
	bool of_version; /* it tells this version from the next */
};

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
};

/* The last whole components of the path that err.where has room for. */
static const char *where(const struct reader *reader)
{
	const char *path = reader->place == INSIDE ? reader->path : "";

	while (strlen(path) >= ERR_WHERE && strchr(path, '/') != NULL)
		path = strchr(path, '/') + 1;
	return path;
}

static void stop(struct reader *reader, enum reason reason, const char *text)
{
	if (reader->failed)
		return;
	err_refuse(reader->err, reason, where(reader), "%s", text);
	reader->failed = true;
	xmlStopParser(reader->parser);
}

static const char *attribute(struct reader *reader, const struct attributes *attributes,
			     const char *name)
{
	for (size_t i = 0; i < attributes->count; i++) {
		const xmlChar **five = attributes->five + i * 5; /* name, prefix, URI, value, end */
		struct slice value = { (const char *)five[3], (size_t)(five[4] - five[3]) };

		if (five[2] != NULL || strcmp((const char *)five[0], name) != 0)
			continue;
		if (value.n > MOST_VALUE) {
			stop(reader, REASON_DOCUMENT_INVALID,
			     "an attribute is longer than 4096 bytes");
			return "";
		}
		return arena_dup(reader->arena, slice_trim(value));
	}
	return "";
}

static struct cda_id id_of(struct reader *reader, const struct attributes *attributes)
{
	return (struct cda_id){ attribute(reader, attributes, "root"),
				attribute(reader, attributes, "extension") };
}

static struct cda_code code_of(struct reader *reader, const struct attributes *attributes)
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
static void *list_grow(struct reader *reader, const void *items, size_t count, size_t size)
{
	void *larger;

	if (count >= MOST_ITEMS) {
		stop(reader, REASON_TOO_LARGE, "the header repeats an element more than 256 times");
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

static void on_template(struct reader *reader, const struct attributes *attributes)
{
	struct cda *cda = reader->cda;

	if (list_reserve(reader, cda->templates, cda->template_count))
		cda->templates[cda->template_count++] = attribute(reader, attributes, "root");
}

static void on_patient_id(struct reader *reader, const struct attributes *attributes)
{
	struct cda *cda = reader->cda;
	struct cda_id id = id_of(reader, attributes);

	if (!id_is_empty(&id) && list_reserve(reader, cda->patient_ids, cda->patient_id_count))
		cda->patient_ids[cda->patient_id_count++] = id;
}

static void on_order_id(struct reader *reader, const struct attributes *attributes)
{
	struct cda *cda = reader->cda;
	struct cda_id id = id_of(reader, attributes);

	if (!id_is_empty(&id) && list_reserve(reader, cda->orders, cda->order_count))
		cda->orders[cda->order_count++] = id;
}

static void on_name_part(struct reader *reader, const struct attributes *attributes)
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
static void birth_text(struct reader *reader, const char **member, bool *has_birth,
		       const char *text)
{
	bool birth = is_birth_name(reader->qualifier);

	if (text[0] == '\0' || *has_birth)
		return;
	if (birth || (*member)[0] == '\0')
		*member = text;
	*has_birth = birth;
}

static void on_family(struct reader *reader, const char *text)
{
	birth_text(reader, &reader->cda->birth_family, &reader->has_birth_family, text);
}

static void on_given(struct reader *reader, const char *text)
{
	birth_text(reader, &reader->cda->birth_given, &reader->has_birth_given, text);
	if (reader->qualifier[0] == '\0')
		first_text(&reader->cda->given_names, text);
}

static void on_author(struct reader *reader, const struct attributes *attributes)
{
	struct cda *cda = reader->cda;

	(void)attributes;
	if (!list_reserve(reader, cda->authors, cda->author_count))
		return;
	reader->person = &cda->authors[cda->author_count++];
	*reader->person = nobody;
}

static void on_legal_authenticator(struct reader *reader, const struct attributes *attributes)
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

static void on_person_id(struct reader *reader, const struct attributes *attributes)
{
	choose_id(&reader->person->id, id_of(reader, attributes), PERSON_DOMAIN);
}

static void on_organisation_id(struct reader *reader, const struct attributes *attributes)
{
	choose_id(&reader->person->organisation_id, id_of(reader, attributes), STRUCTURE_DOMAIN);
}

static void on_device(struct reader *reader, const struct attributes *attributes)
{
	(void)attributes;
	reader->person->is_device = true;
}

static void on_custodian(struct reader *reader, const struct attributes *attributes)
{
	(void)attributes;
	reader->cda->has_custodian = true;
}

static void on_event(struct reader *reader, const struct attributes *attributes)
{
	struct cda *cda = reader->cda;

	(void)attributes;
	if (!list_reserve(reader, cda->events, cda->event_count))
		return;
	reader->event = &cda->events[cda->event_count++];
	*reader->event = no_event;
	reader->translations = NULL;
}

static void on_translation(struct reader *reader, const struct attributes *attributes)
{
	struct cda_event *event = reader->event;

	if (reader->translation_count++ >= MOST_ITEMS) {
		stop(reader, REASON_TOO_LARGE, "the events have more than 256 translations");
		return;
	}
	if (!list_reserve(reader, reader->translations, event->translation_count))
		return;
	reader->translations[event->translation_count++] = code_of(reader, attributes);
	event->translations = reader->translations;
}

static void on_performer_organisation(struct reader *reader, const struct attributes *attributes)
{
	(void)attributes;
	reader->event->has_performer_organisation = true;
}

static void on_related_document(struct reader *reader, const struct attributes *attributes)
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

static void on_parent_id(struct reader *reader, const struct attributes *attributes)
{
	if (reader->parent_wanted && id_is_empty(&reader->cda->parent_id))
		reader->cda->parent_id = id_of(reader, attributes);
}

static void on_structured_body(struct reader *reader, const struct attributes *attributes)
{
	(void)attributes;
	reader->cda->structured = true;
}

#define DOCUMENT(m) .owner = OF_DOCUMENT, .member = offsetof(struct cda, m)
#define PERSON(m) .owner = OF_PERSON, .member = offsetof(struct cda_person, m)
#define EVENT(m) .owner = OF_EVENT, .member = offsetof(struct cda_event, m)
#define FROM(name) .kind = ATTRIBUTE, .attribute = (name)

#define RECORD "recordTarget/patientRole/"
#define PATIENT RECORD "patient/"
#define AUTHOR "author/assignedAuthor/"
#define SIGNATORY "legalAuthenticator/assignedEntity/"
#define SERVICE_EVENT "documentationOf/serviceEvent/"
#define PERFORMER SERVICE_EVENT "performer/assignedEntity/representedOrganization"
#define ENCOUNTER "componentOf/encompassingEncounter/"
#define FACILITY ENCOUNTER "location/healthCareFacility/"

/* clang-format off */
static const struct rule rules[] = {
	{ "templateId", .open = on_template },
	{ "id", .kind = ID, DOCUMENT(id), .once = true, .of_version = true },
	{ "code", .kind = CODE, DOCUMENT(code), .once = true },
	{ "title", .kind = TEXT, DOCUMENT(title), .once = true },
	{ "effectiveTime", FROM("value"), DOCUMENT(effective_time), .once = true, .of_version = true },
	{ "confidentialityCode", FROM("code"), DOCUMENT(confidentiality), .once = true },
	{ "languageCode", FROM("code"), DOCUMENT(language), .once = true },
	{ "setId", .kind = ID, DOCUMENT(set_id), .once = true, .of_version = true },
	{ "versionNumber", FROM("value"), DOCUMENT(version), .once = true, .of_version = true },

	{ "recordTarget", .once = true },
	{ "recordTarget/patientRole", .once = true },
	{ RECORD "id", .open = on_patient_id },
	{ PATIENT "name/family", .open = on_name_part, .close = on_family, .kind = TEXT },
	{ PATIENT "name/given", .open = on_name_part, .close = on_given, .kind = TEXT },
	{ PATIENT "administrativeGenderCode", FROM("code"), DOCUMENT(sex) },
	{ PATIENT "birthTime", FROM("value"), DOCUMENT(birth_time) },
	{ PATIENT "birthplace/place/addr/county", .kind = TEXT, DOCUMENT(birth_place) },

	{ "author", .open = on_author },
	{ "author/functionCode", FROM("displayName"), PERSON(role) },
	{ AUTHOR "id", .open = on_person_id },
	{ AUTHOR "code", .kind = CODE, PERSON(specialty) },
	{ AUTHOR "assignedPerson/name/family", .kind = TEXT, PERSON(family) },
	{ AUTHOR "assignedPerson/name/given", .kind = TEXT, PERSON(given) },
	{ AUTHOR "assignedAuthoringDevice", .open = on_device },
	{ AUTHOR "assignedAuthoringDevice/softwareName", .kind = TEXT, PERSON(software) },
	{ AUTHOR "assignedAuthoringDevice/manufacturerModelName", .kind = TEXT, PERSON(device) },
	{ AUTHOR "representedOrganization/id", .open = on_organisation_id },
	{ AUTHOR "representedOrganization/name", .kind = TEXT, PERSON(organisation_name) },

	{ "custodian", .open = on_custodian, .once = true },

	{ "legalAuthenticator", .open = on_legal_authenticator, .once = true },
	{ SIGNATORY "id", .open = on_person_id },
	{ SIGNATORY "code", .kind = CODE, PERSON(specialty) },
	{ SIGNATORY "assignedPerson/name/family", .kind = TEXT, PERSON(family) },
	{ SIGNATORY "assignedPerson/name/given", .kind = TEXT, PERSON(given) },
	{ SIGNATORY "representedOrganization/id", .open = on_organisation_id },
	{ SIGNATORY "representedOrganization/name", .kind = TEXT, PERSON(organisation_name) },

	{ "documentationOf/serviceEvent", .open = on_event },
	{ SERVICE_EVENT "code", .kind = CODE, EVENT(code) },
	{ SERVICE_EVENT "code/translation", .open = on_translation },
	{ SERVICE_EVENT "effectiveTime", FROM("value"), EVENT(start) },
	{ SERVICE_EVENT "effectiveTime/low", FROM("value"), EVENT(start) },
	{ SERVICE_EVENT "effectiveTime/high", FROM("value"), EVENT(stop) },
	{ PERFORMER, .open = on_performer_organisation },
	{ PERFORMER "/standardIndustryClassCode", .kind = CODE, EVENT(practice_setting) },

	{ "componentOf", .once = true },
	{ ENCOUNTER "id", .kind = ID, DOCUMENT(encounter) },
	{ ENCOUNTER "effectiveTime/high", FROM("value"), DOCUMENT(encounter_stop) },
	{ FACILITY "code", .kind = CODE, DOCUMENT(facility) },
	{ "inFulfillmentOf/order/id", .open = on_order_id },
	{ "relatedDocument", .open = on_related_document, .of_version = true },
	{ "relatedDocument/parentDocument/id", .open = on_parent_id },

	{ "component", .once = true },
	{ "component/nonXMLBody/text", FROM("mediaType"), DOCUMENT(media_type) },
	{ "component/structuredBody", .open = on_structured_body },
};
/* clang-format on */

static_assert(length_of(rules) <= 64, "reader->seen has a bit for each rule");

/* The rule of the path; NULL: none. *ret_leads: other rules are below it. */
static const struct rule *rule_of(const struct reader *reader, bool *ret_leads)
{
	const struct rule *found = NULL;

	*ret_leads = false;
	for (size_t i = 0; i < length_of(rules); i++) {
		/* the first character spares most of the comparisons, of every element there is */
		if (rules[i].path[0] != reader->path[0] ||
		    strncmp(rules[i].path, reader->path, reader->path_n) != 0)
			continue;
		if (rules[i].path[reader->path_n] == '\0')
			found = &rules[i];
		else if (rules[i].path[reader->path_n] == '/')
			*ret_leads = true;
	}
	return found;
}

static void *owner_of(const struct reader *reader, const struct rule *rule)
{
	switch (rule->owner) {
	case OF_DOCUMENT:
		return reader->cda;
	case OF_PERSON:
		return reader->person;
	case OF_EVENT:
		return reader->event;
	}
	return NULL;
}

/* What the attributes give to the rule's member, if it is still empty. */
static void keep_attributes(struct reader *reader, const struct rule *rule,
			    const struct attributes *attributes)
{
	char *member = (char *)owner_of(reader, rule) + rule->member;
	struct cda_id *id = (void *)member;
	struct cda_code *code = (void *)member;

	switch (rule->kind) {
	case ID:
		if (id_is_empty(id))
			*id = id_of(reader, attributes);
		break;
	case CODE:
		if (code->code[0] == '\0')
			*code = code_of(reader, attributes);
		break;
	case ATTRIBUTE:
		first_text((void *)member, attribute(reader, attributes, rule->attribute));
		break;
	case TEXT:
		reader->text_rule = rule;
		buf_clear(&reader->text);
		break;
	case NOTHING:
		break;
	}
}

/* ---- what stays when the version changes ---- */

/* How many bytes the parser has read, when the last of them, or the one behind, is as expected. The
 * answer is libxml2's own count; were it wrong, nothing may be said of the content.
 */
static size_t position(struct reader *reader, bool is_end)
{
	long n = xmlByteConsumed(reader->parser);

	if (n > 0 && (size_t)n < reader->bytes.n &&
	    (is_end ? reader->bytes.p[n - 1] == '>'
		    : reader->bytes.p[n] == '>' || reader->bytes.p[n] == '/'))
		return (size_t)n;
	reader->lost = true;
	return reader->digested;
}

static void digest_up_to(struct reader *reader, size_t end)
{
	const struct slice more = { reader->bytes.p + reader->digested, end - reader->digested };

	digest_add(reader->content, more);
	reader->digested = end;
}

/* The parser stands before the '>' of the start tag: the '<' is the last one there is, for no attribute
 * may hold any. The blanks before it go too: where there was no such element, they are not.
 */
static void leave_out(struct reader *reader)
{
	size_t start = position(reader, false);

	reader->apart = reader->depth;
	while (start > reader->digested && reader->bytes.p[start] != '<')
		start--;
	while (start > reader->digested && strchr(" \t\r\n", reader->bytes.p[start - 1]) != NULL)
		start--;
	digest_up_to(reader, start);
}

static void take_up_again(struct reader *reader)
{
	size_t end = position(reader, true);

	reader->lost |= end < reader->digested;
	reader->digested = max(end, reader->digested);
	reader->apart = 0;
}

static void apply(struct reader *reader, const struct rule *rule,
		  const struct attributes *attributes)
{
	uint64_t bit = UINT64_C(1) << (rule - rules);

	if (rule->once && (reader->seen & bit)) {
		stop(reader, REASON_DOCUMENT_INVALID, "this element is there twice");
		return;
	}
	reader->seen |= bit;
	if (rule->of_version)
		leave_out(reader);
	if (rule->open != NULL)
		rule->open(reader, attributes);
	if (!reader->failed)
		keep_attributes(reader, rule, attributes);
}

/* One level down. An element that leads nowhere is passed over with all that is in it. */
static void enter(struct reader *reader, const char *name, const char *uri,
		  const struct attributes *attributes)
{
	size_t before = reader->path_n, n = strlen(name);
	const struct rule *rule;
	bool leads;

	if (strcmp(uri, CDA_NAMESPACE) != 0 || before + 1 + n >= sizeof(reader->path)) {
		reader->skipped = reader->depth;
		return;
	}
	if (before > 0)
		reader->path[reader->path_n++] = '/';
	memcpy(reader->path + reader->path_n, name, n + 1);
	reader->path_n += n;

	rule = rule_of(reader, &leads);
	if (rule != NULL)
		apply(reader, rule, attributes);
	if (rule == NULL && !leads) {
		reader->path_n = before;
		reader->path[before] = '\0';
		reader->skipped = reader->depth;
	}
}

/* What may stand around a ClinicalDocument: a style sheet that shows it, a signature. */
static void enter_around(struct reader *reader, const char *name, const char *uri)
{
	bool is_document = strcmp(name, "ClinicalDocument") == 0 && strcmp(uri, CDA_NAMESPACE) == 0;

	if (is_document && reader->place == AFTER) {
		stop(reader, REASON_DOCUMENT_INVALID, "there are two ClinicalDocument");
	} else if (is_document) {
		reader->place = INSIDE;
		reader->root = reader->depth;
		reader->cda->self_presentable = reader->stylesheet > 0;
		reader->cda->enveloped = reader->signature > 0;
	} else if (strcmp(uri, XSL_NAMESPACE) == 0 && strcmp(name, "stylesheet") == 0 &&
		   reader->stylesheet == 0) {
		reader->stylesheet = reader->depth;
	} else if (strcmp(uri, SIGNATURE_NAMESPACE) == 0 && strcmp(name, "Signature") == 0 &&
		   reader->signature == 0) {
		reader->signature = reader->depth;
	} else if (reader->depth == 1) {
		stop(reader, REASON_DOCUMENT_INVALID,
		     "the root is not ClinicalDocument in urn:hl7-org:v3");
	}
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespace_count, const xmlChar **namespaces, int attribute_count,
		     int defaulted_count, const xmlChar **five)
{
	struct reader *reader = context;
	struct attributes attributes = { five, (size_t)attribute_count };

	(void)prefix, (void)namespace_count, (void)namespaces, (void)defaulted_count;
	if (reader->failed)
		return;
	if (reader->parser->input->buf->encoder != NULL) /* libxml2 had to convert it */
		return stop(reader, REASON_DOCUMENT_INVALID, "the document is not in UTF-8");
	if (attributes.count > MOST_ATTRIBUTES)
		return stop(reader, REASON_TOO_LARGE, "an element has more than 256 attributes");
	if (++reader->depth > reader->most_depth)
		return stop(reader, REASON_TOO_LARGE, "elements are nested too deep");
	if (reader->skipped > 0)
		return;
	if (reader->place == INSIDE)
		enter(reader, (const char *)name, uri ? (const char *)uri : "", &attributes);
	else
		enter_around(reader, (const char *)name, uri ? (const char *)uri : "");
}

/* Without the part of a character that a cut left at the end. */
static struct slice whole_characters(struct slice text)
{
	size_t n = text.n;

	while (n > 0 && ((uint8_t)text.p[n - 1] & 0xc0) == 0x80)
		n--;
	return text.n < MOST_VALUE || n == 0 ? text : (struct slice){ text.p, n - 1 };
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

static void keep_text(struct reader *reader)
{
	const struct rule *rule = reader->text_rule;
	const char *text = words_of(reader->arena, whole_characters(buf_slice(&reader->text)));

	reader->text_rule = NULL;
	if (rule->close != NULL)
		rule->close(reader, text);
	else
		first_text((void *)((char *)owner_of(reader, rule) + rule->member), text);
}

/* One level up again. */
static void leave(struct reader *reader)
{
	const char *slash = strrchr(reader->path, '/');

	if (reader->depth == reader->root) {
		reader->place = AFTER;
		return;
	}
	if (reader->text_rule != NULL)
		keep_text(reader);
	reader->path_n = slash ? (size_t)(slash - reader->path) : 0;
	reader->path[reader->path_n] = '\0';
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *reader = context;

	(void)name, (void)prefix, (void)uri;
	if (reader->failed)
		return;
	if (reader->skipped == reader->depth)
		reader->skipped = 0;
	else if (reader->skipped == 0 && reader->place == INSIDE)
		leave(reader);
	if (reader->apart == reader->depth)
		take_up_again(reader);
	if (reader->stylesheet == reader->depth)
		reader->stylesheet = 0;
	if (reader->signature == reader->depth)
		reader->signature = 0;
	reader->depth--;
}

static void on_characters(void *context, const xmlChar *text, int n)
{
	struct reader *reader = context;
	size_t room = MOST_VALUE - min(reader->text.n, (size_t)MOST_VALUE);

	if (reader->text_rule != NULL && reader->skipped == 0 && !reader->failed)
		buf_add(&reader->text, (struct slice){ (const char *)text, min((size_t)n, room) });
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	stop(context, REASON_DOCUMENT_INVALID, "the document declares a DTD");
}

/* libxml2's messages quote the document, which may be a name: its codes are worded here instead. */
static const char *words_of_error(int code)
{
	static const struct {
		int code;
		const char *words;
	} table[] = {
		{ XML_ERR_DOCUMENT_EMPTY, "it does not begin as XML does" },
		{ XML_ERR_DOCUMENT_END, "something follows the end of the document" },
		{ XML_ERR_TAG_NAME_MISMATCH, "an end tag does not match its start tag" },
		{ XML_ERR_TAG_NOT_FINISHED, "it ends too early: an element is not closed" },
		{ XML_ERR_GT_REQUIRED, "a tag is not closed" },
		{ XML_ERR_LT_IN_ATTRIBUTE, "an attribute holds '<'" },
		{ XML_ERR_ATTRIBUTE_NOT_STARTED, "the value of an attribute is not quoted" },
		{ XML_ERR_ATTRIBUTE_REDEFINED, "an element has the same attribute twice" },
		{ XML_ERR_INVALID_CHAR, "bytes are not UTF-8, or no character of XML" },
		{ XML_ERR_INVALID_ENCODING, "the bytes are not UTF-8" },
		{ XML_ERR_UNSUPPORTED_ENCODING, "its encoding is not known" },
		{ XML_ERR_UNDECLARED_ENTITY, "an entity is not defined ('&' is written &amp;)" },
		{ XML_ERR_NAME_REQUIRED, "'&' or '<' is not written &amp; or &lt;" },
		{ XML_ERR_ENTITYREF_SEMICOL_MISSING, "'&' is not written &amp;" },
		{ XML_ERR_COMMENT_NOT_FINISHED, "a comment is not closed" },
		{ XML_ERR_CDATA_NOT_FINISHED, "a CDATA section is not closed" },
		{ XML_NS_ERR_UNDEFINED_NAMESPACE, "a namespace prefix is not declared" },
	};

	for (size_t i = 0; i < length_of(table); i++)
		if (table[i].code == code)
			return table[i].words;
	return "it breaks a rule of XML";
}

/* The first error is the cause, what follows its consequences. Nothing stops here: the parser is in
 * the middle of something, and reports no more elements by itself.
 */
static void on_error(void *context, xmlErrorPtr error)
{
	struct reader *reader = context;

	if (reader->failed || error->level < XML_ERR_ERROR)
		return;
	reader->failed = true;
	err_refuse(reader->err, REASON_DOCUMENT_INVALID, where(reader),
		   "not well-formed at line %d: %s (libxml2 error %d)", error->line,
		   words_of_error(error->code), error->code);
}

/* libxml2 2.9 would take minutes or hours over these, in a document of a few megabytes. */
static const char *too_many_of(xmlParserCtxtPtr parser)
{
	if (parser->maxatts / 5 > 4 * MOST_ATTRIBUTES)
		return "an element has too many attributes";
	if (parser->nsNr / 2 > MOST_NAMESPACES)
		return "too many namespaces are declared around an element";
	if (xmlDictSize(parser->dict) > MOST_NAMES)
		return "there are too many different names";
	return NULL;
}

/* The parser asks for more. It may not be stopped here, where it would free the very buffer that it
 * is filling: it gets an error instead.
 */
static int on_read(void *context, char *buffer, int room)
{
	struct reader *reader = context;
	size_t n = min((size_t)room, reader->rest.n);
	const char *too_many = too_many_of(reader->parser);

	if (!reader->failed && too_many != NULL) {
		err_refuse(reader->err, REASON_TOO_LARGE, where(reader), "%s", too_many);
		reader->failed = true;
	}
	if (reader->failed)
		return -1;
	if (n > 0)
		memcpy(buffer, reader->rest.p, n);
	reader->rest = slice_from(reader->rest, n);
	return (int)n;
}

static int run(struct reader *reader)
{
	static const xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_doctype,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_characters,
		.ignorableWhitespace = on_characters,
		.cdataBlock = on_characters,
		.serror = on_error,
	};
	xmlSAXHandler copy = handler; /* libxml2 copies it again, but wants it writable */
	bool well_formed;

	reader->parser =
		xmlCreateIOParserCtxt(&copy, reader, on_read, NULL, reader, XML_CHAR_ENCODING_NONE);
	if (reader->parser == NULL)
		return err_set(reader->err, ERR_RETRY, "libxml2 has no memory for a parser");
	/* NOENT: or "&amp;" in an attribute would read "&#38;". A DTD ends the reading, so the only
	 * entities are XML's own five.
	 */
	xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT);
	xmlParseDocument(reader->parser);
	well_formed = reader->parser->wellFormed && reader->parser->nsWellFormed;
	xmlFreeDoc(reader->parser->myDoc);
	xmlFreeParserCtxt(reader->parser);

	if (reader->failed)
		return -1;
	if (!well_formed)
		return err_refuse(reader->err, REASON_DOCUMENT_INVALID, "",
				  "the document is not well-formed XML");
	if (reader->place != AFTER)
		return err_refuse(reader->err, REASON_DOCUMENT_INVALID, "",
				  "there is no ClinicalDocument in it");
	return 0;
}

static const struct cda_event *main_event(const struct cda *cda)
{
	for (size_t i = 0; i < cda->event_count; i++)
		if (cda->events[i].has_performer_organisation)
			return &cda->events[i];
	return NULL;
}

void cda_start(void)
{
	xmlInitParser();
}

int cda_read(struct cda *cda, struct slice bytes, const struct cda_limits *limits,
	     struct arena *arena, struct err *err)
{
	struct reader reader = {
		.cda = cda,
		.arena = arena,
		.err = err,
		.rest = bytes,
		.bytes = bytes,
		.most_depth = limits->depth ? limits->depth : DEPTH,
		.text = { .limit = MOST_VALUE },
		.qualifier = "",
	};
	int rc;

	if (limits->most_bytes > 0 && bytes.n > limits->most_bytes)
		return err_refuse(err, REASON_TOO_LARGE, "",
				  "the document has %zu bytes, the limit is %zu", bytes.n,
				  limits->most_bytes);
	reader.content = digest_new(DIGEST_SHA256);
	*cda = no_document;
	cda->legal_authenticator = nobody;
	rc = run(&reader);
	buf_done(&reader.text);
	if (rc == 0)
		digest_up_to(&reader, bytes.n);
	digest_end(&reader.content, cda->content);
	cda->has_content = rc == 0 && !reader.lost;
	cda->main_event = rc == 0 ? main_event(cda) : NULL;
	return rc;
}
