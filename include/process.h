/* What the kernel says of this process. A worker: it reads files of /proc. */
#ifndef DMPFEED_PROCESS_H
#define DMPFEED_PROCESS_H

#include "status/health.h"

/* What cannot be read is 0; started_ms is the caller's. */
void process_look(struct health_process *ret_process);

#endif
