/* The room on a disk, and whole files. */
#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct disk_room disk_room(const char *path)
{
	struct stat place;
	struct statvfs found;

	if (stat(path, &place) < 0 || statvfs(path, &found) < 0)
		return (struct disk_room){ 0 };
	return (struct disk_room){
		.disk = place.st_dev,
		.free_bytes = (uint64_t)found.f_bavail * found.f_frsize,
		.size_bytes = (uint64_t)found.f_blocks * found.f_frsize,
	};
}

uint64_t disk_file_bytes(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 ? (uint64_t)found.st_size : 0;
}

static int read_bytes(int fd, size_t most, struct buf *out)
{
	char *room = buf_reserve(out, most);
	ssize_t n = 1;

	if (room == NULL)
		return EFBIG;
	for (; most > 0 && n > 0; room += n, most -= (size_t)n, out->n += (size_t)n)
		if ((n = read(fd, room, most)) < 0)
			return errno;
	return 0;
}

int disk_read(const char *path, size_t most, struct buf *out)
{
	const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat found;
	int error = 0;

	if (fd < 0 || fstat(fd, &found) < 0)
		error = errno;
	else if (!S_ISREG(found.st_mode))
		error = S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
	else
		error = read_bytes(fd, most + 1, out);
	if (fd >= 0)
		close(fd);
	return error;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	for (ssize_t written; n > 0; bytes += written, n -= (size_t)written)
		if ((written = write(fd, bytes, n)) < 0)
			return errno;
	return 0;
}

static int copy_bytes(int from, int to)
{
	char bytes[64 << 10];
	ssize_t got;
	int error = 0;

	while (error == 0 && (got = read(from, bytes, sizeof(bytes))) != 0)
		error = got < 0 ? errno : write_all(to, bytes, (size_t)got);
	return error == 0 && fsync(to) < 0 ? errno : error;
}

static int copy_to(int source, const char *path)
{
	const int target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (target < 0)
		return errno;
	error = copy_bytes(source, target);
	if (error != 0)
		unlink(path);
	close(target);
	return error;
}

int disk_copy(const char *from, const char *to)
{
	const int source = open(from, O_RDONLY | O_CLOEXEC);
	int error;

	if (source < 0)
		return errno;
	error = copy_to(source, to);
	close(source);
	return error;
}
