/* What waits for a person or an event: how much of it, and for how long. */
#include "queue/store_sqlite.h"

typedef void each_waiting_fn(void *arg, const struct store_waiting *waiting);

static int each_waiting(struct store *store, sqlite3_stmt *found, bool by_site,
			each_waiting_fn *each, void *arg, struct err *err)
{
	int got;

	if (found == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, found, err)) > 0)
		each(arg, &(struct store_waiting){
				  .state = store_state_of(found, 0),
				  .reason = reason_of(sqlite_text(found, 1)),
				  .site = by_site ? sqlite_text(found, 4) : "",
				  .documents = (uint64_t)sqlite3_column_int64(found, 2),
				  .oldest_ms = sqlite3_column_int64(found, 3),
			  });
	return got;
}

int store_count_waiting(struct store *store, each_waiting_fn *each, void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, COUNT_WAITING, NULL, 0, err);

	return each_waiting(store, found, false, each, arg, err);
}

int store_count_waiting_by_site(struct store *store, size_t most, each_waiting_fn *each, void *arg,
				struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
		&store->sqlite, COUNT_WAITING_SITES, VALUES(NUMBER((int64_t)most)), err);

	return each_waiting(store, found, true, each, arg, err);
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

int store_history(struct store *store, int64_t from_ms, size_t most,
		  void (*each)(void *arg, const struct store_happened *happened), void *arg,
		  int64_t *ret_from_ms, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, HISTORY, VALUES(NUMBER((int64_t)most)), err);
	size_t count = 0;
	int got = found ? 0 : -1;

	*ret_from_ms = from_ms;
	while (found != NULL && (got = sqlite_step(&store->sqlite, found, err)) > 0) {
		const struct store_happened happened = {
			.at_ms = sqlite3_column_int64(found, 0),
			.what = sqlite_text(found, 1),
			.state = store_state_of(found, 2),
		};

		if (happened.at_ms < from_ms)
			return 0;
		each(arg, &happened);
		if (++count == most)
			*ret_from_ms = happened.at_ms;
	}
	return got;
}
