/* What the journal says of what came in. Loop. Words of the sender's own stay one word each. */
#include "inbound/inbound_log.h"
#include "base/log.h"
#include "base/log_text.h"

static const char *origin_word(const struct intake *intake, char word[static LOG_WORD])
{
	return log_word(intake_told_origin(intake), word);
}

static const char *feeding_text(const struct decision *decision)
{
	static const char *const texts[] = {
		[STORE_NOT_OPPOSED] = "not_opposed",
		[STORE_OPPOSED] = "opposed",
		[STORE_NOT_ASKED] = "not_asked",
	};

	return decision->adt.has_choice ? texts[decision->adt.choice.feeding] : "none";
}

static const char *identity_text(const struct intake_part *part)
{
	const struct adt *adt = &part->decision.adt;

	if (adt->has_identity != ADT_TAKEN)
		return adt->has_identity == ADT_IGNORED ? "ignored" : "unusable";
	if (!part->identified.is_newest)
		return "known";
	if (!adt->identity.has_status)
		return "merged";
	return slice_of(adt->identity.ins).n > 0 ? "qualified" : "not_qualified";
}

/* Of the documents themselves there is a line each. */
static void log_identified(const char *event, const struct store_identified *done)
{
	if (done->misplaced > 0)
		log_warning("adt event=%s documents=%zu: the DMP has them under an INS that is not "
			    "their patient's any more (dmpfeedctl list --reason ins_changed)",
			    event, done->misplaced);
}

/* An event that is none of PAM's says nothing that is missed. */
static bool is_about_somebody(const struct adt *adt)
{
	return adt->has_identity != ADT_IGNORED || adt->has_choice || adt->has_stay;
}

static void log_identity(const struct intake *intake, const char *peer,
			 const struct intake_part *part)
{
	const struct decision *decision = &part->decision;
	const char *feeding = feeding_text(decision);
	char doc[ULID_TEXT], origin[LOG_WORD], event[LOG_WORD];

	log_word(decision->event, event);
	origin_word(intake, origin);
	log_info("adt event=%s channel=%s source=%s from=%s origin=%s identity=%s feeding=%s%s",
		 event, intake->channel, intake->source, peer, origin, identity_text(part), feeding,
		 part->noted.is_newest ? " noted" : "");
	log_identified(event, &part->identified);
	if (decision->adt.has_choice && !decision->adt.choice_is_usable)
		log_warning("adt event=%s origin=%s feeding=%s is not noted: the identity has no "
			    "qualified INS",
			    event, origin, feeding);
	if (decision->adt.lacks_patient && is_about_somebody(&decision->adt))
		log_warning("adt event=%s origin=%s has no PID: nothing of its patient is kept",
			    event, origin);
	for (size_t i = 0; i < part->move_count; i++) {
		const struct intake_move *move = &part->moves[i];

		log_info("doc=%s feeding=%s from=%s state=%s%s%s", ulid_text(&move->doc, doc),
			 feeding, doc_state_text(move->from), doc_state_text(move->to),
			 move->reason ? " reason=" : "", reason_row(move->reason)->code);
	}
}

static void log_remarks(const char *doc, unsigned remarks)
{
	for (enum remark remark = 0; remark < REMARK_COUNT; remark++)
		if (remarks & 1U << remark)
			log_warning("doc=%s goes all the same: %s", doc, remark_text(remark));
}

static const char *const words[] = {
	[STORE_NEW] = "received",
	[STORE_KNOWN] = "received again",
	[STORE_TAKEN_UP] = "received again and taken up",
};

static void log_part(const struct intake *intake, const char *peer, const struct intake_part *part)
{
	const struct decision *decision = &part->decision;
	char doc[ULID_TEXT], origin[LOG_WORD], type[LOG_WORD];

	if (decision->event[0] != '\0')
		log_identity(intake, peer, part);
	for (size_t i = 0; i < decision->document_count; i++) {
		const struct store_receipt *receipt = &part->receipts[i];
		const struct decision_document *document = &decision->documents[i];

		log_info("doc=%s %s channel=%s source=%s from=%s origin=%s type=%s bytes=%zu "
			 "state=%s%s%s",
			 ulid_text(&receipt->doc, doc), words[receipt->taken], intake->channel,
			 intake->source, peer, origin_word(intake, origin),
			 log_word(document->type_code, type), document->body.n,
			 doc_state_text(receipt->state), receipt->reason ? " reason=" : "",
			 reason_row(receipt->reason)->code);
		if (receipt->taken != STORE_KNOWN)
			log_remarks(doc, document->remarks);
		if (receipt->not_asked)
			log_warning("doc=%s feeding=not_asked: nobody has asked its patient "
				    "(consent.not_asked)",
				    doc);
	}
}

void inbound_log(const struct intake *intake, const char *ack)
{
	const char *peer = intake->message ? intake->message->peer : intake->file->folder->name;
	const struct err *err = &intake->err;
	char origin[LOG_WORD];

	if (err->kind != ERR_NONE) {
		log_warning("refused channel=%s source=%s from=%s origin=%s ack=%s reason=%s "
			    "where=%s: %s",
			    intake->channel, intake->source, peer, origin_word(intake, origin), ack,
			    reason_row(err->reason)->code, err->where, err_told(err));
		return;
	}
	for (size_t i = 0; i < intake->part_count; i++)
		log_part(intake, peer, &intake->parts[i]);
}
