/* GET /metrics: what the gateway tells of itself, in Prometheus' text format 0.0.4 or as
 * OpenMetrics 1.0.0.
 *
 * Names begin with dmpfeed_ (process_ for what every process has); times are seconds, sizes bytes;
 * what ends in _total counts since start. Labels are lanes, listeners, folders, sources, states,
 * reasons, certificates: what the configuration and our own tables name, never what a document does.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_METRICS_H
#define DMPFEED_STATUS_METRICS_H

#include "status/status.h"

enum metrics_format { METRICS_TEXT, METRICS_OPEN };

/* "text/plain; version=0.0.4; charset=utf-8" */
const char *metrics_type(enum metrics_format format);

void metrics_write(const struct status *status, enum metrics_format format, struct buf *out);

#endif
