/* From a document and its metadata to the bytes of the request that feeds it. */
#include "assemble.h"

#include "base/clock.h"
#include "dmp/mtom.h"
#include "dmp/soap.h"
#include "dmp/submission.h"

enum { SET_ARC = 1 }; /* under the installation's OID: unique ids of submission sets */

int assemble(const struct assembly *assembly, struct buf *content_type, struct buf *out,
	     struct err *err)
{
	const char *action = SOAP_ACTION_PROVIDE_AND_REGISTER;
	const char *url = assembly->establishment->url_repository;
	const char *root = assembly->config->lps_oid;
	bool to_is_empty = strcmp(assembly->establishment->wsa_to, "empty") == 0;
	char boundary[MTOM_BOUNDARY], message_id[UUID_TEXT], number[ULID_DECIMAL];
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;
	uint8_t chance[16];

	if (metadata_parse(&metadata, assembly->metadata, &arena, err) < 0)
		return -1;
	random_bytes(chance, sizeof(chance));
	mtom_boundary(chance, boundary);
	mtom_content_type(boundary, action, content_type);

	const struct soap_header header = {
		.message_id = uuid_new(message_id),
		.to = to_is_empty ? "" : url,
		.action = action,
	};
	const struct submission submission = {
		.metadata = &metadata,
		.set_unique_id = arena_printf(&arena, "%s.%d.%s", root, SET_ARC,
					      ulid_decimal(&assembly->doc, number)),
		.source_id = root,
		.now_ms = clock_now_ms(),
		.document_cid = MTOM_DOCUMENT_ID,
	};

	mtom_open_root(boundary, action, out);
	soap_open(&header, out);
	submission_build(&submission, out);
	soap_close(out);
	mtom_open_part(boundary, MTOM_DOCUMENT_ID, out);
	buf_add(out, assembly->document);
	mtom_close(boundary, out);
	return buf_check(out, "the request", err);
}
