/* A file of targets: what it defines before its programmes. Pure. */
#include "status/targets_yaml.h"

enum { MOST_CODES = 1000 }; /* of a group */

/* ---- document types and groups ---- */

static const struct targets_name *find_name(const struct targets_names *names, struct slice name)
{
	for (size_t i = 0; i < names->count; i++)
		if (slice_equal(names->list[i].name, name))
			return &names->list[i];
	return NULL;
}

static struct targets_name *new_names(struct targets_reader *reader, struct targets_names *names,
				      const struct yaml_tree *map)
{
	names->list = arena_alloc(&reader->scratch, map->count * sizeof(*names->list));
	return names->list;
}

/* clang-format off */
static const struct targets_key type_keys[] = {
	{ "type_codes", targets_read_texts, TARGETS_KEY(targets_name, codes), .needed = true,
	  .help = "the codes of the documents, as the DMP's list has them, in quotes" },
};
/* clang-format on */
static const struct targets_table type_table = { type_keys, length_of(type_keys) };

static void read_types(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct targets_names *names = field;

	if (targets_expect_map(reader, key, tree) < 0)
		return;
	new_names(reader, names, tree);
	for (const struct yaml_tree *entry = tree->first; entry != NULL; entry = entry->next) {
		struct targets_name *name = &names->list[names->count++];

		name->name = entry->key;
		targets_read_map(reader, &type_table, entry, name);
	}
}

static bool has_text(const struct target_texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strcmp(texts->list[i], text) == 0)
			return true;
	return false;
}

static void add_codes(struct targets_reader *reader, const struct yaml_tree *tree,
		      const struct target_texts *codes, struct target_texts *into)
{
	for (size_t i = 0; i < codes->count && into->count <= MOST_CODES; i++)
		if (!has_text(into, codes->list[i]))
			targets_add_text(reader, into, codes->list[i]);
	if (into->count > MOST_CODES)
		targets_complain(reader, tree->place, "more than %d codes together", MOST_CODES);
}

/* A list of names of document types, as the codes of them all. */
static void read_type_list(struct targets_reader *reader, const struct targets_key *key,
			   const struct yaml_tree *list, struct target_texts *into)
{
	const struct targets_name *name;

	if (targets_expect_list(reader, key, list) < 0)
		return;
	for (const struct yaml_tree *each = list->first; each != NULL; each = each->next) {
		name = each->kind == TREE_TEXT ? find_name(&reader->types, each->text) : NULL;
		if (name != NULL)
			add_codes(reader, each, &name->codes, into);
		else if (each->kind != TREE_REFUSED)
			targets_complain(reader, each->place,
					 "\"%.60s\" is none of the document_types of this file",
					 each->kind == TREE_TEXT ? each->text.p : "");
	}
}

static void read_groups(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	struct targets_names *names = field;

	if (targets_expect_map(reader, key, tree) < 0)
		return;
	new_names(reader, names, tree);
	for (const struct yaml_tree *entry = tree->first; entry != NULL; entry = entry->next) {
		struct targets_name *name = &names->list[names->count++];

		name->name = entry->key;
		read_type_list(reader, key, entry, &name->codes);
	}
}

static void read_group(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct slice text = targets_expect_text(reader, key, tree);
	const struct targets_name *group = find_name(&reader->groups, text);

	if (group != NULL)
		*(struct target_texts *)field = group->codes;
	else if (text.n > 0)
		targets_complain(reader, tree->place,
				 "\"%.60s\" is none of the groups of this file", text.p);
}

/* clang-format off */
static const struct targets_key group_keys[] = {
	{ "group", read_group, .needed = true, .help = "the name of one of the groups of this file" },
};
/* clang-format on */
static const struct targets_table group_table = { group_keys, length_of(group_keys) };

void targets_read_types(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	struct target_numerator *numerator = field;

	numerator->any_type = false;
	if (tree->kind == TREE_MAP)
		targets_read_map(reader, &group_table, tree, &numerator->types);
	else
		read_type_list(reader, key, tree, &numerator->types);
}

/* ---- denominators ---- */

static const struct targets_word sources[] = { { "dim_import", SOURCE_DIM_IMPORT },
					       { "adt", SOURCE_ADT },
					       { "produced", SOURCE_PRODUCED },
					       { "manual", SOURCE_MANUAL },
					       { 0 } };
static const struct targets_word units[] = { { "stay", UNIT_STAY },
					     { "document", UNIT_DOCUMENT },
					     { "patient", UNIT_PATIENT },
					     { "message", UNIT_MESSAGE },
					     { 0 } };

/* clang-format off */
static const struct targets_key denominator_keys[] = {
	{ "source", targets_read_choice, TARGETS_KEY(target_denominator, source), .needed = true,
	  .more = sources, .help = "dim_import, adt, produced or manual" },
	{ "file", targets_read_text, TARGETS_KEY(target_denominator, file),
	  .help = "the name of the file that dmpfeedctl import-denominators is given" },
	{ "unit", targets_read_choice, TARGETS_KEY(target_denominator, unit), .more = units,
	  .help = "what is counted: stay, document, patient or message" },
	{ "date_basis", targets_read_id, TARGETS_KEY(target_denominator, date_basis),
	  .help = "which date says the month" },
	{ "exclude", targets_read_texts, TARGETS_KEY(target_denominator, exclude),
	  .help = "labels of what whoever counted has left out" },
};
/* clang-format on */
static const struct targets_table denominator_table = { denominator_keys,
							length_of(denominator_keys) };

static bool is_same_list(const struct target_texts *a, const struct target_texts *b)
{
	for (size_t i = 0; i < min(a->count, b->count); i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return a->count == b->count;
}

static bool is_same(const struct target_denominator *a, const struct target_denominator *b)
{
	return a->source == b->source && a->unit == b->unit && strcmp(a->file, b->file) == 0 &&
	       strcmp(a->date_basis, b->date_basis) == 0 && is_same_list(&a->exclude, &b->exclude);
}

/* Two files may mean the same figures, if they say the same of them. */
static struct target_denominator *join(struct targets_reader *reader, const struct yaml_tree *entry,
				       struct target_denominator *fresh)
{
	struct targets *targets = reader->targets;
	struct target_denominator **list;

	for (size_t i = 0; i < targets->denominator_count; i++) {
		if (strcmp(targets->denominators[i]->id, fresh->id) != 0)
			continue;
		if (!is_same(targets->denominators[i], fresh))
			targets_complain(reader, entry->key_place,
					 "another file has a denominator %s that is not the same: "
					 "give one of them another name",
					 fresh->id);
		return targets->denominators[i];
	}
	list = arena_alloc(&targets->arena, (targets->denominator_count + 1) * sizeof(*list));
	for (size_t i = 0; i < targets->denominator_count; i++)
		list[i] = targets->denominators[i];
	list[targets->denominator_count++] = fresh;
	targets->denominators = list;
	return fresh;
}

enum { MOST_DENOMINATORS = 50 }; /* of one file */

static void read_denominators(struct targets_reader *reader, const struct targets_key *key,
			      const struct yaml_tree *tree, void *field)
{
	static const struct targets_key name = { .name = "the name of a denominator" };
	struct target_denominator ***into = field;

	if (targets_expect_map(reader, key, tree) < 0)
		return;
	*into = arena_alloc(&reader->scratch, tree->count * sizeof(**into));
	for (const struct yaml_tree *entry = tree->first; entry != NULL; entry = entry->next) {
		const struct yaml_tree as_text = { .kind = TREE_TEXT,
						   .place = entry->key_place,
						   .text = entry->key };
		struct target_denominator *fresh =
			arena_alloc(&reader->targets->arena, sizeof(*fresh));

		*fresh = (struct target_denominator){
			.id = "", .file = "", .date_basis = "", .unit = UNIT_STAY
		};
		if (reader->denominator_count == MOST_DENOMINATORS) {
			targets_complain(reader, entry->key_place, "at most %d denominators",
					 MOST_DENOMINATORS);
			return;
		}
		targets_read_id(reader, &name, &as_text, &fresh->id);
		targets_read_map(reader, &denominator_table, entry, fresh);
		if (fresh->id[0] != '\0')
			(*into)[reader->denominator_count++] = join(reader, entry, fresh);
	}
}

/* ---- days and alerts ---- */

static const struct targets_word holidays[] = { { "fr-metropole", 0 }, { "none", 1 }, { 0 } };

static void read_holidays(struct targets_reader *reader, const struct targets_key *key,
			  const struct yaml_tree *tree, void *field)
{
	int value = 0;

	targets_read_choice(reader, key, tree, &value);
	*(bool *)field = value != 0;
}

static void read_share(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	double share = *(double *)field;

	targets_read_number(reader, key, tree, &share);
	if (share <= 1)
		*(double *)field = share;
	else
		targets_complain(reader, tree->place, "%s is not %s", key->name, key->help);
}

/* clang-format off */
static const struct targets_key day_keys[] = {
	{ "weekend_weight", read_share, TARGETS_KEY(workdays, weekend),
	  .help = "what a day of a weekend brings of a working day, between 0 and 1" },
	{ "holidays", read_holidays, TARGETS_KEY(workdays, without_holidays), .more = holidays,
	  .help = "fr-metropole or none" },
};
static const struct targets_table day_table = { day_keys, length_of(day_keys) };

static const struct targets_key limit_keys[] = {
	{ "warn", targets_read_number, TARGETS_KEY(target_alert, warn), .needed = true,
	  .help = "a number: from here on a warning" },
	{ "crit", targets_read_number, TARGETS_KEY(target_alert, crit), .needed = true,
	  .help = "a number: from here on an alarm" },
	{ "min_n", targets_read_count, TARGETS_KEY(target_alert, least),
	  .help = "a number: with fewer documents nothing is said" },
};
/* clang-format on */
static const struct targets_table limit_table = { limit_keys, length_of(limit_keys) };

/* `more`: the limit is reached from above, as days that are left are. */
static void read_alert(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct target_alert *alert = field;
	size_t faults = reader->fault_count;
	bool falls = key->more != NULL;

	alert->is_set = true;
	if (targets_expect_map(reader, key, tree) < 0)
		return;
	targets_read_map(reader, &limit_table, tree, alert);
	if (reader->fault_count == faults &&
	    (falls ? alert->crit > alert->warn : alert->crit < alert->warn))
		targets_complain(reader, tree->place,
				 "%s would be critical before it warns: crit is %s warn", key->name,
				 falls ? "not above" : "not below");
}

static void read_factor(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	double factor = 1;

	targets_read_number(reader, key, tree, &factor);
	if (factor < 1)
		targets_complain(reader, tree->place, "%s is not %s", key->name, key->help);
	*(double *)field = factor;
}

/* clang-format off */
static const struct targets_key alert_keys[] = {
	{ "dmp_absent_rate", read_alert, TARGETS_KEY(target_alerts, dmp_absent_rate),
	  .help = "{warn: 0.05, crit: 0.10, min_n: 200}" },
	{ "official_gap", read_alert, TARGETS_KEY(target_alerts, official_gap),
	  .help = "{warn: 0.02, crit: 0.05}" },
	{ "certificate_days", read_alert, TARGETS_KEY(target_alerts, certificate_days), .more = "",
	  .help = "{warn: 60, crit: 15}" },
	{ "silence_factor", read_factor, TARGETS_KEY(target_alerts, silence_factor),
	  .help = "a number from 1 on: times the usual gap between two documents" },
	{ "invisible_patient_days", read_alert, TARGETS_KEY(target_alerts, invisible_patient_days),
	  .help = "{warn: 15, crit: 30}" },
};
/* clang-format on */
static const struct targets_table alert_table = { alert_keys, length_of(alert_keys) };

static void read_alerts(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	struct targets *targets = reader->targets;

	(void)field;
	if (targets->alerts_file != NULL) {
		targets_complain(reader, tree->key_place,
				 "%s has alerts already: keep them in one file",
				 targets->alerts_file);
		return;
	}
	targets->alerts_file = arena_dup(&targets->arena, slice_of(reader->file));
	targets->alerts_line = tree->key_place.line;
	targets->alerts_column = tree->key_place.column;
	if (targets_expect_map(reader, key, tree) == 0)
		targets_read_map(reader, &alert_table, tree, &targets->alerts);
}

/* ---- the whole ---- */

static void read_exactly(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	(void)field;
	if (tree->kind != TREE_TEXT || !slice_is(tree->text, key->more))
		targets_complain(reader, tree->place, "%s is not %s", key->name, key->help);
}

/* In this order, whatever that of the file: programmes speak of what comes before them. */
/* clang-format off */
static const struct targets_key root_keys[] = {
	{ "schema", read_exactly, .needed = true, .more = "usage-targets/1",
	  .help = "usage-targets/1, the form that this dmpfeed reads" },
	{ "timezone", read_exactly, .more = "Europe/Paris",
	  .help = "Europe/Paris, whose days are counted" },
	{ "working_days", targets_read_struct, TARGETS_KEY(targets_reader, workdays),
	  .more = &day_table, .help = "weekend_weight and holidays" },
	{ "document_types", read_types, TARGETS_KEY(targets_reader, types),
	  .help = "a name of your own for each, with its type_codes" },
	{ "groups", read_groups, TARGETS_KEY(targets_reader, groups),
	  .help = "a name of your own for each, with a list of document_types" },
	{ "denominators", read_denominators, TARGETS_KEY(targets_reader, denominators),
	  .help = "a name of your own for each, with its source" },
	{ "programmes", targets_read_programmes, .help = "begin each of them with a dash" },
	{ "alerts", read_alerts, .help = "limits by name" },
};
/* clang-format on */

void targets_read_file(struct targets_reader *reader, const struct yaml_tree *root)
{
	static const struct targets_table table = { root_keys, length_of(root_keys) };

	targets_read_map(reader, &table, root, reader);
}
