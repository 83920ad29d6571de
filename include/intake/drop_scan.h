/* One look into a drop folder: which names are in it, and how each looks. What follows from two looks
 * is drop.c's business.
 *
 * On a worker: it may block. Between drop_scan_run() and drop_scan_clear() the result is read.
 */
#ifndef DMPFEED_INTAKE_DROP_SCAN_H
#define DMPFEED_INTAKE_DROP_SCAN_H

#include "base/arena.h"
#include "base/disk.h"
#include "base/jobs.h"

enum { DROP_MOST_LISTED = 200000 }; /* entries: the rest waits in the folder until these are gone */

struct drop_sighting {
	struct drop_sighting *next;
	const char *name;
	int64_t size, modified_ns;
	uint64_t inode;
	bool regular;
};

struct drop_scan {
	struct job job;
	const char *path;
	int inotify, watch; /* -1: none */

	struct arena arena; /* of the sightings */
	struct drop_sighting *first;
	size_t sightings;
	bool listed;    /* to the end, or to DROP_MOST_LISTED */
	struct err err; /* of the folder, or of a file in it that cannot be looked at */
	int64_t started_ms, ended_ms;
	struct disk_room room;
};

/* A job's run(). */
void drop_scan_run(struct job *job, void *worker);

/* Forgets what was seen, but for when. */
void drop_scan_clear(struct drop_scan *scan);

/* Watches what the path leads to now; the watch of what it led to before is given up. */
void drop_scan_watch(struct drop_scan *scan);

/* Not hidden, not being written, not one of our own. Any thread. */
bool drop_scan_looks_at(const char *name);

#endif
