/* What the gateway tells of itself: figures the loop keeps, never the database, nothing of a
 * patient.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_STATUS_STATUS_H
#define DMPFEED_STATUS_STATUS_H

#include "status/curve.h"
#include "status/health.h"

struct status_lane {
	const char *name, *state;
	int64_t since_ms;             /* when that began */
	const char *why, *why_french; /* a sentence, in English and in French; "": it is open */
	uint64_t in_flight, delivered;
	int64_t resumes_ms, last_delivered_ms;
};

struct status_listener {
	const char *name, *address;
	bool tls;
	/* a refused connection: one too many; a refused peer: not in the list */
	uint64_t connections, in_flight_bytes, messages, broken_frames, stray_bytes,
		refused_connections, refused_peers, failed_handshakes;
	int64_t last_message_ms;
};

struct status_folder {
	const char *name, *path, *trouble;
	uint64_t waiting, taken, rejected;
	int64_t last_file_ms;
};

/* An application that business acknowledgements are sent back to. */
struct status_source {
	const char *name, *address, *state, *why;
	bool connected;
	uint64_t waiting, told, refused, failed; /* waiting: for the source; the rest since start */
	int64_t oldest_ms, resumes_ms, last_told_ms;
};

/* Where the audit trail is forwarded to. */
struct status_collector {
	const char *address, *state, *why;
	bool connected;
	uint64_t waiting, forwarded, failed; /* rows; the last that arrived; since start */
	int64_t resumes_ms, last_forwarded_ms;
};

/* A site, or a legal entity. */
struct status_site {
	const char *finess, *name;
	bool is_entity;
	int64_t last_delivered_ms; /* 0: not within a month */
};

struct status_depth {
	const char *state;
	uint64_t documents;
};

/* Times are milliseconds since 1970; 0: never. */
struct status {
	const char *version, *environment;
	int64_t now_ms, started_ms;
	const struct status_lane *lanes;
	size_t lane_count;
	const struct status_listener *listeners;
	size_t listener_count;
	const struct status_folder *folders;
	size_t folder_count;
	const struct status_source *sources;
	size_t source_count;
	const struct status_collector *collector; /* NULL: the audit trail is not forwarded */
	const struct status_site *sites;
	size_t site_count;
	const struct curve *curve; /* NULL: nobody keeps it */
	const struct status_depth *depths;
	size_t depth_count;
	int64_t oldest_queued_ms, last_delivered_ms;
	uint64_t invisible_too_long; /* documents that the patient should see by now */
	uint64_t identities_ignored, identities_unusable; /* of these, what says nothing of use */
	uint64_t identities, answers; /* messages that bring no document: ADT, ACK */
	uint64_t
		not_asked; /* documents of patients whom nobody asked about the feeding of their DMP */
	const char *not_ready;        /* why /readyz says no; "" when it says yes */
	const char *not_ready_french; /* NULL: the same words */
	const struct health *health;  /* NULL: nobody looks at it */
};

/* Appends the JSON object of GET /api/v1/status, on one line without its end: version, environment,
 * uptime_s, now, ready, not_ready (a sentence or null), queue {state: documents}, oldest_queued_s
 * (an age, null when nothing is queued), last_delivered, rates (of 24 hours and 30 days, as the
 * page draws them), invisible_too_long, identities, identities_ignored, identities_unusable,
 * answers, not_asked, lanes, listeners, folders, sources, audit (null: it is not forwarded), sites
 * (without entities), alerts, certificates, disks, waiting. Times are ISO 8601 in UTC; null: never.
 */
void status_write(const struct status *status, struct buf *out);

#endif
