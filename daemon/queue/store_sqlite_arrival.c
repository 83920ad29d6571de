/* How many documents came from each source, by ten minutes: what its rhythm is learnt from. */
#include "queue/store_sqlite.h"

enum { KEPT_SLOTS = 13 * 7 * 24 * 6 }; /* a quarter of a year */

/* The number of the last document counted. */
static int mark(struct store *store, int64_t *ret_seq, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, ARRIVALS_ARE, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got < 0 ? -1 : err_set(err, ERR_HALT, "the store has lost its arrivals");
	*ret_seq = sqlite3_column_int64(found, 0);
	return 0;
}

/* The last of the next `most` documents after `seq`, and how many they are. */
static int find_new(struct store *store, int64_t seq, size_t most, int64_t *ret_last,
		    size_t *ret_count, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, FIND_ARRIVALS, VALUES(NUMBER(seq), NUMBER(most)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return -1;
	*ret_count = (size_t)sqlite3_column_int64(found, 0);
	*ret_last = sqlite3_column_int64(found, 1);
	return 0;
}

int store_note_arrivals(struct store *store, int64_t now_ms, size_t most, size_t *ret_count,
			struct err *err)
{
	static const char doing[] = "count arrivals";
	int64_t seq = 0, last = 0;

	if (mark(store, &seq, err) < 0 || find_new(store, seq, most, &last, ret_count, err) < 0)
		return -1;
	if (*ret_count == 0)
		return 0;
	if (sqlite_run(&store->sqlite, NOTE_ARRIVALS,
		       VALUES(NUMBER(seq), NUMBER(last), NUMBER(STORE_ARRIVAL_SLOT_MS)), doing,
		       err) < 0 ||
	    sqlite_run(&store->sqlite, MARK_ARRIVALS, VALUES(NUMBER(last)), doing, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, FORGET_ARRIVALS,
			  VALUES(NUMBER(now_ms / STORE_ARRIVAL_SLOT_MS - KEPT_SLOTS)), doing, err);
}

int store_arrivals(struct store *store, int64_t from_slot, int64_t to_slot,
		   void (*each)(void *arg, const char *source, int64_t slot, uint64_t documents),
		   void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, ARRIVALS, VALUES(NUMBER(from_slot), NUMBER(to_slot)), err);
	int got;

	if (found == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, found, err)) > 0)
		each(arg, sqlite_text(found, 0), sqlite3_column_int64(found, 1),
		     (uint64_t)sqlite3_column_int64(found, 2));
	return got;
}
