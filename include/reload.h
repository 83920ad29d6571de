/* The configuration, read again while the daemon runs: all of it, or nothing.
 *
 *     read_all     a thread of its own   the file and all that it names: whatever can be wrong
 *     was_read     loop                  what changes, and whether it can; sockets and folders are opened
 *     follow       loop                  every module goes by the new one, in one turn
 *     answer       loop                  the journal, and whoever asked, hear what changed, or what is wrong
 *     note         writer                one act in the audit chain, by whom, when something was reloaded
 *
 * Whatever is under way ends as it began. A fault of any kind leaves everything as it was.
 *
 * Loop only.
 */
#ifndef DMPFEED_RELOAD_H
#define DMPFEED_RELOAD_H

#include "operator/operator.h"

struct reload_parts { /* outlive it */
	struct mailbox *mailbox;
	struct writer *writer;
	struct snapshot *snapshot; /* at first */
	struct pipeline *pipeline;
	struct watch *watch;
	struct board *board;
	struct operator_desk *desk;

	/* One begins; and has ended, well or not. */
	void (*begins)(void *arg);
	void (*ended)(void *arg);
	void *arg;
};

struct reload;
struct reload *reload_new(const struct reload_parts *parts);

/* `request` is answered when it is done; NULL: a signal asked. While one is being read, another is begun after it: the
 * file may have changed since.
 */
void reload_begin(struct reload *reload, struct control_request *request);

/* Ends its thread, which may be at a folder that hangs. What it has read is in the mailbox: the reload outlives that. */
void reload_stop(struct reload *reload);

void reload_free(struct reload **reload);

#endif
