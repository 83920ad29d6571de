/* What the daemon goes by until it is told to read its configuration again: the configuration, and all that was
 * read because of it. A reload makes a new one; whoever began something under the old one ends it under the
 * old one.
 *
 * Immutable once loaded: any thread may read it. Made and loaded on any one thread; held and let go on the loop,
 * by whoever keeps a pointer into it past the turn of the loop in which the next one comes.
 */
#ifndef DMPFEED_SETUP_SNAPSHOT_H
#define DMPFEED_SETUP_SNAPSHOT_H

#include "dispatch/error_table.h"
#include "document/valueset.h"
#include "setup/certificates.h"
#include "setup/credentials.h"
#include "status/targets.h"

struct snapshot {
	struct config *config;
	struct credentials *credentials;
	struct valuesets *valuesets;
	struct error_table *errors;
	struct targets *targets;
	struct certificates *certificates;

	size_t holders; /* private */
};

/* Reads the file itself. It is held once, by the caller. -1: every error of it is appended to `errors`. */
must_use int snapshot_new(struct snapshot **ret_snapshot, const char *file, struct buf *errors);

/* What the configuration names and all need: doors, tables, targets. -1: likewise. */
must_use int snapshot_load(struct snapshot *snapshot, struct buf *errors);

/* Who signs. -1: likewise; an establishment at fault cannot send, the others can. */
int snapshot_load_credentials(struct snapshot *snapshot, struct buf *errors);

/* Whoever must order a new certificate, or took another structure's, hears of it in the journal. */
void snapshot_tell_certificates(const struct snapshot *snapshot);

struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_let_go(struct snapshot **snapshot); /* the last frees it; NULL may be given */

#endif
