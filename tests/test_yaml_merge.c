/* Several texts as one: what is added to what, and what two of them must not both say. */
#include "sample.h"

#include "base/yaml_merge.h"

static const char *const files[] = { "one", "two" };

static void on_complaint(void *arg, struct yaml_place place, const char *sentence)
{
	buf_addf(arg, "%s:%u:%u: %s\n", files[place.file], place.line, place.column, sentence);
}

/* {a=1,b=[2,3]} */
static void write_tree(const struct yaml_tree *tree, struct buf *out)
{
	const char *form = tree->kind == TREE_MAP ? "{}" : tree->kind == TREE_LIST ? "[]" : NULL;

	if (tree->key.n > 0)
		buf_addf(out, "%s=", tree->key.p);
	if (form == NULL) {
		buf_add_text(out, tree->kind == TREE_REFUSED ? "!" : tree->text.p);
		return;
	}
	buf_add_char(out, form[0]);
	for (const struct yaml_tree *entry = tree->first; entry; entry = entry->next) {
		write_tree(entry, out);
		buf_add_text(out, entry->next ? "," : "");
	}
	buf_add_char(out, form[1]);
}

static struct yaml_tree *must_read(unsigned file, const char *text, struct arena *arena,
				   struct buf *complaints)
{
	struct yaml_tree *tree =
		yaml_tree_read_file(file, slice_of(text), arena, on_complaint, complaints);

	assert_non_null(tree);
	return tree;
}

static void what_two_texts_say_is_one(void **state)
{
	static const struct {
		const char *one, *two, *both, *complaints;
	} cases[] = {
		{ "a: 1", "b: 2", "{a=1,b=2}", "" },
		{ "", "b: 2", "{b=2}", "" },
		{ "a: 1", "", "{a=1}", "" },
		{ "a: { b: 1 }", "a: { c: 2 }", "{a={b=1,c=2}}", "" },
		{ "a: { b: { c: 1 } }", "a: { b: { d: 2 } }", "{a={b={c=1,d=2}}}", "" },
		{ "a: [1]", "a: [2, 3]", "{a=[1,2,3]}", "" },
		{ "a: []", "a: [2]", "{a=[2]}", "" },
		{ "a:\nb: 1", "a: { c: 2 }", "{a={c=2},b=1}", "" },
		{ "a: { b: 1 }\nc: 3", "a:", "{a={b=1},c=3}", "" },
		{ "x: 0\na: 1", "y: 0\n\na: 1", "{x=0,a=1,y=0}",
		  "two:3:1: this is given in one at line 2 already: keep one of the two\n" },
		{ "a: { b: 1 }", "a: { b: 2, c: 3 }", "{a={b=1,c=3}}",
		  "two:1:6: this is given in one at line 1 already: keep one of the two\n" },
		{ "a: [1]", "a: { b: 2 }", "{a=[1]}",
		  "two:1:1: this is given in one at line 1 already: keep one of the two\n" },
		{ "a: 1", "a: [2]", "{a=1}",
		  "two:1:1: this is given in one at line 1 already: keep one of the two\n" },
		{ "a: [{ b: 1 }]", "a: [{ b: 1 }]", "{a=[{b=1},{b=1}]}", "" },
		{ "a: *x", "a: 1", "{a=!}",
		  "one:1:4: anchors (&) and aliases (*) are not taken: write the value out at "
		  "every "
		  "place that needs it\n" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(buf_done) struct buf complaints = { 0 }, both = { 0 };
		const struct yaml_merging merging = { files, on_complaint, &complaints };
		struct yaml_tree *tree = must_read(0, cases[i].one, &arena, &complaints);

		yaml_merge(tree, must_read(1, cases[i].two, &arena, &complaints), &merging);
		write_tree(tree, &both);
		assert_string_equal(both.p, cases[i].both);
		assert_string_equal(complaints.p ? complaints.p : "", cases[i].complaints);
	}
}

static void a_list_ends_at_its_limit_whatever_the_number_of_files(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf complaints = { 0 }, text = { 0 };
	const struct yaml_merging merging = { files, on_complaint, &complaints };
	struct yaml_tree *tree;

	(void)state;
	buf_add_text(&text, "a:\n");
	for (unsigned i = 0; i < YAML_TREE_ENTRIES; i++)
		buf_add_text(&text, "  - x\n");
	tree = must_read(0, text.p, &arena, &complaints);
	yaml_merge(tree, must_read(1, "a: [y]", &arena, &complaints), &merging);
	assert_int_equal(tree->first->count, YAML_TREE_ENTRIES);
	assert_string_equal(complaints.p, "two:1:5: more than 1000 entries in one list or mapping, "
					  "with those of other files\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_two_texts_say_is_one),
		cmocka_unit_test(a_list_ends_at_its_limit_whatever_the_number_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
