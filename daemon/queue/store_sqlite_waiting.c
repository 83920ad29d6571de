/* What waits for a person or an event: how much of it, and for how long. */
#include "queue/store_sqlite.h"

int store_count_waiting(struct store *store,
			void (*each)(void *arg, const struct store_waiting *waiting), void *arg,
			struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, COUNT_WAITING, NULL, 0, err);
	int got;

	if (found == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, found, err)) > 0)
		each(arg, &(struct store_waiting){
				  .state = store_state_of(found, 0),
				  .reason = reason_of(sqlite_text(found, 1)),
				  .documents = (uint64_t)sqlite3_column_int64(found, 2),
				  .oldest_ms = sqlite3_column_int64(found, 3),
			  });
	return got;
}

int store_oldest_invisible(struct store *store, int64_t *ret_delivered_ms, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, OLDEST_INVISIBLE, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	*ret_delivered_ms = got > 0 ? sqlite3_column_int64(found, 0) : INT64_MAX;
	return 0;
}
