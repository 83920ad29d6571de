/* The socket on which journald takes entries with fields.
 *
 * Our own few lines, and not libsystemd: sd_journal_sendv() waits for as long as journald does not read, and who logs
 * here is the loop. (And its library brings three decompressors and a cipher into the process that holds the keys.)
 */
#ifndef DMPFEED_BASE_JOURNAL_H
#define DMPFEED_BASE_JOURNAL_H

#include "base/buf.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Whether `fd` is what the service manager connected to the journal: JOURNAL_STREAM (systemd.exec(5)), `stream`, names
 * it. A program that was started by such a service with an output of its own has the variable, too. */
bool journal_is_behind(int fd, const char *stream);

/* -1: nobody listens there. */
int journal_connect(const char *path);

/* The same in the place of `fd`, which other threads may be using. */
bool journal_connect_again(int fd, const char *path);

enum journal_answer {
	JOURNAL_TOOK,
	JOURNAL_IS_FULL, /* it does not read */
	JOURNAL_IS_GONE, /* errno says how */
};

/* Waits for *patience_ms at most, and takes from it what it waited: a journal that is busy has that much time in all,
 * until it takes an entry at once again and *patience_ms is whole. Any thread, with a patience of its own. */
enum journal_answer journal_send(int fd, struct slice entry, int64_t *patience_ms);

enum { JOURNAL_PATIENCE_MS = 100 };

#endif
