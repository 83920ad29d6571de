/* Two forms live and die together. Writer. */
#include "inbound/inbound_pair.h"

#include "queue/store_pair.h"

static int tie(const struct intake_part *part, struct store *store, struct err *err)
{
	const struct decision_document *documents = part->decision.documents;
	const struct ulid docs[] = { part->receipts[0].doc, part->receipts[1].doc };
	int third;

	if (part->decision.document_count < 2)
		return 0;
	third = store_note_pair(store, docs, err);
	if (third <= 0)
		return third;
	return err_refuse(err, REASON_CARDINALITY, "OBX",
			  "of %s and %s one came together with a third before: a content has two "
			  "forms at most",
			  documents[0].unique_id, documents[1].unique_id);
}

/* In the DMP: what is not for it says nothing of another form there. */
static bool changes_another(const struct decision *decision,
			    const struct decision_document *document)
{
	return decision->state != DOC_CANCELLED && slice_of(document->follows).n > 0;
}

/* What all of it replaces and deletes: a batch, or a medium, may name the two one by one. */
static size_t name_all(const struct intake *intake, const char **unique_ids)
{
	size_t count = 0;

	for (size_t i = 0; i < intake->part_count; i++) {
		const struct decision *decision = &intake->parts[i].decision;

		for (size_t j = 0; j < decision->document_count; j++)
			if (changes_another(decision, &decision->documents[j]))
				unique_ids[count++] = decision->documents[j].follows;
	}
	return count;
}

/* Of a message, what there is too little of; of a file, the document itself. */
static const char *place_of(const struct intake *intake, const struct intake_part *part,
			    const struct decision_document *document)
{
	const bool is_message = part->decision.origin[0] != '\0' && !intake->is_medium;

	return is_message ? "OBX" : document->where;
}

/* What is not new was answered before: it is not called wrong now. */
static int check(const struct intake *intake, const struct intake_part *part,
		 const struct store_named *named, struct store *store, struct err *err)
{
	for (size_t i = 0; i < part->decision.document_count; i++) {
		const struct decision_document *document = &part->decision.documents[i];
		scoped(buf_done) struct buf left = { 0 };

		if (!changes_another(&part->decision, document) ||
		    part->receipts[i].taken == STORE_KNOWN)
			continue;
		if (store_find_left(store, document->follows, named, &left, err) < 0)
			return -1;
		if (left.n > 0)
			return err_refuse(err, REASON_CARDINALITY, place_of(intake, part, document),
					  "%s is one of two forms of one content, and nothing is "
					  "said of the other, %s: one message replaces or deletes "
					  "both (ORU with two OBX)",
					  document->follows, left.p);
	}
	return 0;
}

int inbound_mind_pairs(const struct intake *intake, struct store *store, struct err *err)
{
	const char **unique_ids =
		xcalloc(intake->part_count * TRANSMISSION_DOCUMENTS_MOST, sizeof(*unique_ids));
	const struct store_named named = { unique_ids, name_all(intake, unique_ids) };
	int result = 0;

	for (size_t i = 0; i < intake->part_count && result == 0; i++)
		if (tie(&intake->parts[i], store, err) < 0 ||
		    check(intake, &intake->parts[i], &named, store, err) < 0)
			result = intake_within(intake, i, err);
	free(unique_ids);
	return result;
}
