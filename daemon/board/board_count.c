/* Numbers of the store, laid out by place and day. */
#include "board/board_month.h"

#include <math.h>

enum {
	PACE_DAYS = 28,
	KEPT_DAYS = 365, /* numbers of single days are kept a little longer than that */
	WEEK = 7,
};

void *board_grow(struct arena *arena, void *list, size_t count, size_t bytes)
{
	void *grown;

	if ((count & (count - 1)) != 0)
		return list;
	grown = arena_alloc(arena, max(count * 2, (size_t)1) * bytes);
	if (count > 0)
		memcpy(grown, list, count * bytes);
	return grown;
}

/* ---- places ---- */

bool board_is_named(const struct target_texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strcmp(texts->list[i], text) == 0)
			return true;
	return texts->count == 0;
}

static bool has_plateau(const struct config_site *site, const char *plateau)
{
	for (size_t i = 0; i < site->plateau_count; i++)
		if (strcmp(site->plateaus[i], plateau) == 0)
			return true;
	return plateau[0] == '\0';
}

static bool applies(const struct target_indicator *indicator, const struct config_site *site)
{
	return board_is_named(&indicator->sites, site->metadata.finess_eg) &&
	       has_plateau(site, indicator->plateau);
}

static void add_entity(struct board_places *places, const struct target_indicator *indicator,
		       const struct config_establishment *e)
{
	for (size_t i = 0; i < e->site_count; i++)
		if (applies(indicator, &e->sites[i])) {
			places->list[places->count++] =
				(struct board_place){ e->finess_ej, e->name, e->finess_ej };
			return;
		}
}

struct board_places board_places_of(const struct board_counting *counting,
				    const struct target_indicator *indicator)
{
	const struct config *config = counting->config;
	struct board_places places = { .by_entity = indicator->by_entity };
	size_t most = 0;

	for (size_t i = 0; i < config->establishment_count; i++)
		most += max(config->establishments[i].site_count, (size_t)1);
	places.list = arena_alloc(counting->arena, most * sizeof(*places.list));
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		if (!board_is_named(&indicator->lanes, e->finess_ej))
			continue;
		if (places.by_entity) {
			add_entity(&places, indicator, e);
			continue;
		}
		for (size_t j = 0; j < e->site_count; j++)
			if (applies(indicator, &e->sites[j]))
				places.list[places.count++] =
					(struct board_place){ e->sites[j].metadata.finess_eg,
							      e->sites[j].metadata.name,
							      e->finess_ej };
	}
	return places;
}

/* The place that a site is, or is of; SIZE_MAX: none. */
static size_t place_of(const struct board_places *places, const char *lane, const char *site)
{
	const char *id = places->by_entity ? lane : site;

	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->list[i].id, id) == 0)
			return i;
	return SIZE_MAX;
}

/* ---- numbers by place and day ---- */

struct series {
	const struct board_places *places;
	int first;
	size_t days;
	int64_t *n;         /* [place][day] */
	int64_t *sensitive; /* [place]: of stays; NULL: nobody wants to know */
};

static struct series series_new(const struct board_counting *counting,
				const struct board_places *places, int from, int to)
{
	struct series series = { places, from, (size_t)max(workdays_between(from, to) + 1, 1), NULL,
				 NULL };

	series.n = arena_alloc(counting->arena, places->count * series.days * sizeof(*series.n));
	return series;
}

/* What counts and lies outside (a week by its Monday, a document in its grace) counts at the edge. */
static void series_add(struct series *series, const char *lane, const char *site, int day,
		       int64_t n)
{
	const size_t place = place_of(series->places, lane, site);
	const int at = workdays_between(series->first, day);

	if (place != SIZE_MAX)
		series->n[place * series->days + min((size_t)max(at, 0), series->days - 1)] += n;
}

static void on_number(void *arg, const struct store_number *number)
{
	struct series *series = arg;
	const size_t place = place_of(series->places, number->lane, number->site);

	series_add(series, number->lane, number->site, number->day, number->n);
	if (series->sensitive != NULL && place != SIZE_MAX)
		series->sensitive[place] += number->discreet;
}

static int64_t series_sum(const struct series *series, size_t place, int from, int to)
{
	const int first = max(workdays_between(series->first, from), 0);
	const int last = min(workdays_between(series->first, to), (int)series->days - 1);
	int64_t sum = 0;

	for (int i = first; i <= last; i++)
		sum += series->n[place * series->days + (size_t)i];
	return sum;
}

/* ---- asking ---- */

static struct store_names names_of(const struct target_texts *texts)
{
	return (struct store_names){ (const char *const *)texts->list, texts->count };
}

/* What ADT messages tell of, rather than documents or people. */
static bool is_of_stays(const struct target_indicator *indicator)
{
	return !indicator->has_same && indicator->denominator != NULL &&
	       indicator->denominator->source == SOURCE_ADT;
}

static struct store_numerator asked_of(const struct target_indicator *indicator,
				       const struct target_numerator *numerator, int from, int to,
				       uint64_t grace)
{
	static const enum store_aggregate aggregates[] = {
		[AGGREGATE_DOCUMENTS] = STORE_DOCUMENTS, [AGGREGATE_STAYS] = STORE_STAYS,
		[AGGREGATE_PATIENTS] = STORE_PATIENTS,   [AGGREGATE_MESSAGES] = STORE_DOCUMENTS,
		[AGGREGATE_WEEKS] = STORE_WEEKS,
	};
	static const enum store_basis bases[] = {
		[BASIS_ACCEPTED] = STORE_BY_ACCEPTED,
		[BASIS_SUBMITTED] = STORE_BY_SUBMITTED,
		[BASIS_CREATED] = STORE_BY_CREATED,
		[BASIS_STAY_END] = STORE_BY_STAY_END,
	};

	return (struct store_numerator){
		.types = names_of(&numerator->types),
		.sites = names_of(&indicator->sites),
		.lanes = names_of(&indicator->lanes),
		.fields = names_of(&indicator->fields),
		.channel = COUNT_CHANNEL_DMP,
		.from_ms = calendar_begins_ms(from),
		.to_ms = calendar_begins_ms(calendar_add(to, 1)),
		.basis = bases[numerator->basis],
		.aggregate = aggregates[numerator->aggregate],
		.by_lane = indicator->by_entity,
		.ins_qualified = numerator->ins_qualified,
		.has_most_delay = numerator->most_delay_hours > 0,
		.most_delay_ms = (int64_t)numerator->most_delay_hours * 3600000,
		.net_of_deletions = numerator->net_of_deletions,
		.share_across_transfers = numerator->share_across_transfers,
		.adt_only = numerator->aggregate == AGGREGATE_STAYS && is_of_stays(indicator),
		.not_reconciled = (numerator->outcomes & OUTCOME_ACCEPTED_RECONCILED) == 0,
		.late_grace_days = (int)grace,
	};
}

static int ask_numerator(const struct board_counting *counting,
			 const struct target_indicator *indicator,
			 const struct target_numerator *numerator, int from, int to, uint64_t grace,
			 struct series *into, struct err *err)
{
	const struct store_numerator asked = asked_of(indicator, numerator, from, to, grace);

	return store_numerator(counting->store, &asked, on_number, into, err);
}

struct months_asked {
	const struct board_counting *counting;
	const struct target_indicator *indicator;
	struct series *into;
	int from, to;
};

/* Of a month that the window cuts, what its days weigh. */
static void on_month(void *arg, const struct count_cell *cell, const char *current)
{
	const struct months_asked *asked = arg;
	const int start = cell->day * 100 + 1, first = max(start, asked->from);
	const int end = calendar_add(calendar_add(start, 31) / 100 * 100 + 1, -1);
	const struct workdays *days = &asked->counting->workdays;
	double share = workdays_weigh(days, calendar_add(first, -1), min(end, asked->to)) /
		       workdays_weigh(days, calendar_add(start, -1), end);

	if (cell->outcome == COUNT_RECEIVED &&
	    board_is_named(&asked->indicator->numerator.types, cell->type_code) &&
	    board_is_named(&asked->indicator->sites, current) &&
	    board_is_named(&asked->indicator->fields, cell->field))
		series_add(asked->into, cell->lane, current, first,
			   llround((double)cell->n * share));
}

/* Numbers of days are forgotten after a year: those of months before. */
static int ask_produced(const struct board_counting *counting,
			const struct target_indicator *indicator, int from, int to,
			struct series *into, struct err *err)
{
	const int kept = calendar_add(counting->today, -KEPT_DAYS);
	const int first_kept = calendar_add(kept / 100 * 100 + 1, 31) / 100 * 100 + 1;
	struct store_produced asked = {
		.types = names_of(&indicator->numerator.types),
		.sites = names_of(&indicator->sites),
		.lanes = names_of(&indicator->lanes),
		.fields = names_of(&indicator->fields),
		.from_day = from,
		.to_day = to,
	};
	struct months_asked months = { counting, indicator, into, from, to };

	if (from < kept) {
		asked.from_day = min(first_kept, calendar_add(to, 1));
		if (store_counters_by_month(counting->store, calendar_month(from),
					    calendar_month(calendar_add(asked.from_day, -1)),
					    on_month, &months, err) < 0)
			return -1;
	}
	return store_produced(counting->store, &asked, on_number, into, err);
}

static int ask_stays(const struct board_counting *counting,
		     const struct target_indicator *indicator, int from, int to,
		     struct series *into, struct err *err)
{
	const struct store_ended asked = {
		.sites = names_of(&indicator->sites),
		.lanes = names_of(&indicator->lanes),
		.fields = names_of(&indicator->fields),
		.from_ms = calendar_begins_ms(from),
		.to_ms = calendar_begins_ms(calendar_add(to, 1)),
		.adt_only = true,
	};

	return store_stays_ended(counting->store, &asked, on_number, into, err);
}

/* A denominator that is counted day by day. */
static int ask_denominator(const struct board_counting *counting,
			   const struct target_indicator *indicator, int from, int to,
			   uint64_t grace, struct series *into, struct err *err)
{
	if (indicator->has_same)
		return ask_numerator(counting, indicator, &indicator->same, from, to, grace, into,
				     err);
	return is_of_stays(indicator) ? ask_stays(counting, indicator, from, to, into, err)
				      : ask_produced(counting, indicator, from, to, into, err);
}

/* ---- measuring ---- */

static void begin_measures(const struct target_indicator *indicator,
			   const struct board_places *places, struct board_measure *measures)
{
	const struct target_denominator *denominator = indicator->denominator;

	for (size_t i = 0; i < places->count; i++)
		measures[i] = (struct board_measure){
			.denominator = {
				.id = denominator ? denominator->id : "",
				.source = denominator ? target_source_text(denominator->source)
					  : indicator->has_same ? "same_numerator"
								: "",
				.imported_by = "",
				.gaps = "",
				.sensitive = -1,
			},
		};
}

/* Whether there is anything that this gateway can count: another channel is another gateway's, and types
 * without a code are nobody's.
 */
static bool is_countable(const struct target_numerator *numerator)
{
	return (numerator->channels & CHANNEL_DMP) != 0 &&
	       (numerator->any_type || numerator->types.count > 0);
}

/* With a grace, a stay that ended by the last known day counts though its document came after it. */
static int measure_until(const struct board_counting *counting,
			 const struct target_indicator *indicator,
			 const struct board_places *places, int from, int until,
			 struct board_measure *measures, struct err *err)
{
	struct series series = series_new(counting, places, from, until);

	if (ask_numerator(counting, indicator, &indicator->numerator, from, until,
			  indicator->numerator.late_grace_days, &series, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count; i++)
		if (measures[i].denominator.until == until)
			measures[i].numerator_measured = series_sum(&series, i, from, until);
	return 0;
}

/* Most often, all places are known until the same day. */
static int measure_known_days(const struct board_counting *counting,
			      const struct target_indicator *indicator,
			      const struct board_places *places, int from, int to,
			      struct board_measure *measures, struct err *err)
{
	for (size_t i = 0; i < places->count; i++) {
		const int until = measures[i].denominator.until;
		bool is_new = until > 0 && until < to;

		for (size_t j = 0; j < i; j++)
			is_new = is_new && measures[j].denominator.until != until;
		if (is_new &&
		    measure_until(counting, indicator, places, from, until, measures, err) < 0)
			return -1;
	}
	return 0;
}

static int measure_numerator(const struct board_counting *counting,
			     const struct target_indicator *indicator,
			     const struct board_places *places, int from, int to,
			     struct board_measure *measures, struct err *err)
{
	struct series series = series_new(counting, places, from, to);

	if (ask_numerator(counting, indicator, &indicator->numerator, from, to,
			  indicator->numerator.late_grace_days, &series, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count; i++)
		measures[i].numerator = measures[i].numerator_measured =
			series_sum(&series, i, from, to);
	return measure_known_days(counting, indicator, places, from, to, measures, err);
}

static int measure_counted(const struct board_counting *counting,
			   const struct target_indicator *indicator,
			   const struct board_places *places, int from, int to,
			   struct board_measure *measures, struct err *err)
{
	struct series series = series_new(counting, places, from, to);

	if (is_of_stays(indicator))
		series.sensitive =
			arena_alloc(counting->arena, places->count * sizeof(*series.sensitive));
	if (ask_denominator(counting, indicator, from, to, indicator->numerator.late_grace_days,
			    &series, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count; i++) {
		if (series.sensitive != NULL)
			measures[i].denominator.sensitive = series.sensitive[i];
		measures[i].denominator.is_known = true;
		measures[i].denominator.n = series_sum(&series, i, from, to);
		measures[i].denominator.until = to;
	}
	return 0;
}

int board_measure(const struct board_counting *counting, const struct target_indicator *indicator,
		  const struct board_places *places, int from, int to,
		  struct board_measure *ret_measures, struct err *err)
{
	const int last = min(to, counting->today);

	begin_measures(indicator, places, ret_measures);
	if (places->count == 0 || last < from)
		return 0;
	if (board_is_imported(indicator->denominator)) {
		if (board_measure_months(counting, indicator, places, from, last, ret_measures,
					 err) < 0)
			return -1;
	} else if (indicator->denominator != NULL || indicator->has_same) {
		if (measure_counted(counting, indicator, places, from, last, ret_measures, err) < 0)
			return -1;
	}
	if (!indicator->has_numerator || !is_countable(&indicator->numerator))
		return 0;
	return measure_numerator(counting, indicator, places, from, last, ret_measures, err);
}

/* ---- what waits ---- */

struct awaiting {
	const struct board_places *places;
	struct board_awaited *awaited;
};

static void on_awaited(void *arg, const struct store_awaited *one)
{
	const struct awaiting *awaiting = arg;
	const size_t place = place_of(awaiting->places, one->lane, one->site);

	if (place == SIZE_MAX)
		return;
	if (one->needs_ins)
		awaiting->awaited[place].recoverable += one->n;
	else
		awaiting->awaited[place].sendable += one->n;
}

int board_await(const struct board_counting *counting, const struct target_indicator *indicator,
		const struct board_places *places, int from, int to, int64_t now_ms,
		struct board_awaited *ret_awaited, struct err *err)
{
	const struct target_numerator *numerator = &indicator->numerator;
	const struct store_numerator asked = asked_of(
		indicator, numerator, from, min(to, counting->today), numerator->late_grace_days);
	struct awaiting awaiting = { places, ret_awaited };

	for (size_t i = 0; i < places->count; i++)
		ret_awaited[i] = (struct board_awaited){ 0 };
	if (places->count == 0 || !indicator->has_numerator || !is_countable(numerator))
		return 0;
	return store_awaited(counting->store, &asked, now_ms, on_awaited, &awaiting, err);
}

/* ---- how it went lately ---- */

/* The first day on which there was something; 0: there was none. */
static int first_day(const struct series *series, size_t place)
{
	for (size_t i = 0; i < series->days; i++)
		if (series->n[place * series->days + i] != 0)
			return calendar_add(series->first, (int)i);
	return 0;
}

/* Over the last 28 days, or since there is something. */
static double pace_of(const struct board_counting *counting, const struct series *series,
		      size_t place)
{
	const int yesterday = calendar_add(counting->today, -1);
	const int begun = first_day(series, place);
	const int from = max(calendar_add(counting->today, -PACE_DAYS), begun);
	const double weight =
		workdays_weigh(&counting->workdays, calendar_add(from, -1), yesterday);

	if (begun == 0 || weight <= 0)
		return 0;
	return (double)series_sum(series, place, from, yesterday) / weight;
}

static void fill_weeks(const struct board_counting *counting, const struct series *series,
		       size_t place, struct board_pace *pace)
{
	const int monday = calendar_monday(counting->today), begun = first_day(series, place);

	for (int back = PROJECTION_WEEKS; begun != 0 && back > 0; back--) {
		const int from = calendar_add(monday, -WEEK * back);
		const int to = calendar_add(from, WEEK - 1);
		const double weight =
			workdays_weigh(&counting->workdays, calendar_add(from, -1), to);

		if (from >= begun && weight > 0)
			pace->weekly[pace->weeks++] =
				(double)series_sum(series, place, from, to) / weight;
	}
}

/* At most one a week may count, whatever is produced. */
static double most_weeks(const struct workdays *days)
{
	return 1 / (5 + 2 * days->weekend);
}

static int pace_numerator(const struct board_counting *counting,
			  const struct target_indicator *indicator,
			  const struct board_places *places, int from, struct board_pace *paces,
			  struct err *err)
{
	struct series numerator = series_new(counting, places, from, counting->today);
	struct series produced = series_new(counting, places, from, counting->today);

	if (ask_numerator(counting, indicator, &indicator->numerator, from, counting->today, 0,
			  &numerator, err) < 0 ||
	    ask_produced(counting, indicator, from, counting->today, &produced, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count; i++) {
		paces[i].numerator = pace_of(counting, &numerator, i);
		paces[i].produced = indicator->numerator.aggregate == AGGREGATE_WEEKS
					    ? most_weeks(&counting->workdays)
					    : pace_of(counting, &produced, i);
		fill_weeks(counting, &numerator, i, &paces[i]);
	}
	return 0;
}

int board_pace(const struct board_counting *counting, const struct target_indicator *indicator,
	       const struct board_places *places, struct board_pace *ret_paces, struct err *err)
{
	const int from = calendar_add(calendar_monday(counting->today), -WEEK * PROJECTION_WEEKS);
	struct series denominator = series_new(counting, places, from, counting->today);
	bool by_day = !board_is_imported(indicator->denominator) &&
		      (indicator->denominator != NULL || indicator->has_same);

	for (size_t i = 0; i < places->count; i++)
		ret_paces[i] = (struct board_pace){ .denominator = -1 };
	if (places->count == 0 || !indicator->has_numerator || !is_countable(&indicator->numerator))
		return 0;
	if (by_day &&
	    ask_denominator(counting, indicator, from, counting->today, 0, &denominator, err) < 0)
		return -1;
	for (size_t i = 0; i < places->count && by_day; i++)
		ret_paces[i].denominator = pace_of(counting, &denominator, i);
	return pace_numerator(counting, indicator, places, from, ret_paces, err);
}

/* ---- weights ---- */

struct year {
	int first;
	uint64_t brought[KEPT_DAYS];
};

static void on_day(void *arg, const struct count_cell *cell, const char *current)
{
	struct year *year = arg;
	const int at = workdays_between(year->first, cell->day);

	(void)current;
	if ((cell->outcome == COUNT_ACCEPTED || cell->outcome == COUNT_ACCEPTED_RECONCILED) &&
	    at >= 0 && at < KEPT_DAYS && cell->n > 0)
		year->brought[at] += (uint64_t)cell->n;
}

/* A year of which the first week brought nothing is none. */
int board_learn(const struct board_counting *counting, const struct workdays *preset,
		struct workdays *ret_workdays, struct err *err)
{
	struct year year = { .first = calendar_add(counting->today, -KEPT_DAYS) };
	uint64_t first_week = 0;

	if (store_counters(counting->store, year.first, calendar_add(counting->today, -1), on_day,
			   &year, err) < 0)
		return -1;
	for (size_t i = 0; i < WEEK; i++)
		first_week += year.brought[i];
	*ret_workdays =
		workdays_learn(preset, year.first, year.brought, first_week > 0 ? KEPT_DAYS : 0);
	return 0;
}
