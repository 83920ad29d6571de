/* One file of a drop folder: read whole, or moved aside.
 *
 * On the disk workers. The folder is opened by its path each time: after a share was mounted anew,
 * a descriptor kept from before would show what is no longer there.
 */
#include "intake/drop_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "intake/drop.h"

enum {
	FOLDER_MODE = 0750,
	NOTE_MODE = 0640,
	MOST_NUMBERED = 1000, /* letter-1000.xml; after that chance finds a free name faster */
	MOST_TRIES = 2000,
	MOST_ENDING = 32, /* a longer one is part of the name */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- reading ---- */

int64_t drop_modified_ns(const struct stat *found)
{
	return (int64_t)((uint64_t)found->st_mtim.tv_sec * 1000000000u +
			 (uint64_t)found->st_mtim.tv_nsec);
}

static bool is_the_file(const struct drop_file *file, const struct stat *found)
{
	return S_ISREG(found->st_mode) && found->st_size == file->size &&
	       drop_modified_ns(found) == file->modified_ns && found->st_ino == file->inode;
}

int drop_open_folder(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_RETRY, "the folder %s cannot be opened: %s", path,
			       strerrordesc_np(errno));
	return fd;
}

static int open_file(int folder, const struct drop_file *file, struct err *err)
{
	/* without waiting for whoever should write into a pipe */
	scoped(close_fd) int fd = openat(folder, file->name,
					 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat found = { 0 };
	int opened;

	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return err_set(err, ERR_RETRY, "the file cannot be opened: %s",
			       strerrordesc_np(errno));
	if (fd < 0 || (fstat(fd, &found) == 0 && !S_ISREG(found.st_mode)))
		return err_refuse(err, REASON_DOCUMENT_INVALID, "", "this is not a regular file");
	if (!is_the_file(file, &found))
		return err_set(err, ERR_RETRY, "the file has changed since it was seen");
	if ((uint64_t)found.st_size > file->folder->most_file_bytes)
		return err_refuse(err, REASON_TOO_LARGE, "",
				  "the file has %lld bytes, more than the %llu this folder takes",
				  (long long)found.st_size,
				  (unsigned long long)file->folder->most_file_bytes);
	opened = fd;
	fd = -1;
	return opened;
}

static int read_file(int fd, const struct drop_file *file, struct buf *bytes, struct err *err)
{
	const size_t size = (size_t)file->size;
	char *into = buf_reserve(bytes, size + 1); /* one more, to see that there is no more */
	struct stat after;
	ssize_t n = 1;

	while (into != NULL && bytes->n <= size && n > 0) {
		n = read(fd, into + bytes->n, size + 1 - bytes->n);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return err_set(err, ERR_RETRY, "the file cannot be read: %s",
				       strerrordesc_np(errno));
		else
			bytes->n += (size_t)n;
	}
	if (bytes->n != size || fstat(fd, &after) < 0 || !is_the_file(file, &after))
		return err_set(err, ERR_RETRY, "the file changed while it was read");
	bytes->p[size] = '\0';
	return 0;
}

const char *drop_name_digest(const char *name, char ret_digest[static DROP_DIGEST])
{
	uint8_t digest[SHA256_BYTES];

	sha256(slice_of(name), digest);
	return hex(digest, DROP_DIGEST / 2, ret_digest);
}

int drop_read(const struct drop_file *file, struct buf *ret_bytes, struct err *err)
{
	scoped(buf_done) struct buf bytes = { .limit = (size_t)file->folder->most_file_bytes + 1 };
	scoped(close_fd) int folder = drop_open_folder(file->folder->path, err);
	scoped(close_fd) int fd = folder < 0 ? -1 : open_file(folder, file, err);

	if (fd < 0 || read_file(fd, file, &bytes, err) < 0)
		return -1;
	*ret_bytes = bytes;
	ret_bytes->limit = BUF_LIMIT_UNSET;
	bytes = (struct buf){ 0 };
	return 0;
}

/* ---- moving aside ---- */

/* Some file systems cannot sync a folder: then a power cut may bring a file back. */
static void sync_folder(int fd)
{
	(void)!fsync(fd);
}

static int open_below(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder `name`, made if it is not there. It is tried first: to make one, even one that is
 * there, keeps all others out of its parent meanwhile.
 */
static int open_subfolder(int parent, const char *name, struct err *err)
{
	int fd = open_below(parent, name);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(parent, name, FOLDER_MODE) == 0)
			sync_folder(parent);
		else if (errno != EEXIST)
			return err_set(err, ERR_RETRY, "the folder %s cannot be made: %s", name,
				       strerrordesc_np(errno));
		fd = open_below(parent, name);
	}
	if (fd < 0)
		return err_set(err, ERR_RETRY, "the folder %s cannot be opened: %s", name,
			       strerrordesc_np(errno));
	return fd;
}

/* done/2026-11-20 */
static int open_day(int folder, const char *name, int64_t now_ms, struct err *err)
{
	char day[CLOCK_TEXT];
	scoped(close_fd) int parent = open_subfolder(folder, name, err);
	int fd = parent < 0 ? -1 : open_subfolder(parent, clock_day(now_ms, day), err);

	return parent >= 0 && fd < 0 ? err_within(err, "in %s", name) : fd;
}

static int unlink_or_undo(int from, const char *name, int to, const char *new_name)
{
	int trouble;

	if (unlinkat(from, name, 0) == 0)
		return 0;
	trouble = errno;
	(void)!unlinkat(to, new_name, 0);
	errno = trouble;
	return -1;
}

/* Moves a file, never over another one. 0, or -1 and errno: EEXIST when the new name is taken. Not
 * all file systems (NFS, CIFS) can do it in one step, nor all of those have links.
 */
static int move_file(int from, const char *name, int to, const char *new_name)
{
	struct stat there;

	if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(from, name, to, new_name, 0) == 0)
		return unlink_or_undo(from, name, to, new_name);
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	if (fstatat(to, new_name, &there, AT_SYMLINK_NOFOLLOW) == 0)
		errno = EEXIST;
	else if (errno == ENOENT)
		return renameat(from, name, to, new_name);
	return -1;
}

static size_t stem_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && dot != name && strlen(dot) <= MOST_ENDING ? (size_t)(dot - name)
									: strlen(name);
}

/* letter.xml, then letter-2.xml; with another ending letter.error.yaml, letter-2.error.yaml. A name
 * that would be too long is cut before its number, between two characters.
 */
static void number_name(const char *name, uint32_t number, const char *ending,
			char ret_name[static NAME_MAX + 1])
{
	const size_t stem = stem_length(name);
	char digits[16] = "";
	size_t n;

	if (ending == NULL)
		ending = name + stem;
	if (number > 1)
		snprintf(digits, sizeof(digits), "-%u", number);
	n = min(stem, NAME_MAX - strlen(digits) - strlen(ending));
	while (n > 0 && n < stem && ((unsigned char)name[n] & 0xc0) == 0x80)
		n--;
	snprintf(ret_name, NAME_MAX + 1, "%.*s%s%s", (int)n, name, digits, ending);
}

static uint32_t nth_number(unsigned nth)
{
	return nth <= MOST_NUMBERED ? nth : MOST_NUMBERED + random_u32() % 1000000000u;
}

/* A file on its way aside. */
struct move {
	const struct drop_file *file;
	int folder, to;
	const char *note; /* the name for now, in `to`, of what stands beside it; NULL: nothing */
	const char *note_ending;
	char name[NAME_MAX + 1], note_name[NAME_MAX + 1];
	char companion_name[NAME_MAX + 1];
	bool companion_is_linked; /* it has that name, and its own still */
};

enum presence { PRESENT, GONE, REPLACED };

static enum presence find_file(int folder, const char *name, const struct drop_file *file)
{
	struct stat found;

	if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? GONE : REPLACED;
	return is_the_file(file, &found) ? PRESENT : REPLACED;
}

/* Gives the companion its new name beside its own. 0, also where it can have it later only, or is
 * no longer there; -1 and errno.
 */
static int link_companion(struct move *move)
{
	const struct drop_file *companion = move->file->companion;
	struct stat there;

	move->companion_is_linked = false;
	if (companion == NULL || find_file(move->folder, companion->name, companion) != PRESENT)
		return 0;
	if (linkat(move->folder, companion->name, move->to, move->companion_name, 0) == 0 ||
	    (errno == EEXIST && find_file(move->to, move->companion_name, companion) == PRESENT)) {
		move->companion_is_linked = true;
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	if (fstatat(move->to, move->companion_name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	errno = EEXIST;
	return -1;
}

static void unlink_companion(struct move *move)
{
	if (move->companion_is_linked)
		(void)!unlinkat(move->to, move->companion_name, 0);
	move->companion_is_linked = false;
}

static int move_numbered_file(struct move *move)
{
	int trouble;

	if (link_companion(move) < 0)
		return -1;
	if (move_file(move->folder, move->file->name, move->to, move->name) == 0)
		return 0;
	trouble = errno;
	unlink_companion(move);
	errno = trouble;
	return -1;
}

/* Under one number, the note first. 0, or -1 and errno, and all is as before. */
static int move_numbered(struct move *move, uint32_t number)
{
	const char *name = move->file->name;
	int trouble;

	number_name(name, number, NULL, move->name);
	number_name(name, number, move->note_ending, move->note_name);
	if (move->file->companion != NULL)
		number_name(move->file->companion->name, number, NULL, move->companion_name);
	if (move->note != NULL) {
		if (move_file(move->to, move->note, move->to, move->note_name) < 0)
			return -1;
		sync_folder(move->to);
	}
	if (move_numbered_file(move) == 0)
		return 0;
	trouble = errno;
	if (move->note != NULL)
		(void)!renameat(move->to, move->note_name, move->to, move->note);
	errno = trouble;
	return -1;
}

/* Back under its own name, or under a number if yet another file has taken that. */
static int put_back(struct move *move)
{
	char name[NAME_MAX + 1];
	int done = -1;

	for (unsigned nth = 1; nth <= MOST_TRIES && done < 0; nth++) {
		number_name(move->file->name, nth_number(nth), NULL, name);
		done = move_file(move->to, move->name, move->folder, name);
		if (done < 0 && errno != EEXIST)
			break;
	}
	return done;
}

/* The body is aside. A sender may have put a new sidecar in the place of the one that was read:
 * what leaves the folder is looked at, and put back.
 */
static void move_companion(struct move *move)
{
	const struct drop_file *companion = move->file->companion;
	char chance[UUID_TEXT];
	struct move own = { .file = companion, .folder = move->folder, .to = move->to };

	if (companion == NULL || find_file(move->folder, companion->name, companion) != PRESENT) {
		unlink_companion(move);
		return;
	}
	if (move->companion_is_linked)
		snprintf(own.name, sizeof(own.name), ".%s.tmp", uuid_new(chance));
	else
		snprintf(own.name, sizeof(own.name), "%s", move->companion_name);
	if (move_file(own.folder, companion->name, own.to, own.name) < 0)
		return;
	if (find_file(own.to, own.name, companion) == REPLACED)
		(void)!put_back(&own);
	else if (move->companion_is_linked)
		(void)!unlinkat(own.to, own.name, 0);
}

/* Between the look and the move a sender may have put a new file in the place of the one that was
 * read, so what was moved is looked at too. *ret_moved: it was the file, and it is aside.
 */
static int move_aside(struct move *move, bool *ret_moved, struct err *err)
{
	int done = -1;

	*ret_moved = false;
	if (find_file(move->folder, move->file->name, move->file) != PRESENT)
		return 0;
	errno = EEXIST;
	for (unsigned nth = 1; nth <= MOST_TRIES && done < 0 && errno == EEXIST; nth++)
		done = move_numbered(move, nth_number(nth));
	if (done < 0 && errno == ENOENT)
		return 0;
	if (done < 0)
		return err_set(err, ERR_RETRY, "the file cannot be moved: %s",
			       strerrordesc_np(errno));
	*ret_moved = find_file(move->to, move->name, move->file) != REPLACED;
	if (*ret_moved)
		move_companion(move);
	else
		unlink_companion(move);
	if (!*ret_moved && put_back(move) < 0)
		return err_set(err, ERR_RETRY,
			       "a new file under the same name was moved too and cannot be moved "
			       "back: %s",
			       strerrordesc_np(errno));
	if (!*ret_moved && move->note != NULL)
		(void)!unlinkat(move->to, move->note_name, 0);
	return 0;
}

static int write_note(int to, const char *name, struct slice text, struct err *err)
{
	scoped(close_fd) int fd =
		openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, NOTE_MODE);
	ssize_t n = 0;

	while (fd >= 0 && text.n > 0 && n >= 0) {
		n = write(fd, text.p, text.n);
		if (n < 0 && errno == EINTR)
			n = 0;
		text = slice_from(text, n > 0 ? (size_t)n : 0);
	}
	if (fd < 0 || n < 0 || fsync(fd) < 0)
		return err_set(err, ERR_RETRY, "what became of the file cannot be written: %s",
			       strerrordesc_np(errno));
	return 0;
}

/* With `text` beside it, which is on disk before the file moves. */
static int move_with_note(struct move *move, struct slice text, bool *ret_moved, struct err *err)
{
	char chance[UUID_TEXT], note[UUID_TEXT + 8];
	int done;

	*ret_moved = false;
	snprintf(note, sizeof(note), ".%s.tmp", uuid_new(chance));
	move->note = note;
	done = write_note(move->to, note, text, err);
	if (done == 0)
		done = move_aside(move, ret_moved, err);
	(void)!unlinkat(move->to, note, 0); /* it is there only if nothing was moved */
	move->note = NULL;
	return done;
}

int drop_accept(struct drop_file *file, int64_t now_ms, struct slice result, struct err *err)
{
	const bool away = file->folder->delete_when_done;
	scoped(close_fd) int folder = drop_open_folder(file->folder->path, err);
	scoped(close_fd) int to = folder < 0 ? -1
				  : away     ? open_subfolder(folder, "done", err)
					     : open_day(folder, "done", now_ms, err);
	struct move move = {
		.file = file, .folder = folder, .to = to, .note_ending = ".result.yaml"
	};
	bool moved;

	file->fate = DROP_STUCK;
	if (to < 0 || (result.n == 0 || away ? move_aside(&move, &moved, err)
					     : move_with_note(&move, result, &moved, err)) < 0)
		return -1;
	if (moved && away)
		(void)!unlinkat(to, move.name, 0);
	if (moved && away && file->companion != NULL)
		(void)!unlinkat(to, move.companion_name, 0);
	/* Not synced: that would cost more than taking the file in. After a power cut the worst is
	 * that it is back, and then its document is known and goes nowhere twice.
	 */
	file->fate = DROP_TAKEN;
	return 0;
}

int drop_reject(struct drop_file *file, int64_t now_ms, struct slice explanation, struct err *err)
{
	scoped(close_fd) int folder = drop_open_folder(file->folder->path, err);
	scoped(close_fd) int to = folder < 0 ? -1 : open_day(folder, "rejected", now_ms, err);
	struct move move = {
		.file = file, .folder = folder, .to = to, .note_ending = ".error.yaml"
	};
	bool moved = false;
	int done = to < 0 ? -1 : move_with_note(&move, explanation, &moved, err);

	if (!moved) {
		file->fate = done < 0 ? DROP_STUCK : DROP_LEFT;
		return done;
	}
	sync_folder(to);
	sync_folder(folder);
	file->fate = DROP_REJECTED;
	return done;
}

/* ---- what a crash left ---- */

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		closedir(*folder);
}

/* Is the file in this folder, under whatever name, or in one of the folders of days in it? */
static bool is_below(int parent, const char *name, const struct drop_file *file, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scoped(close_folder) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *found;

	while (folder != NULL && (found = readdir(folder)) != NULL) {
		if (found->d_name[0] == '.')
			continue;
		if (found->d_ino == file->inode &&
		    find_file(dirfd(folder), found->d_name, file) == PRESENT)
			return true;
		if (depth > 0 && is_below(dirfd(folder), found->d_name, file, depth - 1))
			return true;
	}
	return false;
}

int drop_finish(const struct drop_file *file, bool *ret_finished, struct err *err)
{
	scoped(close_fd) int folder = drop_open_folder(file->folder->path, err);
	struct stat found;

	*ret_finished = false;
	if (folder < 0)
		return -1;
	if (fstatat(folder, file->name, &found, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !is_the_file(file, &found) || found.st_nlink < 2)
		return 0;
	if (!is_below(folder, "done", file, 1) && !is_below(folder, "rejected", file, 1))
		return 0;
	if (unlinkat(folder, file->name, 0) < 0)
		return err_set(err, ERR_RETRY, "the file cannot be removed: %s",
			       strerrordesc_np(errno));
	*ret_finished = true;
	return 0;
}

/* ---- the folder itself ---- */

static int check_folder(int fd, const char *name, struct err *err)
{
	if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		return err_set(err, ERR_HALT,
			       "the folder %s cannot be read and written: %s; give the gateway's "
			       "account the right to",
			       name, strerrordesc_np(errno));
	return 0;
}

/* A move between file systems is no move: it would have to copy, and could be cut in the middle. */
static int check_same_device(int folder, int subfolder, const char *name, struct err *err)
{
	struct stat one, other;

	if (fstat(folder, &one) < 0 || fstat(subfolder, &other) < 0 || one.st_dev != other.st_dev)
		return err_set(err, ERR_HALT,
			       "the folder %s is on another file system than its parent", name);
	return 0;
}

static int prepare_subfolder(int folder, const char *name, struct err *err)
{
	scoped(close_fd) int fd = open_subfolder(folder, name, err);

	if (fd < 0)
		return -1;
	return check_same_device(folder, fd, name, err) < 0 ? -1 : check_folder(fd, name, err);
}

int drop_prepare(const struct drop_settings *settings, struct err *err)
{
	scoped(close_fd) int folder = drop_open_folder(settings->path, err);

	if (folder >= 0 && check_folder(folder, settings->path, err) == 0 &&
	    prepare_subfolder(folder, "done", err) == 0 &&
	    prepare_subfolder(folder, "rejected", err) == 0)
		return 0;
	err->kind = ERR_HALT; /* nobody started it yet: whoever starts it must act */
	return folder < 0 ? -1 : err_within(err, "%s", settings->path);
}
