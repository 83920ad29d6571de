/* The room on a disk, and whole files. It may block for as long as the disk does not answer: never on the loop. */
#ifndef DMPFEED_BASE_DISK_H
#define DMPFEED_BASE_DISK_H

#include <stdint.h>

#include "base/buf.h"

struct disk_room {
	uint64_t disk;                   /* which one: the same for every path on it */
	uint64_t free_bytes, size_bytes; /* free for us; size 0: it cannot be told */
};

/* Of the file system that `path` is on. */
struct disk_room disk_room(const char *path);

/* 0 when there is no such file. */
uint64_t disk_file_bytes(const char *path);

/* A whole file, at the end of `out`; of a larger one than `most` bytes, one byte more: whoever reads the bytes then
 * sees that they are too many. Returns 0, or what errno says: EINVAL of a pipe or a device, on which the reader might wait
 * for ever.
 */
must_use int disk_read(const char *path, size_t most, struct buf *out);

/* A whole file into a new one that only its owner reads; its bytes are on disk when it returns. Returns 0, or what
 * errno says: what was written is then removed.
 */
must_use int disk_copy(const char *from, const char *to);

#endif
