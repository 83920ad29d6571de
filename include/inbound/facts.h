/* What counting wants to know of a document: of which stay, unit and field of activity it is, and since when.
 * Pure.
 */
#ifndef DMPFEED_INBOUND_FACTS_H
#define DMPFEED_INBOUND_FACTS_H

#include "config.h"
#include "document/cda.h"
#include "document/metadata.h"
#include "hl7/transmission.h"

/* The message, when there is one, is believed before the document's header: it is the newer. Texts are theirs. */
struct store_facts facts_of(const struct cda *cda, const struct metadata *metadata,
			    const struct transmission *message, const struct config_site *site);

/* Of a document that came with a sidecar: the unit stands there. */
void facts_tell_unit(struct store_facts *facts, const struct config_site *site, const char *unit);

#endif
