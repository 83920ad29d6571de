/* Values of the files of targets, and tables of keys. Pure. */
#include "status/targets_yaml.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/count.h"

enum { MOST_TEXT = 512, MOST_ID = 64, FINESS = 9, MOST_DIGITS = 30, LONGEST_KEY = 40 };

/* ---- what is wrong, and where ---- */

void targets_complain(struct targets_reader *reader, struct yaml_place place, const char *format,
		      ...)
{
	const size_t number = reader->fault_count++;
	char sentence[ERR_TEXT];
	va_list arguments;

	if (number >= TARGETS_FAULTS)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	reader->faults[number] =
		(struct targets_fault){ place, number,
					arena_dup(&reader->scratch, slice_of(sentence)) };
}

static void complain_of_value(struct targets_reader *reader, const struct targets_key *key,
			      const struct yaml_tree *tree)
{
	if (tree->kind != TREE_REFUSED)
		targets_complain(reader, tree->place, "%s is not %s", key->name, key->help);
}

/* ---- shapes ---- */

int targets_expect_list(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree)
{
	if (tree->kind == TREE_LIST)
		return 0;
	if (tree->kind != TREE_REFUSED)
		targets_complain(reader, tree->place, "%s is a list: %s", key->name, key->help);
	return -1;
}

int targets_expect_map(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree)
{
	if (tree->kind == TREE_MAP)
		return 0;
	if (tree->kind != TREE_REFUSED)
		targets_complain(reader, tree->place, "%s is made of keys: %s", key->name,
				 key->help);
	return -1;
}

/* Nothing of it may start a line of its own in what is told of it later. */
static bool is_one_line(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return text.n > 0 && text.n <= MOST_TEXT;
}

struct slice targets_expect_text(struct targets_reader *reader, const struct targets_key *key,
				 const struct yaml_tree *tree)
{
	if (tree->kind == TREE_TEXT && is_one_line(tree->text))
		return tree->text;
	complain_of_value(reader, key, tree);
	return slice_of("");
}

/* Room for twice as many each time it is full, which it is when their number is a power of two. */
void targets_add_text(struct targets_reader *reader, struct target_texts *texts, const char *text)
{
	const size_t n = texts->count;
	const char **list;

	if ((n & (n - 1)) == 0) {
		list = arena_alloc(&reader->targets->arena, max(n * 2, (size_t)1) * sizeof(*list));
		if (n > 0)
			memcpy(list, texts->list, n * sizeof(*list));
		texts->list = list;
	}
	texts->list[texts->count++] = text;
}

/* ---- values ---- */

static const char *keep(struct targets_reader *reader, struct slice text)
{
	return arena_dup(&reader->targets->arena, text);
}

void targets_read_text(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	struct slice text = targets_expect_text(reader, key, tree);

	if (text.n > 0)
		*(const char **)field = keep(reader, text);
}

static bool is_id(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= 'a' && text.p[i] <= 'z') ||
		      (text.p[i] >= 'A' && text.p[i] <= 'Z') ||
		      (text.p[i] >= '0' && text.p[i] <= '9') || strchr("-_.", text.p[i]) != NULL))
			return false;
	return text.n > 0 && text.n <= MOST_ID;
}

void targets_read_id(struct targets_reader *reader, const struct targets_key *key,
		     const struct yaml_tree *tree, void *field)
{
	struct slice text = targets_expect_text(reader, key, tree);

	if (text.n > 0 && is_id(text))
		*(const char **)field = keep(reader, text);
	else if (text.n > 0)
		targets_complain(reader, tree->place,
				 "%s is a name of letters, digits, - _ . (64 at most)", key->name);
}

static void complain_of_word(struct targets_reader *reader, const struct targets_key *key,
			     const struct yaml_tree *tree)
{
	scoped(buf_done) struct buf known = { 0 };

	for (const struct targets_word *word = key->more; word->word != NULL; word++)
		buf_addf(&known, "%s%s", known.n ? ", " : "", word->word);
	targets_complain(reader, tree->place, "%s is one of %s", key->name, known.p);
}

static bool find_word(const struct targets_key *key, const struct yaml_tree *tree, int *ret_value)
{
	for (const struct targets_word *word = key->more; word->word != NULL; word++)
		if (tree->kind == TREE_TEXT && slice_is(tree->text, word->word)) {
			*ret_value = word->value;
			return true;
		}
	return false;
}

void targets_read_choice(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	int value;

	if (find_word(key, tree, &value))
		memcpy(field, &value, sizeof(value));
	else if (tree->kind != TREE_REFUSED)
		complain_of_word(reader, key, tree);
}

void targets_read_bits(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	const struct yaml_tree *each = tree->kind == TREE_LIST ? tree->first : tree;
	unsigned bits = 0;
	int value;

	if (tree->kind == TREE_LIST && tree->count == 0)
		complain_of_word(reader, key, tree);
	for (; each != NULL; each = tree->kind == TREE_LIST ? each->next : NULL) {
		if (find_word(key, each, &value))
			bits |= (unsigned)value;
		else if (each->kind != TREE_REFUSED)
			complain_of_word(reader, key, each);
	}
	*(unsigned *)field = bits;
}

void targets_read_flag(struct targets_reader *reader, const struct targets_key *key,
		       const struct yaml_tree *tree, void *field)
{
	bool is_true = tree->kind == TREE_TEXT && !tree->quoted && slice_is(tree->text, "true");
	bool is_false = tree->kind == TREE_TEXT && !tree->quoted && slice_is(tree->text, "false");

	if (is_true || is_false)
		*(bool *)field = is_true;
	else if (tree->kind != TREE_REFUSED)
		targets_complain(reader, tree->place, "%s is true or false", key->name);
}

/* Digits, with a point among them or not: whatever the locale, and nothing that strtod() would take
 * besides.
 */
static bool parse_number(struct slice text, double *ret_number)
{
	char digits[MOST_DIGITS + 1];
	double number = 0, unit = 1;
	bool is_fraction = false;

	if (text.n == 0 || text.n > MOST_DIGITS)
		return false;
	memcpy(digits, text.p, text.n);
	for (size_t i = 0; i < text.n; i++) {
		if (digits[i] == '.' && !is_fraction && i > 0 && i + 1 < text.n) {
			is_fraction = true;
			continue;
		}
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		number = number * 10 + (digits[i] - '0');
		unit *= is_fraction ? 10 : 1;
	}
	*ret_number = number / unit;
	return true;
}

void targets_read_number(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	double number;

	if (tree->kind == TREE_TEXT && parse_number(tree->text, &number))
		*(double *)field = number;
	else
		complain_of_value(reader, key, tree);
}

void targets_read_count(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	if (tree->kind != TREE_TEXT || !slice_to_u64(tree->text, 1000000, field))
		complain_of_value(reader, key, tree);
}

void targets_read_day(struct targets_reader *reader, const struct targets_key *key,
		      const struct yaml_tree *tree, void *field)
{
	if (tree->kind != TREE_TEXT || !calendar_parse_day(tree->text, field))
		complain_of_value(reader, key, tree);
}

/* ---- lists of values ---- */

/* NULL: it is one; else what it should be. */
typedef const char *check_fn(const struct yaml_tree *tree);

static void read_list(struct targets_reader *reader, const struct targets_key *key,
		      const struct yaml_tree *list, check_fn *check, struct target_texts *into)
{
	const char *wrong;

	if (targets_expect_list(reader, key, list) < 0)
		return;
	for (const struct yaml_tree *each = list->first; each != NULL; each = each->next) {
		wrong = each->kind == TREE_TEXT ? check(each) : "one word";
		if (wrong == NULL)
			targets_add_text(reader, into, keep(reader, each->text));
		else if (each->kind != TREE_REFUSED)
			targets_complain(reader, each->place, "an entry of %s is %s", key->name,
					 wrong);
	}
}

static const char *check_text(const struct yaml_tree *tree)
{
	return is_one_line(tree->text) && tree->text.n <= MOST_ID
		       ? NULL
		       : "a word of 64 characters at most";
}

/* YAML makes the number 2099152 of a plain 010003720, and other programs lose its zero. */
static const char *check_finess(const struct yaml_tree *tree)
{
	if (!tree->quoted)
		return "a FINESS, in quotes: write \"010003720\"";
	for (size_t i = 0; i < tree->text.n; i++)
		if (!((tree->text.p[i] >= '0' && tree->text.p[i] <= '9') ||
		      (i == 1 && (tree->text.p[i] == 'A' || tree->text.p[i] == 'B'))))
			return "a FINESS: nine digits (2A and 2B for Corsica), in quotes";
	return tree->text.n == FINESS ? NULL : "a FINESS: nine characters, in quotes";
}

static const char *check_field(const struct yaml_tree *tree)
{
	return count_field_is_known(tree->text) ? NULL
						: "one of MCO, SMR, PSY, HAD, DIALYSE, EHPAD";
}

void targets_read_texts(struct targets_reader *reader, const struct targets_key *key,
			const struct yaml_tree *tree, void *field)
{
	read_list(reader, key, tree, check_text, field);
}

void targets_read_finess(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	read_list(reader, key, tree, check_finess, field);
}

void targets_read_fields(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	read_list(reader, key, tree, check_field, field);
}

/* ---- tables of keys ---- */

static const struct targets_key *find_key(const struct targets_table *table, struct slice name)
{
	for (size_t i = 0; i < table->count; i++)
		if (slice_is(name, table->keys[i].name))
			return &table->keys[i];
	return NULL;
}

static void complain_of_key(struct targets_reader *reader, const struct targets_table *table,
			    const struct yaml_tree *entry)
{
	scoped(buf_done) struct buf known = { 0 };

	for (size_t i = 0; i < table->count; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", table->keys[i].name);
	targets_complain(reader, entry->key_place, "\"%s\" is not a key here: known are %s",
			 entry->key.n <= LONGEST_KEY ? entry->key.p : "...", known.p);
}

void targets_read_map(struct targets_reader *reader, const struct targets_table *table,
		      const struct yaml_tree *map, void *into)
{
	if (map->kind != TREE_MAP) {
		if (map->kind != TREE_REFUSED)
			targets_complain(reader, map->place,
					 "this is made of keys: write key: value, one a line");
		return;
	}
	for (const struct yaml_tree *entry = map->first; entry != NULL; entry = entry->next)
		if (find_key(table, entry->key) == NULL)
			complain_of_key(reader, table, entry);
	for (const struct targets_key *key = table->keys; key < table->keys + table->count; key++) {
		const struct yaml_tree *tree = yaml_tree_find(map, slice_of(key->name));
		bool is_null = tree != NULL && yaml_tree_is_null(tree);

		if (key->needed && (tree == NULL || (is_null && !key->may_be_null)))
			targets_complain(reader, map->key.n ? map->key_place : map->place,
					 "%s is missing: %s", key->name, key->help);
		else if (tree != NULL && !is_null)
			key->read(reader, key, tree, (char *)into + key->at);
	}
}

void targets_read_struct(struct targets_reader *reader, const struct targets_key *key,
			 const struct yaml_tree *tree, void *field)
{
	if (targets_expect_map(reader, key, tree) == 0)
		targets_read_map(reader, key->more, tree, field);
}
