/* A document that comes alone, as a file or on a medium, and what becomes of it. Pure. */
#include "inbound/decide.h"

#include <stdio.h>

#include "inbound/decide_one.h"

void decision_done(struct decision *decision)
{
	for (size_t i = 0; i < length_of(decision->documents); i++) {
		buf_done(&decision->documents[i].body);
		buf_done(&decision->documents[i].metadata);
	}
	arena_done(&decision->arena);
}

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
	if (decide_one(decision, &decision->documents[0], &metadata, &decide_no_request, NULL, &own,
		       err) < 0)
		return -1;
	if (metadata.patient_ins[0] == '\0')
		decide_wait_for_identity(decision);
	return decide_check_supported(decision, "relatedDocument", err);
}

/* What METADATA.XML says beyond the document. */
static struct metadata_request request_of_medium(const struct xdm_document *medium)
{
	struct metadata_request request = decide_no_request;

	request.masked_from_professionals = medium->masked_from_professionals;
	request.invisible_to_patient = medium->invisible_to_patient;
	request.invisible_to_guardians = medium->invisible_to_guardians;
	request.restricted = medium->restricted;
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
	if (decide_one(decision, &decision->documents[0], &metadata, &request, NULL, settings,
		       err) < 0) {
		if (err->reason == REASON_INS_MISMATCH)
			snprintf(err->where, sizeof(err->where), "patientId");
		return -1;
	}
	if (reconcile_medium(&metadata, medium, err) < 0)
		return -1;
	return decide_check_supported(decision, "relatedDocument", err);
}
