/* Preloaded, remembers what was done to the files under a folder, and what of it was synced: after a
 * SIGKILL the test takes back what a power cut would have lost (tests/system/disks.py).
 *
 * FORGETFUL_UNDER: the folder. FORGETFUL_LOG: where the records go; they are written before what
 * they tell of is done, so that a kill in between leaves at worst a record of what did not happen.
 * FORGETFUL_GRAVES: a folder on the same disk, which keeps what was unlinked. FORGETFUL_SYNC_US: how
 * long a sync takes: the longer, the more often a kill meets what is not synced yet.
 *
 * Files that are mapped into memory (SQLite's -shm) are not followed: nothing in them needs to last.
 */
#include "preload.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

enum kind { WROTE = 1, CUT, SYNCED, MADE, RENAMED, UNLINKED };

/* Then: the path, the other path, the old bytes, the new bytes. */
struct record {
	uint32_t kind, path_bytes, other_bytes, unused;
	uint64_t inode; /* of the file; of a RENAMED, MADE, UNLINKED the folder's */
	uint64_t
		other_inode; /* of the folder that it was renamed into; of an UNLINKED the file's */
	uint64_t at;         /* where it was written, cut; where the log ended as the sync began */
	uint64_t before;     /* the file's size */
	uint64_t old, new;   /* bytes of each */
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *graves;
static int log_fd = -1;
static uint64_t log_bytes;
static useconds_t sync_us;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FORGETFUL_LOG"), *us = getenv("FORGETFUL_SYNC_US");

	folder = getenv("FORGETFUL_UNDER");
	graves = getenv("FORGETFUL_GRAVES");
	sync_us = (useconds_t)strtoul(us ? us : "0", NULL, 10);
	if (path != NULL)
		log_fd = real(open)(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t n)
{
	if (n > 0 && real(write)(log_fd, bytes, n) != (ssize_t)n)
		abort(); /* the test would account for what was not recorded */
	log_bytes += n;
}

static void record(struct record record, const char *path, const char *other, const void *old,
		   const void *new)
{
	record.path_bytes = (uint32_t)strlen(path);
	record.other_bytes = (uint32_t)strlen(other);
	put(&record, sizeof(record));
	put(path, record.path_bytes);
	put(other, record.other_bytes);
	put(old, record.old);
	put(new, record.new);
}

static bool is_followed(const char *path)
{
	size_t n = strlen(path);

	return log_fd >= 0 && is_under(path, folder) &&
	       (n < 4 || strcmp(path + n - 4, "-shm") != 0);
}

static bool is_followed_fd(int fd, char ret_path[static PATH_MAX], struct stat *ret_found)
{
	return log_fd >= 0 && path_of(fd, ret_path) && is_followed(ret_path) &&
	       fstat(fd, ret_found) == 0;
}

static uint64_t inode_at(int at, const char *name)
{
	struct stat found;

	return fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found.st_ino : 0;
}

/* Of the folder that a path is in. */
static uint64_t parent_of(const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	*slash = '\0';
	return inode_at(AT_FDCWD, parent);
}

/* What is in the file where `n` bytes will be written, or cut off. */
static void *old_bytes(int fd, uint64_t at, uint64_t n, uint64_t *ret_n)
{
	void *old = malloc(n + 1);
	ssize_t got = old ? pread(fd, old, n, (off_t)at) : -1;

	*ret_n = got > 0 ? (uint64_t)got : 0;
	return old;
}

#define following(statement)                                                                       \
	do {                                                                                       \
		pthread_mutex_lock(&one_at_a_time);                                                \
		statement;                                                                         \
		pthread_mutex_unlock(&one_at_a_time);                                              \
	} while (0)

/* ---- bytes ---- */

static void note_write(int fd, const char *path, const struct stat *found, const void *bytes,
		       size_t n, off_t at)
{
	struct record wrote = { .kind = WROTE,
				.inode = found->st_ino,
				.at = (uint64_t)at,
				.before = (uint64_t)found->st_size,
				.new = n };
	void *old = old_bytes(fd, wrote.at, n, &wrote.old);

	record(wrote, path, "", old, bytes);
	free(old);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	char path[PATH_MAX];
	struct stat found;
	ssize_t done;

	if (!is_followed_fd(fd, path, &found))
		return real(pwrite)(fd, bytes, n, at);
	following({
		fstat(fd, &found);
		note_write(fd, path, &found, bytes, n, at);
		done = real(pwrite)(fd, bytes, n, at);
	});
	return done;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	char path[PATH_MAX];
	struct stat found;
	ssize_t done;

	if (!is_followed_fd(fd, path, &found))
		return real(write)(fd, bytes, n);
	following({
		note_write(fd, path, &found, bytes, n, lseek(fd, 0, SEEK_CUR));
		done = real(write)(fd, bytes, n);
	});
	return done;
}

int ftruncate(int fd, off_t bytes)
{
	struct record cut = { .kind = CUT };
	char path[PATH_MAX];
	struct stat found;
	void *old;
	int done;

	if (!is_followed_fd(fd, path, &found))
		return real(ftruncate)(fd, bytes);
	following({
		fstat(fd, &found);
		cut.inode = found.st_ino;
		cut.at = (uint64_t)bytes;
		cut.before = (uint64_t)found.st_size;
		old = old_bytes(fd, cut.at, cut.before > cut.at ? cut.before - cut.at : 0,
				&cut.old);
		record(cut, path, "", old, NULL);
		free(old);
		done = real(ftruncate)(fd, bytes);
	});
	return done;
}

/* What was done before the sync began lasts. The page cache outlives a SIGKILL: no need to sync. */
static int sync_file(int fd, int (*really)(int fd))
{
	struct record synced = { .kind = SYNCED };
	char path[PATH_MAX];
	struct stat found;

	if (!is_followed_fd(fd, path, &found))
		return really(fd);
	synced.inode = found.st_ino;
	following(synced.at = log_bytes);
	usleep(sync_us);
	following(record(synced, path, "", NULL, NULL));
	return 0;
}

int fsync(int fd)
{
	return sync_file(fd, real(fsync));
}

int fdatasync(int fd)
{
	return sync_file(fd, real(fdatasync));
}

/* ---- names ---- */

static void note_made(const char *path)
{
	record((struct record){ .kind = MADE, .inode = parent_of(path) }, path, "", NULL, NULL);
}

static int open_at(int at, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	if (!(flags & O_CREAT) || !path_at(at, name, path) || !is_followed(path))
		return real(openat)(at, name, flags, mode);
	following({
		if (inode_at(at, name) == 0)
			note_made(path);
		fd = real(openat)(at, name, flags, mode);
	});
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_at(at, path, flags, mode);
}

int mkdirat(int at, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int done;

	if (!path_at(at, name, path) || !is_followed(path))
		return real(mkdirat)(at, name, mode);
	following({
		if (inode_at(at, name) == 0)
			note_made(path);
		done = real(mkdirat)(at, name, mode);
	});
	return done;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

/* Recorded when it was done, unlike all else: a rename that fails must not be taken back. A kill in
 * between leaves it done, as a disk might have.
 */
int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	char path[PATH_MAX], other[PATH_MAX];
	int done;

	if (!path_at(from, name, path) || !path_at(to, new_name, other) || !is_followed(path))
		return real(renameat2)(from, name, to, new_name, flags);
	following({
		done = real(renameat2)(from, name, to, new_name, flags);
		if (done == 0)
			record((struct record){ .kind = RENAMED,
						.inode = parent_of(path),
						.other_inode = parent_of(other) },
			       path, other, NULL, NULL);
	});
	return done;
}

int renameat(int from, const char *name, int to, const char *new_name)
{
	return renameat2(from, name, to, new_name, 0);
}

int unlinkat(int at, const char *name, int flags)
{
	char path[PATH_MAX], grave[PATH_MAX];
	uint64_t inode;
	int done;

	if (flags & AT_REMOVEDIR || graves == NULL || !path_at(at, name, path) ||
	    !is_followed(path) || (inode = inode_at(at, name)) == 0)
		return real(unlinkat)(at, name, flags);
	following({
		snprintf(grave, sizeof(grave), "%s/%llu", graves, (unsigned long long)inode);
		linkat(at, name, AT_FDCWD, grave, 0); /* it may have had another name before */
		record((struct record){ .kind = UNLINKED,
					.inode = parent_of(path),
					.other_inode = inode },
		       path, grave, NULL, NULL);
		done = real(unlinkat)(at, name, flags);
	});
	return done;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}
