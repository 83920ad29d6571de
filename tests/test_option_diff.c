/* What a reload says has changed: each option by its name, entries by theirs. */
#include "sample.h"

#include "config/option_diff.h"

struct item {
	const char *name;
	uint64_t size;
};

struct plain {
	int64_t delay;
};

struct sample {
	const char *text;
	bool flag;
	const char **words;
	size_t word_count;
	const char *hook;
	struct item *items;
	size_t item_count;
	struct plain *plains;
	size_t plain_count;
};

static const struct option item_options[] = {
	{ "name", OPTION_NAME, AT(struct item, name), .least = 1, .most = 8 },
	{ "size", OPTION_SIZE, AT(struct item, size), .most = 1 << 30 },
};

static const struct option plain_options[] = {
	{ "delay", OPTION_DURATION, AT(struct plain, delay), .most = 100000 },
};

static const struct option options[] = {
	{ "a.text", OPTION_TEXT, AT(struct sample, text), .most = 8 },
	{ "a.flag", OPTION_BOOLEAN, AT(struct sample, flag), .restart = true },
	{ "hook", OPTION_WEBHOOK, AT(struct sample, hook), .most = 60 },
	{ "words", OPTION_VALUES, AT(struct sample, words),
	  .entries = &(const struct option_table){ sizeof(const char *),
						   &(const struct option){ "words", OPTION_TEXT,
									   .bytes = sizeof(char *),
									   .most = 8 },
						   1 },
	  .count_at = offsetof(struct sample, word_count) },
	{ "items", OPTION_LIST, AT(struct sample, items),
	  .entries = &(const struct option_table){ sizeof(struct item), item_options,
						   length_of(item_options) },
	  .count_at = offsetof(struct sample, item_count) },
	{ "plains", OPTION_LIST, AT(struct sample, plains),
	  .entries = &(const struct option_table){ sizeof(struct plain), plain_options,
						   length_of(plain_options) },
	  .count_at = offsetof(struct sample, plain_count) },
};

static const struct option_table table = { sizeof(struct sample), options, length_of(options) };

static void add(void *arg, const struct option_change *change)
{
	buf_addf(arg, "%s:%s>%s%s;", change->name, change->before ? change->before : "-",
		 change->after ? change->after : "-", change->option->restart ? "!" : "");
}

static struct item first_items[] = { { "lab", 1024 }, { "ehr", 2048 } };
static struct item turned_items[] = { { "ehr", 2048 }, { "lab", 1024 } };
static struct item other_items[] = { { "ehr", 4096 }, { "ris", 1024 } };
static struct item same_names[] = { { "lab", 1024 }, { "lab", 512 } };
static struct plain one_plain[] = { { 1000 } };
static struct plain two_plains[] = { { 2000 }, { 3000 } };
static const char *one_word[] = { "un" };
static const char *two_words[] = { "un", "deux" };

#define ITEMS(list) .items = (list), .item_count = length_of(list)

static void what_differs_is_told_by_its_name(void **state)
{
	static const struct {
		struct sample before, after;
		const char *told;
	} cases[] = {
		{ { .text = "x", ITEMS(first_items) }, { .text = "x", ITEMS(first_items) }, "" },
		{ { .text = "x" }, { .text = "z" }, "a.text:x>z;" },
		{ { .text = "x" }, { .text = "x", .flag = true }, "a.flag:false>true!;" },
		{ { .text = "", .words = one_word, .word_count = 1 },
		  { .text = "", .words = two_words, .word_count = 2 },
		  "words:[un]>[un, deux];" },
		/* its path is a secret, and another one is another webhook all the same */
		{ { .text = "", .hook = "https://hooks.example/one" },
		  { .text = "", .hook = "https://hooks.example/two" },
		  "hook:\"https://hooks.example\">\"https://hooks.example\" (what follows the host "
		  "is another);" },
		{ { .text = "", .hook = "https://hooks.example/one" },
		  { .text = "", .hook = "https://hooks.example/one" },
		  "" },
		/* an entry is known by its name, wherever it stands */
		{ { .text = "", ITEMS(first_items) }, { .text = "", ITEMS(turned_items) }, "" },
		{ { .text = "", ITEMS(first_items) },
		  { .text = "", ITEMS(other_items) },
		  "items[lab]:>-;items[ehr].size:2 KiB>4 KiB;items[ris]:->;" },
		/* two of one name: by its place */
		{ { .text = "", ITEMS(first_items) },
		  { .text = "", ITEMS(same_names) },
		  "items[2].name:ehr>lab;items[2].size:2 KiB>512 bytes;" },
		{ { .text = "", .plains = one_plain, .plain_count = 1 },
		  { .text = "", .plains = two_plains, .plain_count = 2 },
		  "plains[1].delay:1 s>2 s;plains[2]:->;" },
		{ { .text = "", .plains = one_plain, .plain_count = 1 },
		  { .text = "" },
		  "plains[1]:>-;" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf told = { 0 };

		option_diff(&table, &cases[i].before, &cases[i].after, add, &told);
		assert_string_equal(told.p ? told.p : "", cases[i].told);
	}
}

static void keep_field(void *arg, const struct option_change *change)
{
	*(const void **)arg = change->field;
}

static void a_field_is_where_the_second_has_it(void **state)
{
	struct sample before = { .text = "x" }, after = { .text = "z" };
	const void *field = NULL;

	(void)state;
	option_diff(&table, &before, &after, keep_field, &field);
	assert_ptr_equal(field, &after.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_told_by_its_name),
		cmocka_unit_test(a_field_is_where_the_second_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
