/* What a message or a file is, and what becomes of it. Pure. */
#include "inbound/decide.h"

#include <endian.h>
#include <stdio.h>

#include "base/ulid.h"
#include "document/body.h"
#include "document/cda_build.h"
#include "document/content.h"
#include "document/pdf.h"
#include "document/traits.h"
#include "hl7/transmission.h"
#include "inbound/facts.h"
#include "inbound/policy.h"
#include "inbound/stays.h"

enum {
	CONTROL_ID_MOST = 199, /* characters: the longest identifier of the profile */
	HEADER_MOST = 4096,    /* bytes of an MSH */
};

void decision_done(struct decision *decision)
{
	for (size_t i = 0; i < length_of(decision->documents); i++) {
		buf_done(&decision->documents[i].body);
		buf_done(&decision->documents[i].metadata);
	}
	arena_done(&decision->arena);
}

/* What the message says beyond its document. */
static struct metadata_request request_of(const struct transmission *message)
{
	const struct transmission_sender *sender = &message->sender;
	struct metadata_request request = {
		.masked_from_professionals = message->flags[FLAG_MASQUE_PS],
		.invisible_to_patient = message->flags[FLAG_INVISIBLE_PATIENT],
		.invisible_to_guardians = message->flags[FLAG_INVISIBLE_REP_LEGAUX],
		.visibility_changes = message->flags[FLAG_MODIF_CONF_CODE],
		.visit_class = message->visit_class,
		.sender_id = sender->person_id,
		.sender_family = sender->person_family,
		.sender_given = sender->person_given,
		.sender_id_is_internal = strcmp(sender->person_id_type, "EI") == 0,
		.patient_ins = "",
		.patient_ins_oid = "",
		.patient_birth_date = message->birth_date,
		.patient_sex = message->sex,
	};

	for (size_t i = 0; i < message->id_count; i++) {
		if (ins_is_domain(message->ids[i].oid)) {
			request.patient_ins = message->ids[i].number;
			request.patient_ins_oid = message->ids[i].oid;
			break;
		}
	}
	return request;
}

/* PID-32 says so, and there is an INS to be qualified. */
static bool is_qualified(const struct transmission *message)
{
	for (size_t i = 0; i < message->id_count; i++)
		if (ins_is_domain(message->ids[i].oid))
			return message->identity_validated;
	return false;
}

/* The number of the patient in the hospital: of the message, in the domain that the site names if it names
 * one; else the document's own, which knows domains by their OID alone.
 */
static const struct transmission_id *local_of(const struct transmission *message,
					      const struct config *config)
{
	const char *wanted = config->local_oid != NULL ? config->local_oid : "";

	for (size_t i = 0; message != NULL && i < message->id_count; i++) {
		const struct transmission_id *id = &message->ids[i];

		if (!ins_is_domain(id->oid) &&
		    (id->type[0] == '\0' || strcmp(id->type, "PI") == 0) &&
		    (wanted[0] == '\0' || strcmp(id->oid, wanted) == 0))
			return id;
	}
	return NULL;
}

static struct store_subject subject_of(const struct metadata *metadata,
				       const struct transmission *message,
				       const struct config *config, struct arena *arena)
{
	const struct transmission_id *id = local_of(message, config);
	struct store_subject subject = {
		.traits =
			traits_compared(metadata->patient_birth_date, metadata->patient_sex, arena),
		.is_qualified = message == NULL || is_qualified(message),
		.said_ms = message != NULL ? message->identity_ms : 0,
	};

	if (!metadata->source_patient_is_ins)
		subject.locals[0] = (struct store_local){ metadata->source_patient_oid,
							  metadata->source_patient_id };
	if (id != NULL && id->oid[0] != '\0')
		subject.locals[0] = (struct store_local){ id->oid, id->number };
	if (id != NULL)
		subject.locals[1] = (struct store_local){ id->name, id->number };
	subject.is_qualified = subject.is_qualified && metadata->patient_ins[0] != '\0';
	return subject;
}

/* Whatever else it waits for, this comes first, and the rest after it. */
static void wait_for_identity(struct decision *decision)
{
	if (decision->state == DOC_HELD)
		for (size_t i = 0; i < decision->document_count; i++)
			decision->documents[i].subject.then_for = decision->reason;
	decision->state = DOC_HELD;
	decision->reason = REASON_INS_NOT_QUALIFIED;
}

/* The first reason to wait is the one that is told. */
static void hold(struct decision *decision, enum reason reason, int64_t delay_ms)
{
	decision->delay_ms = max(decision->delay_ms, delay_ms);
	decision->for_person |= delay_ms == 0;
	if (decision->state == DOC_HELD)
		return;
	decision->state = DOC_HELD;
	decision->reason = reason;
}

/* What the message wants of the document, which the document itself may contradict: a
 * relatedDocument RPLC makes it a replacement.
 */
static int reconcile(struct metadata *metadata, const struct transmission *message, struct err *err)
{
	static const enum action actions[] = {
		[TRANSMISSION_SUBMIT] = ACTION_SUBMIT,
		[TRANSMISSION_REPLACE] = ACTION_REPLACE,
		[TRANSMISSION_DELETE] = ACTION_DELETE,
	};
	enum action wanted = actions[message->action];

	metadata->from.action = FROM_MESSAGE;
	if (wanted == ACTION_DELETE) { /* of the document itself, whatever it once replaced */
		metadata->action = wanted;
		metadata->replaces = "";
		metadata->from.replaces = FROM_NOWHERE;
		return 0;
	}
	if (wanted == ACTION_SUBMIT && metadata->action == ACTION_REPLACE)
		return err_refuse(err, REASON_MESSAGE_INVALID, "OBX-11",
				  "the message adds a document, but its relatedDocument says that "
				  "it replaces another");
	if (wanted == ACTION_REPLACE && metadata->action != ACTION_REPLACE)
		return err_refuse(err, REASON_PREDECESSOR_UNKNOWN, "relatedDocument",
				  "the message replaces a document, but no relatedDocument RPLC "
				  "names it");
	if (wanted == ACTION_REPLACE && message->replaces[0] != '\0' &&
	    strcmp(message->replaces, metadata->replaces) != 0)
		return err_refuse(
			err, REASON_MESSAGE_INVALID, "TXA-13",
			"the replaced document is not the one that relatedDocument names");
	return 0;
}

/* Whose document, of which type, how restricted. What the DMP holds may always be deleted. */
static int check_policy(struct decision *decision, const struct metadata *metadata,
			const struct transmission *message, const struct config *config,
			const struct config_site *site, struct err *err)
{
	const struct config_establishment *establishment = decision->establishment;
	const char *structure = message ? message->sender.structure_id
					: metadata->legal_authenticator.institution_id;
	bool restricted = false;

	if (message != NULL && !message->flags[FLAG_DESTDMP])
		return 0; /* nobody will send it */
	if (policy_check_structure(config, establishment, structure,
				   message ? "PRT-8.10" : "legalAuthenticator", err) < 0)
		return -1;
	if (metadata->action == ACTION_DELETE)
		return 0;
	if (policy_check_type(site, metadata->type.code, err) < 0 ||
	    policy_check_restricted(config, metadata->confidentialities[0].code, &restricted, err) <
		    0)
		return -1;
	if (restricted)
		hold(decision, REASON_RESTRICTED, 0);
	return 0;
}

/* Not what is hidden from professionals too: EX_2.1-1050. */
static bool may_hide(const struct config_policy *policy, const struct metadata_context *context)
{
	return policy != NULL && policy->action == POLICY_INVISIBLE &&
	       (!context->request->masked_from_professionals ||
		context->allow_masked_and_invisible);
}

/* What should have been hidden from the patient and cannot be, a person must look at. */
static void follow_policy(struct decision *decision, const struct config_policy *policy,
			  bool hidden)
{
	if (policy == NULL || policy->action == POLICY_SEND || hidden)
		return;
	hold(decision, REASON_POLICY_HOLD, policy->action == POLICY_DELAY ? policy->delay_ms : 0);
}

static bool is_invisible(const struct metadata *metadata)
{
	for (size_t i = 0; i < metadata->confidentiality_count; i++)
		if (strcmp(metadata->confidentialities[i].code, "INVISIBLE_PATIENT") == 0)
			return true;
	return false;
}

/* A document and, unless it came alone, the message that carried it. */
static int decide(struct decision *decision, struct decision_document *document,
		  struct metadata *metadata, const struct metadata_request *request,
		  const struct transmission *message, const struct decision_settings *settings,
		  struct err *err)
{
	const struct config *config = settings->config;
	const struct config_site *site;
	const struct config_policy *policy = NULL;
	const struct cda_limits limits = { .most_bytes = config->most_document_bytes };
	struct metadata_context context = {
		.valuesets = settings->valuesets,
		.request = request,
		.environment = config->environment,
		.allow_masked_and_invisible = config->allow_masked_and_invisible,
		.ins_oids = config->ins_oids,
		.local_oid = config->local_oid,
		.few_traits = config->few_traits,
		.may_lack_ins =
			message != NULL ? !message->identity_validated : settings->may_lack_ins,
		.system_sends = config->system_sends,
	};
	struct cda cda;

	decision->establishment = config_establishment_of(config, settings->site, &site);
	if (decision->establishment == NULL)
		return err_refuse(err, REASON_FINESS_MISMATCH, "",
				  "no establishment declares site %s", settings->site);
	context.site = &site->metadata;
	if (cda_read(&cda, buf_slice(&document->body), &limits, &decision->arena, err) < 0)
		return -1;
	if (message == NULL || message->action != TRANSMISSION_DELETE)
		policy = policy_of(site, cda.code.code, message ? message->unit : "");
	if (policy != NULL && policy->action == POLICY_INVISIBLE && request->visibility_changes)
		policy = NULL; /* who announced it to the patient says so */
	context.hide_from_patient = may_hide(policy, &context);
	if (metadata_fill(metadata, &cda, &context, &decision->arena, err) < 0 ||
	    (message != NULL && reconcile(metadata, message, err) < 0) ||
	    check_policy(decision, metadata, message, config, site, err) < 0)
		return -1;
	follow_policy(decision, policy, context.hide_from_patient);

	content_write(&cda, metadata, &document->metadata, document->content);
	sha256(buf_slice(&document->body), document->digest);
	document->remarks = remarks_of(&cda, message);
	document->has_content = cda.has_content && metadata->action != ACTION_DELETE;
	decision->action = action_text(metadata->action);
	document->unique_id = metadata->unique_id;
	document->type_code = metadata->type.code;
	document->follows =
		metadata->action == ACTION_DELETE ? metadata->unique_id : metadata->replaces;
	document->invisible = is_invisible(metadata);
	document->facts = facts_of(&cda, metadata, message, site);
	document->is_discreet = policy_is_sensitive(site, metadata->type.code);
	if (message != NULL)
		document->discretion =
			stays_discretion(decision->establishment, site, &message->stay);
	document->patient_ins = metadata->patient_ins;
	document->patient_ins_oid = metadata->patient_ins_oid;
	document->subject = subject_of(metadata, message, config, &decision->arena);
	document->where = message == NULL            ? "id/@root"
			  : message->event[0] == 'T' ? "TXA-12"
						     : "OBX-5.5"; /* an ORU has no TXA */
	return 0;
}

/* Replacing and deleting begin with a question to the registry (TD3.1b). */
static int check_supported(const struct decision *decision, const char *where, struct err *err)
{
	if (strcmp(decision->action, action_text(ACTION_SUBMIT)) == 0 ||
	    decision->establishment->url_registry[0] != '\0')
		return 0;
	return err_refuse(err, REASON_ACTION_NOT_SUPPORTED, where,
			  "establishment %s has no dmp.url.registry",
			  decision->establishment->finess_ej);
}

/* A document that comes alone: nothing is said beyond it. */
static const struct metadata_request no_request = {
	.visit_class = "",
	.sender_id = "",
	.sender_family = "",
	.sender_given = "",
	.patient_ins = "",
	.patient_ins_oid = "",
	.patient_birth_date = "",
	.patient_sex = "",
};

int decide_document(struct decision *decision, struct buf *document,
		    const struct decision_settings *settings, struct err *err)
{
	struct decision_settings own = *settings;
	struct metadata metadata;

	decision->state = DOC_QUEUED; /* unless something speaks against it */
	decision->origin = decision->event = "";
	decision->document_count = 1;
	decision->documents[0].body = *document;
	*document = (struct buf){ 0 };
	own.may_lack_ins = true; /* a local number is enough to wait by */
	if (decide(decision, &decision->documents[0], &metadata, &no_request, NULL, &own, err) < 0)
		return -1;
	if (metadata.patient_ins[0] == '\0')
		wait_for_identity(decision);
	return check_supported(decision, "relatedDocument", err);
}

/* What METADATA.XML says beyond the document. */
static struct metadata_request request_of_medium(const struct xdm_document *medium)
{
	struct metadata_request request = no_request;

	request.masked_from_professionals = medium->masked_from_professionals;
	request.invisible_to_patient = medium->invisible_to_patient;
	request.invisible_to_guardians = medium->invisible_to_guardians;
	request.patient_ins = medium->patient_ins;
	request.patient_ins_oid = medium->patient_ins_oid;
	request.sender_id = medium->sender_id;
	request.sender_family = medium->sender_family;
	request.sender_given = medium->sender_given;
	request.sender_id_is_internal = medium->sender_id_is_internal;
	return request;
}

/* Two words about one document. The header may replace what METADATA.XML is silent about: what
 * the DMP holds need not be on the medium.
 */
static int reconcile_medium(const struct metadata *metadata, const struct xdm_document *medium,
			    struct err *err)
{
	if (strcmp(medium->unique_id, metadata->unique_id) != 0)
		return err_refuse(err, REASON_DOCUMENT_INVALID, "uniqueId",
				  "METADATA.XML gives the document another uniqueId than its own");
	if (medium->replaces && metadata->action != ACTION_REPLACE)
		return err_refuse(err, REASON_PREDECESSOR_UNKNOWN, "relatedDocument",
				  "METADATA.XML says that the document replaces another, but no "
				  "relatedDocument RPLC names it");
	if (medium->replaced_id[0] != '\0' && strcmp(medium->replaced_id, metadata->replaces) != 0)
		return err_refuse(err, REASON_DOCUMENT_INVALID, "RPLC",
				  "METADATA.XML and relatedDocument name different documents as "
				  "replaced");
	return 0;
}

int decide_medium(struct decision *decision, struct xdm_document *medium,
		  const struct decision_settings *settings, struct err *err)
{
	const struct metadata_request request = request_of_medium(medium);
	struct metadata metadata;

	decision->state = DOC_QUEUED;
	decision->origin = arena_dup(&decision->arena, slice_of(medium->name));
	decision->event = "";
	decision->document_count = 1;
	decision->documents[0].body = medium->bytes;
	medium->bytes = (struct buf){ 0 };
	if (decide(decision, &decision->documents[0], &metadata, &request, NULL, settings, err) <
	    0) {
		if (err->reason == REASON_INS_MISMATCH)
			snprintf(err->where, sizeof(err->where), "patientId");
		return -1;
	}
	if (reconcile_medium(&metadata, medium, err) < 0)
		return -1;
	return check_supported(decision, "relatedDocument", err);
}

/* ---- a body and its sidecar ---- */

/* Under the site's OID (assemble.c has those under the installation's, which may be the same): the
 * documents that are built for it, and what their versions have in common.
 */
enum { BUILT_ARC = 5, BUILT_SET_ARC = 6 };

static void digest_pair(const struct decision_pair *pair, uint8_t ret_digest[static SHA256_BYTES])
{
	struct digest *digest = digest_new(DIGEST_SHA256);
	/* where one ends and the other begins */
	const uint64_t sidecar_bytes = htobe64(pair->sidecar.n);

	digest_add(digest, slice_of("pair"));
	digest_add(digest, (struct slice){ (const char *)&sidecar_bytes, sizeof(sidecar_bytes) });
	digest_add(digest, pair->sidecar);
	digest_add(digest, buf_slice(pair->body));
	digest_end(&digest, ret_digest);
}

/* 120 bits: no more digits than the ids of submissions have. */
static const char *number_of(const struct decision_pair *pair, struct arena *arena)
{
	struct ulid number = { { 0 } };
	char digits[ULID_DECIMAL];
	uint8_t digest[SHA256_BYTES];

	digest_pair(pair, digest);
	memcpy(number.bytes + 1, digest, sizeof(number.bytes) - 1);
	return arena_dup(arena, slice_of(ulid_decimal(&number, digits)));
}

/* Of version 2, when the first was built here: under the OID that the site has, or had while it had none
 * of its own. NULL: it was not.
 */
static const char *set_of(const char *predecessor, const struct config *config,
			  const struct config_site *site, struct arena *arena)
{
	const char *const roots[] = { site->oid, config->lps_oid };

	for (size_t i = 0; i < length_of(roots); i++) {
		const char *ours = arena_printf(arena, "%s.%d.", roots[i], BUILT_ARC);

		if (slice_starts(slice_of(predecessor), ours))
			return arena_printf(arena, "%s.%d.%s", roots[i], BUILT_SET_ARC,
					    predecessor + strlen(ours));
	}
	return NULL;
}

/* What is common to all versions: given, or following from the first version's id, if that is ours.
 */
static int find_set(struct decision *decision, const struct sidecar *sidecar,
		    const struct config *config, const struct config_site *site, const char *number,
		    struct err *err)
{
	if (sidecar->set_id[0] != '\0')
		decision->set_id = sidecar->set_id;
	else if (sidecar->version == 1)
		decision->set_id = arena_printf(&decision->arena, "%s.%d.%s", site->oid,
						BUILT_SET_ARC, number);
	else if (sidecar->version == 2)
		decision->set_id = set_of(sidecar->replaces, config, site, &decision->arena);
	if (decision->set_id != NULL)
		return 0;
	return err_refuse(err, REASON_SIDECAR_INVALID, "set_id",
			  "set_id is missing: a version that replaces a document built "
			  "elsewhere, or a third one, must say what all versions share (the "
			  "setId of the first)");
}

static bool is_pdf(const struct decision_pair *pair)
{
	return strcmp(pair->media_type, "application/pdf") == 0;
}

bool decide_pair_takes_long(const struct decision_pair *pair, const struct config *config)
{
	const struct pdf pdf = pdf_look(buf_slice(pair->body));

	return is_pdf(pair) && config->when_not_pdfa == PDF_CONVERT &&
	       pdf_begins(buf_slice(pair->body)) && !pdf_is_pdfa_1(&pdf) && !pdf.encrypted;
}

/* The DMP wants PDF/A-1. */
static int prepare_pdf(const struct decision_settings *settings, struct buf *body, struct err *err)
{
	const struct config *config = settings->config;
	struct convert_settings convert = config->convert;
	const struct pdf pdf = pdf_look(buf_slice(body));
	scoped(buf_done) struct buf pdfa = { 0 };

	if (pdf_is_pdfa_1(&pdf) || config->when_not_pdfa == PDF_SEND)
		return 0;
	if (pdf.encrypted)
		return err_refuse(
			err, REASON_BODY_INVALID, "",
			"the PDF is encrypted: whoever reads it in the DMP has no password");
	if (config->when_not_pdfa == PDF_REFUSE)
		return err_refuse(
			err, REASON_PDF_NOT_PDFA, "",
			"the PDF is not PDF/A-1, and pdf.when_not_pdfa says to refuse it");
	convert.ends = settings->ends;
	if (convert_to_pdfa(&convert, buf_slice(body), &pdfa, err) < 0)
		return -1;
	buf_done(body);
	*body = pdfa;
	pdfa = (struct buf){ 0 };
	return 0;
}

static struct metadata_request request_of_sidecar(const struct sidecar *sidecar)
{
	struct metadata_request request = no_request;

	request.masked_from_professionals = sidecar->hidden_from_professionals;
	request.invisible_to_patient = sidecar->hidden_from_patient;
	request.invisible_to_guardians = sidecar->hidden_from_guardians;
	request.visibility_changes = sidecar->hidden_from_nobody;
	request.visit_class = sidecar->stay->class;
	return request;
}

static int build(struct decision *decision, const struct decision_pair *pair,
		 const struct sidecar *sidecar, const struct decision_settings *settings,
		 struct err *err)
{
	struct decision_document *document = &decision->documents[0];
	const char *number = number_of(pair, &decision->arena);
	const struct config_site *site;
	struct cda_source source = {
		.sidecar = sidecar,
		.valuesets = settings->valuesets,
		.media_type = pair->media_type,
	};

	if (config_establishment_of(settings->config, settings->site, &site) == NULL)
		return err_refuse(err, REASON_FINESS_MISMATCH, "site",
				  "no establishment declares site %s", settings->site);
	if (body_check(pair->media_type, buf_slice(pair->body), err) < 0 ||
	    find_set(decision, sidecar, settings->config, site, number, err) < 0)
		return -1;
	if (is_pdf(pair) && prepare_pdf(settings, pair->body, err) < 0)
		return -1;
	source.site = &site->metadata;
	source.unique_id = arena_printf(&decision->arena, "%s.%d.%s", site->oid, BUILT_ARC, number);
	source.set_id = decision->set_id;
	source.body = buf_slice(pair->body);
	cda_build(&source, &document->body);
	return buf_check(&document->body, "the document", err);
}

static void tell_unit(struct decision *decision, const struct decision_settings *settings,
		      const struct sidecar *sidecar)
{
	const struct config_site *site = NULL;

	if (config_establishment_of(settings->config, settings->site, &site) == NULL)
		return;
	facts_tell_unit(&decision->documents[0].facts, site, sidecar->stay->unit);
	decision->documents[0].discretion.unit =
		stays_is_sensitive(decision->establishment, sidecar->stay->unit);
}

int decide_pair(struct decision *decision, const struct decision_pair *pair,
		const struct decision_settings *settings, struct err *err)
{
	const struct sidecar_context context = { settings->valuesets,
						 settings->config->environment };
	struct decision_document *document = &decision->documents[0];
	struct decision_settings own = *settings;
	struct metadata_request request;
	struct metadata metadata;
	struct sidecar sidecar;
	bool is_qualified;

	decision->state = DOC_QUEUED; /* unless something speaks against it */
	decision->origin = decision->event = "";
	if (sidecar_read(&sidecar, pair->sidecar, &context, &decision->arena, err) < 0) {
		decision->faults = sidecar.faults;
		decision->fault_count = sidecar.fault_count;
		return -1;
	}
	is_qualified = strcmp(sidecar.patient->identity, "VALI") == 0;
	own.may_lack_ins = !is_qualified;
	if (sidecar.site[0] != '\0')
		own.site = decision->site = sidecar.site;
	if (build(decision, pair, &sidecar, &own, err) < 0)
		return -1;
	buf_done(pair->body);
	decision->document_count = 1;
	request = request_of_sidecar(&sidecar);
	if (decide(decision, document, &metadata, &request, NULL, &own, err) < 0)
		return -1;
	document->id_tells = true;
	tell_unit(decision, &own, &sidecar);
	if (!is_qualified) {
		document->facts.ins_qualified = document->subject.is_qualified = false;
		document->subject.is_rebuilt = true;
		wait_for_identity(decision);
	}
	return check_supported(decision, "replaces", err);
}

/* ---- messages ---- */

/* The two forms of one content live and die together, each under an id of its own. */
static int check_pair(const struct metadata *one, const struct metadata *other, struct err *err)
{
	if (strcmp(one->patient_ins, other->patient_ins) != 0 ||
	    strcmp(one->patient_ins_oid, other->patient_ins_oid) != 0)
		return err_refuse(err, REASON_INS_MISMATCH, "OBX-5.5",
				  "the two documents are about different patients");
	if (strcmp(one->unique_id, other->unique_id) == 0)
		return err_refuse(err, REASON_DUPLICATE_FOREIGN, "OBX-5.5",
				  "the two documents have the same id %s", one->unique_id);
	if (one->replaces[0] != '\0' && strcmp(one->replaces, other->replaces) == 0)
		return err_refuse(err, REASON_PREDECESSOR_UNKNOWN, "OBX-5.5",
				  "the two documents replace the same one: each must name its own");
	return 0;
}

static int decode_document(const struct transmission *message, size_t i, struct buf *body,
			   struct err *err)
{
	if (base64_decode(message->documents[i].base64, body, err) == 0)
		return 0;
	snprintf(err->where, sizeof(err->where), "OBX-5.5");
	return -1;
}

/* A scan of many megabytes is not held twice: it is decoded over its own Base64, looked at there, and
 * then given the memory of the message.
 */
static int decide_only_document(struct decision *decision, struct buf *bytes,
				const struct transmission *message,
				const struct metadata_request *request,
				const struct decision_settings *settings, struct err *err)
{
	struct decision_document *document = &decision->documents[0];
	const struct slice base64 = message->documents[0].base64;
	const size_t at = base64.n ? (size_t)(base64.p - bytes->p) : 0;
	struct metadata metadata;
	int result;
	size_t n;

	decision->document_count = 1;
	if (base64_decode_in_place(bytes->p + at, base64.n, &n, err) < 0) {
		snprintf(err->where, sizeof(err->where), "OBX-5.5");
		return -1;
	}
	document->body =
		(struct buf){ .p = bytes->p + at, .n = n }; /* the memory is the message's */
	result = decide(decision, document, &metadata, request, message, settings, err);
	document->body = (struct buf){ 0 };
	if (result < 0)
		return -1;
	bytes->n = at + n;
	buf_drop(bytes, at);
	buf_fit(bytes);
	document->body = *bytes;
	*bytes = (struct buf){ 0 };
	return 0;
}

static int decide_documents(struct decision *decision, const struct transmission *message,
			    const struct metadata_request *request,
			    const struct decision_settings *settings, struct err *err)
{
	struct metadata metadata[TRANSMISSION_DOCUMENTS_MOST];

	for (size_t i = 0; i < message->document_count; i++) {
		struct decision_document *document = &decision->documents[i];

		decision->document_count = i + 1;
		if (decode_document(message, i, &document->body, err) == 0 &&
		    decide(decision, document, &metadata[i], request, message, settings, err) == 0)
			continue;
		return err_within(err, "document %zu", i + 1);
	}
	return message->document_count > 1 ? check_pair(&metadata[0], &metadata[1], err) : 0;
}

/* MSH-10, by which people find a message again, even one that cannot be read. */
static const char *control_id_of(struct slice bytes, struct arena *arena)
{
	struct hl7_message header;
	struct slice msh = hl7_header(&header, bytes);
	struct slice id = slice_of(hl7_text(&header, hl7_field(&header, msh, 10), arena));

	return arena_dup(arena, charset_cut(id, CONTROL_ID_MOST));
}

static struct slice keep_header(struct slice msh, struct arena *arena)
{
	msh.n = min(msh.n, (size_t)HEADER_MOST);
	return (struct slice){ arena_dup(arena, msh), msh.n };
}

int decide_message(struct decision *decision, struct buf *bytes,
		   const struct decision_settings *settings, struct err *err)
{
	struct hl7_message message;
	struct transmission transmission;
	struct metadata_request request;

	decision->state = DOC_QUEUED;
	decision->origin = control_id_of(buf_slice(bytes), &decision->arena);
	decision->event = "";
	if (hl7_parse(&message, buf_slice(bytes), &decision->arena, err) < 0 ||
	    transmission_read(&transmission, &message, &settings->config->transmission,
			      &decision->arena, err) < 0)
		return -1;
	if (transmission.is_identity) {
		decision->event = transmission.event;
		adt_read(&decision->adt, &message, settings->config->environment, &decision->arena);
		decision->adt.has_stay = stays_read(&decision->adt.stay, &message, settings->config,
						    settings->site, &decision->arena);
		return 0;
	}
	if (transmission.flags[FLAG_ACK_RECEPTION] && transmission.flags[FLAG_DESTDMP])
		decision->ack_header = keep_header(message.segments[0], &decision->arena);
	request = request_of(&transmission);
	if ((transmission.document_count == 1
		     ? decide_only_document(decision, bytes, &transmission, &request, settings, err)
		     : decide_documents(decision, &transmission, &request, settings, err)) < 0)
		return -1;
	if (!transmission.flags[FLAG_DESTDMP]) {
		decision->state = DOC_CANCELLED;
		decision->reason = REASON_NOT_FOR_DMP;
	} else if (!is_qualified(&transmission)) {
		wait_for_identity(decision);
	}
	return check_supported(decision, "OBX-11", err);
}
