/* Thresholds, a table of keys for each kind of them. Pure. */
#include "status/targets_yaml.h"

enum { MOST_TIERS = 20 };

static const struct targets_word statuses[] = { { "to_confirm", TARGET_TO_CONFIRM },
						{ "official", TARGET_OFFICIAL },
						{ "internal", TARGET_INTERNAL },
						{ 0 } };
static const struct targets_word kinds[] = { { "ratio", KIND_RATIO },   { "count", KIND_COUNT },
					     { "delta", KIND_DELTA },   { "all_of", KIND_ALL_OF },
					     { "any_of", KIND_ANY_OF }, { "tiers", KIND_TIERS },
					     { "rank", KIND_RANK },     { 0 } };
static const struct targets_word of_what[] = { { "ratio", KIND_RATIO },
					       { "count", KIND_COUNT },
					       { 0 } };
static const struct targets_word operators[] = { { ">=", 0 }, { "<=", 1 }, { 0 } };
static const struct targets_word periods[] = { { "month", 1 }, { 0 } };

const char *target_status_text(enum target_status status)
{
	return statuses[status].word;
}

void targets_read_status(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	const struct targets_key row = { .name = key->name, .more = statuses };

	targets_read_choice(reader, &row, tree, field);
}

/* One of two words, for a bool. */
static void read_either(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	int value = *(bool *)field;

	targets_read_choice(reader, key, tree, &value);
	*(bool *)field = value != 0;
}

static void read_value(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct target_threshold *threshold = field;

	targets_read_number(reader, key, tree, &threshold->value);
	threshold->has_value = true;
}

/* clang-format off */
static const struct targets_key reference_keys[] = {
	{ "start", targets_read_day, TARGETS_KEY(target_threshold, reference_start), .needed = true,
	  .help = "a day (2026-01-01)" },
	{ "end", targets_read_day, TARGETS_KEY(target_threshold, reference_end), .needed = true,
	  .help = "a day (2026-06-30)" },
};
static const struct targets_table reference_table = { reference_keys, length_of(reference_keys) };

static const struct targets_key tier_keys[] = {
	{ "value", targets_read_number, TARGETS_KEY(target_tier, value), .needed = true,
	  .help = "a number" },
	{ "amount_eur", targets_read_number, TARGETS_KEY(target_tier, amount_eur),
	  .help = "a number" },
};
/* clang-format on */
static const struct targets_table tier_table = { tier_keys, length_of(tier_keys) };

static void read_reference(struct targets_reader *reader, const struct targets_key *key,
			   const struct yaml_tree *tree, void *field)
{
	struct target_threshold *threshold = field;
	const size_t faults = reader->fault_count;

	if (targets_expect_map(reader, key, tree) < 0)
		return;
	targets_read_map(reader, &reference_table, tree, threshold);
	if (reader->fault_count == faults && threshold->reference_end < threshold->reference_start)
		targets_complain(reader, tree->place, "reference ends before it starts");
}

static void read_tiers(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct target_threshold *threshold = field;

	if (targets_expect_list(reader, key, tree) < 0)
		return;
	if (tree->count == 0 || tree->count > MOST_TIERS) {
		targets_complain(reader, tree->place, "tiers are 1 to %d", MOST_TIERS);
		return;
	}
	threshold->tiers =
		arena_alloc(&reader->targets->arena, tree->count * sizeof(*threshold->tiers));
	for (const struct yaml_tree *each = tree->first; each != NULL; each = each->next) {
		struct target_tier *tier = &threshold->tiers[threshold->tier_count++];

		targets_read_map(reader, &tier_table, each, tier);
	}
	threshold->has_value = true;
	threshold->value = threshold->tiers[threshold->tier_count - 1].value;
}

/* clang-format off */
#define OF_ALL \
	{ "kind", targets_read_choice, TARGETS_KEY(target_threshold, kind), .needed = true, .more = kinds, \
	  .help = "ratio, count, delta, all_of, any_of, tiers or rank" }, \
	{ "status", targets_read_status, TARGETS_KEY(target_threshold, status), .needed = true, \
	  .help = "official, internal or to_confirm" }, \
	{ "source", targets_read_text, TARGETS_KEY(target_threshold, source), \
	  .help = "one line of text: where the value was read" }
#define OPERATOR \
	{ "op", read_either, TARGETS_KEY(target_threshold, at_most), .more = operators, \
	  .help = ">= or <=, in quotes" }
#define VALUE \
	{ "value", read_value, .needed = true, .may_be_null = true, \
	  .help = "a number like 0.70; null while nobody knows it" }
#define OF_WHAT \
	{ "of", targets_read_choice, TARGETS_KEY(target_threshold, of), .needed = true, .more = of_what, \
	  .help = "ratio or count" }

static const struct targets_key ratio_keys[] = { OF_ALL, OPERATOR, VALUE };
static const struct targets_key count_keys[] = {
	OF_ALL, OPERATOR, VALUE,
	{ "per", read_either, TARGETS_KEY(target_threshold, per_month), .more = periods, .help = "month" },
};
static const struct targets_key delta_keys[] = {
	OF_ALL, OPERATOR, VALUE, OF_WHAT,
	{ "reference", read_reference, .needed = true,
	  .help = "{start: 2025-01-01, end: 2025-12-31}, the period that progress is counted from" },
};
static const struct targets_key several_keys[] = {
	OF_ALL,
	{ "indicators", targets_read_texts, TARGETS_KEY(target_threshold, indicators), .needed = true,
	  .help = "ids of indicators of the same programme" },
};
static const struct targets_key tiers_keys[] = {
	OF_ALL, OPERATOR, OF_WHAT,
	{ "tiers", read_tiers, .needed = true, .help = "a list of {value: 0.50, amount_eur: 10000}" },
};
/* clang-format on */

static const struct targets_table tables[] = {
	[KIND_RATIO] = { ratio_keys, length_of(ratio_keys) },
	[KIND_COUNT] = { count_keys, length_of(count_keys) },
	[KIND_DELTA] = { delta_keys, length_of(delta_keys) },
	[KIND_ALL_OF] = { several_keys, length_of(several_keys) },
	[KIND_ANY_OF] = { several_keys, length_of(several_keys) },
	[KIND_TIERS] = { tiers_keys, length_of(tiers_keys) },
	[KIND_RANK] = { ratio_keys, length_of(ratio_keys) },
};

const char *targets_kind_text(enum target_kind kind)
{
	return kinds[kind].word;
}

/* Each tier asks for more than the one before it: once all keys are read, for the operator may come last. */
static void check_tiers(struct targets_reader *reader, const struct target_threshold *threshold,
			const struct yaml_tree *tree)
{
	const struct yaml_tree *tiers = yaml_tree_find(tree, slice_of("tiers"));
	const struct yaml_tree *each = tiers->first->next;

	for (size_t i = 1; i < threshold->tier_count; i++, each = each->next) {
		const double step = threshold->tiers[i].value - threshold->tiers[i - 1].value;

		if (!threshold->at_most && step <= 0)
			targets_complain(reader, each->place,
					 "tiers rise: this one is not above the one before it");
		if (threshold->at_most && step >= 0)
			targets_complain(reader, each->place,
					 "tiers of \"<=\" fall: this one is not below the one "
					 "before it");
	}
}

void targets_read_threshold(struct targets_reader *reader, const struct targets_key *key,
			    const struct yaml_tree *tree, void *field)
{
	static const struct targets_key of_kind = { .name = "kind", .more = kinds };
	struct target_threshold *threshold = field;
	const struct yaml_tree *kind = yaml_tree_find(tree, slice_of("kind"));
	int value = KIND_RATIO;

	if (targets_expect_map(reader, key, tree) < 0)
		return;
	for (const struct targets_word *word = of_kind.more; kind && word->word; word++)
		if (kind->kind == TREE_TEXT && slice_is(kind->text, word->word))
			value = word->value;
	targets_read_map(reader, &tables[value], tree, threshold);
	if (threshold->tier_count > 1)
		check_tiers(reader, threshold, tree);
}
