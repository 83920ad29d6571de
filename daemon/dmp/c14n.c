/* The canonical form of a whole document, from libxml2's SAX events. Any thread.
 *
 * Of a whole document the rules are few (Canonical XML 1.0, 2.3): a namespace is declared where it
 * first says something else than around it, declarations come before attributes, both sorted; what
 * is text is escaped in one way; what is outside the root stands on lines of its own. Entities,
 * character references, CDATA and line ends were resolved by the parser.
 */
#include "dmp/c14n.h"

#include <libxml/parser.h>
#include <libxml/uri.h>

#include "document/xml_limits.h"

enum {
	MOST_DEPTH = 256,
	MOST_ATTRIBUTES = 256,
	MOST_BINDINGS = 1024, /* of prefixes, around an element */
	CHUNK = 16 << 10,
};

/* What a prefix means from an element on. */
struct binding {
	const char *prefix; /* "": the default namespace */
	const char *uri;    /* "": none */
};

struct canon {
	xmlParserCtxtPtr parser;
	struct slice rest; /* not handed to the parser yet */
	c14n_sink *sink;
	void *arg;
	struct err *err;
	bool failed;

	struct binding bindings[MOST_BINDINGS];
	size_t binding_count;
	size_t outside[MOST_DEPTH]; /* how many bindings hold around the element at each depth */
	size_t depth;
	bool root_was_seen;

	char chunk[CHUNK]; /* written, not yet given to the sink */
	size_t chunk_n;
};

static void fail(struct canon *canon, enum reason reason, const char *text)
{
	if (!canon->failed)
		err_refuse(canon->err, reason, "", "the document has no canonical form: %s", text);
	canon->failed = true;
}

/* ---- bytes out ---- */

static void flush(struct canon *canon)
{
	if (canon->chunk_n > 0)
		canon->sink(canon->arg, (struct slice){ canon->chunk, canon->chunk_n });
	canon->chunk_n = 0;
}

static void put(struct canon *canon, struct slice bytes)
{
	if (bytes.n > CHUNK - canon->chunk_n)
		flush(canon);
	if (bytes.n > CHUNK) {
		canon->sink(canon->arg, bytes);
		return;
	}
	if (bytes.n > 0)
		memcpy(canon->chunk + canon->chunk_n, bytes.p, bytes.n);
	canon->chunk_n += bytes.n;
}

static void put_text(struct canon *canon, const char *text)
{
	put(canon, slice_of(text));
}

/* The characters that do not stand for themselves: in text, in attributes, elsewhere. */
/* clang-format off */
static const char *const in_text[256] = {
	['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#xD;",
};
static const char *const in_attributes[256] = {
	['&'] = "&amp;", ['<'] = "&lt;", ['"'] = "&quot;",
	['\t'] = "&#x9;", ['\n'] = "&#xA;", ['\r'] = "&#xD;",
};
static const char *const elsewhere[256] = { ['\r'] = "&#xD;" };
/* clang-format on */

static void put_escaped(struct canon *canon, struct slice text, const char *const *escapes)
{
	size_t from = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *escape = escapes[(unsigned char)text.p[i]];

		if (escape == NULL)
			continue;
		put(canon, (struct slice){ text.p + from, i - from });
		put_text(canon, escape);
		from = i + 1;
	}
	put(canon, slice_from(text, from));
}

static void put_name(struct canon *canon, const xmlChar *prefix, const xmlChar *name)
{
	if (prefix != NULL) {
		put_text(canon, (const char *)prefix);
		put_text(canon, ":");
	}
	put_text(canon, (const char *)name);
}

/* ---- namespaces ---- */

/* What the prefix means around the element being opened; "": nothing. */
static const char *meaning_of(const struct canon *canon, const char *prefix, size_t count)
{
	while (count-- > 0)
		if (strcmp(canon->bindings[count].prefix, prefix) == 0)
			return canon->bindings[count].uri;
	return "";
}

/* Section 1.3: a document with a relative namespace URI has no canonical form. */
static bool is_relative(const char *uri)
{
	xmlURIPtr parsed = uri[0] ? xmlParseURI(uri) : NULL;
	bool relative = uri[0] != '\0' && (parsed == NULL || parsed->scheme == NULL);

	xmlFreeURI(parsed);
	return relative;
}

/* The usual names, so that nothing is parsed for them. */
static bool is_urn_or_http(const char *uri)
{
	return strncmp(uri, "urn:", 4) == 0 || strncmp(uri, "http://www.w3.org/", 18) == 0;
}

/* Keeps what the element declares and its surroundings did not, sorted by prefix. `pairs`: prefix
 * and URI, in turn. Returns the first of them.
 */
static size_t bind(struct canon *canon, const xmlChar **pairs, size_t count)
{
	const size_t outside = canon->binding_count;

	for (size_t i = 0; i < count; i++) {
		const char *prefix = pairs[2 * i] ? (const char *)pairs[2 * i] : "";
		const char *uri = pairs[2 * i + 1] ? (const char *)pairs[2 * i + 1] : "";
		size_t at = canon->binding_count;

		if (strcmp(prefix, "xml") == 0 ||
		    strcmp(meaning_of(canon, prefix, outside), uri) == 0)
			continue;
		if (!is_urn_or_http(uri) && is_relative(uri))
			fail(canon, REASON_DOCUMENT_INVALID,
			     "it declares a namespace by a relative URI");
		if (canon->binding_count == MOST_BINDINGS) {
			fail(canon, REASON_TOO_LARGE, "too many namespaces are declared");
			return outside;
		}
		for (; at > outside && strcmp(prefix, canon->bindings[at - 1].prefix) < 0; at--)
			canon->bindings[at] = canon->bindings[at - 1];
		canon->bindings[at] = (struct binding){ prefix, uri };
		canon->binding_count++;
	}
	return outside;
}

static void put_declarations(struct canon *canon, size_t first)
{
	for (size_t i = first; i < canon->binding_count; i++) {
		const struct binding *binding = &canon->bindings[i];

		put_text(canon, binding->prefix[0] ? " xmlns:" : " xmlns");
		put_text(canon, binding->prefix);
		put_text(canon, "=\"");
		put_escaped(canon, slice_of(binding->uri), in_attributes);
		put_text(canon, "\"");
	}
}

/* ---- attributes ---- */

/* As libxml2 gives them: five pointers each. */
enum { NAME, PREFIX, URI, VALUE, VALUE_END, FIVE };

/* By namespace, then by name; those without a namespace first. */
static int compare(const xmlChar *const *a, const xmlChar *const *b)
{
	int order = a[URI] == b[URI] ? 0
		    : a[URI] == NULL ? -1
		    : b[URI] == NULL ? 1
				     : strcmp((const char *)a[URI], (const char *)b[URI]);

	return order ? order : strcmp((const char *)a[NAME], (const char *)b[NAME]);
}

static void put_attributes(struct canon *canon, const xmlChar **attributes, size_t count)
{
	const xmlChar *const *sorted[MOST_ATTRIBUTES];

	for (size_t i = 0; i < count; i++) {
		const xmlChar *const *attribute = attributes + i * FIVE;
		size_t at = i;

		for (; at > 0 && compare(attribute, sorted[at - 1]) < 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = attribute;
	}
	for (size_t i = 0; i < count; i++) {
		const xmlChar *const *attribute = sorted[i];

		put_text(canon, " ");
		put_name(canon, attribute[PREFIX], attribute[NAME]);
		put_text(canon, "=\"");
		put_escaped(canon,
			    (struct slice){ (const char *)attribute[VALUE],
					    (size_t)(attribute[VALUE_END] - attribute[VALUE]) },
			    in_attributes);
		put_text(canon, "\"");
	}
}

/* ---- what the parser meets ---- */

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespace_count, const xmlChar **namespaces, int attribute_count,
		     int defaulted_count, const xmlChar **attributes)
{
	struct canon *canon = context;
	size_t first;

	(void)uri, (void)defaulted_count;
	if (canon->parser->input->buf->encoder != NULL) /* libxml2 had to convert it */
		fail(canon, REASON_DOCUMENT_INVALID, "it is not in UTF-8");
	if (!canon->failed && attribute_count > MOST_ATTRIBUTES)
		fail(canon, REASON_TOO_LARGE, "an element has more than 256 attributes");
	if (!canon->failed && canon->depth == MOST_DEPTH)
		fail(canon, REASON_TOO_LARGE, "elements are nested too deep");
	if (canon->failed)
		return;
	first = bind(canon, namespaces, (size_t)namespace_count);
	canon->outside[canon->depth++] = first;
	canon->root_was_seen = true;
	put_text(canon, "<");
	put_name(canon, prefix, name);
	put_declarations(canon, first);
	put_attributes(canon, attributes, (size_t)attribute_count);
	put_text(canon, ">");
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct canon *canon = context;

	(void)uri;
	if (canon->failed)
		return;
	canon->binding_count = canon->outside[--canon->depth];
	put_text(canon, "</");
	put_name(canon, prefix, name);
	put_text(canon, ">");
}

static void on_characters(void *context, const xmlChar *text, int n)
{
	struct canon *canon = context;

	if (!canon->failed)
		put_escaped(canon, (struct slice){ (const char *)text, (size_t)n }, in_text);
}

/* Outside the root, comments and instructions stand on lines of their own. */
static void put_aside(struct canon *canon, const char *open, const char *text, const char *rest,
		      const char *close)
{
	const bool is_outside = canon->depth == 0;

	if (canon->failed)
		return;
	if (is_outside && canon->root_was_seen)
		put_text(canon, "\n");
	put_text(canon, open);
	put_escaped(canon, slice_of(text), elsewhere);
	if (rest[0] != '\0')
		put_text(canon, " ");
	put_escaped(canon, slice_of(rest), elsewhere);
	put_text(canon, close);
	if (is_outside && !canon->root_was_seen)
		put_text(canon, "\n");
}

static void on_comment(void *context, const xmlChar *text)
{
	put_aside(context, "<!--", (const char *)text, "", "-->");
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *data)
{
	put_aside(context, "<?", (const char *)target, data ? (const char *)data : "", "?>");
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	fail(context, REASON_DOCUMENT_INVALID, "it declares a DTD");
}

/* libxml2's messages quote the document: its code says enough to whoever reads its header. */
static void on_error(void *context, xmlErrorPtr error)
{
	struct canon *canon = context;

	if (canon->failed || error->level < XML_ERR_ERROR)
		return;
	canon->failed = true;
	err_refuse(canon->err, REASON_DOCUMENT_INVALID, "",
		   "the document is not well-formed at line %d (libxml2 error %d)", error->line,
		   error->code);
}

static int on_read(void *context, char *buffer, int room)
{
	struct canon *canon = context;
	size_t n = min((size_t)room, canon->rest.n);

	if (canon->failed)
		return -1;
	if (n > 0)
		memcpy(buffer, canon->rest.p, n);
	canon->rest = slice_from(canon->rest, n);
	return (int)n;
}

static int run(struct canon *canon)
{
	xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_doctype,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_characters,
		.ignorableWhitespace = on_characters,
		.cdataBlock = on_characters,
		.comment = on_comment,
		.processingInstruction = on_instruction,
		.serror = on_error,
	};
	bool well_formed;

	xml_thread_ready();
	canon->parser = xmlCreateIOParserCtxt(&handler, canon, on_read, NULL, canon,
					      XML_CHAR_ENCODING_NONE);
	if (canon->parser == NULL)
		return err_set(canon->err, ERR_RETRY, "libxml2 has no memory for a parser");
	/* Without NOENT it would leave &amp; in attributes as &#38;. There is no other entity. */
	xmlCtxtUseOptions(canon->parser, XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT);
	xmlParseDocument(canon->parser);
	well_formed = canon->parser->wellFormed && canon->parser->nsWellFormed;
	xmlFreeDoc(canon->parser->myDoc);
	xmlFreeParserCtxt(canon->parser);

	if (!canon->failed && !well_formed)
		fail(canon, REASON_DOCUMENT_INVALID, "it is not well-formed");
	if (canon->failed)
		return -1;
	flush(canon);
	return 0;
}

int c14n(struct slice document, c14n_sink *sink, void *arg, struct err *err)
{
	struct canon *canon = xcalloc(1, sizeof(*canon)); /* too large for a thread's stack */
	int rc;

	canon->rest = document;
	canon->sink = sink;
	canon->arg = arg;
	canon->err = err;
	rc = run(canon);
	free(canon);
	return rc;
}

static void into_digest(void *arg, struct slice piece)
{
	digest_add(arg, piece);
}

int c14n_digest(struct slice document, enum digest_kind kind,
		uint8_t ret_digest[static DIGEST_MOST], size_t *ret_n, struct err *err)
{
	struct digest *digest = digest_new(kind);
	uint8_t whole[DIGEST_MOST];
	int rc = c14n(document, into_digest, digest, err);
	size_t n = digest_end(&digest, whole);

	if (rc < 0)
		return -1;
	memcpy(ret_digest, whole, n);
	*ret_n = n;
	return 0;
}
