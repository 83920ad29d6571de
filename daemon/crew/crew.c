/* Work and who does it. Loop only. */
#include "crew/crew.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

enum { STORE_PROBE_S = 1 };

static const struct timeval later = { STORE_PROBE_S, 0 };

void crew_on_worker(struct crew *crew, struct change *work,
		    void (*run)(struct job *job, void *hands), void (*done)(struct job *job))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(crew->workers, &work->job);
}

void crew_on_disk(struct crew *crew, struct change *work,
		  void (*run)(struct job *job, void *nothing), void (*done)(struct job *job))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(crew->disk, &work->job);
}

void crew_on_converter(struct crew *crew, struct change *work,
		       void (*run)(struct job *job, void *nothing), void (*done)(struct job *job))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(crew->converters, &work->job);
}

void crew_on_keeper(struct crew *crew, struct change *work,
		    void (*run)(struct job *job, void *hands), void (*done)(struct job *job))
{
	work->job.run = run;
	work->job.done = done;
	workers_submit(crew->keeper, &work->job);
}

void crew_on_writer(struct crew *crew, struct change *work,
		    int (*apply)(struct change *change, struct store *store, struct err *err),
		    void (*done)(struct job *job))
{
	work->apply = apply;
	work->job.done = done;
	writer_submit(crew->writer, work);
}

void crew_then_writer(struct crew *crew, struct change *work,
		      int (*apply)(struct change *change, struct store *store, struct err *err),
		      void (*done)(struct job *job))
{
	work->apply = apply;
	work->job.done = done;
	writer_follows(crew->writer, work);
}

void crew_begin(struct crew *crew)
{
	crew->under_way++;
}

void crew_end(struct crew *crew)
{
	if (--crew->under_way == 0 && crew->idle != NULL)
		crew->idle(crew->idle_arg);
}

/* ---- the store ---- */

static bool is_still_damaged(const struct crew *crew)
{
	return crew->store_damaged &&
	       clock_monotonic_ms() - crew->damage_met_ms < CREW_DAMAGE_LASTS_MS;
}

static void keep_probing(struct crew *crew)
{
	if (!crew->probing) /* or what is under way tells */
		event_add(crew->probe_again, &later);
}

void crew_note_store(struct crew *crew, const struct err *err)
{
	bool trouble = err->kind != ERR_NONE;
	bool was = crew->store_trouble[0] != '\0';

	if (err->kind == ERR_HALT) {
		crew->damage_met_ms = clock_monotonic_ms();
	} else if (is_still_damaged(crew)) {
		keep_probing(crew);
		return;
	}
	if (trouble && !was) {
		log_error("store unavailable: %s", err->text);
		keep_probing(crew);
	}
	if (!trouble && was)
		log_info("store available again");
	snprintf(crew->store_trouble, sizeof(crew->store_trouble), "%s", trouble ? err->text : "");
	crew->store_damaged = err->kind == ERR_HALT;
}

/* Writer. */
static int probe(struct change *change, struct store *store, struct err *err)
{
	(void)change;
	return store_probe(store, clock_now_ms(), err);
}

/* Loop. */
static void probed(struct job *job)
{
	struct change *change = container_of(job, struct change, job);
	struct crew *crew = container_of(change, struct crew, probe);

	crew->probing = false;
	crew_note_store(crew, &change->err);
	if (crew->store_trouble[0] != '\0')
		event_add(crew->probe_again, &later);
}

static void probe_again(evutil_socket_t fd, short what, void *arg)
{
	struct crew *crew = arg;

	(void)fd;
	(void)what;
	crew->probing = true;
	crew_on_writer(crew, &crew->probe, probe, probed);
}

void crew_start(struct crew *crew)
{
	crew->probe_again = event_new(crew->loop, -1, 0, probe_again, crew);
}

void crew_done(struct crew *crew)
{
	if (crew->probe_again != NULL)
		event_free(crew->probe_again);
	crew->probe_again = NULL;
}
