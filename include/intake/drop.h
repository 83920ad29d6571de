/* The drop folder: files that are whole are handed over one by one, oldest first (by their time,
 * then by name), and move aside once the outcome is known. inotify tells quickly, a periodic scan
 * tells surely (network shares have no inotify).
 *
 * A body (letter.pdf, and what else document/body.h knows) and its sidecar (letter.yaml) are handed
 * over as one, when both are whole; one that has waited for the other for companion_wait_ms goes
 * alone, to be told so.
 *
 * A file is whole when it was renamed into place, or has kept its size, time and inode for
 * settle_ms. Names that start with a dot or end in .tmp, .part, .error.yaml or
 * .result.yaml are not looked at;
 * what is no regular file (a link, a pipe, a folder) stays where it is. Everything that touches the
 * disk, but for opening the folder at birth, runs on the workers given then: a share that hangs
 * stops nobody else.
 *
 * Loop; what is done with one file, on a worker, is in intake/drop_file.h.
 */
#ifndef DMPFEED_INTAKE_DROP_H
#define DMPFEED_INTAKE_DROP_H

#include "base/disk.h"
#include "base/jobs.h"
#include "intake/drop_file.h"

struct event_base;

struct drop_settings {
	const char *name; /* in logs and status */
	const char *path;
	const char *site, *source;
	int64_t settle_ms, scan_ms;
	int64_t companion_wait_ms; /* for the other file of a pair, from when this one was seen */
	uint64_t most_file_bytes;
	uint64_t most_in_flight; /* files handed over, and neither settled nor parked */
	bool delete_when_done;   /* instead of done/DATE/ */
};

typedef void drop_file_fn(void *arg, struct drop_file *file);

struct drop;

/* `settings` outlives the drop and its files. -1: the folder, or done/ and rejected/ in it, cannot
 * be used (ERR_HALT).
 */
must_use int drop_new(struct drop **ret_drop, struct event_base *loop, struct workers *disk,
		      const struct drop_settings *settings, drop_file_fn *on_file, void *arg,
		      struct err *err);

/* Goes by these settings from now on, which have the same path. What was handed over keeps pointing to those of before
 * until it is settled.
 */
void drop_follow(struct drop *drop, const struct drop_settings *settings);

/* Hands over no more. Files not settled yet stay valid until they are; a scan that still runs is
 * waited for by the mailbox of the workers, which is to be delivered once more. Not from within
 * on_file.
 */
void drop_free(struct drop **drop);

/* The file is dealt with, and forgotten: do not touch it any more. `again`: it could not be, and is
 * handed over anew at a later scan, not before scan_ms have passed. Never calls on_file, so it may
 * be called from within it.
 */
void drop_settle(struct drop_file *file, bool again);

/* The same, `again`: but where whatever could not be done to it cannot be done the next time either, it
 * comes ever more rarely, up to a quarter of an hour.
 */
void drop_settle_later(struct drop_file *file);

/* What is done with the file takes long: it does not count among most_in_flight any more. */
void drop_park(struct drop_file *file);

/* Hands over no more. */
void drop_close(struct drop *drop);

struct drop_figures {
	const char *name, *path;
	uint64_t waiting; /* whole files seen and not handed over yet, or parked */
	uint64_t in_flight;
	uint64_t taken, rejected; /* since start */
	int64_t last_file_ms;
	const char *trouble;   /* why the folder cannot be read now; "" */
	struct disk_room room; /* where the folder is */
};

struct drop_figures drop_figures(const struct drop *drop);

#endif
