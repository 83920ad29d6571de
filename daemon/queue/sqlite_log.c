/* How the writer's log is written: in few large pieces, into a file that has grown before.
 *
 * SQLite writes its log by the page, in two calls each, and a commit is a dozen of pages. They follow one
 * another, so they are gathered here and written when they are synced, read or more than a few. A
 * sync of a file that has grown must write down its new size too, which is a second place on the disk:
 * so the log grows by steps, of zeros, which SQLite takes for the end of the log. It is used again from
 * its start whenever all of it is in the database, and then grows no more.
 *
 * What stands in the log is nobody's before it was synced: a commit is told to others afterwards. The
 * other files, and the log's other methods, are the system's own.
 */
#include "queue/sqlite_log.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* The system's xWrite() takes less than 128 KiB: of more, it counts the rest above. */
enum { GATHERED_BYTES = 120 << 10, ZERO_BYTES = 64 << 10, STEP_BYTES = 512 << 10 };

/* Stands behind the system's own file, in the memory that SQLite gives both. */
struct log {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *system;
	char *bytes; /* not written yet: `n` of them, from `at` on */
	size_t n;
	sqlite3_int64 at;
	sqlite3_int64 file_bytes; /* as far as it has grown */
	bool is_synced;           /* once, and nothing was written through this handle since */
};

static sqlite3_vfs *system_vfs(void)
{
	return sqlite3_vfs_find("unix");
}

static struct log *log_of(sqlite3_file *file)
{
	const size_t behind = ((size_t)system_vfs()->szOsFile + 15) / 16 * 16;

	return (struct log *)(void *)((char *)file + behind);
}

/* Ahead of what follows `end`. A disk without room for the step may have room for what matters. */
static void grow(sqlite3_file *file, struct log *log, sqlite3_int64 end)
{
	static const char zeros[ZERO_BYTES];

	if (end <= log->file_bytes)
		return;
	for (log->file_bytes = end; log->file_bytes < end + STEP_BYTES;
	     log->file_bytes += ZERO_BYTES)
		if (log->system->xWrite(file, zeros, ZERO_BYTES, log->file_bytes) != SQLITE_OK)
			return;
}

/* What could not be written is forgotten: SQLite takes the transaction back. */
static int flush(sqlite3_file *file, struct log *log)
{
	const size_t n = log->n;
	int result = SQLITE_OK;

	log->n = 0;
	log->is_synced &= n == 0;
	if (n > 0)
		result = log->system->xWrite(file, log->bytes, (int)n, log->at);
	if (n > 0 && result == SQLITE_OK)
		grow(file, log, log->at + (sqlite3_int64)n);
	return result;
}

static int log_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	struct log *log = log_of(file);
	int result = SQLITE_OK;

	if (at != log->at + (sqlite3_int64)log->n || log->n + (size_t)n > GATHERED_BYTES)
		result = flush(file, log);
	if (result != SQLITE_OK)
		return result;
	if (n > GATHERED_BYTES) {
		log->is_synced = false;
		return log->system->xWrite(file, bytes, n, at);
	}
	if (log->n == 0)
		log->at = at;
	memcpy(log->bytes + log->n, bytes, (size_t)n);
	log->n += (size_t)n;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	struct log *log = log_of(file);
	int result = flush(file, log);

	return result == SQLITE_OK ? log->system->xRead(file, bytes, n, at) : result;
}

/* Whoever folds syncs the log before: it must not be newer in the database than on disk. But what others
 * wrote they synced before they showed it, so that a handle has its own writes to answer for; and, at its
 * first sync, what a process that died may have left.
 */
static int log_sync(sqlite3_file *file, int how)
{
	struct log *log = log_of(file);
	int result = flush(file, log);

	if (result != SQLITE_OK || log->is_synced)
		return result;
	result = log->system->xSync(file, how);
	log->is_synced = result == SQLITE_OK;
	return result;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_bytes)
{
	struct log *log = log_of(file);
	int result = flush(file, log);

	return result == SQLITE_OK ? log->system->xFileSize(file, ret_bytes) : result;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
	struct log *log = log_of(file);
	int result = flush(file, log);

	log->file_bytes = min(log->file_bytes, bytes);
	return result == SQLITE_OK ? log->system->xTruncate(file, bytes) : result;
}

static int log_close(sqlite3_file *file)
{
	struct log *log = log_of(file);
	int result = flush(file, log), closed = log->system->xClose(file);

	free(log->bytes);
	return result == SQLITE_OK ? closed : result;
}

/* In the place of the system's methods, whose file it stays. */
static void take_over(sqlite3_file *file)
{
	struct log *log = log_of(file);

	*log = (struct log){ .methods = *file->pMethods, .system = file->pMethods };
	(void)log->system->xFileSize(file, &log->file_bytes);
	log->bytes = xcalloc(1, GATHERED_BYTES);
	log->methods.xClose = log_close;
	log->methods.xRead = log_read;
	log->methods.xWrite = log_write;
	log->methods.xTruncate = log_truncate;
	log->methods.xSync = log_sync;
	log->methods.xFileSize = log_size;
	file->pMethods = &log->methods;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		     int *ret_flags)
{
	int result = system_vfs()->xOpen(system_vfs(), name, file, flags, ret_flags);

	(void)vfs;
	if (result == SQLITE_OK && flags & SQLITE_OPEN_WAL)
		take_over(file);
	return result;
}

const char *sqlite_log_vfs(void)
{
	static sqlite3_vfs vfs;
	static const char name[] = "gathering-log";

	if (sqlite3_vfs_find(name) != NULL)
		return name;
	vfs = *system_vfs();
	vfs.zName = name;
	vfs.szOsFile = (vfs.szOsFile + 15) / 16 * 16 + (int)sizeof(struct log);
	vfs.xOpen = open_file;
	sqlite3_vfs_register(&vfs, false);
	return name;
}
