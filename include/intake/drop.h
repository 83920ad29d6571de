/* The drop folder: files that are whole are handed over one by one, and move aside once the
 * outcome is known. inotify tells quickly, a periodic scan tells surely (network shares have no
 * inotify).
 *
 * A file is whole when it was renamed into place or has kept its size and time for `settle`. Names
 * that start with a dot or end in .tmp or .part are not looked at. Everything that touches the
 * disk runs on the workers given at birth: a share that hangs stops nobody else.
 *
 * Loop, but for the functions that say otherwise.
 */
#ifndef DMPFEED_INTAKE_DROP_H
#define DMPFEED_INTAKE_DROP_H

#include "base/jobs.h"

struct event_base;

struct drop_settings {
	const char *name; /* in logs and status */
	const char *path;
	const char *site, *source;
	int64_t settle_ms, scan_ms;
	uint64_t most_file_bytes;
	uint64_t most_in_flight; /* files handed over and not settled */
	bool delete_when_done;   /* instead of done/DATE/ */
};

/* A file handed over. */
struct drop_file {
	const struct drop_settings *folder;
	const char *name; /* inside the folder, no slash */

	/* private */
	struct drop *drop;
	struct drop_file *next;
	int64_t size, modified_ns; /* as it was when handed over */
	uint64_t inode;
};

typedef void drop_file_fn(void *arg, struct drop_file *file);

struct drop;

/* -1: the folder, or done/ and rejected/ in it, cannot be used (ERR_HALT). */
must_use int drop_new(struct drop **ret_drop, struct event_base *loop, struct workers *disk,
		      const struct drop_settings *settings, drop_file_fn *on_file, void *arg,
		      struct err *err);
void drop_free(struct drop **drop);

/* On a worker: reads the whole file. -1 with ERR_REJECT (too large, not a regular file) or
 * ERR_RETRY.
 */
must_use int drop_read(const struct drop_file *file, struct buf *ret_bytes, struct err *err);

/* On a worker, after the commit: to done/DATE/ (or away). A name taken there already gets a
 * number.
 */
must_use int drop_accept(const struct drop_file *file, int64_t now_ms, struct err *err);

/* On a worker: to rejected/DATE/, `explanation` beside it as NAME.error.yaml, written first. */
must_use int drop_reject(const struct drop_file *file, int64_t now_ms, struct slice explanation,
			 struct err *err);

/* The file is dealt with; `again`: it could not be, and is handed over anew at a later scan. */
void drop_settle(struct drop_file *file, bool again);

/* Hands over no more. */
void drop_close(struct drop *drop);

struct drop_figures {
	const char *name, *path;
	uint64_t waiting; /* whole files seen and not handed over yet */
	uint64_t in_flight;
	uint64_t taken, rejected; /* since start */
	int64_t last_file_ms;
	const char *trouble; /* why the folder cannot be read now; "" */
};

struct drop_figures drop_figures(const struct drop *drop);

#endif
