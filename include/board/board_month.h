/* Denominators that people import, by month: up to the first month that lacks, they are known; of a month
 * that the window cuts, what its days weigh.
 *
 * The board's thread, with a read connection; a test, with any store. Time is an argument.
 */
#ifndef DMPFEED_BOARD_BOARD_MONTH_H
#define DMPFEED_BOARD_BOARD_MONTH_H

#include "board/board_count.h"

/* Rather than counted day by day. */
bool board_is_imported(const struct target_denominator *denominator);

/* Fills the denominators of *measures, and their pace. */
must_use int board_measure_months(const struct board_counting *counting,
				  const struct target_indicator *indicator,
				  const struct board_places *places, int from, int to,
				  struct board_measure *measures, struct err *err);

#endif
