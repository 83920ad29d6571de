/* TD3.1b: the question for the entry of a document of ours, and what the answers mean. */
#include "tree.h"

#include "dmp/find.h"

#define UNIQUE_ID "1.2.250.1.999.77.5.2026.88121"
#define ENTRY "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002"
#define ROOT "/q:AdhocQueryRequest"
#define SLOT ROOT "/r:AdhocQuery/r:Slot"

static void the_question_asks_for_references_only(void **state)
{
	static const struct fact facts[] = {
		{ ROOT "/q:ResponseOption/@returnType", "ObjectRef" },
		{ ROOT "/q:ResponseOption/@returnComposedObjects", "true" },
		{ ROOT "/r:AdhocQuery/@id", "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4" },
		{ SLOT "/@name", "$XDSDocumentEntryUniqueId" },
		{ SLOT "/r:ValueList/r:Value", "('" UNIQUE_ID "')" },
		{ "count(//*)", "6" },
	};
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	find_build(UNIQUE_ID, &body);
	assert_facts(&body, facts, length_of(facts));
}

static void the_identifier_cannot_leave_its_apostrophes(void **state)
{
	static const struct fact facts[] = {
		{ SLOT "/r:ValueList/r:Value", "('1'') or (''<x>')" },
		{ "count(//*)", "6" },
	};
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	find_build("1') or ('<x>", &body);
	assert_facts(&body, facts, length_of(facts));
}

static void the_schema_takes_the_question(void **state)
{
	xmlSchema *schema = schema_at_hand("schema/ebRS/query.xsd");
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	if (schema == NULL)
		return;
	find_build(UNIQUE_ID, &body);
	assert_valid(schema, &body);
	xmlSchemaFree(schema);
}

#define RESPONSE(status, content)                                                                  \
	"<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>"        \
	"<query:AdhocQueryResponse xmlns:query=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\" " \
	"status=\"" status "\">" content "</query:AdhocQueryResponse></soap:Body></soap:Envelope>"
#define SUCCESS "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
#define FAILURE "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
#define PARTIAL "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
#define LIST(objects)                                                                              \
	"<rim:RegistryObjectList "                                                                 \
	"xmlns:rim=\"urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0\">" objects                       \
	"</rim:RegistryObjectList>"
#define REFERENCE(id) "<rim:ObjectRef id=\"" id "\"/>"
#define ERRORS                                                                                     \
	"<rs:RegistryErrorList xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\">"           \
	"<rs:RegistryError errorCode=\"XDSUnknownStoredQuery\" codeContext=\"words\" "             \
	"severity=\"urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error\"/>"                   \
	"</rs:RegistryErrorList>"

static struct reply read_as(enum transaction asked, const char *body, struct arena *arena)
{
	struct reply reply;

	reply_read(&reply, asked, slice_of("application/soap+xml"), slice_of(body), arena);
	return reply;
}

static void exactly_one_entry_is_found(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply =
		read_as(TRANSACTION_FIND, RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY))), &arena);
	const char *entry = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(reply.shape, REPLY_SUCCESS);
	assert_int_equal(find_read(&reply, &entry, &err), 1);
	assert_string_equal(entry, ENTRY);
}

static void no_entry_is_a_document_that_is_not_there(void **state)
{
	static const char *const bodies[] = {
		RESPONSE(SUCCESS, LIST("")),
		RESPONSE(SUCCESS, ""),
		/* objects of another kind, and references elsewhere, are none */
		RESPONSE(SUCCESS, LIST("<rim:ExtrinsicObject id=\"" ENTRY "\"/>")),
		RESPONSE(SUCCESS, LIST("<rim:Other>" REFERENCE(ENTRY) "</rim:Other>")),
		RESPONSE(SUCCESS, LIST("<ObjectRef id=\"" ENTRY "\"/>")),
	};

	(void)state;
	for (size_t i = 0; i < length_of(bodies); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_as(TRANSACTION_FIND, bodies[i], &arena);
		const char *entry = "untouched";
		struct err err = { 0 };

		assert_int_equal(reply.shape, REPLY_SUCCESS);
		assert_int_equal(find_read(&reply, &entry, &err), 0);
		assert_string_equal(entry, "untouched");
	}
}

static void of_several_entries_none_is_taken(void **state)
{
	static const char *const bodies[] = {
		RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY) REFERENCE("urn:uuid:1"))),
		RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY) REFERENCE(ENTRY))),
		RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY)) LIST(REFERENCE("urn:uuid:1"))),
		RESPONSE(SUCCESS, LIST(REFERENCE("1.2.3"))),
		RESPONSE(SUCCESS, LIST("<rim:ObjectRef/>")),
	};

	(void)state;
	for (size_t i = 0; i < length_of(bodies); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_as(TRANSACTION_FIND, bodies[i], &arena);
		const char *entry = "untouched";
		struct err err = { 0 };

		assert_int_equal(find_read(&reply, &entry, &err), -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_string_equal(entry, "untouched");
	}
}

static void a_failed_query_is_a_failure(void **state)
{
	static const struct {
		const char *body, *code;
	} cases[] = {
		{ RESPONSE(FAILURE, ERRORS), "XDSUnknownStoredQuery" },
		{ RESPONSE(PARTIAL, LIST(REFERENCE(ENTRY))), "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_as(TRANSACTION_FIND, cases[i].body, &arena);

		assert_int_equal(reply.shape, REPLY_FAILURE);
		assert_string_equal(reply.code, cases[i].code);
		assert_int_equal(reply.object_count, 0);
	}
}

static void an_answer_counts_only_for_its_question(void **state)
{
	static const enum transaction others[] = { TRANSACTION_SUBMIT, TRANSACTION_EXISTENCE,
						   TRANSACTION_DELETE };

	(void)state;
	for (size_t i = 0; i < length_of(others); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply =
			read_as(others[i], RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY))), &arena);

		assert_int_equal(reply.shape, REPLY_NONE);
		assert_string_equal(reply.text, "the SOAP answer is to another request");
	}
}

/* One byte of an answer changed: it gives its entry, a text of its own in place of it, nothing, or
 * an error, and never an entry where none was.
 */
static void no_damage_makes_an_entry_of_something_else(void **state)
{
	static const char whole[] = RESPONSE(SUCCESS, LIST(REFERENCE(ENTRY)));

	(void)state;
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(free_ptr) char *damaged = xstrdup(whole);
		const char *entry = ENTRY;
		struct err err = { 0 };
		struct reply reply;

		damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
		reply = read_as(TRANSACTION_FIND, damaged, &arena);
		if (reply.shape == REPLY_SUCCESS && find_read(&reply, &entry, &err) == 1)
			assert_non_null(strstr(damaged, entry));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_asks_for_references_only),
		cmocka_unit_test(the_identifier_cannot_leave_its_apostrophes),
		cmocka_unit_test(the_schema_takes_the_question),
		cmocka_unit_test(exactly_one_entry_is_found),
		cmocka_unit_test(no_entry_is_a_document_that_is_not_there),
		cmocka_unit_test(of_several_entries_none_is_taken),
		cmocka_unit_test(a_failed_query_is_a_failure),
		cmocka_unit_test(an_answer_counts_only_for_its_question),
		cmocka_unit_test(no_damage_makes_an_entry_of_something_else),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
