/* The curves of a day and of a month, drawn here: bars of what was delivered and rejected, a line of what
 * was received. Pure. Any thread.
 */
#include "status/html.h"
#include "status/page_parts.h"

enum { STEP = 10, HEIGHT = 100 }; /* of a point, in the drawing's own units */

struct chart {
	enum curve_span span;
	struct curve_point points[CURVE_HALF_HOURS];
	size_t count;
	uint64_t sums[CURVE_KINDS];
	uint64_t most; /* the top of the drawing: 1, 2 or 5 and zeros */
};

static const enum page_text kind_texts[CURVE_KINDS] = {
	[CURVE_RECEIVED] = TEXT_RECEIVED,
	[CURVE_DELIVERED] = TEXT_DELIVERED,
	[CURVE_REJECTED] = TEXT_REJECTED,
};

static const char *const kind_classes[CURVE_KINDS] = {
	[CURVE_RECEIVED] = "received",
	[CURVE_DELIVERED] = "delivered",
	[CURVE_REJECTED] = "rejected",
};

static uint64_t round_up(uint64_t most)
{
	static const uint64_t steps[] = { 1, 2, 5 };

	for (uint64_t ten = 1; ten < UINT64_MAX / 100; ten *= 10)
		for (size_t i = 0; i < length_of(steps); i++)
			if (ten * steps[i] >= most)
				return ten * steps[i];
	return most;
}

static void chart_read(struct chart *chart, const struct page *page, enum curve_span span)
{
	uint64_t most = 4;

	*chart = (struct chart){ .span = span };
	if (page->status->curve == NULL)
		return;
	chart->count = curve_read(page->status->curve, span, page->status->now_ms, chart->points);
	for (size_t i = 0; i < chart->count; i++) {
		const uint64_t *counts = chart->points[i].counts;

		for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++)
			chart->sums[kind] += counts[kind];
		most = max(most, counts[CURVE_RECEIVED]);
		most = max(most, counts[CURVE_DELIVERED] + counts[CURVE_REJECTED]);
	}
	chart->most = round_up(most);
}

static double height_of(const struct chart *chart, uint64_t count)
{
	return (double)count * HEIGHT / (double)chart->most;
}

/* ---- when ---- */

static void write_when(struct page_writer *writer, const struct chart *chart, size_t index)
{
	const int64_t begins_ms = chart->points[index].begins_ms;

	if (chart->span == CURVE_DAY)
		html_add_clock(writer->out, begins_ms);
	else
		html_add_day(writer->out, begins_ms, writer->french);
}

static void write_axis(struct page_writer *writer, const struct chart *chart)
{
	const size_t every = chart->span == CURVE_DAY ? 12 : 10;

	page_raw(writer, "<p class=\"axis\" aria-hidden=\"true\">");
	for (size_t i = 0; i + every / 2 < chart->count; i += every) {
		page_raw(writer, "<span>");
		write_when(writer, chart, i);
		page_raw(writer, "</span>");
	}
	page_raw(writer, "<span>");
	page_say(writer, chart->span == CURVE_DAY ? TEXT_NOW : TEXT_TODAY);
	page_raw(writer, "</span></p>\n");
}

/* ---- the drawing ---- */

static void write_bar(struct page_writer *writer, const char *class, size_t index, double from,
		      double height)
{
	if (height > 0)
		buf_addf(writer->out,
			 "<rect class=\"%s\" x=\"%zu.5\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
			 class, index * STEP + 1, HEIGHT - from - height, STEP - 3, height);
}

static void write_bars(struct page_writer *writer, const struct chart *chart)
{
	for (size_t i = 0; i < chart->count; i++) {
		const uint64_t *counts = chart->points[i].counts;
		const double delivered = height_of(chart, counts[CURVE_DELIVERED]);

		write_bar(writer, "delivered", i, 0, delivered);
		write_bar(writer, "rejected", i, delivered,
			  height_of(chart, counts[CURVE_REJECTED]));
	}
}

static void write_line(struct page_writer *writer, const struct chart *chart)
{
	page_raw(writer, "<polyline class=\"received\" points=\"");
	for (size_t i = 0; i < chart->count; i++)
		if (chart->points[i].is_known)
			buf_addf(writer->out, "%zu,%.1f ", i * STEP + STEP / 2,
				 HEIGHT -
					 height_of(chart, chart->points[i].counts[CURVE_RECEIVED]));
	page_raw(writer, "\"/>");
}

/* What is shown of a point to who points at it. */
static void write_hints(struct page_writer *writer, const struct chart *chart)
{
	for (size_t i = 0; i < chart->count; i++) {
		if (!chart->points[i].is_known)
			continue;
		buf_addf(writer->out,
			 "<rect class=\"hint\" x=\"%zu\" width=\"%d\" height=\"%d\"><title>",
			 i * STEP, STEP, HEIGHT);
		write_when(writer, chart, i);
		for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
			page_raw(writer, kind == 0 ? ": " : ", ");
			page_count(writer, chart->points[i].counts[kind]);
			page_raw(writer, " ");
			page_say(writer, kind_texts[kind]);
		}
		page_raw(writer, "</title></rect>");
	}
}

static void write_summary(struct page_writer *writer, const struct chart *chart)
{
	for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
		page_raw(writer, kind == 0 ? "" : ", ");
		page_count(writer, chart->sums[kind]);
		page_raw(writer, " ");
		page_say(writer, kind_texts[kind]);
	}
}

static void write_drawing(struct page_writer *writer, const struct chart *chart)
{
	page_raw(writer, "<div class=\"plot\">\n<span class=\"most\" aria-hidden=\"true\">");
	page_count(writer, chart->most);
	buf_addf(writer->out,
		 "</span>\n<svg viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" role=\"img\" "
		 "aria-label=\"",
		 chart->count * STEP, HEIGHT);
	write_summary(writer, chart);
	page_raw(writer, "\">");
	for (int y = 0; y <= HEIGHT; y += HEIGHT / 2)
		buf_addf(writer->out, "<line class=\"grid\" x2=\"%zu\" y1=\"%d\" y2=\"%d\"/>",
			 chart->count * STEP, y, y);
	write_bars(writer, chart);
	write_line(writer, chart);
	write_hints(writer, chart);
	page_raw(writer, "</svg>\n</div>\n");
	write_axis(writer, chart);
}

/* ---- the same in figures ---- */

static bool is_empty(const struct curve_point *point)
{
	return point->counts[CURVE_RECEIVED] + point->counts[CURVE_DELIVERED] +
		       point->counts[CURVE_REJECTED] ==
	       0;
}

static void write_table(struct page_writer *writer, const struct chart *chart, const char *id)
{
	buf_addf(writer->out, "<details id=\"%s-figures\"><summary>", id);
	page_say(writer, TEXT_FIGURES);
	buf_addf(writer->out,
		 "</summary>\n<table aria-labelledby=\"%s-title\"><thead><tr><th scope=\"col\">",
		 id);
	page_say(writer, TEXT_WHEN);
	page_raw(writer, "</th>");
	for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
		page_raw(writer, "<th scope=\"col\" class=\"number\">");
		page_say(writer, kind_texts[kind]);
		page_raw(writer, "</th>");
	}
	page_raw(writer, "</tr></thead>\n<tbody>\n");
	for (size_t i = chart->count; i-- > 0;) {
		if (is_empty(&chart->points[i]))
			continue;
		page_raw(writer, "<tr><th scope=\"row\">");
		write_when(writer, chart, i);
		page_raw(writer, "</th>");
		for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
			page_raw(writer, "<td class=\"number\">");
			page_count(writer, chart->points[i].counts[kind]);
			page_raw(writer, "</td>");
		}
		page_raw(writer, "</tr>\n");
	}
	page_raw(writer, "</tbody></table></details>\n");
}

/* ---- one chart ---- */

static void write_legend(struct page_writer *writer, const struct chart *chart)
{
	page_raw(writer, "<dl class=\"legend\">\n");
	for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
		buf_addf(writer->out, "<div class=\"%s\"><dt>", kind_classes[kind]);
		page_say(writer, kind_texts[kind]);
		page_raw(writer, "</dt><dd>");
		page_count(writer, chart->sums[kind]);
		page_raw(writer, "</dd></div>\n");
	}
	page_raw(writer, "</dl>\n");
}

static void write_chart(struct page_writer *writer, enum curve_span span, const char *id,
			enum page_text heading)
{
	const int64_t since_ms =
		writer->page->status->curve ? writer->page->status->curve->since_ms : 0;
	struct chart chart;

	chart_read(&chart, writer->page, span);
	buf_addf(writer->out, "<article aria-labelledby=\"%s-title\">\n<h3 id=\"%s-title\">", id,
		 id);
	page_say(writer, heading);
	page_raw(writer, "</h3>\n");
	write_legend(writer, &chart);
	if (chart.sums[CURVE_RECEIVED] + chart.sums[CURVE_DELIVERED] + chart.sums[CURVE_REJECTED] ==
	    0) {
		page_nothing(writer, TEXT_NO_ACTIVITY);
	} else {
		write_drawing(writer, &chart);
		write_table(writer, &chart, id);
	}
	if (chart.count > 0 && !chart.points[0].is_known) {
		page_raw(writer, "<p class=\"quiet\">");
		page_say(writer, TEXT_SHOWN_SINCE);
		page_raw(writer, " ");
		html_add_date(writer->out, since_ms, writer->french);
		page_raw(writer, " ");
		html_add_clock(writer->out, since_ms);
		page_raw(writer, "</p>\n");
	}
	page_raw(writer, "</article>\n");
}

void page_curves(struct page_writer *writer)
{
	page_open_section(writer, "curves", TEXT_CURVES);
	page_raw(writer, "<div class=\"charts\">\n");
	write_chart(writer, CURVE_DAY, "day", TEXT_LAST_DAY);
	write_chart(writer, CURVE_MONTH, "month", TEXT_LAST_MONTH);
	page_raw(writer, "</div>\n");
	page_close_section(writer);
}
