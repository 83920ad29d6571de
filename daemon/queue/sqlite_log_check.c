/* Whether the log of a database still holds all that was synced into it.
 *
 * SQLite believes its log up to the first frame whose checksum does not fit, and takes the rest for a commit
 * that a power cut tore. That is right for what was not synced: nobody was told yes. But a bit that
 * flips in the middle, or a tail that is cut off, makes it forget commits that people were told of, and
 * the database reads well without them. Two witnesses remember more:
 *
 * - the frames behind. Each commit is synced before the next begins (synchronous=FULL): a frame that
 *   follows a commit, and fits it, says that this commit had reached the disk;
 * - the index in shared memory, a file that a kill leaves: it learns of a commit once that is synced.
 *
 * Neither can be wrong about a power cut, and a last commit that is damaged after one has no witness.
 * The formats are SQLite's (https://www.sqlite.org/fileformat2.html, walformat.html).
 */
#include "queue/sqlite_log_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	HEADER_BYTES = 32,
	FRAME_HEADER_BYTES = 24,
	SALT_BYTES = 8,
	LEAST_PAGE = 512,
	MOST_PAGE = 65536,
	MAGIC = 0x377f0682, /* and its last bit: sums are made of big-endian words */
	INDEX_BYTES = 48,   /* it stands twice, the same */
};

struct sums {
	uint32_t first, second;
};

struct log {
	int fd;
	uint32_t page_bytes;
	bool is_big;
	unsigned char salt[SALT_BYTES];
};

/* A frame, or the header, as the next frame sees it. */
struct before {
	struct sums sums; /* that it says it has */
	bool is_commit;
};

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static uint32_t word(const unsigned char *at, bool is_big)
{
	return is_big ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
		      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 |
				at[0];
}

static struct sums read_sums(const unsigned char *at)
{
	return (struct sums){ word(at, true), word(at + 4, true) };
}

static struct sums add_up(struct sums sums, const unsigned char *bytes, size_t n, bool is_big)
{
	for (size_t i = 0; i < n; i += 8) {
		sums.first += word(bytes + i, is_big) + sums.second;
		sums.second += word(bytes + i + 4, is_big) + sums.first;
	}
	return sums;
}

static bool are_equal(struct sums one, struct sums other)
{
	return one.first == other.first && one.second == other.second;
}

static int unread(struct err *err)
{
	return err_set(err, ERR_HALT, "its log cannot be read: %s", strerrordesc_np(errno));
}

/* 1: read; 0: the file ends before. */
static int read_at(int fd, void *bytes, size_t n, int64_t at, struct err *err)
{
	ssize_t got = pread(fd, bytes, n, at);

	return got < 0 ? unread(err) : (size_t)got == n;
}

static int64_t place_of(const struct log *log, int64_t frame)
{
	return HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + (int64_t)log->page_bytes);
}

/* 1: it begins well; 0: it does not. */
static int begin(struct log *log, struct before *ret_header, struct err *err)
{
	unsigned char header[HEADER_BYTES];
	int got = read_at(log->fd, header, sizeof(header), 0, err);

	if (got <= 0)
		return got;
	log->page_bytes = word(header + 8, true);
	log->is_big = word(header, true) & 1;
	memcpy(log->salt, header + 16, sizeof(log->salt));
	*ret_header = (struct before){ read_sums(header + 24), false };
	return (word(header, true) & ~1U) == MAGIC && log->page_bytes >= LEAST_PAGE &&
	       log->page_bytes <= MOST_PAGE && (log->page_bytes & (log->page_bytes - 1)) == 0 &&
	       are_equal(add_up((struct sums){ 0 }, header, 24, log->is_big), ret_header->sums);
}

/* Whether this frame follows `*before`, whose place it takes. */
static bool follows(const struct log *log, const unsigned char *frame, struct before *before)
{
	const bool is_ours = memcmp(frame + 8, log->salt, sizeof(log->salt)) == 0;
	const struct before its = { read_sums(frame + 16), is_ours && word(frame + 4, true) != 0 };
	struct sums sums = add_up(before->sums, frame, 8, log->is_big);

	sums = add_up(sums, frame + FRAME_HEADER_BYTES, log->page_bytes, log->is_big);
	*before = its;
	return is_ours && are_equal(sums, its.sums);
}

/* The last frame that the index knows of this log; 0: it knows another one, or there is none. */
static uint32_t indexed(const struct log *log, const char *database_path)
{
	scoped(free_ptr) char *path = xasprintf("%s-shm", database_path);
	scoped(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char index[2 * INDEX_BYTES];
	struct err err = { 0 };
	uint32_t last;

	if (fd < 0 || read_at(fd, index, sizeof(index), 0, &err) <= 0 ||
	    memcmp(index, index + INDEX_BYTES, INDEX_BYTES) != 0 ||
	    memcmp(index + 32, log->salt, sizeof(log->salt)) != 0)
		return 0;
	memcpy(&last, index + 16, sizeof(last)); /* as this machine writes numbers */
	return last;
}

/* What it had is told by the place to cut it at, for who would rather lose the rest than wait for a backup. */
static int damaged(const struct log *log, int64_t committed, struct err *err)
{
	return err_set(err, ERR_HALT,
		       "its log (-wal) is damaged behind frame %lld, and what was acknowledged "
		       "after that is in no other file: restore a backup; or, to go on without "
		       "it, remove the -shm file and cut the log to %lld bytes",
		       (long long)committed, (long long)place_of(log, committed + 1));
}

static int read_frames(const struct log *log, struct before before, const char *database_path,
		       struct err *err)
{
	const size_t frame_bytes = FRAME_HEADER_BYTES + log->page_bytes;
	scoped(free_ptr) unsigned char *frame = xcalloc(1, frame_bytes);
	int64_t committed = 0;
	bool is_whole = true;
	int got;

	for (int64_t number = 1;
	     (got = read_at(log->fd, frame, frame_bytes, place_of(log, number), err)) > 0;
	     number++) {
		const bool behind_commit = before.is_commit;
		const bool fits = follows(log, frame, &before);

		if (fits && behind_commit && !is_whole)
			return damaged(log, committed, err);
		is_whole &= fits;
		if (is_whole && before.is_commit)
			committed = number;
	}
	if (got == 0 && indexed(log, database_path) > committed)
		return damaged(log, committed, err);
	return got;
}

/* A header is synced before anything is written behind it: without one there are zeros at most. */
static int check_nothing_is_there(int fd, struct err *err)
{
	char bytes[4096];
	ssize_t got;

	for (off_t at = 0; (got = pread(fd, bytes, sizeof(bytes), at)) > 0; at += got)
		for (ssize_t i = 0; i < got; i++)
			if (bytes[i] != '\0')
				return err_set(err, ERR_HALT,
					       "the beginning of its log (-wal) is damaged: "
					       "restore a backup");
	return got < 0 ? unread(err) : 0;
}

int sqlite_log_check(const char *database_path, struct err *err)
{
	scoped(free_ptr) char *path = xasprintf("%s-wal", database_path);
	scoped(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct log log = { .fd = fd };
	struct before header;
	int begins;

	if (fd < 0)
		return errno == ENOENT ? 0 : unread(err);
	begins = begin(&log, &header, err);
	if (begins > 0)
		return read_frames(&log, header, database_path, err);
	return begins < 0 ? -1 : check_nothing_is_there(fd, err);
}
