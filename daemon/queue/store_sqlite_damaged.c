/* The files of a store that is refused as damaged, kept as they are then.
 *
 * What is done to them next, by hand and in a hurry, cannot be undone, and they still tell what is missing from a
 * backup. So they are copied aside, once: who starts the daemon again and again must not fill the disk.
 */
#include "queue/store_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"

static const char *const endings[] = { "", "-wal", "-shm" };

/* FOLDER/queue.db-wal, of STATE/queue.db-wal. */
static char *name_in(const char *folder, const char *path, size_t which)
{
	return xasprintf("%s%s%s", folder, strrchr(path, '/'), endings[which]);
}

static void remove_copies(const char *folder, const char *path)
{
	for (size_t i = 0; i < length_of(endings); i++) {
		scoped(free_ptr) char *name = name_in(folder, path, i);

		unlink(name);
	}
	rmdir(folder);
}

/* As much must be left as it takes: others write to that disk too. */
static bool has_room(const char *path)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < length_of(endings); i++) {
		scoped(free_ptr) char *name = xasprintf("%s%s", path, endings[i]);

		bytes += disk_file_bytes(name);
	}
	return bytes < disk_room(path).free_bytes / 2;
}

static int copy_all(const char *path, const char *folder)
{
	int error = mkdir(folder, 0700) < 0 ? errno : 0;

	for (size_t i = 0; i < length_of(endings) && error == 0; i++) {
		scoped(free_ptr) char *from = xasprintf("%s%s", path, endings[i]);
		scoped(free_ptr) char *to = name_in(folder, path, i);

		error = disk_copy(from, to);
		if (error == ENOENT)
			error = 0;
	}
	return error;
}

/* Whole under its name, or not there. */
static int keep(const char *path, const char *folder)
{
	scoped(free_ptr) char *unfinished = xasprintf("%s.tmp", folder);
	int error;

	remove_copies(unfinished, path);
	error = has_room(path) ? copy_all(path, unfinished) : ENOSPC;
	if (error == 0 && rename(unfinished, folder) < 0)
		error = errno;
	if (error != 0)
		remove_copies(unfinished, path);
	return error;
}

void store_keep_damaged(const char *path, struct err *err)
{
	scoped(free_ptr) char *folder =
		xasprintf("%.*s/damaged", (int)(strrchr(path, '/') - path), path);
	const struct err why = *err;
	const bool is_kept = access(folder, F_OK) == 0;
	const int error = is_kept ? 0 : keep(path, folder);

	if (error != 0)
		err_set(err, why.kind, "%s; no copy of them could be kept in %s (%s)", why.text,
			folder, strerrordesc_np(error));
	else
		err_set(err, why.kind, "%s; %s is in %s", why.text,
			is_kept ? "the copy of an earlier damage"
				: "a copy of them as they are now",
			folder);
	err->reason = why.reason;
}
