/* What is looked at beside the documents' way: disks, clocks, certificates, what waits for a person; and the
 * alerts that follow from it and from the pipeline's own figures.
 *
 * Loop only; disk and store are read by workers, whose context is a struct hands.
 */
#ifndef DMPFEED_WATCH_H
#define DMPFEED_WATCH_H

#include "pipeline.h"
#include "status/health.h"

struct watch_parts {
	struct event_base *loop;
	struct snapshot *snapshot; /* at first; where the store is, it stays */
	const struct pipeline *pipeline;
	struct workers *workers;
	struct writer *writer;
	struct mailbox *mailbox;
	int64_t started_ms;
};

struct watch;

struct watch *watch_new(const struct watch_parts *parts);

/* Goes by that snapshot from now on, as the pipeline does already: both count lanes, listeners and folders alike. */
void watch_follow(struct watch *watch, struct snapshot *snapshot);

/* Nobody is told any more, as soon as what tells has noticed. */
void watch_stop(struct watch *watch);

/* After the workers ended. */
void watch_free(struct watch **watch);

/* What is to be said of a lane that the configuration does not have; since_ms is not known. Any thread. */
struct health_stray watch_stray(const char *lane);

/* Appends a line for each lane that documents wait for, as it was seen last, and that the configuration does not have. */
void watch_tell_strays(const struct watch *watch, struct buf *lines);

/* As it is known now; valid until the loop goes on. */
const struct health *watch_health(struct watch *watch);

#endif
