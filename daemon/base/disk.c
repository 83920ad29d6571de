/* The room on a disk, and whole files. */
#include "base/disk.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

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

int disk_read(const char *path, size_t most, struct buf *out)
{
	char *room = buf_reserve(out, most + 1);
	FILE *file;
	int failed;

	if (room == NULL)
		return EFBIG;
	file = fopen(path, "re");
	if (file == NULL)
		return errno;
	errno = 0;
	out->n += fread(room, 1, most + 1, file);
	failed = ferror(file) ? errno : 0;
	fclose(file);
	return failed;
}
