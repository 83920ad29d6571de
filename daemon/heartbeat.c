/* Signs of life. Loop only. */
#include "heartbeat.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/notify.h"

enum {
	TELL_MS = 5000, /* how it fares, at most this often */
	BEATS = 3,      /* in the time that the manager waits for one */
	STATUS_TEXT = 256,
};

struct heartbeat {
	struct heartbeat_parts parts;
	struct event *timer;
	int64_t watchdog_ms; /* 0: nobody waits for a beat */
	struct job worker;
	struct change writer;
	unsigned unanswered; /* by those two */
	char told[STATUS_TEXT];
};

/* ---- alive ---- */

static void answered(struct heartbeat *heartbeat)
{
	if (--heartbeat->unanswered == 0)
		notify_tell("WATCHDOG=1");
}

/* Worker. */
static void do_nothing(struct job *job, void *hands)
{
	(void)job, (void)hands;
}

static void worker_answered(struct job *job)
{
	answered(container_of(job, struct heartbeat, worker));
}

/* Writer. */
static int write_nothing(struct change *change, struct store *store, struct err *err)
{
	(void)change, (void)store, (void)err;
	return 0;
}

/* Whatever the store says: the thread has answered. */
static void writer_answered(struct job *job)
{
	answered(container_of(container_of(job, struct change, job), struct heartbeat, writer));
}

static void beat(struct heartbeat *heartbeat)
{
	if (heartbeat->watchdog_ms == 0 || heartbeat->unanswered > 0)
		return;
	heartbeat->unanswered = 2;
	workers_submit(heartbeat->parts.workers, &heartbeat->worker);
	writer_submit(heartbeat->parts.writer, &heartbeat->writer);
}

/* ---- how it fares ---- */

static void tell(struct heartbeat *heartbeat)
{
	const struct pipeline_figures figures = pipeline_figures(heartbeat->parts.pipeline);
	const uint64_t *documents = figures.documents;
	char text[STATUS_TEXT];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " to send, %" PRIu64 " held, %" PRIu64 " rejected, %" PRIu64
		 " delivered%s%.100s",
		 documents[DOC_QUEUED] + documents[DOC_SENDING], documents[DOC_HELD],
		 documents[DOC_REJECTED], documents[DOC_DELIVERED],
		 figures.store_trouble[0] ? "; nothing can be stored: " : "",
		 figures.store_trouble);
	if (strcmp(text, heartbeat->told) == 0)
		return;
	memcpy(heartbeat->told, text, sizeof(text));
	notify_tell("STATUS=%s", text);
}

static void wait(struct heartbeat *heartbeat)
{
	const int64_t watchdog_ms = heartbeat->watchdog_ms;
	const int64_t wait_ms =
		watchdog_ms ? max(min(watchdog_ms / BEATS, (int64_t)TELL_MS), (int64_t)1) : TELL_MS;

	event_add(heartbeat->timer, &(struct timeval){ wait_ms / 1000, wait_ms % 1000 * 1000 });
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct heartbeat *heartbeat = arg;

	(void)fd, (void)what;
	beat(heartbeat);
	tell(heartbeat);
	wait(heartbeat);
}

/* ---- birth and end ---- */

struct heartbeat *heartbeat_new(const struct heartbeat_parts *parts)
{
	struct heartbeat *heartbeat;

	if (!notify_is_heard())
		return NULL;
	heartbeat = xcalloc(1, sizeof(*heartbeat));
	heartbeat->parts = *parts;
	heartbeat->watchdog_ms = notify_watchdog_ms();
	heartbeat->worker = (struct job){ .run = do_nothing, .done = worker_answered };
	heartbeat->writer = (struct change){ .apply = write_nothing, .job.done = writer_answered };
	heartbeat->timer = event_new(parts->loop, -1, 0, on_timer, heartbeat);
	on_timer(-1, 0, heartbeat);
	return heartbeat;
}

void heartbeat_stop(struct heartbeat *heartbeat)
{
	if (heartbeat != NULL)
		event_del(heartbeat->timer);
}

void heartbeat_free(struct heartbeat **heartbeat)
{
	if (*heartbeat == NULL)
		return;
	event_free((*heartbeat)->timer);
	free_ptr(heartbeat);
}
