/* Denominators that people import, laid out by place; months, and what of them lies in a window. */
#include "board_month.h"

#include <math.h>

bool board_is_imported(const struct target_denominator *denominator)
{
	return denominator != NULL &&
	       (denominator->source == SOURCE_DIM_IMPORT || denominator->source == SOURCE_MANUAL);
}

struct imported {
	const char *site, *lane;
	int month;
	int64_t n;
	struct store_origin origin;
};

struct import_list {
	const struct board_counting *counting;
	const struct target_indicator *indicator;
	struct imported *list;
	size_t count;
};

static void keep_figure(struct import_list *imports, const struct store_figure *figure,
			const struct store_origin *origin, const char *lane)
{
	struct arena *arena = imports->counting->arena;

	imports->list = board_grow(arena, imports->list, imports->count, sizeof(*imports->list));
	imports->list[imports->count++] = (struct imported){
		.site = arena_dup(arena, slice_of(figure->site)),
		.lane = lane,
		.month = figure->month,
		.n = figure->n,
		.origin = { origin->revision, arena_dup(arena, slice_of(origin->source)),
			    arena_dup(arena, slice_of(origin->actor)), origin->imported_ms },
	};
}

static void on_figure(void *arg, const struct store_figure *figure,
		      const struct store_origin *origin)
{
	struct import_list *imports = arg;
	const struct config_establishment *e =
		config_establishment_of(imports->counting->config, figure->site, NULL);

	if (e != NULL && board_is_named(&imports->indicator->sites, figure->site) &&
	    board_is_named(&imports->indicator->fields, figure->name))
		keep_figure(imports, figure, origin, e->finess_ej);
}

static bool is_of(const struct board_places *places, size_t place, const struct imported *one)
{
	return strcmp(places->list[place].id, places->by_entity ? one->lane : one->site) == 0;
}

static bool has_month(const struct import_list *imports, const char *site, int month)
{
	for (size_t i = 0; i < imports->count; i++)
		if (imports->list[i].month == month && strcmp(imports->list[i].site, site) == 0)
			return true;
	return false;
}

/* Of the month, all that was imported for the place, if each of its sites that is in the import at all has
 * it.
 */
static bool sum_month(const struct import_list *imports, const struct board_places *places,
		      size_t place, int month, int64_t *ret_n, struct store_origin *newest)
{
	bool is_there = false;

	*ret_n = 0;
	for (size_t i = 0; i < imports->count; i++) {
		const struct imported *one = &imports->list[i];

		if (!is_of(places, place, one))
			continue;
		if (!has_month(imports, one->site, month))
			return false;
		if (one->month != month)
			continue;
		is_there = true;
		*ret_n += one->n;
		if (one->origin.revision > newest->revision)
			*newest = one->origin;
	}
	return is_there;
}

static int month_start(int month)
{
	return month * 100 + 1;
}

static int month_end(int month)
{
	return calendar_add(calendar_add(month_start(month), 31) / 100 * 100 + 1, -1);
}

static int next_month(int month)
{
	return calendar_month(calendar_add(month_start(month), 31));
}

struct month_span {
	int from, to; /* days of it that are in the window */
	double share;
};

static struct month_span span_of(const struct workdays *days, int month, int from, int to)
{
	struct month_span span = { max(month_start(month), from), min(month_end(month), to), 1 };

	if (span.from > month_start(month) || span.to < month_end(month))
		span.share = workdays_weigh(days, calendar_add(span.from, -1), span.to) /
			     workdays_weigh(days, calendar_add(month_start(month), -1),
					    month_end(month));
	return span;
}

/* What is known of a month that is not over was counted until the day of the import. */
static int known_until(const struct board_counting *counting, int last,
		       const struct store_origin *origin)
{
	if (last < counting->today)
		return last;
	return min(counting->today, calendar_day(origin->imported_ms));
}

static void fill_from_months(const struct board_counting *counting,
			     const struct import_list *imports, const struct board_places *places,
			     size_t place, int from, int to, struct board_measure *measure)
{
	struct board_denominator *denominator = &measure->denominator;
	scoped(buf_done) struct buf gaps = { 0 };
	struct store_origin newest = { 0 };
	char text[CALENDAR_TEXT];
	bool is_contiguous = true;
	int64_t n;

	for (int month = calendar_month(from); month <= calendar_month(to);
	     month = next_month(month)) {
		const struct month_span span =
			span_of(&counting->workdays, month, from,
				month_end(month) < counting->today ? to : month_end(month));

		if (!sum_month(imports, places, place, month, &n, &newest)) {
			is_contiguous = false;
			if (month_end(month) < counting->today)
				buf_addf(&gaps, "%s%s", gaps.n ? ", " : "",
					 calendar_month_text(month, text));
			continue;
		}
		if (!is_contiguous)
			continue;
		denominator->is_known = true;
		denominator->n += llround((double)n * span.share);
		denominator->until = known_until(counting, span.to, &newest);
		measure->denominator_pace =
			(double)n /
			workdays_weigh(
				&counting->workdays, calendar_add(month_start(month), -1),
				min(month_end(month), max(denominator->until, month_start(month))));
	}
	denominator->revision = newest.revision;
	denominator->imported_ms = newest.imported_ms;
	denominator->imported_by = newest.actor ? newest.actor : "";
	denominator->gaps = arena_dup(counting->arena, buf_slice(&gaps));
}

int board_measure_months(const struct board_counting *counting,
			 const struct target_indicator *indicator,
			 const struct board_places *places, int from, int to,
			 struct board_measure *measures, struct err *err)
{
	struct import_list imports = { .counting = counting, .indicator = indicator };

	if (store_figures(counting->store, FIGURES_DENOMINATOR, indicator->denominator->id,
			  calendar_month(from), calendar_month(to), on_figure, &imports, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count; i++)
		fill_from_months(counting, &imports, places, i, from, to, &measures[i]);
	return 0;
}
