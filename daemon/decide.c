/* What a message or a file is, and what becomes of it. Pure. */
#include "decide.h"

#include <stdio.h>

#include "hl7/transmission.h"

void decision_done(struct decision *decision)
{
	buf_done(&decision->body);
	buf_done(&decision->metadata);
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

static int decide(struct decision *decision, const struct metadata_request *request,
		  const struct decision_settings *settings, struct err *err)
{
	const struct config *config = settings->config;
	const struct config_site *site;
	const struct config_establishment *establishment =
		config_establishment_of(config, settings->site, &site);
	const struct cda_limits limits = { .most_bytes = config->most_document_bytes };
	struct metadata_context context = {
		.valuesets = settings->valuesets,
		.request = request,
		.environment = config->environment,
		.allow_masked_and_invisible = config->allow_masked_and_invisible,
	};
	struct metadata metadata;
	struct cda cda;

	if (establishment == NULL)
		return err_refuse(err, REASON_FINESS_MISMATCH, "",
				  "no establishment declares site %s", settings->site);
	context.site = &site->metadata;
	if (cda_read(&cda, buf_slice(&decision->body), &limits, &decision->arena, err) < 0 ||
	    metadata_fill(&metadata, &cda, &context, &decision->arena, err) < 0)
		return -1;
	if (metadata.action != ACTION_SUBMIT)
		return err_refuse(err, REASON_ACTION_NOT_SUPPORTED, "relatedDocument",
				  "the document replaces another");

	metadata_write(&metadata, &decision->metadata);
	sha256(buf_slice(&decision->body), decision->digest);
	decision->action = action_text(metadata.action);
	decision->unique_id = metadata.unique_id;
	decision->type_code = metadata.type.code;
	decision->establishment = establishment;
	decision->state = DOC_QUEUED;
	return 0;
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
	decision->origin = "";
	decision->body = *document;
	*document = (struct buf){ 0 };
	return decide(decision, &no_request, settings, err);
}

int decide_message(struct decision *decision, struct slice bytes,
		   const struct decision_settings *settings, struct err *err)
{
	struct hl7_message message;
	struct transmission transmission;
	struct metadata_request request;

	decision->origin = "";
	if (hl7_parse(&message, bytes, &decision->arena, err) < 0 ||
	    transmission_read(&transmission, &message, &decision->arena, err) < 0)
		return -1;
	decision->origin = transmission.control_id;
	if (base64_decode(transmission.document, &decision->body, err) < 0) {
		snprintf(err->where, sizeof(err->where), "OBX-5.5");
		return -1;
	}
	request = request_of(&transmission);
	if (decide(decision, &request, settings, err) < 0)
		return -1;
	if (!transmission.flags[FLAG_DESTDMP]) {
		decision->state = DOC_CANCELLED;
		decision->reason = REASON_NOT_FOR_DMP;
	} else if (!transmission.identity_validated || request.patient_ins[0] == '\0') {
		decision->state = DOC_HELD;
		decision->reason = REASON_INS_NOT_QUALIFIED;
	}
	return 0;
}
