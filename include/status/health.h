/* What is known of the gateway's health beside the documents' way: for the status, its metrics and its
 * alerts. Figures that the loop keeps, nothing of a patient; lists may be empty, texts are not NULL.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_HEALTH_H
#define DMPFEED_STATUS_HEALTH_H

#include "base/histogram.h"
#include "base/log.h"
#include "status/alerts.h"

struct json_t;

/* A certificate in use. */
struct health_certificate {
	const char *owner;   /* a lane, a listener, a source */
	const char *role;    /* "auth", "sign", "listener", "ack", "status" */
	const char *subject; /* organisation and server names: no person's */
	int64_t not_after_ms;
};

/* A file system that something of ours is on. */
struct health_disk {
	const char *name; /* "state", or a folder's */
	uint64_t free_bytes, size_bytes;
};

/* Documents that wait for a person or an event. */
struct health_waiting {
	const char *state, *reason;
	uint64_t documents;
	int64_t oldest_ms; /* since when the oldest does */
};

struct health_count {
	const char *name;
	uint64_t count;
};

enum { HEALTH_OUTCOMES = 6 };

/* A lane, since start. */
struct health_lane {
	const char *name;
	const struct histogram *answers; /* how long the DMP took */
	struct health_count outcomes[HEALTH_OUTCOMES];
	bool knows_skew; /* the DMP said what time it is lately */
	int64_t skew_ms; /* how far its clock is ahead of ours */
};

struct health_listener {
	const char *name;
	const struct histogram *acks; /* from a whole frame to its answer */
};

/* This process, as the kernel sees it. */
struct health_process {
	double cpu_s;
	uint64_t resident_bytes, virtual_bytes, open_fds, most_fds;
	int64_t started_ms;
};

/* A lane that documents wait for and that the configuration does not have (any more): stopped, until it has. */
struct health_stray {
	const char *lane;
	const char *why, *why_french;
	int64_t since_ms; /* as it was seen first, since start */
};

struct health {
	const struct alert *alerts;
	size_t alert_count;
	const struct health_certificate *certificates;
	size_t certificate_count;
	const struct health_disk *disks;
	size_t disk_count;
	const struct health_waiting *waiting;
	size_t waiting_count;
	const struct health_lane *lanes;
	size_t lane_count;
	const struct health_stray *strays;
	size_t stray_count;
	const struct health_listener *listeners;
	size_t listener_count;
	const struct health_count *reached; /* documents that came to each state, since start */
	size_t reached_count;
	uint64_t received; /* new documents, since start */
	struct log_figures log;
	uint64_t store_bytes, wal_bytes;
	const struct histogram *loop_lag; /* how late the loop's own timer is */
	struct health_process process;
};

/* Whole days; negative once it has ended. */
int64_t health_days_left(const struct health_certificate *certificate, int64_t now_ms);

/* Adds the members alerts, certificates, disks and waiting to the object of GET /api/v1/status. */
void health_put(struct json_t *object, const struct health *health, int64_t now_ms);

/* What whoever does not look is told when an alert changes: the object that it has in the list, with the
 * members change and gateway before it.
 */
void health_tell_alert(const struct alert *alert, enum alert_change change, const char *gateway,
		       struct buf *out);

/* One of its lists, as an object by that name. */
void health_put_certificates(struct json_t *object, const struct health *health, int64_t now_ms);

#endif
