/* What a child process gives up before it becomes a foreign program that reads foreign bytes: time,
 * memory, output, other processes, new rights, the network, and files.
 *
 * The network is closed twice: by namespaces of its own (user, net, ipc), where the system lets an
 * ordinary account have them; and by a filter of system calls (seccomp), under which no socket of any
 * kind can be made, not even to the gateway's own, and no other process be signalled or looked into.
 * One of the two is enough.
 *
 * Files are closed by Landlock: it reads programs, fonts and what is Ghostscript's, and writes in the folder that it
 * stands in. What Landlock does not know of (rights, owners, the length of a file that it may not open), the filter
 * closes. A system without Landlock leaves them to Ghostscript's own -dSAFER.
 */
#ifndef DMPFEED_CONVERT_CONFINE_H
#define DMPFEED_CONVERT_CONFINE_H

#include "base/buf.h"

struct confine_settings {
	const char *program; /* what it becomes */
	uint64_t seconds;    /* of processor time */
	uint64_t most_memory_bytes, most_output_bytes;
	bool needs_isolation;
};

/* What the system does not allow: bits. */
enum confine_gap { CONFINE_NO_NAMESPACES = 1, CONFINE_NO_FILTER = 2, CONFINE_NO_LANDLOCK = 4 };
enum { CONFINE_OPEN = CONFINE_NO_NAMESPACES | CONFINE_NO_FILTER | CONFINE_NO_LANDLOCK };

/* With these gaps, it has no network all the same. */
must_use bool confine_isolates(int gaps);

/* In the child, between fork() and exec: does only what a signal handler may, for other threads held
 * locks. The gaps; -1: it must not go on.
 */
must_use int confine(const struct confine_settings *settings);

/* The gaps that there would be here and now: tried in a child that ends at once. -1: no process can be
 * started.
 */
must_use int confine_probe(void);

#endif
