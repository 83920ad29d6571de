/* What a legal entity and its sites let through, decided before anything is kept: whose documents,
 * of which types, how restricted.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_INBOUND_POLICY_H
#define DMPFEED_INBOUND_POLICY_H

#include "config.h"

/* The site of that legal entity that a sender names (a structure as below); `otherwise` where it names none. */
const struct config_site *policy_site_of(const struct config_establishment *establishment,
					 const char *structure,
					 const struct config_site *otherwise);

/* The structure of who sends or answers for a document (Struct_IdNat, or a bare FINESS; "" is not
 * judged). -1: REASON_FINESS_MISMATCH at `where`: it is declared of another legal entity, or, when
 * strict, not declared of this one.
 */
must_use int policy_check_structure(const struct config *config,
				    const struct config_establishment *establishment,
				    const char *structure, const char *where, struct err *err);

/* The first policy of the site that fits; NULL: none does. `unit` is "" where nothing names it. */
const struct config_policy *policy_of(const struct config_site *site, const char *type,
				      const char *unit);

/* -1: the site does not send documents of this type, REASON_TYPE_NOT_ACCEPTED. */
must_use int policy_check_type(const struct config_site *site, const char *type, struct err *err);

/* Documents of this type wait for a person, whatever else: they are sensitive at that site. */
bool policy_is_sensitive(const struct config_site *site, const char *type);

/* The document's own confidentiality: N, R, V. -1: refused, REASON_RESTRICTED. *ret_held: a person
 * shall look.
 */
must_use int policy_check_restricted(const struct config *config, const char *confidentiality,
				     bool *ret_held, struct err *err);

#endif
