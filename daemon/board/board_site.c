/* Sites: what waits, how well it goes. */
#include "board/board_site.h"

enum { QUALITY_WEEKS = 12, WEEK = 7 };

static const char *keep(struct arena *arena, const char *text)
{
	return arena_dup(arena, slice_of(text));
}

/* ---- what waits ---- */

struct waiting_asked {
	struct arena *arena;
	struct board_waiting *into;
};

static void on_waiting(void *arg, const struct store_unsent *waiting)
{
	const struct waiting_asked *asked = arg;
	struct board_waiting *into = asked->into;

	into->list = board_grow(asked->arena, into->list, into->count, sizeof(*into->list));
	into->list[into->count++] = (struct store_unsent){
		.lane = keep(asked->arena, waiting->lane),
		.site = keep(asked->arena, waiting->site),
		.field = keep(asked->arena, waiting->field),
		.type_code = keep(asked->arena, waiting->type_code),
		.needs_ins = waiting->needs_ins,
		.n = waiting->n,
	};
}

int board_read_waiting(const struct board_asked *asked, struct arena *arena,
		       struct board_waiting *ret_waiting, struct err *err)
{
	struct waiting_asked waiting = { arena, ret_waiting };

	*ret_waiting = (struct board_waiting){ 0 };
	return store_unsent(asked->store, on_waiting, &waiting, err);
}

/* ---- how well it goes ---- */

static struct board_quality *quality_of(struct board_result *result, const char *site)
{
	for (size_t i = 0; i < result->quality_count; i++)
		if (strcmp(result->qualities[i].site, site) == 0)
			return &result->qualities[i];
	return NULL;
}

static void begin_qualities(const struct config *config, struct board_result *result)
{
	struct arena *arena = &result->arena;

	for (size_t i = 0; i < config->establishment_count; i++)
		for (size_t j = 0; j < config->establishments[i].site_count; j++) {
			const struct metadata_site *site =
				&config->establishments[i].sites[j].metadata;

			result->qualities =
				board_grow(arena, result->qualities, result->quality_count,
					   sizeof(*result->qualities));
			result->qualities[result->quality_count++] = (struct board_quality){
				.site = keep(arena, site->finess_eg),
				.name = keep(arena, site->name),
				.weeks = QUALITY_WEEKS,
			};
		}
}

static void on_cell(void *arg, const struct count_cell *cell, const char *current)
{
	struct board_quality *quality = quality_of(arg, current);

	if (quality == NULL)
		return;
	if (cell->outcome == COUNT_RECEIVED)
		quality->received += cell->n;
	else if (cell->outcome == COUNT_RECEIVED_QUALIFIED)
		quality->received_qualified += cell->n;
	else if (cell->outcome == COUNT_REFUSED_DMP_ABSENT)
		quality->absent += cell->n;
	else if (cell->outcome == COUNT_REFUSED_DMP_CLOSED)
		quality->closed += cell->n;
	else if (cell->outcome == COUNT_REFUSED_PATIENT_OPPOSED)
		quality->opposed += cell->n;
	else if (cell->outcome >= COUNT_REJECTED_FORMAT && cell->outcome <= COUNT_REJECTED_OTHER)
		quality->rejected_by[cell->outcome] += cell->n;
	if (cell->outcome >= COUNT_REJECTED_FORMAT && cell->outcome <= COUNT_REJECTED_OTHER)
		quality->rejected += cell->n;
}

static void on_quality(void *arg, const struct store_quality *accepted)
{
	struct board_quality *quality = quality_of(arg, accepted->site);

	if (quality == NULL)
		return;
	quality->accepted += accepted->accepted;
	quality->first_pass += accepted->first_pass;
	quality->replaced += accepted->replaced;
	quality->invisible += accepted->invisible;
	quality->still_invisible += accepted->still_invisible;
}

/* ---- letters and stays ---- */

enum { MOST_LETTER_TYPES = 64, MOST_UNITS = 5000 };

/* "11490-0 11506-3" */
static struct store_names letter_types(const struct config *config, struct arena *arena)
{
	const char **names = arena_alloc(arena, MOST_LETTER_TYPES * sizeof(*names));
	struct slice rest = slice_trim(slice_of(config->letter_types)), word;
	struct store_names types = { names, 0 };

	while (rest.n > 0 && types.count < MOST_LETTER_TYPES && slice_next(&rest, ' ', &word))
		if (word.n > 0)
			names[types.count++] = arena_dup(arena, word);
	return types;
}

static void on_letter_time(void *arg, const char *site, enum store_promptness when, int64_t n)
{
	static const int places[] = { [STORE_D0] = BOARD_D0,
				      [STORE_D1] = BOARD_D1,
				      [STORE_D2_D8] = BOARD_D2_D8,
				      [STORE_D9_PLUS] = BOARD_D9_PLUS };
	struct board_quality *quality = quality_of(arg, site);

	if (quality != NULL)
		quality->prompt[places[when]] += n;
}

static void on_letters(void *arg, const struct store_number *number)
{
	struct board_quality *quality = quality_of(arg, number->site);

	if (quality != NULL)
		quality->letters += number->n;
}

static void on_fed_stays(void *arg, const struct store_number *number)
{
	struct board_quality *quality = quality_of(arg, number->site);

	if (quality != NULL)
		quality->fed_stays += number->n;
}

static void on_stays(void *arg, const struct store_number *number)
{
	struct board_quality *quality = quality_of(arg, number->site);

	if (quality != NULL)
		quality->stays += number->n;
}

static int find_letters(const struct board_asked *asked, struct board_result *result,
			struct err *err)
{
	const struct store_names types = letter_types(asked->config, &result->arena);
	const int64_t from_ms = calendar_begins_ms(result->quality_from);
	const int64_t to_ms = calendar_begins_ms(calendar_add(result->today, 1));
	const struct store_numerator letters = {
		.types = types, .channel = COUNT_CHANNEL_DMP, .from_ms = from_ms, .to_ms = to_ms
	};
	const struct store_numerator fed = { .types = types,
					     .channel = COUNT_CHANNEL_DMP,
					     .from_ms = from_ms,
					     .to_ms = to_ms,
					     .basis = STORE_BY_STAY_END,
					     .aggregate = STORE_STAYS,
					     .net_of_deletions = true,
					     .adt_only = true };
	const struct store_ended ended = { .from_ms = from_ms, .to_ms = to_ms, .adt_only = true };

	if (types.count == 0) /* none named would be any */
		return 0;
	if (store_promptness(asked->store, &types, from_ms, on_letter_time, result, err) < 0 ||
	    store_numerator(asked->store, &letters, on_letters, result, err) < 0 ||
	    store_numerator(asked->store, &fed, on_fed_stays, result, err) < 0)
		return -1;
	return store_stays_ended(asked->store, &ended, on_stays, result, err);
}

static void on_unit(void *arg, const struct store_unit *unit)
{
	struct board_result *result = arg;

	if (result->unit_count == MOST_UNITS || quality_of(result, unit->site) == NULL)
		return;
	result->units = board_grow(&result->arena, result->units, result->unit_count,
				   sizeof(*result->units));
	result->units[result->unit_count++] = (struct board_unit){
		.site = keep(&result->arena, unit->site),
		.unit = keep(&result->arena, unit->unit),
		.discharges = unit->discharges,
		.accepted = unit->accepted,
		.weeks = QUALITY_WEEKS,
		.active_weeks = unit->active_weeks,
	};
}

/* ---- all of it ---- */

static void on_week(void *arg, const struct store_number *week)
{
	struct board_quality *quality = quality_of(arg, week->site);

	if (quality != NULL)
		quality->active_weeks++;
}

static void add_waiting(struct board_result *result, const struct board_waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++) {
		const struct store_unsent *one = &waiting->list[i];
		struct board_quality *quality = quality_of(result, one->site);

		if (quality == NULL)
			continue;
		quality->waiting += one->n;
		if (one->needs_ins)
			quality->waiting_for_ins += one->n;
	}
}

int board_find_qualities(const struct board_asked *asked, const struct board_waiting *waiting,
			 struct board_result *result, struct err *err)
{
	const int monday = calendar_monday(result->today);
	const int from = calendar_add(monday, -WEEK * QUALITY_WEEKS);
	/* whole weeks: continuity divides by what there was */
	const struct store_numerator weeks = {
		.channel = COUNT_CHANNEL_DMP,
		.from_ms = calendar_begins_ms(from),
		.to_ms = calendar_begins_ms(monday),
		.aggregate = STORE_WEEKS,
	};

	begin_qualities(asked->config, result);
	result->quality_from = from;
	result->quality_to = result->today;
	add_waiting(result, waiting);
	if (store_counters(asked->store, from, result->today, on_cell, result, err) < 0 ||
	    store_quality(asked->store, weeks.from_ms,
			  asked->now_ms - asked->config->invisible_most_ms, on_quality, result,
			  err) < 0 ||
	    store_units(asked->store, weeks.from_ms,
			calendar_begins_ms(calendar_add(result->today, 1)), weeks.to_ms, on_unit,
			result, err) < 0 ||
	    find_letters(asked, result, err) < 0)
		return -1;
	return store_numerator(asked->store, &weeks, on_week, result, err);
}
