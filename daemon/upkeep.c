/* What is done to the queue as time passes: little at a time, for what comes in waits meanwhile. */
#include "upkeep.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	RELEASED_AT_ONCE = 100,
	PURGED_AT_ONCE = 20, /* some megabytes, overwritten */
	AGAIN_S = 1,         /* when there is more */
	LATER_S = 5,
	JUMP_MS = 3600000,    /* the wall clock against the one that nobody sets */
	STEADY_MS = 86400000, /* after a jump, before anything is purged */
};

struct upkeep {
	struct upkeep_parts parts;
	struct change work;
	struct event *timer;
	size_t released, purged; /* by the last round */
	int64_t ahead_ms;        /* the wall clock of the monotonic one, at the last round */
	int64_t steady_ms;       /* by the monotonic clock: from then on it is believed */
	bool closed;
};

/* What a clock that is a year ahead for a minute would purge could not be brought back. */
static bool may_purge(struct upkeep *upkeep, int64_t now_ms)
{
	const int64_t monotonic_ms = clock_monotonic_ms();
	const int64_t jump_ms = now_ms - monotonic_ms - upkeep->ahead_ms;

	upkeep->ahead_ms += jump_ms;
	if (jump_ms > JUMP_MS || jump_ms < -JUMP_MS) {
		upkeep->steady_ms = monotonic_ms + STEADY_MS;
		log_warning("clock jumped seconds=%lld: no body is purged for a day",
			    (long long)(jump_ms / 1000));
	}
	return monotonic_ms >= upkeep->steady_ms;
}

/* Writer. */
static int keep_up(struct change *change, struct store *store, struct err *err)
{
	struct upkeep *upkeep = container_of(change, struct upkeep, work);
	const int64_t now_ms = clock_now_ms();

	if (store_release_due(store, now_ms, RELEASED_AT_ONCE, &upkeep->released, err) < 0)
		return -1;
	upkeep->purged = 0;
	if (!may_purge(upkeep, now_ms))
		return 0;
	return store_purge(store, now_ms - upkeep->parts.config->keep_bodies_ms, now_ms,
			   PURGED_AT_ONCE, &upkeep->purged, err);
}

static void wait(struct upkeep *upkeep, bool is_more)
{
	const struct timeval pause = { is_more ? AGAIN_S : LATER_S, 0 };

	if (!upkeep->closed)
		event_add(upkeep->timer, &pause);
}

/* Loop. A store in trouble is told of by whoever has a document at stake. */
static void kept_up(struct job *job)
{
	struct upkeep *upkeep =
		container_of(container_of(job, struct change, job), struct upkeep, work);
	bool is_well = upkeep->work.err.kind == ERR_NONE;

	if (is_well) {
		upkeep->parts.moved(upkeep->parts.arg, &upkeep->work.moves);
		if (upkeep->released > 0)
			log_info("released documents=%zu: their time has come", upkeep->released);
		if (upkeep->purged > 0)
			log_info("purged documents=%zu: their bodies were kept long enough",
				 upkeep->purged);
	}
	wait(upkeep,
	     is_well && (upkeep->released == RELEASED_AT_ONCE || upkeep->purged == PURGED_AT_ONCE));
	crew_end(upkeep->parts.crew);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct upkeep *upkeep = arg;

	(void)fd;
	(void)what;
	crew_begin(upkeep->parts.crew);
	crew_on_writer(upkeep->parts.crew, &upkeep->work, keep_up, kept_up);
}

struct upkeep *upkeep_new(const struct upkeep_parts *parts)
{
	struct upkeep *upkeep = xcalloc(1, sizeof(*upkeep));

	upkeep->parts = *parts;
	upkeep->ahead_ms = clock_now_ms() - clock_monotonic_ms();
	upkeep->timer = event_new(parts->crew->loop, -1, 0, on_timer, upkeep);
	wait(upkeep, true);
	return upkeep;
}

void upkeep_close(struct upkeep *upkeep)
{
	upkeep->closed = true;
	event_del(upkeep->timer);
}

void upkeep_free(struct upkeep **upkeep)
{
	if (*upkeep == NULL)
		return;
	event_free((*upkeep)->timer);
	free_ptr(upkeep);
}
