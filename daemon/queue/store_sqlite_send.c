/* From the queue to the DMP and back: claims, and what became of them. */
#include "queue/store_sqlite.h"

#include <stdio.h>

enum {
	LEASE_MS =
		3600 *
		1000 /* far longer than an attempt takes: a node that lives has settled by then */
};

/* Runs one of those that set times right: of a lane, or (NULL) of all that is held. */
static int set_right(struct store *store, enum store_statement which, const char *lane,
		     int64_t now_ms, size_t *count, struct err *err)
{
	const struct sqlite_value values[] = { TEXT(lane), NUMBER(now_ms) };
	const size_t first = lane == NULL;

	if (sqlite_run(&store->sqlite, which, values + first, length_of(values) - first,
		       "set its documents' times right", err) < 0)
		return -1;
	*count += (size_t)sqlite3_changes64(store->sqlite.db);
	return 0;
}

int store_clock_went_back(struct store *store, const char *lane, int64_t now_ms, size_t *ret_count,
			  struct err *err)
{
	*ret_count = 0;
	if (set_right(store, SET_RIGHT, lane, now_ms, ret_count, err) < 0 ||
	    set_right(store, SET_LEASES_RIGHT, lane, now_ms, ret_count, err) < 0)
		return -1;
	return set_right(store, SET_TIMED_RIGHT, NULL, now_ms, ret_count, err);
}

int store_mind_all(struct store *store, int64_t seq, int64_t now_ms, struct err *err)
{
	return store_mind_discretion(store, seq, now_ms, err) < 0 ||
			       store_mind_choice(store, seq, now_ms, err) < 0 ||
			       store_mind_identity(store, seq, now_ms, err) < 0 ||
			       store_mind_turn(store, seq, now_ms, err) < 0 ||
			       store_wake_followers(store, seq, now_ms, err) < 0
		       ? -1
		       : 0;
}

/* Documents that `which` finds (by node, time, lane) go back to the queue: they may have been sent. */
static int recover(struct store *store, enum store_statement which, const char *lane,
		   int64_t now_ms, size_t *ret_count, struct err *err)
{
	size_t count = 0;

	for (;; count++) {
		struct store_entry entry = {
			.at_ms = now_ms,
			.what = "recovered",
			.state = DOC_QUEUED,
			.reason = reason_row(REASON_DOUBTFUL)->code,
		};
		scoped(sqlite_reset) sqlite3_stmt *claimed =
			sqlite_prepare(&store->sqlite, which,
				       (const struct sqlite_value[]){ TEXT(store->node),
								      NUMBER(now_ms), TEXT(lane) },
				       lane ? 3 : 2, err);
		int got = claimed ? sqlite_step(&store->sqlite, claimed, err) : -1;

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		entry.seq = sqlite3_column_int64(claimed, 0);
		entry.attempt = sqlite3_column_int64(claimed, 1);
		sqlite_reset(&claimed);
		if (sqlite_run(&store->sqlite, RECOVER, VALUES(NUMBER(entry.seq), NUMBER(now_ms)),
			       "recover a document", err) < 0 ||
		    store_add_move(store, DOC_SENDING, &entry, err) < 0 ||
		    store_mind_all(store, entry.seq, now_ms, err) < 0)
			return -1;
	}
	*ret_count = count;
	return 0;
}

int store_recover(struct store *store, int64_t now_ms, struct store_recovered *ret_recovered,
		  struct err *err)
{
	struct store_recovered recovered = { 0 };

	if (store_doubt_restored(store, now_ms, &recovered, err) < 0 ||
	    recover(store, FIND_CLAIMED, NULL, now_ms, &recovered.claimed, err) < 0)
		return -1;
	*ret_recovered = recovered;
	return 0;
}

static int claim_one(struct store *store, int64_t seq, int64_t now_ms, unsigned attempt,
		     struct err *err)
{
	const struct store_entry entry = {
		.seq = seq,
		.at_ms = now_ms,
		.what = "claimed",
		.state = DOC_SENDING,
		.attempt = attempt,
	};

	if (sqlite_run(&store->sqlite, CLAIM,
		       VALUES(NUMBER(seq), TEXT(store->node), NUMBER(now_ms),
			      NUMBER(now_ms + LEASE_MS)),
		       "claim a document", err) < 0)
		return -1;
	return store_add_move(store, DOC_QUEUED, &entry, err);
}

static int next_due(struct store *store, const char *lane, int64_t *ret_next_ms, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_NEXT_DUE, VALUES(TEXT(lane)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got >= 0)
		*ret_next_ms = got ? sqlite3_column_int64(found, 0) : INT64_MAX;
	return got < 0 ? -1 : 0;
}

/* The next site and source after `turn` of which something is queued in that class, due or not; the first
 * of them again after the last. 1, 0: there is none, -1.
 */
static int next_turn(struct store *store, const char *lane, enum store_priority priority,
		     struct store_turn *turn, struct err *err)
{
	for (int round = 0; round < 2; round++) {
		scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
			&store->sqlite, NEXT_GROUP,
			VALUES(TEXT(lane), NUMBER(priority), TEXT(turn->site), TEXT(turn->source)),
			err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got < 0)
			return -1;
		if (got == 0) {
			*turn = (struct store_turn){ 0 };
			continue;
		}
		snprintf(turn->site, sizeof(turn->site), "%s", sqlite_text(found, 0));
		snprintf(turn->source, sizeof(turn->source), "%s", sqlite_text(found, 1));
		return 1;
	}
	return 0;
}

/* The oldest due of that site and source: 1, 0, -1. */
static int find_due(struct store *store, const char *lane, enum store_priority priority,
		    const struct store_turn *turn, int64_t now_ms, int64_t *ret_seq,
		    struct store_due *ret_due, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *due =
		sqlite_prepare(&store->sqlite, FIND_DUE,
			       VALUES(TEXT(lane), NUMBER(priority), TEXT(turn->site),
				      TEXT(turn->source), NUMBER(now_ms)),
			       err);
	int got = due ? sqlite_step(&store->sqlite, due, err) : -1;

	if (got > 0) {
		*ret_seq = sqlite3_column_int64(due, 0);
		*ret_due = (struct store_due){
			.doc = sqlite_ulid(due, 1),
			.attempt = (unsigned)sqlite3_column_int64(due, 2) + 1,
			.doubtful = sqlite3_column_int(due, 3) != 0,
			.since_ms = sqlite3_column_int64(due, 4),
			.as_new = sqlite3_column_int(due, 5) != 0,
		};
		snprintf(ret_due->source, sizeof(ret_due->source), "%s", turn->source);
	}
	return got;
}

static bool same_turn(const struct store_turn *one, const struct store_turn *other)
{
	return strcmp(one->site, other->site) == 0 && strcmp(one->source, other->source) == 0;
}

/* One of each in turn, until the class has nothing more that is due: the turn has come back to where
 * nothing was found first.
 */
static int claim_class(struct store *store, const char *lane, enum store_priority priority,
		       int64_t now_ms, size_t most, struct store_due *ret_due, size_t *count,
		       struct err *err)
{
	struct store_turn *turn = &store->turns[priority], idle = { 0 };
	bool is_idle = false;

	while (*count < most) {
		int64_t seq;
		int got = next_turn(store, lane, priority, turn, err);

		if (got <= 0)
			return got;
		if (is_idle && same_turn(turn, &idle))
			return 0;
		got = find_due(store, lane, priority, turn, now_ms, &seq, &ret_due[*count], err);
		if (got < 0 ||
		    (got > 0 && claim_one(store, seq, now_ms, ret_due[*count].attempt, err) < 0))
			return -1;
		*count += (size_t)got;
		if (got == 0 && !is_idle)
			idle = *turn;
		is_idle = got == 0;
	}
	return 0;
}

int store_claim(struct store *store, const char *lane, int64_t now_ms, size_t most,
		struct store_due *ret_due, size_t *ret_count, int64_t *ret_next_ms, struct err *err)
{
	size_t count = 0, lapsed;

	if (recover(store, FIND_LAPSED, lane, now_ms, &lapsed, err) < 0)
		return -1;
	for (enum store_priority priority = 0; priority < PRIORITY_COUNT; priority++)
		if (claim_class(store, lane, priority, now_ms, most, ret_due, &count, err) < 0)
			return -1;
	*ret_count = count;
	return next_due(store, lane, ret_next_ms, err);
}

int store_settle(struct store *store, const struct store_outcome *outcome, struct err *err)
{
	struct store_entry entry = {
		.at_ms = outcome->now_ms,
		.what = "settled",
		.state = outcome->state,
		.reason = reason_row(outcome->reason)->code,
		.code = outcome->code,
		.text = outcome->text,
		.note = outcome->note,
		.http_status = outcome->http_status,
		.duration_ms = outcome->duration_ms,
	};

	{
		scoped(sqlite_reset) sqlite3_stmt *sending = sqlite_prepare(
			&store->sqlite, FIND_SENDING, VALUES(ID(&outcome->doc)), err);
		int got = sending ? sqlite_step(&store->sqlite, sending, err) : -1;

		if (got < 0)
			return -1;
		if (got == 0)
			return err_set(err, ERR_HALT, "the document is not being sent");
		entry.seq = sqlite3_column_int64(sending, 0);
		entry.attempt = sqlite3_column_int64(sending, 1);
	}
	if (sqlite_run(&store->sqlite, SETTLE,
		       VALUES(NUMBER(entry.seq), TEXT(doc_state_text(outcome->state)),
			      TEXT(entry.reason), NUMBER(outcome->doubtful),
			      NUMBER(!outcome->attempt_counts), NUMBER(outcome->next_attempt_ms),
			      NUMBER(outcome->now_ms)),
		       "settle a document", err) < 0 ||
	    store_add_move(store, DOC_SENDING, &entry, err) < 0)
		return -1;
	if (outcome->state == DOC_QUEUED)
		return store_mind_all(store, entry.seq, outcome->now_ms, err);
	return store_mind_identity(store, entry.seq, outcome->now_ms, err) < 0 ? -1 : 0;
}

int store_count_alike(struct store *store, const struct ulid *doc, const char *code,
		      unsigned *ret_count, struct err *err)
{
	int64_t count = 0;

	if (store_find_number(store, COUNT_ALIKE, VALUES(ID(doc), TEXT(code)), 0, &count, err) < 0)
		return -1;
	*ret_count = (unsigned)count;
	return 0;
}
