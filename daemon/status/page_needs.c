/* What needs somebody: documents by reason, with the sentence that says what to do. Pure. Any thread. */
#include <string.h>

#include "status/html.h"
#include "status/page_parts.h"

enum { SITES_SHOWN = 4 };

/* What waits for an event needs nobody. */
static bool needs_person(const struct page_waiting *waiting)
{
	return waiting->reason != REASON_WAITING_PREDECESSOR &&
	       waiting->reason != REASON_RETRYING && waiting->reason != REASON_DOUBTFUL;
}

uint64_t page_for_people(const struct page *page)
{
	uint64_t documents = 0;

	for (size_t i = 0; i < page->waiting_count; i++)
		if (needs_person(&page->waiting[i]))
			documents += page->waiting[i].documents;
	return documents;
}

static bool is_same_group(const struct page_waiting *one, const struct page_waiting *other)
{
	return one->reason == other->reason && strcmp(one->state, other->state) == 0;
}

static bool is_first_of_group(const struct page *page, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same_group(&page->waiting[i], &page->waiting[index]))
			return false;
	return true;
}

/* The sites of a group, which are in the order of how much waits there. */
static void write_sites(struct page_writer *writer, const struct page_waiting *group)
{
	const struct page *page = writer->page;
	size_t sites = 0;

	page_raw(writer, "<ul class=\"sites\">");
	for (size_t i = 0; i < page->waiting_count; i++) {
		const struct page_waiting *waiting = &page->waiting[i];

		if (!is_same_group(waiting, group) || ++sites > SITES_SHOWN)
			continue;
		page_raw(writer, "<li>");
		page_tell(writer, page_site_name(page, waiting->site));
		page_raw(writer, " <b>");
		page_count(writer, waiting->documents);
		page_raw(writer, "</b></li>");
	}
	if (sites > SITES_SHOWN) {
		page_raw(writer, "<li>+");
		page_count(writer, sites - SITES_SHOWN);
		page_raw(writer, "</li>");
	}
	page_raw(writer, "</ul>\n");
}

static void write_number(struct page_writer *writer, uint64_t documents)
{
	page_raw(writer, "<p class=\"how-many\"><b>");
	page_count(writer, documents);
	page_raw(writer, "</b> <span>");
	page_say(writer, documents == 1 ? TEXT_DOCUMENT : TEXT_DOCUMENTS);
	page_raw(writer, "</span></p>\n");
}

static void write_group(struct page_writer *writer, const struct page_waiting *group)
{
	const struct reason_row *reason = reason_row(group->reason);
	const struct page *page = writer->page;
	int64_t oldest_ms = group->oldest_ms;
	uint64_t documents = 0;

	for (size_t i = 0; i < page->waiting_count; i++)
		if (is_same_group(&page->waiting[i], group)) {
			documents += page->waiting[i].documents;
			oldest_ms = min(oldest_ms, page->waiting[i].oldest_ms);
		}
	page_raw(writer, "<li>\n");
	write_number(writer, documents);
	page_raw(writer, "<div>\n<h3>");
	page_tell(writer, writer->french ? reason->french : reason->english);
	page_raw(writer, "</h3>\n<p class=\"todo\">");
	page_tell(writer, writer->french ? reason->action_french : reason->action_english);
	page_raw(writer, "</p>\n");
	write_sites(writer, group);
	page_raw(writer, "<p class=\"how\"><span>");
	page_say(writer, TEXT_OLDEST);
	page_raw(writer, " ");
	page_ago(writer, oldest_ms);
	buf_addf(writer->out, "</span> <code>dmpfeedctl list --state %s --reason %s</code></p>\n",
		 group->state, reason->code);
	page_raw(writer, "</div>\n</li>\n");
}

static void write_invisible(struct page_writer *writer)
{
	page_raw(writer, "<li>\n");
	write_number(writer, writer->page->status->invisible_too_long);
	page_raw(writer, "<div>\n<h3>");
	page_say(writer, TEXT_INVISIBLE);
	page_raw(writer, "</h3>\n<p class=\"todo\">");
	page_say(writer, TEXT_INVISIBLE_ACTION);
	page_raw(writer,
		 "</p>\n<p class=\"how\"><code>dmpfeedctl list --state invisible</code></p>\n"
		 "</div>\n</li>\n");
}

static void write_groups(struct page_writer *writer)
{
	const struct page *page = writer->page;

	page_raw(writer, "<ol class=\"needs\">\n");
	for (size_t i = 0; i < page->waiting_count; i++)
		if (needs_person(&page->waiting[i]) && is_first_of_group(page, i))
			write_group(writer, &page->waiting[i]);
	if (page->status->invisible_too_long > 0)
		write_invisible(writer);
	page_raw(writer, "</ol>\n");
}

/* Every document there ever was, by where it is. */
static void write_states(struct page_writer *writer)
{
	static const struct {
		const char *state;
		enum page_text text;
	} texts[] = {
		{ "held", TEXT_STATE_HELD },
		{ "queued", TEXT_STATE_QUEUED },
		{ "sending", TEXT_STATE_SENDING },
		{ "delivered", TEXT_STATE_DELIVERED },
		{ "refused", TEXT_STATE_REFUSED },
		{ "rejected", TEXT_STATE_REJECTED },
		{ "suppressed", TEXT_STATE_SUPPRESSED },
		{ "cancelled", TEXT_STATE_CANCELLED },
	};
	const struct status *status = writer->page->status;

	page_raw(writer, "<h3 class=\"small\">");
	page_say(writer, TEXT_STATES);
	page_raw(writer, "</h3>\n<dl class=\"states\">\n");
	for (size_t i = 0; i < status->depth_count; i++)
		for (size_t j = 0; j < length_of(texts); j++) {
			if (strcmp(status->depths[i].state, texts[j].state) != 0)
				continue;
			page_raw(writer, "<div><dt>");
			page_say(writer, texts[j].text);
			page_raw(writer, "</dt><dd>");
			page_count(writer, status->depths[i].documents);
			page_raw(writer, "</dd></div>\n");
		}
	page_raw(writer, "</dl>\n");
}

void page_needs(struct page_writer *writer)
{
	const struct page *page = writer->page;

	page_open_section(writer, "needs", TEXT_NEEDS);
	if (!page->waiting_is_known)
		page_nothing(writer, TEXT_NEEDS_UNKNOWN);
	else if (page_for_people(page) == 0 && page->status->invisible_too_long == 0)
		page_nothing(writer, TEXT_NEEDS_NOBODY);
	else
		write_groups(writer);
	if (page->status->depth_count > 0)
		write_states(writer);
	page_close_section(writer);
}
