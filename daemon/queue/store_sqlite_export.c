/* What is written out: the SQL's side. */
#include "queue/store_export.h"
#include "queue/store_sqlite.h"

int store_begin_reading(struct store *store, struct err *err)
{
	return sqlite_run(&store->sqlite, READ_BEGIN, NULL, 0, "begin to read", err);
}

void store_end_reading(struct store *store)
{
	struct err err = { 0 };

	if (!sqlite3_get_autocommit(store->sqlite.db))
		(void)!sqlite_run(&store->sqlite, READ_END, NULL, 0, "end reading", &err);
}

int store_rejections(struct store *store, int from_month, int to_month,
		     void (*each)(void *arg, const struct count_rejection *rejection), void *arg,
		     struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, REJECTIONS, VALUES(NUMBER(from_month), NUMBER(to_month)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		struct count_rejection rejection = {
			.lane = "",
			.site = sqlite_text(rows, 0),
			.unit = sqlite_text(rows, 1),
			.source = sqlite_text(rows, 2),
			.type_code = sqlite_text(rows, 3),
			.reason = reason_of(sqlite_text(rows, 5)),
			.code = sqlite_text(rows, 6),
			.month = sqlite3_column_int(rows, 7),
			.n = sqlite3_column_int64(rows, 8),
			.oldest_ms = sqlite3_column_int64(rows, 9),
			.newest_ms = sqlite3_column_int64(rows, 10),
		};

		(void)!count_outcome_parse(slice_of(sqlite_text(rows, 4)), &rejection.outcome);
		each(arg, &rejection);
	}
	return got;
}

int store_delays(struct store *store, int64_t from_ms, int64_t to_ms,
		 void (*each)(void *arg, const struct store_delay *delay), void *arg,
		 struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, DELAYS, VALUES(NUMBER(from_ms), NUMBER(to_ms)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_delay delay = {
			.site = sqlite_text(rows, 0),
			.unit = sqlite_text(rows, 1),
			.type_code = sqlite_text(rows, 2),
			.accepted_ms = sqlite3_column_int64(rows, 3),
			.ended_ms = sqlite3_column_int64(rows, 4),
		};

		each(arg, &delay);
	}
	return got;
}

static struct store_evidence evidence_of(sqlite3_stmt *row)
{
	const struct slice body = sqlite_bytes(row, 8);
	struct store_evidence evidence = {
		.number = (uint64_t)sqlite3_column_int64(row, 0),
		.doc = sqlite_ulid(row, 1),
		.unique_id = sqlite_text(row, 2),
		.site = sqlite_text(row, 3),
		.type_code = sqlite_text(row, 4),
		.submitted_ms = sqlite3_column_int64(row, 5),
		.accepted_ms = sqlite3_column_int64(row, 6),
		.lineage = sqlite_ulid(row, 7),
	};

	memcpy(evidence.body, body.p, min(body.n, sizeof(evidence.body)));
	return evidence;
}

int store_evidence(struct store *store, uint64_t after, size_t most, int64_t from_ms, int64_t to_ms,
		   void (*each)(void *arg, const struct store_evidence *evidence), void *arg,
		   uint64_t *ret_last, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, EVIDENCE,
		VALUES(NUMBER(after), NUMBER(most), NUMBER(from_ms), NUMBER(to_ms)), err);
	int got = -1;

	*ret_last = after;
	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_evidence evidence = evidence_of(rows);

		*ret_last = evidence.number;
		if (sqlite3_column_int(rows, 9) != 0)
			each(arg, &evidence);
	}
	return got;
}
