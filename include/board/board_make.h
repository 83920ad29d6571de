/* Where each place stands: from what the store counts to what people see.
 *
 * The board's thread, with a read connection; a test, with any store. Time is an argument.
 */
#ifndef DMPFEED_BOARD_BOARD_MAKE_H
#define DMPFEED_BOARD_BOARD_MAKE_H

#include "board/board_month.h"
#include "board/board_site.h"

/* The caller frees the result. */
must_use int board_make(const struct board_asked *asked, struct board_result **ret_result,
			struct err *err);

#endif
