/* The national health identity (INS): its form, its key, its domains. Pure. Any thread. */
#ifndef DMPFEED_DOCUMENT_INS_H
#define DMPFEED_DOCUMENT_INS_H

#include "base/buf.h"

#define INS_OID_NIR "1.2.250.1.213.1.4.8"
#define INS_OID_NIA "1.2.250.1.213.1.4.9"
#define INS_OID_TEST "1.2.250.1.213.1.4.10"
#define INS_OID_DEMO "1.2.250.1.213.1.4.11"

enum { INS_DIGITS = 15 };

enum environment { ENVIRONMENT_PRODUCTION, ENVIRONMENT_TEST, ENVIRONMENT_REHEARSAL };

const char *environment_text(enum environment environment); /* "production" */

/* Is this OID the domain of an INS, of any kind? */
bool ins_is_domain(const char *oid);

/* May an INS of this domain be sent from here: production sends real ones only, test the reverse, a
 * rehearsal any.
 */
bool ins_domain_allowed(const char *oid, enum environment environment);

/* 15 characters: 13 of the number (Corsica writes 2A or 2B at places 6 and 7), 2 of the key, which
 * is 97 - (number mod 97), 2A counting as 19 and 2B as 18. -1: REASON_INS_INVALID.
 */
must_use int ins_check(const char *number, struct err *err);

#endif
