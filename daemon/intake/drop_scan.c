/* One look into a drop folder: what is there, and how it looks. */
#include "intake/drop_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/drop_file.h"

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n >= m && strcasecmp(name + n - m, ending) == 0;
}

bool drop_scan_looks_at(const char *name)
{
	return name[0] != '.' && !ends_in(name, ".tmp") && !ends_in(name, ".part") &&
	       !ends_in(name, ".error.yaml") && !ends_in(name, ".result.yaml") &&
	       strcmp(name, "done") != 0 && strcmp(name, "rejected") != 0;
}

void drop_scan_watch(struct drop_scan *scan)
{
	int watch;

	if (scan->inotify < 0)
		return;
	watch = inotify_add_watch(scan->inotify, scan->path,
				  IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
	if (scan->watch >= 0 && scan->watch != watch)
		inotify_rm_watch(scan->inotify, scan->watch);
	scan->watch = watch;
}

static void scan_see(struct drop_scan *scan, int folder, const char *name)
{
	struct drop_sighting *sighting;
	struct stat found;

	if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			err_set(&scan->err, ERR_RETRY, "a file in %s cannot be looked at: %s",
				scan->path, strerrordesc_np(errno));
		return;
	}
	sighting = arena_alloc(&scan->arena, sizeof(*sighting));
	*sighting = (struct drop_sighting){
		.next = scan->first,
		.name = arena_dup(&scan->arena, slice_of(name)),
		.size = found.st_size,
		.modified_ns = drop_modified_ns(&found),
		.inode = found.st_ino,
		.regular = S_ISREG(found.st_mode),
	};
	scan->first = sighting;
	scan->sightings++;
}

static void scan_list(struct drop_scan *scan)
{
	int fd = drop_open_folder(scan->path, &scan->err);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *found;

	if (fd < 0)
		return;
	scan->room = disk_room(scan->path);
	if (folder != NULL)
		errno = 0;
	while (folder != NULL && scan->sightings < DROP_MOST_LISTED &&
	       (found = readdir(folder)) != NULL) {
		if (drop_scan_looks_at(found->d_name))
			scan_see(scan, fd, found->d_name);
		errno = 0; /* readdir() tells the end from an error by it alone */
	}
	scan->listed = folder != NULL && errno == 0;
	if (!scan->listed)
		err_set(&scan->err, ERR_RETRY, "the folder %s cannot be read: %s", scan->path,
			strerrordesc_np(errno));
	if (folder != NULL)
		closedir(folder);
	else
		close(fd);
}

void drop_scan_run(struct job *job, void *worker)
{
	struct drop_scan *scan = container_of(job, struct drop_scan, job);

	(void)worker;
	scan->started_ms = clock_monotonic_ms();
	drop_scan_watch(scan);
	scan_list(scan);
	scan->ended_ms = clock_monotonic_ms();
}

void drop_scan_clear(struct drop_scan *scan)
{
	arena_done(&scan->arena);
	scan->first = NULL;
	scan->sightings = 0;
	scan->listed = false;
	scan->err = (struct err){ 0 };
}
