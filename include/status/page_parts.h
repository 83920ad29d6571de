/* The parts of the page, and what they share. Pure. Any thread. */
#ifndef DMPFEED_STATUS_PAGE_PARTS_H
#define DMPFEED_STATUS_PAGE_PARTS_H

#include "status/health.h"
#include "status/page.h"
#include "status/page_text.h"

struct page_writer {
	struct buf *out;
	const struct page *page;
	bool french;
};

/* The files of daemon/status/page/, as they were built in. */
extern const char page_html[], page_css[], page_js[];

/* ---- the parts, each a section with its heading ---- */

void page_needs(struct page_writer *writer);
void page_lanes(struct page_writer *writer);
void page_targets(struct page_writer *writer);
void page_curves(struct page_writer *writer);
void page_certificates(struct page_writer *writer);
void page_ways_in(struct page_writer *writer);
void page_sources(struct page_writer *writer);

/* What is known of alerts and certificates; nothing when nobody looks at them. */
const struct health *page_health(const struct page *page);

/* Of the indicators that are drawn: how many can be measured, and are reached or on track. */
struct page_targets_sum {
	uint64_t drawn, measured, well;
};
struct page_targets_sum page_targets_sum(const struct page *page);

/* How many documents wait for a person. */
uint64_t page_for_people(const struct page *page);

/* ---- what they share ---- */

/* `raw` is markup of ours, `say` a text of the table, `tell` whatever came from outside. */
void page_raw(struct page_writer *writer, const char *markup);
void page_say(struct page_writer *writer, enum page_text text);
void page_tell(struct page_writer *writer, const char *text);
void page_count(struct page_writer *writer, uint64_t count);
void page_ago(struct page_writer *writer, int64_t time_ms);

/* <section>, with its heading and what scripts and people find it by. */
void page_open_section(struct page_writer *writer, const char *id, enum page_text heading);
void page_close_section(struct page_writer *writer);

/* What is shown in place of a list that is empty. */
void page_nothing(struct page_writer *writer, enum page_text text);

/* A word in a colour that says how good it is, and not by the colour alone. */
enum page_tone { TONE_GOOD, TONE_COPING, TONE_BAD, TONE_QUIET };
void page_pill(struct page_writer *writer, enum page_tone tone, enum page_text text);

/* "CH du Val", or the number of a site that has no name here. */
const char *page_site_name(const struct page *page, const char *finess);

/* Why a lane is not open, and why nothing can be taken in, in the language of the page; "": it is, and it can. */
const char *page_why(const struct page_writer *writer, const struct status_lane *lane);
const char *page_not_ready(const struct page_writer *writer);

#endif
