/* Writing XML by hand, safely: the escaping that every builder shares. Pure. Any thread. */
#ifndef DMPFEED_BASE_XML_H
#define DMPFEED_BASE_XML_H

#include "base/buf.h"

enum { XML_REPLACEMENT = 0xfffd };

/* The first character of `text`, which is not empty, and the bytes it takes (1 at least). A byte
 * that is not UTF-8, and a character that XML 1.0 does not allow, read as XML_REPLACEMENT.
 */
size_t xml_char(struct slice text, uint32_t *ret_char);

/* Appends `text` as character data or as the value of an attribute in double quotes; characters
 * that XML 1.0 does not allow, and bytes that are not UTF-8, become U+FFFD. Tabs and line ends
 * survive the normalisation of attributes.
 */
void xml_add(struct buf *out, const char *text);

/* The same as Canonical XML 1.0 writes it (section 2.3), for what is signed: character data, and
 * the value of an attribute.
 */
void xml_add_canonical_text(struct buf *out, const char *text);
void xml_add_canonical_attribute(struct buf *out, const char *text);

#endif
