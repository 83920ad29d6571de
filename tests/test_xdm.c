/* Exchange media: what METADATA.XML says of the documents beside it, and what it may not say. */
#include "sample.h"

#include "document/cda.h"
#include "document/xdm.h"
#include "zip_maker.h"

#define RIM "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define CONTENT "<ClinicalDocument/>"

static const struct unzip_limits limits = { .most_entries = 200,
					    .most_bytes = 1 << 20,
					    .most_ratio = 100 };

/* One entry; NULL reads as what is usual, "" leaves the part out. */
struct entry {
	const char *id, *mime, *uri, *size, *hash, *unique_id, *patient, *format, *masks;
};

static void add_slot(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_addf(out, "<Slot name=\"%s\"><ValueList><Value>%s</Value></ValueList></Slot>",
			 name, value);
}

static void add_class(struct buf *out, const char *scheme, const char *code)
{
	if (code[0] != '\0')
		buf_addf(out,
			 "<Classification classificationScheme=\"urn:uuid:%s\" "
			 "nodeRepresentation=\"%s\"/>",
			 scheme, code);
}

static void add_identifier(struct buf *out, const char *scheme, const char *value)
{
	if (value[0] != '\0')
		buf_addf(out,
			 "<ExternalIdentifier identificationScheme=\"urn:uuid:%s\" value=\"%s\"/>",
			 scheme, value);
}

static const char *or_usual(const char *value, const char *usual)
{
	return value ? value : usual;
}

static void add_entry(struct buf *out, const struct entry *e)
{
	struct slice masks = slice_of(e->masks), mask;

	buf_addf(out, "<ExtrinsicObject id=\"%s\" mimeType=\"%s\">", or_usual(e->id, "Document01"),
		 or_usual(e->mime, "text/xml"));
	add_slot(out, "URI", or_usual(e->uri, "DOC1.XML"));
	add_slot(out, "size", or_usual(e->size, "19"));
	add_slot(out, "hash", or_usual(e->hash, "c85265e6ac3b2d64573ddbf593d5e8c38411b5ae"));
	add_class(out, "a09d5840-386c-46f2-b5ad-9c3699a4309d", or_usual(e->format, ""));
	while (slice_next(&masks, ' ', &mask)) {
		scoped(free_ptr) char *code = slice_dup(mask);

		add_class(out, "f4f85eac-e6cb-4883-b524-f2705394840f", code);
	}
	add_identifier(
		out, "58a6f841-87b3-4a3e-92fd-a8ffeff98427",
		or_usual(e->patient, "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"));
	add_identifier(out, "2e82c1f6-a085-4c72-9da3-8640a32e42ab",
		       or_usual(e->unique_id, "1.2.3"));
	buf_add_text(out, "</ExtrinsicObject>");
}

/* METADATA.XML with these entries, an author and whatever `more` adds. */
static void metadata_of(const struct entry *entries, size_t count, const char *author,
			const char *more, struct buf *out)
{
	buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
			  "<lcm:SubmitObjectsRequest "
			  "xmlns:lcm=\"urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0\">"
			  "<RegistryObjectList xmlns=\"" RIM "\"><RegistryPackage id=\"Set\">"
			  "<Classification classificationScheme=\"urn:uuid:a7058bb9-b4e4-4307-ba5b-"
			  "e3f0ab85e12d\" nodeRepresentation=\"\">");
	add_slot(out, "authorPerson", author);
	buf_add_text(out, "</Classification></RegistryPackage>");
	for (size_t i = 0; i < count; i++)
		add_entry(out, &entries[i]);
	buf_addf(out, "%s</RegistryObjectList></lcm:SubmitObjectsRequest>", more);
}

static struct arena arena;

static int read_medium(struct xdm *xdm, struct slice metadata, struct err *err)
{
	const struct zip_entry files[] = {
		{ .name = bytes_of("IHE_XDM/SUBSET01/METADATA.XML"), .bytes = metadata },
		{ .name = bytes_of("IHE_XDM/SUBSET01/DOC1.XML"), .bytes = bytes_of(CONTENT) },
		{ .name = bytes_of("IHE_XDM/SUBSET01/DOC2.XML"), .bytes = bytes_of("<a/>") },
		{ .name = bytes_of("README.TXT"), .bytes = bytes_of("Read me.") },
		{ .name = bytes_of("INDEX.HTM"), .bytes = bytes_of("<html/>") },
	};
	struct buf archive = { 0 };
	int rc;

	*err = (struct err){ 0 };
	zip_make(files, length_of(files), &archive);
	rc = xdm_read(xdm, buf_slice(&archive), &limits, &arena, err);
	buf_done(&archive);
	return rc;
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

#define REPLACES(target)                                                                           \
	"<Association associationType=\"urn:ihe:iti:2007:AssociationType:RPLC\" "                  \
	"sourceObject=\"Document01\" targetObject=\"" target "\"/>"

static void documents_come_with_what_is_said_of_them(void **state)
{
	static const struct entry entries[] = {
		{ .masks = "N INVISIBLE_PATIENT" },
		{ .id = "Document02",
		  .uri = "doc2.xml",
		  .size = "4",
		  .hash = "",
		  .unique_id = "1.2.4",
		  .patient = "4711^^^&amp;1.2.3&amp;ISO^PI",
		  .masks = "N MASQUE_PS INVISIBLE_REPRESENTANTS_LEGAUX" },
		{ .id = "Signature01",
		  .uri = "NOT_THERE.XML",
		  .unique_id = "1.2.5",
		  .format = "http://www.w3.org/2000/09/xmldsig#" },
	};
	scoped(buf_done) struct buf metadata = { 0 };
	struct err err;
	struct xdm xdm;

	(void)state;
	metadata_of(entries, length_of(entries),
		    "801234567866^MARTIN^Claire^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS",
		    REPLACES("Document02"), &metadata);
	if (read_medium(&xdm, buf_slice(&metadata), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(xdm.count, 2);
	assert_string_equal(xdm.documents[0].name, "IHE_XDM/SUBSET01/DOC1.XML");
	assert_string_equal(xdm.documents[0].bytes.p, CONTENT);
	assert_string_equal(xdm.documents[0].unique_id, "1.2.3");
	assert_true(xdm.documents[0].invisible_to_patient);
	assert_false(xdm.documents[0].masked_from_professionals);
	assert_false(xdm.documents[0].invisible_to_guardians);
	assert_string_equal(xdm.documents[0].patient_ins, "279035121518989");
	assert_string_equal(xdm.documents[0].patient_ins_oid, "1.2.250.1.213.1.4.10");
	assert_true(xdm.documents[0].replaces);
	assert_string_equal(xdm.documents[0].replaced_id, "1.2.4");
	assert_string_equal(xdm.documents[0].sender_id, "801234567866");
	assert_string_equal(xdm.documents[0].sender_family, "MARTIN");
	assert_string_equal(xdm.documents[0].sender_given, "Claire");
	assert_false(xdm.documents[0].sender_id_is_internal);

	assert_string_equal(xdm.documents[1].bytes.p, "<a/>");
	assert_true(xdm.documents[1].masked_from_professionals);
	assert_true(xdm.documents[1].invisible_to_guardians);
	assert_false(xdm.documents[1].invisible_to_patient);
	assert_string_equal(xdm.documents[1].patient_ins, ""); /* that is no INS */
	assert_false(xdm.documents[1].replaces);
	xdm_done(&xdm);
}

static void sender_is_a_person_or_nobody(void **state)
{
	static const struct {
		const char *author, *id;
		bool is_internal;
	} cases[] = {
		{ "", "", false },
		{ "399/1^DUBOIS^Anne^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^EI", "399/1", true },
		{ "42^DUBOIS^Anne^^^^^^&amp;1.2.3.99&amp;ISO^D^^^EI", "42", true },
		{ "812345678901^DUBOIS^Anne^^^^^^&amp;1.2.3.99&amp;ISO^D^^^PI", "", false },
		{ "812345678901^DUBOIS^Anne^^^^^^^D^^^IDNPS", "", false },
		{ "812345678901^DUBOIS^Anne", "", false },
		{ "399/GW^LPS^1^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^U^^^RI", "", false },
		{ "^", "", false },
	};
	static const struct entry entry = { 0 };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf metadata = { 0 };
		struct err err;
		struct xdm xdm;

		metadata_of(&entry, 1, cases[i].author, REPLACES("urn:uuid:x"), &metadata);
		if (read_medium(&xdm, buf_slice(&metadata), &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(xdm.documents[0].sender_id, cases[i].id);
		assert_int_equal(xdm.documents[0].sender_id_is_internal, cases[i].is_internal);
		assert_true(xdm.documents[0].replaces);
		assert_string_equal(xdm.documents[0].replaced_id, ""); /* it is elsewhere */
		xdm_done(&xdm);
	}
}

static void a_folder_may_stand_before_the_submission_set(void **state)
{
	static const struct entry entry = { 0 };
	scoped(buf_done) struct buf metadata = { 0 };
	scoped(free_ptr) char *text = NULL;
	const char *set;
	struct err err;
	struct xdm xdm;

	(void)state;
	metadata_of(&entry, 1,
		    "801234567866^MARTIN^Claire^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS", "",
		    &metadata);
	set = strstr(metadata.p, "<RegistryPackage");
	text = xasprintf("%.*s<RegistryPackage id=\"Folder01\"><Classification "
			 "classifiedObject=\"Folder01\" classificationNode=\"urn:uuid:"
			 "d9d542f3-6cc4-48b6-8870-ea235fbc94c2\"/></RegistryPackage>%s",
			 (int)(set - metadata.p), metadata.p, set);
	if (read_medium(&xdm, slice_of(text), &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(xdm.documents[0].sender_id, "801234567866");
	xdm_done(&xdm);
}

static void what_metadata_says_must_be_so(void **state)
{
	static const struct {
		struct entry entry;
		const char *where, *said;
	} cases[] = {
		{ { .size = "18" }, "size", "its size is not" },
		{ { .size = "large" }, "size", "its size is not" },
		{ { .hash = "0000fe4d5c2ec7b50babe8dbe6e8a5bdc8fac5f8" }, "hash", "its SHA-1" },
		{ { .hash = "1" }, "hash", "its SHA-1" },
		{ { .uri = "" }, "URI", "does not name its file" },
		{ { .uri = "NONE.XML" }, "URI", "is not in its folder" },
		{ { .uri = "../../README.TXT" }, "URI", "is not in its folder" },
		{ { .uri = "/etc/passwd" }, "URI", "is not in its folder" },
		{ { .unique_id = "" }, "uniqueId", "no uniqueId" },
		{ { .mime = "application/pdf" }, "mimeType", "a PDF of an exchange medium" },
		{ { .mime = "image/jpeg" }, "mimeType", "only CDA documents" },
		{ { .mime = "" }, "mimeType", "only CDA documents" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf metadata = { 0 };
		struct err err;
		struct xdm xdm;

		metadata_of(&cases[i].entry, 1, "", "", &metadata);
		if (read_medium(&xdm, buf_slice(&metadata), &err) == 0)
			fail_msg("case %zu should be refused", i);
		assert_int_equal(xdm.count, 0);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		assert_string_equal(err.where, cases[i].where);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("case %zu: got \"%s\", want \"%s\"", i, err.text, cases[i].said);
	}
}

static void a_cda_may_be_called_otherwise(void **state)
{
	static const char *const types[] = { "text/xml", "application/xml",
					     "application/xslt+xml" };

	(void)state;
	for (size_t i = 0; i < length_of(types); i++) {
		const struct entry entry = { .mime = types[i] };
		scoped(buf_done) struct buf metadata = { 0 };
		struct err err;
		struct xdm xdm;

		metadata_of(&entry, 1, "", "", &metadata);
		if (read_medium(&xdm, buf_slice(&metadata), &err) < 0)
			fail_msg("%s: %s", types[i], err.text);
		assert_int_equal(xdm.count, 1);
		xdm_done(&xdm);
	}
}

static void one_file_is_one_document(void **state)
{
	static const struct entry entries[] = { { 0 }, { .id = "D2", .unique_id = "1.2.4" } };
	scoped(buf_done) struct buf metadata = { 0 };
	struct err err;
	struct xdm xdm;

	(void)state;
	metadata_of(entries, 2, "", "", &metadata);
	assert_int_equal(read_medium(&xdm, buf_slice(&metadata), &err), -1);
	assert_non_null(strstr(err.text, "document 2: METADATA.XML names its file twice"));
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "not XML" },
		{ "<a", "not XML" },
		{ "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>", "not XML, or has a DOCTYPE" },
		{ "<a/>", "no SubmitObjectsRequest" },
		{ "<RegistryObjectList/>", "no SubmitObjectsRequest" }, /* of no namespace */
		{ "<a><RegistryObjectList xmlns=\"" RIM "\"/></a>", "names no document" },
		{ "<a><b><c><d><RegistryObjectList xmlns=\"" RIM "\"/></d></c></b></a>",
		  "no SubmitObjectsRequest" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err;
		struct xdm xdm;

		assert_int_equal(read_medium(&xdm, slice_of(cases[i].text), &err), -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("case %zu: got \"%s\", want \"%s\"", i, err.text, cases[i].said);
	}
}

static void an_archive_that_is_no_medium_is_refused(void **state)
{
	const struct zip_entry files[] = {
		{ .name = bytes_of("METADATA.XML"), .bytes = bytes_of("<a/>") },
		{ .name = bytes_of("IHE_XDM/METADATA.XML"), .bytes = bytes_of("<a/>") },
		{ .name = bytes_of("IHE_XDM//METADATA"), .bytes = bytes_of("<a/>") },
	};
	struct err err;
	struct xdm xdm;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		scoped(buf_done) struct buf archive = { 0 };

		zip_make(&files[i], 1, &archive);
		assert_int_equal(xdm_read(&xdm, buf_slice(&archive), &limits, &arena, &err), -1);
		assert_non_null(strstr(err.text, "no exchange medium"));
	}
	assert_int_equal(xdm_read(&xdm, slice_of("<a/>"), &limits, &arena, &err), -1);
	assert_non_null(strstr(err.text, "not a zip archive"));
}

static void a_medium_has_so_many_documents_at_most(void **state)
{
	scoped(buf_done) struct buf metadata = { 0 }, archive = { 0 };
	struct zip_entry files[XDM_DOCUMENTS_MOST + 2];
	struct entry entries[XDM_DOCUMENTS_MOST + 1];
	struct err err;
	struct xdm xdm;

	(void)state;
	for (size_t i = 0; i < length_of(entries); i++) {
		const char *file = arena_printf(&arena, "D%zu", i);

		entries[i] = (struct entry){ .uri = file,
					     .unique_id = arena_printf(&arena, "1.2.%zu", i) };
		files[i] = (struct zip_entry){
			.name = slice_of(arena_printf(&arena, "IHE_XDM/SUBSET01/%s", file)),
			.bytes = bytes_of(CONTENT),
		};
	}
	for (size_t count = XDM_DOCUMENTS_MOST; count <= length_of(entries); count++) {
		buf_clear(&metadata);
		buf_clear(&archive);
		metadata_of(entries, count, "", "", &metadata);
		files[length_of(entries)] =
			(struct zip_entry){ .name = bytes_of("IHE_XDM/SUBSET01/METADATA.XML"),
					    .bytes = buf_slice(&metadata) };
		zip_make(files, length_of(files), &archive);
		if (count == XDM_DOCUMENTS_MOST) {
			assert_int_equal(xdm_read(&xdm, buf_slice(&archive), &limits, &arena, &err),
					 0);
			assert_int_equal(xdm.count, count);
			xdm_done(&xdm);
		} else {
			assert_int_equal(xdm_read(&xdm, buf_slice(&archive), &limits, &arena, &err),
					 -1);
			assert_int_equal(err.reason, REASON_TOO_LARGE);
		}
	}
}

#define test(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(documents_come_with_what_is_said_of_them),
		test(sender_is_a_person_or_nobody),
		test(a_folder_may_stand_before_the_submission_set),
		test(what_metadata_says_must_be_so),
		test(a_cda_may_be_called_otherwise),
		test(one_file_is_one_document),
		test(what_is_no_request_is_refused),
		test(an_archive_that_is_no_medium_is_refused),
		test(a_medium_has_so_many_documents_at_most),
	};

	cda_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
