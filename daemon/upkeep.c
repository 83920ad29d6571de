/* What is done to the queue as time passes: little at a time, for what comes in waits meanwhile. */
#include "upkeep.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/store_stay.h"

enum {
	RELEASED_AT_ONCE = 100,
	PURGED_AT_ONCE = 20,     /* some megabytes, overwritten */
	FORGOTTEN_AT_ONCE = 200, /* some hundred bytes each */
	AGAIN_S = 1,             /* when there is more */
	LATER_S = 5,
	KEPT_MS = 600000, /* how often the time is kept when nothing else is written */
};

struct upkeep {
	struct upkeep_parts parts;
	struct change work;
	struct event *timer;
	struct upkeep_times keep;
	size_t released, purged, forgotten; /* by the last round */
	bool forgot_stays;
	bool closed;

	/* What time it is: as the last round that was committed left it, and as the one under way does. The
	 * monotonic clock says when that was, and when it was kept.
	 */
	struct moment {
		struct own_time time;
		int64_t now_ms, monotonic_ms, kept_ms;
		enum own_time_news news;
	} last, now;
};

static int pass_time(struct upkeep *upkeep, struct store *store, struct err *err)
{
	const bool is_start = upkeep->last.monotonic_ms == 0;
	struct moment *now = &upkeep->now;
	int64_t elapsed_ms = 1;

	*now = upkeep->last;
	now->now_ms = clock_now_ms();
	now->monotonic_ms = clock_monotonic_ms();
	if (is_start && store_own_time(store, &now->time, err) < 0)
		return -1;
	if (!is_start)
		elapsed_ms = max(now->monotonic_ms - upkeep->last.monotonic_ms, (int64_t)1);
	now->news = own_time_pass(&now->time, now->now_ms, elapsed_ms, is_start);
	if (!is_start && now->news == OWN_TIME_NONE && now->monotonic_ms - now->kept_ms < KEPT_MS)
		return 0;
	now->kept_ms = now->monotonic_ms;
	return store_keep_own_time(store, &now->time, err);
}

/* Writer. What a clock that is a year ahead would purge could not be brought back. */
static int keep_up(struct change *change, struct store *store, struct err *err)
{
	struct upkeep *upkeep = container_of(change, struct upkeep, work);
	const struct moment *now = &upkeep->now;
	int64_t time_ms;
	int forgot;

	if (pass_time(upkeep, store, err) < 0 ||
	    store_release_due(store, now->now_ms, RELEASED_AT_ONCE, &upkeep->released, err) < 0)
		return -1;
	time_ms = own_time_ms(&now->time, now->now_ms);
	if (store_purge_identities(store, time_ms - upkeep->keep.identities_ms, FORGOTTEN_AT_ONCE,
				   &upkeep->forgotten, err) < 0)
		return -1;
	forgot = store_forget_stays(store, time_ms - upkeep->keep.stays_ms, FORGOTTEN_AT_ONCE, err);
	if (forgot < 0)
		return -1;
	upkeep->forgot_stays = forgot > 0;
	return store_purge(store, time_ms - upkeep->keep.bodies_ms, now->now_ms, PURGED_AT_ONCE,
			   &upkeep->purged, err);
}

static void log_time(const struct moment *now)
{
	const long long seconds = (now->now_ms - now->time.known_ms) / 1000;

	switch (now->news) {
	case OWN_TIME_NONE:
		return;
	case OWN_TIME_DOUBTS:
		log_warning("clock jumped seconds=%lld: is it right? Bodies are purged by the time "
			    "that was known before, until it has stood by it for a week",
			    seconds);
		return;
	case OWN_TIME_AGREES:
		log_info("clock agrees again with the time that was known");
		return;
	case OWN_TIME_BELIEVES:
		log_warning("clock stood by what it says for a week: bodies are purged by it");
		return;
	}
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
		upkeep->last = upkeep->now;
		log_time(&upkeep->now);
		upkeep->parts.moved(upkeep->parts.arg, &upkeep->work.moves);
		if (upkeep->released > 0)
			log_info("released documents=%zu: their time has come", upkeep->released);
		if (upkeep->forgotten > 0)
			log_info("forgotten identities=%zu: nothing came of them for so long",
				 upkeep->forgotten);
		if (upkeep->purged > 0)
			log_info("purged documents=%zu: their bodies were kept long enough",
				 upkeep->purged);
		if (upkeep->forgot_stays)
			log_info("forgot stays: they were kept long enough");
	}
	wait(upkeep,
	     is_well && (upkeep->released == RELEASED_AT_ONCE || upkeep->purged == PURGED_AT_ONCE ||
			 upkeep->forgotten == FORGOTTEN_AT_ONCE || upkeep->forgot_stays));
	crew_end(upkeep->parts.crew);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct upkeep *upkeep = arg;

	(void)fd;
	(void)what;
	upkeep->keep = upkeep->parts.keep; /* the round's, whatever follows */
	crew_begin(upkeep->parts.crew);
	crew_on_writer(upkeep->parts.crew, &upkeep->work, keep_up, kept_up);
}

struct upkeep *upkeep_new(const struct upkeep_parts *parts)
{
	struct upkeep *upkeep = xcalloc(1, sizeof(*upkeep));

	upkeep->parts = *parts;
	upkeep->timer = event_new(parts->crew->loop, -1, 0, on_timer, upkeep);
	wait(upkeep, true);
	return upkeep;
}

void upkeep_follow(struct upkeep *upkeep, struct upkeep_times keep)
{
	upkeep->parts.keep = keep;
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
