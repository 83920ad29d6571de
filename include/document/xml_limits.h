/* What libxml2 2.9 would take minutes or hours over, in a few megabytes: it compares each attribute of an element with
 * all others, searches the namespaces around it one by one, and its dictionary of names becomes a list. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_XML_LIMITS_H
#define DMPFEED_DOCUMENT_XML_LIMITS_H

#include "base/buf.h"

struct _xmlParserCtxt;

enum { XML_MOST_ATTRIBUTES = 256 /* of an element */ };

/* Before libxml2 in any thread, as often as may be: it crashes where it finds no memory for what a thread has of its
 * own. We end in words.
 */
void xml_thread_ready(void);

/* What there is too much of in what was read so far; NULL: nothing. */
const char *xml_too_many(const struct _xmlParserCtxt *parser);

/* Bytes that are handed over piece by piece while nothing is too many. The parser is set once it is made. */
struct xml_source {
	struct slice rest;
	const struct _xmlParserCtxt *parser;
};

/* libxml2's xmlInputReadCallback: -1 ends the reading, which is then not well-formed. */
int xml_source_read(void *xml_source, char *buffer, int room);

#endif
