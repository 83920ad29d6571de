/* What libxml2 would take minutes over is not given to it whole. Any thread. */
#include "document/xml_limits.h"

#include <libxml/parser.h>

enum {
	MOST_NAMESPACES = 256, /* declared around an element */
	MOST_NAMES = 16384,    /* different ones */
};

void xml_thread_ready(void)
{
	if (!xmlIsMainThread() && xmlGetGlobalState() == NULL) /* the main one has it */
		no_memory();
}

const char *xml_too_many(const xmlParserCtxt *parser)
{
	if (parser->maxatts / 5 > 4 * XML_MOST_ATTRIBUTES)
		return "an element has too many attributes";
	if (parser->nsNr / 2 > MOST_NAMESPACES)
		return "too many namespaces are declared around an element";
	if (xmlDictSize(parser->dict) > MOST_NAMES)
		return "there are too many different names";
	return NULL;
}

int xml_source_read(void *xml_source, char *buffer, int room)
{
	struct xml_source *source = xml_source;
	const size_t n = min((size_t)room, source->rest.n);

	if (source->parser != NULL && xml_too_many(source->parser) != NULL)
		return -1;
	if (n > 0)
		memcpy(buffer, source->rest.p, n);
	source->rest = slice_from(source->rest, n);
	return (int)n;
}
