/* From a document and its metadata to the bytes of a request. */
#include "outbound/assemble.h"

#include <stdio.h>

#include "dmp/delete.h"
#include "dmp/existence.h"
#include "dmp/find.h"
#include "dmp/mtom.h"

/* Under the installation's OID, the unique ids of submission sets, and of their signatures: a
 * document that was sent and is deleted later needs two sets. */
enum { SET_ARC = 1, SIGNATURE_ARC = 2, DELETION_ARC = 4 };

/* One request being made. */
struct making {
	const struct assembly *assembly;
	const struct metadata *metadata;
	const struct config_site *site;
	struct config_sender sender; /* who answers when no person asks */
	struct arena arena;
	char message_id[UUID_TEXT];
	struct buf assertion, signature; /* the VIHF and the XAdES */
	struct assembled *out;
};

static void making_done(struct making *making)
{
	arena_done(&making->arena);
	buf_done(&making->assertion);
	buf_done(&making->signature);
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

static const char *unique_id(struct making *making, int arc)
{
	char number[ULID_DECIMAL];

	return arena_printf(&making->arena, "%s.%d.%s", making->assembly->config->lps_oid, arc,
			    ulid_decimal(&making->assembly->doc, number));
}

/* ---- what is signed ---- */

/* A clock elsewhere is ahead of ours, or the document is dated from tomorrow: it goes when that
 * time has come. */
static int check_creation(const struct making *making, struct err *err)
{
	if (making->assembly->request != TRANSACTION_SUBMIT ||
	    making->metadata->creation_ms <= making->assembly->now_ms)
		return 0;
	err_set(err, ERR_RETRY,
		"the document says that it was made later than now: the DMP would refuse it; it is "
		"sent when that time has come");
	err->reason = REASON_RETRYING;
	return -1;
}

static int find_site(struct making *making, struct err *err)
{
	const char *finess_eg = making->metadata->site;

	if (config_establishment_of(making->assembly->config, finess_eg, &making->site) ==
	    making->assembly->establishment) {
		making->sender = config_sender_of(making->assembly->config, making->site,
						  making->assembly->source);
		return 0;
	}
	return err_refuse(err, REASON_FINESS_MISMATCH, "",
			  "site %s is no longer one of those that establishment %s sends for",
			  finess_eg, making->assembly->establishment->finess_ej);
}

/* ---- who asks ---- */

static const char *name_id(const struct making *making)
{
	const struct party *sender = &making->metadata->sender;

	return sender->is_system && making->sender.name_id[0] ? making->sender.name_id : sender->id;
}

static const char *subject_id(struct making *making)
{
	const struct party *sender = &making->metadata->sender;
	const struct config *config = making->assembly->config;

	if (!sender->is_system)
		return arena_printf(&making->arena, "%s%s%s", sender->given,
				    sender->given[0] ? " " : "", sender->family);
	if (making->sender.subject_id[0] != '\0')
		return making->sender.subject_id;
	return arena_printf(&making->arena, "%s, %s, %s", config->lps_name, config->lps_version,
			    making->site->metadata.name);
}

static int build_assertion(struct making *making, struct err *err)
{
	const struct assembly *assembly = making->assembly;
	const struct metadata *metadata = making->metadata;
	char id[UUID_TEXT];
	const struct vihf vihf = {
		.settings = &assembly->config->vihf,
		.id = uuid_new(id),
		.now_ms = assembly->now_ms,
		.name_id = name_id(making),
		.subject_id = subject_id(making),
		.structure = metadata->sender.institution_id,
		.sector = making->site->metadata.sector,
		.roles = making->sender.roles,
		.role_count = making->sender.role_count,
		.patient_ins = metadata->patient_ins,
		.patient_ins_oid = metadata->patient_ins_oid,
		.secret_connection = metadata->secret_connection,
	};

	return vihf_build(&vihf, assembly->pen, &making->assertion, err);
}

static int build_signature(struct making *making, struct err *err)
{
	const struct assembly *assembly = making->assembly;
	const struct xades xades = {
		.settings = &assembly->config->xades,
		.unique_id = unique_id(making, SIGNATURE_ARC),
		.set_unique_id = unique_id(making, SET_ARC),
		.document_unique_id = making->metadata->unique_id,
		.document = assembly->document,
		.now_ms = assembly->now_ms,
	};

	return xades_build(&xades, assembly->pen, &making->signature, err);
}

/* ---- the requests ---- */

static void open_envelope(struct making *making, struct buf *head)
{
	const struct assembly *assembly = making->assembly;
	bool to_is_empty = strcmp(assembly->establishment->wsa_to, "empty") == 0;
	const struct soap_header header = {
		.message_id = making->message_id,
		.to = to_is_empty ? "" : assemble_url(assembly->establishment, assembly->request),
		.action = soap_action(assembly->request),
		.security = buf_slice(&making->assertion),
	};

	soap_open(&header, head);
}

/* What the DMP finds by itself, for a platform that wants it said. */
static const char *document_hash(struct making *making)
{
	uint8_t digest[SHA1_BYTES];
	char text[2 * SHA1_BYTES + 1];

	if (!making->assembly->config->send_hash_size)
		return NULL;
	sha1(making->assembly->document, digest);
	return arena_dup(&making->arena, slice_of(hex(digest, sizeof(digest), text)));
}

static struct submission submission_of(struct making *making)
{
	const struct assembly *assembly = making->assembly;
	int arc = assembly->request == TRANSACTION_DELETE ? DELETION_ARC : SET_ARC;

	return (struct submission){
		.metadata = making->metadata,
		.set_unique_id = unique_id(making, arc),
		.source_id = assembly->config->lps_oid,
		.document_cid = MTOM_DOCUMENT_ID,
		.document_hash = document_hash(making),
		.document_bytes = assembly->document.n,
		.signature_unique_id = unique_id(making, SIGNATURE_ARC),
		.signature_cid = MTOM_SIGNATURE_ID,
		.now_ms = assembly->now_ms,
		.replaced_entry = assembly->entry,
		.replacement_has_status = assembly->config->replacement_has_status,
	};
}

static void make_submission(struct making *making)
{
	const char *action = soap_action(TRANSACTION_SUBMIT);
	const struct submission submission = submission_of(making);
	struct buf *head = &making->out->head, *tail = &making->out->tail;
	char boundary[MTOM_BOUNDARY];
	uint8_t chance[16];

	random_bytes(chance, sizeof(chance));
	mtom_boundary(chance, boundary);
	mtom_content_type(boundary, action, &making->out->content_type);

	mtom_open_root(boundary, action, head);
	open_envelope(making, head);
	submission_build(&submission, head);
	soap_close(head);
	mtom_open_part(boundary, MTOM_DOCUMENT_ID, head);
	mtom_open_part(boundary, MTOM_SIGNATURE_ID, tail);
	buf_add(tail, buf_slice(&making->signature));
	mtom_close(boundary, tail);
}

static void add_existence(struct making *making, struct buf *out)
{
	const struct config *config = making->assembly->config;
	char message[UUID_TEXT], query[UUID_TEXT];
	const struct existence_request request = {
		.ins = making->metadata->patient_ins,
		.ins_oid = making->metadata->patient_ins_oid,
		.gateway_oid = config->lps_oid,
		.software = config->lps_name,
		.processing_code = config->processing_code,
		.message_uuid = uuid_new(message),
		.query_uuid = uuid_new(query),
		.now_ms = making->assembly->now_ms,
	};

	existence_build(&request, out);
}

/* The document to find: the one that this one replaces or, for a deletion, itself; unless the DMP has
 * it under another name.
 */
static void add_find(struct making *making, struct buf *out)
{
	const struct metadata *metadata = making->metadata;
	const char *target = slice_of(making->assembly->target).p;

	if (target[0] == '\0')
		target = metadata->action == ACTION_DELETE ? metadata->unique_id
							   : metadata->replaces;
	find_build(target, out);
}

static void add_delete(struct making *making, struct buf *out)
{
	const struct deletion deletion = {
		.set = submission_of(making),
		.entry = making->assembly->entry,
		.archived = making->assembly->archived,
	};

	delete_build(&deletion, out);
}

static void make_plain(struct making *making)
{
	static void (*const add[TRANSACTION_COUNT])(struct making * making, struct buf * out) = {
		[TRANSACTION_EXISTENCE] = add_existence,
		[TRANSACTION_FIND] = add_find,
		[TRANSACTION_DELETE] = add_delete,
	};

	struct buf *out = &making->out->head;

	soap_content_type(soap_action(making->assembly->request), &making->out->content_type);
	open_envelope(making, out);
	add[making->assembly->request](making, out);
	soap_close(out);
}

static int check_size(const struct making *making, struct err *err)
{
	const size_t most = making->assembly->establishment->most_submission_bytes;
	const bool carries = making->assembly->request == TRANSACTION_SUBMIT;
	const struct assembled *out = making->out;

	if (buf_check(&out->head, "the request", err) < 0 ||
	    buf_check(&out->tail, "the request", err) < 0)
		return -1;
	if (out->head.n + out->tail.n + (carries ? making->assembly->document.n : 0) <= most)
		return 0;
	return err_refuse(err, REASON_TOO_LARGE, "", "the request would pass %zu bytes", most);
}

void assembled_done(struct assembled *assembled)
{
	buf_done(&assembled->content_type);
	buf_done(&assembled->head);
	buf_done(&assembled->tail);
}

int assemble(const struct assembly *assembly, struct assembled *out, struct err *err)
{
	scoped(making_done) struct making making = {
		.assembly = assembly,
		.metadata = assembly->metadata,
		.out = out,
	};

	if (signer_is_valid(pen_signer(assembly->pen), assembly->now_ms, err) < 0 ||
	    check_creation(&making, err) < 0 || find_site(&making, err) < 0 ||
	    build_assertion(&making, err) < 0)
		return -1;
	if (assembly->request == TRANSACTION_SUBMIT && build_signature(&making, err) < 0)
		return -1;
	uuid_new(making.message_id);
	if (assembly->request == TRANSACTION_SUBMIT)
		make_submission(&making);
	else
		make_plain(&making);
	if (assembly->ret_message_id != NULL)
		snprintf(assembly->ret_message_id, UUID_TEXT, "%s", making.message_id);
	return check_size(&making, err);
}
