/* GET /metrics: what the gateway tells of itself, in Prometheus' text format 0.0.4.
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

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_write(const struct status *status, struct buf *out);

#endif
