/* Programmes: their windows and indicators, and what must hold between them. Pure. */
#include "status/targets_yaml.h"

enum { MOST_PROGRAMMES = 100, MOST_WINDOWS = 100, MOST_INDICATORS = 100 };

/* ---- windows ---- */

/* clang-format off */
static const struct targets_key window_keys[] = {
	{ "id", targets_read_id, TARGETS_KEY(target_window, id), .needed = true,
	  .help = "a short name of the window" },
	{ "start", targets_read_day, TARGETS_KEY(target_window, start), .needed = true,
	  .help = "a day (2026-07-01)" },
	{ "end", targets_read_day, TARGETS_KEY(target_window, end), .needed = true,
	  .may_be_null = true, .help = "a day (2026-12-31), or null while it is not known" },
	{ "status", targets_read_status, TARGETS_KEY(target_window, status), .needed = true,
	  .help = "official, internal or to_confirm" },
};
/* clang-format on */
static const struct targets_table window_table = { window_keys, length_of(window_keys) };

static void check_window(struct targets_reader *reader, const struct target_programme *programme,
			 const struct target_window *window, const struct yaml_tree *tree)
{
	if (window->end < window->start)
		targets_complain(reader, tree->place, "window %s ends before it starts",
				 window->id);
	for (const struct target_window *other = programme->windows; other < window; other++) {
		if (strcmp(other->id, window->id) == 0)
			targets_complain(reader, tree->place,
					 "there is another window %s: give "
					 "each an id of its own",
					 window->id);
		else if (other->start <= window->end && window->start <= other->end)
			targets_complain(reader, tree->place,
					 "window %s overlaps window %s: a document would count in "
					 "both; change start or end of one",
					 window->id, other->id);
	}
}

static void read_windows(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	struct target_programme *programme = field;

	if (targets_expect_list(reader, key, tree) < 0)
		return;
	if (tree->count == 0 || tree->count > MOST_WINDOWS) {
		targets_complain(reader, tree->place, "windows are 1 to %d", MOST_WINDOWS);
		return;
	}
	programme->windows =
		arena_alloc(&reader->targets->arena, tree->count * sizeof(*programme->windows));
	for (const struct yaml_tree *each = tree->first; each != NULL; each = each->next) {
		struct target_window *window = &programme->windows[programme->window_count++];
		const size_t faults = reader->fault_count;

		*window = (struct target_window){ .id = "", .end = TARGETS_NO_END };
		targets_read_map(reader, &window_table, each, window);
		if (reader->fault_count == faults)
			check_window(reader, programme, window, each);
		else
			programme->window_count--; /* nothing that others could overlap with */
	}
}

/* ---- numerators ---- */

static const struct targets_word aggregates[] = {
	{ "documents", AGGREGATE_DOCUMENTS },        { "distinct_stays", AGGREGATE_STAYS },
	{ "distinct_patients", AGGREGATE_PATIENTS }, { "messages", AGGREGATE_MESSAGES },
	{ "active_weeks", AGGREGATE_WEEKS },         { 0 }
};
static const struct targets_word channels[] = {
	{ "DMP", CHANNEL_DMP }, { "MSS_PS", CHANNEL_MSS_PS }, { "MSS_CIT", CHANNEL_MSS_CIT }, { 0 }
};
static const struct targets_word outcomes[] = { { "ACCEPTED", OUTCOME_ACCEPTED },
						{ "ACCEPTED_RECONCILED",
						  OUTCOME_ACCEPTED_RECONCILED },
						{ 0 } };
static const struct targets_word bases[] = { { "accepted", BASIS_ACCEPTED },
					     { "submitted", BASIS_SUBMITTED },
					     { "created", BASIS_CREATED },
					     { "stay_end", BASIS_STAY_END },
					     { 0 } };

/* clang-format off */
static const struct targets_key require_keys[] = {
	{ "ins_qualified", targets_read_flag, TARGETS_KEY(target_numerator, ins_qualified),
	  .help = "true or false" },
	{ "max_delay_hours_after_stay_end", targets_read_count,
	  TARGETS_KEY(target_numerator, most_delay_hours), .help = "a number of hours" },
};
static const struct targets_table require_table = { require_keys, length_of(require_keys) };

static void read_require(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	if (targets_expect_map(reader, key, tree) == 0)
		targets_read_map(reader, &require_table, tree, field);
}

static const struct targets_key numerator_keys[] = {
	{ "aggregate", targets_read_choice, TARGETS_KEY(target_numerator, aggregate), .needed = true,
	  .more = aggregates,
	  .help = "documents, distinct_stays, distinct_patients, messages or active_weeks" },
	{ "channel", targets_read_bits, TARGETS_KEY(target_numerator, channels), .more = channels,
	  .help = "a list of DMP, MSS_PS, MSS_CIT" },
	{ "types", targets_read_types, .help = "a list of document_types, or {group: NAME}" },
	{ "outcomes", targets_read_bits, TARGETS_KEY(target_numerator, outcomes), .more = outcomes,
	  .help = "a list of ACCEPTED, ACCEPTED_RECONCILED" },
	{ "require", read_require, .help = "ins_qualified and max_delay_hours_after_stay_end" },
	{ "date_basis", targets_read_choice, TARGETS_KEY(target_numerator, basis), .more = bases,
	  .help = "accepted, submitted, created or stay_end" },
	{ "net_of_deletions", targets_read_flag, TARGETS_KEY(target_numerator, net_of_deletions),
	  .help = "true or false" },
	{ "share_across_transfers", targets_read_flag,
	  TARGETS_KEY(target_numerator, share_across_transfers), .help = "true or false" },
	{ "late_grace_days", targets_read_count, TARGETS_KEY(target_numerator, late_grace_days),
	  .help = "a number of days" },
};
/* clang-format on */
static const struct targets_table numerator_table = { numerator_keys, length_of(numerator_keys) };

static void read_numerator(struct targets_reader *reader, const struct targets_key *key,
			   const struct yaml_tree *tree, void *field)
{
	struct target_indicator *indicator = field;

	indicator->has_numerator = true;
	indicator->numerator = (struct target_numerator){
		.channels = CHANNEL_DMP,
		.outcomes = OUTCOME_ACCEPTED | OUTCOME_ACCEPTED_RECONCILED,
		.any_type = true,
	};
	if (targets_expect_map(reader, key, tree) == 0)
		targets_read_map(reader, &numerator_table, tree, &indicator->numerator);
	if ((indicator->numerator.outcomes & OUTCOME_ACCEPTED) == 0)
		targets_complain(reader, tree->place,
				 "outcomes without ACCEPTED would count only what was in doubt");
	if (indicator->numerator.share_across_transfers &&
	    indicator->numerator.aggregate != AGGREGATE_STAYS)
		targets_complain(reader, tree->place,
				 "share_across_transfers is about stays: aggregate is "
				 "distinct_stays with it");
}

const char *targets_aggregate_text(enum target_aggregate aggregate)
{
	return aggregates[aggregate].word;
}

const char *targets_basis_text(enum target_basis basis)
{
	return bases[basis].word;
}

/* Words of the bits, joined. */
static void add_bits(const struct targets_word *words, unsigned bits, struct buf *out)
{
	const char *separator = "";

	for (; words->word != NULL; words++) {
		if ((bits & (unsigned)words->value) == 0)
			continue;
		buf_addf(out, "%s%s", separator, words->word);
		separator = "+";
	}
}

void targets_add_channels(const struct target_numerator *numerator, struct buf *out)
{
	add_bits(channels, numerator->channels, out);
}

void targets_add_outcomes(const struct target_numerator *numerator, struct buf *out)
{
	add_bits(outcomes, numerator->outcomes, out);
}

/* ---- what it is divided by ---- */

/* `without`: which of what is required is left out. */
static void leave_out(struct targets_reader *reader, const struct yaml_tree *without,
		      struct target_indicator *indicator)
{
	struct target_numerator *same = &indicator->same;

	if (without->kind == TREE_TEXT && slice_is(without->text, "ins_qualified") &&
	    same->ins_qualified)
		same->ins_qualified = false;
	else if (without->kind == TREE_TEXT &&
		 slice_is(without->text, "max_delay_hours_after_stay_end") &&
		 same->most_delay_hours > 0)
		same->most_delay_hours = 0;
	else if (without->kind != TREE_REFUSED)
		targets_complain(
			reader, without->place,
			"the numerator requires nothing of that name: it is one of the keys "
			"below its require");
}

static void read_without(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	struct target_indicator *indicator = field;

	indicator->has_same = true;
	indicator->same = indicator->numerator;
	if (targets_expect_list(reader, key, tree) < 0)
		return;
	for (const struct yaml_tree *each = tree->first; each != NULL; each = each->next)
		leave_out(reader, each, indicator);
}

/* clang-format off */
static const struct targets_key same_keys[] = {
	{ "same_numerator_without", read_without, .needed = true,
	  .help = "a list of keys below the numerator's require" },
};
/* clang-format on */
static const struct targets_table same_table = { same_keys, length_of(same_keys) };

static void read_denominator(struct targets_reader *reader, const struct targets_key *key,
			     const struct yaml_tree *tree, void *field)
{
	struct target_indicator *indicator = field;
	struct slice name;

	if (tree->kind == TREE_MAP) {
		targets_read_map(reader, &same_table, tree, indicator);
		return;
	}
	name = targets_expect_text(reader, key, tree);
	for (size_t i = 0; i < reader->denominator_count; i++)
		if (slice_is(name, reader->denominators[i]->id))
			indicator->denominator = reader->denominators[i];
	if (name.n > 0 && indicator->denominator == NULL)
		targets_complain(reader, tree->place,
				 "\"%.60s\" is none of the denominators of this file", name.p);
}

/* ---- indicators ---- */

static void read_level(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	int value = 0;

	targets_read_choice(reader, key, tree, &value);
	*(bool *)field = value != 0;
}

static const struct targets_word levels[] = { { "finess_eg", 0 }, { "finess_ej", 1 }, { 0 } };

/* Kept as the word it is. */
static void read_plateau(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	static const struct targets_word plateaus[] = { { "biologie", 0 },
							{ "imagerie", 1 },
							{ 0 } };
	const struct targets_key row = { .name = key->name, .more = plateaus };
	int value = -1;

	targets_read_choice(reader, &row, tree, &value);
	if (value >= 0)
		*(const char **)field = plateaus[value].word;
}

/* clang-format off */
static const struct targets_key scope_keys[] = {
	{ "champ", targets_read_fields, TARGETS_KEY(target_indicator, fields),
	  .help = "a list of MCO, SMR, PSY, HAD, DIALYSE, EHPAD" },
	{ "finess_eg", targets_read_finess, TARGETS_KEY(target_indicator, sites),
	  .help = "a list of geographic FINESS, in quotes" },
	{ "finess_ej", targets_read_finess, TARGETS_KEY(target_indicator, lanes),
	  .help = "a list of FINESS of legal entities, in quotes" },
};
static const struct targets_table scope_table = { scope_keys, length_of(scope_keys) };

static const struct targets_key condition_keys[] = {
	{ "own_plateau", read_plateau, TARGETS_KEY(target_indicator, plateau), .needed = true,
	  .help = "biologie or imagerie" },
};
/* clang-format on */
static const struct targets_table condition_table = { condition_keys, length_of(condition_keys) };

/* Into the indicator itself, whose members these keys are. */
static void read_into_indicator(struct targets_reader *reader, const struct targets_key *key,
				const struct yaml_tree *tree, void *field)
{
	if (targets_expect_map(reader, key, tree) == 0)
		targets_read_map(reader, key->more, tree, field);
}

/* The numerator before what may be the same without. */
/* clang-format off */
static const struct targets_key indicator_keys[] = {
	{ "id", targets_read_id, TARGETS_KEY(target_indicator, id), .needed = true,
	  .help = "a short name of the indicator" },
	{ "label", targets_read_text, TARGETS_KEY(target_indicator, label),
	  .help = "one line of text" },
	{ "level", read_level, TARGETS_KEY(target_indicator, by_entity), .more = levels,
	  .help = "finess_eg or finess_ej" },
	{ "scope", read_into_indicator, .more = &scope_table, .help = "champ, finess_eg, finess_ej" },
	{ "applies_if", read_into_indicator, .more = &condition_table, .help = "own_plateau" },
	{ "numerator", read_numerator, .help = "what is counted" },
	{ "denominator", read_denominator,
	  .help = "the name of a denominator, or {same_numerator_without: [...]}" },
	{ "threshold", targets_read_threshold, TARGETS_KEY(target_indicator, threshold),
	  .needed = true, .help = "{kind: ratio, op: \">=\", value: null, status: to_confirm}" },
	{ "margin", targets_read_number, TARGETS_KEY(target_indicator, margin),
	  .help = "a number: how far above the threshold the projection must be" },
	{ "amount_eur", targets_read_number, TARGETS_KEY(target_indicator, amount_eur),
	  .help = "a number of euros" },
};
/* clang-format on */
static const struct targets_table indicator_table = { indicator_keys, length_of(indicator_keys) };

static bool is_a_ratio(const struct target_threshold *threshold)
{
	return threshold->kind == KIND_RATIO ||
	       ((threshold->kind == KIND_DELTA || threshold->kind == KIND_TIERS) &&
		threshold->of == KIND_RATIO);
}

static bool is_of_several(const struct target_threshold *threshold)
{
	return threshold->kind == KIND_ALL_OF || threshold->kind == KIND_ANY_OF;
}

static void check_parts(struct targets_reader *reader, const struct target_indicator *indicator,
			struct yaml_place place)
{
	const struct target_threshold *threshold = &indicator->threshold;
	bool has_denominator = indicator->denominator != NULL || indicator->has_same;

	if (is_of_several(threshold) && (indicator->has_numerator || has_denominator))
		targets_complain(reader, place,
				 "%s is made of other indicators: it has neither "
				 "numerator nor denominator",
				 indicator->id);
	else if (threshold->kind == KIND_RANK &&
		 (indicator->has_numerator || indicator->denominator == NULL ||
		  indicator->denominator->source == SOURCE_ADT ||
		  indicator->denominator->source == SOURCE_PRODUCED))
		targets_complain(reader, place,
				 "%s is a rank, which is imported: name its figures "
				 "(source: manual) as denominator, and no numerator",
				 indicator->id);
	else if (is_a_ratio(threshold) && (!indicator->has_numerator || !has_denominator))
		targets_complain(reader, place, "%s is a ratio: it needs numerator and denominator",
				 indicator->id);
	else if (!is_a_ratio(threshold) && !is_of_several(threshold) &&
		 threshold->kind != KIND_RANK && (!indicator->has_numerator || has_denominator))
		targets_complain(reader, place,
				 "%s is a count: it needs a numerator, and is divided "
				 "by nothing",
				 indicator->id);
}

static void check_indicator(struct targets_reader *reader, const struct target_programme *programme,
			    const struct target_indicator *indicator, struct yaml_place place)
{
	for (const struct target_indicator *other = programme->indicators; other < indicator;
	     other++)
		if (strcmp(other->id, indicator->id) == 0)
			targets_complain(reader, place,
					 "there is another indicator %s: give each "
					 "an id of its own",
					 indicator->id);
	check_parts(reader, indicator, place);
}

/* Once all of the programme are known. */
static void check_several(struct targets_reader *reader, const struct target_programme *programme,
			  const struct target_indicator *indicator, struct yaml_place place)
{
	const struct target_texts *named = &indicator->threshold.indicators;
	const struct target_indicator *part;

	if (!is_of_several(&indicator->threshold))
		return;
	if (named->count == 0)
		targets_complain(reader, place, "%s names no indicator", indicator->id);
	for (size_t i = 0; i < named->count; i++) {
		part = targets_indicator(programme, named->list[i]);
		if (part == NULL || is_of_several(&part->threshold))
			targets_complain(reader, place,
					 "%s names %s, which is no indicator of this "
					 "programme that is counted",
					 indicator->id, named->list[i]);
		else if (part->by_entity != indicator->by_entity)
			targets_complain(reader, place, "%s and %s are not of the same level",
					 indicator->id, part->id);
	}
}

static void read_indicators(struct targets_reader *reader, const struct targets_key *key,
			    const struct yaml_tree *tree, void *field)
{
	struct target_programme *programme = field;
	const struct yaml_tree *each;

	if (targets_expect_list(reader, key, tree) < 0)
		return;
	if (tree->count == 0 || tree->count > MOST_INDICATORS) {
		targets_complain(reader, tree->place, "indicators are 1 to %d", MOST_INDICATORS);
		return;
	}
	programme->indicators =
		arena_alloc(&reader->targets->arena, tree->count * sizeof(*programme->indicators));
	for (each = tree->first; each != NULL; each = each->next) {
		struct target_indicator *indicator =
			&programme->indicators[programme->indicator_count++];
		const size_t faults = reader->fault_count;

		*indicator = (struct target_indicator){
			.id = "", .label = "", .plateau = "", .threshold = { .source = "" }
		};
		targets_read_map(reader, &indicator_table, each, indicator);
		if (indicator->label[0] == '\0')
			indicator->label = indicator->id;
		if (reader->fault_count == faults)
			check_indicator(reader, programme, indicator, each->place);
	}
	each = tree->first;
	for (size_t i = 0; i < programme->indicator_count; i++, each = each->next)
		check_several(reader, programme, &programme->indicators[i], each->place);
}

/* ---- programmes ---- */

static void read_rollover(struct targets_reader *reader, const struct targets_key *key,
			  const struct yaml_tree *tree, void *field)
{
	if (tree->kind == TREE_TEXT && slice_is(tree->text, "next_window_amount"))
		*(const char **)field = "next_window_amount";
	else
		targets_complain(reader, tree->place, "%s is not %s", key->name, key->help);
}

/* clang-format off */
static const struct targets_key programme_keys[] = {
	{ "id", targets_read_id, TARGETS_KEY(target_programme, id), .needed = true,
	  .help = "a short name of the programme" },
	{ "label", targets_read_text, TARGETS_KEY(target_programme, label),
	  .help = "one line of text" },
	{ "closed", targets_read_flag, TARGETS_KEY(target_programme, closed),
	  .help = "true or false" },
	{ "rollover", read_rollover, TARGETS_KEY(target_programme, rollover),
	  .help = "next_window_amount: a window that was missed counts with the next one" },
	{ "windows", read_windows, .needed = true,
	  .help = "a list of {id: w1, start: 2026-07-01, end: 2026-12-31, status: to_confirm}" },
	{ "indicators", read_indicators, .needed = true, .help = "begin each of them with a dash" },
};
/* clang-format on */
static const struct targets_table programme_table = { programme_keys, length_of(programme_keys) };

static void check_programme(struct targets_reader *reader, const struct target_programme *programme,
			    struct yaml_place place)
{
	const struct targets *targets = reader->targets;

	for (const struct target_programme *other = targets->programmes; other < programme; other++)
		if (strcmp(other->id, programme->id) == 0)
			targets_complain(reader, place,
					 "there is another programme %s in %s: give "
					 "each an id of its own",
					 programme->id, other->file);
}

/* Those of the files before stay where they were: indicators do not move, programmes do. */
static void make_room(struct targets *targets, size_t more)
{
	struct target_programme *list =
		arena_alloc(&targets->arena, (targets->programme_count + more) * sizeof(*list));

	if (targets->programme_count > 0)
		memcpy(list, targets->programmes, targets->programme_count * sizeof(*list));
	targets->programmes = list;
}

void targets_read_programmes(struct targets_reader *reader, const struct targets_key *key,
			     const struct yaml_tree *tree, void *field)
{
	struct targets *targets = reader->targets;

	(void)field;
	if (targets_expect_list(reader, key, tree) < 0)
		return;
	if (targets->programme_count + tree->count > MOST_PROGRAMMES) {
		targets_complain(reader, tree->place, "more than %d programmes together",
				 MOST_PROGRAMMES);
		return;
	}
	make_room(targets, tree->count);
	for (const struct yaml_tree *each = tree->first; each != NULL; each = each->next) {
		struct target_programme *programme =
			&targets->programmes[targets->programme_count++];

		*programme = (struct target_programme){ .id = "", .label = "", .rollover = "" };
		programme->file = arena_dup(&targets->arena, slice_of(reader->file));
		programme->workdays = reader->workdays;
		targets_read_map(reader, &programme_table, each, programme);
		if (programme->label[0] == '\0')
			programme->label = programme->id;
		check_programme(reader, programme, each->place);
		for (size_t i = 0; i < programme->indicator_count; i++)
			targets_define(targets, programme, &programme->indicators[i]);
	}
}
