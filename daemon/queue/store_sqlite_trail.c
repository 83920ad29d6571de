/* The audit chain as it is forwarded. */
#include "queue/store_sqlite.h"
#include "queue/store_trail.h"

static struct store_trail_row row_of(sqlite3_stmt *rows)
{
	const struct slice digest = sqlite_bytes(rows, 5);
	struct store_trail_row row = {
		.number = (uint64_t)sqlite3_column_int64(rows, 0),
		.at_ms = sqlite3_column_int64(rows, 1),
		.what = sqlite_text(rows, 2),
		.actor = sqlite_text(rows, 3),
		.node = sqlite_text(rows, 4),
		.is_act = sqlite3_column_int(rows, 6) != 0,
		.subject = sqlite_text(rows, 7),
		.text = sqlite_text(rows, 8),
		.doc = sqlite_ulid(rows, 9),
		.action = sqlite_text(rows, 10),
		.unique_id = sqlite_text(rows, 11),
		.type_code = sqlite_text(rows, 12),
		.lane = sqlite_text(rows, 13),
		.site = sqlite_text(rows, 14),
		.source = sqlite_text(rows, 15),
		.channel = sqlite_text(rows, 16),
		.state = sqlite_text(rows, 17),
		.reason = sqlite_text(rows, 18),
		.code = sqlite_text(rows, 19),
		.note = sqlite_text(rows, 20),
		.attempt = (unsigned)sqlite3_column_int(rows, 21),
		.http_status = sqlite3_column_int(rows, 22),
		.duration_ms = sqlite3_column_int64(rows, 23),
	};

	memcpy(row.digest, digest.p, min(digest.n, sizeof(row.digest)));
	return row;
}

int store_trail(struct store *store, uint64_t after, size_t most,
		void (*each)(void *arg, const struct store_trail_row *row), void *arg,
		struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, TRAIL, VALUES(NUMBER(after), NUMBER(most)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_trail_row row = row_of(rows);

		each(arg, &row);
	}
	return got;
}

int store_trail_reach(struct store *store, struct store_trail_reach *ret_reach, struct err *err)
{
	int64_t forwarded, newest;

	if (store_find_number(store, FORWARDED_IS, NULL, 0, 0, &forwarded, err) < 0 ||
	    store_find_number(store, CHAIN_HEAD, NULL, 0, 0, &newest, err) < 0)
		return -1;
	*ret_reach = (struct store_trail_reach){ (uint64_t)forwarded, (uint64_t)newest };
	return 0;
}

int store_note_forwarded(struct store *store, uint64_t number, struct err *err)
{
	return sqlite_run(&store->sqlite, NOTE_FORWARDED, VALUES(NUMBER(number)),
			  "note what was forwarded", err);
}
