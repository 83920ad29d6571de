/* From what was decided to rows on disk. Writer. */
#include "inbound/inbound_take.h"

#include "inbound/inbound_adt.h"
#include "inbound/inbound_pair.h"
#include "inbound/masks.h"

/* Only what nothing but a policy holds is let go by itself. */
static int64_t release_ms_of(const struct intake *intake, const struct decision *decision,
			     enum reason reason)
{
	if (decision->state != DOC_HELD || reason != REASON_POLICY_HOLD || decision->for_person)
		return 0;
	return intake->came_ms + decision->delay_ms;
}

/* By which a version that changes nothing is known. */
static struct slice told_content(const struct intake *intake,
				 const struct decision_document *document)
{
	if (!intake->config->suppress_unchanged || !document->has_content)
		return (struct slice){ 0 };
	return (struct slice){ (const char *)document->content, sizeof(document->content) };
}

/* The site's word, or else that of all. */
static bool holds_not_asked(const struct intake *intake, const struct decision *decision)
{
	const struct config_site *site = NULL;

	(void)!config_establishment_of(intake->config, decision->site, &site);
	if (site == NULL || site->not_asked == NOT_ASKED_AS_ALL)
		return intake->config->hold_not_asked;
	return site->not_asked == NOT_ASKED_HOLD;
}

static int refuse_masks(const struct decision_document *document, const char *before,
			struct err *err)
{
	return err_refuse(err, REASON_DUPLICATE_FOREIGN, document->where,
			  "it was accepted as one that %s: that is changed by a replacement, under "
			  "an id of its own",
			  before);
}

/* What is known already stays as it is: its sender must not believe that it is hidden now, or shown. Of what was
 * purged it is known for the patient alone.
 */
static int check_masks(const struct decision_document *document,
		       const struct store_receipt *receipt, struct store *store, struct err *err)
{
	scoped(buf_done) struct buf kept = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata before, now;
	const char *said;
	int found;

	if (receipt->shows_otherwise)
		return refuse_masks(
			document,
			document->invisible ? "the patient sees" : "the patient does not see", err);
	found = store_load_metadata(store, &receipt->doc, &kept, err);
	if (found <= 0)
		return found;
	if (metadata_parse(&before, buf_slice(&kept), &arena, err) < 0 ||
	    metadata_parse(&now, buf_slice(&document->metadata), &arena, err) < 0)
		return -1;
	said = masks_said_otherwise(&before, &now);
	return said != NULL ? refuse_masks(document, said, err) : 0;
}

static int take_in_document(const struct intake *intake, struct intake_part *part, size_t index,
			    struct store *store, struct err *err)
{
	const struct decision *decision = &part->decision;
	const struct decision_document *document = &decision->documents[index];
	struct store_arrival arrival = {
		.doc = part->docs[index],
		.action = decision->action,
		.unique_id = document->unique_id,
		.type_code = document->type_code,
		.lane = decision->establishment->finess_ej,
		.id_tells = document->id_tells,
		.site = decision->site,
		.source = intake->source,
		.channel = intake->channel,
		/* a file's name often carries a patient's: in clear it has no place beside what is encrypted */
		.origin = intake->config->key_file[0] ? intake_told_origin(intake) : intake->origin,
		.now_ms = intake->came_ms,
		.state = decision->state,
		.reason = decision->reason,
		.follows = document->follows,
		.priority = config_priority_of(intake->config, document->type_code),
		.supersedes = intake->config->supersede_unsent,
		.content = told_content(intake, document),
		.release_ms = release_ms_of(intake, decision, decision->reason),
		.invisible = document->invisible,
		.ins = document->patient_ins,
		.ins_oid = document->patient_ins_oid,
		.facts = document->facts,
		.subject = document->subject,
		.is_discreet = document->is_discreet,
		.discretion = document->discretion,
		.holds_not_asked = holds_not_asked(intake, decision),
		.body = buf_slice(&document->body),
		.metadata = buf_slice(&document->metadata),
	};

	arrival.subject.then_ms = release_ms_of(intake, decision, document->subject.then_for);
	arrival.subject.said_ms = min(arrival.subject.said_ms, intake->came_ms);
	memcpy(arrival.digest, document->digest, sizeof(arrival.digest));
	if (store_take_in(store, &arrival, &part->receipts[index], err) < 0)
		return -1;
	if (part->receipts[index].taken == STORE_FOREIGN)
		return err_refuse(err, REASON_DUPLICATE_FOREIGN, document->where,
				  "another document was accepted under the id %s",
				  document->unique_id);
	if (part->receipts[index].taken == STORE_KNOWN &&
	    strcmp(decision->action, action_text(ACTION_DELETE)) != 0)
		return check_masks(document, &part->receipts[index], store, err);
	return 0;
}

/* The source of this message will hear what becomes of it. */
static int want_ack(const struct intake *intake, const struct intake_part *part,
		    struct store *store, struct err *err)
{
	const struct ulid id = ulid_new(intake->came_ms);
	char control_id[ULID_TEXT];
	struct store_ack_request request = {
		.source = intake->source,
		.origin = part->decision.origin,
		.header = part->decision.ack_header,
		.control_id = intake_short_id(&id, control_id),
		.doc_count = part->decision.document_count,
		.now_ms = intake->came_ms,
	};

	for (size_t i = 0; i < request.doc_count; i++)
		request.docs[i] = part->receipts[i].doc;
	return store_want_ack(store, &request, err);
}

int inbound_take_in(struct intake *intake, struct store *store, struct err *err)
{
	for (size_t i = 0; i < intake->part_count; i++) {
		struct intake_part *part = &intake->parts[i];

		if (inbound_take_adt(intake, part, store, err) < 0)
			return -1;
		for (size_t j = 0; j < part->decision.document_count; j++)
			if (take_in_document(intake, part, j, store, err) < 0)
				return intake_within(intake, i, err);
		if (intake_wants_ack(intake, part) && want_ack(intake, part, store, err) < 0)
			return -1;
	}
	return inbound_mind_pairs(intake, store, err);
}
