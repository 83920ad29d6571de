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

static const struct order_refusal is_one_of_two = {
	"Its other form is still on its way: cancel that one, or wait for its end.",
	"Son autre forme est encore en route : l'abandonner (cancel), ou attendre sa fin.",
};

/* The deletion that is there already: of one that was sent again since it was withdrawn, or that came only after it.
 * It ended without having deleted anything.
 */
struct former {
	int64_t seq; /* 0: there is none */
	enum doc_state state;
	struct ulid doc;
	const char *follows;
	bool purged;
	int64_t attempts;
};

/* Reads FIND_RECALLED. */
static struct former former_of(sqlite3_stmt *found)
{
	if (sqlite3_column_type(found, 10) == SQLITE_NULL)
		return (struct former){ 0 };
	return (struct former){
		.seq = sqlite3_column_int64(found, 10),
		.state = store_state_of(found, 11),
		.doc = sqlite_ulid(found, 12),
		.follows = sqlite_text(found, 13),
		.purged = sqlite3_column_int64(found, 14) != 0,
		.attempts = sqlite3_column_int64(found, 15),
	};
}

static bool is_in_force(const struct former *former)
{
	return former->seq != 0 &&
	       (!doc_state_is_final(former->state) || former->state == DOC_DELIVERED);
}

/* Reads FIND_RECALLED. */
static bool has_other_under_way(sqlite3_stmt *found)
{
	return sqlite3_column_type(found, 17) != SQLITE_NULL &&
	       !doc_state_is_final(store_state_of(found, 17));
}

/* Reads FIND_RECALLED. What an attempt left in doubt may be in the DMP, however it ended here: the deletion
 * looks for it there.
 */
static const struct order_refusal *refusal_of(sqlite3_stmt *found, const struct former *former)
{
	const enum doc_state state = store_state_of(found, 1);
	const bool doubtful = sqlite3_column_int(found, 8) != 0;
	const bool purged = former->seq ? former->purged : sqlite3_column_int64(found, 7) != 0;

	if (strcmp(sqlite_text(found, 2), "delete") == 0)
		return &is_deletion;
	if (is_in_force(former))
		return &is_recalled;
	if (state == DOC_SENDING || (doubtful && !doc_state_is_final(state)))
		return &is_under_way;
	if (state != DOC_DELIVERED && !doubtful)
		return &not_there;
	if (purged)
		return &is_purged;
	return has_other_under_way(found) ? &is_one_of_two : NULL;
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

/* The deletion that is there goes once more, after all that is under way, as if its source had sent it again. */
static int take_up(struct store *store, const struct store_arrival *arrival,
		   const struct former *former, struct err *err)
{
	struct store_arrival again = *arrival;
	struct store_entry entry = {
		.seq = former->seq,
		.at_ms = arrival->now_ms,
		.what = "taken_up",
		.attempt = former->attempts,
		.actor = arrival->actor,
	};
	struct store_place place;

	again.follows = former->follows;
	if (store_find_place(store, &again, former->seq, false, &place, err) < 0)
		return -1;
	entry.state = place.state;
	entry.reason = reason_row(place.reason)->code;
	if (sqlite_run(&store->sqlite, ORDER,
		       VALUES(NUMBER(entry.seq), TEXT(doc_state_text(entry.state)),
			      TEXT(entry.reason), NUMBER(entry.at_ms), NUMBER(true)),
		       "recall a document", err) < 0 ||
	    store_add_move(store, former->state, &entry, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, SET_LAST_ARRIVAL,
			  VALUES(NUMBER(entry.seq), NUMBER(store->head.number)),
			  "recall a document", err);
}

static int write_recall(struct store *store, const struct store_recall *recall, sqlite3_stmt *found,
			const struct former *former, struct ulid *ret_deletion, struct err *err)
{
	const struct store_arrival arrival = arrival_of(recall, found);
	const struct ulid deletion = former->seq ? former->doc : recall->deletion;
	char its[ULID_TEXT];
	const struct store_entry entry = {
		.seq = sqlite3_column_int64(found, 0),
		.at_ms = recall->now_ms,
		.what = "recalled",
		.state = store_state_of(found, 1),
		.reason = sqlite_text(found, 9),
		.note = ulid_text(&deletion, its),
		.actor = recall->actor,
	};
	struct store_receipt receipt;

	if (store_add_entry(store, &entry, err) < 0)
		return -1;
	*ret_deletion = deletion;
	return former->seq ? take_up(store, &arrival, former, err)
			   : store_take_in(store, &arrival, &receipt, err);
}

int store_recall(struct store *store, const struct store_recall *recall,
		 struct store_ordered *ret_ordered, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_RECALLED, VALUES(ID(&recall->doc)), err);
	struct store_ordered ordered = { .to = DOC_QUEUED };
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	struct former former = { 0 };

	if (got < 0)
		return -1;
	if (got > 0) {
		former = former_of(found);
		ordered.found = true;
		ordered.from = store_state_of(found, 1);
		ordered.refusal = refusal_of(found, &former);
		ordered.other = sqlite_ulid(found, 16);
	}
	if (got > 0 && ordered.refusal == NULL && !recall->dry_run &&
	    write_recall(store, recall, found, &former, &ordered.deletion, err) < 0)
		return -1;
	*ret_ordered = ordered;
	return 0;
}
