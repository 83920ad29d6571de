/* A document that came before and comes again: its sender may not have heard our answer. The same again changes
 * nothing, unless nothing came of the first and something would come of it now.
 */
#include "queue/store_sqlite.h"

/* Reads FIND_UNIQUE_ID. It was not for the DMP, or its source took it back before it was sent, or what it
 * replaces or deletes was not there, or its identity was not qualified: whoever sends it again without that
 * wants it done. What a person cancelled stays cancelled; and a deletion whose document never left has nothing to
 * delete until that one is on its way again, or may be there.
 */
static bool goes_on(sqlite3_stmt *found, const struct store_again *again,
		    const struct store_arrival *arrival)
{
	const bool is_the_same = sqlite3_column_int(found, 6) != 0;
	const bool was_cancelled = sqlite3_column_int(found, 7) != 0;
	const bool has_object = sqlite3_column_int(found, 8) != 0;
	const bool said_otherwise = sqlite3_column_int(found, 9) != 0;

	if (!is_the_same || was_cancelled ||
	    (arrival->state != DOC_QUEUED && arrival->state != DOC_HELD))
		return false;
	switch (again->reason) {
	case REASON_NOT_FOR_DMP:
		return again->state == DOC_CANCELLED;
	case REASON_WITHDRAWN:
		return again->state == DOC_CANCELLED || has_object;
	case REASON_PREDECESSOR_UNKNOWN:
		return again->state == DOC_REJECTED;
	case REASON_INS_NOT_QUALIFIED:
		return again->state == DOC_HELD && arrival->subject.is_qualified && said_otherwise;
	default:
		return false;
	}
}

int store_find_again(struct store *store, const struct store_arrival *arrival,
		     struct store_again *ret_again, struct err *err)
{
	const struct slice digest = { (const char *)arrival->digest, sizeof(arrival->digest) };
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_UNIQUE_ID,
			       VALUES(TEXT(arrival->unique_id), TEXT(arrival->action),
				      BYTES(digest), TEXT(arrival->lane),
				      NUMBER(arrival->subject.said_ms), NUMBER(arrival->invisible)),
			       err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	*ret_again = (struct store_again){ 0 };
	if (got <= 0)
		return got;
	*ret_again = (struct store_again){
		.seq = sqlite3_column_int64(found, 0),
		.doc = sqlite_ulid(found, 1),
		.state = store_state_of(found, 2),
		.reason = reason_of(sqlite_text(found, 5)),
		.attempts = sqlite3_column_int64(found, 4),
		.is_foreign = !arrival->id_tells && !sqlite3_column_int(found, 3),
	};
	ret_again->goes_on = goes_on(found, ret_again, arrival);
	ret_again->shows_otherwise = sqlite3_column_int(found, 10) != 0;
	return 1;
}
