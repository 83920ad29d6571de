/* Asking for the entry of a document of ours. Any thread. */
#include "dmp/find.h"

#include "base/xml.h"

#define QUERY "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
#define RIM "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define GET_DOCUMENTS "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"

/* A string of the query language stands in apostrophes; one inside is doubled (ITI TF-2,
 * 3.18.4.1.2.3.5). */
static void literal(const char *text, struct buf *out)
{
	scoped(buf_done) struct buf quoted = { 0 };

	for (; *text; text++) {
		buf_add_char(&quoted, *text);
		if (*text == '\'')
			buf_add_char(&quoted, '\'');
	}
	buf_add_text(out, "('");
	xml_add(out, quoted.p);
	buf_add_text(out, "')");
}

void find_build(const char *unique_id, struct buf *out)
{
	buf_add_text(out, "<query:AdhocQueryRequest xmlns:query=\"" QUERY "\" xmlns=\"" RIM "\">"
			  "<query:ResponseOption returnComposedObjects=\"true\" "
			  "returnType=\"ObjectRef\"/><AdhocQuery id=\"" GET_DOCUMENTS "\">"
			  "<Slot name=\"$XDSDocumentEntryUniqueId\"><ValueList><Value>");
	literal(unique_id, out);
	buf_add_text(out, "</Value></ValueList></Slot></AdhocQuery></query:AdhocQueryRequest>");
}

int find_read(const struct reply *reply, const char **ret_entry, struct err *err)
{
	if (reply->object_count == 0)
		return 0;
	if (reply->object_count > 1)
		return err_set(err, ERR_REJECT,
			       "the DMP knows %zu entries under one identifier: none is taken",
			       reply->object_count);
	if (!slice_starts(slice_of(reply->object), "urn:uuid:"))
		return err_set(err, ERR_REJECT,
			       "the DMP names an entry by something else than a urn:uuid:");
	*ret_entry = reply->object;
	return 1;
}
