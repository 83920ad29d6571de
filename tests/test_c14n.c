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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_recommendation_holds),
		cmocka_unit_test(what_has_no_canonical_form_is_refused),
		cmocka_unit_test(elements_may_be_nested_to_a_depth),
		cmocka_unit_test(samples_come_out_as_from_a_tree),
		cmocka_unit_test(texts_of_any_length_come_through),
		cmocka_unit_test(the_digest_is_that_of_the_text),
	};
	int failed;

	xmlInitParser();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xmlCleanupParser();
	return failed;
}
