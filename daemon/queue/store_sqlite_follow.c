/* Order: what follows another document waits for it, everything else goes in parallel.
 *
 * A replacement follows the document that it replaces, a deletion the one that it deletes. It waits
 * while anything that came before it and has to do with the same document is under way: the document
 * itself, another version of it, another deletion. When the last of those comes to its end, whatever
 * end that is, it goes: waiting for a document that was rejected would be waiting for ever, without a
 * word. The DMP is asked for the predecessor before anything is replaced or deleted, so that what
 * became of it is known then, and replace.when_absent says what is done if it is not there. When one that had
 * ended is under way again, what came after it and has not left waits again, unless a person forced it.
 */
#include "queue/store_sqlite.h"

/* Where a document stands in the order. That goes by rows of documents, and numbers need not be compared, but for one
 * that was taken up: it has an old row, and may have a new turn.
 */
struct turn {
	int64_t number, before_seq;
};

static const struct turn last = { INT64_MAX, INT64_MAX };

static int find_turn(struct store *store, int64_t seq, struct turn *ret_turn, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, TURN_IS, VALUES(NUMBER(seq)), err);

	if (found == NULL || sqlite_step(&store->sqlite, found, err) < 0)
		return -1;
	*ret_turn = (struct turn){ sqlite3_column_int64(found, 0),
				   sqlite3_column_int(found, 1) ? last.before_seq : seq };
	return 0;
}

static int is_blocked(struct store *store, const char *follows, int64_t seq,
		      const struct turn *turn, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, FIND_BLOCKER,
		VALUES(TEXT(follows), NUMBER(turn->before_seq), NUMBER(seq), NUMBER(turn->number)),
		err);

	return found ? sqlite_step(&store->sqlite, found, err) : -1;
}

int store_is_blocked(struct store *store, const char *follows, int64_t seq, struct err *err)
{
	struct turn turn;

	if (follows[0] == '\0')
		return 0;
	if (find_turn(store, seq, &turn, err) < 0)
		return -1;
	return is_blocked(store, follows, seq, &turn, err);
}

/* ---- when something ends ---- */

static int write_let_go(struct store *store, const struct store_entry *entry, struct err *err)
{
	return sqlite_run(&store->sqlite, LET_GO,
			  VALUES(NUMBER(entry->seq), TEXT(doc_state_text(entry->state)),
				 TEXT(entry->reason), NUMBER(entry->at_ms)),
			  "release a document", err);
}

int store_weigh_arrival(struct store *store, struct store_entry *entry, struct err *err)
{
	if (store_weigh(store, entry, true, err) < 0)
		return -1;
	return entry->state == DOC_HELD ? write_let_go(store, entry, err) : 0;
}

/* What has to be settled before it takes its turn; a person looks at what is of a stay to be discreet about. */
static int find_hold(struct store *store, int64_t seq, enum reason *ret_reason, struct err *err)
{
	int discreet;

	if (store_judge(store, seq, ret_reason, err) < 0)
		return -1;
	if (*ret_reason != REASON_NONE)
		return 0;
	discreet = store_is_discreet(store, seq, err);
	if (discreet > 0)
		*ret_reason = REASON_SENSITIVE_STAY;
	return discreet < 0 ? -1 : 0;
}

/* Its row and the entry, as store_let_go() has them; the ledger is not written yet. */
static int let_go(struct store *store, struct store_entry *entry, struct err *err)
{
	enum reason holds;
	int blocked;

	if (find_hold(store, entry->seq, &holds, err) < 0)
		return -1;
	if (holds != REASON_NONE) {
		entry->state = DOC_HELD;
		entry->reason = reason_row(holds)->code;
		return write_let_go(store, entry, err);
	}
	{
		scoped(sqlite_reset) sqlite3_stmt *its =
			sqlite_prepare(&store->sqlite, FOLLOWS_IS, VALUES(NUMBER(entry->seq)), err);

		if (its == NULL || sqlite_step(&store->sqlite, its, err) < 0)
			return -1;
		blocked = store_is_blocked(store, sqlite_text(its, 0), entry->seq, err);
	}
	entry->state = blocked ? DOC_HELD : DOC_QUEUED;
	entry->reason = reason_row(blocked ? REASON_WAITING_PREDECESSOR : REASON_NONE)->code;
	if (blocked < 0 || (!blocked && store_weigh(store, entry, true, err) < 0))
		return -1;
	return entry->state == DOC_SUPPRESSED ? 0 : write_let_go(store, entry, err);
}

int store_let_go(struct store *store, enum doc_state from, struct store_entry *entry,
		 struct err *err)
{
	if (let_go(store, entry, err) < 0)
		return -1;
	return store_add_move(store, from, entry, err);
}

/* The first that waits for what has to do with `follows`, if nothing else is before it: those behind
 * it then wait for it. 1: it is not queued, and the next may go.
 */
static int wake_first(struct store *store, const char *follows, int64_t now_ms, struct err *err)
{
	struct store_entry entry = { .at_ms = now_ms, .what = "released", .note = "predecessor" };
	int blocked;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, FIND_FOLLOWER, VALUES(TEXT(follows)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		entry.seq = sqlite3_column_int64(found, 0);
	}
	blocked = store_is_blocked(store, follows, entry.seq, err);
	if (blocked != 0)
		return blocked < 0 ? -1 : 0;
	if (let_go(store, &entry, err) < 0)
		return -1;
	store_moved(store, DOC_HELD, entry.state);
	if (store_add_entry(store, &entry, err) < 0 || store_tell(store, DOC_HELD, &entry, err) < 0)
		return -1;
	return entry.state != DOC_QUEUED;
}

/* By what others have to do with a document: itself, and what it follows. */
struct about {
	struct buf names[2];
};

static void about_done(struct about *about)
{
	buf_done(&about->names[0]);
	buf_done(&about->names[1]);
}

static int find_about(struct store *store, int64_t seq, struct about *about, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, ABOUT_ORDER, VALUES(NUMBER(seq)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	for (int i = 0; i < 2 && got > 0; i++)
		buf_add_text(&about->names[i], sqlite_text(found, i));
	return got;
}

int store_wake_followers(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	scoped(about_done) struct about about = { 0 };

	if (find_about(store, seq, &about, err) < 0)
		return -1;
	/* a loop, not a recursion: many may wait that change nothing */
	for (int i = 0; i < 2; i++) {
		int more = about.names[i].n > 0;

		store->waking++;
		while (more > 0)
			more = wake_first(store, about.names[i].p, now_ms, err);
		store->waking--;
		if (more < 0)
			return -1;
	}
	return 0;
}

int store_add_move(struct store *store, enum doc_state from, const struct store_entry *entry,
		   struct err *err)
{
	store_moved(store, from, entry->state);
	if (store_add_entry(store, entry, err) < 0)
		return -1;
	return doc_state_is_final(entry->state)
		       ? store_wake_followers(store, entry->seq, entry->at_ms, err)
		       : 0;
}

/* ---- when something is under way again ---- */

static int wait_again(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	const struct store_entry entry = {
		.seq = seq,
		.at_ms = now_ms,
		.what = "held",
		.state = DOC_HELD,
		.reason = reason_row(REASON_WAITING_PREDECESSOR)->code,
		.note = "predecessor",
	};

	if (write_let_go(store, &entry, err) < 0 || store_tell(store, DOC_QUEUED, &entry, err) < 0)
		return -1;
	return store_add_move(store, DOC_QUEUED, &entry, err);
}

/* The next after `*seq` that is queued, has to do with `follows` and was not forced; what it waits for, if anything,
 * comes before it. 1, 0, -1.
 */
static int put_next_behind(struct store *store, const char *follows, int64_t *seq, int64_t but_for,
			   int64_t now_ms, struct err *err)
{
	int blocked;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, FIND_AHEAD,
				       VALUES(TEXT(follows), NUMBER(*seq), NUMBER(but_for)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		*seq = sqlite3_column_int64(found, 0);
	}
	blocked = store_is_blocked(store, follows, *seq, err);
	if (blocked > 0 && wait_again(store, *seq, now_ms, err) < 0)
		return -1;
	return blocked < 0 ? -1 : 1;
}

int store_put_behind(struct store *store, int64_t seq, int64_t but_for, int64_t now_ms,
		     struct err *err)
{
	scoped(about_done) struct about about = { 0 };
	int found = find_about(store, seq, &about, err);

	if (found <= 0) /* most */
		return found;
	for (int i = 0; i < 2; i++) {
		int more = about.names[i].n > 0;
		int64_t last_seq = 0;

		while (more > 0)
			more = put_next_behind(store, about.names[i].p, &last_seq, but_for, now_ms,
					       err);
		if (more < 0)
			return -1;
	}
	return 1;
}

int store_mind_turn(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	int blocked;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, FIND_TURNING, VALUES(NUMBER(seq)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		blocked = store_is_blocked(store, sqlite_text(found, 0), seq, err);
	}
	return blocked > 0 ? wait_again(store, seq, now_ms, err) : blocked;
}

/* ---- when something comes ---- */

/* The predecessor when it is a new document that was never tried, and nothing else is before: 1. A
 * version of another document does not count: the other would be left standing in the DMP.
 */
static int find_unsent(struct store *store, const char *unique_id, int64_t but_for,
		       int64_t *ret_seq, enum doc_state *ret_state, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, FIND_UNSENT, VALUES(TEXT(unique_id), NUMBER(but_for)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got > 0) {
		*ret_seq = sqlite3_column_int64(found, 0);
		*ret_state = store_state_of(found, 1);
	}
	return got;
}

static bool is_deletion(const struct store_arrival *arrival)
{
	return strcmp(arrival->action, "delete") == 0;
}

/* A document that its source deletes before it was ever tried need not be sent to be deleted: both end
 * here. One that is replaced likewise, by key; the new version then goes as a new document.
 */
static int take_place(struct store *store, const struct store_arrival *arrival, int64_t seq,
		      struct store_place *place, struct err *err)
{
	const enum reason reason = is_deletion(arrival) ? REASON_WITHDRAWN : REASON_SUPERSEDED;
	enum doc_state state;
	int got;

	if (!is_deletion(arrival) && (!arrival->supersedes || arrival->state != DOC_QUEUED))
		return 0;
	got = find_unsent(store, arrival->follows, seq, &place->ends_seq, &state, err);
	if (got <= 0)
		return got;
	place->ends_from = state;
	place->ends_for = reason;
	place->as_new = !is_deletion(arrival);
	if (is_deletion(arrival)) {
		place->state = DOC_SUPPRESSED;
		place->reason = reason;
	}
	return 1;
}

int store_find_place(struct store *store, const struct store_arrival *arrival, int64_t seq,
		     bool keeps_turn, struct store_place *ret_place, struct err *err)
{
	struct store_place place = { .state = arrival->state, .reason = arrival->reason };
	const char *follows = slice_of(arrival->follows).p;
	bool waits = arrival->state == DOC_QUEUED;
	int got = 0;

	if (follows[0] != '\0' && (waits || arrival->state == DOC_HELD))
		got = take_place(store, arrival, seq, &place, err);
	if (got == 0 && waits && follows[0] != '\0') {
		got = keeps_turn ? store_is_blocked(store, follows, seq, err)
				 : is_blocked(store, follows, seq, &last, err);
		if (got > 0) {
			place.state = DOC_HELD;
			place.reason = REASON_WAITING_PREDECESSOR;
		}
	}
	if (got < 0)
		return -1;
	*ret_place = place;
	return 0;
}

int store_end_predecessor(struct store *store, const struct store_arrival *arrival,
			  const struct store_place *place, struct err *err)
{
	char doc[ULID_TEXT];
	const struct store_entry entry = {
		.seq = place->ends_seq,
		.at_ms = arrival->now_ms,
		.what = "withdrawn",
		.state = DOC_CANCELLED,
		.reason = reason_row(place->ends_for)->code,
		.note = ulid_text(&arrival->doc, doc), /* by what */
	};

	if (place->ends_seq == 0)
		return 0;
	if (sqlite_run(&store->sqlite, END_UNSENT,
		       VALUES(NUMBER(entry.seq), TEXT(entry.reason), NUMBER(entry.at_ms)),
		       "withdraw a document", err) < 0 ||
	    store_tell(store, place->ends_from, &entry, err) < 0)
		return -1;
	return store_add_move(store, place->ends_from, &entry, err);
}

/* ---- when its time has come ---- */

int store_release_due(struct store *store, int64_t now_ms, size_t most, size_t *ret_count,
		      struct err *err)
{
	size_t count = 0;

	for (; count < most; count++) {
		struct store_entry entry = { .at_ms = now_ms, .what = "released", .note = "time" };

		{
			scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
				&store->sqlite, FIND_TIMED, VALUES(NUMBER(now_ms)), err);
			int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

			if (got < 0)
				return -1;
			if (got == 0)
				break;
			entry.seq = sqlite3_column_int64(found, 0);
		}
		if (store_let_go(store, DOC_HELD, &entry, err) < 0 ||
		    store_tell(store, DOC_HELD, &entry, err) < 0)
			return -1;
	}
	*ret_count = count;
	return 0;
}
