/* What people order of documents. */
#include "queue/order.h"
#include "queue/store_sqlite.h"

/* Reads FIND_ORDERED. */
static struct order_case case_of(sqlite3_stmt *found)
{
	return (struct order_case){
		.state = store_state_of(found, 1),
		.reason = reason_of(sqlite_text(found, 2)),
		.doubtful = sqlite3_column_int(found, 3) != 0,
		.purged = sqlite3_column_int64(found, 5) != 0,
		.lacks_ins = sqlite3_column_int(found, 6) != 0,
		.deleted = sqlite3_column_int(found, 7) != 0,
	};
}

/* Whoever lets a document go that is held for its stay has looked at it. Who lets one go that stands somewhere else
 * may not know of its stay, unless they insist: 1: from now on it is held for that.
 */
static int stays_discreet(struct store *store, const struct store_order *order,
			  const struct order_case *its, int64_t seq, struct err *err)
{
	const bool has_looked = order->force || its->reason == REASON_SENSITIVE_STAY;
	const int discreet = store_is_discreet(store, seq, err);

	if (discreet <= 0 || !has_looked)
		return discreet;
	if (order->dry_run)
		return 0;
	return store_decide_discreet(store, seq, err);
}

/* What is let go and changes nothing is not sent, unless that is forced; what is tried again is, whatever it
 * says.
 */
static int write_order(struct store *store, const struct store_order *order,
		       struct store_ordered *ordered, int64_t seq, struct err *err)
{
	struct store_entry entry = {
		.seq = seq,
		.at_ms = order->now_ms,
		.what = order_aim(order->order).what,
		.state = ordered->to,
		.reason = reason_row(ordered->reason)->code,
		.note = order->force ? "forced" : "",
		.actor = order->actor,
	};
	const bool may_end = ordered->from == DOC_HELD;

	if (ordered->to == DOC_QUEUED && !order->force &&
	    store_weigh(store, &entry, may_end, err) < 0)
		return -1;
	ordered->to = entry.state;
	ordered->reason = reason_of(entry.reason);
	if (entry.state != DOC_SUPPRESSED &&
	    sqlite_run(&store->sqlite, ORDER,
		       VALUES(NUMBER(seq), TEXT(doc_state_text(ordered->to)), TEXT(entry.reason),
			      NUMBER(order->now_ms), NUMBER(order->order == ORDER_RETRY)),
		       "carry out an order", err) < 0)
		return -1;
	return store_add_move(store, ordered->from, &entry, err);
}

/* What was refused or rejected for another cause, of a patient who opposes it since. */
static int mind_choice(struct store *store, const struct store_order *order,
		       struct store_ordered *ordered, int64_t seq, struct err *err)
{
	int refused = 0;

	if (ordered->to == DOC_QUEUED && !order->force)
		refused = store_mind_choice(store, seq, order->now_ms, err);
	if (refused > 0) {
		ordered->to = DOC_REFUSED;
		ordered->reason = REASON_PATIENT_OPPOSED;
	}
	return refused < 0 ? -1 : 0;
}

/* Whoever forces a document whose identity is not qualified answers for it, as of now: a later word of
 * another kind counts all the same. Nobody sends it under another's INS.
 */
static int mind_identity(struct store *store, const struct store_order *order,
			 struct store_ordered *ordered, const struct order_case *its, int64_t seq,
			 struct err *err)
{
	enum reason against;
	int held;

	if (ordered->to != DOC_QUEUED)
		return 0;
	if (order->force && its->reason == REASON_INS_NOT_QUALIFIED &&
	    sqlite_run(&store->sqlite, SAY_QUALIFIED, VALUES(NUMBER(seq), NUMBER(order->now_ms)),
		       "say that an identity is qualified", err) < 0)
		return -1;
	held = store_mind_identity(store, seq, order->now_ms, err);
	if (held <= 0)
		return held;
	if (store_judge(store, seq, &against, err) < 0)
		return -1;
	ordered->to = DOC_HELD;
	ordered->reason = against;
	return 0;
}

/* What had let go of what follows it is under way again. */
static int put_behind(struct store *store, const struct store_order *order,
		      const struct store_ordered *ordered, int64_t seq, struct err *err)
{
	if (!doc_state_is_final(ordered->from) || doc_state_is_final(ordered->to))
		return 0;
	return store_put_behind(store, seq, 0, order->now_ms, err);
}

/* ---- the other form ---- */

/* Of what is given up. */
struct other {
	struct order_case its;
	int64_t seq;
};

/* 1; 0: there is none. */
static int find_other(struct store *store, const struct ulid *doc, struct other *ret_other,
		      struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_ORDERED, VALUES(ID(doc)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	ret_other->its = case_of(found);
	ret_other->seq = sqlite3_column_int64(found, 0);
	return 1;
}

/* Both forms are given up, or none is: how the other stands may speak against it. One that has ended stays as it is. */
static int weigh_other(struct store *store, const struct store_order *order, const struct ulid *doc,
		       bool changes, struct store_ordered *ordered, struct err *err)
{
	struct other other;
	int got = find_other(store, doc, &other, err);

	if (got <= 0) /* most have none */
		return got;
	ordered->refusal = order_refusal_by_other(&other.its, changes, order->force);
	if (ordered->refusal == NULL &&
	    order_refusal(ORDER_CANCEL, &other.its, order->force) == NULL) {
		ordered->other = *doc;
		ordered->other_from = other.its.state;
	}
	return 0;
}

/* It may have waited for the turn of the one that is given up already: it is looked at once more, and named no longer
 * if it ended by that.
 */
static int cancel_other(struct store *store, const struct store_order *order,
			struct store_ordered *named, struct err *err)
{
	const struct order_aim aim = order_aim(ORDER_CANCEL);
	struct store_ordered ordered = { .to = aim.state, .reason = aim.reason };
	struct other other;
	int got = find_other(store, &named->other, &other, err);

	if (got <= 0)
		return got;
	if (order_refusal(ORDER_CANCEL, &other.its, order->force) != NULL) {
		named->other = (struct ulid){ 0 };
		return 0;
	}
	ordered.from = other.its.state;
	return write_order(store, order, &ordered, other.seq, err);
}

/* ---- */

int store_order(struct store *store, const struct store_order *order,
		struct store_ordered *ret_ordered, struct err *err)
{
	const struct order_aim aim = order_aim(order->order);
	struct store_ordered ordered = { .to = aim.state, .reason = aim.reason };
	struct ulid other;
	struct order_case its;
	int64_t seq;
	int blocked = 0, discreet = 0;
	bool changes;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, FIND_ORDERED, VALUES(ID(&order->doc)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0) {
			*ret_ordered = ordered;
			return got;
		}
		seq = sqlite3_column_int64(found, 0);
		its = case_of(found);
		changes = sqlite3_column_int(found, 8) != 0;
		other = sqlite_ulid(found, 9);
		if (aim.state == DOC_QUEUED && !order->force)
			blocked = store_is_blocked(store, sqlite_text(found, 4), seq, err);
	}
	ordered.found = true;
	ordered.from = its.state;
	ordered.refusal = order_refusal(order->order, &its, order->force);
	if (ordered.refusal == NULL && order->order == ORDER_CANCEL &&
	    weigh_other(store, order, &other, changes, &ordered, err) < 0)
		return -1;
	if (ordered.refusal == NULL && aim.state == DOC_QUEUED)
		discreet = stays_discreet(store, order, &its, seq, err);
	if (blocked < 0 || discreet < 0)
		return -1;
	if (blocked > 0) { /* it is let go, and takes its turn */
		ordered.to = DOC_HELD;
		ordered.reason = REASON_WAITING_PREDECESSOR;
	}
	if (discreet > 0) {
		ordered.to = DOC_HELD;
		ordered.reason = REASON_SENSITIVE_STAY;
	}
	if (ordered.refusal == NULL && !order->dry_run &&
	    (write_order(store, order, &ordered, seq, err) < 0 ||
	     cancel_other(store, order, &ordered, err) < 0 ||
	     mind_choice(store, order, &ordered, seq, err) < 0 ||
	     mind_identity(store, order, &ordered, &its, seq, err) < 0 ||
	     put_behind(store, order, &ordered, seq, err) < 0))
		return -1;
	*ret_ordered = ordered;
	return 0;
}
