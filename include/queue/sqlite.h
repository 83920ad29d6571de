/* SQLite with our manners: prepared statements by number, values bound by kind, its answers as
 * struct err. Inside queue/ only. A connection is used by one thread.
 */
#ifndef DMPFEED_QUEUE_SQLITE_H
#define DMPFEED_QUEUE_SQLITE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/ulid.h"

struct sqlite {
	sqlite3 *db;
	const char *const *sql; /* the texts of its statements, by number */
	sqlite3_stmt **statements;
	size_t statement_count;
	struct err damage; /* the file is damaged: stays true until it is opened anew */
};

/* Before the first connection of the process, and before there are threads. */
void sqlite_start(void);

/* Opens `path` with SQLite's flags. `sql` lives as long as the connection. */
must_use int sqlite_open(struct sqlite *sqlite, const char *path, int flags, const char *const *sql,
			 size_t statement_count, struct err *err);
void sqlite_done(struct sqlite *sqlite);

/* A statement that is running fails soon after *ends is set, by whatever thread. */
void sqlite_give_up_when(struct sqlite *sqlite, const atomic_bool *ends);

/* Fills err from SQLite's last answer: "the store could not <doing>: …", with the system's word where
 * it failed. A damaged file, or a rule
 * of the schema broken, needs a human (ERR_HALT); the rest (full, read-only, busy) may pass
 * (ERR_RETRY). The reason is store_unavailable. Returns -1.
 */
int sqlite_failed(struct sqlite *sqlite, const char *doing, struct err *err);

/* What a parameter is bound to; bytes and texts are borrowed until the statement is reset. */
struct sqlite_value {
	enum { VALUE_TEXT, VALUE_NUMBER, VALUE_BYTES } kind;
	union {
		const char *text; /* NULL reads as "" */
		int64_t number;
		struct slice bytes;
	};
};

/* clang-format off */
#define TEXT(value) { .kind = VALUE_TEXT, .text = (value) }
#define NUMBER(value) { .kind = VALUE_NUMBER, .number = (int64_t)(value) }
#define BYTES(value) { .kind = VALUE_BYTES, .bytes = (value) }
#define ID(ulid) BYTES(((struct slice){ (const char *)(ulid)->bytes, sizeof((ulid)->bytes) }))
#define VALUES(...) \
	(const struct sqlite_value[]){ __VA_ARGS__ }, \
	length_of(((const struct sqlite_value[]){ __VA_ARGS__ }))
/* clang-format on */

/* The statement with its parameters bound, ready to step; NULL and err. */
sqlite3_stmt *sqlite_prepare(struct sqlite *sqlite, size_t which, const struct sqlite_value *values,
			     size_t count, struct err *err);

/* For scoped(): ends what a statement was doing, so that it holds no lock and no borrowed bytes. */
void sqlite_reset(sqlite3_stmt **statement);

/* The next row: 1, 0 after the last one, -1 and err. */
int sqlite_step(struct sqlite *sqlite, sqlite3_stmt *statement, struct err *err);

/* Runs a statement that gives no row. */
must_use int sqlite_run(struct sqlite *sqlite, size_t which, const struct sqlite_value *values,
			size_t count, const char *doing, struct err *err);

/* Writes over the whole of a value that has as many bytes, without a copy of it in memory: a statement
 * would make one of the whole row.
 */
must_use int sqlite_overwrite(struct sqlite *sqlite, const char *table, const char *column,
			      int64_t row, struct slice bytes, const char *doing, struct err *err);

/* Appends a whole value, likewise; of what it reads nothing stays in the page cache either. */
must_use int sqlite_append(struct sqlite *sqlite, const char *table, const char *column,
			   int64_t row, struct buf *out, struct err *err);

/* Runs text that is no statement of the table: pragmas, the schema. */
must_use int sqlite_exec(struct sqlite *sqlite, const char *text, const char *doing,
			 struct err *err);

/* Copies the whole database, as it is now, into a new file, a piece at a time; *ends, by whatever thread,
 * stops it. `then` is run in the copy. -1: err; what was written of the file is the caller's to remove.
 */
must_use int sqlite_copy(struct sqlite *sqlite, const char *path, const char *then,
			 const atomic_bool *ends, struct err *err);

/* Columns of the row; valid until the next step. Never NULL. */
const char *sqlite_text(sqlite3_stmt *statement, int column);
struct slice sqlite_bytes(sqlite3_stmt *statement, int column);
struct ulid sqlite_ulid(sqlite3_stmt *statement, int column);

#endif
