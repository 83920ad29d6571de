/* Writing XML by hand, safely: the escaping that every builder of dmp/ shares. Pure. Any thread. */
#ifndef DMPFEED_DMP_XML_H
#define DMPFEED_DMP_XML_H

#include "base/buf.h"

/* Appends `text` as character data or as the value of an attribute in double quotes; characters
 * that XML 1.0 does not allow, and bytes that are not UTF-8, become U+FFFD.
 */
void xml_add(struct buf *out, const char *text);

#endif
