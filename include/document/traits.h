/* Who a patient is, as the authority for identities says it: what a document that is built here is built
 * with, once the identity is qualified.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DOCUMENT_TRAITS_H
#define DMPFEED_DOCUMENT_TRAITS_H

#include "base/arena.h"

/* Texts are never NULL; "": not said. */
struct traits {
	const char *ins, *ins_oid;
	const char *family, *given, *given_names;   /* at birth */
	const char *sex, *birth_date, *birth_place; /* M, F…; YYYYMMDD; INSEE code */
};

/* Appends them as they are kept. */
void traits_write(const struct traits *traits, struct buf *out);

/* What traits_write() wrote; false: it is not that. */
must_use bool traits_read(struct traits *ret_traits, struct slice kept, struct arena *arena);

/* What two words about one patient must have in common; "" where one of them is not said. */
const char *traits_compared(const char *birth_date, const char *sex, struct arena *arena);

#endif
