/* The bodies that a CDA of level 1 may carry: told by the ending of a file's name, and believed
 * when the first bytes agree. Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_BODY_H
#define DMPFEED_DOCUMENT_BODY_H

#include "base/buf.h"

/* "application/pdf" for letter.pdf; NULL: no file of that ending is a body. */
const char *body_media_type(const char *file);

/* The file beside it that says what it is: letter.yaml. */
#define BODY_SIDECAR ".yaml"
#define BODY_SIDECAR_CAPITALS ".YAML"
bool body_is_sidecar(const char *file);

/* -1: the bytes are not of that type (REASON_BODY_INVALID). */
must_use int body_check(const char *media_type, struct slice body, struct err *err);

#endif
