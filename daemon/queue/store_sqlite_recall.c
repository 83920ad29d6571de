/* A document that is taken back: its deletion in the DMP, as a document of its own. */
#include "queue/store_sqlite.h"

static const struct order_refusal not_there = {
	"The DMP does not have it: it can be cancelled.",
	"Le DMP ne l'a pas : il peut être abandonné (cancel).",
};
static const struct order_refusal is_under_way = {
	"The DMP may have it: recall it once its way has ended.",
	"Le DMP l'a peut-être : le retirer (recall) une fois son parcours terminé.",
};
static const struct order_refusal is_deletion = {
	"It is a deletion itself: the document must come again from its source.",
	"C'est une suppression : le document doit être émis de nouveau par sa source.",
};
static const struct order_refusal is_purged = {
	"Its body was purged, and with it what the DMP must be told of the patient: its source "
	"must "
	"send the deletion.",
	"Son contenu a été purgé, et avec lui ce que le DMP doit savoir du patient : sa source "
	"doit "
	"émettre la suppression.",
};
static const struct order_refusal is_recalled = {
	"Its deletion is there already.",
	"Sa suppression est déjà là.",
};

/* Reads FIND_RECALLED. What an attempt left in doubt may be in the DMP, however it ended here: the deletion
 * looks for it there.
 */
static const struct order_refusal *refusal_of(sqlite3_stmt *found)
{
	const enum doc_state state = store_state_of(found, 1);
	const bool doubtful = sqlite3_column_int(found, 9) != 0;

	if (strcmp(sqlite_text(found, 2), "delete") == 0)
		return &is_deletion;
	if (sqlite3_column_int64(found, 8) != 0)
		return &is_recalled;
	if (state == DOC_SENDING || (doubtful && !doc_state_is_final(state)))
		return &is_under_way;
	if (state != DOC_DELIVERED && !doubtful)
		return &not_there;
	return sqlite3_column_int64(found, 7) != 0 ? &is_purged : NULL;
}

/* Reads FIND_RECALLED. Nothing of the patient's choice holds it: a deletion always goes. */
static struct store_arrival arrival_of(const struct store_recall *recall, sqlite3_stmt *found)
{
	struct store_arrival arrival = {
		.doc = recall->deletion,
		.action = "delete",
		.unique_id = sqlite_text(found, 3),
		.follows = sqlite_text(found, 3),
		.type_code = sqlite_text(found, 4),
		.lane = sqlite_text(found, 5),
		.site = sqlite_text(found, 6),
		.source = "",
		.channel = "ctl",
		.origin = "",
		.actor = recall->actor,
		.now_ms = recall->now_ms,
		.state = DOC_QUEUED,
		.priority = PRIORITY_HIGH,
		.body = recall->body,
		.metadata = recall->metadata,
	};

	sha256(recall->body, arrival.digest);
	return arrival;
}

static int write_recall(struct store *store, const struct store_recall *recall, sqlite3_stmt *found,
			struct err *err)
{
	const struct store_arrival arrival = arrival_of(recall, found);
	char deletion[ULID_TEXT];
	const struct store_entry entry = {
		.seq = sqlite3_column_int64(found, 0),
		.at_ms = recall->now_ms,
		.what = "recalled",
		.state = store_state_of(found, 1),
		.reason = sqlite_text(found, 10),
		.note = ulid_text(&recall->deletion, deletion),
		.actor = recall->actor,
	};
	struct store_receipt receipt;

	if (store_add_entry(store, &entry, err) < 0)
		return -1;
	return store_take_in(store, &arrival, &receipt, err);
}

int store_recall(struct store *store, const struct store_recall *recall,
		 struct store_ordered *ret_ordered, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_RECALLED, VALUES(ID(&recall->doc)), err);
	struct store_ordered ordered = { .to = DOC_QUEUED };
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	if (got > 0) {
		ordered.found = true;
		ordered.from = store_state_of(found, 1);
		ordered.refusal = refusal_of(found);
	}
	if (got > 0 && ordered.refusal == NULL && !recall->dry_run &&
	    write_recall(store, recall, found, err) < 0)
		return -1;
	*ret_ordered = ordered;
	return 0;
}
