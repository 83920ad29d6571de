/* From a document and its metadata to the bytes of a request. */
#include "assemble.h"

#include <stdio.h>

#include "base/clock.h"
#include "dmp/delete.h"
#include "dmp/existence.h"
#include "dmp/find.h"
#include "dmp/mtom.h"

/* Under the installation's OID, the unique ids of submission sets: a document that was sent and is
 * deleted later needs two. */
enum { SET_ARC = 1, DELETION_ARC = 4 };

/* One request being made. */
struct making {
	const struct assembly *assembly;
	struct metadata metadata;
	struct arena arena;
	char message_id[UUID_TEXT];
	struct buf *content_type, *out;
};

static void making_done(struct making *making)
{
	arena_done(&making->arena);
}

const char *assemble_url(const struct config_establishment *establishment, enum transaction request)
{
	switch (request) {
	case TRANSACTION_EXISTENCE:
		return establishment->url_patients;
	case TRANSACTION_SUBMIT:
		return establishment->url_repository;
	case TRANSACTION_FIND:
	case TRANSACTION_DELETE:
		return establishment->url_registry;
	case TRANSACTION_COUNT:
		break;
	}
	return "";
}

static void open_envelope(struct making *making)
{
	const struct assembly *assembly = making->assembly;
	bool to_is_empty = strcmp(assembly->establishment->wsa_to, "empty") == 0;
	const struct soap_header header = {
		.message_id = making->message_id,
		.to = to_is_empty ? "" : assemble_url(assembly->establishment, assembly->request),
		.action = soap_action(assembly->request),
	};

	soap_open(&header, making->out);
}

static struct submission submission_of(struct making *making)
{
	const struct assembly *assembly = making->assembly;
	const char *root = assembly->config->lps_oid;
	int arc = assembly->request == TRANSACTION_DELETE ? DELETION_ARC : SET_ARC;
	char number[ULID_DECIMAL];

	return (struct submission){
		.metadata = &making->metadata,
		.set_unique_id = arena_printf(&making->arena, "%s.%d.%s", root, arc,
					      ulid_decimal(&assembly->doc, number)),
		.source_id = root,
		.now_ms = clock_now_ms(),
		.document_cid = MTOM_DOCUMENT_ID,
		.replaced_entry = assembly->entry,
		.replacement_has_status = assembly->config->replacement_has_status,
	};
}

static void make_submission(struct making *making)
{
	const char *action = soap_action(TRANSACTION_SUBMIT);
	const struct submission submission = submission_of(making);
	char boundary[MTOM_BOUNDARY];
	uint8_t chance[16];

	random_bytes(chance, sizeof(chance));
	mtom_boundary(chance, boundary);
	mtom_content_type(boundary, action, making->content_type);

	mtom_open_root(boundary, action, making->out);
	open_envelope(making);
	submission_build(&submission, making->out);
	soap_close(making->out);
	mtom_open_part(boundary, MTOM_DOCUMENT_ID, making->out);
	buf_add(making->out, making->assembly->document);
	mtom_close(boundary, making->out);
}

static void add_existence(struct making *making)
{
	const struct config *config = making->assembly->config;
	char message[UUID_TEXT], query[UUID_TEXT];
	const struct existence_request request = {
		.ins = making->metadata.patient_ins,
		.ins_oid = making->metadata.patient_ins_oid,
		.gateway_oid = config->lps_oid,
		.software = config->lps_name,
		.processing_code = config->processing_code,
		.message_uuid = uuid_new(message),
		.query_uuid = uuid_new(query),
		.now_ms = clock_now_ms(),
	};

	existence_build(&request, making->out);
}

/* The document to find: the one that this one replaces or, for a deletion, itself. */
static void add_find(struct making *making)
{
	const struct metadata *metadata = &making->metadata;

	find_build(metadata->action == ACTION_DELETE ? metadata->unique_id : metadata->replaces,
		   making->out);
}

static void add_delete(struct making *making)
{
	const struct deletion deletion = {
		.set = submission_of(making),
		.entry = making->assembly->entry,
		.archived = making->assembly->archived,
	};

	delete_build(&deletion, making->out);
}

static void make_plain(struct making *making)
{
	static void (*const add[TRANSACTION_COUNT])(struct making * making) = {
		[TRANSACTION_EXISTENCE] = add_existence,
		[TRANSACTION_FIND] = add_find,
		[TRANSACTION_DELETE] = add_delete,
	};

	soap_content_type(soap_action(making->assembly->request), making->content_type);
	open_envelope(making);
	add[making->assembly->request](making);
	soap_close(making->out);
}

int assemble(const struct assembly *assembly, struct buf *content_type, struct buf *out,
	     struct err *err)
{
	scoped(making_done) struct making making = {
		.assembly = assembly,
		.content_type = content_type,
		.out = out,
	};

	if (metadata_parse(&making.metadata, assembly->metadata, &making.arena, err) < 0)
		return -1;
	uuid_new(making.message_id);
	if (assembly->request == TRANSACTION_SUBMIT)
		make_submission(&making);
	else
		make_plain(&making);
	if (assembly->ret_message_id != NULL)
		snprintf(assembly->ret_message_id, UUID_TEXT, "%s", making.message_id);
	return buf_check(out, "the request", err);
}
