/* The page of the gateway, for people: is it working, what needs somebody, where do the establishments
 * stand. One document, which loads nothing; nothing of a patient.
 *
 * Pure: a function of the structs below. Any thread.
 */
#ifndef DMPFEED_STATUS_PAGE_H
#define DMPFEED_STATUS_PAGE_H

#include "base/reason.h"
#include "status/status.h"
#include "status/targets_json.h"

/* Documents of one site that are where they are for one reason. */
struct page_waiting {
	const char *state; /* "held", "rejected" */
	enum reason reason;
	const char *site; /* finess_eg */
	uint64_t documents;
	int64_t oldest_ms;
};

struct page {
	const struct status *status;        /* with curve and health, or without */
	const struct page_waiting *waiting; /* most documents first */
	size_t waiting_count;
	bool waiting_is_known;            /* false: nobody has looked yet */
	const struct board_result *board; /* where each place stands; NULL: nothing was counted */
	bool has_targets;                 /* some are configured */
	const struct page_site *sites;    /* what the sites are called */
	size_t site_count;
	const struct curve *curve;
};

/* Appends the whole document, or only what changes in it: what the script on the page asks for. */
void page_write(const struct page *page, bool french, struct buf *out);
void page_write_live(const struct page *page, bool french, struct buf *out);

/* The value of Content-Security-Policy that lets the page's own style and script run and nothing else. */
void page_policy(struct buf *out);

#endif
