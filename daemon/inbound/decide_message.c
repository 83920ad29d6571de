/* A message, and what becomes of the documents that it brings. Pure. */
#include "inbound/decide_one.h"

#include <stdio.h>

#include "hl7/batch.h"
#include "inbound/stays.h"

enum {
	CONTROL_ID_MOST = 199, /* characters: the longest identifier of the profile */
	HEADER_MOST = 4096,    /* bytes of an MSH */
};

/* A system (U) asks for nothing by itself: ours does. So it does for whom a number of another authority names.
 * METADATA.XML of a medium is read the same way.
 */
static bool asks_in_person(const struct transmission_sender *sender)
{
	return !sender->person_is_system && !sender->person_is_foreign;
}

/* What the message says beyond its document. */
static struct metadata_request request_of(const struct transmission *message)
{
	const struct transmission_sender *sender = &message->sender;

	return (struct metadata_request){
		.masked_from_professionals = message->flags[FLAG_MASQUE_PS],
		.invisible_to_patient = message->flags[FLAG_INVISIBLE_PATIENT],
		.invisible_to_guardians = message->flags[FLAG_INVISIBLE_REP_LEGAUX],
		.secret_connection = message->flags[FLAG_CONNEXION_SECRETE],
		.visibility_changes = message->flags[FLAG_MODIF_CONF_CODE],
		.visit_class = message->visit_class,
		.sender_id = asks_in_person(sender) ? sender->person_id : "",
		.sender_family = sender->person_family,
		.sender_given = sender->person_given,
		.sender_id_is_internal = strcmp(sender->person_id_type, "EI") == 0,
		.patient_ins = "", /* each of PID-3 is compared: decide_one.c */
		.patient_ins_oid = "",
		.patient_birth_date = message->birth_date,
		.patient_sex = message->sex,
	};
}

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
	result = decide_one(decision, document, &metadata, request, message, settings, err);
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
		    decide_one(decision, document, &metadata[i], request, message, settings, err) ==
			    0)
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

static unsigned count_patients(const struct hl7_message *message)
{
	unsigned count = 0;

	for (size_t i = 0; i < message->segment_count; i++)
		count += hl7_is(message->segments[i], "PID");
	return count;
}

/* Two messages that were glued together: the PID of one, the ZFA or MRG of the other. */
static int check_one_patient(const struct hl7_message *message, struct err *err)
{
	if (count_patients(message) <= 1)
		return 0;
	return err_refuse(err, REASON_CARDINALITY, "PID",
			  "there is more than one PID: send a message for each patient");
}

/* What metadata calls after XDS stands in a field here. */
static int locate(struct err *err)
{
	if (strcmp(err->where, "authorPerson") == 0)
		snprintf(err->where, sizeof(err->where), "PRT-5");
	return -1;
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
	if (hl7_is_batch(buf_slice(bytes)))
		return err_refuse(err, REASON_NO_HEADER, "MSH",
				  "this is a batch (FHS or BHS), and one message is taken at a "
				  "time: send its messages one by one, or drop it as a file "
				  "(.hl7 or .er7) in a drop folder");
	if (hl7_parse(&message, buf_slice(bytes), &decision->arena, err) < 0 ||
	    transmission_read(&transmission, &message, &settings->config->transmission,
			      &decision->arena, err) < 0)
		return -1;
	if (transmission.is_identity) {
		decision->event = transmission.event;
		adt_read(&decision->adt, &message, settings->config->environment, &decision->arena);
		decision->adt.lacks_patient = count_patients(&message) == 0;
		decision->adt.has_stay = stays_read(&decision->adt.stay, &message, settings->config,
						    settings->site, &decision->arena);
		return adt_leaves_something(&decision->adt) ? check_one_patient(&message, err) : 0;
	}
	if (transmission.flags[FLAG_ACK_RECEPTION] && transmission.flags[FLAG_DESTDMP])
		decision->ack_header = keep_header(message.segments[0], &decision->arena);
	request = request_of(&transmission);
	if ((transmission.document_count == 1
		     ? decide_only_document(decision, bytes, &transmission, &request, settings, err)
		     : decide_documents(decision, &transmission, &request, settings, err)) < 0)
		return locate(err);
	if (!transmission.flags[FLAG_DESTDMP]) {
		decision->state = DOC_CANCELLED;
		decision->reason = REASON_NOT_FOR_DMP;
	} else if (!decide_is_qualified(&transmission)) {
		decide_wait_for_identity(decision);
	}
	return decide_check_supported(decision, "OBX-11", err);
}
