/* What concerns sites whatever the programme: what waits there, and how well feeding goes.
 *
 * The board's thread, with a read connection; a test, with any store. Time is an argument.
 */
#ifndef DMPFEED_BOARD_BOARD_SITE_H
#define DMPFEED_BOARD_BOARD_SITE_H

#include "board/board_count.h"

struct board_waiting {
	struct store_unsent *list;
	size_t count;
};

/* Texts and list in `arena`. */
must_use int board_read_waiting(const struct board_asked *asked, struct arena *arena,
				struct board_waiting *ret_waiting, struct err *err);

/* Of each site that is declared, over the last twelve full weeks and this one. */
must_use int board_find_qualities(const struct board_asked *asked,
				  const struct board_waiting *waiting, struct board_result *result,
				  struct err *err);

#endif
