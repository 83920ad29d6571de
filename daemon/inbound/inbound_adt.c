/* From what an ADT says to rows on disk. Writer. */
#include "inbound/inbound_adt.h"

static void remember_move(void *arg, const struct ulid *doc, enum doc_state from, enum doc_state to,
			  enum reason reason)
{
	struct intake_part *part = arg;

	if (part->move_count == part->move_room) {
		part->move_room = part->move_room * 2 + 16;
		part->moves = xrealloc(part->moves, part->move_room * sizeof(*part->moves));
	}
	part->moves[part->move_count++] = (struct intake_move){ *doc, from, to, reason };
}

/* What has no date, or one that is yet to come, is of now: it would else win over all that come until
 * then.
 */
static int64_t past_of(int64_t said_ms, int64_t now_ms)
{
	return said_ms == 0 || said_ms > now_ms ? now_ms : said_ms;
}

static int take_identity(const struct intake *intake, struct intake_part *part, struct store *store,
			 struct err *err)
{
	struct store_identity identity = part->decision.adt.identity;

	if (part->decision.adt.has_identity != ADT_TAKEN)
		return 0;
	identity.now_ms = intake->came_ms;
	identity.said_ms = past_of(identity.said_ms, identity.now_ms);
	return store_note_identity(store, &identity, &part->identified, err);
}

static int take_choice(const struct intake *intake, struct intake_part *part, struct store *store,
		       struct err *err)
{
	const struct adt *adt = &part->decision.adt;
	struct store_choice choice = adt->choice;

	if (!adt->has_choice || !adt->choice_is_usable)
		return 0;
	choice.now_ms = intake->came_ms;
	choice.chosen_ms = past_of(choice.chosen_ms, choice.now_ms);
	choice.release_from_ms = choice.now_ms - intake->config->release_most_age_ms;
	choice.moved = remember_move;
	choice.arg = part;
	return store_note_choice(store, &choice, &part->noted, err);
}

static int take_stay(const struct intake *intake, struct intake_part *part, struct store *store,
		     struct err *err)
{
	struct store_stay stay = part->decision.adt.stay;

	if (!part->decision.adt.has_stay)
		return 0;
	stay.ins = part->decision.adt.ins;
	stay.ins_oid = part->decision.adt.ins_oid;
	stay.now_ms = intake->came_ms;
	stay.said_ms = past_of(stay.said_ms, stay.now_ms);
	stay.moved = remember_move;
	stay.arg = part;
	return store_note_stay(store, &stay, err);
}

int inbound_take_adt(const struct intake *intake, struct intake_part *part, struct store *store,
		     struct err *err)
{
	part->move_count = 0; /* a change may be applied again */
	if (take_identity(intake, part, store, err) < 0 ||
	    take_choice(intake, part, store, err) < 0)
		return -1;
	return take_stay(intake, part, store, err);
}
