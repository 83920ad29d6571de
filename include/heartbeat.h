/* What the service manager hears while the daemon runs: that it is alive, and in one line how it fares.
 *
 * It is alive while the loop, a worker and the writer each do a small piece of work between two beats. A disk that
 * fails is no reason to be killed, for a restart would not mend it; a thread that hangs is.
 *
 * Loop only.
 */
#ifndef DMPFEED_HEARTBEAT_H
#define DMPFEED_HEARTBEAT_H

#include "pipeline.h"

struct heartbeat_parts {
	struct event_base *loop;
	struct pipeline *pipeline;
	struct workers *workers;
	struct writer *writer;
};

struct heartbeat;
struct heartbeat *heartbeat_new(const struct heartbeat_parts *parts); /* NULL: nobody listens */

void heartbeat_stop(struct heartbeat *heartbeat);  /* no more beats; NULL may be given */
void heartbeat_free(struct heartbeat **heartbeat); /* after the workers and the writer ended */

#endif
