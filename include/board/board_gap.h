/* Where our counts and those of others part: official figures, and what was declared.
 *
 * The board's thread or an operator's, with a read connection; a test, with any store.
 */
#ifndef DMPFEED_BOARD_BOARD_GAP_H
#define DMPFEED_BOARD_BOARD_GAP_H

#include "board/board_count.h"

/* Of each site, type and month that was counted elsewhere, ours beside it: by site, month, type. In `arena`. */
must_use int board_find_gaps(const struct board_asked *asked, int from_month, int to_month,
			     struct arena *arena, struct board_gap **ret_gaps, size_t *ret_count,
			     struct err *err);

#endif
