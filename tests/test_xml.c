/* Writing XML by hand: whatever the text, what is written is well-formed and reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libxml/parser.h>

#include "base/xml.h"

#define FFFD "\xef\xbf\xbd"

static void assert_written(const char *text, const char *expected)
{
	scoped(buf_done) struct buf out = { 0 };

	xml_add(&out, text);
	assert_string_equal(out.p ? out.p : "", expected);
}

static void what_means_something_to_xml_is_escaped(void **state)
{
	(void)state;
	assert_written("", "");
	assert_written("Gyn\xc3\xa9"
		       "cologie",
		       "Gyn\xc3\xa9"
		       "cologie");
	assert_written("a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c'");
	assert_written("]]>", "]]&gt;");
	assert_written("1\t2\n3\r4", "1&#9;2&#10;3&#13;4");
}

static void what_is_not_a_character_of_xml_is_replaced(void **state)
{
	static const char *const cases[][2] = {
		{ "\x01", FFFD },
		{ "a\x1f"
		  "b",
		  "a" FFFD "b" },
		{ "\xff", FFFD },
		{ "\x80", FFFD },                   /* a continuation that continues nothing */
		{ "\xc0\x80", FFFD FFFD },          /* NUL, written too long */
		{ "\xe0\x80\xaf", FFFD FFFD FFFD }, /* '/', written too long */
		{ "\xed\xa0\x80", FFFD },           /* half of a UTF-16 pair */
		{ "\xef\xbf\xbe", FFFD },           /* U+FFFE */
		{ "\xef\xbf\xbf", FFFD },           /* U+FFFF */
		{ "\xf4\x90\x80\x80", FFFD },       /* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD },
		{ "\xc3", FFFD },                  /* cut */
		{ "\xe2\x82", FFFD FFFD },         /* cut */
		{ "\xe2\x82<", FFFD FFFD "&lt;" }, /* cut, and what follows is not swallowed */
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, /* four bytes are as good as one */
		{ "\xef\xbf\xbd", FFFD },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_written(cases[i][0], cases[i][1]);
}

static void every_pair_of_bytes_gives_well_formed_xml(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	xmlDoc *doc;

	(void)state;
	buf_add_text(&out, "<a b=\"");
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			const char text[] = { (char)first, (char)second, '\0' };

			xml_add(&out, text);
		}
	}
	buf_add_text(&out, "\"/>");
	doc = xmlReadMemory(out.p, (int)out.n, NULL, NULL, XML_PARSE_NOERROR | XML_PARSE_NONET);
	assert_non_null(doc);
	xmlFreeDoc(doc);
}

static void an_attribute_reads_back_as_it_was(void **state)
{
	static const char text[] = "\t<&\">'\n \r\n\xe2\x82\xac";
	scoped(buf_done) struct buf out = { 0 };
	xmlChar *read;
	xmlDoc *doc;

	(void)state;
	buf_add_text(&out, "<a b=\"");
	xml_add(&out, text);
	buf_add_text(&out, "\"/>");
	doc = xmlReadMemory(out.p, (int)out.n, NULL, NULL, XML_PARSE_NONET);
	assert_non_null(doc);
	read = xmlGetProp(xmlDocGetRootElement(doc), BAD_CAST "b");
	assert_string_equal((const char *)read, text);
	xmlFree(read);
	xmlFreeDoc(doc);
}

static void canonical_text_and_attributes_each_have_their_form(void **state)
{
	static const char text[] = "a<b>&\"c'\td\ne\rf\x01";
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	xml_add_canonical_text(&out, text);
	assert_string_equal(out.p, "a&lt;b&gt;&amp;\"c'\td\ne&#xD;f" FFFD);
	buf_clear(&out);
	xml_add_canonical_attribute(&out, text);
	assert_string_equal(out.p, "a&lt;b>&amp;&quot;c'&#x9;d&#xA;e&#xD;f" FFFD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_to_xml_is_escaped),
		cmocka_unit_test(what_is_not_a_character_of_xml_is_replaced),
		cmocka_unit_test(every_pair_of_bytes_gives_well_formed_xml),
		cmocka_unit_test(an_attribute_reads_back_as_it_was),
		cmocka_unit_test(canonical_text_and_attributes_each_have_their_form),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
