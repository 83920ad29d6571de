/* Each establishment against its targets. Pure. Any thread. */
#include <math.h>

#include "status/html.h"
#include "status/page_parts.h"

enum { MOST_DRAWN = 2000 }; /* rows: places times indicators */

/* What the window of which has ended is history: the control tool tells it. */
static bool is_drawn(const struct board_result *board, const struct board_row *row)
{
	return !row->has_ended && row->start <= board->today;
}

static void write_rate(struct page_writer *writer, const struct board_row *row, double rate)
{
	if (isnan(rate))
		page_raw(writer, "—");
	else
		projection_add_rate(rate, row->input.is_ratio, writer->french, writer->out);
}

/* What the bar ends at: all of a ratio; of a count, a little more than the most it shows. */
static double scale_of(const struct board_row *row)
{
	const double shown[] = { row->projection.rate, row->projection.rate_end,
				 row->input.has_threshold ? row->input.threshold * 1.15 : NAN };
	double most = 1;

	for (size_t i = 0; i < length_of(shown) && !row->input.is_ratio; i++)
		if (!isnan(shown[i]))
			most = max(most, shown[i]);
	return most;
}

static void write_rect(struct page_writer *writer, const char *class, double share)
{
	if (share > 0) /* NAN is not */
		buf_addf(writer->out, "<rect class=\"%s\" width=\"%.1f\" height=\"10\"/>", class,
			 min(share, 1.0) * 100);
}

/* What is reached, what will be at this pace, and the threshold across. The figures stand in words
 * beside it, so that it needs none of its own.
 */
static void write_bar(struct page_writer *writer, const struct board_row *row)
{
	const double scale = scale_of(row);

	page_raw(writer, "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
			 "aria-hidden=\"true\" focusable=\"false\">"
			 "<rect class=\"track\" width=\"100\" height=\"10\"/>");
	write_rect(writer, "projected", row->projection.rate_end / scale);
	write_rect(writer, "reached", row->projection.rate / scale);
	if (row->input.has_threshold)
		buf_addf(writer->out,
			 "<rect class=\"threshold\" x=\"%.1f\" width=\"0.6\" height=\"10\"/>",
			 min(row->input.threshold / scale, 0.994) * 100);
	page_raw(writer, "</svg>\n");
}

static void write_state(struct page_writer *writer, const struct board_row *row)
{
	static const struct {
		enum page_tone tone;
		enum page_text text;
	} rows[TARGET_STATE_COUNT] = {
		[TARGET_MET_NOW] = { TONE_GOOD, TEXT_TARGET_MET },
		[TARGET_ON_TRACK] = { TONE_GOOD, TEXT_TARGET_ON_TRACK },
		[TARGET_AT_RISK] = { TONE_COPING, TEXT_TARGET_AT_RISK },
		[TARGET_OUT_OF_REACH] = { TONE_BAD, TEXT_TARGET_OUT_OF_REACH },
		[TARGET_NO_TARGET] = { TONE_QUIET, TEXT_TARGET_NONE },
		[TARGET_NO_DENOMINATOR] = { TONE_QUIET, TEXT_TARGET_UNKNOWN },
	};

	page_pill(writer, rows[row->projection.state].tone, rows[row->projection.state].text);
}

static void write_figure(struct page_writer *writer, enum page_text name)
{
	page_raw(writer, "<div><dt>");
	page_say(writer, name);
	page_raw(writer, "</dt><dd>");
}

static void write_missing(struct page_writer *writer, enum page_text name, int64_t missing)
{
	if (missing < 0)
		return;
	write_figure(writer, name);
	page_count(writer, (uint64_t)missing);
	page_raw(writer, "</dd></div>\n");
}

/* An interval while the history is short. */
static void write_projection(struct page_writer *writer, const struct board_row *row)
{
	const struct projection *p = &row->projection;

	if (isnan(p->rate_end))
		return;
	write_figure(writer, TEXT_PROJECTED);
	if (p->is_young && !isnan(p->low)) {
		write_rate(writer, row, p->low);
		page_raw(writer, "–");
		write_rate(writer, row, p->high);
	} else {
		write_rate(writer, row, p->rate_end);
	}
	page_raw(writer, "</dd></div>\n");
}

static void write_threshold(struct page_writer *writer, const struct board_row *row)
{
	if (!row->input.has_threshold)
		return;
	page_raw(writer, " <span>");
	page_say(writer, row->input.at_most ? TEXT_CEILING : TEXT_THRESHOLD);
	page_raw(writer, " ");
	write_rate(writer, row, row->input.threshold);
	if (row->threshold_status == TARGET_TO_CONFIRM) {
		page_raw(writer, ", ");
		page_say(writer, TEXT_TO_CONFIRM);
	}
	page_raw(writer, "</span>");
}

static void write_row(struct page_writer *writer, const struct board_row *row)
{
	page_raw(writer, "<li>\n<div class=\"line\"><h4>");
	page_tell(writer, row->label);
	page_raw(writer, "<small>");
	page_tell(writer, row->programme_label);
	page_raw(writer, " ");
	page_tell(writer, row->fields);
	page_raw(writer, "</small></h4>");
	write_state(writer, row);
	page_raw(writer, "</div>\n<p class=\"rate\"><b>");
	write_rate(writer, row, projection_shown(&row->input, &row->projection));
	page_raw(writer, "</b>");
	write_threshold(writer, row);
	page_raw(writer, "</p>\n");
	if (row->input.has_threshold) /* or there is nothing that a colour could mean */
		write_bar(writer, row);
	page_raw(writer, "<dl class=\"figures\">\n");
	write_missing(writer, TEXT_MISSING_NOW, row->projection.missing_now);
	write_missing(writer, TEXT_MISSING_END, row->projection.missing_end);
	write_projection(writer, row);
	page_raw(writer, "</dl>\n<p class=\"todo\">");
	page_tell(writer, writer->french ? row->french : row->english);
	page_raw(writer, "</p>\n<p class=\"definition\">");
	page_tell(writer, row->definition);
	page_raw(writer, "</p>\n</li>\n");
}

/* Rows come by programme; people look for their place. */
static bool is_first_of_place(const struct board_result *board, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_drawn(board, &board->rows[i]) &&
		    strcmp(board->rows[i].place, board->rows[index].place) == 0)
			return false;
	return is_drawn(board, &board->rows[index]);
}

static void write_place(struct page_writer *writer, const struct board_row *first)
{
	const struct board_result *board = writer->page->board;
	const struct board_row *end = board->rows + min(board->row_count, (size_t)MOST_DRAWN);

	page_raw(writer, "<article>\n<h3>");
	page_tell(writer, first->place_name);
	page_raw(writer, " <small>");
	page_tell(writer, first->place);
	page_raw(writer, "</small></h3>\n<ul class=\"targets\">\n");
	for (const struct board_row *row = first; row < end; row++)
		if (is_drawn(board, row) && strcmp(row->place, first->place) == 0)
			write_row(writer, row);
	page_raw(writer, "</ul>\n</article>\n");
}

static void write_no_targets(struct page_writer *writer)
{
	page_raw(writer, "<div class=\"nothing\"><p>");
	page_say(writer, TEXT_NO_TARGETS);
	page_raw(writer, "</p><p class=\"quiet\">");
	page_say(writer, TEXT_NO_TARGETS_ACTION);
	page_raw(writer, "</p></div>\n");
}

struct page_targets_sum page_targets_sum(const struct page *page)
{
	const struct board_result *board = page->board;
	struct page_targets_sum sum = { 0 };

	for (size_t i = 0; board != NULL && i < min(board->row_count, (size_t)MOST_DRAWN); i++) {
		const enum target_state state = board->rows[i].projection.state;

		if (!is_drawn(board, &board->rows[i]))
			continue;
		sum.drawn++;
		sum.measured += state <= TARGET_OUT_OF_REACH;
		sum.well += state <= TARGET_ON_TRACK;
	}
	return sum;
}

void page_targets(struct page_writer *writer)
{
	const struct board_result *board = writer->page->board;

	page_open_section(writer, "targets", TEXT_TARGETS);
	if (!writer->page->has_targets)
		write_no_targets(writer);
	else if (board == NULL)
		page_nothing(writer, TEXT_TARGETS_COMING);
	else if (page_targets_sum(writer->page).drawn == 0)
		page_nothing(writer, TEXT_NO_WINDOW);
	for (size_t i = 0; board != NULL && i < min(board->row_count, (size_t)MOST_DRAWN); i++)
		if (is_first_of_place(board, i))
			write_place(writer, &board->rows[i]);
	page_close_section(writer);
}
