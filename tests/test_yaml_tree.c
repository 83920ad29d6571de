/* The tree of a YAML text: what is in it, where, and what is refused. */
#include "sample.h"

#include "base/yaml_tree.h"

struct reading {
	struct arena arena;
	struct buf complaints; /* LINE:COLUMN: sentence, one a line */
	struct yaml_tree *tree;
};

static void keep_complaint(void *arg, struct yaml_place place, const char *sentence)
{
	struct reading *reading = arg;

	buf_addf(&reading->complaints, "%u:%u: %s\n", place.line, place.column, sentence);
}

static void reading_done(struct reading *reading)
{
	arena_done(&reading->arena);
	buf_done(&reading->complaints);
}

static void read_text(struct reading *reading, struct slice text)
{
	buf_add_text(&reading->complaints, "");
	reading->tree = yaml_tree_read(text, &reading->arena, keep_complaint, reading);
}

static const struct yaml_tree *find(const struct yaml_tree *map, const char *key)
{
	const struct yaml_tree *found = yaml_tree_find(map, slice_of(key));

	assert_non_null(found);
	return found;
}

static void assert_place(struct yaml_place place, unsigned line, unsigned column)
{
	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

static void every_part_knows_its_place(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };
	const struct yaml_tree *list;

	(void)state;
	read_text(&reading, slice_of("a: one\n"
				     "b:\n"
				     "  - c: \"two\"\n"
				     "  - { d: three }\n"));
	assert_string_equal(reading.complaints.p, "");
	assert_int_equal(reading.tree->kind, TREE_MAP);
	assert_int_equal(reading.tree->count, 2);
	assert_place(find(reading.tree, "a")->key_place, 1, 1);
	assert_place(find(reading.tree, "a")->place, 1, 4);
	list = find(reading.tree, "b");
	assert_int_equal(list->kind, TREE_LIST);
	assert_int_equal(list->count, 2);
	assert_place(list->first->place, 3, 5);
	assert_place(find(list->first, "c")->place, 3, 8);
	assert_place(find(list->first->next, "d")->key_place, 4, 7);
	assert_place(find(list->first->next, "d")->place, 4, 10);
}

static void columns_count_characters_not_bytes(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("{ \"h\xc3\xb4pital\": x }"));
	assert_place(find(reading.tree, "h\xc3\xb4pital")->place, 1, 14);
}

static void quotes_are_remembered(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("{ a: 990012345, b: \"990012345\", c: '990012345' }"));
	assert_false(find(reading.tree, "a")->quoted);
	assert_true(find(reading.tree, "b")->quoted);
	assert_true(find(reading.tree, "c")->quoted);
	assert_slice(find(reading.tree, "c")->text, "990012345");
}

static void nothing_is_told_from_an_empty_text(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("{ a: , b: ~, c: null, d: '', e: no }"));
	assert_true(yaml_tree_is_null(find(reading.tree, "a")));
	assert_true(yaml_tree_is_null(find(reading.tree, "b")));
	assert_true(yaml_tree_is_null(find(reading.tree, "c")));
	assert_false(yaml_tree_is_null(find(reading.tree, "d")));
	assert_false(yaml_tree_is_null(find(reading.tree, "e")));
}

static void an_empty_text_is_an_empty_tree(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "---\n", "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		scoped(reading_done) struct reading reading = { 0 };

		read_text(&reading, slice_of(texts[i]));
		assert_string_equal(reading.complaints.p, "");
		assert_true(yaml_tree_is_null(reading.tree));
		assert_int_equal(reading.tree->place.line, 1 + (i == 3));
	}
}

static void a_byte_order_mark_is_skipped(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("\xef\xbb\xbf"
				     "a: b\nc: d\n"));
	assert_place(find(reading.tree, "a")->place, 1, 4);
	assert_slice(find(reading.tree, "c")->text, "d");
}

static void a_text_may_hold_nul(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("a: \"x\\0y\""));
	assert_slice(find(reading.tree, "a")->text, "x\0y");
}

static void what_is_refused_says_where(void **state)
{
	static const struct {
		const char *text, *complaint;
		bool goes_on;
	} cases[] = {
		{ "a: &x b\n", "1:4: anchors (&) and aliases (*) are not taken", true },
		{ "a: &x [b]\n", "1:4: anchors (&) and aliases (*) are not taken", true },
		{ "a: &x\n  b: c\n", "1:4: anchors (&) and aliases (*) are not taken", true },
		{ "a: *x\n", "1:4: anchors (&) and aliases (*) are not taken", true },
		{ "a: !!int 5\n", "1:4: tags (!) are not taken", true },
		{ "a: !x { b: c }\n", "1:4: tags (!) are not taken", true },
		{ "a: 1\nb: 2\na: 3\n", "3:1: this key was given at line 1 already", true },
		{ "a: 1\n---\nb: 2\n", "2:1: a second document begins here", false },
		{ "? [a]\n: b\n", "1:3: a key must be one word", false },
		{ "a: [b\n", "2:1: YAML cannot be read from here on (while parsing a flow", false },
		{ "a: b: c\n", "1:5: YAML cannot be read from here on (mapping values", false },
		{ "a:\n\tb: c\n", "2:1: YAML does not allow a tab here", false },
		{ "\xc3\xa9: x\na:\n\tb: c\n", "3:1: YAML does not allow a tab here", false },
		{ "a: b\nc: caf\xe9\n", "2:7: a character is not allowed here", false },
		{ "a: \x01\n", "1:4: a character is not allowed here", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(reading_done) struct reading reading = { 0 };

		read_text(&reading, slice_of(cases[i].text));
		if (!slice_starts(buf_slice(&reading.complaints), cases[i].complaint))
			fail_msg("%s gives %s", cases[i].text, reading.complaints.p);
		assert_int_equal(reading.tree != NULL, cases[i].goes_on);
	}
}

static void what_was_refused_is_still_there(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("a: *x\n"));
	assert_int_equal(find(reading.tree, "a")->kind, TREE_REFUSED);
}

static void of_a_key_given_twice_the_first_counts(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("a: 1\na: 2\n"));
	assert_slice(find(reading.tree, "a")->text, "1");
	assert_int_equal(reading.tree->count, 1);
}

static void a_laughing_file_stays_small(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	read_text(&reading, slice_of("a: &a [x,x,x,x,x,x,x,x,x]\n"
				     "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"));
	assert_int_equal(find(reading.tree, "c")->first->kind, TREE_REFUSED);
	assert_null(find(reading.tree, "c")->first->first);
}

static void depth_is_bounded(void **state)
{
	static const struct {
		size_t depth;
		bool fits;
	} cases[] = { { YAML_TREE_DEPTH, true },
		      { YAML_TREE_DEPTH + 1, false },
		      { 100000, false } };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(reading_done) struct reading reading = { 0 };
		scoped(buf_done) struct buf text = { 0 };

		for (size_t n = 0; n < cases[i].depth; n++)
			buf_add_char(&text, '[');
		for (size_t n = 0; n < cases[i].depth; n++)
			buf_add_char(&text, ']');
		read_text(&reading, buf_slice(&text));
		assert_int_equal(reading.tree != NULL, cases[i].fits);
	}
}

static void entries_are_bounded(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };
	scoped(buf_done) struct buf text = { 0 };

	(void)state;
	for (size_t n = 0; n < YAML_TREE_ENTRIES; n++)
		buf_add_text(&text, "- a\n");
	read_text(&reading, buf_slice(&text));
	assert_int_equal(reading.tree->count, YAML_TREE_ENTRIES);

	buf_add_text(&text, "- a\n");
	read_text(&reading, buf_slice(&text));
	assert_null(reading.tree);
	assert_string_equal(reading.complaints.p,
			    "1001:3: more than 1000 entries in one list or mapping\n");
}

static void bytes_are_bounded(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };
	scoped(buf_done) struct buf text = { 0 };

	(void)state;
	while (text.n < YAML_TREE_BYTES)
		buf_add_char(&text, '#');
	read_text(&reading, buf_slice(&text));
	assert_non_null(reading.tree);

	buf_add_char(&text, '#');
	read_text(&reading, buf_slice(&text));
	assert_null(reading.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_knows_its_place),
		cmocka_unit_test(columns_count_characters_not_bytes),
		cmocka_unit_test(quotes_are_remembered),
		cmocka_unit_test(nothing_is_told_from_an_empty_text),
		cmocka_unit_test(an_empty_text_is_an_empty_tree),
		cmocka_unit_test(a_byte_order_mark_is_skipped),
		cmocka_unit_test(a_text_may_hold_nul),
		cmocka_unit_test(what_is_refused_says_where),
		cmocka_unit_test(what_was_refused_is_still_there),
		cmocka_unit_test(of_a_key_given_twice_the_first_counts),
		cmocka_unit_test(a_laughing_file_stays_small),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(entries_are_bounded),
		cmocka_unit_test(bytes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
