/* Denominators that people import, laid out by place; months, and what of them lies in a window. */
#include "board/board_month.h"

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

/* What was imported of one month for one place. */
struct month_sum {
	int64_t n;
	int64_t oldest_ms; /* when the first of it was imported */
};

/* All of it, if each of the place's sites that is in the import at all has that month. */
static bool sum_month(const struct import_list *imports, const struct board_places *places,
		      size_t place, int month, struct month_sum *ret_sum,
		      struct store_origin *newest)
{
	bool is_there = false;

	*ret_sum = (struct month_sum){ .oldest_ms = INT64_MAX };
	for (size_t i = 0; i < imports->count; i++) {
		const struct imported *one = &imports->list[i];

		if (!is_of(places, place, one))
			continue;
		if (!has_month(imports, one->site, month))
			return false;
		if (one->month != month)
			continue;
		is_there = true;
		ret_sum->n += one->n;
		ret_sum->oldest_ms = min(ret_sum->oldest_ms, one->origin.imported_ms);
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

static double weigh(const struct workdays *days, int from, int to)
{
	return workdays_weigh(days, calendar_add(from, -1), to);
}

/* A figure that came before its month was over is of the days until then. */
static int known_until(int month, const struct month_sum *sum)
{
	return min(month_end(month), calendar_day(sum->oldest_ms));
}

/* Adds what of the month lies in the window, as its days weigh. false: nothing of it is known. */
static bool add_month(const struct workdays *days, int month, const struct month_sum *sum, int from,
		      int to, struct board_measure *measure)
{
	const int start = month_start(month), known = known_until(month, sum);
	const int first = max(start, from), last = min(known, to);
	const double whole = weigh(days, start, known);

	if (last < first || whole <= 0)
		return false;
	measure->denominator.is_known = true;
	measure->denominator.n += llround((double)sum->n * weigh(days, first, last) / whole);
	measure->denominator.until = last;
	measure->denominator_pace = (double)sum->n / whole;
	return true;
}

/* Months that lack, one after the other. */
struct lack {
	int first, last; /* 0: none */
	struct buf text;
};

static void end_lack(struct lack *lack)
{
	char first[CALENDAR_TEXT], last[CALENDAR_TEXT];

	if (lack->first == 0)
		return;
	buf_addf(&lack->text, "%s%s", lack->text.n ? ", " : "",
		 calendar_month_text(lack->first, first));
	if (lack->last != lack->first)
		buf_addf(&lack->text, "%s%s", next_month(lack->first) == lack->last ? ", " : "..",
			 calendar_month_text(lack->last, last));
	lack->first = 0;
}

static void note_month(const struct board_counting *counting, int month, bool lacks,
		       struct lack *lack)
{
	if (!lacks || month_end(month) >= counting->today) { /* the one at hand may come yet */
		end_lack(lack);
		return;
	}
	if (lack->first == 0)
		lack->first = month;
	lack->last = month;
}

static void fill_from_months(const struct board_counting *counting,
			     const struct import_list *imports, const struct board_places *places,
			     size_t place, int from, int to, struct board_measure *measure)
{
	struct board_denominator *denominator = &measure->denominator;
	struct lack lack = { 0 };
	struct store_origin newest = { 0 };
	bool is_contiguous = true;
	struct month_sum sum;

	for (int month = calendar_month(from); month <= calendar_month(to);
	     month = next_month(month)) {
		const int last = min(month_end(month), to);
		bool is_there = sum_month(imports, places, place, month, &sum, &newest);

		if (is_there && is_contiguous)
			is_there = add_month(&counting->workdays, month, &sum, from, to, measure);
		note_month(counting, month, !is_there || known_until(month, &sum) < last, &lack);
		is_contiguous = is_contiguous && is_there && denominator->until == last;
	}
	denominator->revision = newest.revision;
	denominator->imported_ms = newest.imported_ms;
	denominator->imported_by = newest.actor ? newest.actor : "";
	end_lack(&lack);
	denominator->gaps = arena_dup(counting->arena, buf_slice(&lack.text));
	buf_done(&lack.text);
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
