/* Which document somebody means. Worker. */
#include "operator/named.h"

#include "operator/answer.h"

struct found {
	struct ulid doc; /* the first */
	size_t count;
	struct buf all; /* "01J… (submit, delivered), …" */
};

static void add_found(void *arg, const struct store_row *row)
{
	struct found *found = arg;
	char doc[ULID_TEXT];

	if (found->count == 0)
		found->doc = row->doc;
	buf_addf(&found->all, "%s%s (%s, %s)", found->count > 0 ? ", " : "",
		 ulid_text(&row->doc, doc), row->action, doc_state_text(row->state));
	found->count++;
}

/* An id of ours has no dot, and the root of any other has one. */
static bool may_be_unique_id(const char *text)
{
	return strchr(text, '.') != NULL;
}

int named_document(struct store *reader, const json_t *asked, const char *text,
		   struct ulid *ret_doc, struct err *err)
{
	static const char urn[] = "urn:oid:";
	scoped(buf_done) struct buf all = { 0 };
	struct found found = { 0 };
	const char *unique_id = text;
	int rc;

	if (ulid_parse(slice_of(text), ret_doc))
		return 0;
	if (!may_be_unique_id(text))
		return answer_refuse(err, asked, FAULT_ID, text);
	if (strncmp(text, urn, sizeof(urn) - 1) == 0)
		unique_id += sizeof(urn) - 1;
	rc = store_list_unique(reader, unique_id, add_found, &found, err);
	all = found.all;
	if (rc < 0)
		return -1;
	if (found.count == 0)
		return answer_refuse(err, asked, FAULT_NO_UNIQUE_ID, unique_id);
	if (found.count > 1)
		return answer_refuse(err, asked, FAULT_SEVERAL, all.p);
	*ret_doc = found.doc;
	return 0;
}
