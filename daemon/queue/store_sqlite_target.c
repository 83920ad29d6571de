/* Imported figures, what waits, and frozen figures: the SQL's side. */
#include "queue/store_sqlite.h"
#include "queue/store_target.h"

static const char *const kinds[] = {
	[FIGURES_DENOMINATOR] = "denominator",
	[FIGURES_OFFICIAL] = "official",
	[FIGURES_DECLARED] = "declared",
};

/* ---- imports ---- */

static int add_import(struct store *store, const struct store_import *import, struct err *err)
{
	const struct slice digest = { (const char *)import->digest, sizeof(import->digest) };

	return sqlite_run(&store->sqlite, ADD_IMPORT,
			  VALUES(TEXT(kinds[import->kind]), TEXT(import->series),
				 TEXT(import->source), TEXT(import->file), BYTES(digest),
				 TEXT(import->actor), NUMBER(import->now_ms),
				 NUMBER(import->count)),
			  "note an import", err);
}

int store_import_figures(struct store *store, const struct store_import *import,
			 uint64_t *ret_revision, struct err *err)
{
	int64_t revision;

	if (add_import(store, import, err) < 0)
		return -1;
	revision = sqlite3_last_insert_rowid(store->sqlite.db);
	for (size_t i = 0; i < import->count; i++) {
		const struct store_figure *figure = &import->figures[i];

		if (sqlite_run(&store->sqlite, ADD_FIGURE,
			       VALUES(NUMBER(revision), TEXT(figure->site), TEXT(figure->name),
				      NUMBER(figure->month), NUMBER(figure->n)),
			       "note a figure", err) < 0)
			return -1;
	}
	*ret_revision = (uint64_t)revision;
	return 0;
}

int store_figures(struct store *store, enum store_figures kind, const char *series, int from_month,
		  int to_month,
		  void (*each)(void *arg, const struct store_figure *figure,
			       const struct store_origin *origin),
		  void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, FIGURES,
		VALUES(TEXT(kinds[kind]), TEXT(series), NUMBER(from_month), NUMBER(to_month)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_figure figure = {
			.site = sqlite_text(rows, 0),
			.name = sqlite_text(rows, 1),
			.month = sqlite3_column_int(rows, 2),
			.n = sqlite3_column_int64(rows, 3),
		};
		const struct store_origin origin = {
			.revision = (uint64_t)sqlite3_column_int64(rows, 4),
			.source = sqlite_text(rows, 5),
			.actor = sqlite_text(rows, 6),
			.imported_ms = sqlite3_column_int64(rows, 7),
		};

		each(arg, &figure, &origin);
	}
	return got;
}

/* ---- what waits ---- */

int store_unsent(struct store *store, void (*each)(void *arg, const struct store_unsent *waiting),
		 void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, WAITING,
			       VALUES(TEXT(reason_row(REASON_INS_NOT_QUALIFIED)->code)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_unsent waiting = {
			.lane = sqlite_text(rows, 0),
			.site = sqlite_text(rows, 1),
			.field = sqlite_text(rows, 2),
			.type_code = sqlite_text(rows, 3),
			.needs_ins = sqlite3_column_int(rows, 4) != 0,
			.n = sqlite3_column_int64(rows, 5),
		};

		each(arg, &waiting);
	}
	return got;
}

int store_quality(struct store *store, int64_t since_ms,
		  void (*each)(void *arg, const struct store_quality *quality), void *arg,
		  struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, QUALITY, VALUES(NUMBER(since_ms)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_quality quality = {
			.lane = sqlite_text(rows, 0),
			.site = sqlite_text(rows, 1),
			.accepted = sqlite3_column_int64(rows, 2),
			.first_pass = sqlite3_column_int64(rows, 3),
			.replaced = sqlite3_column_int64(rows, 4),
			.invisible = sqlite3_column_int64(rows, 5),
		};

		each(arg, &quality);
	}
	return got;
}

/* ---- frozen figures ---- */

int store_freeze(struct store *store, const struct store_snapshot *snapshot, struct err *err)
{
	if (sqlite_run(&store->sqlite, ADD_SNAPSHOT,
		       VALUES(TEXT(snapshot->programme), TEXT(snapshot->window),
			      TEXT(snapshot->indicator), TEXT(snapshot->place),
			      NUMBER(snapshot->frozen_ms), TEXT(snapshot->json)),
		       "freeze a figure", err) < 0)
		return -1;
	return sqlite3_changes64(store->sqlite.db) > 0;
}

int store_snapshots(struct store *store,
		    void (*each)(void *arg, const struct store_snapshot *snapshot), void *arg,
		    struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, SNAPSHOTS, NULL, 0, err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_snapshot snapshot = {
			.programme = sqlite_text(rows, 0),
			.window = sqlite_text(rows, 1),
			.indicator = sqlite_text(rows, 2),
			.place = sqlite_text(rows, 3),
			.frozen_ms = sqlite3_column_int64(rows, 4),
			.json = sqlite_text(rows, 5),
		};

		each(arg, &snapshot);
	}
	return got;
}

int store_forget_snapshots(struct store *store, int64_t before_ms, size_t *ret_count,
			   struct err *err)
{
	if (sqlite_run(&store->sqlite, FORGET_SNAPSHOTS, VALUES(NUMBER(before_ms)),
		       "forget old figures", err) < 0)
		return -1;
	*ret_count = (size_t)sqlite3_changes64(store->sqlite.db);
	return 0;
}
