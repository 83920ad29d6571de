/* Ours, declared, official: figures of one site, type and month side by side. */
#include "board/board_gap.h"

#include <math.h>

/* Where the targets' files say no limits. */
static const struct target_alert gap_limits = { .warn = 0.02, .crit = 0.05 };

struct gaps {
	const struct board_asked *asked;
	struct arena *arena;
	struct board_gap *list;
	size_t count;
	size_t elsewhere; /* of them those that were counted elsewhere: the first ones, in order */
	bool declared;    /* the figures that come are these; else the official ones */
};

static struct board_gap *add_gap(struct gaps *gaps, const char *site, const char *type_code,
				 int month)
{
	struct board_gap *gap;

	gaps->list = board_grow(gaps->arena, gaps->list, gaps->count, sizeof(*gap));
	gap = &gaps->list[gaps->count++];
	*gap = (struct board_gap){
		.site = arena_dup(gaps->arena, slice_of(site)),
		.type_code = arena_dup(gaps->arena, slice_of(type_code)),
		.month = month,
		.official = -1,
		.declared = -1,
		.gap = NAN,
	};
	return gap;
}

static void on_figure(void *arg, const struct store_figure *figure,
		      const struct store_origin *origin)
{
	struct gaps *gaps = arg;
	struct board_gap *gap = add_gap(gaps, figure->site, figure->name, figure->month);

	(void)origin;
	*(gaps->declared ? &gap->declared : &gap->official) = figure->n;
}

static int by_month(const void *a, const void *b)
{
	const struct board_gap *x = a, *y = b;
	int order = strcmp(x->site, y->site);

	return order ? order : (x->month > y->month) - (x->month < y->month);
}

static int by_type(const void *a, const void *b)
{
	const struct board_gap *x = a, *y = b;
	int order = by_month(x, y);

	return order ? order : strcmp(x->type_code, y->type_code);
}

/* -1: not known. */
static int64_t sum_of(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return max(a, b);
	return a + b;
}

/* In order, and one of each site, type and month. */
static void merge(struct gaps *gaps)
{
	size_t kept = 0;

	if (gaps->count > 0)
		qsort(gaps->list, gaps->count, sizeof(*gaps->list), by_type);
	for (size_t i = 0; i < gaps->count; i++) {
		struct board_gap *gap = &gaps->list[i], *last = &gaps->list[kept - (kept > 0)];

		if (kept == 0 || by_type(last, gap) != 0) {
			gaps->list[kept++] = *gap;
			continue;
		}
		last->official = sum_of(last->official, gap->official);
		last->declared = sum_of(last->declared, gap->declared);
		last->ours += gap->ours;
	}
	gaps->count = kept;
}

/* Only where anything of the site and the month was counted elsewhere: what is not in it was then not counted. */
static void on_ours(void *arg, const struct count_cell *cell, const char *current)
{
	const struct board_gap wanted = { .site = current, .month = cell->day };
	struct gaps *gaps = arg;

	if (cell->outcome != COUNT_ACCEPTED && cell->outcome != COUNT_ACCEPTED_RECONCILED)
		return;
	if (gaps->elsewhere > 0 &&
	    bsearch(&wanted, gaps->list, gaps->elsewhere, sizeof(wanted), by_month) != NULL)
		add_gap(gaps, current, cell->type_code, cell->day)->ours = cell->n;
}

static enum board_level level_of(const struct board_gap *gap, const struct target_alert *limits)
{
	const double size = fabs(gap->gap);

	if (isnan(gap->gap)) /* none of it was counted there */
		return gap->official == 0 && gap->ours > 0 ? BOARD_CRIT : BOARD_WELL;
	if (size >= limits->crit)
		return BOARD_CRIT;
	return size >= limits->warn ? BOARD_WARN : BOARD_WELL;
}

static void weigh(struct board_gap *gap, bool month_has_official, const struct target_alert *limits)
{
	if (gap->official < 0 && month_has_official)
		gap->official = 0;
	if (gap->official > 0)
		gap->gap = (double)(gap->ours - gap->official) / (double)gap->official;
	gap->level = level_of(gap, limits);
}

static void weigh_all(struct gaps *gaps)
{
	const struct target_alert *set = &gaps->asked->targets->alerts.official_gap;

	for (size_t first = 0, end; first < gaps->count; first = end) {
		bool month_has_official = false;

		for (end = first;
		     end < gaps->count && by_month(&gaps->list[first], &gaps->list[end]) == 0;
		     end++)
			month_has_official |= gaps->list[end].official >= 0;
		for (size_t i = first; i < end; i++)
			weigh(&gaps->list[i], month_has_official, set->is_set ? set : &gap_limits);
	}
}

int board_find_gaps(const struct board_asked *asked, int from_month, int to_month,
		    struct arena *arena, struct board_gap **ret_gaps, size_t *ret_count,
		    struct err *err)
{
	struct gaps gaps = { .asked = asked, .arena = arena };

	if (store_figures(asked->store, FIGURES_OFFICIAL, "", from_month, to_month, on_figure,
			  &gaps, err) < 0)
		return -1;
	gaps.declared = true;
	if (store_figures(asked->store, FIGURES_DECLARED, "", from_month, to_month, on_figure,
			  &gaps, err) < 0)
		return -1;
	merge(&gaps);
	gaps.elsewhere = gaps.count;
	if (store_counters_by_month(asked->store, from_month, to_month, on_ours, &gaps, err) < 0)
		return -1;
	merge(&gaps);
	weigh_all(&gaps);
	*ret_gaps = gaps.list;
	*ret_count = gaps.count;
	return 0;
}
