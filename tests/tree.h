/* What a builder of dmp/ wrote, as a tree to ask questions of, and held against the DMP's schemas
 * where they are at hand (environment variable DMPFEED_SCHEMAS: the folder that holds schema/).
 */
#ifndef DMPFEED_TESTS_TREE_H
#define DMPFEED_TESTS_TREE_H

#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "sample.h"

struct tree {
	xmlDoc *doc;
	xmlXPathContext *xpath;
};

struct fact {
	const char *expression, *expected;
};

static inline void tree_done(struct tree *tree)
{
	xmlXPathFreeContext(tree->xpath);
	xmlFreeDoc(tree->doc);
}

/* Prefixes: l lcm, q query, r rim, h HL7 V3, s SAML, ds XML Signature, e XAdES. */
static inline struct tree tree_of(const struct buf *text)
{
	static const char *const spaces[][2] = {
		{ "l", "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" },
		{ "q", "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" },
		{ "r", "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" },
		{ "h", "urn:hl7-org:v3" },
		{ "s", "urn:oasis:names:tc:SAML:2.0:assertion" },
		{ "ds", "http://www.w3.org/2000/09/xmldsig#" },
		{ "e", "http://uri.etsi.org/01903/v1.1.1#" },
		{ "xsi", "http://www.w3.org/2001/XMLSchema-instance" },
	};
	struct tree tree = { .doc = xmlReadMemory(text->p, (int)text->n, NULL, NULL,
						  XML_PARSE_NONET) };

	assert_non_null(tree.doc);
	tree.xpath = xmlXPathNewContext(tree.doc);
	for (size_t i = 0; i < length_of(spaces); i++)
		xmlXPathRegisterNs(tree.xpath, (const xmlChar *)spaces[i][0],
				   (const xmlChar *)spaces[i][1]);
	return tree;
}

static inline void assert_fact(const struct tree *tree, const struct fact *fact)
{
	xmlXPathObject *found = xmlXPathEval((const xmlChar *)fact->expression, tree->xpath);
	xmlChar *text;

	assert_non_null(found);
	text = xmlXPathCastToString(found);
	if (strcmp((const char *)text, fact->expected) != 0)
		print_error("%s\n", fact->expression);
	assert_string_equal((const char *)text, fact->expected);
	xmlFree(text);
	xmlXPathFreeObject(found);
}

static inline void assert_facts(const struct buf *text, const struct fact *facts, size_t count)
{
	scoped(tree_done) struct tree tree = tree_of(text);

	for (size_t i = 0; i < count; i++)
		assert_fact(&tree, &facts[i]);
}

/* NULL, after saying so: the schemas are not at hand. `path` within DMPFEED_SCHEMAS. */
static inline xmlSchema *schema_at_hand(const char *path)
{
	const char *folder = getenv("DMPFEED_SCHEMAS");
	char *file = xasprintf("%s/%s", folder ? folder : "", path);
	xmlSchemaParserCtxt *parser;
	xmlSchema *schema = NULL;

	if (folder == NULL) {
		print_message("# not compared: DMPFEED_SCHEMAS is not set\n");
	} else if (access(file, R_OK) < 0) {
		print_message("# not compared: %s cannot be read\n", file);
	} else {
		parser = xmlSchemaNewParserCtxt(file);
		schema = xmlSchemaParse(parser);
		xmlSchemaFreeParserCtxt(parser);
		assert_non_null(schema);
	}
	free(file);
	return schema;
}

static inline void assert_valid(xmlSchema *schema, const struct buf *text)
{
	scoped(tree_done) struct tree tree = tree_of(text);
	xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(schema);

	assert_int_equal(xmlSchemaValidateDoc(context, tree.doc), 0);
	xmlSchemaFreeValidCtxt(context);
}

#endif
