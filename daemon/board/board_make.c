/* The board: rows of indicators, and their states. */
#include "board/board_make.h"

#include <math.h>

#include "board/board_gap.h"

enum {
	/* after its end, a window is no more counted: what was frozen of it stands for it */
	OLD_DAYS = 400,
	MOST_ROWS = 20000,
};

struct frozen {
	const char *programme, *window, *indicator, *place, *json;
	int64_t frozen_ms;
};

struct maker {
	struct board_counting counting;
	const struct board_asked *asked;
	struct board_result *result;
	struct arena scratch;
	struct board_waiting waiting;
	struct frozen *frozen;
	size_t frozen_count;
};

static const char *keep(struct arena *arena, const char *text)
{
	return arena_dup(arena, slice_of(text));
}

/* ---- what was frozen ---- */

static void on_snapshot(void *arg, const struct store_snapshot *snapshot)
{
	struct maker *maker = arg;
	struct arena *arena = &maker->scratch;

	maker->frozen =
		board_grow(arena, maker->frozen, maker->frozen_count, sizeof(struct frozen));
	maker->frozen[maker->frozen_count++] = (struct frozen){
		.programme = keep(arena, snapshot->programme),
		.window = keep(arena, snapshot->window),
		.indicator = keep(arena, snapshot->indicator),
		.place = keep(arena, snapshot->place),
		.json = keep(&maker->result->arena, snapshot->json),
		.frozen_ms = snapshot->frozen_ms,
	};
}

/* ---- one row ---- */

static const char *joined(struct arena *arena, const struct target_texts *texts)
{
	scoped(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < texts->count; i++)
		buf_addf(&text, "%s%s", i ? "+" : "", texts->list[i]);
	return arena_dup(arena, buf_slice(&text));
}

static bool is_a_ratio(const struct target_threshold *threshold)
{
	return threshold->kind == KIND_RATIO ||
	       ((threshold->kind == KIND_DELTA || threshold->kind == KIND_TIERS) &&
		threshold->of == KIND_RATIO);
}

/* Of an indicator that is made of others: the longest of theirs. */
static int grace_of(const struct target_programme *programme,
		    const struct target_indicator *indicator)
{
	const struct target_texts *parts = &indicator->threshold.indicators;
	uint64_t days = indicator->numerator.late_grace_days;

	for (size_t i = 0; i < parts->count; i++)
		days = max(days,
			   targets_indicator(programme, parts->list[i])->numerator.late_grace_days);
	return (int)days;
}

/* A window whose documents may still come in its grace has not ended. */
static bool has_ended(const struct maker *maker, const struct target_programme *programme,
		      const struct target_window *window, const struct target_indicator *indicator)
{
	return window->end != TARGETS_NO_END &&
	       maker->counting.today > calendar_add(window->end, grace_of(programme, indicator));
}

static struct board_row begin_row(const struct maker *maker,
				  const struct target_programme *programme,
				  const struct target_window *window,
				  const struct target_indicator *indicator,
				  const struct board_place *place)
{
	struct arena *arena = &maker->result->arena;

	return (struct board_row){
		.programme = programme->id,
		.programme_label = programme->label,
		.window = window->id,
		.start = window->start,
		.end = window->end,
		.window_status = window->status,
		.indicator = indicator->id,
		.label = indicator->label,
		.place = keep(arena, place->id),
		.place_name = keep(arena, place->name),
		.is_entity = indicator->by_entity,
		.lane = keep(arena, place->lane),
		.fields = joined(arena, &indicator->fields),
		.unit = target_unit(indicator->numerator.aggregate),
		.has_ended = has_ended(maker, programme, window, indicator),
		.denominator = { .id = "",
				 .source = "",
				 .imported_by = "",
				 .gaps = "",
				 .sensitive = -1 },
		.kind = indicator->threshold.kind,
		.threshold_status = indicator->threshold.status,
		.threshold_source = indicator->threshold.source,
		.tier_count = indicator->threshold.tier_count,
		.per_month = indicator->threshold.per_month,
		.amount_eur = indicator->amount_eur,
		.reference = NAN,
		.input = { .is_ratio = is_a_ratio(&indicator->threshold),
			   .has_threshold = indicator->threshold.has_value,
			   .at_most = indicator->threshold.at_most,
			   .threshold = indicator->threshold.value,
			   .margin = indicator->margin },
		.english = "",
		.french = "",
		.definition = indicator->definition,
		.definition_hash = indicator->definition_hash,
		.frozen = "",
	};
}

static const struct frozen *frozen_of(const struct maker *maker, const struct board_row *row,
				      const char *place)
{
	for (size_t i = 0; i < maker->frozen_count; i++) {
		const struct frozen *one = &maker->frozen[i];

		if (strcmp(one->programme, row->programme) == 0 &&
		    strcmp(one->window, row->window) == 0 &&
		    strcmp(one->indicator, row->indicator) == 0 && strcmp(one->place, place) == 0)
			return one;
	}
	return NULL;
}

/* A window that was frozen under a number which the site had is not frozen once more under the one it has now. */
static void put_frozen(const struct maker *maker, struct board_row *row)
{
	const struct frozen *frozen = frozen_of(maker, row, row->place);
	const struct config_site *site = NULL;

	if (frozen == NULL && !row->is_entity && !row->is_as_frozen &&
	    config_establishment_of(maker->asked->config, row->place, &site) != NULL)
		for (size_t i = 0; i < site->formerly_count && frozen == NULL; i++)
			frozen = frozen_of(maker, row, site->formerly[i]);
	if (frozen == NULL)
		return;
	row->frozen = frozen->json;
	row->frozen_ms = frozen->frozen_ms;
}

static void add_row(struct maker *maker, struct board_row *row)
{
	struct board_result *result = maker->result;

	put_frozen(maker, row);
	if (result->row_count == MOST_ROWS)
		return;
	result->rows =
		board_grow(&result->arena, result->rows, result->row_count, sizeof(*result->rows));
	result->rows[result->row_count++] = *row;
}

static void say(const struct maker *maker, struct board_row *row, const char *english,
		const char *french)
{
	row->english = keep(&maker->result->arena, english);
	row->french = keep(&maker->result->arena, french);
}

/* Behind what the projection says: what lacks of what it is divided by. */
static void add_gaps(const struct board_row *row, const struct target_indicator *indicator,
		     bool french, struct buf *text)
{
	const struct target_denominator *denominator = indicator->denominator;

	if (denominator == NULL || !board_is_imported(denominator) ||
	    (row->kind == KIND_RANK && row->is_counted) ||
	    (row->denominator.is_known && row->denominator.gaps[0] == '\0'))
		return;
	if (row->denominator.gaps[0] != '\0')
		buf_addf(text,
			 french ? " Chiffres de %s manquants : %s" : " Figures of %s lack for %s",
			 denominator->id, row->denominator.gaps);
	else
		buf_addf(text,
			 french ? " Aucun chiffre de %s n'a été importé"
				: " No figure of %s was imported",
			 denominator->id);
	buf_addf(text, " (dmpfeedctl import-denominators %s).",
		 denominator->file[0] ? denominator->file : "FILE");
}

/* A document whose champ nobody says is of none that is asked for. */
static void add_field(const struct maker *maker, const struct board_row *row,
		      const struct target_indicator *indicator, bool french, struct buf *text)
{
	const struct config_site *site = NULL;

	if (indicator->fields.count == 0 || row->is_entity ||
	    config_establishment_of(maker->asked->config, row->place, &site) == NULL ||
	    site->field == NULL || strcmp(site->field, "none") != 0)
		return;
	buf_add_text(text, french ? " Le champ d'activité de ce site n'est pas renseigné (field) : "
				    "ses documents sans champ ne comptent pas."
				  : " This site has no field of activity (field): its documents "
				    "without one do not count.");
}

/* Of a window that has lasted longer than what ADT messages said is kept. */
static void add_forgotten(const struct maker *maker, const struct board_row *row,
			  const struct target_indicator *indicator, bool french, struct buf *text)
{
	const struct target_denominator *denominator = indicator->denominator;
	const int kept = calendar_day(maker->asked->now_ms - maker->asked->config->keep_stays_ms);
	char day[CALENDAR_TEXT];

	if (row->per_month || row->start >= kept ||
	    (indicator->numerator.basis != BASIS_STAY_END &&
	     (denominator == NULL || denominator->source != SOURCE_ADT)))
		return;
	buf_addf(text,
		 french ? " Ce que les messages ADT ont dit des séjours terminés avant le %s n'est "
			  "plus conservé (stays.keep) : ils manquent à ces chiffres."
			: " What ADT messages said of stays that ended before %s is kept no longer "
			  "(stays.keep): they lack in these figures.",
		 calendar_day_text(kept, day));
}

static void say_projection(const struct maker *maker, struct board_row *row,
			   const struct target_indicator *indicator)
{
	const char *texts[2];

	for (int french = 0; french < 2; french++) {
		scoped(buf_done) struct buf text = { 0 };

		projection_say(&row->input, &row->projection, row->unit, french, &text);
		add_gaps(row, indicator, french, &text);
		add_field(maker, row, indicator, french, &text);
		add_forgotten(maker, row, indicator, french, &text);
		texts[french] = arena_dup(&maker->result->arena, buf_slice(&text));
	}
	row->english = texts[0];
	row->french = texts[1];
}

/* ---- thresholds ---- */

/* The first tier that is not reached yet, or the last. */
static void choose_tier(struct board_row *row, const struct target_threshold *threshold)
{
	for (size_t i = 0; i < threshold->tier_count; i++) {
		row->tier = i + 1;
		row->input.threshold = threshold->tiers[i].value;
		row->amount_eur = threshold->tiers[i].amount_eur;
		projection_make(&row->input, &row->projection);
		if (row->projection.state != TARGET_MET_NOW)
			break;
	}
}

static double value_of(const struct board_row *row, const struct board_measure *measure)
{
	if (!row->input.is_ratio)
		return (double)measure->numerator;
	return measure->denominator.is_known && measure->denominator.n > 0
		       ? (double)measure->numerator_measured / (double)measure->denominator.n
		       : NAN;
}

/* Progress counts from what was reached in the reference period. */
static void start_from(struct board_row *row, const struct board_measure *reference)
{
	row->reference = value_of(row, reference);
	if (isnan(row->reference))
		row->input.has_denominator = false;
	else
		row->input.threshold += row->reference;
}

/* ---- from measures to rows ---- */

/* One indicator, in one window, at all its places. */
struct sheet {
	const struct target_programme *programme;
	const struct target_window *window;
	const struct target_indicator *indicator;
	struct board_places places;
	int from, to; /* the days that count: the window, or the month in it */
	struct board_measure *measures, *references;
	struct board_pace *paces;
	struct board_awaited *awaited; /* in a window that has ended: nothing */
};

static double first_pass_of(const struct maker *maker, const struct target_indicator *indicator,
			    const struct board_place *place)
{
	int64_t first_pass = 0, ended = 0;

	for (size_t i = 0; i < maker->result->quality_count; i++) {
		const struct board_quality *quality = &maker->result->qualities[i];
		const struct config_establishment *e =
			config_establishment_of(maker->asked->config, quality->site, NULL);

		if (strcmp(indicator->by_entity ? e->finess_ej : quality->site, place->id) != 0)
			continue;
		first_pass += quality->first_pass;
		ended += quality->accepted + quality->rejected;
	}
	return ended > 0 ? (double)first_pass / (double)ended : 1;
}

static void put_measure(const struct maker *maker, const struct sheet *sheet, size_t place,
			struct board_row *row)
{
	const struct board_measure *measure = &sheet->measures[place];
	const struct board_pace *pace = &sheet->paces[place];
	const struct workdays *days = &maker->counting.workdays;
	const int today = maker->counting.today;
	struct projection_input *input = &row->input;

	row->denominator = measure->denominator;
	row->denominator.imported_by =
		keep(&maker->result->arena, measure->denominator.imported_by);
	row->denominator.gaps = keep(&maker->result->arena, measure->denominator.gaps);
	input->numerator = measure->numerator;
	input->numerator_measured = measure->numerator_measured;
	input->has_denominator = measure->denominator.is_known;
	input->denominator = measure->denominator.n;
	if (input->is_ratio && measure->denominator.is_known)
		input->gap =
			workdays_weigh(days, measure->denominator.until, min(today, sheet->to));
	input->has_end = sheet->to != TARGETS_NO_END;
	input->left = input->has_end ? workdays_weigh(days, today, sheet->to) : 0;
	input->numerator_pace = pace->numerator;
	input->denominator_pace =
		pace->denominator >= 0 ? pace->denominator : measure->denominator_pace;
	input->produced_pace = pace->produced;
	input->first_pass_rate = first_pass_of(maker, sheet->indicator, &sheet->places.list[place]);
	input->weeks = pace->weeks;
	memcpy(input->weekly, pace->weekly, sizeof(input->weekly));
	input->sendable = sheet->awaited[place].sendable;
	input->recoverable = sheet->awaited[place].recoverable;
}

/* Nothing is measured: a ratio without a denominator has no figures either. */
static void forget_figures(struct board_row *row)
{
	struct projection_input nothing = row->input;

	/* the row itself stays what it is: a threshold of 500 is no 50000 % */
	nothing.is_ratio = true;
	nothing.has_denominator = false;
	projection_make(&nothing, &row->projection);
}

static bool explain_uncounted(const struct maker *maker, struct board_row *row,
			      const struct target_indicator *indicator)
{
	const struct target_numerator *numerator = &indicator->numerator;

	if ((numerator->channels & CHANNEL_DMP) == 0)
		say(maker, row, "This gateway does not carry that channel: it cannot count it.",
		    "Cette passerelle ne transporte pas ce canal : elle ne peut pas le compter.");
	else if (!numerator->any_type && numerator->types.count == 0)
		say(maker, row,
		    "No code of a document type is filled in: write it in the targets' file.",
		    "Aucun code de type de document n'est renseigné : l'écrire dans le fichier des "
		    "objectifs.");
	else
		return false;
	forget_figures(row);
	return true;
}

static void make_row(struct maker *maker, const struct sheet *sheet, size_t place)
{
	const struct target_threshold *threshold = &sheet->indicator->threshold;
	struct board_row row = begin_row(maker, sheet->programme, sheet->window, sheet->indicator,
					 &sheet->places.list[place]);

	if (!explain_uncounted(maker, &row, sheet->indicator)) {
		row.is_counted = true;
		put_measure(maker, sheet, place, &row);
		if (threshold->kind == KIND_DELTA)
			start_from(&row, &sheet->references[place]);
		if (threshold->kind == KIND_TIERS)
			choose_tier(&row, threshold);
		projection_make(&row.input, &row.projection);
		say_projection(maker, &row, sheet->indicator);
	}
	add_row(maker, &row);
}

/* A target of each month is that of the month at hand, or of the last one. */
static void choose_days(const struct maker *maker, struct sheet *sheet)
{
	const int today = min(maker->counting.today, sheet->window->end);
	const int first = today / 100 * 100 + 1;

	sheet->from = sheet->window->start;
	sheet->to = sheet->window->end;
	if (!sheet->indicator->threshold.per_month)
		return;
	sheet->from = max(sheet->from, first);
	sheet->to = min(sheet->to, calendar_add(calendar_add(first, 31) / 100 * 100 + 1, -1));
}

static int measure_sheet(struct maker *maker, struct sheet *sheet, struct err *err)
{
	const struct target_indicator *indicator = sheet->indicator;
	const struct target_threshold *threshold = &indicator->threshold;
	const size_t count = sheet->places.count;
	struct arena *arena = &maker->scratch;

	sheet->measures = arena_alloc(arena, count * sizeof(*sheet->measures));
	sheet->references = arena_alloc(arena, count * sizeof(*sheet->references));
	sheet->paces = arena_alloc(arena, count * sizeof(*sheet->paces));
	sheet->awaited = arena_alloc(arena, count * sizeof(*sheet->awaited));
	if (threshold->kind == KIND_DELTA &&
	    board_measure(&maker->counting, indicator, &sheet->places, threshold->reference_start,
			  threshold->reference_end, sheet->references, err) < 0)
		return -1;
	if (board_measure(&maker->counting, indicator, &sheet->places, sheet->from, sheet->to,
			  sheet->measures, err) < 0)
		return -1;
	if (!has_ended(maker, sheet->programme, sheet->window, indicator) &&
	    board_await(&maker->counting, indicator, &sheet->places, sheet->from, sheet->to,
			maker->asked->now_ms, sheet->awaited, err) < 0)
		return -1;
	return board_pace(&maker->counting, indicator, &sheet->places, sheet->paces, err);
}

/* ---- ranks: the last month's figure ---- */

struct rank_asked {
	const struct board_counting *counting;
	const struct target_indicator *indicator;
	const struct board_place *place;
	bool is_known;
	int month;
	int64_t n;
	uint64_t revision;
	int64_t imported_ms;
};

static void on_rank(void *arg, const struct store_figure *figure, const struct store_origin *origin)
{
	struct rank_asked *asked = arg;
	const struct config_establishment *e =
		config_establishment_of(asked->counting->config, figure->site, NULL);
	const char *id = asked->indicator->by_entity ? (e ? e->finess_ej : "") : figure->site;

	if (strcmp(id, asked->place->id) != 0 ||
	    !board_is_named(&asked->indicator->fields, figure->name) ||
	    figure->month < asked->month)
		return;
	asked->is_known = true;
	asked->month = figure->month;
	asked->n = figure->n;
	asked->revision = origin->revision;
	asked->imported_ms = origin->imported_ms;
}

static void make_rank(struct maker *maker, const struct sheet *sheet, size_t place,
		      const struct rank_asked *asked)
{
	struct board_row row = begin_row(maker, sheet->programme, sheet->window, sheet->indicator,
					 &sheet->places.list[place]);

	row.is_counted = asked->is_known;
	row.denominator.id = sheet->indicator->denominator->id;
	row.denominator.source = target_source_text(sheet->indicator->denominator->source);
	row.denominator.revision = asked->revision;
	row.denominator.imported_ms = asked->imported_ms;
	row.input.numerator = asked->n;
	projection_make(&row.input, &row.projection);
	if (!asked->is_known)
		forget_figures(&row);
	say_projection(maker, &row, sheet->indicator);
	add_row(maker, &row);
}

static int make_ranks(struct maker *maker, const struct sheet *sheet, struct err *err)
{
	const int last = min(maker->counting.today, sheet->window->end);

	for (size_t i = 0; i < sheet->places.count; i++) {
		struct rank_asked asked = { .counting = &maker->counting,
					    .indicator = sheet->indicator,
					    .place = &sheet->places.list[i] };

		if (store_figures(maker->counting.store, FIGURES_DENOMINATOR,
				  sheet->indicator->denominator->id,
				  calendar_month(sheet->window->start), calendar_month(last),
				  on_rank, &asked, err) < 0)
			return -1;
		make_rank(maker, sheet, i, &asked);
	}
	return 0;
}

/* ---- several indicators for one payment ---- */

static const struct board_row *find_row(const struct maker *maker, const struct sheet *sheet,
					const char *indicator, const char *place)
{
	for (size_t i = 0; i < maker->result->row_count; i++) {
		const struct board_row *row = &maker->result->rows[i];

		if (strcmp(row->programme, sheet->programme->id) == 0 &&
		    strcmp(row->window, sheet->window->id) == 0 &&
		    strcmp(row->indicator, indicator) == 0 && strcmp(row->place, place) == 0)
			return row;
	}
	return NULL;
}

/* From the best to the worst; what is not known is neither. */
static enum target_state state_of_several(const enum target_state *states, size_t count, bool all)
{
	enum target_state best = TARGET_STATE_COUNT, worst = TARGET_MET_NOW, unknown = worst;

	for (size_t i = 0; i < count; i++) {
		if (states[i] > TARGET_OUT_OF_REACH) {
			unknown = states[i];
			continue;
		}
		best = min(best, states[i]);
		worst = max(worst, states[i]);
	}
	if (all)
		return unknown != TARGET_MET_NOW ? unknown : worst;
	if (best == TARGET_STATE_COUNT)
		return unknown;
	return best != TARGET_MET_NOW && unknown != TARGET_MET_NOW ? unknown : best;
}

static void make_several(struct maker *maker, const struct sheet *sheet, size_t place)
{
	const struct target_texts *parts = &sheet->indicator->threshold.indicators;
	enum target_state *states = arena_alloc(&maker->scratch, parts->count * sizeof(*states));
	struct board_row row = begin_row(maker, sheet->programme, sheet->window, sheet->indicator,
					 &sheet->places.list[place]);
	scoped(buf_done) struct buf english = { 0 }, french = { 0 };
	size_t count = 0, met = 0;

	for (size_t i = 0; i < parts->count; i++) {
		const struct board_row *part = find_row(maker, sheet, parts->list[i], row.place);

		if (part == NULL)
			continue; /* it does not apply here */
		states[count] = part->projection.state;
		met += states[count++] == TARGET_MET_NOW;
		buf_addf(&english, "%s%s %s", count > 1 ? ", " : "", part->indicator,
			 target_state_text(part->projection.state));
	}
	if (count == 0)
		return;
	row.is_counted = true;
	row.input.numerator = (int64_t)met;
	row.input.has_threshold = true;
	row.input.threshold = row.kind == KIND_ALL_OF ? (double)count : 1;
	projection_make(&row.input, &row.projection);
	row.projection.state = state_of_several(states, count, row.kind == KIND_ALL_OF);
	buf_addf(&french, "%zu atteint%s sur %zu : %s.", met, met > 1 ? "s" : "", count, english.p);
	row.french = keep(&maker->result->arena, buf_slice(&french).p);
	row.english = arena_printf(&maker->result->arena, "%zu of %zu reached: %s.", met, count,
				   english.p);
	add_row(maker, &row);
}

/* ---- windows ---- */

static bool is_several(const struct target_indicator *indicator)
{
	return indicator->threshold.kind == KIND_ALL_OF || indicator->threshold.kind == KIND_ANY_OF;
}

static int make_sheet(struct maker *maker, struct sheet *sheet, struct err *err)
{
	sheet->places = board_places_of(&maker->counting, sheet->indicator);
	choose_days(maker, sheet);
	if (sheet->indicator->threshold.kind == KIND_RANK)
		return make_ranks(maker, sheet, err);
	if (!is_several(sheet->indicator) && measure_sheet(maker, sheet, err) < 0)
		return -1;
	for (size_t i = 0; i < sheet->places.count; i++)
		if (is_several(sheet->indicator))
			make_several(maker, sheet, i);
		else
			make_row(maker, sheet, i);
	return 0;
}

/* What is made of several comes after these. */
static int make_window(struct maker *maker, const struct target_programme *programme,
		       const struct target_window *window, struct err *err)
{
	for (int several = 0; several < 2; several++)
		for (size_t i = 0; i < programme->indicator_count; i++) {
			struct sheet sheet = { .programme = programme,
					       .window = window,
					       .indicator = &programme->indicators[i] };

			if (is_several(sheet.indicator) == (several == 1) &&
			    make_sheet(maker, &sheet, err) < 0)
				return -1;
		}
	return 0;
}

/* Those that have begun, of programmes that are not closed. */
static int make_programme(struct maker *maker, const struct target_programme *programme,
			  struct err *err)
{
	const int today = maker->counting.today;

	if (programme->closed)
		return 0;
	if (board_learn(&maker->counting, &programme->workdays, &maker->counting.workdays, err) < 0)
		return -1;
	maker->result->weights_learned = maker->counting.workdays.learned;
	for (size_t i = 0; i < programme->window_count; i++) {
		const struct target_window *window = &programme->windows[i];

		if (window->start <= today &&
		    (window->end == TARGETS_NO_END ||
		     calendar_add(window->end, OLD_DAYS) >= today) &&
		    make_window(maker, programme, window, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what is counted no longer ---- */

/* Beside the row which has it. */
static bool is_told(const struct board_result *result, size_t counted, const struct frozen *frozen)
{
	for (size_t i = 0; i < counted; i++)
		if (result->rows[i].frozen == frozen->json)
			return true;
	return false;
}

static void say_frozen(const struct frozen *frozen, struct arena *arena, struct board_row *row)
{
	char day[CALENDAR_TEXT];

	calendar_day_text(calendar_day(frozen->frozen_ms), day);
	row->english = arena_printf(arena,
				    "Frozen on %s, and counted no longer: these are the figures of "
				    "that day. %s",
				    day, row->english);
	row->french = arena_printf(arena,
				   "Figé le %s, et n'est plus compté : ce sont les chiffres de ce "
				   "jour-là. %s",
				   day, row->french);
}

/* Of which not even that can be read. */
static struct board_row unreadable_row(const struct frozen *frozen, struct arena *arena)
{
	struct board_row row = {
		.programme = keep(arena, frozen->programme),
		.programme_label = "",
		.window = keep(arena, frozen->window),
		.end = TARGETS_NO_END,
		.indicator = keep(arena, frozen->indicator),
		.label = "",
		.place = keep(arena, frozen->place),
		.place_name = "",
		.lane = "",
		.fields = "",
		.has_ended = true,
		.denominator = { .id = "",
				 .source = "",
				 .imported_by = "",
				 .gaps = "",
				 .sensitive = -1 },
		.threshold_source = "",
		.reference = NAN,
		.input = { .is_ratio = true },
		.english = "What was frozen cannot be read: the database holds something else in "
			   "its place (dmpfeedctl verify).",
		.french = "Ce qui a été figé est illisible : la base contient autre chose à sa "
			  "place (dmpfeedctl verify).",
		.definition = "",
		.definition_hash = "",
	};

	projection_make(&row.input, &row.projection);
	return row;
}

/* Windows that ended long ago, programmes that are closed, and what no file of targets and no configuration names
 * any more: somebody was paid by these figures.
 */
static void tell_frozen(struct maker *maker)
{
	struct board_result *result = maker->result;
	const size_t counted = result->row_count;

	for (size_t i = 0; i < maker->frozen_count; i++) {
		const struct frozen *frozen = &maker->frozen[i];
		struct board_row row;

		if (is_told(result, counted, frozen))
			continue;
		if (targets_read_frozen(frozen->json, &result->arena, &row) < 0)
			row = unreadable_row(frozen, &result->arena);
		else
			say_frozen(frozen, &result->arena, &row);
		row.is_as_frozen = true;
		row.frozen = ""; /* add_row() has it */
		add_row(maker, &row);
	}
}

/* ---- the whole ---- */

static int make_all(struct maker *maker, struct err *err)
{
	const struct targets *targets = maker->asked->targets;
	struct board_result *result = maker->result;
	const int this_month = calendar_month(result->today);
	struct store_tally tally;

	if (store_tally_now(maker->counting.store, &tally, err) < 0 ||
	    store_snapshots(maker->counting.store, on_snapshot, maker, err) < 0 ||
	    board_read_waiting(maker->asked, &maker->scratch, &maker->waiting, err) < 0 ||
	    board_find_qualities(maker->asked, &maker->waiting, result, err) < 0)
		return -1;
	result->counted_last = tally.last;
	result->counted_edition = tally.edition;
	result->counted_stays = tally.stays;
	result->counted_until_ms = tally.until_ms;
	for (size_t i = 0; i < targets->programme_count; i++)
		if (make_programme(maker, &targets->programmes[i], err) < 0)
			return -1;
	tell_frozen(maker);
	return board_find_gaps(maker->asked, this_month - 100, this_month, &result->arena,
			       &result->gaps, &result->gap_count, err);
}

int board_make(const struct board_asked *asked, struct board_result **ret_result, struct err *err)
{
	scoped(board_result_free) struct board_result *result = xcalloc(1, sizeof(*result));
	struct maker maker = { .asked = asked, .result = result };
	int rc;

	result->as_of_ms = asked->now_ms;
	result->today = calendar_day(asked->now_ms);
	result->targets = asked->targets;
	maker.counting = (struct board_counting){ asked->config, asked->store, &maker.scratch,
						  result->today, workdays_preset() };
	rc = make_all(&maker, err);
	arena_done(&maker.scratch);
	if (rc < 0)
		return -1;
	*ret_result = take(result);
	return 0;
}
