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
	.wsa_to = "url",
	.sites = &site,
	.site_count = 1,
};
static struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.lps_oid = "1.2.250.1.999.77",
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

static struct request assemble_for(struct ulid doc)
{
	struct request request = { 0 };
	struct err err = { 0 };
	const struct assembly assembly = {
		.config = &config,
		.establishment = &establishment,
		.doc = doc,
		.document = buf_slice(&decision.documents[0].body),
		.metadata = buf_slice(&decision.documents[0].metadata),
	};

	if (assemble(&assembly, &request.content_type, &request.body, &err) < 0)
		fail_msg("%s", err.text);
	return request;
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
		cmocka_unit_test(damaged_metadata_is_not_sent),
	};

	return cmocka_run_group_tests(tests, decide_once, forget);
}
