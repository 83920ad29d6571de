/* What the DMP is told about a document: the decisions. Whose it is: metadata_patient.c; who takes part in it:
 * metadata_party.c; how all of it is kept: metadata_json.c. Any thread, one document at a time.
 */
#include "document/metadata_filling.h"

#include <assert.h>

#include "document/oid.h"

#define CONFIDENTIALITY_SYSTEM "2.16.840.1.113883.5.25"
#define VISIBILITY_SYSTEM "1.2.250.1.213.1.1.4.13"

enum {
	TITLE_CHARACTERS = 128,
	DATE_DIGITS = 8,
	MOST_CONFIDENTIALITIES = 4,
	HALF_A_DAY_MS = 12 * 3600 * 1000,
};

const char *action_text(enum action action)
{
	switch (action) {
	case ACTION_SUBMIT:
		return "submit";
	case ACTION_REPLACE:
		return "replace";
	case ACTION_DELETE:
		return "delete";
	}
	return "";
}

const char *metadata_source_text(enum metadata_source source)
{
	static const char *const texts[SOURCE_COUNT] = { "", "document", "message", "site",
							 "rule" };

	return texts[source];
}

static int fill_unique_id(struct filling *filling)
{
	const struct cda_id *id = &filling->cda->id;

	if (is_empty(id->root))
		return err_refuse(filling->err, REASON_IDENTIFIER_INVALID, "id/@root",
				  "the document has no id");
	if (filling->cda->id_has_extension)
		return err_refuse(filling->err, REASON_IDENTIFIER_HAS_EXTENSION, "id/@extension",
				  "the document's id has an extension: the DMP knows plain OIDs");
	if (!oid_is_valid(id->root))
		return err_refuse(filling->err, REASON_IDENTIFIER_INVALID, "id/@root",
				  "the document's id is not an OID");
	filling->metadata->unique_id = id->root;
	filling->metadata->from.unique_id = FROM_DOCUMENT;
	return 0;
}

/* XDS writes an id with an extension as root^extension (ITI TF-3, 4.2.3.2.26). The DMP holds no
 * such document; it must not be mistaken for the one whose id is the root alone.
 */
static int fill_action(struct filling *filling)
{
	static const char where[] = "relatedDocument/parentDocument/id";
	const struct cda_id *parent = &filling->cda->parent_id;
	struct metadata *metadata = filling->metadata;

	metadata->replaces = "";
	metadata->from.action = FROM_RULE; /* unless something else is asked, it is added */
	if (!is(filling->cda->parent_type, "RPLC"))
		return 0;
	if (is_empty(parent->root))
		return err_refuse(filling->err, REASON_PREDECESSOR_UNKNOWN, where,
				  "relatedDocument does not name the document that this replaces");
	if (!oid_is_valid(parent->root) || filling_has_separators(parent->extension))
		return err_refuse(filling->err, REASON_IDENTIFIER_INVALID, where,
				  "the id of the replaced document is not an OID");
	if (is(parent->root, metadata->unique_id) && is_empty(parent->extension))
		return err_refuse(filling->err, REASON_IDENTIFIER_INVALID, where,
				  "the document replaces itself: a new version needs a new id");
	metadata->action = ACTION_REPLACE;
	metadata->from.action = metadata->from.replaces = FROM_DOCUMENT;
	metadata->replaces =
		is_empty(parent->extension)
			? parent->root
			: arena_printf(filling->arena, "%s^%s", parent->root, parent->extension);
	return 0;
}

static int fill_type(struct filling *filling)
{
	const struct valuesets *valuesets = filling->context->valuesets;
	const struct cda_code *code = &filling->cda->code;
	const struct valueset_row *type, *class;

	if (filling_code(filling, VALUESET_TYPE, "code/@code", code, &filling->metadata->type) <
	    0) {
		filling->err->reason = REASON_TYPE_NOT_ACCEPTED;
		return -1;
	}
	if (is_empty(code->system))
		return err_refuse(filling->err, REASON_TYPE_NOT_ACCEPTED, "code/@codeSystem",
				  "the type %s has no code system: it is of %s",
				  filling_shown(code->code), filling->metadata->type.system);
	type = valueset_find(valuesets, VALUESET_TYPE, code->code, code->system);
	class = type ? valueset_find(valuesets, VALUESET_CLASS, type->link, NULL) : NULL;
	if (class == NULL)
		return err_refuse(filling->err, REASON_TYPE_NOT_ACCEPTED, "code/@code",
				  "no class of document is known for the type %s",
				  filling_shown(code->code));
	filling->metadata->from.type = FROM_DOCUMENT;
	filling->metadata->from.class = FROM_RULE;
	filling->metadata->class = filling_coded(filling, class);
	return 0;
}

static int check_body(struct filling *filling)
{
	const struct cda *cda = filling->cda;

	if (!is(cda->representation, "B64"))
		return err_refuse(filling->err, REASON_BODY_NOT_ACCEPTED,
				  "nonXMLBody/text/@representation",
				  "the body is not said to be B64");
	if (!cda->body_is_base64)
		return err_refuse(filling->err, REASON_BODY_NOT_ACCEPTED, "nonXMLBody/text",
				  "the body is empty, or no Base64");
	return 0;
}

static int fill_format(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	const struct valueset_row *format;

	if (!cda->structured && is_empty(cda->media_type))
		return err_refuse(filling->err, REASON_BODY_NOT_ACCEPTED, "component",
				  "the document has no body, or a body without a media type");
	format = valueset_format(filling->context->valuesets, cda->media_type,
				 (const char *const *)cda->templates, cda->template_count);
	if (format == NULL) {
		err_refuse(filling->err, REASON_BODY_NOT_ACCEPTED, "nonXMLBody/text/@mediaType",
			   "the DMP takes no body of the media type %s",
			   filling_shown(cda->media_type));
		return err_quotes(filling->err);
	}
	if (!is_empty(cda->media_type) && check_body(filling) < 0)
		return -1;
	filling->metadata->from.format = filling->metadata->from.mime_type = FROM_RULE;
	filling->metadata->format = filling_coded(filling, format);
	filling->metadata->mime_type = cda->self_presentable ? "application/xslt+xml" : "text/xml";
	return 0;
}

/* The first characters of UTF-8. */
static struct slice cut(const char *text, size_t most)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++)
		if (((uint8_t)text[n] & 0xc0) != 0x80 && most-- == 0)
			break;
	return (struct slice){ text, n };
}

static enum metadata_source document_or(enum metadata_source otherwise, const char *of_document)
{
	return is_empty(of_document) ? otherwise : FROM_DOCUMENT;
}

static size_t count_letters(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* A language, and maybe a region: all that the DMP reads of RFC 5646. Software also writes fr_FR, and fr-fr. */
static bool read_language(char *text)
{
	const size_t language = count_letters(text);
	char *region = text + language + 1;

	for (size_t i = 0; i < language; i++)
		text[i] |= 'a' ^ 'A';
	if (language < 2 || language > 3)
		return text[0] == '\0';
	if (text[language] == '\0')
		return true;
	if (strchr("-_", text[language]) == NULL || count_letters(region) != 2 || region[2] != '\0')
		return false;
	text[language] = '-';
	region[0] &= ~('a' ^ 'A');
	region[1] &= ~('a' ^ 'A');
	return true;
}

static int fill_texts(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	struct metadata *metadata = filling->metadata;
	const char *title = is_empty(cda->title) ? metadata->type.display : cda->title;
	char *language = arena_dup(filling->arena, slice_of(cda->language));

	if (!read_language(language))
		return err_refuse(filling->err, REASON_METADATA_INVALID, "languageCode/@code",
				  "it is not a language like fr-FR");
	metadata->title = arena_dup(filling->arena, slice_trim(cut(title, TITLE_CHARACTERS)));
	metadata->from.title = document_or(FROM_RULE, cda->title);
	metadata->from.language = document_or(FROM_RULE, cda->language);
	metadata->language = is_empty(language) ? "fr-FR" : language;
	return 0;
}

/* XDS times are in UTC, and the DMP wants all of their digits. Of a day without an hour noon is told, which is
 * of the same day there; its first moment would be of the day before.
 */
static int fill_event_time(struct filling *filling, const char *where, const char *text,
			   int64_t *ret_time_ms, bool *ret_is_day)
{
	if (filling_time(filling, where, text, ret_time_ms) < 0)
		return -1;
	*ret_is_day = strspn(text, "0123456789") <= DATE_DIGITS;
	if (*ret_is_day)
		*ret_time_ms += HALF_A_DAY_MS;
	return 0;
}

/* Nothing ends before it began: on one day, the time that is known better is that of both. */
static void put_in_order(struct metadata *metadata, bool start_is_day, bool stop_is_day)
{
	const int64_t too_early_ms = metadata->service_start_ms - metadata->service_stop_ms;

	if (too_early_ms <= 0 || too_early_ms > HALF_A_DAY_MS)
		return;
	if (start_is_day)
		metadata->service_start_ms = metadata->service_stop_ms;
	else if (stop_is_day)
		metadata->service_stop_ms = metadata->service_start_ms;
}

static int fill_event(struct filling *filling)
{
	const struct cda_event *event = filling->cda->main_event;
	struct metadata *metadata = filling->metadata;
	bool start_is_day, stop_is_day;

	if (event == NULL)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE,
				  "documentationOf/serviceEvent",
				  "no event has a performer with an organisation");
	if (fill_event_time(filling, "serviceEvent/effectiveTime/low", event->start,
			    &metadata->service_start_ms, &start_is_day) < 0)
		return -1;
	if (!is_empty(event->stop)) {
		if (fill_event_time(filling, "serviceEvent/effectiveTime/high", event->stop,
				    &metadata->service_stop_ms, &stop_is_day) < 0)
			return -1;
		put_in_order(metadata, start_is_day, stop_is_day);
	}
	metadata->from.service_start_ms = metadata->from.practice = FROM_DOCUMENT;
	metadata->from.service_stop_ms = document_or(FROM_NOWHERE, event->stop);
	return filling_code(filling, VALUESET_PRACTICE, "standardIndustryClassCode/@code",
			    &event->practice_setting, &metadata->practice);
}

/* Not noon of a day without an hour: no document may be made later than it is sent. */
static int fill_creation(struct filling *filling)
{
	filling->metadata->from.creation_ms = FROM_DOCUMENT;
	return filling_time(filling, "effectiveTime", filling->cda->effective_time,
			    &filling->metadata->creation_ms);
}

/* The place of care must be named; the code of its sector may lack, for the site has one. */
static int fill_facility(struct filling *filling)
{
	const struct cda_code *facility = &filling->cda->facility;
	const char *sector = filling->context->site->sector;
	const struct cda_code by_default = { sector ? sector : "", "", "" };

	if (!filling->cda->has_facility)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE,
				  "componentOf/encompassingEncounter",
				  "no location/healthCareFacility says where the patient was");
	filling->metadata->from.facility = document_or(FROM_SITE, facility->code);
	return filling_code(filling, VALUESET_FACILITY, "healthCareFacility/code/@code",
			    is_empty(facility->code) ? &by_default : facility,
			    &filling->metadata->facility);
}

static int fill_content_type(struct filling *filling)
{
	const struct metadata_site *site = filling->context->site;
	const char *visit = filling->context->request->visit_class;
	const struct valueset_row *row;

	filling->metadata->from.content_type = FROM_MESSAGE;
	if (is_empty(visit)) {
		visit = is_empty(site->default_visit_class) ? "I" : site->default_visit_class;
		filling->metadata->from.content_type = FROM_SITE;
	}
	row = valueset_content_type(filling->context->valuesets, visit);
	if (row == NULL) {
		err_refuse(filling->err, REASON_METADATA_INVALID, "PV1-2",
			   "content-type-from-visit.csv has no row for the class of visit %s",
			   filling_shown(visit));
		return err_quotes(filling->err);
	}
	filling->metadata->content_type = filling_coded(filling, row);
	return 0;
}

static int add_confidentiality(struct filling *filling, const char *code, const char *system)
{
	struct metadata *metadata = filling->metadata;

	const struct cda_code from = { code, system, "" };

	if (filling_code(filling, VALUESET_CONFIDENTIALITY, "confidentialityCode/@code", &from,
			 &metadata->confidentialities[metadata->confidentiality_count]) < 0)
		return -1;
	metadata->confidentiality_count++;
	return 0;
}

/* The document's own code first, then one for each flag that is set (EX_2.1-1050 forbids the first
 * two flags together). All that a secret connection sends is hidden from guardians (EX_0.1-1100).
 */
static int fill_confidentiality(struct filling *filling)
{
	const struct metadata_request *request = filling->context->request;
	const char *own = filling->cda->confidentiality;
	const struct {
		bool is_set;
		const char *code;
	} flags[] = {
		{ request->masked_from_professionals, "MASQUE_PS" },
		{ request->invisible_to_patient || filling->context->hide_from_patient,
		  "INVISIBLE_PATIENT" },
		{ request->invisible_to_guardians || request->secret_connection,
		  "INVISIBLE_REPRESENTANTS_LEGAUX" },
	};

	static_assert(length_of(flags) + 1 == MOST_CONFIDENTIALITIES, "one of its own, and flags");
	if (request->masked_from_professionals && request->invisible_to_patient &&
	    !filling->context->allow_masked_and_invisible)
		return err_refuse(filling->err, REASON_MASKS_CONFLICT, "",
				  "the document may not be hidden from professionals and from the "
				  "patient both");
	filling->metadata->confidentialities =
		arena_alloc(filling->arena, MOST_CONFIDENTIALITIES * sizeof(struct coded));
	if (add_confidentiality(filling, is_empty(own) ? "N" : own, CONFIDENTIALITY_SYSTEM) < 0)
		return -1;
	filling->metadata->from.confidentialities = document_or(FROM_RULE, own);
	filling->metadata->secret_connection = request->secret_connection;
	if (filling->context->hide_from_patient)
		filling->metadata->from.visibility = FROM_SITE;
	for (size_t i = 0; i < length_of(flags); i++) {
		if (flags[i].is_set && filling->metadata->from.visibility == FROM_NOWHERE)
			filling->metadata->from.visibility = FROM_MESSAGE;
		if (flags[i].is_set &&
		    add_confidentiality(filling, flags[i].code, VISIBILITY_SYSTEM) < 0)
			return -1;
	}
	return 0;
}

/* A code counts only with its system, which XDS knows by its OID; and it has a name there, which a CDA need
 * not give: then it is its own.
 */
static void add_event_code(struct filling *filling, const struct cda_code *code)
{
	struct metadata *metadata = filling->metadata;

	if (is_empty(code->code) || !oid_is_valid(code->system))
		return;
	for (size_t i = 0; i < metadata->event_count; i++)
		if (is(metadata->events[i].code, code->code) &&
		    is(metadata->events[i].system, code->system))
			return;
	metadata->events[metadata->event_count++] =
		(struct coded){ code->code, code->system,
				is_empty(code->display) ? code->code : code->display };
}

static int fill_event_codes(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	size_t most = 0;

	for (size_t i = 0; i < cda->event_count; i++)
		most += 1 + cda->events[i].translation_count;
	filling->metadata->events = arena_alloc(filling->arena, most * sizeof(struct coded));
	for (size_t i = 0; i < cda->event_count; i++) {
		add_event_code(filling, &cda->events[i].code);
		for (size_t j = 0; j < cda->events[i].translation_count; j++)
			add_event_code(filling, &cda->events[i].translations[j]);
	}
	if (filling->metadata->event_count > 0)
		filling->metadata->from.events = FROM_DOCUMENT;
	return 0;
}

int metadata_fill(struct metadata *metadata, const struct cda *cda,
		  const struct metadata_context *context, struct arena *arena, struct err *err)
{
	/* clang-format off */
	static int (*const steps[])(struct filling *) = {
		filling_patient, fill_unique_id, fill_action, fill_type, fill_confidentiality,
		fill_creation, fill_event, fill_event_codes, fill_facility, fill_content_type,
		fill_format, fill_texts, filling_authors, filling_authentication, filling_sender,
	};
	/* clang-format on */
	struct filling filling = { metadata, cda, context, arena, err };

	*metadata = (struct metadata){ .action = ACTION_SUBMIT };
	for (size_t i = 0; i < length_of(steps); i++)
		if (steps[i](&filling) < 0)
			return -1;
	return 0;
}
