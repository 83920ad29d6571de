/* The files under the store: those it was opened with, where they were, and whole.
 *
 * SQLite holds its files open. Were they moved away, removed or cut by somebody else, it would go on
 * writing into what nobody finds again, and say that all is well. So whoever begins or commits looks
 * first: two calls of statx(2) beside a sync.
 */
#include "queue/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The lock file outlives the others, and says by this that there is something to lose. */
static const char mark[] = "A store was made beside this file.\n";

/* ---- opening ---- */

int store_files_expect(const struct store *store, const char *path, struct err *err)
{
	struct stat lock, database = { 0 };
	bool was_made = fstat(store->lock_fd, &lock) == 0 && lock.st_size > 0;

	if (!was_made || (stat(path, &database) == 0 && database.st_size > 0))
		return 0;
	return err_set(
		err, ERR_HALT,
		"there was a store here, and its file is %s: put it back, or a backup of it; to "
		"begin with an empty store instead, remove %s.lock",
		database.st_nlink > 0 ? "empty" : "gone", path);
}

/* Once the database is on disk: a mark that stands before it would refuse a first start that was cut. */
int store_files_mark(const struct store *store, struct err *err)
{
	struct stat lock;

	if (fstat(store->lock_fd, &lock) == 0 && lock.st_size > 0)
		return 0;
	if (pwrite(store->lock_fd, mark, sizeof(mark) - 1, 0) < 0 || fsync(store->lock_fd) < 0)
		return err_set(err, ERR_RETRY, "the lock file cannot be written: %s",
			       strerrordesc_np(errno));
	return 0;
}

/* Which file there is, and its size. Not its times: whoever asks for them has Linux (6.13 and later) note the
 * next write by the nanosecond, which dirties the inode at each commit, for the sync to write as well:
 * a second wait for the disk.
 */
static int look(const struct store_file *file, struct store_file *ret_found, struct err *err)
{
	struct statx found;

	if (statx(AT_FDCWD, file->path, 0, STATX_INO | STATX_SIZE, &found) == 0) {
		ret_found->device = makedev(found.stx_dev_major, found.stx_dev_minor);
		ret_found->inode = found.stx_ino;
		ret_found->bytes = (int64_t)found.stx_size;
		return 0;
	}
	return err_set(
		err, ERR_RETRY,
		"%s is gone (%s): put it back; what was acknowledged is in the file that the "
		"gateway holds open",
		file->path, strerrordesc_np(errno));
}

int store_files_watch(struct store *store, const char *path, struct err *err)
{
	static const char *const endings[] = { "", "-wal" };

	for (size_t i = 0; i < length_of(store->files); i++) {
		struct store_file *file = &store->files[i];

		file->path = xasprintf("%s%s", path, endings[i]);
		if (look(file, file, err) < 0)
			return -1;
	}
	return 0;
}

void store_files_done(struct store *store)
{
	for (size_t i = 0; i < length_of(store->files); i++)
		free(store->files[i].path);
}

/* ---- while it is in use ---- */

/* The two numbers that tell how many bytes a file must have. */
static int numbers(struct store *store, size_t which, int first, int64_t ret_numbers[static 2],
		   struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, which, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	for (int i = 0; i < 2 && got > 0; i++)
		ret_numbers[i] = sqlite3_column_int64(found, first + i);
	return got > 0 ? 0 : -1;
}

/* What the pages take. Where the file has fewer, some may still be in the log alone. */
static int database_takes(struct store *store, int64_t *ret_bytes, struct err *err)
{
	int64_t pages[2];

	if (numbers(store, PAGES_ARE, 0, pages, err) < 0)
		return -1;
	*ret_bytes = pages[0] * pages[1];
	return 0;
}

/* What is in the log, as SQLite remembers it. 1: it does not say while the log is being folded. */
static int log_takes(struct store *store, int64_t *ret_bytes, struct err *err)
{
	enum { LOG_HEADER = 32, FRAME_HEADER = 24 }; /* the file format's */
	int64_t pages[2], frames[2];

	if (numbers(store, PAGES_ARE, 0, pages, err) < 0 ||
	    numbers(store, CHECKPOINT, 1, frames, err) < 0)
		return -1;
	if (frames[0] < 0)
		return 1;
	*ret_bytes = frames[0] > 0 ? LOG_HEADER + frames[0] * (FRAME_HEADER + pages[1]) : 0;
	return 0;
}

/* A file has become smaller. SQLite itself cuts what it does not need, in whichever process. 1: whether it
 * did cannot be told now.
 */
static int check_cut(struct store *store, const struct store_file *file, int64_t bytes,
		     struct err *err)
{
	const bool is_log = file != &store->files[0];
	struct err *damage = &store->sqlite.damage;
	int64_t needed = 0;
	int known = (is_log ? log_takes : database_takes)(store, &needed, err);

	if (known > 0 || (known == 0 && needed <= bytes))
		return known;
	err_set(damage, ERR_HALT,
		"%s was cut to %lld bytes while it was in use: stop the gateway, keep the files, "
		"and "
		"restore a backup",
		file->path, (long long)bytes);
	*err = *damage;
	return -1;
}

static int check(struct store *store, struct store_file *file, bool is_between, struct err *err)
{
	struct store_file found;
	int cut = 0;

	if (look(file, &found, err) < 0)
		return -1;
	if (found.device != file->device || found.inode != file->inode)
		return err_set(
			err, ERR_RETRY,
			"%s is another file than the one in use: put that one back, or start "
			"the gateway anew to use this one",
			file->path);
	if (!is_between)
		return 0;
	if (found.bytes < file->bytes)
		cut = check_cut(store, file, found.bytes, err);
	if (cut == 0)
		file->bytes = found.bytes;
	return cut < 0 ? -1 : 0;
}

static int check_all(struct store *store, bool is_between, struct err *err)
{
	if (store->sqlite.damage.kind != ERR_NONE) {
		*err = store->sqlite.damage;
		return -1;
	}
	for (size_t i = 0; i < length_of(store->files); i++)
		if (store->files[i].path != NULL &&
		    check(store, &store->files[i], is_between, err) < 0)
			return -1;
	return 0;
}

int store_files_check(struct store *store, bool is_between, struct err *err)
{
	int rc = check_all(store, is_between, err);

	if (rc < 0)
		err->reason = REASON_STORE_UNAVAILABLE;
	return rc;
}
