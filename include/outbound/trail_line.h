/* A row of the audit chain as a syslog collector takes it. Pure. Any thread. */
#ifndef DMPFEED_OUTBOUND_TRAIL_LINE_H
#define DMPFEED_OUTBOUND_TRAIL_LINE_H

#include "dispatch/collector.h"
#include "queue/store_trail.h"

/* Appends its frame. */
void trail_line(const struct store_trail_row *row, const struct collector_settings *settings,
		struct buf *out);

#endif
