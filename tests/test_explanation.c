/* The text of NAME.error.yaml. */
#include "sample.h"

#include "intake/explanation.h"

static void it_says_where_what_and_what_to_do(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct err why;

	(void)state;
	err_refuse(&why, REASON_IDENTIFIER_HAS_EXTENSION, "id/@extension",
		   "the id has an extension");
	explanation_write("letter.xml", 1795167667250, &why, &out);
	assert_string_equal(
		out.p,
		"file: \"letter.xml\"\n"
		"at: \"2026-11-20T09:41:07.250Z\"\n"
		"errors:\n"
		"  - location: \"id/@extension\"\n"
		"    code: \"207\"\n"
		"    reason: \"identifier_has_extension\"\n"
		"    text: \"the id has an extension\"\n"
		"    meaning: \"The document's id has an extension: the DMP knows plain OIDs "
		"only.\"\n"
		"    signification: \"L'identifiant du document a une extension : le DMP ne "
		"connaît que des OID"
		" simples.\"\n"
		"    todo: \"Have the source identify its documents by an OID alone.\"\n"
		"    action: \"Faire identifier les documents par un OID seul à la source.\"\n");
}

static void a_hostile_file_name_stays_inside_its_quotes(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct err why;

	(void)state;
	err_refuse(&why, REASON_DOCUMENT_INVALID, "", "no");
	explanation_write("a\"\nerrors: [] #\\\x01", 0, &why, &out);
	assert_non_null(strstr(out.p, "file: \"a\\\"\\x0aerrors: [] #\\\\\\x01\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_where_what_and_what_to_do),
		cmocka_unit_test(a_hostile_file_name_stays_inside_its_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
