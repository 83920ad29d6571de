/* From the queue to the bytes of a request: what stays the same at every attempt, and what must
 * not.
 */
#include "pki.h"
#include "tree.h"
#include "verify.h"

#include "inbound/decide.h"
#include "outbound/assemble.h"

static struct vihf_role automaton = { "AUTOMATE", "1.2.250.1.213.1.1.4.6", "AUTOMATE" };
static struct config_site site = {
	.metadata = { .finess_eg = "990012345",
		      .name = "CH DE VALBRUME",
		      .sector = "SA01",
		      .lps_name = "dmpfeed",
		      .lps_model = "1",
		      .lps_internal_id = "GW1",
		      .default_visit_class = "I" },
	.sender = { .name_id = "", .subject_id = "", .roles = &automaton, .role_count = 1 },
};
static struct config_establishment establishment = {
	.finess_ej = "990000987",
	.url_repository = "https://127.0.0.1:1/repository",
	.url_registry = "https://127.0.0.1:1/registry",
	.url_patients = "https://127.0.0.1:1/patients",
	.wsa_to = "url",
	.most_submission_bytes = 50 << 20,
	.sites = &site,
	.site_count = 1,
};
static struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.lps_oid = "1.2.250.1.999.77",
	.processing_code = "D",
	.lps_name = "dmpfeed",
	.lps_version = "1",
	.vihf = { .version = "3.0",
		  .mode_name = "Authentification_Mode",
		  .authn_context = "unspecified",
		  .digest = DIGEST_SHA256,
		  .lps_id = "",
		  .lps_name = "dmpfeed",
		  .lps_version = "1",
		  .homologation = "CNDA-4711" },
	.xades = { DIGEST_SHA1, true },
	.establishments = &establishment,
	.establishment_count = 1,
};

struct request {
	struct buf content_type, body;
};

static struct decision decision;
static struct metadata metadata; /* of the decision */
static struct arena arena;
static struct pki pki;
static struct signer *signer;
static struct pen *pen;

static int decide_once(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	scoped(valuesets_free) struct valuesets *valuesets = NULL;
	scoped(buf_done) struct buf document = { 0 };
	struct decision_settings settings = { .config = &config, .site = "990012345" };
	struct err err = { 0 };

	(void)state;
	xmlsec_start();
	pki_make(&pki);
	signer = pki_signer(&pki);
	pen = pki_pen(signer);
	if (valuesets_load(&valuesets, folder, &err) < 0)
		fail_msg("%s", err.text);
	settings.valuesets = valuesets;
	sample_read("operative-report.xml", &document);
	if (decide_document(&decision, &document, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		metadata_parse(&metadata, buf_slice(&decision.documents[0].metadata), &arena, &err),
		0);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	decision_done(&decision);
	arena_done(&arena);
	pen_free(&pen);
	signer_free(&signer);
	pki_done(&pki);
	xmlsec_end();
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
		.metadata = &metadata,
		.source = "DPI",
		.request = TRANSACTION_SUBMIT,
		.pen = pen,
		.now_ms = PKI_NOW_MS + 250,
	};
}

static struct request make(const struct assembly *assembly)
{
	struct assembled assembled = { 0 };
	struct request request = { 0 };
	struct err err = { 0 };

	if (assemble(assembly, &assembled, &err) < 0)
		fail_msg("%s", err.text);
	request.content_type = assembled.content_type;
	request.body = assembled.head;
	if (assembly->request == TRANSACTION_SUBMIT)
		buf_add(&request.body, assembly->document);
	buf_add(&request.body, buf_slice(&assembled.tail));
	buf_done(&assembled.tail);
	return request;
}

static struct request assemble_for(struct ulid doc)
{
	const struct assembly assembly = assembly_of(doc);

	return make(&assembly);
}

/* The bytes of the part at `index`, the envelope first. */
static struct slice part_of(const struct request *request, size_t index)
{
	struct slice rest = buf_slice(&request->body), part = { 0 };
	scoped(free_ptr) char *boundary = NULL;
	const char *start = strstr(request->content_type.p, "boundary=\"") + strlen("boundary=\"");

	boundary = xasprintf("\r\n--%.*s", (int)strcspn(start, "\""), start);
	for (size_t i = 0; i <= index; i++) {
		const char *from = memmem(rest.p, rest.n, "\r\n\r\n", 4), *to;

		assert_non_null(from);
		rest = slice_from(rest, (size_t)(from + 4 - rest.p));
		to = memmem(rest.p, rest.n, boundary, strlen(boundary));
		assert_non_null(to);
		part = (struct slice){ rest.p, (size_t)(to - rest.p) };
		rest = slice_from(rest, part.n + strlen(boundary));
	}
	return part;
}

static void assert_part(const struct request *request, size_t index, const struct fact *facts,
			size_t count)
{
	struct slice part = part_of(request, index);
	scoped(buf_done) struct buf text = { 0 };

	buf_add(&text, part);
	assert_facts(&text, facts, count);
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
static void assert_finds(enum action action, const char *replaces, const char *target,
			 const char *expected)
{
	scoped(request_done) struct request request = { 0 };
	struct assembly assembly = assembly_of(ulid_new(1795167666000));
	struct metadata changed = metadata;

	changed.action = action;
	changed.replaces = replaces;
	changed.unique_id = "1.2.3.4";
	assembly.metadata = &changed;
	assembly.request = TRANSACTION_FIND;
	assembly.target = target;
	request = make(&assembly);
	assert_true(says(&request, expected));
}

static void what_is_found_is_what_is_replaced_or_deleted(void **state)
{
	(void)state;
	assert_finds(ACTION_REPLACE, "1.2.3.5", NULL, "<Value>('1.2.3.5')</Value>");
	assert_finds(ACTION_DELETE, "", "", "<Value>('1.2.3.4')</Value>");
	assert_finds(ACTION_REPLACE, "1.2.3.5", "1.2.3.6", "<Value>('1.2.3.6')</Value>");
	assert_finds(ACTION_DELETE, "", "1.2.3.6", "<Value>('1.2.3.6')</Value>");
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

/* ---- signatures ---- */

static const struct ulid some_doc = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
#define SET_ID "1.2.250.1.999.77.1.1339673755198158349044581307228491536"
#define SIGNATURE_ID "1.2.250.1.999.77.2.1339673755198158349044581307228491536"

static void three_parts_travel_two_of_them_signed(void **state)
{
	scoped(request_done) struct request request = assemble_for(some_doc);
	struct slice envelope = part_of(&request, 0), signature = part_of(&request, 2);
	const char *signature_id = "Content-ID: <signature1@dmpfeed>\r\n\r\n";

	(void)state;
	assert_true(slice_equal(part_of(&request, 1), buf_slice(&decision.documents[0].body)));
	assert_true(xmlsec_verifies(envelope, pki.sign_pem, 1));
	assert_true(xmlsec_verifies(signature, pki.sign_pem, 2));
	assert_memory_equal(signature.p - strlen(signature_id), signature_id, strlen(signature_id));
}

static void set_and_signature_name_each_other(void **state)
{
	scoped(request_done) struct request request = assemble_for(some_doc);
	scoped(free_ptr) char *document_uri =
		xasprintf("urn:oid:%s", decision.documents[0].unique_id);
	const struct fact of_envelope[] = {
		{ "//r:ExternalIdentifier[r:Name/r:LocalizedString/@value = "
		  "'XDSSubmissionSet.uniqueId']/@value",
		  SET_ID },
		{ "//r:ExtrinsicObject[@id = 'Signature01']/r:ExternalIdentifier[2]/@value",
		  SIGNATURE_ID },
	};
	const struct fact of_signature[] = {
		{ "/ds:Signature/@Id", "S-" SIGNATURE_ID },
		{ "//ds:Manifest/ds:Reference[1]/@URI", "urn:oid:" SET_ID },
		{ "//ds:Manifest/ds:Reference[2]/@URI", document_uri },
		{ "count(//e:Cert)", "3" },
	};

	(void)state;
	assert_part(&request, 0, of_envelope, length_of(of_envelope));
	assert_part(&request, 2, of_signature, length_of(of_signature));
}

#define SAID(name) "//s:Attribute[@Name='" name "']/s:AttributeValue"

static void times_come_from_one_reading_of_the_clock(void **state)
{
	static const struct fact of_envelope[] = {
		{ "//s:Assertion/@IssueInstant", "2026-11-20T12:00:00.250Z" },
		{ "//r:Slot[@name = 'submissionTime']", "20261120120000" },
		{ "//r:ExtrinsicObject[@id = 'Signature01']/r:Slot[@name = 'creationTime']",
		  "20261120120000" },
	};
	static const struct fact of_signature[] = {
		{ "//e:SigningTime", "2026-11-20T12:00:00.250Z" },
	};
	scoped(request_done) struct request request = assemble_for(some_doc);

	(void)state;
	assert_part(&request, 0, of_envelope, length_of(of_envelope));
	assert_part(&request, 2, of_signature, length_of(of_signature));
}

static void the_gateway_asks_for_itself_or_for_who_answers(void **state)
{
	static const struct fact itself[] = {
		{ "//s:NameID", "3990012345/GW1" },
		{ SAID("urn:oasis:names:tc:xspa:1.0:subject:subject-id"),
		  "dmpfeed, 1, CH DE VALBRUME" },
		{ SAID("Identifiant_Structure"), "1990012345" },
		{ SAID("Secteur_Activite"), "SA01^1.2.250.1.71.4.2.4" },
		{ SAID("LPS_ID_HOMOLOGATION_DMP"), "CNDA-4711" },
		{ "count(//s:Attribute)", "12" },
	};
	static const struct fact answered[] = {
		{ "//s:NameID", "899900012345" },
		{ SAID("urn:oasis:names:tc:xspa:1.0:subject:subject-id"), "Passerelle, DSI" },
	};

	(void)state;
	scoped(request_done) struct request one = assemble_for(some_doc);
	assert_part(&one, 0, itself, length_of(itself));
	site.sender.name_id = "899900012345";
	site.sender.subject_id = "Passerelle, DSI";
	scoped(request_done) struct request two = assemble_for(some_doc);
	site.sender.name_id = site.sender.subject_id = "";
	assert_part(&two, 0, answered, length_of(answered));
}

static void a_source_may_have_somebody_else_who_answers(void **state)
{
	static struct vihf_role doctor = { "10", "1.2.250.1.213.1.1.5.1", "Médecin" };
	static struct config_source_sender senders[] = {
		{ "RIS", { .name_id = "899900099999", .subject_id = "" } },
		{ "DPI",
		  { .name_id = "", .subject_id = "SIL", .roles = &doctor, .role_count = 1 } },
	};
	static const struct fact facts[] = {
		{ "//s:NameID", "899900012345" }, /* the site's: the source leaves it out */
		{ SAID("urn:oasis:names:tc:xspa:1.0:subject:subject-id"), "SIL" },
		{ "string(//*[local-name() = 'Role']/@code)", "10" },
	};

	(void)state;
	site.sender.name_id = "899900012345";
	config.source_senders = senders;
	config.source_sender_count = length_of(senders);
	scoped(request_done) struct request request = assemble_for(some_doc);
	site.sender.name_id = "";
	config.source_sender_count = 0;
	assert_part(&request, 0, facts, length_of(facts));
}

static void assert_not_sent(const struct assembly *assembly, enum err_kind kind, enum reason reason)
{
	scoped(assembled_done) struct assembled request = { 0 };
	struct err err = { 0 };

	assert_int_equal(assemble(assembly, &request, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_int_equal(err.reason, reason);
}

static void a_document_of_the_future_waits(void **state)
{
	struct assembly assembly = assembly_of(some_doc);
	scoped(assembled_done) struct assembled request = { 0 };
	struct err err = { 0 };

	(void)state;
	assembly.now_ms = metadata.creation_ms - 1;
	assert_true(metadata.creation_ms < PKI_NOW_MS);
	assert_not_sent(&assembly, ERR_RETRY, REASON_RETRYING);
	assembly.now_ms++;
	assert_int_equal(assemble(&assembly, &request, &err), 0);
}

static void a_site_that_is_no_longer_declared_does_not_send(void **state)
{
	struct metadata elsewhere = metadata;
	struct assembly assembly = assembly_of(some_doc);

	(void)state;
	elsewhere.site = "990012352";
	assembly.metadata = &elsewhere;
	assert_not_sent(&assembly, ERR_REJECT, REASON_FINESS_MISMATCH);
}

static void hash_and_size_are_of_the_document(void **state)
{
	struct request request;
	uint8_t digest[SHA1_BYTES];
	char text[2 * SHA1_BYTES + 1];
	scoped(free_ptr) char *slots = NULL;

	(void)state;
	sha1(buf_slice(&decision.documents[0].body), digest);
	hex(digest, sizeof(digest), text);
	config.send_hash_size = true;
	request = assemble_for(ulid_new(PKI_NOW_MS));
	config.send_hash_size = false;
	slots = xasprintf("<Value>%s</Value>", text);
	assert_non_null(memmem(request.body.p, request.body.n, slots, strlen(slots)));
	request_done(&request);
}

static void a_submission_that_is_too_large_is_not_sent(void **state)
{
	const struct assembly assembly = assembly_of(ulid_new(PKI_NOW_MS));

	scoped(request_done) struct request request = make(&assembly);

	(void)state;
	establishment.most_submission_bytes = request.body.n - 1;
	assert_not_sent(&assembly, ERR_REJECT, REASON_TOO_LARGE);
	establishment.most_submission_bytes = request.body.n;
	scoped(request_done) struct request again = make(&assembly);
	assert_int_equal(again.body.n, request.body.n);
	establishment.most_submission_bytes = 50 << 20;
}

static void a_certificate_that_ended_stops_the_lane_and_rejects_nothing(void **state)
{
	struct assembly assembly = assembly_of(some_doc);

	(void)state;
	assembly.now_ms = PKI_NOW_MS + 41 * PKI_DAY_MS;
	assert_not_sent(&assembly, ERR_HALT, REASON_LANE_STOPPED);
}

/* What the guardians must not see is one thing, and the document's own; that they must not hear of the care is
 * another, and said of every request.
 */
static void a_secret_connection_is_said_of_every_request(void **state)
{
	static const char attribute[] =
		"<saml2:Attribute Name=\"urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:"
		"confidentiality-code\">";
	static const char value[] = ">INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13<";
	struct coded codes[] = {
		metadata.confidentialities[0],
		{ "INVISIBLE_REPRESENTANTS_LEGAUX", "1.2.250.1.213.1.1.4.13", "x" },
	};
	struct metadata hidden = metadata;
	struct assembly assembly = assembly_of(some_doc);

	(void)state;
	hidden.confidentialities = codes;
	hidden.confidentiality_count = length_of(codes);
	assembly.metadata = &hidden;
	assembly.entry = "urn:uuid:1";
	for (enum transaction i = 0; i < TRANSACTION_COUNT; i++) {
		assembly.request = i;
		hidden.secret_connection = false;
		scoped(request_done) struct request open = make(&assembly);
		hidden.secret_connection = true;
		scoped(request_done) struct request secret = make(&assembly);
		assert_false(says(&open, attribute));
		assert_true(says(&secret, attribute) && says(&secret, value));
	}
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
		cmocka_unit_test(three_parts_travel_two_of_them_signed),
		cmocka_unit_test(set_and_signature_name_each_other),
		cmocka_unit_test(times_come_from_one_reading_of_the_clock),
		cmocka_unit_test(the_gateway_asks_for_itself_or_for_who_answers),
		cmocka_unit_test(a_source_may_have_somebody_else_who_answers),
		cmocka_unit_test(a_document_of_the_future_waits),
		cmocka_unit_test(a_site_that_is_no_longer_declared_does_not_send),
		cmocka_unit_test(hash_and_size_are_of_the_document),
		cmocka_unit_test(a_submission_that_is_too_large_is_not_sent),
		cmocka_unit_test(a_certificate_that_ended_stops_the_lane_and_rejects_nothing),
		cmocka_unit_test(a_secret_connection_is_said_of_every_request),
	};

	return cmocka_run_group_tests(tests, decide_once, forget);
}
