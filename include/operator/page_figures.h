/* What the page shows beside the status: what waits for a person at each site, the curves of a day and a
 * month, what sites are called.
 *
 * Loop only; the store is read by workers, whose context is a struct hands.
 */
#ifndef DMPFEED_OPERATOR_PAGE_FIGURES_H
#define DMPFEED_OPERATOR_PAGE_FIGURES_H

#include "queue/writer.h"
#include "setup/snapshot.h"
#include "status/page.h"

struct page_figures_parts {
	struct event_base *loop;
	struct snapshot *snapshot; /* at first */
	struct workers *workers;
	struct workers *keeper; /* for what takes seconds */
};

struct page_figures;

struct page_figures *page_figures_new(const struct page_figures_parts *parts);

/* Sites are those of that snapshot, once nothing looks at those of before. */
void page_figures_follow(struct page_figures *figures, struct snapshot *snapshot);

/* After the workers ended. */
void page_figures_free(struct page_figures **figures);

/* Documents came, or are in other states. */
void page_figures_moved(struct page_figures *figures, const struct store_moves *moves);

/* What the status has of it, and the page alone; valid until the loop goes on. */
void page_figures_tell(const struct page_figures *figures, struct status *status);
void page_figures_fill(const struct page_figures *figures, struct page *ret_page);

#endif
