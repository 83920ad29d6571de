/* The board: now and then, and after an import, it is counted anew where each place stands; the figures of a
 * window that has ended are frozen, once. What came of it is kept for the loop, so that the page, the API and
 * the tool read it without the store.
 *
 * Loop only; counted by a thread of its own, for of a large store it takes minutes.
 */
#ifndef DMPFEED_BOARD_BOARD_H
#define DMPFEED_BOARD_BOARD_H

#include "board/board_make.h"
#include "pipeline.h"

struct board_parts { /* outlive the board */
	struct event_base *loop;
	struct snapshot *snapshot; /* at first */
	struct pipeline *pipeline; /* once it closes, nothing more begins */
	struct workers *counter;   /* a thread of its own, whose context is a struct hands */
	struct writer *writer;
};

struct board;

struct board *board_new(const struct board_parts *parts);

/* NULL: nothing was counted yet. It lives until the loop turns. */
const struct board_result *board_now(const struct board *board);

/* Something was imported: count now rather than in a minute. */
void board_again(struct board *board);

/* Counts anew by that snapshot. */
void board_follow(struct board *board, struct snapshot *snapshot);

void board_free(struct board **board); /* after the counter and the writer ended */

#endif
