/* How the writer's log is written: in few large pieces, into a file that has grown before. Inside
 * queue/ only.
 */
#ifndef DMPFEED_QUEUE_SQLITE_LOG_H
#define DMPFEED_QUEUE_SQLITE_LOG_H

/* The name of the sqlite3_vfs, for the one connection that writes; it must keep synchronous=FULL: what
 * a transaction wrote is in the file when it was synced, and not before. Any thread.
 */
const char *sqlite_log_vfs(void);

#endif
