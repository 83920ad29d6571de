/* The table of every option of the configuration: all that there is to an option stands in its row.
 *
 * Read-only. Any thread.
 */
#ifndef DMPFEED_CONFIG_CONFIG_TABLE_H
#define DMPFEED_CONFIG_CONFIG_TABLE_H

#include "config.h"
#include "config/option.h"

extern const struct option_table config_table; /* of a struct config */

#endif
