/* What a message says of a stay, as the installation sees it: at which site it is, by its unit, whether
 * indicators count it, and whether it is one to be discreet about.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_INBOUND_STAYS_H
#define DMPFEED_INBOUND_STAYS_H

#include "config.h"
#include "hl7/stay.h"
#include "queue/store_stay.h"

/* An ADT that came through a door of `site` (FINESS EG): false: it says nothing of a stay that could be noted.
 * Texts live in `arena`, or are the configuration's.
 */
bool stays_read(struct store_stay *ret_stay, const struct hl7_message *message,
		const struct config *config, const char *site, struct arena *arena);

/* What the unit and the flag of a visit make of a stay of that entity and site. */
struct store_discretion stays_discretion(const struct config_establishment *establishment,
					 const struct config_site *site, const struct stay *stay);

/* Is that unit of any of its sites sensitive? Units are named once in an entity, and documents come through
 * the doors of other sites.
 */
bool stays_is_sensitive(const struct config_establishment *establishment, const char *unit);

#endif
