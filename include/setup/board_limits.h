/* Limits of alerts in a file of targets. What rings is what dmpfeed.yaml says under `alerts`: a file of targets
 * may say the same, so that it is whole in itself, but nothing else, for it would be believed and not obeyed.
 * official_gap alone is the targets' own.
 *
 * Pure. At start.
 */
#ifndef DMPFEED_SETUP_BOARD_LIMITS_H
#define DMPFEED_SETUP_BOARD_LIMITS_H

#include "config.h"
#include "status/targets.h"

/* 0, or -1 with what contradicts the configuration appended to `errors`, one line each. */
must_use int board_check_limits(const struct targets *targets, const struct config *config,
				struct buf *errors);

#endif
