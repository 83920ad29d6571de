/* The header of a CDA document: a table of paths says what is read, everything else is passed over.
 * Any thread, one document at a time.
 */
#include "document/cda_rules.h"

#include <libxml/parser.h>

#include "document/xml_limits.h"

#define CDA_NAMESPACE "urn:hl7-org:v3"
#define XSL_NAMESPACE "http://www.w3.org/1999/XSL/Transform"
#define SIGNATURE_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"

enum { DEPTH = 256 };

/* ---- what stays when the version changes ---- */

/* How many bytes the parser has read, when the last of them, or the one behind, is as expected. The
 * answer is libxml2's own count; were it wrong, nothing may be said of the content.
 */
static size_t position(struct cda_reader *reader, bool is_end)
{
	long n = xmlByteConsumed(reader->parser);

	if (n > 0 && (size_t)n < reader->bytes.n &&
	    (is_end ? reader->bytes.p[n - 1] == '>'
		    : reader->bytes.p[n] == '>' || reader->bytes.p[n] == '/'))
		return (size_t)n;
	reader->lost = true;
	return reader->digested;
}

static void digest_up_to(struct cda_reader *reader, size_t end)
{
	const struct slice more = { reader->bytes.p + reader->digested, end - reader->digested };

	digest_add(reader->content, more);
	reader->digested = end;
}

/* The parser stands before the '>' of the start tag: the '<' is the last one there is, for no attribute
 * may hold any. The blanks before it go too: where there was no such element, they are not.
 */
static void leave_out(struct cda_reader *reader)
{
	size_t start = position(reader, false);

	reader->apart = reader->depth;
	while (start > reader->digested && reader->bytes.p[start] != '<')
		start--;
	while (start > reader->digested && strchr(" \t\r\n", reader->bytes.p[start - 1]) != NULL)
		start--;
	digest_up_to(reader, start);
}

static void take_up_again(struct cda_reader *reader)
{
	size_t end = position(reader, true);

	reader->lost |= end < reader->digested;
	reader->digested = max(end, reader->digested);
	reader->apart = 0;
}

static void apply(struct cda_reader *reader, const struct cda_rule *rule,
		  const struct cda_attributes *attributes)
{
	uint64_t bit = cda_rule_bit(rule);

	if (rule->once && (reader->seen & bit)) {
		cda_stop(reader, REASON_DOCUMENT_INVALID, "this element is there twice");
		return;
	}
	reader->seen |= bit;
	if (rule->of_version)
		leave_out(reader);
	cda_take_element(reader, rule, attributes);
}

/* One level down. An element that leads nowhere is passed over with all that is in it. */
static void enter(struct cda_reader *reader, const char *name, const char *uri,
		  const struct cda_attributes *attributes)
{
	size_t before = reader->path_n, n = strlen(name);
	const struct cda_rule *rule;
	bool leads;

	if (strcmp(uri, CDA_NAMESPACE) != 0 || before + 1 + n >= sizeof(reader->path)) {
		reader->skipped = reader->depth;
		return;
	}
	if (before > 0)
		reader->path[reader->path_n++] = '/';
	memcpy(reader->path + reader->path_n, name, n + 1);
	reader->path_n += n;

	rule = cda_rule_of(reader, &leads);
	if (rule != NULL)
		apply(reader, rule, attributes);
	if (rule == NULL && !leads) {
		reader->path_n = before;
		reader->path[before] = '\0';
		reader->skipped = reader->depth;
	}
}

/* What may stand around a ClinicalDocument: a style sheet that shows it, a signature. */
static void enter_around(struct cda_reader *reader, const char *name, const char *uri)
{
	bool is_document = strcmp(name, "ClinicalDocument") == 0 && strcmp(uri, CDA_NAMESPACE) == 0;

	if (is_document && reader->place == CDA_AFTER) {
		cda_stop(reader, REASON_DOCUMENT_INVALID, "there are two ClinicalDocument");
	} else if (is_document) {
		reader->place = CDA_INSIDE;
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
		cda_stop(reader, REASON_DOCUMENT_INVALID,
			 "the root is not ClinicalDocument in urn:hl7-org:v3");
	}
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespace_count, const xmlChar **namespaces, int attribute_count,
		     int defaulted_count, const xmlChar **five)
{
	struct cda_reader *reader = context;
	struct cda_attributes attributes = { five, (size_t)attribute_count };

	(void)prefix, (void)namespace_count, (void)namespaces, (void)defaulted_count;
	if (reader->failed)
		return;
	if (reader->parser->input->buf->encoder != NULL) /* libxml2 had to convert it */
		return cda_stop(reader, REASON_DOCUMENT_INVALID, "the document is not in UTF-8");
	if (attributes.count > XML_MOST_ATTRIBUTES)
		return cda_stop(reader, REASON_TOO_LARGE,
				"an element has more than 256 attributes");
	if (++reader->depth > reader->most_depth)
		return cda_stop(reader, REASON_TOO_LARGE, "elements are nested too deep");
	if (reader->skipped > 0)
		return;
	if (reader->place == CDA_INSIDE)
		enter(reader, (const char *)name, uri ? (const char *)uri : "", &attributes);
	else
		enter_around(reader, (const char *)name, uri ? (const char *)uri : "");
}

/* One level up again. */
static void leave(struct cda_reader *reader)
{
	const char *slash = strrchr(reader->path, '/');

	if (reader->depth == reader->root) {
		reader->place = CDA_AFTER;
		return;
	}
	if (reader->text_rule != NULL)
		cda_take_text(reader);
	reader->path_n = slash ? (size_t)(slash - reader->path) : 0;
	reader->path[reader->path_n] = '\0';
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct cda_reader *reader = context;

	(void)name, (void)prefix, (void)uri;
	if (reader->failed)
		return;
	if (reader->skipped == reader->depth)
		reader->skipped = 0;
	else if (reader->skipped == 0 && reader->place == CDA_INSIDE)
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
	struct cda_reader *reader = context;
	size_t room = CDA_MOST_VALUE - min(reader->text.n, (size_t)CDA_MOST_VALUE);

	if (reader->text_rule == NULL || reader->skipped > 0 || reader->failed)
		return;
	if (reader->text_rule->kind == CDA_BODY)
		base64_look(&reader->body, (struct slice){ (const char *)text, (size_t)n });
	else
		buf_add(&reader->text, (struct slice){ (const char *)text, min((size_t)n, room) });
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	cda_stop(context, REASON_DOCUMENT_INVALID, "the document declares a DTD");
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
	struct cda_reader *reader = context;

	if (reader->failed || error->level < XML_ERR_ERROR)
		return;
	reader->failed = true;
	err_refuse(reader->err, REASON_DOCUMENT_INVALID, cda_where(reader),
		   "not well-formed at line %d: %s (libxml2 error %d)", error->line,
		   words_of_error(error->code), error->code);
}

/* The parser asks for more. It may not be stopped here, where it would free the very buffer that it
 * is filling: it gets an error instead.
 */
static int on_read(void *context, char *buffer, int room)
{
	struct cda_reader *reader = context;
	size_t n = min((size_t)room, reader->rest.n);
	const char *too_many = xml_too_many(reader->parser);

	if (!reader->failed && too_many != NULL) {
		err_refuse(reader->err, REASON_TOO_LARGE, cda_where(reader), "%s", too_many);
		reader->failed = true;
	}
	if (reader->failed)
		return -1;
	if (n > 0)
		memcpy(buffer, reader->rest.p, n);
	reader->rest = slice_from(reader->rest, n);
	return (int)n;
}

static int run(struct cda_reader *reader)
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

	xml_thread_ready();
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
	if (reader->place != CDA_AFTER)
		return err_refuse(reader->err, REASON_DOCUMENT_INVALID, "",
				  "there is no ClinicalDocument in it");
	return 0;
}

static void unheard(void *context, const char *format, ...)
{
	(void)context, (void)format;
}

/* Bytes that are not in the encoding that they claim are told to no handler of a parser, but to stderr, the journal:
 * with the bytes, which may be a patient's name.
 */
void cda_start(void)
{
	xmlInitParser();
	xmlThrDefSetGenericErrorFunc(NULL, unheard); /* of the threads to come */
	xmlSetGenericErrorFunc(NULL, unheard);
}

int cda_read(struct cda *cda, struct slice bytes, const struct cda_limits *limits,
	     struct arena *arena, struct err *err)
{
	struct cda_reader reader = {
		.cda = cda,
		.arena = arena,
		.err = err,
		.rest = bytes,
		.bytes = bytes,
		.most_depth = limits->depth ? limits->depth : DEPTH,
		.text = { .limit = CDA_MOST_VALUE },
		.qualifier = "",
	};
	int rc;

	if (limits->most_bytes > 0 && bytes.n > limits->most_bytes)
		return err_refuse(err, REASON_TOO_LARGE, "",
				  "the document has %zu bytes, the limit is %zu", bytes.n,
				  limits->most_bytes);
	reader.content = digest_new(DIGEST_SHA256);
	cda_begin(cda);
	rc = run(&reader);
	buf_done(&reader.text);
	if (rc == 0)
		digest_up_to(&reader, bytes.n);
	digest_end(&reader.content, cda->content);
	cda->has_content = rc == 0 && !reader.lost;
	cda->main_event = rc == 0 ? cda_main_event(cda) : NULL;
	return rc;
}
