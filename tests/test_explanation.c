/* The texts of NAME.error.yaml and NAME.result.yaml. */
#include "sample.h"

#include "intake/explanation.h"

static void it_says_where_what_and_what_to_do(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct err why;

	(void)state;
	err_refuse(&why, REASON_IDENTIFIER_HAS_EXTENSION, "id/@extension",
		   "the id has an extension");
	explanation_open("letter.xml", 1795167667250, &out);
	explanation_add(&why, &out);
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
		"    action: \"Faire identifier par la source chaque document par un OID "
		"seul.\"\n");
}

static void a_hostile_file_name_stays_inside_its_quotes(void **state)
{
	static const struct {
		const char *name, *quoted;
	} cases[] = {
		{ "a\"\nerrors: [] #\\\x01", "a\\\"\\u000aerrors: [] #\\\\\\u0001" },
		{ "café \xc2\x85\xe2\x80\xae.xml", "café \\u0085\\u202e.xml" },
		{ "caf\xe9\n\xff.xml", "caf\\xe9\\x0a\\xff.xml" },
		{ "\xef\xbf\xbe \xef\xbf\xbf \xef\xbf\xbd", "\\ufffe \\uffff \xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { 0 };
		scoped(free_ptr) char *line = xasprintf("file: \"%s\"\n", cases[i].quoted);
		struct err why;

		err_refuse(&why, REASON_DOCUMENT_INVALID, "", "no");
		explanation_open(cases[i].name, 0, &out);
		explanation_add(&why, &out);
		assert_true(slice_starts(buf_slice(&out), line));
	}
}

static void each_message_at_fault_is_told(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	struct err one, other;

	(void)state;
	err_refuse(&one, REASON_DOCUMENT_INVALID, "", "message 1 of 3: no CDA");
	err_refuse(&other, REASON_FIELD_MISSING, "PV1-2", "message 3 of 3: empty");
	explanation_open("batch.hl7", 0, &out);
	explanation_add(&one, &out);
	explanation_add(&other, &out);
	assert_non_null(strstr(out.p, "  - location: \"\"\n    code: \"199\"\n"));
	assert_non_null(strstr(out.p, "  - location: \"PV1-2\"\n    code: \"101\"\n"));
}

static void a_result_tells_of_each_message_and_document(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	result_open("batch.hl7", 1795167667250, "messages", &out);
	result_add_message("A0001", "", &out);
	result_add_document("01JD", "1.2.3", "submit", "queued", false, &out);
	result_add_document("01JC", "1.2.4", "submit", "delivered", true, &out);
	result_add_message("77001", "A28", &out);
	assert_string_equal(out.p, "file: \"batch.hl7\"\n"
				   "at: \"2026-11-20T09:41:07.250Z\"\n"
				   "messages:\n"
				   "  - control_id: \"A0001\"\n"
				   "    documents:\n"
				   "      - doc: \"01JD\"\n"
				   "        unique_id: \"1.2.3\"\n"
				   "        action: \"submit\"\n"
				   "        state: \"queued\"\n"
				   "        known: false\n"
				   "      - doc: \"01JC\"\n"
				   "        unique_id: \"1.2.4\"\n"
				   "        action: \"submit\"\n"
				   "        state: \"delivered\"\n"
				   "        known: true\n"
				   "  - control_id: \"77001\"\n"
				   "    event: \"A28\"\n");
}

static void a_result_tells_of_each_file_of_a_medium(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	result_open("medium.zip", 1795167667250, "files", &out);
	result_add_file("IHE_XDM/SUBSET01/DOC1.XML", &out);
	result_add_document("01JD", "1.2.3", "submit", "queued", false, &out);
	assert_non_null(strstr(out.p, "files:\n"
				      "  - file: \"IHE_XDM/SUBSET01/DOC1.XML\"\n"
				      "    documents:\n"
				      "      - doc: \"01JD\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_where_what_and_what_to_do),
		cmocka_unit_test(each_message_at_fault_is_told),
		cmocka_unit_test(a_result_tells_of_each_message_and_document),
		cmocka_unit_test(a_result_tells_of_each_file_of_a_medium),
		cmocka_unit_test(a_hostile_file_name_stays_inside_its_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
