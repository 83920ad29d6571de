/* What becomes of one document: what it says, what the configuration says to that, and the rows that are kept of it.
 * Pure.
 */
#include "inbound/decide_one.h"

#include "document/content.h"
#include "document/traits.h"
#include "inbound/facts.h"
#include "inbound/policy.h"
#include "inbound/stays.h"

const struct metadata_request decide_no_request = {
	.visit_class = "",
	.sender_id = "",
	.sender_family = "",
	.sender_given = "",
	.patient_ins = "",
	.patient_ins_oid = "",
	.patient_birth_date = "",
	.patient_sex = "",
};

/* The number for billing (NH) looks alike, and may come under the domain of an INS. */
static bool is_ins(const struct transmission_id *id)
{
	return ins_is_domain(id->oid) && strcmp(id->type, "NH") != 0;
}

bool decide_is_qualified(const struct transmission *message)
{
	for (size_t i = 0; i < message->id_count; i++)
		if (is_ins(&message->ids[i]))
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
		.is_qualified = message == NULL || decide_is_qualified(message),
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

void decide_wait_for_identity(struct decision *decision)
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

static bool is_another(const struct transmission_id *id, const struct cda_id *ins)
{
	return is_ins(id) && ins_is_domain(ins->root) && ins->extension[0] != '\0' &&
	       (strcmp(id->number, ins->extension) != 0 || strcmp(id->oid, ins->root) != 0);
}

/* Each INS that the message gives, whichever of them is the patient's and whether it is qualified or not: what
 * may be about two patients is sent for neither. A document without any has nothing to compare.
 */
static int check_ins(const struct cda *cda, const struct transmission *message, struct err *err)
{
	for (size_t i = 0; i < message->id_count; i++)
		for (size_t j = 0; j < cda->patient_id_count; j++)
			if (is_another(&message->ids[i], &cda->patient_ids[j]))
				return err_refuse(
					err, REASON_INS_MISMATCH, "PID-3",
					"the INS of the message and of the document differ");
	return 0;
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
			const struct metadata_request *request, const struct transmission *message,
			const struct config *config, const struct config_site *site,
			struct err *err)
{
	const char *confidentiality =
		request->restricted ? request->restricted : metadata->confidentialities[0].code;
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
	    policy_check_restricted(config, confidentiality, &restricted, err) < 0)
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

/* Where it is from: the establishment, and the site whose rules it goes by. */
static int find_site(struct decision *decision, const struct transmission *message,
		     const struct decision_settings *settings, const struct config_site **ret_site,
		     struct err *err)
{
	const struct config_site *site;

	decision->establishment = config_establishment_of(settings->config, settings->site, &site);
	if (decision->establishment == NULL)
		return err_refuse(err, REASON_FINESS_MISMATCH, "",
				  "no establishment declares site %s", settings->site);
	if (message != NULL)
		site = policy_site_of(decision->establishment, message->sender.structure_id, site);
	decision->site = site->metadata.finess_eg;
	*ret_site = site;
	return 0;
}

/* NULL: none has anything to say. */
static const struct config_policy *policy_for(const struct cda *cda,
					      const struct metadata_request *request,
					      const struct transmission *message,
					      const struct config_site *site)
{
	const struct config_policy *policy;

	if (message != NULL && message->action == TRANSMISSION_DELETE)
		return NULL;
	policy = policy_of(site, cda->code.code, message ? message->unit : "");
	if (policy != NULL && policy->action == POLICY_INVISIBLE && request->visibility_changes)
		return NULL; /* who announced it to the patient says so */
	return policy;
}

static struct metadata_context context_of(const struct metadata_request *request,
					  const struct transmission *message,
					  const struct config_site *site,
					  const struct decision_settings *settings)
{
	const struct config *config = settings->config;

	return (struct metadata_context){
		.valuesets = settings->valuesets,
		.site = &site->metadata,
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
}

/* What the store is told of the document itself. */
static void describe(struct decision_document *document, const struct cda *cda,
		     const struct metadata *metadata, const struct transmission *message,
		     const struct config_site *site)
{
	bool is_deletion = metadata->action == ACTION_DELETE;

	content_write(cda, metadata, &document->metadata, document->content);
	sha256(buf_slice(&document->body), document->digest);
	document->remarks = remarks_of(cda, message);
	document->has_content = cda->has_content && !is_deletion;
	document->unique_id = metadata->unique_id;
	document->type_code = metadata->type.code;
	document->follows = is_deletion ? metadata->unique_id : metadata->replaces;
	document->invisible = is_invisible(metadata);
	document->facts = facts_of(cda, metadata, message, site);
	document->is_discreet = policy_is_sensitive(site, metadata->type.code);
	document->patient_ins = metadata->patient_ins;
	document->patient_ins_oid = metadata->patient_ins_oid;
	document->where = message == NULL            ? "id/@root"
			  : message->event[0] == 'T' ? "TXA-12"
						     : "OBX-5.5"; /* an ORU has no TXA */
}

/* A document and, unless it came alone, the message that carried it. */
int decide_one(struct decision *decision, struct decision_document *document,
	       struct metadata *metadata, const struct metadata_request *request,
	       const struct transmission *message, const struct decision_settings *settings,
	       struct err *err)
{
	const struct config *config = settings->config;
	const struct cda_limits limits = { .most_bytes = config->most_document_bytes };
	const struct config_policy *policy;
	const struct config_site *site = NULL;
	struct metadata_context context;
	struct cda cda;

	if (find_site(decision, message, settings, &site, err) < 0 ||
	    cda_read(&cda, buf_slice(&document->body), &limits, &decision->arena, err) < 0)
		return -1;
	policy = policy_for(&cda, request, message, site);
	context = context_of(request, message, site, settings);
	context.hide_from_patient = may_hide(policy, &context);
	if (metadata_fill(metadata, &cda, &context, &decision->arena, err) < 0 ||
	    (message != NULL &&
	     (check_ins(&cda, message, err) < 0 || reconcile(metadata, message, err) < 0)) ||
	    check_policy(decision, metadata, request, message, config, site, err) < 0)
		return -1;
	follow_policy(decision, policy, context.hide_from_patient);
	decision->action = action_text(metadata->action);
	describe(document, &cda, metadata, message, site);
	document->subject = subject_of(metadata, message, config, &decision->arena);
	if (message != NULL)
		document->discretion =
			stays_discretion(decision->establishment, site, &message->stay);
	return 0;
}

int decide_check_supported(const struct decision *decision, const char *where, struct err *err)
{
	if (strcmp(decision->action, action_text(ACTION_SUBMIT)) == 0 ||
	    decision->establishment->url_registry[0] != '\0')
		return 0;
	return err_refuse(err, REASON_ACTION_NOT_SUPPORTED, where,
			  "establishment %s has no dmp.url.registry",
			  decision->establishment->finess_ej);
}
