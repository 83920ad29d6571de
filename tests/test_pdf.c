/* What a PDF claims to be, where PDF/A-1 lets it claim it. */
#include "sample.h"

#include "document/pdf.h"

#define XMP_HEAD "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><rdf:RDF>"
#define ATTRIBUTES "<rdf:Description pdfaid:part='1' pdfaid:conformance='B'/>"
#define ELEMENTS "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>"

/* A PDF whose metadata stream has this dictionary and content. */
#define PDF_WITH(dictionary, xmp)                                                                  \
	"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>\nendobj\n"           \
	"4 0 obj\n" dictionary "\nstream\n" XMP_HEAD xmp "\nendstream\nendobj\n"                   \
	"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
#define METADATA "<< /Type /Metadata /Subtype /XML /Length 9 >>"
#define PDF(xmp) PDF_WITH(METADATA, xmp)

static void claims_are_found_where_they_belong(void **state)
{
	static const struct {
		const char *what, *pdf;
		unsigned part;
		char conformance;
		bool encrypted, good;
	} rows[] = {
		{ "1b", PDF(ATTRIBUTES), 1, 'B', false, true },
		{ "1a as elements", PDF(ELEMENTS), 1, 'A', false, true },
		{ "2b", PDF("<x pdfaid:part=\"2\" pdfaid:conformance=\"B\"/>"), 2, 'B', false,
		  false },
		{ "no claim", PDF("<x/>"), 0, '\0', false, false },
		{ "part alone", PDF("<x pdfaid:part='1'/>"), 1, '\0', false, false },
		{ "lower case", PDF("<x pdfaid:part='1' pdfaid:conformance='b'/>"), 1, 'b', false,
		  false },
		{ "compressed",
		  PDF_WITH("<< /Type /Metadata /Subtype /XML /Filter /FlateDecode >>", ATTRIBUTES),
		  0, '\0', false, false },
		{ "another type", PDF_WITH("<< /Type /Metadata >>", ATTRIBUTES), 0, '\0', false,
		  false },
		{ "an update takes the claim back",
		  PDF(ATTRIBUTES) "1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R "
				  ">>\n",
		  0, '\0', false, false },
		{ "a claim beside the way",
		  "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n4 0 obj\n" METADATA
		  "\nstream\n" ATTRIBUTES "\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n",
		  0, '\0', false, false },
		{ "encrypted", PDF(ATTRIBUTES) "trailer\n<< /Root 1 0 R /Encrypt 9 0 R >>\n", 1,
		  'B', true, false },
		{ "encrypted in place", "%PDF-1.7\ntrailer\n<< /Encrypt << /V 4 >> >>\n", 0, '\0',
		  true, false },
		{ "a word", "%PDF-1.7\n(About /Encrypt and /EncryptMetadata true)\n", 0, '\0',
		  false, false },
		{ "object 14 is not 4",
		  "%PDF-1.4\n1 0 obj\n<< /Metadata 4 0 R >>\nendobj\n14 0 obj\n" METADATA
		  "\nstream\n" ATTRIBUTES "\nendstream\ntrailer\n<< /Root 1 0 R >>\n",
		  0, '\0', false, false },
		{ "numbers too large",
		  "%PDF-1.4\ntrailer\n<< /Root 99999999999999999999999 0 R >>\n", 0, '\0', false,
		  false },
		{ "nothing", "%PDF-", 0, '\0', false, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		const struct pdf pdf = pdf_look(slice_of(rows[i].pdf));

		if (pdf.pdfa_part != rows[i].part || pdf.pdfa_conformance != rows[i].conformance ||
		    pdf.encrypted != rows[i].encrypted || pdf_is_pdfa_1(&pdf) != rows[i].good)
			fail_msg("%s: part %u, conformance %c, encrypted %d", rows[i].what,
				 pdf.pdfa_part, pdf.pdfa_conformance, pdf.encrypted);
	}
}

/* Cut anywhere, a file is looked at and nothing beyond its end is. */
static void every_start_of_a_pdf_is_looked_at_safely(void **state)
{
	static const char whole[] = PDF(ATTRIBUTES);

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *start = slice_dup((struct slice){ whole, n });
		const struct pdf pdf = pdf_look((struct slice){ start, n });

		assert_true(!pdf_is_pdfa_1(&pdf) || n > sizeof(whole) / 2);
		free(start);
	}
}

enum { MANY = 20000 /* the address sanitizer looks at all that a search may see, each time */ };

static void a_file_made_to_be_slow_is_not(void **state)
{
	scoped(buf_done) struct buf roots = { 0 }, objects = { 0 };
	struct pdf pdf;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		buf_add_text(&roots, "/Root 1 0 R ");
	for (size_t i = 0; i < MANY; i++)
		buf_add_text(&objects, "1 0 obj /Metadata 1 0 R ");
	buf_add(&objects, slice_of("/Root 1 0 R"));
	pdf = pdf_look(buf_slice(&roots));
	assert_int_equal(pdf.pdfa_part, 0);
	pdf = pdf_look(buf_slice(&objects));
	assert_int_equal(pdf.pdfa_part, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_found_where_they_belong),
		cmocka_unit_test(every_start_of_a_pdf_is_looked_at_safely),
		cmocka_unit_test(a_file_made_to_be_slow_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
