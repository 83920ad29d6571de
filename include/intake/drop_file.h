/* One file of a drop folder: read, and moved aside.
 *
 * On a worker: all of it may block.
 */
#ifndef DMPFEED_INTAKE_DROP_FILE_H
#define DMPFEED_INTAKE_DROP_FILE_H

#include "base/buf.h"

struct drop_settings;
struct stat;

enum drop_fate {
	DROP_LEFT,
	DROP_TAKEN,
	DROP_REJECTED,
	DROP_STUCK /* could not be moved, or worked on */
};

/* A file handed over. Until drop_settle() its name is not handed over again. */
struct drop_file {
	const struct drop_settings *folder;
	const char *name; /* inside the folder: any bytes but '/' and NUL */
	/* The sidecar of a body: read by itself, moved with it. NULL: it is not of a pair, or is
	 * one half of a pair whose other half did not come.
	 */
	struct drop_file *companion;

	/* private */
	struct drop *drop;
	int64_t size, modified_ns; /* as it was when handed over */
	uint64_t inode;
	enum drop_fate fate;
};

/* A file's name as logs tell it: names often carry a patient's, so it is the first digits of the
 * SHA-256 of its bytes ("printf %s NAME | sha256sum" finds the file again).
 */
enum { DROP_DIGEST = 13 };
const char *drop_name_digest(const char *name, char ret_digest[static DROP_DIGEST]);

/* Reads the whole file. -1 with ERR_REJECT (too large, not a regular file) or ERR_RETRY (it is
 * gone, it has changed since it was seen or changes now, or it cannot be read).
 */
must_use int drop_read(const struct drop_file *file, struct buf *ret_bytes, struct err *err);

/* After the commit: to done/DATE/ (or away). A name taken there already gets a number:
 * letter-2.xml. `result` (empty: none) stands beside it (letter.result.yaml,
 * letter-2.result.yaml); it goes away with the file where that does. What has been put in the
 * file's place since it was read is a new file: it stays, and is handed over in its turn. -1
 * (ERR_RETRY): it could not be moved and is still in the folder.
 */
must_use int drop_accept(struct drop_file *file, int64_t now_ms, struct slice result,
			 struct err *err);

/* To rejected/DATE/, with `explanation` beside it (letter.error.yaml for letter.xml,
 * letter-2.error.yaml for letter-2.xml), which is on disk before the file moves. Else as
 * drop_accept(); where the file is gone or another one has its place, no explanation stays.
 */
must_use int drop_reject(struct drop_file *file, int64_t now_ms, struct slice explanation,
			 struct err *err);

/* A sidecar that came alone: it may be that its body moved aside with it, and a crash came before its
 * name here was taken away (see below). *ret_finished: so it was, and now that is done; what is left
 * is drop_accept(), which finds nothing to move.
 *
 * A pair moves in three steps: the sidecar gets a second name (a hard link) in its new place, the
 * body moves, the sidecar's first name goes. Dying before the second step leaves the pair in the
 * folder, to be taken again as known; dying after it leaves a sidecar with two names, of which one
 * is in done/ or rejected/. A file system without hard links has two steps only, and a crash
 * between them leaves a sidecar that is rejected, after its time, as one that came alone: a
 * document is never lost or doubled by it.
 */
must_use int drop_finish(const struct drop_file *file, bool *ret_finished, struct err *err);

/* Before the first file: makes done/ and rejected/. -1 (ERR_HALT): they, or the folder, cannot be
 * used.
 */
must_use int drop_prepare(const struct drop_settings *settings, struct err *err);

/* A descriptor, or -1 (ERR_RETRY). */
must_use int drop_open_folder(const char *path, struct err *err);

/* A file's time. Wraps around for absurd ones, which anybody may give a file. */
int64_t drop_modified_ns(const struct stat *found);

#endif
