/* Exchange media. Any thread, one medium at a time. */
#include "document/xdm.h"

#include <libxml/parser.h>
#include <stdio.h>

#include "base/codec.h"
#include "document/ins.h"
#include "document/xml_limits.h"

#define RIM "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define UNIQUE_ID "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
#define PATIENT_ID "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
#define CONFIDENTIALITY "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
#define FORMAT "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
#define SET_AUTHOR "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
#define PERSON_DOMAIN "1.2.250.1.71.4.2.1"
#define RPLC "urn:ihe:iti:2007:AssociationType:RPLC"

enum {
	METADATA_BYTES = 4 << 20, /* of a METADATA.XML: kilobytes, in practice */
	XCN_PARTS = 13,
};

struct reading {
	struct xdm *xdm;
	struct unzip *unzip;
	struct arena *arena;
	struct err *err;
	const char *subset;  /* "IHE_XDM/SUBSET01/" */
	const xmlNode *list; /* of its registry objects */
};

static int refuse(struct reading *reading, const char *what)
{
	return err_refuse(reading->err, REASON_DOCUMENT_INVALID, "METADATA.XML", "%s", what);
}

static int refuse_document(struct reading *reading, const char *where, const char *what)
{
	return err_refuse(reading->err, REASON_DOCUMENT_INVALID, where, "document %zu: %s",
			  reading->xdm->count + 1, what);
}

/* ---- ebRIM ---- */

static bool is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns != NULL &&
	       strcmp((const char *)node->ns->href, RIM) == 0 &&
	       strcmp((const char *)node->name, name) == 0;
}

/* The first of that name from `node` on, itself included, among its siblings. */
static const xmlNode *next(const xmlNode *node, const char *name)
{
	while (node != NULL && !is(node, name))
		node = node->next;
	return node;
}

static const char *attribute(struct reading *reading, const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	const char *text = arena_dup(reading->arena, slice_trim(slice_of((char *)value)));

	xmlFree(value);
	return text;
}

static bool attribute_is(const xmlNode *node, const char *name, const char *value)
{
	xmlChar *text = xmlGetNoNsProp(node, (const xmlChar *)name);
	bool same = slice_is(slice_trim(slice_of((char *)text)), value);

	xmlFree(text);
	return same;
}

static const char *text_of(struct reading *reading, const xmlNode *node)
{
	xmlChar *content = node ? xmlNodeGetContent(node) : NULL;
	const char *text = arena_dup(reading->arena, slice_trim(slice_of((char *)content)));

	xmlFree(content);
	return text;
}

/* The first value of a slot; "" when there is none. */
static const char *slot(struct reading *reading, const xmlNode *object, const char *name)
{
	for (const xmlNode *s = next(object->children, "Slot"); s; s = next(s->next, "Slot")) {
		const xmlNode *values = next(s->children, "ValueList");

		if (values != NULL && attribute_is(s, "name", name))
			return text_of(reading, next(values->children, "Value"));
	}
	return "";
}

static const char *identifier(struct reading *reading, const xmlNode *object, const char *scheme)
{
	static const char kind[] = "ExternalIdentifier";

	for (const xmlNode *i = next(object->children, kind); i; i = next(i->next, kind))
		if (attribute_is(i, "identificationScheme", scheme))
			return attribute(reading, i, "value");
	return "";
}

/* The classification of a scheme from `from` on. */
static const xmlNode *classified(const xmlNode *from, const char *scheme)
{
	const xmlNode *c = next(from, "Classification");

	while (c != NULL && !attribute_is(c, "classificationScheme", scheme))
		c = next(c->next, "Classification");
	return c;
}

/* ---- what is said of a document ---- */

/* Cuts at each separator; parts that are not there are empty. */
static void cut(struct slice text, char separator, struct slice *ret_parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!slice_next(&text, separator, &ret_parts[i]))
			ret_parts[i] = (struct slice){ "", 0 };
}

/* CX: "number^^^&oid&ISO^NH". */
static void take_patient(struct reading *reading, const xmlNode *entry,
			 struct xdm_document *document)
{
	struct slice parts[4], authority[2];

	cut(slice_of(identifier(reading, entry, PATIENT_ID)), '^', parts, length_of(parts));
	cut(parts[3], '&', authority, length_of(authority));
	document->patient_ins = arena_dup(reading->arena, parts[0]);
	document->patient_ins_oid = arena_dup(reading->arena, authority[1]);
	if (!ins_is_domain(document->patient_ins_oid))
		document->patient_ins = document->patient_ins_oid = "";
}

/* Of the submission set: a folder has none, and may stand before it. */
static const xmlNode *find_author(struct reading *reading)
{
	static const char kind[] = "RegistryPackage";
	const xmlNode *package = next(reading->list->children, kind), *author = NULL;

	for (; package != NULL && author == NULL; package = next(package->next, kind))
		author = classified(package->children, SET_AUTHOR);
	return author;
}

/* XCN: "id^family^given^^^^^^&oid&ISO^D^^^IDNPS". A system (U) asks for nothing by itself: ours
 * does. So it does for whom a number of another domain names: nationally, that number is somebody else's.
 */
static void take_sender(struct reading *reading, struct xdm_document *document)
{
	const xmlNode *author = find_author(reading);
	struct slice parts[XCN_PARTS], authority[2];
	bool is_internal;

	document->sender_id = document->sender_family = document->sender_given = "";
	if (author == NULL)
		return;
	cut(slice_of(slot(reading, author, "authorPerson")), '^', parts, XCN_PARTS);
	cut(parts[8], '&', authority, length_of(authority));
	is_internal = slice_is(parts[12], "EI");
	if (slice_is(parts[9], "U") || !(is_internal || slice_is(authority[1], PERSON_DOMAIN)))
		return;
	document->sender_id = arena_dup(reading->arena, parts[0]);
	document->sender_family = arena_dup(reading->arena, parts[1]);
	document->sender_given = arena_dup(reading->arena, parts[2]);
	document->sender_id_is_internal = is_internal;
}

static void take_confidentiality(const xmlNode *entry, struct xdm_document *document)
{
	static const char *const restricted[] = { "R", "V" };
	const struct {
		const char *code;
		bool *flag;
	} flags[] = {
		{ "MASQUE_PS", &document->masked_from_professionals },
		{ "INVISIBLE_PATIENT", &document->invisible_to_patient },
		{ "INVISIBLE_REPRESENTANTS_LEGAUX", &document->invisible_to_guardians },
	};
	const xmlNode *c = entry->children;

	document->restricted = NULL;
	for (; (c = classified(c, CONFIDENTIALITY)) != NULL; c = c->next) {
		for (size_t i = 0; i < length_of(flags); i++)
			if (attribute_is(c, "nodeRepresentation", flags[i].code))
				*flags[i].flag = true;
		for (size_t i = 0; i < length_of(restricted); i++)
			if (attribute_is(c, "nodeRepresentation", restricted[i]))
				document->restricted = restricted[i];
	}
}

/* What an entry replaces is named by the registry's id, which only tells us something when the
 * entry is of this medium.
 */
static void take_replacement(struct reading *reading, const xmlNode *entry,
			     struct xdm_document *document)
{
	const char *id = attribute(reading, entry, "id"), *target = NULL;
	const xmlNode *first = reading->list->children, *a, *other;

	document->replaced_id = "";
	for (a = next(first, "Association"); a && target == NULL; a = next(a->next, "Association"))
		if (attribute_is(a, "associationType", RPLC) && attribute_is(a, "sourceObject", id))
			target = attribute(reading, a, "targetObject");
	if (target == NULL)
		return;
	document->replaces = true;
	for (other = next(first, "ExtrinsicObject"); other;
	     other = next(other->next, "ExtrinsicObject"))
		if (attribute_is(other, "id", target))
			document->replaced_id = identifier(reading, other, UNIQUE_ID);
}

/* ---- the document itself ---- */

/* The file in the same folder that the entry names. */
static int find_file(struct reading *reading, const xmlNode *entry, struct xdm_document *document,
		     size_t *ret_index)
{
	const char *uri = slot(reading, entry, "URI");

	if (uri[0] == '\0')
		return refuse_document(reading, "URI", "METADATA.XML does not name its file");
	document->name = arena_printf(reading->arena, "%s%s", reading->subset, uri);
	if (!unzip_find(reading->unzip, document->name, ret_index))
		return refuse_document(reading, "URI",
				       "the file that METADATA.XML names is not in its folder");
	for (size_t i = 0; i < reading->xdm->count; i++)
		if (strcasecmp(reading->xdm->documents[i].name, document->name) == 0)
			return refuse_document(reading, "URI", "METADATA.XML names its file twice");
	return 0;
}

/* What the sender counted and hashed must be what came. */
static int check_file(struct reading *reading, const xmlNode *entry,
		      const struct xdm_document *document)
{
	const char *size = slot(reading, entry, "size"), *hash = slot(reading, entry, "hash");
	uint8_t digest[SHA1_BYTES];
	char hex[SHA1_BYTES * 2 + 1];
	uint64_t bytes = 0;

	if (size[0] != '\0' &&
	    (!slice_to_u64(slice_of(size), UINT64_MAX, &bytes) || bytes != document->bytes.n))
		return refuse_document(reading, "size", "its size is not what METADATA.XML says");
	sha1(buf_slice(&document->bytes), digest);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (hash[0] != '\0' && strcasecmp(hash, hex) != 0)
		return refuse_document(reading, "hash", "its SHA-1 is not what METADATA.XML says");
	return 0;
}

static int check_mime_type(struct reading *reading, const xmlNode *entry)
{
	const char *type = attribute(reading, entry, "mimeType");

	if (strcmp(type, "text/xml") == 0 || strcmp(type, "application/xml") == 0 ||
	    strcmp(type, "application/xslt+xml") == 0)
		return 0;
	if (strcmp(type, "application/pdf") == 0)
		return refuse_document(reading, "mimeType",
				       "a PDF of an exchange medium is not taken: have it sent as "
				       "a CDA, or drop it beside a .yaml that describes it");
	return refuse_document(reading, "mimeType", "only CDA documents (text/xml) are taken");
}

/* The sender's signature of its own submission: ours is signed anew. */
static bool is_signature(struct reading *reading, const xmlNode *entry)
{
	const xmlNode *format = classified(entry->children, FORMAT);
	const char *code = format ? attribute(reading, format, "nodeRepresentation") : "";

	return strcmp(code, "http://www.w3.org/2000/09/xmldsig#") == 0 ||
	       slice_starts(slice_of(code), "urn:ihe:iti:dsg:");
}

static int take_document(struct reading *reading, const xmlNode *entry)
{
	struct xdm *xdm = reading->xdm;
	struct xdm_document *document = &xdm->documents[xdm->count];
	size_t index;

	if (is_signature(reading, entry))
		return 0;
	if (xdm->count == XDM_DOCUMENTS_MOST)
		return err_refuse(reading->err, REASON_TOO_LARGE, "METADATA.XML",
				  "the medium holds more than %d documents", XDM_DOCUMENTS_MOST);
	document->unique_id = identifier(reading, entry, UNIQUE_ID);
	if (document->unique_id[0] == '\0')
		return refuse_document(reading, "uniqueId", "METADATA.XML gives it no uniqueId");
	if (check_mime_type(reading, entry) < 0 || find_file(reading, entry, document, &index) < 0)
		return -1;
	take_patient(reading, entry, document);
	take_confidentiality(entry, document);
	take_replacement(reading, entry, document);
	take_sender(reading, document);
	if (unzip_take(reading->unzip, index, &document->bytes, reading->err) < 0 ||
	    check_file(reading, entry, document) < 0) {
		buf_done(&document->bytes);
		return -1;
	}
	xdm->count++;
	return 0;
}

/* ---- METADATA.XML ---- */

/* Called at "<!DOCTYPE", before anything is declared: no entity ever exists. */
static void on_dtd(void *context, const xmlChar *name, const xmlChar *public_id,
		   const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;

	(void)name, (void)public_id, (void)system_id;
	xmlStopParser(parser);
	parser->wellFormed = 0;
}

/* NULL: not XML, XML with a DOCTYPE, or with too much of something. */
static xmlDoc *parse(struct slice bytes)
{
	struct xml_source source = { bytes, NULL };
	xmlParserCtxt *parser;
	xmlDoc *tree;

	xml_thread_ready();
	parser = xmlNewParserCtxt();
	if (parser == NULL)
		no_memory();
	source.parser = parser;
	parser->sax->internalSubset = on_dtd;
	tree = xmlCtxtReadIO(parser, xml_source_read, NULL, &source, NULL, NULL,
			     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (tree != NULL && !parser->wellFormed) {
		xmlFreeDoc(tree);
		tree = NULL;
	}
	xmlFreeParserCtxt(parser);
	return tree;
}

/* SubmitObjectsRequest holds one RegistryObjectList; so does what may stand around it. */
static const xmlNode *find_list(const xmlNode *node)
{
	for (unsigned depth = 0; node != NULL && depth < 4; depth++) {
		const xmlNode *list = next(node, "RegistryObjectList");

		if (list != NULL)
			return list;
		while (node != NULL && node->type != XML_ELEMENT_NODE)
			node = node->next;
		node = node ? node->children : NULL;
	}
	return NULL;
}

static int read_objects(struct reading *reading)
{
	const size_t before = reading->xdm->count;
	const xmlNode *entry = next(reading->list->children, "ExtrinsicObject");

	for (; entry != NULL; entry = next(entry->next, "ExtrinsicObject"))
		if (take_document(reading, entry) < 0)
			return -1;
	return reading->xdm->count > before ? 0 : refuse(reading, "it names no document");
}

static int read_subset(struct reading *reading, size_t index)
{
	scoped(buf_done) struct buf bytes = { 0 };
	xmlDoc *tree;
	int rc;

	if (unzip_take(reading->unzip, index, &bytes, reading->err) < 0)
		return -1;
	if (bytes.n > METADATA_BYTES)
		return err_refuse(reading->err, REASON_TOO_LARGE, "METADATA.XML",
				  "it is larger than 4 MiB");
	tree = parse(buf_slice(&bytes));
	if (tree == NULL)
		return refuse(reading, "it is not XML, or has a DOCTYPE");
	reading->list = find_list(xmlDocGetRootElement(tree));
	rc = reading->list ? read_objects(reading)
			   : refuse(reading, "it is no SubmitObjectsRequest of ebRIM 3.0");
	xmlFreeDoc(tree);
	return rc;
}

/* "IHE_XDM/SUBSET01/METADATA.XML" */
static bool is_metadata(const char *name)
{
	static const char before[] = "IHE_XDM/", after[] = "/METADATA.XML";
	const char *folder = name + strlen(before), *rest;

	if (strncasecmp(name, before, strlen(before)) != 0)
		return false;
	rest = strchr(folder, '/');
	return rest != NULL && rest != folder && strcasecmp(rest, after) == 0;
}

int xdm_read(struct xdm *xdm, struct slice bytes, const struct unzip_limits *limits,
	     struct arena *arena, struct err *err)
{
	scoped(unzip_free) struct unzip *unzip = NULL;
	struct reading reading = { .xdm = xdm, .arena = arena, .err = err };
	bool found = false;

	*xdm = (struct xdm){ 0 };
	if (unzip_open(&unzip, bytes, limits, err) < 0)
		return -1;
	reading.unzip = unzip;
	for (size_t i = 0; i < unzip_count(unzip); i++) {
		const char *name = unzip_name(unzip, i);

		if (!is_metadata(name))
			continue;
		found = true;
		reading.subset = arena_dup(
			arena, (struct slice){ name, strlen(name) - strlen("METADATA.XML") });
		if (read_subset(&reading, i) < 0) {
			xdm_done(xdm);
			return -1;
		}
	}
	if (!found)
		return err_refuse(err, REASON_DOCUMENT_INVALID, "METADATA.XML",
				  "the archive is no exchange medium: there is no "
				  "IHE_XDM/SUBSET01/METADATA.XML in it");
	return 0;
}

void xdm_done(struct xdm *xdm)
{
	for (size_t i = 0; i < xdm->count; i++)
		buf_done(&xdm->documents[i].bytes);
	xdm->count = 0;
}
