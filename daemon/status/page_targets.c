/* Each establishment against its targets. Pure. Any thread. */
#include <math.h>

#include "status/html.h"
#include "status/page_parts.h"

static void write_rate(struct page_writer *writer, double rate, bool is_ratio)
{
	if (isnan(rate))
		page_raw(writer, "—");
	else if (is_ratio)
		html_add_share(writer->out, rate, writer->french);
	else
		page_count(writer, (uint64_t)max(rate, 0.0));
}

/* What the bar ends at: all of a ratio; of a count, a little more than the most it shows. */
static double scale_of(const struct page_target *target)
{
	double most = 1;

	if (target->is_ratio)
		return 1;
	most = max(most, isnan(target->threshold) ? 0.0 : target->threshold * 1.15);
	most = max(most, isnan(target->rate) ? 0.0 : target->rate);
	return max(most, isnan(target->rate_end) ? 0.0 : target->rate_end);
}

static void write_rect(struct page_writer *writer, const char *class, double share)
{
	if (share > 0)
		buf_addf(writer->out, "<rect class=\"%s\" width=\"%.1f\" height=\"10\"/>", class,
			 min(share, 1.0) * 100);
}

/* What is reached, what will be at this pace, and the threshold across. The figures stand in words
 * beside it, so that it needs none of its own.
 */
static void write_bar(struct page_writer *writer, const struct page_target *target)
{
	const double scale = scale_of(target);

	page_raw(writer, "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
			 "aria-hidden=\"true\" focusable=\"false\">"
			 "<rect class=\"track\" width=\"100\" height=\"10\"/>");
	if (!isnan(target->rate_end))
		write_rect(writer, "projected", target->rate_end / scale);
	if (!isnan(target->rate))
		write_rect(writer, "reached", target->rate / scale);
	if (!isnan(target->threshold))
		buf_addf(writer->out,
			 "<rect class=\"threshold\" x=\"%.1f\" width=\"0.6\" height=\"10\"/>",
			 min(target->threshold / scale, 0.994) * 100);
	page_raw(writer, "</svg>\n");
}

static void write_state(struct page_writer *writer, const struct page_target *target)
{
	static const struct {
		enum page_tone tone;
		enum page_text text;
	} rows[PAGE_TARGET_STATES] = {
		[PAGE_TARGET_MET] = { TONE_GOOD, TEXT_TARGET_MET },
		[PAGE_TARGET_ON_TRACK] = { TONE_GOOD, TEXT_TARGET_ON_TRACK },
		[PAGE_TARGET_AT_RISK] = { TONE_COPING, TEXT_TARGET_AT_RISK },
		[PAGE_TARGET_OUT_OF_REACH] = { TONE_BAD, TEXT_TARGET_OUT_OF_REACH },
		[PAGE_TARGET_UNKNOWN] = { TONE_QUIET, TEXT_TARGET_UNKNOWN },
	};

	page_pill(writer, rows[target->state].tone, rows[target->state].text);
}

static void write_missing(struct page_writer *writer, enum page_text name, int64_t missing)
{
	if (missing < 0)
		return;
	page_raw(writer, "<div><dt>");
	page_say(writer, name);
	page_raw(writer, "</dt><dd>");
	page_count(writer, (uint64_t)missing);
	page_raw(writer, "</dd></div>\n");
}

static void write_figures(struct page_writer *writer, const struct page_target *target)
{
	page_raw(writer, "<dl class=\"figures\">\n");
	write_missing(writer, TEXT_MISSING_NOW, target->missing_now);
	write_missing(writer, TEXT_MISSING_END, target->missing_end);
	if (!isnan(target->rate_end)) {
		page_raw(writer, "<div><dt>");
		page_say(writer, TEXT_PROJECTED);
		page_raw(writer, "</dt><dd>");
		write_rate(writer, target->rate_end, target->is_ratio);
		page_raw(writer, "</dd></div>\n");
	}
	page_raw(writer, "</dl>\n");
}

static void write_target(struct page_writer *writer, const struct page_target *target)
{
	const char *sentence = writer->french ? target->french : target->english;

	page_raw(writer, "<li>\n<div class=\"line\"><h4>");
	page_tell(writer, target->label);
	page_raw(writer, "<small>");
	page_tell(writer, target->programme);
	page_raw(writer, "</small></h4>");
	write_state(writer, target);
	page_raw(writer, "</div>\n<p class=\"rate\"><b>");
	write_rate(writer, target->rate, target->is_ratio);
	page_raw(writer, "</b>");
	if (!isnan(target->threshold)) {
		page_raw(writer, " <span>");
		page_say(writer, TEXT_THRESHOLD);
		page_raw(writer, " ");
		write_rate(writer, target->threshold, target->is_ratio);
		page_raw(writer, "</span>");
	}
	page_raw(writer, "</p>\n");
	write_bar(writer, target);
	write_figures(writer, target);
	if (sentence != NULL && sentence[0] != '\0') {
		page_raw(writer, "<p class=\"todo\">");
		page_tell(writer, sentence);
		page_raw(writer, "</p>\n");
	}
	if (target->definition != NULL && target->definition[0] != '\0') {
		page_raw(writer, "<p class=\"definition\">");
		page_tell(writer, target->definition);
		page_raw(writer, "</p>\n");
	}
	page_raw(writer, "</li>\n");
}

static void write_establishment(struct page_writer *writer,
				const struct page_establishment *establishment)
{
	page_raw(writer, "<article>\n<h3>");
	page_tell(writer, establishment->name);
	page_raw(writer, " <small>");
	page_tell(writer, establishment->finess);
	page_raw(writer, "</small></h3>\n");
	if (establishment->target_count == 0)
		page_nothing(writer, TEXT_NO_TARGETS_OF_SITE);
	else
		page_raw(writer, "<ul class=\"targets\">\n");
	for (size_t i = 0; i < establishment->target_count; i++)
		write_target(writer, &establishment->targets[i]);
	page_raw(writer, establishment->target_count ? "</ul>\n</article>\n" : "</article>\n");
}

void page_targets(struct page_writer *writer)
{
	const struct page *page = writer->page;

	page_open_section(writer, "targets", TEXT_TARGETS);
	if (page->establishment_count == 0) {
		page_raw(writer, "<div class=\"nothing\"><p>");
		page_say(writer, TEXT_NO_TARGETS);
		page_raw(writer, "</p><p class=\"quiet\">");
		page_say(writer, TEXT_NO_TARGETS_ACTION);
		page_raw(writer, "</p></div>\n");
	}
	for (size_t i = 0; i < page->establishment_count; i++)
		write_establishment(writer, &page->establishments[i]);
	page_close_section(writer);
}
