/* SQLite with our manners. A connection is used by one thread. */
#include "queue/sqlite.h"

#include <errno.h>

#include "queue/sqlite_log.h"

enum {
	BUSY_MS = 5000, /* another process looks (a backup, a shell): wait, but not for ever */
	PIECE_BYTES = 1 << 20, /* of a large value */
	COPIED_PAGES = 256,    /* 2 MiB, in one piece of a copy */
	OPERATIONS = 100000,   /* between two looks at whether to give up */
};

/* SQLite would count the bytes that it holds, under a lock, at each of them: nobody asks. */
void sqlite_start(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
		       0); /* in vain once it is in use: it is for speed only */
}

int sqlite_open(struct sqlite *sqlite, const char *path, int flags, const char *const *sql,
		size_t statement_count, struct err *err)
{
	sqlite->sql = sql;
	sqlite->statement_count = statement_count;
	sqlite->statements = xcalloc(statement_count, sizeof(*sqlite->statements));
	if (sqlite3_open_v2(path, &sqlite->db, flags | SQLITE_OPEN_NOMUTEX,
			    flags & SQLITE_OPEN_READWRITE ? sqlite_log_vfs() : NULL) != SQLITE_OK)
		return sqlite_failed(sqlite, "be opened", err);
	sqlite3_extended_result_codes(sqlite->db, 1);
	sqlite3_busy_timeout(sqlite->db, BUSY_MS);
	return 0;
}

void sqlite_done(struct sqlite *sqlite)
{
	for (size_t i = 0; i < sqlite->statement_count; i++)
		sqlite3_finalize(sqlite->statements[i]);
	free(sqlite->statements);
	sqlite3_close(sqlite->db);
	*sqlite = (struct sqlite){ 0 };
}

static int has_ended(void *ends)
{
	return atomic_load((const atomic_bool *)ends);
}

void sqlite_give_up_when(struct sqlite *sqlite, const atomic_bool *ends)
{
	union { /* SQLite hands it back as it is */
		const atomic_bool *ours;
		void *its;
	} arg = { ends };

	sqlite3_progress_handler(sqlite->db, OPERATIONS, has_ended, arg.its);
}

/* What the system said. SQLite does not keep it for a commit: then it is what the failing call left,
 * or one that failed after it for the same cause.
 */
static int system_errno(sqlite3 *db)
{
	return sqlite3_system_errno(db) ? sqlite3_system_errno(db) : errno;
}

/* SQLite calls a disk that cannot be read a damaged file; it may be read again one day. */
static bool could_not_read(int code)
{
	return code == SQLITE_CORRUPT && (errno == EIO || errno == ENXIO);
}

int sqlite_failed(struct sqlite *sqlite, const char *doing, struct err *err)
{
	int code = sqlite->db ? sqlite3_errcode(sqlite->db) & 0xff : SQLITE_NOMEM;
	bool unread = could_not_read(code);
	bool damaged = (code == SQLITE_CORRUPT && !unread) || code == SQLITE_NOTADB;
	bool halts = damaged || code == SQLITE_SCHEMA || code == SQLITE_CONSTRAINT ||
		     code == SQLITE_MISMATCH || code == SQLITE_MISUSE;
	int system = unread || code == SQLITE_IOERR || code == SQLITE_CANTOPEN
			     ? system_errno(sqlite->db)
			     : 0;

	err_set(err, halts ? ERR_HALT : ERR_RETRY, "the store could not %s: %s%s%s%s%s", doing,
		unread       ? "the disk cannot be read"
		: sqlite->db ? sqlite3_errmsg(sqlite->db)
			     : "out of memory",
		system ? " (" : "", system ? strerrordesc_np(system) : "", system ? ")" : "",
		damaged ? ": keep the files, and restore a backup" : "");
	err->reason = REASON_STORE_UNAVAILABLE;
	if (damaged)
		sqlite->damage = *err;
	return -1;
}

static int bind(sqlite3_stmt *statement, int place, const struct sqlite_value *value)
{
	const char *text = value->kind == VALUE_TEXT && value->text ? value->text : "";

	switch (value->kind) {
	case VALUE_TEXT:
		return sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
	case VALUE_NUMBER:
		return sqlite3_bind_int64(statement, place, value->number);
	case VALUE_BYTES:
		return sqlite3_bind_blob64(statement, place, value->bytes.p, value->bytes.n,
					   SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

sqlite3_stmt *sqlite_prepare(struct sqlite *sqlite, size_t which, const struct sqlite_value *values,
			     size_t count, struct err *err)
{
	sqlite3_stmt **statement = &sqlite->statements[which];
	int result = SQLITE_OK;

	errno = 0;
	if (*statement == NULL)
		result = sqlite3_prepare_v3(sqlite->db, sqlite->sql[which], -1,
					    SQLITE_PREPARE_PERSISTENT, statement, NULL);
	for (size_t i = 0; i < count && result == SQLITE_OK; i++)
		result = bind(*statement, (int)i + 1, &values[i]);
	if (result == SQLITE_OK)
		return *statement;
	sqlite_failed(sqlite, "prepare a statement", err);
	return NULL;
}

void sqlite_reset(sqlite3_stmt **statement)
{
	if (*statement != NULL)
		sqlite3_reset(*statement);
	*statement = NULL;
}

int sqlite_step(struct sqlite *sqlite, sqlite3_stmt *statement, struct err *err)
{
	int result;

	errno = 0; /* sqlite_failed() looks at it */
	result = sqlite3_step(statement);

	if (result == SQLITE_ROW)
		return 1;
	return result == SQLITE_DONE ? 0 : sqlite_failed(sqlite, "read", err);
}

int sqlite_run(struct sqlite *sqlite, size_t which, const struct sqlite_value *values, size_t count,
	       const char *doing, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *statement =
		sqlite_prepare(sqlite, which, values, count, err);

	if (statement == NULL)
		return -1;
	errno = 0;
	if (sqlite3_step(statement) != SQLITE_DONE)
		return sqlite_failed(sqlite, doing, err);
	return 0;
}

int sqlite_overwrite(struct sqlite *sqlite, const char *table, const char *column, int64_t row,
		     struct slice bytes, const char *doing, struct err *err)
{
	sqlite3_blob *blob = NULL;
	int result;

	errno = 0;
	result = sqlite3_blob_open(sqlite->db, "main", table, column, row, true, &blob);
	for (size_t at = 0; result == SQLITE_OK && at < bytes.n; at += PIECE_BYTES)
		result = sqlite3_blob_write(blob, bytes.p + at,
					    (int)min(bytes.n - at, (size_t)PIECE_BYTES), (int)at);
	if (result != SQLITE_OK)
		sqlite_failed(sqlite, doing, err);
	sqlite3_blob_close(blob);
	return result == SQLITE_OK ? 0 : -1;
}

int sqlite_append(struct sqlite *sqlite, const char *table, const char *column, int64_t row,
		  struct buf *out, struct err *err)
{
	sqlite3_blob *blob = NULL;
	char *room = NULL;
	size_t n = 0;
	int result;

	errno = 0;
	result = sqlite3_blob_open(sqlite->db, "main", table, column, row, false, &blob);
	if (result == SQLITE_OK) {
		n = (size_t)sqlite3_blob_bytes(blob);
		room = buf_reserve(out, n);
		n = room ? n : 0;
	}
	for (size_t at = 0; result == SQLITE_OK && at < n; at += PIECE_BYTES) {
		result = sqlite3_blob_read(blob, room + at, (int)min(n - at, (size_t)PIECE_BYTES),
					   (int)at);
		sqlite3_db_release_memory(sqlite->db);
	}
	if (result != SQLITE_OK)
		sqlite_failed(sqlite, "read", err);
	sqlite3_blob_close(blob);
	if (result != SQLITE_OK)
		return -1;
	out->n += n;
	if (room != NULL)
		room[n] = '\0';
	return 0;
}

int sqlite_exec(struct sqlite *sqlite, const char *text, const char *doing, struct err *err)
{
	errno = 0;
	if (sqlite3_exec(sqlite->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_failed(sqlite, doing, err);
	return 0;
}

static int copy_pieces(struct sqlite *from, sqlite3 *to, const atomic_bool *ends)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from->db, "main");
	int result = copy ? SQLITE_OK : sqlite3_errcode(to);

	while (result == SQLITE_OK)
		result = ends != NULL && atomic_load(ends)
				 ? SQLITE_INTERRUPT
				 : sqlite3_backup_step(copy, COPIED_PAGES);
	sqlite3_backup_finish(copy);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* One snapshot for all of it: or every commit meanwhile would make the copy begin again, and it would
 * never end. The log grows as long as it lasts.
 */
int sqlite_copy(struct sqlite *sqlite, const char *path, const char *then, const atomic_bool *ends,
		struct err *err)
{
	sqlite3 *copy = NULL;
	int result = sqlite3_exec(sqlite->db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL,
				  NULL, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL);
	if (result == SQLITE_OK)
		result = copy_pieces(sqlite, copy, ends);
	sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_exec(copy, then, NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_close(copy);
	else
		sqlite3_close(copy);
	return result == SQLITE_OK ? 0
				   : err_set(err, ERR_RETRY, "the store could not be copied: %s",
					     sqlite3_errstr(result));
}

/* A value that is not there may be one that SQLite had no memory to give. */
static void check_memory(sqlite3_stmt *statement)
{
	if ((sqlite3_errcode(sqlite3_db_handle(statement)) & 0xff) == SQLITE_NOMEM)
		no_memory();
}

const char *sqlite_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	if (text == NULL)
		check_memory(statement);
	return text ? (const char *)text : "";
}

struct slice sqlite_bytes(sqlite3_stmt *statement, int column)
{
	const char *bytes = sqlite3_column_blob(statement, column);
	int n = sqlite3_column_bytes(statement, column);

	if (bytes == NULL)
		check_memory(statement);
	return (struct slice){ bytes ? bytes : "", (size_t)n };
}

struct ulid sqlite_ulid(sqlite3_stmt *statement, int column)
{
	struct slice bytes = sqlite_bytes(statement, column);
	struct ulid ulid = { 0 };

	memcpy(ulid.bytes, bytes.p, min(bytes.n, sizeof(ulid.bytes)));
	return ulid;
}
