/* The backlog as a whole, and the ledger as it grows: what operators look at. */
#include "queue/store_sqlite.h"

int store_shape(struct store *store, int64_t now_ms, const int64_t until_ms[STORE_AGES],
		void (*each)(void *arg, const struct store_heap *heap), void *arg, struct err *err)
{
	struct sqlite_value values[1 + STORE_AGES] = { NUMBER(now_ms) };
	scoped(sqlite_reset) sqlite3_stmt *heaps = NULL;
	int got;

	for (size_t i = 0; i < STORE_AGES; i++)
		values[1 + i] = (struct sqlite_value)NUMBER(until_ms[i]);
	heaps = sqlite_prepare(&store->sqlite, SHAPE, values, length_of(values), err);
	if (heaps == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, heaps, err)) > 0)
		each(arg, &(struct store_heap){
				  .lane = sqlite_text(heaps, 0),
				  .type_code = sqlite_text(heaps, 1),
				  .age = (size_t)sqlite3_column_int64(heaps, 2),
				  .documents = (uint64_t)sqlite3_column_int64(heaps, 3),
			  });
	return got;
}

int store_happenings(struct store *store, uint64_t after, const char *site, size_t most,
		     void (*each)(void *arg, const struct store_happening *happening), void *arg,
		     struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, HAPPENINGS, VALUES(NUMBER(after), TEXT(site), NUMBER(most)), err);
	int got;

	if (rows == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, rows, err)) > 0)
		each(arg, &(struct store_happening){
				  .doc = sqlite_ulid(rows, 0),
				  .lane = sqlite_text(rows, 1),
				  .site = sqlite_text(rows, 2),
				  .type_code = sqlite_text(rows, 3),
				  .event = store_event_of(rows, 4),
			  });
	return got;
}

int store_newest(struct store *store, uint64_t *ret_number, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, NEWEST, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	*ret_number = got > 0 ? (uint64_t)sqlite3_column_int64(found, 0) : 0;
	return 0;
}
