/* The id of a document, from intake to the last log line: a ULID (48 bits of milliseconds, 80 bits
 * of chance, 26 characters of Crockford's base 32 that sort by time). Ids made by one thread ascend
 * strictly, within a millisecond too. Any thread.
 */
#ifndef DMPFEED_BASE_ULID_H
#define DMPFEED_BASE_ULID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { ULID_TEXT = 27, ULID_DECIMAL = 40 }; /* with the NUL */

struct ulid {
	uint8_t bytes[16]; /* big endian */
};

/* A new id for `now_ms`. A clock that went back does not make ids go back. */
struct ulid ulid_new(int64_t now_ms);

const char *ulid_text(const struct ulid *ulid, char ret_text[static ULID_TEXT]);
must_use bool ulid_parse(struct slice text, struct ulid *ret_ulid); /* upper or lower case */

/* The 128 bits as one decimal number: an arc of an OID, no leading zero. At most 39 digits. */
const char *ulid_decimal(const struct ulid *ulid, char ret_text[static ULID_DECIMAL]);

#endif
