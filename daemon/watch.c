/* What is looked at beside the documents' way, and the alerts that follow. Loop only.
 *
 * Each second the loop's own timer tells how late it is. Every few seconds a worker reads what the disk and
 * the store must be asked for (watch/look.c); when it has, all alerts are seen anew, from that and from the
 * figures that the pipeline keeps.
 */
#include "watch.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "push.h"
#include "watch/look.h"

enum {
	TICK_MS = 1000,
	LOOK_MS = 5000,
	LOOK_SHARE = 50, /* a look takes no more than one part in so many of a worker's time */
	NOTE_MS = 10000,
	NOTED_AT_ONCE = 1000, /* documents, which senders wait for meanwhile */
	MOST_ALERTS = 1024,
	JUMP_TOLD_MS = 3600000, /* a jump of the clock is an alert for so long */
};

/* A lane that was lost, which stays one until documents wait for it no more or the configuration has it. */
struct stray {
	char lane[LOOK_LANE_TEXT];
	int64_t since_ms, since_wall_ms; /* by the monotonic clock; as people read it */
};

struct watch {
	struct watch_parts parts;
	struct snapshot *snapshot; /* held */
	const struct config *config;
	struct alerts *alerts;
	struct push *push; /* NULL: nobody is told */
	struct event *tick;
	struct look look;
	struct change note; /* of arrivals */
	size_t noted;
	bool noting;
	bool behind, caught_up; /* more waited than is counted at once: it is of long ago */
	int64_t next_note_ms;
	int64_t next_tick_ms, next_look_ms; /* by the monotonic clock */
	bool looking;
	bool senders_are_old; /* who sends is named anew once no worker looks */

	int64_t ahead_ms; /* the wall clock of the monotonic one */
	int64_t jump_ms, jumped_ms;
	int64_t *stopped_ms; /* by lane: since when, by the monotonic clock; 0: it is not */

	struct look_lanes awaited; /* as the last look that could read the store left them */
	struct stray *strays;      /* those of them that the configuration does not have */
	struct health_stray *told_strays;
	size_t stray_count;

	struct histogram lag;
	struct health_lane *lanes;
	struct health_listener *listeners;
	struct health_disk *disks;
	struct health_count reached[DOC_STATE_COUNT];
	struct look_store seen; /* as the last look that ended left it, */
	struct disk_room room;  /* for a worker may be at the next */
	struct health health;
};

/* ---- the figures ---- */

static void gather_lanes(struct watch *watch, int64_t now_ms)
{
	static const char *const outcomes[HEALTH_OUTCOMES] = {
		[OUTCOME_DELIVERED] = "delivered",   [OUTCOME_RETRY] = "retry",
		[OUTCOME_RETRY_LANE] = "retry_lane", [OUTCOME_REJECTED] = "rejected",
		[OUTCOME_REFUSED] = "refused",       [OUTCOME_HALT] = "halt",
	};
	_Static_assert((int)OUTCOME_COUNT == (int)HEALTH_OUTCOMES, "an outcome has no name");

	for (size_t i = 0; i < watch->health.lane_count; i++) {
		const struct outbound_tally *tally = pipeline_tally(watch->parts.pipeline, i);
		struct health_lane *lane = &watch->lanes[i];

		lane->name = watch->config->establishments[i].finess_ej;
		lane->answers = &tally->answers;
		lane->knows_skew = skew_is_known(&tally->skew, now_ms);
		lane->skew_ms = lane->knows_skew ? skew_ms(&tally->skew) : 0;
		for (size_t j = 0; j < HEALTH_OUTCOMES; j++)
			lane->outcomes[j] =
				(struct health_count){ outcomes[j], tally->outcomes[j] };
	}
}

static bool is_stray(const struct watch *watch, const char *lane)
{
	for (size_t i = 0; i < watch->config->establishment_count; i++)
		if (strcmp(watch->config->establishments[i].finess_ej, lane) == 0)
			return false;
	return true;
}

struct health_stray watch_stray(const char *lane)
{
	return (struct health_stray){
		.lane = lane,
		.why = "no establishment of the configuration has this FINESS: put it back, or "
		       "cancel what waits for it",
		.why_french = "aucun établissement de la configuration n'a ce FINESS : le "
			      "remettre, ou annuler ce qui l'attend",
	};
}

/* One that was lost already stays so since then; each is said once in the journal. */
static struct stray stray_of(const struct watch *watch, const char *lane)
{
	struct stray stray = { .since_ms = clock_monotonic_ms(), .since_wall_ms = clock_now_ms() };

	for (size_t i = 0; i < watch->stray_count; i++)
		if (strcmp(watch->strays[i].lane, lane) == 0)
			return watch->strays[i];
	snprintf(stray.lane, sizeof(stray.lane), "%s", lane);
	log_error("lane=%s state=stopped: %s", stray.lane, watch_stray(lane).why);
	return stray;
}

/* After a look, and after a change of the configuration. */
static void find_strays(struct watch *watch)
{
	const struct look_lanes *lanes = &watch->awaited;
	struct stray *strays = xcalloc(lanes->count, sizeof(*strays));
	size_t count = 0;

	for (size_t i = 0; i < lanes->count; i++)
		if (is_stray(watch, lanes->names[i]))
			strays[count++] = stray_of(watch, lanes->names[i]);
	free(watch->strays);
	free(watch->told_strays);
	watch->strays = strays;
	watch->stray_count = count;
	watch->told_strays = xcalloc(count, sizeof(*watch->told_strays));
	for (size_t i = 0; i < count; i++) {
		watch->told_strays[i] = watch_stray(strays[i].lane);
		watch->told_strays[i].since_ms = strays[i].since_wall_ms;
	}
	watch->health.strays = watch->told_strays;
	watch->health.stray_count = count;
}

/* One of each disk, by the first name that is on it. */
static void gather_disk(struct watch *watch, const char *name, const struct disk_room *room,
			uint64_t *seen)
{
	size_t *count = &watch->health.disk_count;

	for (size_t i = 0; i < *count; i++)
		if (seen[i] == room->disk)
			return;
	if (room->size_bytes == 0)
		return;
	seen[*count] = room->disk;
	watch->disks[(*count)++] = (struct health_disk){ name, room->free_bytes, room->size_bytes };
}

static void gather_disks(struct watch *watch)
{
	const struct config *config = watch->config;
	scoped(free_ptr) uint64_t *seen = xcalloc(config->drop_count + 1, sizeof(*seen));

	watch->health.disk_count = 0;
	gather_disk(watch, "state", &watch->room, seen);
	for (size_t i = 0; i < config->drop_count; i++) {
		const struct drop_figures folder = pipeline_folder(watch->parts.pipeline, i);

		gather_disk(watch, config->drops[i].name, &folder.room, seen);
	}
}

static void gather(struct watch *watch, int64_t now_ms)
{
	const struct pipeline_figures figures = pipeline_figures(watch->parts.pipeline);
	struct health *health = &watch->health;

	gather_lanes(watch, now_ms);
	gather_disks(watch);
	for (enum doc_state state = 0; state < DOC_STATE_COUNT; state++)
		watch->reached[state] =
			(struct health_count){ doc_state_text(state), figures.reached[state] };
	health->received = figures.received;
	health->log = log_figures();
	health->waiting_count = watch->seen.waiting_count;
}

/* ---- the alerts ---- */

static void see_with(struct watch *watch, enum alert_rule rule, const char *subject, int64_t value,
		     struct alert_levels levels, const char *detail, const char *detail_french)
{
	alerts_see(watch->alerts, &(struct alert_sight){ .rule = rule,
							 .subject = subject,
							 .value = value,
							 .levels = levels,
							 .detail = detail,
							 .detail_french = detail_french });
}

static void see_why(struct watch *watch, enum alert_rule rule, const char *subject, int64_t value,
		    const char *detail, const char *detail_french)
{
	see_with(watch, rule, subject, value, threshold_levels(&watch->config->alerts, rule),
		 detail, detail_french);
}

static void see(struct watch *watch, enum alert_rule rule, const char *subject, int64_t value)
{
	see_why(watch, rule, subject, value, NULL, NULL);
}

/* How long ago; 0 for never, and for a time that is yet to come. */
static int64_t age_ms(int64_t since_ms, int64_t now_ms)
{
	return since_ms == INT64_MAX ? 0 : max(now_ms - since_ms, (int64_t)0);
}

static void see_lane(struct watch *watch, size_t index, struct alert_time time)
{
	const struct lane_figures lane = pipeline_lane(watch->parts.pipeline, index);
	const struct outbound_tally *tally = pipeline_tally(watch->parts.pipeline, index);
	const uint64_t refused = window_sum(&tally->refused, time.wall_ms);
	const uint64_t ended = refused + window_sum(&tally->delivered, time.wall_ms);
	const struct health_lane *health = &watch->lanes[index];
	int64_t *stopped_ms = &watch->stopped_ms[index];

	if (lane.state != LANE_STOPPED)
		*stopped_ms = 0;
	else if (*stopped_ms == 0)
		*stopped_ms = time.monotonic_ms;
	see_why(watch, ALERT_LANE_STOPPED, lane.name,
		*stopped_ms ? time.monotonic_ms - *stopped_ms : -1, lane.why.english,
		lane.why.french);
	if (health->knows_skew)
		see(watch, ALERT_CLOCK_SKEW, lane.name, llabs(health->skew_ms));
	see(watch, ALERT_DMP_ABSENT_RATE, lane.name,
	    ended >= watch->config->alerts.absent_least ? (int64_t)(refused * 1000 / ended) : 0);
}

static void see_strays(struct watch *watch, int64_t now_ms)
{
	for (size_t i = 0; i < watch->stray_count; i++) {
		const struct health_stray *stray = &watch->told_strays[i];

		see_why(watch, ALERT_LANE_STOPPED, stray->lane, now_ms - watch->strays[i].since_ms,
			stray->why, stray->why_french);
	}
}

static void see_disks(struct watch *watch)
{
	for (size_t i = 0; i < watch->health.disk_count; i++) {
		const struct health_disk *disk = &watch->disks[i];

		see_with(watch, ALERT_DISK_LOW, disk->name, (int64_t)disk->free_bytes,
			 threshold_of_disk(&watch->config->alerts, disk->size_bytes), NULL, NULL);
	}
}

/* No worker looks now: the rhythms are ours. */
static void see_senders(struct watch *watch, int64_t now_ms)
{
	const struct threshold_settings *settings = &watch->config->alerts;

	for (size_t i = 0; i < watch->look.sender_count; i++) {
		const struct look_sender *sender = &watch->look.senders[i];
		const int64_t silent_ms = now_ms - rhythm_last_ms(&sender->rhythm);
		bool is_silent = silent_ms >= settings->silence_least_ms &&
				 rhythm_silence(&sender->rhythm, now_ms) >=
					 (int64_t)settings->silence_factor * 100;

		see(watch, ALERT_SOURCE_SILENT, sender->name, is_silent ? silent_ms : -1);
	}
}

/* "990000987 sign" */
static void see_certificates(struct watch *watch, int64_t now_ms)
{
	for (size_t i = 0; i < watch->health.certificate_count; i++) {
		const struct health_certificate *certificate = &watch->health.certificates[i];
		const int64_t days = health_days_left(certificate, now_ms);
		scoped(free_ptr) char *subject =
			xasprintf("%s %s", certificate->owner, certificate->role);

		see_why(watch, ALERT_CERTIFICATE_ENDS, subject, days,
			days < 0 ? "it has ended" : NULL, days < 0 ? "il est échu" : NULL);
	}
}

/* Documents that wait, of one state, and of one reason or any. */
static void see_waiting(struct watch *watch, enum doc_state state, enum reason reason,
			enum alert_rule count_rule, enum alert_rule age_rule, int64_t now_ms)
{
	uint64_t documents = 0;
	int64_t oldest_ms = INT64_MAX;

	for (size_t i = 0; i < watch->health.waiting_count; i++) {
		const struct health_waiting *waiting = &watch->seen.waiting[i];

		if (strcmp(waiting->state, doc_state_text(state)) != 0 ||
		    (reason != REASON_NONE &&
		     strcmp(waiting->reason, reason_row(reason)->code) != 0))
			continue;
		documents += waiting->documents;
		oldest_ms = min(oldest_ms, waiting->oldest_ms);
	}
	see(watch, count_rule, "documents", (int64_t)documents);
	see(watch, age_rule, "oldest", age_ms(oldest_ms, now_ms));
}

static void see_store(struct watch *watch, int64_t now_ms)
{
	const struct pipeline_figures figures = pipeline_figures(watch->parts.pipeline);

	see(watch, ALERT_BACKLOG_AGE, "queue", age_ms(watch->seen.oldest_queued_ms, now_ms));
	see(watch, ALERT_INVISIBLE_TOO_LONG, "oldest",
	    age_ms(watch->seen.oldest_invisible_ms, now_ms));
	see(watch, ALERT_IDENTITY_CHANGED, "documents", (int64_t)watch->seen.misplaced);
	see_why(watch, ALERT_STORE_DAMAGED, "store", figures.store_damaged,
		figures.store_damaged ? figures.store_trouble : "", NULL);
	see_waiting(watch, DOC_REJECTED, REASON_NONE, ALERT_REJECTED_COUNT, ALERT_REJECTED_AGE,
		    now_ms);
	see_waiting(watch, DOC_HELD, REASON_INS_NOT_QUALIFIED, ALERT_INS_COUNT, ALERT_INS_AGE,
		    now_ms);
}

static void see_trail(struct watch *watch)
{
	struct collector_figures collector;
	uint64_t waiting;

	if (pipeline_trail(watch->parts.pipeline, &collector, &waiting))
		see_why(watch, ALERT_NOT_FORWARDED, collector.address, collector.failing_ms,
			collector.why, NULL);
}

static void tell(void *arg, const struct alert *alert, enum alert_change change)
{
	enum log_level level = change == ALERT_CLEARED             ? LEVEL_INFO
			       : alert->severity == ALERT_CRITICAL ? LEVEL_ERROR
								   : LEVEL_WARNING;
	scoped(buf_done) struct buf sentence = { 0 }, json = { 0 };
	struct watch *watch = arg;

	alert_say(alert, false, &sentence);
	log_line(level, "alert=%s subject=%s %s severity=%s: %s", alert_name(alert->rule),
		 alert->subject, alert_change_text(change), alert_severity_text(alert->severity),
		 sentence.p);
	health_tell_alert(alert, change, watch->config->store.node, &json);
	push_tell(watch->push, buf_slice(&json));
}

static void see_all(struct watch *watch)
{
	const struct alert_time time = { clock_monotonic_ms(), clock_now_ms() };
	const bool told_lately = time.monotonic_ms - watch->jumped_ms < JUMP_TOLD_MS;

	gather(watch, time.monotonic_ms);
	alerts_begin(watch->alerts, time);
	for (size_t i = 0; i < watch->config->establishment_count; i++)
		see_lane(watch, i, time);
	see_strays(watch, time.monotonic_ms);
	see_disks(watch);
	see_senders(watch, time.wall_ms);
	see_certificates(watch, time.wall_ms);
	see_store(watch, time.wall_ms);
	see_trail(watch);
	see(watch, ALERT_CLOCK_JUMP, "jump", told_lately ? watch->jump_ms : 0);
	alerts_end(watch->alerts, tell, watch);
	watch->health.alerts = alerts_raised(watch->alerts, &watch->health.alert_count);
}

/* ---- arrivals ---- */

/* Writer. */
static int note_arrivals(struct change *change, struct store *store, struct err *err)
{
	struct watch *watch = container_of(change, struct watch, note);

	return store_note_arrivals(store, clock_now_ms(), NOTED_AT_ONCE, &watch->noted, err);
}

/* Loop. A store in trouble is told of by whoever has a document at stake. */
static void noted(struct job *job)
{
	struct watch *watch =
		container_of(container_of(job, struct change, job), struct watch, note);
	bool is_more = watch->note.err.kind == ERR_NONE && watch->noted == NOTED_AT_ONCE;

	watch->noting = false;
	watch->behind = watch->behind || is_more;
	watch->caught_up = watch->behind && !is_more;
	watch->next_note_ms = clock_monotonic_ms() + (is_more ? TICK_MS : NOTE_MS);
}

/* ---- time ---- */

static void looked(struct job *job)
{
	struct watch *watch = container_of(container_of(job, struct look, job), struct watch, look);

	watch->looking = false;
	if (watch->senders_are_old)
		look_name_senders(&watch->look, watch->config);
	watch->senders_are_old = false;
	watch->seen = watch->look.store;
	if (watch->look.has_lanes) {
		const struct look_lanes before = watch->awaited;

		watch->awaited = watch->look.lanes;
		watch->look.lanes = before; /* room for the next */
		find_strays(watch);
	}
	watch->room = watch->look.room;
	watch->health.store_bytes = watch->look.store_bytes;
	watch->health.wal_bytes = watch->look.wal_bytes;
	watch->health.process = watch->look.process;
	watch->health.process.started_ms = watch->parts.started_ms;
	watch->next_look_ms =
		clock_monotonic_ms() + max((int64_t)LOOK_MS, watch->look.took_ms * LOOK_SHARE);
	see_all(watch);
}

static void note_jump(struct watch *watch, int64_t monotonic_ms)
{
	const int64_t ahead_ms = clock_now_ms() - monotonic_ms;
	const int64_t jump_ms = llabs(ahead_ms - watch->ahead_ms);

	watch->ahead_ms = ahead_ms;
	if (jump_ms < watch->config->alerts.clock_skew_ms.warning)
		return;
	watch->jump_ms = jump_ms;
	watch->jumped_ms = monotonic_ms;
}

/* Late by more than one tick, it does not ring for those that were missed. */
static void wait_for_tick(struct watch *watch, int64_t now_ms)
{
	int64_t left_ms;

	watch->next_tick_ms = max(watch->next_tick_ms + TICK_MS, now_ms + 1);
	left_ms = watch->next_tick_ms - now_ms;
	event_add(watch->tick, &(struct timeval){ left_ms / 1000, left_ms % 1000 * 1000 });
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	const int64_t now_ms = clock_monotonic_ms();
	struct watch *watch = arg;

	(void)fd, (void)what;
	histogram_add(&watch->lag, now_ms - watch->next_tick_ms);
	note_jump(watch, now_ms);
	log_tell_left_out();
	wait_for_tick(watch, now_ms);
	if (!watch->noting && now_ms >= watch->next_note_ms) {
		watch->noting = true;
		writer_submit(watch->parts.writer, &watch->note);
	}
	if (!watch->looking && now_ms >= watch->next_look_ms) {
		if (watch->caught_up) { /* all arrivals again, with those of long ago */
			look_at_all_arrivals(&watch->look);
			watch->behind = watch->caught_up = false;
		}
		watch->looking = true;
		workers_submit(watch->parts.workers, &watch->look.job);
	}
}

/* ---- birth and end ---- */

static void name_listeners(struct watch *watch)
{
	const struct config *config = watch->config;

	free(watch->listeners);
	watch->listeners = xcalloc(config->mllp_count, sizeof(*watch->listeners));
	for (size_t i = 0; i < config->mllp_count; i++)
		watch->listeners[i] =
			(struct health_listener){ config->mllp[i].name,
						  pipeline_acks(watch->parts.pipeline, i) };
	watch->health.listeners = watch->listeners;
	watch->health.listener_count = config->mllp_count;
}

/* Since when each lane is stopped stays known. */
static void name_lanes(struct watch *watch)
{
	const size_t count = watch->config->establishment_count;
	struct health_lane *lanes = xcalloc(count, sizeof(*lanes));
	int64_t *stopped_ms = xcalloc(count, sizeof(int64_t));

	for (size_t i = 0; i < count; i++) {
		lanes[i].name = watch->config->establishments[i].finess_ej;
		for (size_t j = 0; j < watch->health.lane_count; j++)
			if (strcmp(watch->lanes[j].name, lanes[i].name) == 0)
				stopped_ms[i] = watch->stopped_ms[j];
	}
	free(watch->lanes);
	free(watch->stopped_ms);
	watch->lanes = lanes;
	watch->stopped_ms = stopped_ms;
	watch->health.lanes = lanes;
	watch->health.lane_count = count;
}

static void name_disks(struct watch *watch)
{
	free(watch->disks);
	watch->disks = xcalloc(watch->config->drop_count + 1, sizeof(*watch->disks));
	watch->health.disks = watch->disks;
	watch->health.disk_count = 0;
}

static void follow_push(struct watch *watch)
{
	const struct push_settings *settings = &watch->config->push;

	if (watch->push != NULL)
		push_follow(watch->push, settings);
	else
		watch->push = push_new(settings, watch->parts.loop, watch->parts.mailbox);
}

void watch_follow(struct watch *watch, struct snapshot *snapshot)
{
	struct snapshot *before = watch->snapshot;

	watch->snapshot = snapshot_hold(snapshot);
	watch->config = snapshot->config;
	name_lanes(watch);
	find_strays(watch);
	name_disks(watch);
	name_listeners(watch);
	if (watch->looking)
		watch->senders_are_old = true;
	else
		look_name_senders(&watch->look, watch->config);
	watch->health.certificates =
		certificates_list(snapshot->certificates, &watch->health.certificate_count);
	follow_push(watch);
	watch->next_look_ms = 0; /* what was mended need not ring any longer */
	snapshot_let_go(&before);
}

struct watch *watch_new(const struct watch_parts *parts)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	const int64_t now_ms = clock_monotonic_ms();

	watch->parts = *parts;
	watch->alerts = alerts_new(MOST_ALERTS);
	look_init(&watch->look, parts->snapshot->config, looked);
	watch->ahead_ms = clock_now_ms() - now_ms;
	watch->health = (struct health){ .waiting = watch->seen.waiting,
					 .reached = watch->reached,
					 .reached_count = DOC_STATE_COUNT,
					 .loop_lag = &watch->lag };
	watch->health.process.started_ms = parts->started_ms;
	watch_follow(watch, parts->snapshot);
	watch->note = (struct change){ .job.done = noted, .apply = note_arrivals };
	watch->seen = watch->look.store;
	watch->tick = event_new(parts->loop, -1, 0, on_tick, watch);
	watch->next_tick_ms = now_ms - TICK_MS;
	wait_for_tick(watch, now_ms);
	return watch;
}

void watch_stop(struct watch *watch)
{
	if (watch != NULL)
		push_stop(watch->push);
}

void watch_free(struct watch **watch)
{
	struct watch *w = *watch;

	if (w == NULL)
		return;
	event_free(w->tick);
	push_free(&w->push);
	alerts_free(&w->alerts);
	look_done(&w->look);
	free(w->awaited.names);
	free(w->strays);
	free(w->told_strays);
	free(w->stopped_ms);
	free(w->lanes);
	free(w->listeners);
	free(w->disks);
	snapshot_let_go(&w->snapshot);
	free_ptr(watch);
}

void watch_tell_strays(const struct watch *watch, struct buf *lines)
{
	for (size_t i = 0; i < watch->stray_count; i++)
		buf_addf(lines,
			 "documents of %s wait, and no establishment has this FINESS any "
			 "more: put it back, or cancel them\n",
			 watch->strays[i].lane);
}

const struct health *watch_health(struct watch *watch)
{
	gather(watch, clock_monotonic_ms());
	return &watch->health;
}
