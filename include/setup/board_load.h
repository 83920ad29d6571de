/* The files of targets, from their folder. At start, before there are threads.
 */
#ifndef DMPFEED_SETUP_BOARD_LOAD_H
#define DMPFEED_SETUP_BOARD_LOAD_H

#include "config.h"
#include "status/targets.h"

/* Reads the files of config->targets_dir, in order of name. 0, or -1 with every error appended to `errors`,
 * one line each. No folder: no targets.
 */
must_use int board_load_targets(struct targets **ret_targets, const struct config *config,
				struct buf *errors);

/* Appends what they are, as comments of the effective configuration. */
void board_print_targets(const struct targets *targets, struct buf *out);

#endif
