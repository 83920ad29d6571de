/* Object identifiers, as IHE XDS allows them: digits and dots, 64 characters at most, no arc with
 * a leading zero. Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_OID_H
#define DMPFEED_DOCUMENT_OID_H

#include "base/buf.h"

enum { OID_TEXT = 65 };

/* NULL is not one. */
bool oid_is_valid(const char *text);

#endif
