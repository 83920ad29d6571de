/* Prometheus' text format 0.0.4, and OpenMetrics 1.0.0, which grew out of it. Pure. Any thread. */
#include "status/metrics.h"

/* What it is written on, and how. */
struct paper {
	struct buf *buf;
	enum metrics_format format;
};

/* A label whose name is NULL is not there. */
struct label {
	const char *name, *value;
};

enum { MOST_LABELS = 3 };

struct labels {
	struct label label[MOST_LABELS];
};

/* clang-format off */
#define LABELS(...) (&(const struct labels){ { __VA_ARGS__ } })
/* clang-format on */

static void put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			buf_add_char(out, '\\');
		buf_add_char(out, *text == '\n' ? 'n' : *text);
	}
}

/* OpenMetrics names the family of a counter without the _total of its sample. */
static void put_head(struct paper *out, const char *name, const char *type, const char *help)
{
	const bool is_total = out->format == METRICS_OPEN && strcmp(type, "counter") == 0;
	const int n = (int)(strlen(name) - (is_total ? strlen("_total") : 0));

	buf_addf(out->buf, "# HELP %.*s %s\n# TYPE %.*s %s\n", n, name, help, n, name, type);
}

static void put(struct paper *out, const char *name, const struct labels *labels, double value)
{
	char separator = '{';

	buf_add_text(out->buf, name);
	for (size_t i = 0; labels != NULL && i < MOST_LABELS; i++) {
		if (labels->label[i].name == NULL)
			continue;
		buf_addf(out->buf, "%c%s=\"", separator, labels->label[i].name);
		put_escaped(out->buf, labels->label[i].value);
		buf_add_char(out->buf, '"');
		separator = ',';
	}
	if (separator == ',')
		buf_add_char(out->buf, '}');
	buf_addf(out->buf, " %.15g\n", value);
}

static void put_one(struct paper *out, const char *name, const char *type, const char *help,
		    double value)
{
	put_head(out, name, type, help);
	put(out, name, NULL, value);
}

/* A family with a sample of each item; `value` is of `item`. */
#define put_each(out, name, type, help, items, count, key, key_of, value)                          \
	do {                                                                                       \
		put_head((out), (name), (type), (help));                                           \
		for (size_t i_ = 0; i_ < (count); i_++) {                                          \
			__typeof__(&(items)[0]) item = &(items)[i_];                               \
			put((out), (name), LABELS({ (key), item->key_of }), (double)(value));      \
		}                                                                                  \
	} while (0)

/* Times are milliseconds: 0 stays 0, which says never. */
static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

/* ---- families ---- */

static void put_gateway(const struct status *status, struct paper *out)
{
	put_head(out, "dmpfeed_build_info", "gauge", "What runs: always 1.");
	put(out, "dmpfeed_build_info",
	    LABELS({ "version", status->version }, { "environment", status->environment }), 1);
	put_one(out, "dmpfeed_ready", "gauge", "Whether documents are taken in.",
		status->not_ready == NULL || status->not_ready[0] == '\0');
}

static void put_log(const struct status *status, struct paper *out)
{
	const struct log_figures *log = &status->health->log;

	put_one(out, "dmpfeed_log_left_out_total", "counter",
		"Lines that the journal was not given: log.rate_limit allows no more like them.",
		(double)log->left_out);
	put_one(out, "dmpfeed_log_lost_total", "counter", "Lines that the journal did not take.",
		(double)log->lost);
}

static void put_documents(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;
	const int64_t age_ms = status->now_ms - status->oldest_queued_ms;

	put_each(out, "dmpfeed_documents", "gauge", "Documents in each state.", status->depths,
		 status->depth_count, "state", state, item->documents);
	put_one(out, "dmpfeed_oldest_queued_age_seconds", "gauge",
		"Age of the oldest document to be sent; 0: none waits.",
		status->oldest_queued_ms > 0 ? seconds(max(age_ms, (int64_t)0)) : 0);
	put_one(out, "dmpfeed_last_delivered_timestamp_seconds", "gauge",
		"When a document was last delivered; 0: never.",
		seconds(status->last_delivered_ms));
	put_one(out, "dmpfeed_documents_received_total", "counter", "New documents taken in.",
		(double)health->received);
	put_each(out, "dmpfeed_documents_reached_total", "counter",
		 "Documents that came to each state.", health->reached, health->reached_count,
		 "state", name, item->count);
	put_head(out, "dmpfeed_documents_waiting", "gauge",
		 "Documents that are held or rejected, by reason.");
	for (size_t i = 0; i < health->waiting_count; i++)
		put(out, "dmpfeed_documents_waiting",
		    LABELS({ "state", health->waiting[i].state },
			   { "reason", health->waiting[i].reason }),
		    (double)health->waiting[i].documents);
	put_one(out, "dmpfeed_documents_invisible_too_long", "gauge",
		"Documents that their patients should see by now.",
		(double)status->invisible_too_long);
	put_one(out, "dmpfeed_identities_total", "counter", "Messages about identities (ADT).",
		(double)status->identities);
	put_one(out, "dmpfeed_identities_ignored_total", "counter",
		"Messages of these whose event says nothing of an identity.",
		(double)status->identities_ignored);
	put_one(out, "dmpfeed_identities_unusable_total", "counter",
		"Messages of these without a patient's number, or a status of the identity.",
		(double)status->identities_unusable);
}

static void put_states(const struct status *status, struct paper *out)
{
	static const char *const states[] = { "open", "slowed", "stopped" };

	put_head(out, "dmpfeed_lane_state", "gauge", "1 for the state that the lane is in.");
	for (size_t i = 0; i < status->lane_count; i++)
		for (size_t j = 0; j < length_of(states); j++)
			put(out, "dmpfeed_lane_state",
			    LABELS({ "lane", status->lanes[i].name }, { "state", states[j] }),
			    strcmp(states[j], status->lanes[i].state) == 0);
}

/* As OpenMetrics has them, "1.0": the same series in both formats. */
static char *bound_text(size_t i)
{
	if (i == HISTOGRAM_BOUNDS)
		return xstrdup("+Inf");
	return xasprintf(histogram_bounds_ms[i] % 1000 == 0 ? "%.1f" : "%g",
			 seconds(histogram_bounds_ms[i]));
}

static void put_histogram(struct paper *out, const char *name, struct label label,
			  const struct histogram *histogram)
{
	scoped(free_ptr) char *bucket = xasprintf("%s_bucket", name);
	scoped(free_ptr) char *sum = xasprintf("%s_sum", name);
	scoped(free_ptr) char *count = xasprintf("%s_count", name);
	uint64_t within = 0;

	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		scoped(free_ptr) char *bound = bound_text(i);

		within += histogram->counts[i];
		put(out, bucket, LABELS(label, { "le", bound }), (double)within);
	}
	put(out, sum, LABELS(label), (double)histogram->total_ms / 1000);
	put(out, count, LABELS(label), (double)within);
}

static void put_lanes(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;

	put_states(status, out);
	put_each(out, "dmpfeed_lane_in_flight", "gauge", "Documents being built, sent or settled.",
		 status->lanes, status->lane_count, "lane", name, item->in_flight);
	put_each(out, "dmpfeed_lane_last_delivered_timestamp_seconds", "gauge",
		 "When the lane last delivered a document since start; 0: never.", status->lanes,
		 status->lane_count, "lane", name, seconds(item->last_delivered_ms));
	put_head(out, "dmpfeed_lane_attempts_total", "counter",
		 "Attempts to deliver, by what they came to.");
	for (size_t i = 0; i < health->lane_count; i++)
		for (size_t j = 0; j < HEALTH_OUTCOMES; j++)
			put(out, "dmpfeed_lane_attempts_total",
			    LABELS({ "lane", health->lanes[i].name },
				   { "outcome", health->lanes[i].outcomes[j].name }),
			    (double)health->lanes[i].outcomes[j].count);
	put_head(out, "dmpfeed_dmp_request_duration_seconds", "histogram",
		 "From a request to the DMP to the end of its answer.");
	for (size_t i = 0; i < health->lane_count; i++)
		put_histogram(out, "dmpfeed_dmp_request_duration_seconds",
			      (struct label){ "lane", health->lanes[i].name },
			      health->lanes[i].answers);
	put_head(out, "dmpfeed_clock_skew_seconds", "gauge",
		 "How far the DMP's clock is ahead of ours; absent: it did not say lately.");
	for (size_t i = 0; i < health->lane_count; i++)
		if (health->lanes[i].knows_skew)
			put(out, "dmpfeed_clock_skew_seconds",
			    LABELS({ "lane", health->lanes[i].name }),
			    seconds(health->lanes[i].skew_ms));
}

static void put_listeners(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;

	put_each(out, "dmpfeed_listener_connections", "gauge", "Connections at this moment.",
		 status->listeners, status->listener_count, "listener", name, item->connections);
	put_each(out, "dmpfeed_listener_in_flight_bytes", "gauge",
		 "Bytes read and not yet acknowledged.", status->listeners, status->listener_count,
		 "listener", name, item->in_flight_bytes);
	put_each(out, "dmpfeed_listener_messages_total", "counter", "Messages that came.",
		 status->listeners, status->listener_count, "listener", name, item->messages);
	put_each(out, "dmpfeed_listener_broken_frames_total", "counter",
		 "Frames that were not MLLP, too large or never ended.", status->listeners,
		 status->listener_count, "listener", name, item->broken_frames);
	put_each(out, "dmpfeed_listener_refused_connections_total", "counter",
		 "Connections beyond the limit.", status->listeners, status->listener_count,
		 "listener", name, item->refused_connections);
	put_each(out, "dmpfeed_listener_refused_peers_total", "counter",
		 "Connections from outside the list.", status->listeners, status->listener_count,
		 "listener", name, item->refused_peers);
	put_each(out, "dmpfeed_listener_failed_handshakes_total", "counter",
		 "TLS handshakes that failed.", status->listeners, status->listener_count,
		 "listener", name, item->failed_handshakes);
	put_each(out, "dmpfeed_listener_last_message_timestamp_seconds", "gauge",
		 "When a message last came since start; 0: never.", status->listeners,
		 status->listener_count, "listener", name, seconds(item->last_message_ms));
	put_head(out, "dmpfeed_ack_duration_seconds", "histogram",
		 "From a whole message to its acknowledgement.");
	for (size_t i = 0; i < health->listener_count; i++)
		put_histogram(out, "dmpfeed_ack_duration_seconds",
			      (struct label){ "listener", health->listeners[i].name },
			      health->listeners[i].acks);
}

static void put_folders(const struct status *status, struct paper *out)
{
	put_each(out, "dmpfeed_folder_waiting", "gauge", "Whole files that wait their turn.",
		 status->folders, status->folder_count, "folder", name, item->waiting);
	put_each(out, "dmpfeed_folder_taken_total", "counter", "Files taken in.", status->folders,
		 status->folder_count, "folder", name, item->taken);
	put_each(out, "dmpfeed_folder_rejected_total", "counter", "Files moved to rejected/.",
		 status->folders, status->folder_count, "folder", name, item->rejected);
	put_each(out, "dmpfeed_folder_readable", "gauge", "Whether the folder can be read.",
		 status->folders, status->folder_count, "folder", name, item->trouble[0] == '\0');
	put_each(out, "dmpfeed_folder_last_file_timestamp_seconds", "gauge",
		 "When a file last came since start; 0: never.", status->folders,
		 status->folder_count, "folder", name, seconds(item->last_file_ms));
}

/* The way back to sources: business acknowledgements. */
static void put_sources(const struct status *status, struct paper *out)
{
	put_each(out, "dmpfeed_source_acks_waiting", "gauge",
		 "Business acknowledgements that the source has not got yet.", status->sources,
		 status->source_count, "source", name, item->waiting);
	put_each(out, "dmpfeed_source_acks_told_total", "counter",
		 "Business acknowledgements that the source took.", status->sources,
		 status->source_count, "source", name, item->told);
	put_each(out, "dmpfeed_source_acks_refused_total", "counter",
		 "Business acknowledgements that the source refused.", status->sources,
		 status->source_count, "source", name, item->refused);
	put_each(out, "dmpfeed_source_acks_failed_total", "counter",
		 "Attempts to send one that failed.", status->sources, status->source_count,
		 "source", name, item->failed);
}

static void put_trail(const struct status *status, struct paper *out)
{
	const size_t count = status->collector != NULL;

	put_each(out, "dmpfeed_audit_rows_waiting", "gauge",
		 "Rows of the audit trail that its collector has not got yet.", status->collector,
		 count, "collector", address, item->waiting);
	put_each(out, "dmpfeed_audit_forwarded_row", "gauge",
		 "Number of the last row that it has got.", status->collector, count, "collector",
		 address, item->forwarded);
	put_each(out, "dmpfeed_audit_last_forwarded_timestamp_seconds", "gauge",
		 "When rows last arrived since start; 0: never.", status->collector, count,
		 "collector", address, seconds(item->last_forwarded_ms));
	put_each(out, "dmpfeed_audit_connections_failed_total", "counter",
		 "Connections to it that were not made, or broke.", status->collector, count,
		 "collector", address, item->failed);
}

static void put_certificates(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;

	put_head(out, "dmpfeed_certificate_not_after_timestamp_seconds", "gauge",
		 "When the certificate ends.");
	for (size_t i = 0; i < health->certificate_count; i++)
		put(out, "dmpfeed_certificate_not_after_timestamp_seconds",
		    LABELS({ "owner", health->certificates[i].owner },
			   { "role", health->certificates[i].role }),
		    seconds(health->certificates[i].not_after_ms));
}

static void put_disks(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;

	put_each(out, "dmpfeed_disk_free_bytes", "gauge", "Room left for us.", health->disks,
		 health->disk_count, "disk", name, item->free_bytes);
	put_each(out, "dmpfeed_disk_size_bytes", "gauge", "Size of the file system.", health->disks,
		 health->disk_count, "disk", name, item->size_bytes);
	put_one(out, "dmpfeed_store_bytes", "gauge", "Size of the queue's file.",
		(double)health->store_bytes);
	put_one(out, "dmpfeed_store_wal_bytes", "gauge", "Size of its write-ahead log.",
		(double)health->wal_bytes);
}

static void put_process(const struct status *status, struct paper *out)
{
	const struct health_process *process = &status->health->process;

	put_head(out, "dmpfeed_loop_lag_seconds", "histogram",
		 "How late the event loop's own timer fired.");
	put_histogram(out, "dmpfeed_loop_lag_seconds", (struct label){ NULL, NULL },
		      status->health->loop_lag);
	put_one(out, "process_cpu_seconds_total", "counter", "User and system time.",
		process->cpu_s);
	put_one(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
		(double)process->resident_bytes);
	put_one(out, "process_virtual_memory_bytes", "gauge", "Memory mapped.",
		(double)process->virtual_bytes);
	put_one(out, "process_open_fds", "gauge", "Descriptors in use.", (double)process->open_fds);
	put_one(out, "process_max_fds", "gauge", "Descriptors that may be.",
		(double)process->most_fds);
	put_one(out, "process_start_time_seconds", "gauge", "When the process began.",
		seconds(process->started_ms));
}

static void put_alerts(const struct status *status, struct paper *out)
{
	const struct health *health = status->health;

	put_head(out, "dmpfeed_alert", "gauge", "1 for each alert that is raised.");
	for (size_t i = 0; i < health->alert_count; i++)
		put(out, "dmpfeed_alert",
		    LABELS({ "name", alert_name(health->alerts[i].rule) },
			   { "subject", health->alerts[i].subject },
			   { "severity", alert_severity_text(health->alerts[i].severity) }),
		    1);
}

const char *metrics_type(enum metrics_format format)
{
	static const char *const types[] = {
		[METRICS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
		[METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	};

	return types[format];
}

void metrics_write(const struct status *status, enum metrics_format format, struct buf *out)
{
	static void (*const families[])(const struct status *status, struct paper *out) = {
		put_gateway, put_documents,    put_lanes, put_listeners, put_folders, put_sources,
		put_trail,   put_certificates, put_disks, put_alerts,    put_log,     put_process,
	};
	static const struct histogram nothing;
	static const struct health unknown = { .loop_lag = &nothing };
	struct paper paper = { out, format };
	struct status whole = *status;

	if (whole.health == NULL)
		whole.health = &unknown;
	for (size_t i = 0; i < length_of(families); i++)
		families[i](&whole, &paper);
	if (format == METRICS_OPEN)
		buf_add_text(out, "# EOF\n");
}
