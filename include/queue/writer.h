/* The one thread that owns the database. It groups commits without a timer: while one batch syncs,
 * the next gathers. Idle, a batch is one change and one sync; busy, it grows to match the disk.
 */
#ifndef DMPFEED_QUEUE_WRITER_H
#define DMPFEED_QUEUE_WRITER_H

#include "base/jobs.h"
#include "queue/store.h"

/* One database write. The submitter fills apply and job.done; done() is called on the loop after
 * the commit, and err then says whether it happened (ERR_NONE: it is on disk).
 */
struct change {
	struct job job;
	/* Writer's thread: 0, or -1 with err, which takes back this change alone. It may be called
	 * again when another one failed: what it left in its own struct is then of no account.
	 */
	int (*apply)(struct change *change, struct store *store, struct err *err);
	struct err err;
	struct store_moves moves; /* when it happened; done() sees to store_moves_done() */
};

struct writer;

/* Takes the store over. */
struct writer *writer_new(struct store **store, struct mailbox *mailbox);
void writer_submit(struct writer *writer, struct change *change); /* any thread */

/* The same from the change's own job.run() on a worker: the writer has it next, without a way through the
 * loop.
 */
void writer_follows(struct writer *writer, struct change *change);

/* Commits what was submitted, ends the thread, closes the store. Their done() waits in the
 * mailbox.
 */
void writer_free(struct writer **writer);

#endif
