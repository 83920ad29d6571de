/* The canonical form of a document: the examples of the recommendation, what has none, and the
 * project's samples against libxml2's own canonicaliser.
 */
#include "sample.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>

#include "dmp/c14n.h"

static void append(void *arg, struct slice piece)
{
	buf_add(arg, piece);
}

static void assert_canonical(const char *document, const char *expected)
{
	scoped(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	if (c14n(slice_of(document), append, &out, &err) < 0)
		fail_msg("%s: %s", document, err.text);
	assert_string_equal(out.p, expected);
}

static void every_rule_of_the_recommendation_holds(void **state)
{
	static const char *const cases[][2] = {
		/* the declaration goes, empty elements get an end tag */
		{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>\n", "<a></a>" },
		{ "\xef\xbb\xbf<a ></a >", "<a></a>" },
		/* outside the root, what is kept stands on lines of its own */
		{ "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"d.xsl\"\n   type=\"t\" ?>"
		  "<!-- c --><a>b<!-- d --></a>\n<?without-data ?>\n\n<!-- e -->\n",
		  "<?xml-stylesheet href=\"d.xsl\"\n   type=\"t\" ?>\n<!-- c -->\n"
		  "<a>b<!-- d --></a>\n<?without-data?>\n<!-- e -->" },
		/* white space inside the root is kept, line ends are one character */
		{ "<a>\r\n <b>\t</b>\r</a>", "<a>\n <b>\t</b>\n</a>" },
		/* characters: references and CDATA are resolved, five are written in one way */
		{ "<a>&amp;&lt;&gt;&quot;&apos;&#xd;&#233;</a>",
		  "<a>&amp;&lt;&gt;\"'&#xD;\xc3\xa9</a>" },
		{ "<a><![CDATA[x<y & \"z\">]]></a>", "<a>x&lt;y &amp; \"z\"&gt;</a>" },
		{ "<a b='&amp;&lt;>&quot;\"&apos;&#9;&#10;&#13;'/>",
		  "<a b=\"&amp;&lt;>&quot;&quot;'&#x9;&#xA;&#xD;\"></a>" },
		{ "<a b=' x\ty\nz '/>", "<a b=\" x y z \"></a>" },
		{ "<?p x&amp;y?><a/>", "<?p x&amp;y?>\n<a></a>" },
		/* attributes by namespace, then by name, after the declarations by prefix */
		{ "<a xmlns:b='http://b' xmlns:a='http://a' b:attr='1' a:attr='2' c='3' a='4' "
		  "xmlns='http://d'/>",
		  "<a xmlns=\"http://d\" xmlns:a=\"http://a\" xmlns:b=\"http://b\" a=\"4\" c=\"3\" "
		  "a:attr=\"2\" b:attr=\"1\"></a>" },
		{ "<a xmlns:z='http://a' xmlns:b='http://b' b:x='1' z:y='2' xml:lang='fr'/>",
		  "<a xmlns:b=\"http://b\" xmlns:z=\"http://a\" z:y=\"2\" b:x=\"1\" "
		  "xml:lang=\"fr\"></a>" },
		/* a declaration that says nothing new goes; one that is not used stays */
		{ "<a xmlns='urn:x' xmlns:p='urn:p'><b xmlns='urn:x' xmlns:p='urn:q'><c "
		  "xmlns:p='urn:p'/></b></a>",
		  "<a xmlns=\"urn:x\" xmlns:p=\"urn:p\"><b xmlns:p=\"urn:q\"><c "
		  "xmlns:p=\"urn:p\"></c></b></a>" },
		{ "<a xmlns=''><b xmlns='urn:x'><c xmlns=''><d xmlns=''/></c></b></a>",
		  "<a><b xmlns=\"urn:x\"><c xmlns=\"\"><d></d></c></b></a>" },
		{ "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a></a>" },
		{ "<p:a xmlns:p='urn:p'><b/></p:a>", "<p:a xmlns:p=\"urn:p\"><b></b></p:a>" },
		/* a name again after its element ended */
		{ "<a><b xmlns:p='urn:p'/><b xmlns:p='urn:p'/></a>",
		  "<a><b xmlns:p=\"urn:p\"></b><b xmlns:p=\"urn:p\"></b></a>" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_canonical(cases[i][0], cases[i][1]);
}

static void what_has_no_canonical_form_is_refused(void **state)
{
	static const struct {
		const char *document;
		enum reason reason;
		const char *text;
	} cases[] = {
		{ "", REASON_DOCUMENT_INVALID, "not well-formed" },
		{ "<a>", REASON_DOCUMENT_INVALID, "not well-formed at line 1" },
		{ "<a/>x", REASON_DOCUMENT_INVALID, "not well-formed at line 1" },
		{ "<p:a/>", REASON_DOCUMENT_INVALID, "not well-formed at line 1" },
		{ "<!DOCTYPE a><a/>", REASON_DOCUMENT_INVALID, "it declares a DTD" },
		{ "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", REASON_DOCUMENT_INVALID, "a DTD" },
		{ "<a xmlns='relative'/>", REASON_DOCUMENT_INVALID, "by a relative URI" },
		{ "<a xmlns:p='../x'/>", REASON_DOCUMENT_INVALID, "by a relative URI" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { 0 };
		struct err err = { 0 };

		assert_int_equal(c14n(slice_of(cases[i].document), append, &out, &err), -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, cases[i].reason);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("\"%s\" expected, got \"%s\"", cases[i].text, err.text);
	}
}

/* <a><a>… and as many ends */
static void nested(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_addf(out, "<a xmlns:p%u=\"urn:%u\">", i, i);
	for (unsigned i = 0; i < depth; i++)
		buf_add_text(out, "</a>");
}

static void elements_may_be_nested_to_a_depth(void **state)
{
	scoped(buf_done) struct buf deep = { 0 }, deeper = { 0 }, out = { 0 };
	struct err err = { 0 };

	(void)state;
	nested(256, &deep);
	nested(257, &deeper);
	assert_canonical(deep.p, deep.p);
	assert_int_equal(c14n(buf_slice(&deeper), append, &out, &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

static void assert_as_libxml2(struct slice document)
{
	scoped(buf_done) struct buf ours = { 0 };
	xmlDoc *doc = xmlReadMemory(document.p, (int)document.n, NULL, NULL, XML_PARSE_NONET);
	xmlChar *theirs = NULL;
	struct err err = { 0 };
	int n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &theirs);

	if (c14n(document, append, &ours, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(slice_equal(buf_slice(&ours), (struct slice){ (char *)theirs, (size_t)n }));
	xmlFree(theirs);
	xmlFreeDoc(doc);
}

static void samples_come_out_as_from_a_tree(void **state)
{
	static const char *const samples[] = {
		"consultation-note-prefixed.xml", "discharge-letter-bom.xml", "imaging-report.xml",
		"laboratory-report-pdf.xml",      "self-presentable.xml",     "prescription.xml",
	};

	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf document = { 0 };

		sample_read(samples[i], &document);
		assert_as_libxml2(buf_slice(&document));
	}
}

/* Wherever the parser's buffer and ours are full, nothing is lost. */
static void texts_of_any_length_come_through(void **state)
{
	(void)state;
	for (size_t n = 1; n < 300000; n = n * 3 + 1) {
		scoped(buf_done) struct buf document = { 0 };

		buf_add_text(&document, "<a>");
		for (size_t i = 0; i < n; i++)
			buf_add_text(&document, i % 7 ? "A" : i % 2 ? "&amp;" : "\xc3\xa9");
		buf_add_text(&document, "</a>");
		assert_as_libxml2(buf_slice(&document));
	}
}

static void the_digest_is_that_of_the_text(void **state)
{
	uint8_t got[DIGEST_MOST], expected[DIGEST_MOST];
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(c14n_digest(slice_of("<a/>"), DIGEST_SHA1, got, &n, &err), 0);
	sha1(slice_of("<a></a>"), expected);
	assert_int_equal(n, SHA1_BYTES);
	assert_memory_equal(got, expected, SHA1_BYTES);
	assert_int_equal(c14n_digest(slice_of("<a/>"), DIGEST_SHA256, got, &n, &err), 0);
	sha256(slice_of("<a></a>"), expected);
	assert_int_equal(n, SHA256_BYTES);
	assert_memory_equal(got, expected, SHA256_BYTES);
	assert_int_equal(c14n_digest(slice_of("<a"), DIGEST_SHA1, got, &n, &err), -1);
}

/* Everything that a canonical form changes, and some that it keeps. */
static const char known[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<?xml-stylesheet href=\"cda.xsl\"  type=\"text/xsl\"?>\n"
	"<!-- fait \xc3\xa0 l'h\xc3\xb4pital -->\n"
	"<ClinicalDocument xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	"xmlns=\"urn:hl7-org:v3\">\r\n"
	"  <id root=\"1.2.250.1.999.77.5.1\"/>\n"
	"  <title a='1' B=\"&lt;2&gt;\">Compte rendu d&apos;acte &amp; suites</title><!-- fin -->\n"
	"</ClinicalDocument>\n"
	"<!-- apr\xc3\xa8s -->\n";

/* What another canonicaliser (lxml) and another digest (Python's) gave, once. */
static void the_digests_of_a_known_document_are_these(void **state)
{
	static const struct {
		enum digest_kind kind;
		const char *base64;
	} answers[] = {
		{ DIGEST_SHA1, "8WcRrKdfQco426lq5Bytht5Astk=" },
		{ DIGEST_SHA256, "7e1RybZMledctaWEwB8rLhb0fVibd2f2aHuGZY51wow=" },
	};

	(void)state;
	assert_canonical(known,
			 "<?xml-stylesheet href=\"cda.xsl\"  type=\"text/xsl\"?>\n"
			 "<!-- fait \xc3\xa0 l'h\xc3\xb4pital -->\n"
			 "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" "
			 "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
			 "  <id root=\"1.2.250.1.999.77.5.1\"></id>\n"
			 "  <title B=\"&lt;2>\" a=\"1\">Compte rendu d'acte &amp; suites</title>"
			 "<!-- fin -->\n"
			 "</ClinicalDocument>\n"
			 "<!-- apr\xc3\xa8s -->");
	for (size_t i = 0; i < length_of(answers); i++) {
		scoped(buf_done) struct buf base64 = { 0 };
		uint8_t digest[DIGEST_MOST];
		struct err err = { 0 };
		size_t n;

		assert_int_equal(c14n_digest(slice_of(known), answers[i].kind, digest, &n, &err),
				 0);
		base64_encode((struct slice){ (char *)digest, n }, &base64);
		assert_string_equal(base64.p, answers[i].base64);
	}
}

/* The canonical form by libxml2; NULL: it has none. */
static char *by_libxml2(struct slice document)
{
	xmlDoc *doc = xmlReadMemory(document.p, (int)document.n, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlChar *text = NULL;
	char *copy;
	int n = doc ? xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &text) : -1;

	xmlFreeDoc(doc);
	copy = n >= 0 ? slice_dup((struct slice){ (char *)text, (size_t)n }) : NULL;
	xmlFree(text);
	return copy;
}

/* Each byte of it, and each bit of the byte: another digest or none, unless the change is one that
 * says nothing (the quote around an attribute, the declaration), as libxml2 sees it.
 */
static void a_byte_that_changes_the_document_changes_its_digest(void **state)
{
	scoped(free_ptr) char *original = by_libxml2(slice_of(known)), *copy = xstrdup(known);
	uint8_t before[DIGEST_MOST], after[DIGEST_MOST];
	size_t n, changed = 0, refused = 0, same = 0;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(c14n_digest(slice_of(known), DIGEST_SHA1, before, &n, &err), 0);
	for (size_t bit = 0; bit < 8 * strlen(known); bit++) {
		scoped(free_ptr) char *theirs = NULL;

		copy[bit / 8] ^= (char)(1 << bit % 8);
		theirs = by_libxml2((struct slice){ copy, strlen(known) });
		if (c14n_digest((struct slice){ copy, strlen(known) }, DIGEST_SHA1, after, &n,
				&err) < 0)
			refused++;
		else if (memcmp(before, after, n) != 0)
			changed++;
		else if (theirs != NULL && strcmp(theirs, original) == 0)
			same++;
		else
			fail_msg("bit %zu goes unnoticed: %.40s", bit, copy + bit / 8);
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(changed > 1000 && refused > 1000);
	assert_true(same < 100);
}

static void say_nothing(void *arg, xmlErrorPtr error)
{
	(void)arg, (void)error;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_recommendation_holds),
		cmocka_unit_test(what_has_no_canonical_form_is_refused),
		cmocka_unit_test(elements_may_be_nested_to_a_depth),
		cmocka_unit_test(samples_come_out_as_from_a_tree),
		cmocka_unit_test(texts_of_any_length_come_through),
		cmocka_unit_test(the_digest_is_that_of_the_text),
		cmocka_unit_test(the_digests_of_a_known_document_are_these),
		cmocka_unit_test(a_byte_that_changes_the_document_changes_its_digest),
	};
	int failed;

	xmlInitParser();
	xmlSetStructuredErrorFunc(NULL, say_nothing); /* of what must fail */
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xmlCleanupParser();
	return failed;
}
