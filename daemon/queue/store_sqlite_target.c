/* Imported figures, what waits, and frozen figures: the SQL's side. */
#include "queue/store_sqlite.h"
#include "queue/store_target.h"

#include <inttypes.h>
#include <stdio.h>

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

/* What the figures of a revision say, in one order. */
static int digest_figures(struct store *store, int64_t revision,
			  char ret_hex[static SHA256_BYTES * 2 + 1], struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, IMPORT_FIGURES, VALUES(NUMBER(revision)), err);
	struct digest *digest = digest_new(DIGEST_SHA256);
	scoped(buf_done) struct buf line = { 0 };
	uint8_t bytes[SHA256_BYTES];
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		buf_clear(&line);
		buf_addf(&line, "%s;%s;%d;%lld\n", sqlite_text(rows, 0), sqlite_text(rows, 1),
			 sqlite3_column_int(rows, 2), (long long)sqlite3_column_int64(rows, 3));
		digest_add(digest, buf_slice(&line));
	}
	digest_end(&digest, bytes);
	hex(bytes, sizeof(bytes), ret_hex);
	return got;
}

/* An import as the chain knows it: all that it is, and what its figures say. */
struct import_act {
	struct store_act act;
	struct buf subject, text;
};

static void import_act_done(struct import_act *import)
{
	buf_done(&import->subject);
	buf_done(&import->text);
}

/* From a row of IMPORTS. */
static int describe_import(struct store *store, sqlite3_stmt *row, struct import_act *ret_import,
			   struct err *err)
{
	const struct slice digest = sqlite_bytes(row, 5);
	char of_file[SHA256_BYTES * 2 + 1], of_figures[SHA256_BYTES * 2 + 1];

	hex((const uint8_t *)digest.p, min(digest.n, (size_t)SHA256_BYTES), of_file);
	if (digest_figures(store, sqlite3_column_int64(row, 0), of_figures, err) < 0)
		return -1;
	buf_clear(&ret_import->subject);
	buf_clear(&ret_import->text);
	buf_addf(&ret_import->subject, "%s%s%s", sqlite_text(row, 1),
		 sqlite_text(row, 2)[0] ? " " : "", sqlite_text(row, 2));
	buf_addf(&ret_import->text,
		 "revision=%lld source=%s file=%s sha256=%s figures=%lld figures_sha256=%s",
		 (long long)sqlite3_column_int64(row, 0), sqlite_text(row, 3), sqlite_text(row, 4),
		 of_file, (long long)sqlite3_column_int64(row, 8), of_figures);
	ret_import->act = (struct store_act){
		.at_ms = sqlite3_column_int64(row, 7),
		.what = "imported",
		.subject = ret_import->subject.p,
		.text = ret_import->text.p,
		.actor = sqlite_text(row, 6),
	};
	return 0;
}

/* Those after that revision join the chain. */
static int chain_imports(struct store *store, int64_t after, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, IMPORTS, VALUES(NUMBER(after)), err);
	scoped(import_act_done) struct import_act import = { 0 };
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0)
		if (describe_import(store, rows, &import, err) < 0 ||
		    store_note_act(store, &import.act, err) < 0)
			return -1;
	return got;
}

int store_chain_imports(struct store *store, struct err *err)
{
	return chain_imports(store, 0, err);
}

static int check_import(struct store *store, sqlite3_stmt *row,
			void (*fault)(void *arg, const char *sentence), void *arg, struct err *err)
{
	scoped(import_act_done) struct import_act import = { 0 };
	scoped(free_ptr) char *sentence = NULL;
	int64_t found;

	if (describe_import(store, row, &import, err) < 0 ||
	    store_find_number(store, ACT_IS,
			      VALUES(TEXT(import.act.what), TEXT(import.act.subject),
				     TEXT(import.act.text), TEXT(import.act.actor),
				     NUMBER(import.act.at_ms)),
			      0, &found, err) < 0)
		return -1;
	if (found == 0) {
		sentence = xasprintf("revision %lld of the imported figures (%s) is not what the "
				     "chain says that it was",
				     (long long)sqlite3_column_int64(row, 0), import.act.subject);
		fault(arg, sentence);
	}
	return 0;
}

int store_check_imports(struct store *store, void (*fault)(void *arg, const char *sentence),
			void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, IMPORTS, VALUES(NUMBER(0)), err);
	scoped(free_ptr) char *sentence = NULL;
	int64_t lost = 0;
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0)
		if (check_import(store, rows, fault, arg, err) < 0)
			return -1;
	if (got < 0 || store_find_number(store, COUNT_IMPORTS, NULL, 0, 0, &lost, err) < 0)
		return -1;
	if (lost > 0) {
		sentence = xasprintf("%" PRId64 " imports that the chain knows are gone", lost);
		fault(arg, sentence);
	}
	return 0;
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
	return chain_imports(store, revision - 1, err);
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

int store_quality(struct store *store, int64_t since_ms, int64_t hidden_before_ms,
		  void (*each)(void *arg, const struct store_quality *quality), void *arg,
		  struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, QUALITY, VALUES(NUMBER(since_ms), NUMBER(hidden_before_ms)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_quality quality = {
			.lane = sqlite_text(rows, 0),
			.site = sqlite_text(rows, 1),
			.accepted = sqlite3_column_int64(rows, 2),
			.first_pass = sqlite3_column_int64(rows, 3),
			.replaced = sqlite3_column_int64(rows, 4),
			.invisible = sqlite3_column_int64(rows, 5),
			.still_invisible = sqlite3_column_int64(rows, 6),
		};

		each(arg, &quality);
	}
	return got;
}

int store_promptness(struct store *store, const struct store_names *types, int64_t since_ms,
		     void (*each)(void *arg, const char *site, enum store_promptness when,
				  int64_t n),
		     void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = NULL;
	scoped(buf_done) struct buf list = { 0 };
	int got = -1;

	if (store_teach_days(store, err) < 0)
		return -1;
	rows = sqlite_prepare(
		&store->sqlite, PROMPTNESS,
		VALUES(NUMBER(since_ms), TEXT(store_list_of(types->names, types->count, &list))),
		err);
	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0)
		each(arg, sqlite_text(rows, 0), (enum store_promptness)sqlite3_column_int(rows, 1),
		     sqlite3_column_int64(rows, 2));
	return got;
}

int store_units(struct store *store, int64_t from_ms, int64_t to_ms, int64_t whole_ms,
		void (*each)(void *arg, const struct store_unit *unit), void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = NULL;
	int got = -1;

	if (store_teach_days(store, err) < 0)
		return -1;
	rows = sqlite_prepare(&store->sqlite, UNITS,
			      VALUES(NUMBER(from_ms), NUMBER(to_ms), NUMBER(whole_ms)), err);
	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_unit unit = {
			.site = sqlite_text(rows, 0),
			.unit = sqlite_text(rows, 1),
			.discharges = sqlite3_column_int64(rows, 2),
			.accepted = sqlite3_column_int64(rows, 3),
			.active_weeks = (unsigned)sqlite3_column_int64(rows, 4),
		};

		each(arg, &unit);
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
