/* The MTOM frame: exact when written, patient when read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dmp/mtom.h"

#define ACTION "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
#define RELATED "multipart/related; boundary=\"b1\"; start=\"<root@x>\""

static void a_boundary_is_made_of_the_chance_given(void **state)
{
	static const uint8_t chance[16] = { 0x5f, 0x1c, 0x77, [15] = 0xff };
	char boundary[MTOM_BOUNDARY];

	(void)state;
	assert_string_equal(mtom_boundary(chance, boundary),
			    "dmpfeed-5f1c77000000000000000000000000ff");
}

static void the_content_type_is_exact_and_on_one_line(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	mtom_content_type("b1", ACTION, &out);
	assert_string_equal(out.p,
			    "multipart/related; boundary=\"b1\"; type=\"application/xop+xml\"; "
			    "start=\"<root@dmpfeed>\"; start-info=\"application/soap+xml\"; "
			    "action=\"" ACTION "\"");
}

static void frame(const char *document, struct buf *out)
{
	mtom_open_root("b1", ACTION, out);
	buf_add_text(out, "<soap:Envelope/>");
	mtom_open_part("b1", MTOM_DOCUMENT_ID, out);
	buf_add_text(out, document);
	mtom_close("b1", out);
}

static void the_frame_is_exact(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	frame("<ClinicalDocument/>\n", &out);
	assert_string_equal(out.p, "--b1\r\n"
				   "Content-Type: application/xop+xml; charset=UTF-8; "
				   "type=\"application/soap+xml\"; action=\"" ACTION "\"\r\n"
				   "Content-Transfer-Encoding: binary\r\n"
				   "Content-ID: <root@dmpfeed>\r\n\r\n"
				   "<soap:Envelope/>\r\n"
				   "--b1\r\n"
				   "Content-Type: text/xml; charset=UTF-8\r\n"
				   "Content-Transfer-Encoding: binary\r\n"
				   "Content-ID: <document1@dmpfeed>\r\n\r\n"
				   "<ClinicalDocument/>\n\r\n"
				   "--b1--\r\n");
}

static void what_we_write_we_can_read(void **state)
{
	scoped(buf_done) struct buf type = { 0 }, out = { 0 };
	struct slice root;
	struct err err;

	(void)state;
	mtom_content_type("b1", ACTION, &type);
	frame("\r\n--b1x\r\n--b", &out);
	assert_int_equal(mtom_root(buf_slice(&type), buf_slice(&out), &root, &err), 0);
	assert_true(slice_is(root, "<soap:Envelope/>"));
	assert_ptr_equal(root.p, strstr(out.p, "<soap:"));
}

static void anything_but_multipart_is_its_own_root(void **state)
{
	static const char *const types[] = { "application/soap+xml; charset=UTF-8", "text/html", "",
					     "multipar", NULL };

	(void)state;
	for (size_t i = 0; i < length_of(types); i++) {
		struct slice root;
		struct err err;
		struct slice type = types[i] ? slice_of(types[i]) : (struct slice){ 0 };

		assert_int_equal(mtom_root(type, slice_of("<a/>"), &root, &err), 0);
		assert_true(slice_is(root, "<a/>"));
	}
}

struct reading {
	const char *type, *body;
	const char *root; /* NULL: not a frame */
};

static void assert_readings(const struct reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slice root;
		struct err err = { 0 };
		int got = mtom_root(slice_of(readings[i].type), slice_of(readings[i].body), &root,
				    &err);

		if (readings[i].root == NULL) {
			assert_int_equal(got, -1);
			assert_int_equal(err.kind, ERR_RETRY);
			assert_true(err.text[0] != '\0');
		} else {
			assert_int_equal(got, 0);
			assert_true(slice_is(root, readings[i].root));
		}
	}
}

#define PART(id, content) "--b1\r\nContent-ID: " id "\r\n\r\n" content "\r\n"

static void the_root_is_the_part_that_start_names(void **state)
{
	static const struct reading readings[] = {
		{ RELATED, PART("<root@x>", "R") PART("<d@x>", "D") "--b1--", "R" },
		{ RELATED, PART("<d@x>", "D") PART("<root@x>", "R") "--b1--", "R" },
		{ RELATED, PART("root@x", "R") "--b1--\r\n", "R" },
		{ "multipart/related; boundary=b1; start=root@x",
		  PART("<d>", "D") PART("<root@x>", "R") "--b1--", "R" },
		/* without a start, and with one that names nobody: the first */
		{ "multipart/related; boundary=b1", PART("<d@x>", "D") PART("<e@x>", "E") "--b1--",
		  "D" },
		{ RELATED, PART("<d@x>", "D") PART("<e@x>", "E") "--b1--", "D" },
	};

	(void)state;
	assert_readings(readings, length_of(readings));
}

static void the_content_type_is_read_as_mime_writes_it(void **state)
{
	static const char body[] = PART("<root@x>", "R") "--b1--";
	static const struct reading readings[] = {
		{ "Multipart/Related;BOUNDARY=b1", body, "R" },
		{ "  multipart/related ;\tboundary = \"b1\" ", body, "R" },
		{ "multipart/related; type=\"a;boundary=no\"; boundary=b1", body, "R" },
		{ "multipart/related; type=\"a\\\"; boundary=no\"; boundary=b1", body, "R" },
		{ "multipart/related; flag; boundary=b1;", body, "R" },
		{ "multipart/mixed; boundary=\"b1\"; boundary", body, "R" },
		{ "multipart/related", body, NULL },
		{ "multipart/related; boundary=", body, NULL },
		{ "multipart/related; boundary=\"", body, NULL },
		{ "multipart/related; boundary=\"\\", body, NULL },
		{ "multipart/related; boundary=b2", body, NULL },
		{ "multipart/related; boundary="
		  "12345678901234567890123456789012345678901234567890123456789012345678901",
		  body, NULL },
	};

	(void)state;
	assert_readings(readings, length_of(readings));
}

static void a_frame_may_be_written_less_well_than_ours(void **state)
{
	static const struct reading readings[] = {
		{ RELATED, "preamble\r\n" PART("<root@x>", "R") "--b1--\r\nepilogue", "R" },
		{ RELATED, "--b1\nContent-ID: <root@x>\n\n<a/>\n--b1--\n", "<a/>" },
		{ RELATED, "--b1 \t\r\nContent-ID: <root@x>\r\n\r\nR\r\n--b1--", "R" },
		{ RELATED, "--b1\r\ncontent-id:<root@x>\r\n\r\nR\r\n--b1\r\n", "R" },
		{ RELATED, "--b1\r\n\r\nR\r\n--b1--", "R" },         /* no headers */
		{ RELATED, "--b1\r\n--b1\r\n\r\nR\r\n--b1--", "R" }, /* an empty part */
		{ RELATED, PART("<root@x>", "R\r\n--b1x\r\nS") "--b1--", "R\r\n--b1x\r\nS" },
		{ RELATED, PART("<root@x>", "R --b1--\r\nS") "--b1--", "R --b1--\r\nS" },
		{ RELATED, PART("<root@x>", "R\n") "--b1--", "R\n" },
		{ RELATED, "", NULL },
		{ RELATED, "<a/>", NULL },
		{ RELATED, "--b1--", NULL },
		{ RELATED, "--b1\r\nContent-ID: <root@x>\r\n--b1--",
		  NULL }, /* headers without end */
	};

	(void)state;
	assert_readings(readings, length_of(readings));
}

static void a_frame_cut_before_its_root_ends_is_none(void **state)
{
	static const char whole[] = PART("<root@x>", "<a/>") "--b1--";
	const size_t needed = strlen(whole); /* both hyphens of the last line */

	(void)state;
	for (size_t n = 0; n <= needed; n++) {
		scoped(free_ptr) char *cut = slice_dup((struct slice){ whole, n });
		struct slice root;
		struct err err;
		int got = mtom_root(slice_of(RELATED), (struct slice){ cut, n }, &root, &err);

		assert_int_equal(got, n == needed ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boundary_is_made_of_the_chance_given),
		cmocka_unit_test(the_content_type_is_exact_and_on_one_line),
		cmocka_unit_test(the_frame_is_exact),
		cmocka_unit_test(what_we_write_we_can_read),
		cmocka_unit_test(anything_but_multipart_is_its_own_root),
		cmocka_unit_test(the_root_is_the_part_that_start_names),
		cmocka_unit_test(the_content_type_is_read_as_mime_writes_it),
		cmocka_unit_test(a_frame_may_be_written_less_well_than_ours),
		cmocka_unit_test(a_frame_cut_before_its_root_ends_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
