/* What must hold between the options of a configuration: names and addresses that differ, sites that
 * somebody declares, limits that fit each other, no invented patient towards a real DMP and no real one elsewhere.
 *
 * At start; at a reload, on a thread for that: it looks at the folders that are named.
 */
#ifndef DMPFEED_CONFIG_CONFIG_RULES_H
#define DMPFEED_CONFIG_CONFIG_RULES_H

#include "config.h"
#include "config/option_yaml.h"

/* Complains of each rule that is broken. Members that could not be read are NULL or 0. */
void config_check(const struct config *config, struct option_reading *reading);

#endif
