/* A copy of the store, and what it means to begin from one.
 *
 * What waited when the copy was made may have been delivered since: sent again without doubt, it would
 * be refused as a duplicate. So the copy is marked, and a store that begins from one doubts all that
 * had not ended, once: a duplicate then confirms the delivery.
 */
#include "queue/store_sqlite.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* "dmpb", in the header of a copy alone. */
enum { COPY_MARK = 0x646d7062 };
static const char mark_copy[] = "PRAGMA application_id = 0x646d7062";
static const char clear_mark[] = "PRAGMA application_id = 0";

#define UNFINISHED ".tmp" /* what a copy is called until it is whole */

/* ---- making one ---- */

/* In a file that is a copy, of SQLite's header: its first words, and the mark. */
static bool is_marked(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	enum { MARK_AT = 68, HEADER_BYTES = 100 };
	unsigned char header[HEADER_BYTES];
	const uint32_t mark = htobe32(COPY_MARK);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const bool is_read = fd >= 0 && read(fd, header, sizeof(header)) == HEADER_BYTES;

	if (fd >= 0)
		close(fd);
	return is_read && memcmp(header, magic, sizeof(magic)) == 0 &&
	       memcmp(header + MARK_AT, &mark, sizeof(mark)) == 0;
}

/* A copy takes the place of an older one and of nothing else: onto the store's own files it would destroy both. */
static int check_target(struct store *store, const char *path, struct err *err)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	const char *own = sqlite3_db_filename(store->sqlite.db, "main");
	struct stat target, file;

	if (path[0] != '/')
		return err_set(err, ERR_REJECT, "a backup's file is given by its absolute path");
	if (stat(path, &target) < 0)
		return 0;
	if (!S_ISREG(target.st_mode))
		return err_set(err, ERR_REJECT, "%s is there, and is not a file", path);
	for (size_t i = 0; i < length_of(endings); i++) {
		scoped(free_ptr) char *name = xasprintf("%s%s", own, endings[i]);

		if (stat(name, &file) == 0 && file.st_dev == target.st_dev &&
		    file.st_ino == target.st_ino)
			return err_set(err, ERR_REJECT, "%s is a file of the queue itself", path);
	}
	if (!is_marked(path))
		return err_set(err, ERR_REJECT,
			       "%s is there, and is no backup: choose another name, or remove it",
			       path);
	return 0;
}

static int failed(const char *doing, const char *path, struct err *err)
{
	return err_set(err, ERR_RETRY, "cannot %s %s: %s", doing, path, strerrordesc_np(errno));
}

static int sync_path(const char *path, uint64_t *ret_bytes, struct err *err)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0 && fstat(fd, &info) == 0;

	if (!is_synced)
		failed("sync", path, err);
	else
		*ret_bytes = (uint64_t)info.st_size;
	if (fd >= 0)
		close(fd);
	return is_synced ? 0 : -1;
}

/* On disk under its own name, whole or not at all. */
static int put_in_place(const char *from, const char *path, uint64_t *ret_bytes, struct err *err)
{
	scoped(free_ptr) char *folder = xstrdup(path);
	uint64_t of_folder;

	*strrchr(folder, '/') = '\0';
	if (sync_path(from, ret_bytes, err) < 0)
		return -1;
	if (rename(from, path) < 0)
		return failed("rename a backup to", path, err);
	return sync_path(folder[0] ? folder : "/", &of_folder, err);
}

/* A file of a name that nobody has: whatever stands beside the backup is not ours to touch. */
static int create_unfinished(char *path, struct err *err)
{
	int fd = mkostemps(path, (int)strlen(UNFINISHED), O_CLOEXEC);
	bool is_ready = fd >= 0 && fchmod(fd, 0640) == 0;

	if (!is_ready)
		failed("create", path, err);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !is_ready)
		unlink(path);
	return is_ready ? 0 : -1;
}

/* NAME.a1B2c3.tmp, or what SQLite keeps beside that. */
static bool is_unfinished(const char *file, const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const size_t n = strlen(name);

	if (strncmp(file, name, n) != 0 || file[n] != '.' || strspn(file + n + 1, letters) != 6)
		return false;
	file += n + 1 + 6;
	return strcmp(file, UNFINISHED) == 0 || strcmp(file, UNFINISHED "-journal") == 0;
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		closedir(*folder);
}

/* What a kill left of copies that were to have this name: as large as the queue, and as secret. One is made at a time. */
static void remove_unfinished(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	scoped(free_ptr) char *in = xasprintf("%.*s", (int)(name - path), path);
	scoped(close_folder) DIR *folder = opendir(in);
	struct dirent *found;
	struct stat info;

	while (folder != NULL && (found = readdir(folder)) != NULL)
		if (is_unfinished(found->d_name, name) &&
		    fstatat(dirfd(folder), found->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode) && info.st_uid == geteuid())
			(void)!unlinkat(dirfd(folder), found->d_name, 0);
}

int store_backup(struct store *store, const char *path, uint64_t *ret_bytes, struct err *err)
{
	scoped(free_ptr) char *unfinished = xasprintf("%s.XXXXXX" UNFINISHED, path);

	if (check_target(store, path, err) < 0)
		return -1;
	remove_unfinished(path);
	if (create_unfinished(unfinished, err) < 0)
		return -1;
	if (sqlite_copy(&store->sqlite, unfinished, mark_copy, store->ends, err) < 0 ||
	    put_in_place(unfinished, path, ret_bytes, err) < 0) {
		unlink(unfinished);
		return -1;
	}
	return 0;
}

/* ---- beginning from one ---- */

static int is_copy(struct store *store, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, BACKUP_IS, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	return got > 0 ? sqlite3_column_int(found, 0) == COPY_MARK : got;
}

/* The next after *seq that had not ended; 1, 0, -1. */
static int doubt_next(struct store *store, int64_t *seq, int64_t now_ms, struct err *err)
{
	struct store_entry entry = { .at_ms = now_ms, .what = "restored" };
	enum doc_state from;

	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, FIND_RESTORED, VALUES(NUMBER(*seq)), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		entry.seq = *seq = sqlite3_column_int64(found, 0);
		from = store_state_of(found, 1);
		entry.reason = reason_row(reason_of(sqlite_text(found, 2)))->code;
		entry.attempt = sqlite3_column_int64(found, 3);
	}
	entry.state = from == DOC_HELD ? DOC_HELD : DOC_QUEUED;
	if (entry.state == DOC_QUEUED)
		entry.reason = reason_row(REASON_DOUBTFUL)->code;
	if (sqlite_run(&store->sqlite, DOUBT,
		       VALUES(NUMBER(entry.seq), TEXT(doc_state_text(entry.state)),
			      TEXT(entry.reason), NUMBER(now_ms)),
		       "doubt a document", err) < 0 ||
	    store_add_move(store, from, &entry, err) < 0 ||
	    store_mind_all(store, entry.seq, now_ms, err) < 0)
		return -1;
	return 1;
}

int store_doubt_restored(struct store *store, int64_t now_ms, struct store_recovered *recovered,
			 struct err *err)
{
	int64_t seq = 0;
	int got = is_copy(store, err);

	if (got <= 0)
		return got;
	recovered->from_backup = true;
	while ((got = doubt_next(store, &seq, now_ms, err)) > 0)
		recovered->doubted++;
	return got < 0 ? -1 : sqlite_exec(&store->sqlite, clear_mark, "begin from a backup", err);
}
