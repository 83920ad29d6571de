/* What the store does with what is over: bodies go, the ledger stays. */
#include "queue/store_sqlite.h"

/* The next one whose body is to go; 1, 0, -1. */
static int find_old(struct store *store, int64_t until_ms, struct store_entry *ret_entry,
		    struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_OLD, VALUES(NUMBER(until_ms)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got > 0) {
		ret_entry->seq = sqlite3_column_int64(found, 0);
		ret_entry->state = store_state_of(found, 1);
		ret_entry->reason = reason_row(reason_of(sqlite_text(found, 2)))->code;
	}
	return got;
}

int store_purge(struct store *store, int64_t until_ms, int64_t now_ms, size_t most,
		size_t *ret_count, struct err *err)
{
	size_t count = 0;

	for (; count < most; count++) {
		struct store_entry entry = { .at_ms = now_ms, .what = "purged" };
		int got = find_old(store, until_ms, &entry, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (store_remove_body(store, entry.seq, err) < 0 ||
		    sqlite_run(&store->sqlite, PURGE_ACKS, VALUES(NUMBER(entry.seq)),
			       "purge its acknowledgements", err) < 0 ||
		    sqlite_run(&store->sqlite, PURGE_FACTS, VALUES(NUMBER(entry.seq)),
			       "purge what it was built with", err) < 0 ||
		    sqlite_run(&store->sqlite, SET_PURGED,
			       VALUES(NUMBER(entry.seq), NUMBER(now_ms)), "purge a body",
			       err) < 0 ||
		    store_add_entry(store, &entry, err) < 0)
			return -1;
	}
	*ret_count = count;
	return 0;
}

int store_own_time(struct store *store, struct own_time *ret_time, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, OWN_TIME_IS, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	*ret_time = (struct own_time){ 0 };
	if (got > 0)
		*ret_time = (struct own_time){ sqlite3_column_int64(found, 0),
					       sqlite3_column_int64(found, 1) };
	return 0;
}

int store_keep_own_time(struct store *store, const struct own_time *time, struct err *err)
{
	return sqlite_run(&store->sqlite, KEEP_OWN_TIME,
			  VALUES(NUMBER(time->known_ms), NUMBER(time->doubted_ms)),
			  "keep the time that is believed", err);
}
