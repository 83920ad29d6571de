/* Preloaded, makes calls on files under a folder fail, from the n-th on, for as long as a test says so.
 *
 * FAILING_UNDER: the folder. FAILING_CONTROL: a file that holds a struct control, which the test
 * writes into while the daemon runs.
 */
#include "preload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The test has the same numbers (tests/system/disks.py). */
enum call {
	CALL_OPEN = 1 << 0, /* to write, or to create */
	CALL_WRITE = 1 << 1,
	CALL_SYNC = 1 << 2,
	CALL_CUT = 1 << 3,
	CALL_RENAME = 1 << 4,
	CALL_UNLINK = 1 << 5,
	CALL_READ = 1 << 6,
	CALL_MKDIR = 1 << 7,
};

struct control {
	_Atomic int32_t error; /* 0: nothing fails, calls are counted all the same; HANGS */
	uint32_t calls;
	int64_t after; /* so many go well */
	int64_t count; /* so many fail then; negative: all, until the test says otherwise */
	_Atomic int64_t seen;
	char ending[32]; /* of the file's name; empty: any file */
};

/* No error: the call is made once the test says otherwise. */
enum { HANGS = -1, LOOK_AGAIN_US = 1000 };

static struct control *control;
static const char *folder;

__attribute__((constructor)) static void start(void)
{
	folder = getenv("FAILING_UNDER");
	control = shared_memory("FAILING_CONTROL", sizeof(*control));
}

static bool ends_in(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n >= m && strcmp(path + n - m, ending) == 0;
}

/* true, and errno: this call fails. */
static bool fails(enum call call, const char *path)
{
	int64_t nth;

	if (control == NULL || !(control->calls & call) || !is_under(path, folder) ||
	    !ends_in(path, control->ending))
		return false;
	nth = atomic_fetch_add(&control->seen, 1);
	if (control->error == 0 || nth < control->after ||
	    (control->count >= 0 && nth >= control->after + control->count))
		return false;
	while (control->error == HANGS)
		usleep(LOOK_AGAIN_US);
	errno = control->error;
	return errno != 0;
}

static bool fails_fd(enum call call, int fd)
{
	char path[PATH_MAX];

	return control != NULL && control->calls & call && path_of(fd, path) && fails(call, path);
}

static bool fails_at(enum call call, int at, const char *name)
{
	char path[PATH_MAX];

	return control != NULL && control->calls & call && path_at(at, name, path) &&
	       fails(call, path);
}

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return writes(flags) && fails_at(CALL_OPEN, AT_FDCWD, path) ? -1
								    : real(open)(path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return writes(flags) && fails_at(CALL_OPEN, at, path) ? -1
							      : real(openat)(at, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	return fails_fd(CALL_WRITE, fd) ? -1 : real(write)(fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return fails_fd(CALL_WRITE, fd) ? -1 : real(pwrite)(fd, bytes, n, at);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	return fails_fd(CALL_READ, fd) ? -1 : real(pread)(fd, bytes, n, at);
}

int fsync(int fd)
{
	return fails_fd(CALL_SYNC, fd) ? -1 : real(fsync)(fd);
}

int fdatasync(int fd)
{
	return fails_fd(CALL_SYNC, fd) ? -1 : real(fdatasync)(fd);
}

int ftruncate(int fd, off_t bytes)
{
	return fails_fd(CALL_CUT, fd) ? -1 : real(ftruncate)(fd, bytes);
}

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	return fails_at(CALL_RENAME, from, name) ? -1
						 : real(renameat2)(from, name, to, new_name, flags);
}

int renameat(int from, const char *name, int to, const char *new_name)
{
	return fails_at(CALL_RENAME, from, name) ? -1 : real(renameat)(from, name, to, new_name);
}

int rename(const char *path, const char *new_path)
{
	return fails_at(CALL_RENAME, AT_FDCWD, path) ? -1 : real(rename)(path, new_path);
}

int unlink(const char *path)
{
	return fails_at(CALL_UNLINK, AT_FDCWD, path) ? -1 : real(unlink)(path);
}

int unlinkat(int at, const char *name, int flags)
{
	return fails_at(CALL_UNLINK, at, name) ? -1 : real(unlinkat)(at, name, flags);
}

int mkdir(const char *path, mode_t mode)
{
	return fails_at(CALL_MKDIR, AT_FDCWD, path) ? -1 : real(mkdir)(path, mode);
}

int mkdirat(int at, const char *name, mode_t mode)
{
	return fails_at(CALL_MKDIR, at, name) ? -1 : real(mkdirat)(at, name, mode);
}
