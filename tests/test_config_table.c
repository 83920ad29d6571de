/* The table of options, and the files of conf/ held against it. */
#include "config_world.h"

#include "base/yaml_tree.h"

static void every_option_says_what_it_is(void *arg, const struct config_option *option)
{
	(void)arg;
	assert_non_null(option->help);
	assert_in_range(strlen(option->help), 10, 100);
}

static void options_have_help(void **state)
{
	(void)state;
	config_options(every_option_says_what_it_is, NULL);
}

static char *read_project_file(const char *name)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *path = xasprintf("%s/%s", root ? root : ".", name);
	FILE *stream = fopen(path, "r");
	char *text = xcalloc(1 << 16, 1);

	if (stream == NULL)
		fail_msg("cannot read %s", path);
	assert_in_range(fread(text, 1, (1 << 16) - 1, stream), 1, (1 << 16) - 2);
	fclose(stream);
	return text;
}

/* As if every "#key: value" had lost its #; "# words" stay what they are. */
static char *uncommented(const char *text)
{
	scoped(buf_done) struct buf out = { 0 };

	for (const char *c = text; *c; c++)
		if (*c != '#' || c[1] < 'a' || c[1] > 'z')
			buf_add_char(&out, *c);
	return take(out.p);
}

/* The reference with the files of this test in the places of those it names. */
static char *with_test_paths(const char *text)
{
	static const char *const paths[][2] = {
		{ "/etc/dmpfeed/certificates/dmp-ca.pem", "pki/ca.pem" },
		{ "/etc/dmpfeed/certificates/", "pki/" },
		{ "/etc/dmpfeed/certificates/", "pki/" },
		{ "/etc/dmpfeed/certificates/", "pki/" },
		{ "/etc/dmpfeed/certificates/", "pki/" },
		{ "/etc/dmpfeed/certificates/", "pki/" },
		{ "/var/spool/dmpfeed/", "" },
		{ "  dir: /usr/share/dmpfeed/value-sets", "  dir: values" },
		{ "  file: /usr/share/dmpfeed/dmp-errors.csv", "  file: values/errors.csv" },
	};
	char *result = xstrdup(text), *before;

	for (size_t i = 0; i < length_of(paths); i++) {
		before = result;
		result = replace(before, paths[i][0], paths[i][1]);
		free(before);
	}
	return result;
}

static void print_parsed(const char *text, struct buf *out)
{
	scoped(config_free) struct config *config = must_parse(text);

	config_print(config, out);
}

static void the_reference_loads_and_its_comments_change_nothing(void **state)
{
	scoped(free_ptr) char *text = read_project_file("conf/dmpfeed.yaml");
	scoped(free_ptr) char *with_dir = replace(text, "  #dir:", "  dir:");
	scoped(free_ptr) char *with_file = replace(with_dir, "  #file:", "  file:");
	scoped(free_ptr) char *as_is = with_test_paths(with_file);
	scoped(free_ptr) char *whole = uncommented(text);
	scoped(free_ptr) char *all = with_test_paths(whole);
	scoped(buf_done) struct buf meant = { 0 }, said = { 0 };

	(void)state;
	print_parsed(as_is, &meant);
	print_parsed(all, &said);
	assert_string_equal(said.p, meant.p);
}

struct reference {
	const struct yaml_tree *tree;
	size_t options;
};

static void fail_at_complaint(void *arg, struct yaml_place place, const char *sentence)
{
	(void)arg;
	fail_msg("%u:%u: %s", place.line, place.column, sentence);
}

/* "intake.mllp[].idle" is looked for in the first entry of the list. */
static void find_in_reference(void *arg, const struct config_option *option)
{
	struct reference *reference = arg;
	const struct yaml_tree *tree = reference->tree;
	struct slice rest = slice_of(option->name), key;

	reference->options++;
	while (tree != NULL && slice_next(&rest, '.', &key)) {
		bool is_list = key.n > 2 && key.p[key.n - 1] == ']';

		tree = yaml_tree_find(tree, (struct slice){ key.p, key.n - (is_list ? 2 : 0) });
		if (is_list && tree != NULL)
			tree = tree->first;
	}
	if (tree == NULL)
		fail_msg("%s is not in the reference", option->name);
	else if (option->preset != NULL && !slice_is(tree->text, option->preset))
		fail_msg("%s has the default %s in the program, %.*s in the reference",
			 option->name, option->preset, (int)tree->text.n, tree->text.p);
}

static void the_reference_has_every_option_with_its_default(void **state)
{
	scoped(free_ptr) char *text = read_project_file("conf/dmpfeed.yaml");
	scoped(free_ptr) char *whole = uncommented(text);
	scoped(arena_done) struct arena arena = { 0 };
	struct reference reference = { 0 };

	(void)state;
	reference.tree = yaml_tree_read(slice_of(whole), &arena, fail_at_complaint, NULL);
	config_options(find_in_reference, &reference);
	assert_in_range(reference.options, 50, 300);
}

static void the_example_of_a_rehearsal_loads(void **state)
{
	scoped(free_ptr) char *text = read_project_file("conf/examples/rehearsal.yaml");
	scoped(free_ptr) char *with_dir =
		replace(text, "lps:\n",
			"valuesets: { dir: values }\nerrors: { file: values/errors.csv }\nlps:\n");
	scoped(free_ptr) char *with_drop = replace(with_dir, "folder: drop", "folder: labo");
	scoped(free_ptr) char *with_chain =
		replace(with_drop, "chain: pki/ca.pem", "chain: pki/sign-chain.pem");
	scoped(config_free) struct config *config = must_parse(with_chain);

	(void)state;
	assert_int_equal(config->environment, ENVIRONMENT_REHEARSAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_help),
		cmocka_unit_test(the_reference_loads_and_its_comments_change_nothing),
		cmocka_unit_test(the_reference_has_every_option_with_its_default),
		cmocka_unit_test(the_example_of_a_rehearsal_loads),
	};

	return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
