/* From the queue to the bytes of a request: what stays the same at every attempt, and what must
 * not.
 */
#include "sample.h"

#include "assemble.h"
#include "decide.h"

static struct config_site site = {
	.metadata = { .finess_eg = "990012345",
		      .name = "CH DE VALBRUME",
		      .sector = "SA01",
		      .lps_name = "dmpfeed",
		      .lps_model = "1",
		      .lps_internal_id = "GW1",
		      .default_visit_class = "I" },
};
static struct config_establishment establishment = {
	.finess_ej = "990000987",
	.url_repository = "https://127.0.0.1:1/repository",
	.url_registry = "https://127.0.0.1:1/registry",
	.url_patients = "https://127.0.0.1:1/patients",
	.wsa_to = "url",
	.sites = &site,
	.site_count = 1,
};
static struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.lps_oid = "1.2.250.1.999.77",
	.lps_name = "dmpfeed",
	.processing_code = "D",
	.establishments = &establishment,
	.establishment_count = 1,
};

struct request {
	struct buf content_type, body;
};

static struct decision decision;

static int decide_once(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	scoped(valuesets_free) struct valuesets *valuesets = NULL;
	scoped(buf_done) struct buf document = { 0 };
	struct decision_settings settings = { .config = &config, .site = "990012345" };
	struct err err = { 0 };

	(void)state;
	if (valuesets_load(&valuesets, folder, &err) < 0)
		fail_msg("%s", err.text);
	settings.valuesets = valuesets;
	sample_read("operative-report.xml", &document);
	if (decide_document(&decision, &document, &settings, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	decision_done(&decision);
	return 0;
}

static void request_done(struct request *request)
{
	buf_done(&request->content_type);
	buf_done(&request->body);
}

static struct assembly assembly_of(struct ulid doc)
{
	return (struct assembly){
		.config = &config,
		.establishment = &establishment,
		.doc = doc,
		.document = buf_slice(&decision.documents[0].body),
		.metadata = buf_slice(&decision.documents[0].metadata),
		.request = TRANSACTION_SUBMIT,
	};
}

static struct request make(const struct assembly *assembly)
{
	struct request request = { 0 };
	struct err err = { 0 };

	if (assemble(assembly, &request.content_type, &request.body, &err) < 0)
		fail_msg("%s", err.text);
	return request;
}

static struct request assemble_for(struct ulid doc)
{
	const struct assembly assembly = assembly_of(doc);

	return make(&assembly);
}

/* What stands between `before` and the next `after`, as a new text. */
static char *between(const struct request *request, const char *before, const char *after)
{
	const char *start = memmem(request->body.p, request->body.n, before, strlen(before));
	const char *end;

	assert_non_null(start);
	start += strlen(before);
	end = strstr(start, after);
	assert_non_null(end);
	return slice_dup((struct slice){ start, (size_t)(end - start) });
}

static void the_document_travels_byte_for_byte(void **state)
{
	scoped(request_done) struct request request = assemble_for(ulid_new(1795167666000));

	(void)state;
	assert_non_null(memmem(request.body.p, request.body.n, decision.documents[0].body.p,
			       decision.documents[0].body.n));
}

static void the_set_keeps_its_id_at_every_attempt(void **state)
{
	static const char set[] =
		"sourceId\"/></Name></ExternalIdentifier><ExternalIdentifier id=\"ei3\"";
	const struct ulid doc = ulid_new(1795167666000);
	scoped(request_done) struct request first = assemble_for(doc), second = assemble_for(doc);
	scoped(free_ptr) char *a = between(&first, set, "><Name>");
	scoped(free_ptr) char *b = between(&second, set, "><Name>");
	char number[ULID_DECIMAL];
	scoped(free_ptr) char *id =
		xasprintf("value=\"1.2.250.1.999.77.1.%s\"", ulid_decimal(&doc, number));

	(void)state;
	assert_string_equal(a, b);
	assert_non_null(strstr(a, id));
}

static void message_id_and_boundary_are_new_at_every_attempt(void **state)
{
	const struct ulid doc = ulid_new(1795167666000);
	scoped(request_done) struct request first = assemble_for(doc), second = assemble_for(doc);
	scoped(free_ptr) char *a = between(&first, "<wsa:MessageID>", "</wsa:MessageID>");
	scoped(free_ptr) char *b = between(&second, "<wsa:MessageID>", "</wsa:MessageID>");

	(void)state;
	assert_string_not_equal(a, b);
	assert_string_not_equal(first.content_type.p, second.content_type.p);
}

static void the_address_may_be_left_empty(void **state)
{
	(void)state;
	establishment.wsa_to = "empty";
	scoped(request_done) struct request empty = assemble_for(ulid_new(1795167666000));
	establishment.wsa_to = "url";
	scoped(request_done) struct request url = assemble_for(ulid_new(1795167666000));

	assert_null(memmem(empty.body.p, empty.body.n, establishment.url_repository,
			   strlen(establishment.url_repository)));
	assert_non_null(memmem(url.body.p, url.body.n, establishment.url_repository,
			       strlen(establishment.url_repository)));
}

static bool says(const struct request *request, const char *text)
{
	return memmem(request->body.p, request->body.n, text, strlen(text)) != NULL;
}

/* What each request says, where it goes, and that none but the submission carries the document. */
static void every_request_has_its_body_its_address_and_its_action(void **state)
{
	static const struct {
		enum transaction request;
		const char *url, *type, *body;
		bool carries;
	} rows[] = {
		{ TRANSACTION_SUBMIT, "/repository", "multipart/related;",
		  "<xdsb:ProvideAndRegisterDocumentSetRequest ", true },
		{ TRANSACTION_EXISTENCE, "/patients", "application/soap+xml;",
		  "<PRPA_IN201307UV02 ", false },
		{ TRANSACTION_FIND, "/registry", "application/soap+xml;",
		  "<query:AdhocQueryRequest ", false },
		{ TRANSACTION_DELETE, "/registry", "application/soap+xml;",
		  "<lcm:SubmitObjectsRequest ", false },
	};
	struct assembly assembly = assembly_of(ulid_new(1795167666000));

	(void)state;
	assert_int_equal(length_of(rows), TRANSACTION_COUNT);
	assembly.entry = "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002";
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(request_done) struct request request = { 0 };
		scoped(free_ptr) char *to = xasprintf(
			"<wsa:To>%s</wsa:To>", assemble_url(&establishment, rows[i].request));
		scoped(free_ptr) char *action =
			xasprintf("action=\"%s\"", soap_action(rows[i].request));

		assembly.request = rows[i].request;
		request = make(&assembly);
		assert_true(slice_starts(buf_slice(&request.content_type), rows[i].type));
		assert_non_null(strstr(request.content_type.p, action));
		assert_non_null(strstr(to, rows[i].url));
		assert_true(says(&request, to));
		assert_true(says(&request, rows[i].body));
		assert_int_equal(memmem(request.body.p, request.body.n,
					decision.documents[0].body.p,
					decision.documents[0].body.n) != NULL,
				 rows[i].carries);
	}
}

static void a_replacement_and_a_deletion_name_their_entry(void **state)
{
	static const char entry[] = "targetObject=\"urn:uuid:1\"";
	struct assembly assembly = assembly_of(ulid_new(1795167666000));

	(void)state;
	scoped(request_done) struct request new = make(&assembly);
	assembly.entry = "urn:uuid:1";
	scoped(request_done) struct request replacement = make(&assembly);
	assembly.request = TRANSACTION_DELETE;
	scoped(request_done) struct request deletion = make(&assembly);
	assembly.archived = true;
	scoped(request_done) struct request archived = make(&assembly);

	assert_false(says(&new, "AssociationType:RPLC"));
	assert_true(says(&replacement, "AssociationType:RPLC") && says(&replacement, entry));
	assert_true(says(&deletion, entry) && says(&deletion, "StatusType:Approved"));
	assert_true(says(&archived, entry) && says(&archived, "StatusType:Archived"));
	assert_true(says(&new, "value=\"1.2.250.1.999.77.1."));
	assert_true(says(&deletion, "value=\"1.2.250.1.999.77.4."));
}

/* The document's own metadata, changed into those of a replacement or a deletion. */
static void assert_finds(enum action action, const char *replaces, const char *expected)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf json = { 0 };
	scoped(request_done) struct request request = { 0 };
	struct assembly assembly = assembly_of(ulid_new(1795167666000));
	struct metadata metadata;
	struct err err = { 0 };

	if (metadata_parse(&metadata, buf_slice(&decision.documents[0].metadata), &arena, &err) < 0)
		fail_msg("%s", err.text);
	metadata.action = action;
	metadata.replaces = replaces;
	metadata.unique_id = "1.2.3.4";
	metadata_write(&metadata, &json);
	assembly.metadata = buf_slice(&json);
	assembly.request = TRANSACTION_FIND;
	request = make(&assembly);
	assert_true(says(&request, expected));
}

static void what_is_found_is_what_is_replaced_or_deleted(void **state)
{
	(void)state;
	assert_finds(ACTION_REPLACE, "1.2.3.5", "<Value>('1.2.3.5')</Value>");
	assert_finds(ACTION_DELETE, "", "<Value>('1.2.3.4')</Value>");
}

static void the_message_id_is_told(void **state)
{
	char id[UUID_TEXT] = "";
	struct assembly assembly = assembly_of(ulid_new(1795167666000));
	scoped(free_ptr) char *header = NULL;

	(void)state;
	assembly.ret_message_id = id;
	scoped(request_done) struct request request = make(&assembly);

	header = xasprintf("<wsa:MessageID>urn:uuid:%s<", id);
	assert_int_equal(strlen(id), UUID_TEXT - 1);
	assert_true(says(&request, header));
}

static void damaged_metadata_is_not_sent(void **state)
{
	scoped(request_done) struct request request = { 0 };
	const struct assembly assembly = {
		.config = &config,
		.establishment = &establishment,
		.doc = ulid_new(1795167666000),
		.document = buf_slice(&decision.documents[0].body),
		.metadata = slice_of("{\"unique_id\":"),
	};
	struct err err = { 0 };

	(void)state;
	assert_int_equal(assemble(&assembly, &request.content_type, &request.body, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_travels_byte_for_byte),
		cmocka_unit_test(the_set_keeps_its_id_at_every_attempt),
		cmocka_unit_test(message_id_and_boundary_are_new_at_every_attempt),
		cmocka_unit_test(the_address_may_be_left_empty),
		cmocka_unit_test(every_request_has_its_body_its_address_and_its_action),
		cmocka_unit_test(a_replacement_and_a_deletion_name_their_entry),
		cmocka_unit_test(what_is_found_is_what_is_replaced_or_deleted),
		cmocka_unit_test(the_message_id_is_told),
		cmocka_unit_test(damaged_metadata_is_not_sent),
	};

	return cmocka_run_group_tests(tests, decide_once, forget);
}
