/* The canonical form of a document: whatever has one has it from libxml2's own canonicaliser too,
 * byte for byte, and is its own canonical form.
 */
#include <libxml/c14n.h>
#include <libxml/parser.h>

#include "dmp/c14n.h"
#include "document/cda.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append(void *arg, struct slice piece)
{
	buf_add(arg, piece);
}

static struct slice by_tree(struct slice document, xmlChar **ret_text)
{
	xmlDoc *doc = xmlReadMemory(document.p, (int)document.n, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR |
					    XML_PARSE_NOWARNING);
	int n = doc ? xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, ret_text) : -1;

	xmlFreeDoc(doc);
	if (n < 0)
		abort();
	return (struct slice){ (char *)*ret_text, (size_t)n };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice document = { (const char *)data, size };
	scoped(buf_done) struct buf out = { 0 }, again = { 0 };
	xmlChar *tree_text = NULL;
	struct err err = { 0 };

	cda_start();
	if (c14n(document, append, &out, &err) < 0)
		return 0;
	if (!slice_equal(buf_slice(&out), by_tree(document, &tree_text)) ||
	    c14n(buf_slice(&out), append, &again, &err) < 0 ||
	    !slice_equal(buf_slice(&out), buf_slice(&again)))
		abort();
	xmlFree(tree_text);
	return 0;
}
