/* Reading what the DMP answered. Any thread.
 *
 * One pass of libxml2's SAX parser: nothing is kept of an answer but the handful of texts that
 * `elements` names, so that a megabyte of anything else costs no memory. Where an element stands
 * decides what it means: a RegistryResponse counts as the child of a SOAP body only.
 */
#include "dmp/reply.h"

#include <libxml/parser.h>

#include "base/xml.h"
#include "dmp/mtom.h"
#include "document/xml_limits.h"

enum { MOST_DEPTH = 100, GATHERED_BYTES = 4096 };

enum space {
	SPACE_OTHER,
	SPACE_NONE,
	SPACE_SOAP,
	SPACE_ADDRESSING,
	SPACE_REGISTRY,
	SPACE_QUERY,
	SPACE_OBJECTS,
	SPACE_HL7,
};

enum place {
	ELSEWHERE,
	DOCUMENT,
	ENVELOPE,
	HEADER,
	BODY,
	RESPONSE,
	ERRORS,
	QUERY_RESPONSE,
	OBJECTS,
	FAULT,
	FAULT_CODE,
	FAULT_SUBCODE,
	FAULT_REASON,
	MESSAGE,
	ACKNOWLEDGEMENT,
	DETAIL,
	ACT,
	SUBJECT,
	EVENT,
	SUBJECT_OF_EVENT,
	PATIENT,
	QUERY_ACK,
};

enum severity { NO_ERROR_YET, A_WARNING, AN_ERROR };

struct attributes {
	const xmlChar **list; /* five pointers each: name, prefix, namespace, begin, end of value */
	int count;
};

struct reading {
	struct reply *reply;
	enum transaction asked;
	struct arena *arena;
	xmlParserCtxt *parser;
	const struct element *path[MOST_DEPTH]; /* NULL: an element of no interest */
	size_t depth;
	enum severity severity; /* of the registry error kept */
	size_t code_depth;      /* of the fault code kept */
	bool dtd, too_deep;     /* why the reading was given up */
	bool envelope_opened;   /* it is SOAP at least */
	bool accepted;          /* HL7: the message was understood */
	bool stray;             /* a success, but not of what was asked */
	struct buf gathered;    /* the text of the element being read */
};

struct element {
	enum place from;
	enum space space;
	const char *name; /* NULL: any */
	enum place to;
	void (*open)(struct reading *reading, struct attributes attributes);
	void (*close)(struct reading *reading, struct slice text);
};

/* The text on one line, without control characters nor those that turn the direction of writing
 * (a journal must not be made to show something else), cut at `most` characters. */
static const char *clean(struct reading *reading, struct slice text, size_t most)
{
	scoped(buf_done) struct buf kept = { 0 };
	bool blank = false;

	while (text.n > 0 && most > 0) {
		uint32_t c;
		size_t n = xml_char(text, &c);
		bool turns = c == 0x061c || c == 0x200e || c == 0x200f ||
			     (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

		if (c <= 0x20 || (c >= 0x7f && c <= 0xa0) || turns) {
			blank = kept.n > 0;
		} else {
			if (blank && --most > 0)
				buf_add_char(&kept, ' ');
			blank = false;
			if (most-- == 0)
				break;
			buf_add(&kept, c == XML_REPLACEMENT ? slice_of("\xef\xbf\xbd")
							    : (struct slice){ text.p, n });
		}
		text = slice_from(text, n);
	}
	return arena_dup(reading->arena, buf_slice(&kept));
}

/* The first one met is the one kept. */
static void keep(struct reading *reading, const char **kept, struct slice text, size_t most)
{
	if ((*kept)[0] == '\0')
		*kept = clean(reading, text, most);
}

/* "DMPClosed" of "soap:DMPClosed" */
static struct slice local_part(struct slice name)
{
	struct slice part = slice_trim(name), rest = part;

	while (slice_next(&rest, ':', &part))
		;
	return part;
}

static struct slice attribute(struct attributes attributes, const char *name)
{
	for (int i = 0; i < attributes.count; i++) {
		const char *const *a = (const char *const *)attributes.list + 5 * i;

		if (a[2] == NULL && strcmp(a[0], name) == 0)
			return (struct slice){ a[3], (size_t)(a[4] - a[3]) };
	}
	return (struct slice){ 0 };
}

static bool is_settled(const struct reading *reading)
{
	return reading->reply->shape != REPLY_NONE;
}

static void open_envelope(struct reading *reading, struct attributes attributes)
{
	(void)attributes;
	reading->envelope_opened = true;
}

static void close_relates_to(struct reading *reading, struct slice text)
{
	keep(reading, &reading->reply->relates_to, text, REPLY_CODE);
}

static void close_action(struct reading *reading, struct slice text)
{
	keep(reading, &reading->reply->action, text, REPLY_CODE);
}

static void succeed(struct reading *reading, bool is_asked)
{
	if (is_asked)
		reading->reply->shape = REPLY_SUCCESS;
	else
		reading->stray = true;
}

/* A body with two answers is none of the profile's: the first one counts. */
static void settle_status(struct reading *reading, struct attributes attributes, bool is_asked)
{
	struct slice status = local_part(attribute(attributes, "status"));

	if (is_settled(reading) || status.n == 0)
		return;
	if (slice_is(status, "Success"))
		succeed(reading, is_asked);
	else
		reading->reply->shape = REPLY_FAILURE;
}

static void open_response(struct reading *reading, struct attributes attributes)
{
	settle_status(reading, attributes,
		      reading->asked == TRANSACTION_SUBMIT || reading->asked == TRANSACTION_DELETE);
}

static void open_query_response(struct reading *reading, struct attributes attributes)
{
	settle_status(reading, attributes, reading->asked == TRANSACTION_FIND);
}

static void open_object(struct reading *reading, struct attributes attributes)
{
	struct reply *reply = reading->reply;

	if (reply->shape == REPLY_SUCCESS && reply->object_count++ == 0)
		keep(reading, &reply->object, attribute(attributes, "id"), REPLY_CODE);
}

/* Of several, the first error is kept, or else the first warning. */
static void open_error(struct reading *reading, struct attributes attributes)
{
	struct reply *reply = reading->reply;
	struct slice said = local_part(attribute(attributes, "severity"));
	enum severity severity = slice_is(said, "Warning") ? A_WARNING : AN_ERROR;

	if (reply->shape != REPLY_SUCCESS && reply->shape != REPLY_FAILURE)
		return;
	if (severity <= reading->severity)
		return;
	reading->severity = severity;
	reply->code = clean(reading, attribute(attributes, "errorCode"), REPLY_CODE);
	reply->text = clean(reading, attribute(attributes, "codeContext"), REPLY_TEXT);
	reply->location = clean(reading, attribute(attributes, "location"), REPLY_CODE);
}

static void open_fault(struct reading *reading, struct attributes attributes)
{
	(void)attributes;
	if (!is_settled(reading))
		reading->reply->shape = REPLY_FAULT;
}

/* soap:Sender and soap:Receiver (SOAP 1.1: Client and Server) say whose fault it is; any other name
 * is a code. The innermost one is kept, being the most precise (SOAP 1.2, part 1, 5.4.1). */
static void fault_code(struct reading *reading, struct slice name)
{
	name = local_part(name);
	if (reading->reply->shape != REPLY_FAULT)
		return;
	if (slice_is(name, "Receiver") || slice_is(name, "Server")) {
		reading->reply->fault_of_receiver = true;
	} else if (!slice_is(name, "Sender") && !slice_is(name, "Client") &&
		   reading->depth > reading->code_depth) {
		reading->reply->code = clean(reading, name, REPLY_CODE);
		reading->code_depth = reading->depth;
	}
}

/* SOAP 1.1, 4.4.1: from the general to the precise, with dots. */
static void close_old_fault_code(struct reading *reading, struct slice text)
{
	struct slice rest = local_part(text), first = rest, last;

	slice_next(&rest, '.', &first);
	last = first;
	while (slice_next(&rest, '.', &last))
		;
	fault_code(reading, last);
	fault_code(reading, first);
}

static void close_reason(struct reading *reading, struct slice text)
{
	if (reading->reply->shape == REPLY_FAULT)
		keep(reading, &reading->reply->text, text, REPLY_TEXT);
}

static void open_acknowledgement(struct reading *reading, struct attributes attributes)
{
	struct slice type = attribute(attributes, "typeCode");

	if (is_settled(reading) || type.n == 0)
		return;
	if (slice_is(type, "AA") || slice_is(type, "CA"))
		reading->accepted = true;
	else
		reading->reply->shape = REPLY_HL7_ACK;
}

/* OK: found, NF: not found; any other (AE, QE) is an error, though the message was understood. */
static void open_query_code(struct reading *reading, struct attributes attributes)
{
	struct slice code = attribute(attributes, "code");
	struct reply *reply = reading->reply;

	if (is_settled(reading) || !reading->accepted || code.n == 0)
		return;
	reply->query_code = clean(reading, code, REPLY_CODE);
	if (slice_is(code, "OK") || slice_is(code, "NF")) {
		succeed(reading, reading->asked == TRANSACTION_EXISTENCE);
	} else {
		reply->shape = REPLY_HL7_ACK;
		reply->code = reply->query_code;
	}
}

static void open_patient(struct reading *reading, struct attributes attributes)
{
	(void)attributes;
	reading->reply->patient_count++;
}

static void open_patient_id(struct reading *reading, struct attributes attributes)
{
	struct reply *reply = reading->reply;

	if (reply->patient_count == 1 && reply->patient_id_count < REPLY_IDS)
		reply->patient_ids[reply->patient_id_count++] = (struct reply_id){
			clean(reading, attribute(attributes, "root"), REPLY_CODE),
			clean(reading, attribute(attributes, "extension"), REPLY_CODE),
		};
}

static void open_patient_status(struct reading *reading, struct attributes attributes)
{
	if (reading->reply->patient_count == 1)
		keep(reading, &reading->reply->patient_status, attribute(attributes, "code"),
		     REPLY_CODE);
}

static void open_detail_code(struct reading *reading, struct attributes attributes)
{
	if (reading->reply->shape == REPLY_HL7_ACK)
		keep(reading, &reading->reply->code, attribute(attributes, "code"), REPLY_CODE);
}

static void close_detail_text(struct reading *reading, struct slice text)
{
	if (reading->reply->shape == REPLY_HL7_ACK)
		keep(reading, &reading->reply->text, text, REPLY_TEXT);
}

/* clang-format off */
static const struct element elements[] = {
	{ DOCUMENT, SPACE_SOAP, "Envelope", ENVELOPE, open_envelope, NULL },
	{ ENVELOPE, SPACE_SOAP, "Header", HEADER, NULL, NULL },
	{ HEADER, SPACE_ADDRESSING, "RelatesTo", ELSEWHERE, NULL, close_relates_to },
	{ HEADER, SPACE_ADDRESSING, "Action", ELSEWHERE, NULL, close_action },
	{ ENVELOPE, SPACE_SOAP, "Body", BODY, NULL, NULL },

	{ BODY, SPACE_REGISTRY, "RegistryResponse", RESPONSE, open_response, NULL },
	{ RESPONSE, SPACE_REGISTRY, "RegistryErrorList", ERRORS, NULL, NULL },
	{ ERRORS, SPACE_REGISTRY, "RegistryError", ELSEWHERE, open_error, NULL },

	{ BODY, SPACE_QUERY, "AdhocQueryResponse", QUERY_RESPONSE, open_query_response, NULL },
	{ QUERY_RESPONSE, SPACE_REGISTRY, "RegistryErrorList", ERRORS, NULL, NULL },
	{ QUERY_RESPONSE, SPACE_OBJECTS, "RegistryObjectList", OBJECTS, NULL, NULL },
	{ OBJECTS, SPACE_OBJECTS, "ObjectRef", ELSEWHERE, open_object, NULL },

	{ BODY, SPACE_SOAP, "Fault", FAULT, open_fault, NULL },
	{ FAULT, SPACE_SOAP, "Code", FAULT_CODE, NULL, NULL },
	{ FAULT_CODE, SPACE_SOAP, "Value", ELSEWHERE, NULL, fault_code },
	{ FAULT_CODE, SPACE_SOAP, "Subcode", FAULT_SUBCODE, NULL, NULL },
	{ FAULT_SUBCODE, SPACE_SOAP, "Value", ELSEWHERE, NULL, fault_code },
	{ FAULT_SUBCODE, SPACE_SOAP, "Subcode", FAULT_SUBCODE, NULL, NULL },
	{ FAULT, SPACE_SOAP, "Reason", FAULT_REASON, NULL, NULL },
	{ FAULT_REASON, SPACE_SOAP, "Text", ELSEWHERE, NULL, close_reason },
	{ FAULT, SPACE_NONE, "faultcode", ELSEWHERE, NULL, close_old_fault_code },
	{ FAULT, SPACE_NONE, "faultstring", ELSEWHERE, NULL, close_reason },

	{ BODY, SPACE_HL7, "acknowledgement", ACKNOWLEDGEMENT, open_acknowledgement, NULL },
	{ BODY, SPACE_HL7, NULL, MESSAGE, NULL, NULL },
	{ MESSAGE, SPACE_HL7, "acknowledgement", ACKNOWLEDGEMENT, open_acknowledgement, NULL },
	{ ACKNOWLEDGEMENT, SPACE_HL7, "acknowledgementDetail", DETAIL, NULL, NULL },
	{ DETAIL, SPACE_HL7, "code", ELSEWHERE, open_detail_code, NULL },
	{ DETAIL, SPACE_HL7, "text", ELSEWHERE, NULL, close_detail_text },
	{ MESSAGE, SPACE_HL7, "controlActProcess", ACT, NULL, NULL },
	{ ACT, SPACE_HL7, "subject", SUBJECT, NULL, NULL },
	{ SUBJECT, SPACE_HL7, "registrationEvent", EVENT, NULL, NULL },
	{ EVENT, SPACE_HL7, "subject1", SUBJECT_OF_EVENT, NULL, NULL },
	{ SUBJECT_OF_EVENT, SPACE_HL7, "patient", PATIENT, open_patient, NULL },
	{ PATIENT, SPACE_HL7, "id", ELSEWHERE, open_patient_id, NULL },
	{ PATIENT, SPACE_HL7, "statusCode", ELSEWHERE, open_patient_status, NULL },
	{ ACT, SPACE_HL7, "queryAck", QUERY_ACK, NULL, NULL },
	{ QUERY_ACK, SPACE_HL7, "queryResponseCode", ELSEWHERE, open_query_code, NULL },
};
/* clang-format on */

static enum space space_of(const char *uri)
{
	static const struct {
		const char *uri;
		enum space space;
	} spaces[] = {
		{ "http://www.w3.org/2003/05/soap-envelope", SPACE_SOAP },
		{ "http://schemas.xmlsoap.org/soap/envelope/", SPACE_SOAP },
		{ "http://www.w3.org/2005/08/addressing", SPACE_ADDRESSING },
		{ "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0", SPACE_REGISTRY },
		{ "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0", SPACE_QUERY },
		{ "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0", SPACE_OBJECTS },
		{ "urn:hl7-org:v3", SPACE_HL7 },
	};

	if (uri == NULL)
		return SPACE_NONE;
	for (size_t i = 0; i < length_of(spaces); i++)
		if (strcmp(spaces[i].uri, uri) == 0)
			return spaces[i].space;
	return SPACE_OTHER;
}

static const struct element *element_of(enum place from, enum space space, const char *name)
{
	if (from == ELSEWHERE)
		return NULL;
	for (size_t i = 0; i < length_of(elements); i++) {
		const struct element *e = &elements[i];

		if (e->from == from && e->space == space &&
		    (e->name == NULL || strcmp(e->name, name) == 0))
			return e;
	}
	return NULL;
}

static const struct element *innermost(const struct reading *reading)
{
	return reading->depth ? reading->path[reading->depth - 1] : NULL;
}

static void give_up(struct reading *reading, bool *why)
{
	*why = true;
	xmlStopParser(reading->parser);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespace_count, const xmlChar **namespaces, int attribute_count,
		     int defaulted_count, const xmlChar **attributes)
{
	struct reading *reading = context;
	const struct element *outer = innermost(reading), *element;
	enum place from = reading->depth == 0 ? DOCUMENT : outer ? outer->to : ELSEWHERE;

	(void)prefix, (void)namespace_count, (void)namespaces, (void)defaulted_count;
	if (reading->depth == MOST_DEPTH) {
		give_up(reading, &reading->too_deep);
		return;
	}
	element = element_of(from, space_of((const char *)uri), (const char *)name);
	reading->path[reading->depth++] = element;
	if (element == NULL)
		return;
	buf_clear(&reading->gathered);
	if (element->open != NULL)
		element->open(reading, (struct attributes){ attributes, attribute_count });
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reading *reading = context;
	const struct element *element = innermost(reading);

	(void)name, (void)prefix, (void)uri;
	if (element != NULL && element->close != NULL)
		element->close(reading, buf_slice(&reading->gathered));
	reading->depth--;
}

static void on_text(void *context, const xmlChar *text, int n)
{
	struct reading *reading = context;
	const struct element *element = innermost(reading);
	size_t room = GATHERED_BYTES - reading->gathered.n;

	if (element != NULL && element->close != NULL)
		buf_add(&reading->gathered,
			(struct slice){ (const char *)text, min((size_t)n, room) });
}

/* Called at "<!DOCTYPE", before anything is declared: no entity ever exists. */
static void on_dtd(void *context, const xmlChar *name, const xmlChar *public_id,
		   const xmlChar *system_id)
{
	struct reading *reading = context;

	(void)name, (void)public_id, (void)system_id;
	give_up(reading, &reading->dtd);
}

/* NULL, or why there is no reading it. */
static const char *parse(struct reading *reading, struct slice root)
{
	static const xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_dtd,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
	};
	xmlSAXHandler copy = handler; /* libxml2 copies it again, but wants it writable */
	struct xml_source source;
	xmlParserCtxt *parser;
	const char *too_many;
	bool whole;

	root = slice_trim(root); /* nothing may stand before an XML declaration, yet it happens */
	if (root.n == 0)
		return "the answer is empty";
	source = (struct xml_source){ root, NULL };
	xml_thread_ready();
	parser = xmlCreateIOParserCtxt(&copy, reading, xml_source_read, NULL, &source,
				       XML_CHAR_ENCODING_NONE);
	if (parser == NULL)
		return "the answer cannot be read: out of memory";
	source.parser = reading->parser = parser;
	/* NOENT: or "&amp;" in an attribute would arrive as "&#38;". No entity can be declared. */
	xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOENT);
	xmlParseDocument(parser);
	whole = parser->wellFormed;
	too_many = whole ? NULL : xml_too_many(parser);
	xmlFreeParserCtxt(parser);
	buf_done(&reading->gathered);

	if (reading->dtd)
		return "the answer has a DOCTYPE, which is refused";
	if (reading->too_deep)
		return "the answer is nested too deep";
	if (too_many != NULL)
		return too_many;
	if (!whole)
		return "the answer is not XML";
	if (!reading->envelope_opened)
		return "the answer is XML but not SOAP";
	if (is_settled(reading))
		return NULL;
	return reading->stray ? "the SOAP answer is to another request"
			      : "the SOAP answer holds neither a result nor a fault";
}

static const struct reply nothing = {
	.code = "",
	.text = "",
	.location = "",
	.relates_to = "",
	.action = "",
	.object = "",
	.query_code = "",
	.patient_status = "",
};

void reply_read(struct reply *reply, enum transaction asked, struct slice content_type,
		struct slice body, struct arena *arena)
{
	struct reading reading = { .reply = reply, .asked = asked, .arena = arena };
	struct slice root;
	struct err err = { 0 };
	const char *why;

	*reply = nothing;
	if (mtom_root(content_type, body, &root, &err) < 0)
		why = arena_dup(arena, slice_of(err.text));
	else
		why = parse(&reading, root);
	if (why != NULL) {
		*reply = nothing;
		reply->text = why;
	}
}

const char *reply_oddity(const struct reply *reply, enum transaction asked, const char *message_id)
{
	struct slice relates_to = slice_of(reply->relates_to);

	if (slice_starts(relates_to, "urn:uuid:"))
		relates_to = slice_from(relates_to, strlen("urn:uuid:"));
	if (relates_to.n > 0 && !slice_is_nocase(relates_to, message_id))
		return "the answer relates to another message";
	if (reply->action[0] != '\0' && strcmp(reply->action, soap_reply_action(asked)) != 0 &&
	    reply->shape == REPLY_SUCCESS)
		return "the answer's action is not the one of this transaction";
	return "";
}
