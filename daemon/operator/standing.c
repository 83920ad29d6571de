/* Why a document that is queued has not left. */
#include "operator/standing.h"

#include <stdio.h>

#include "base/clock.h"

enum { NAME_TEXT = 16, WHY_TEXT = ERR_TEXT + 256 };

struct standing_lane {
	struct lane_figures figures; /* its texts are those below */
	char name[NAME_TEXT], english[WHY_TEXT], french[WHY_TEXT];
};

struct standing {
	int64_t now_ms;
	size_t count;
	struct standing_lane lanes[];
};

/* What an open lane sends, so that whoever waits for a turn sees what it depends on. */
static void say_turn(struct standing_lane *lane)
{
	const struct lane_figures *figures = &lane->figures;
	char rate[2][64] = { "", "" };

	if (figures->queue_is_silent) {
		snprintf(lane->english, WHY_TEXT, "the queue did not answer; it is asked again");
		snprintf(lane->french, WHY_TEXT,
			 "la file n'a pas répondu ; elle est interrogée à nouveau");
		return;
	}
	if (figures->rate_per_s > 0) {
		snprintf(rate[0], sizeof(rate[0]), ", and %llu a second may leave",
			 (unsigned long long)figures->rate_per_s);
		snprintf(rate[1], sizeof(rate[1]), ", et %llu par seconde peuvent partir",
			 (unsigned long long)figures->rate_per_s);
	}
	snprintf(lane->english, WHY_TEXT, "%zu under way, of at most %zu at once%s",
		 figures->in_flight, figures->at_once, rate[0]);
	snprintf(lane->french, WHY_TEXT, "%zu en cours, pour au plus %zu à la fois%s",
		 figures->in_flight, figures->at_once, rate[1]);
}

static void copy_lane(struct standing_lane *lane, const struct lane_figures *figures)
{
	lane->figures = *figures;
	snprintf(lane->name, sizeof(lane->name), "%s", figures->name);
	snprintf(lane->english, sizeof(lane->english), "%s", figures->why.english);
	snprintf(lane->french, sizeof(lane->french), "%s", figures->why.french);
	if (figures->state == LANE_OPEN)
		say_turn(lane);
	lane->figures.name = lane->name;
	lane->figures.why = (struct lane_why){ lane->english, lane->french };
}

struct standing *standing_new(const struct lane_figures *lanes, size_t count, int64_t now_ms)
{
	struct standing *standing =
		xcalloc(1, sizeof(*standing) + count * sizeof(standing->lanes[0]));

	standing->now_ms = now_ms;
	standing->count = count;
	for (size_t i = 0; i < count; i++)
		copy_lane(&standing->lanes[i], &lanes[i]);
	return standing;
}

static struct lane_figures figures_of_stray(const struct health_stray *stray)
{
	return (struct lane_figures){ .name = stray->lane,
				      .state = LANE_STOPPED,
				      .since_ms = stray->since_ms,
				      .why = { stray->why, stray->why_french } };
}

struct standing *standing_now(const struct config *config, const struct pipeline *pipeline,
			      struct watch *watch)
{
	const struct health *health = watch_health(watch);
	const size_t count = config->establishment_count;
	scoped(free_ptr) struct lane_figures *lanes =
		xcalloc(count + health->stray_count, sizeof(*lanes));

	for (size_t i = 0; i < count; i++)
		lanes[i] = pipeline_lane(pipeline, i);
	for (size_t i = 0; i < health->stray_count; i++)
		lanes[count + i] = figures_of_stray(&health->strays[i]);
	return standing_new(lanes, count + health->stray_count, clock_now_ms());
}

void standing_free(struct standing **standing)
{
	free_ptr(standing);
}

static struct lane_figures lane_of(const struct standing *standing, const char *name)
{
	const struct health_stray stray = watch_stray(name);

	for (size_t i = 0; i < standing->count; i++)
		if (strcmp(standing->lanes[i].name, name) == 0)
			return standing->lanes[i].figures;
	return figures_of_stray(&stray); /* lost this moment: nobody has seen it yet */
}

static enum reason reason_of_lane(enum lane_state state)
{
	static const enum reason reasons[] = {
		[LANE_OPEN] = REASON_WAITING_TURN,
		[LANE_SLOWED] = REASON_LANE_SLOWED,
		[LANE_STOPPED] = REASON_LANE_STOPPED,
	};

	return reasons[state];
}

/* What a row keeps of its lane is of when it was written: the lane knows better. */
static bool is_of_lane(enum reason reason)
{
	return reason == REASON_LANE_STOPPED || reason == REASON_LANE_SLOWED ||
	       reason == REASON_WAITING_TURN;
}

/* A lane that has nothing to send with, or that is not there, has no time. */
static int64_t not_before(const struct standing *standing, const struct lane_figures *lane,
			  const struct store_row *row)
{
	const int64_t own_ms = row->next_attempt_ms > standing->now_ms ? row->next_attempt_ms : 0;

	if (lane->state == LANE_OPEN)
		return own_ms;
	return lane->resumes_ms == 0 ? 0 : max(own_ms, lane->resumes_ms);
}

struct standing_wait standing_wait(const struct standing *standing, const struct store_row *row)
{
	const struct lane_figures lane = lane_of(standing, row->lane);
	const enum reason of_lane = reason_of_lane(lane.state);
	struct standing_wait wait = {
		.reason = row->reason == REASON_NONE || is_of_lane(row->reason) ? of_lane
										: row->reason,
		.lane_state = lane_state_text(lane.state),
		.since_ms = lane.since_ms,
		.why = lane.why,
		.not_before_ms = not_before(standing, &lane, row),
	};

	wait.todo = lane.state == LANE_OPEN ? wait.reason : of_lane;
	if (lane.state == LANE_OPEN && wait.not_before_ms > 0)
		wait.why = (struct lane_why){ "", "" };
	return wait;
}

enum reason standing_reason(const struct standing *standing, const struct store_row *row)
{
	return row->state == DOC_QUEUED ? standing_wait(standing, row).reason : row->reason;
}

/* ---- lists ---- */

static bool waits_for_turn(const void *arg, const struct store_row *row)
{
	return standing_reason(arg, row) == REASON_WAITING_TURN;
}

static bool waits_for_slowed_lane(const void *arg, const struct store_row *row)
{
	return standing_reason(arg, row) == REASON_LANE_SLOWED;
}

static bool waits_for_stopped_lane(const void *arg, const struct store_row *row)
{
	return standing_reason(arg, row) == REASON_LANE_STOPPED;
}

void standing_narrow(const struct standing *standing, struct store_filter *filter)
{
	const enum reason reason = reason_of(filter->reason ? filter->reason : "");

	if (!is_of_lane(reason) || filter->invisible)
		return;
	filter->is_wanted = reason == REASON_WAITING_TURN  ? waits_for_turn
			    : reason == REASON_LANE_SLOWED ? waits_for_slowed_lane
							   : waits_for_stopped_lane;
	filter->is_wanted_arg = standing;
	filter->reason = "";
	if (filter->state == NULL || filter->state[0] == '\0')
		filter->state = doc_state_text(DOC_QUEUED);
}
