/* A text of somebody else's, whatever is in it, where we write it down for others: what comes out is XML, YAML, a
 * line of syslog, a table, and says the text where it can be said.
 */
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/syslog.h"
#include "base/xml.h"
#include "base/yaml_tree.h"
#include "hl7/charset.h"
#include "intake/explanation.h"
#include "status/html.h"
#include "status/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void add_fn(struct buf *out, const char *text);

/* As an attribute and as content it reads the same. */
static void write_xml(const char *text, add_fn *add_attribute, add_fn *add_text)
{
	scoped(buf_done) struct buf out = { 0 };
	xmlChar *attribute, *content;
	xmlDoc *doc;

	buf_add_text(&out, "<a b=\"");
	add_attribute(&out, text);
	buf_add_text(&out, "\">");
	add_text(&out, text);
	buf_add_text(&out, "</a>");
	doc = xmlReadMemory(out.p, (int)out.n, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_HUGE);
	if (doc == NULL)
		abort();
	attribute = xmlGetNoNsProp(xmlDocGetRootElement(doc), (const xmlChar *)"b");
	content = xmlNodeGetContent(xmlDocGetRootElement(doc));
	if (!xmlStrEqual(attribute, content) || !charset_is_utf8(slice_of((char *)content)))
		abort();
	xmlFree(attribute);
	xmlFree(content);
	xmlFreeDoc(doc);
}

static void write_html(const char *text)
{
	scoped(buf_done) struct buf out = { 0 };

	html_add(&out, text);
	if (out.n > 0 && strpbrk(out.p, "<>\"") != NULL)
		abort();
}

static void complain(void *arg, struct yaml_place place, const char *sentence)
{
	(void)arg, (void)place, (void)sentence;
	abort();
}

static void write_yaml(const char *text)
{
	struct err err = { .kind = ERR_REJECT };
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf out = { 0 };
	const struct yaml_tree *tree, *file;

	snprintf(err.text, sizeof(err.text), "%s", text);
	explanation_open(text, 0, &out);
	explanation_add(&err, &out);
	if (out.n > YAML_TREE_BYTES)
		return;
	tree = yaml_tree_read(buf_slice(&out), &arena, complain, NULL);
	file = yaml_tree_find(tree, slice_of("file"));
	if (file == NULL || (charset_is_utf8(slice_of(text)) && !slice_is(file->text, text)))
		abort();
}

static void write_syslog(const char *text)
{
	const struct syslog_param param = { "words", text };
	const struct syslog_message message = { .facility = 10,
						.severity = SYSLOG_NOTICE,
						.host = "gw",
						.app = "a",
						.id = "i",
						.element = "e@1",
						.params = &param,
						.param_count = 1,
						.text = text };
	scoped(buf_done) struct buf out = { 0 };
	struct slice line, count;
	uint64_t bytes;

	syslog_add(&message, SYSLOG_LEAST_BYTES, &out);
	line = buf_slice(&out);
	if (!slice_next(&line, ' ', &count) || !slice_to_u64(count, SYSLOG_LEAST_BYTES, &bytes) ||
	    line.n != bytes || !charset_is_utf8(line))
		abort();
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			abort();
}

/* A cell begins no formula; an apostrophe may stand before it. */
static void write_sheet(const char *text)
{
	scoped(buf_done) struct buf out = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct sheet sheet = { .out = &out, .decimal = ',' };
	struct csv csv;
	struct err err;

	sheet_begin(&sheet, (const char *const[]){ "first", "second", NULL });
	sheet_text(&sheet, text);
	sheet_text(&sheet, "end");
	sheet_end_line(&sheet);
	if (out.n > CSV_BYTES || csv_parse_sheet(&csv, "t.csv", buf_slice(&out), &arena, &err) < 0)
		return;
	if (csv_next(&csv, &err) == 1 &&
	    (strcmp(csv.fields[1], "end") != 0 ||
	     (csv.fields[0][0] != '\0' && strchr("=+-@\t\r", csv.fields[0][0]) != NULL)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(free_ptr) char *text = slice_dup((struct slice){ (const char *)data, size });

	write_xml(text, xml_add, xml_add);
	write_xml(text, xml_add_canonical_attribute, xml_add_canonical_text);
	write_html(text);
	write_yaml(text);
	write_syslog(text);
	write_sheet(text);
	return 0;
}
