/* What the gateway tells of itself, as JSON. Pure. Any thread. */
#include "status/status.h"

#include "status/json.h"

/* A clock that was set back does not make an age negative. */
static uint64_t seconds_since(int64_t time_ms, int64_t now_ms)
{
	return (uint64_t)max(now_ms - time_ms, (int64_t)0) / 1000;
}

static json_t *json_of_queue(const struct status *status)
{
	json_t *queue = json_object();

	for (size_t i = 0; i < status->depth_count; i++)
		json_put_count(queue, status->depths[i].state, status->depths[i].documents);
	return queue;
}

/* As alerts have theirs; null when there is nothing to say. */
static json_t *sentence_of(const struct status_lane *lane)
{
	json_t *sentence;

	if (lane->why == NULL || lane->why[0] == '\0')
		return json_null();
	sentence = json_object();
	json_put_text(sentence, "en", lane->why);
	json_put_text(sentence, "fr", lane->why_french);
	return sentence;
}

static json_t *json_of_lane(const struct status_lane *lane)
{
	json_t *json = json_object();

	json_put_text(json, "name", lane->name);
	json_put_text(json, "state", lane->state);
	json_put_time(json, "since", lane->since_ms);
	json_put_text(json, "why", lane->why);
	json_object_set_new(json, "sentence", sentence_of(lane));
	json_put_count(json, "in_flight", lane->in_flight);
	json_put_count(json, "delivered", lane->delivered);
	json_put_time(json, "resumes", lane->resumes_ms);
	json_put_time(json, "last_delivered", lane->last_delivered_ms);
	return json;
}

static json_t *json_of_listener(const struct status_listener *listener)
{
	json_t *json = json_object();

	json_put_text(json, "name", listener->name);
	json_put_text(json, "address", listener->address);
	json_put_flag(json, "tls", listener->tls);
	json_put_count(json, "connections", listener->connections);
	json_put_count(json, "in_flight_bytes", listener->in_flight_bytes);
	json_put_count(json, "messages", listener->messages);
	json_put_count(json, "broken_frames", listener->broken_frames);
	json_put_count(json, "stray_bytes", listener->stray_bytes);
	json_put_count(json, "refused_connections", listener->refused_connections);
	json_put_count(json, "refused_peers", listener->refused_peers);
	json_put_count(json, "failed_handshakes", listener->failed_handshakes);
	json_put_time(json, "last_message", listener->last_message_ms);
	return json;
}

static json_t *json_of_folder(const struct status_folder *folder)
{
	json_t *json = json_object();

	json_put_text(json, "name", folder->name);
	json_put_text(json, "path", folder->path);
	json_put_text(json, "trouble", folder->trouble);
	json_put_count(json, "waiting", folder->waiting);
	json_put_count(json, "taken", folder->taken);
	json_put_count(json, "rejected", folder->rejected);
	json_put_time(json, "last_file", folder->last_file_ms);
	return json;
}

static json_t *json_of_source(const struct status_source *source)
{
	json_t *json = json_object();

	json_put_text(json, "name", source->name);
	json_put_text(json, "address", source->address);
	json_put_text(json, "state", source->state);
	json_put_text(json, "why", source->why);
	json_put_flag(json, "connected", source->connected);
	json_put_count(json, "waiting", source->waiting);
	json_put_time(json, "oldest", source->oldest_ms);
	json_put_count(json, "told", source->told);
	json_put_count(json, "refused", source->refused);
	json_put_count(json, "failed", source->failed);
	json_put_time(json, "resumes", source->resumes_ms);
	json_put_time(json, "last_told", source->last_told_ms);
	return json;
}

static json_t *json_of_collector(const struct status_collector *collector)
{
	json_t *json = json_object();

	json_put_text(json, "address", collector->address);
	json_put_text(json, "state", collector->state);
	json_put_text(json, "why", collector->why);
	json_put_flag(json, "connected", collector->connected);
	json_put_count(json, "waiting", collector->waiting);
	json_put_count(json, "forwarded", collector->forwarded);
	json_put_count(json, "failed", collector->failed);
	json_put_time(json, "resumes", collector->resumes_ms);
	json_put_time(json, "last_forwarded", collector->last_forwarded_ms);
	return json;
}

static json_t *json_of_site(const struct status_site *site)
{
	json_t *json = json_object();

	json_put_text(json, "site", site->finess);
	json_put_text(json, "name", site->name);
	json_put_time(json, "last_delivered", site->last_delivered_ms);
	return json;
}

static void put_sites(json_t *object, const struct status *status)
{
	json_t *sites = json_array();

	for (size_t i = 0; i < status->site_count; i++)
		if (!status->sites[i].is_entity)
			json_array_append_new(sites, json_of_site(&status->sites[i]));
	json_object_set_new(object, "sites", sites);
}

static json_t *json_of_span(const struct status *status, enum curve_span span)
{
	static const char *const names[CURVE_KINDS] = { [CURVE_RECEIVED] = "received",
							[CURVE_DELIVERED] = "delivered",
							[CURVE_REJECTED] = "rejected" };
	struct curve_point points[CURVE_HALF_HOURS];
	const size_t count = curve_read(status->curve, span, status->now_ms, points);
	json_t *json = json_object();

	for (enum curve_kind kind = 0; kind < CURVE_KINDS; kind++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < count; i++)
			sum += points[i].counts[kind];
		json_put_count(json, names[kind], sum);
	}
	return json;
}

static json_t *json_of_rates(const struct status *status)
{
	json_t *json = json_object();

	json_put_time(json, "since", status->curve->since_ms);
	json_object_set_new(json, "24h", json_of_span(status, CURVE_DAY));
	json_object_set_new(json, "30d", json_of_span(status, CURVE_MONTH));
	return json;
}

static json_t *json_of_status(const struct status *status)
{
	const char *not_ready = status->not_ready ? status->not_ready : "";
	json_t *json = json_object();

	json_put_text(json, "version", status->version);
	json_put_text(json, "environment", status->environment);
	json_put_count(json, "uptime_s", seconds_since(status->started_ms, status->now_ms));
	json_put_time(json, "now", status->now_ms);
	json_put_flag(json, "ready", not_ready[0] == '\0');
	json_put_text(json, "not_ready", not_ready);
	json_object_set_new(json, "queue", json_of_queue(status));
	if (status->oldest_queued_ms != 0)
		json_put_count(json, "oldest_queued_s",
			       seconds_since(status->oldest_queued_ms, status->now_ms));
	else
		json_put_text(json, "oldest_queued_s", NULL);
	json_put_time(json, "last_delivered", status->last_delivered_ms);
	if (status->curve != NULL)
		json_object_set_new(json, "rates", json_of_rates(status));
	json_put_count(json, "invisible_too_long", status->invisible_too_long);
	json_put_count(json, "identities", status->identities);
	json_put_count(json, "identities_ignored", status->identities_ignored);
	json_put_count(json, "identities_unusable", status->identities_unusable);
	json_put_count(json, "answers", status->answers);
	json_put_count(json, "not_asked", status->not_asked);
	json_put_list(json, "lanes", json_of_lane, status->lanes, status->lane_count);
	json_put_list(json, "listeners", json_of_listener, status->listeners,
		      status->listener_count);
	json_put_list(json, "folders", json_of_folder, status->folders, status->folder_count);
	json_put_list(json, "sources", json_of_source, status->sources, status->source_count);
	json_object_set_new(json, "audit",
			    status->collector ? json_of_collector(status->collector) : json_null());
	put_sites(json, status);
	if (status->health != NULL)
		health_put(json, status->health, status->now_ms);
	return json;
}

void status_write(const struct status *status, struct buf *out)
{
	json_add_and_free(json_of_status(status), out);
}
