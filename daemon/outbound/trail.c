/* The audit trail, forwarded.
 *
 *     wants                    loop     the collector can take rows
 *     look                     worker   how far the chain is; and the next rows of it, as lines
 *     looked                   loop     they are handed over
 *     arrived                  loop     the collector has all up to a row
 *     note                     writer   the store knows
 *     noted                    loop
 *
 * Nothing waits for it. Dying anywhere sends the rows after the last one noted again.
 */
#include "outbound/trail.h"

#include <event2/event.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "crew/hands.h"
#include "outbound/trail_line.h"

enum {
	LOOK_MS = 1000, /* whether there are new rows */
	PAGE_BYTES = 256 << 10,
	PAGE_ROWS = 200,
};

/* To one collector. Its jobs outlive its turn. */
struct way {
	struct trail *trail;
	LIST_ENTRY(way) link;
	struct snapshot *snapshot; /* held: the one that it was made of */
	const struct collector_settings *settings;
	struct collector *collector;
	struct event *again;
	bool is_gone; /* another took its place, or none */

	struct change look;
	bool is_looking, has_begun;
	bool is_wanted, wants_now; /* rows: by the collector; by the look under way */
	uint64_t after, last;
	struct buf page;
	struct store_trail_reach found;
	uint64_t newest; /* row, as the last look found it */
	int64_t complained_ms;

	struct change note;
	bool is_noting;
	uint64_t arrived, noted; /* rows */
};

LIST_HEAD(way_list, way);

struct trail {
	struct crew *crew;
	struct way *way;      /* NULL: nothing is forwarded */
	struct way_list ways; /* those too that are gone, and busy */
};

static void way_free(struct way **way)
{
	struct way *w = *way;

	if (w == NULL)
		return;
	LIST_REMOVE(w, link);
	collector_free(&w->collector);
	event_free(w->again);
	buf_done(&w->page);
	snapshot_let_go(&w->snapshot);
	free_ptr(way);
}

/* true: the way is gone, and has been freed. */
static bool end(struct way *way)
{
	crew_end(way->trail->crew);
	if (!way->is_gone || way->is_looking || way->is_noting)
		return way->is_gone;
	way_free(&way);
	return true;
}

/* ---- out of the store ---- */

static void add_line(void *arg, const struct store_trail_row *row)
{
	struct way *way = arg;

	trail_line(row, way->settings, &way->page);
	way->last = row->number;
}

static size_t rows_of_page(const struct way *way)
{
	const size_t fit = PAGE_BYTES / way->settings->most_line_bytes;

	return min(max(fit, (size_t)1), (size_t)PAGE_ROWS);
}

static int read_rows(struct way *way, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	if (reader == NULL || store_trail_reach(reader, &way->found, err) < 0)
		return -1;
	if (!way->wants_now)
		return 0;
	return store_trail(reader, way->after, rows_of_page(way), add_line, way, err);
}

/* Worker. */
static void look(struct job *job, void *hands)
{
	struct way *way = container_of(container_of(job, struct change, job), struct way, look);

	way->look.err = (struct err){ 0 };
	(void)!read_rows(way, hands, &way->look.err);
}

static void looked(struct job *job);

static void begin_to_look(struct way *way)
{
	struct crew *crew = way->trail->crew;

	event_del(way->again);
	way->is_looking = true;
	way->wants_now = way->is_wanted;
	if (way->wants_now)
		buf_done(&way->page); /* an idle gateway keeps none */
	crew_begin(crew);
	crew_on_worker(crew, &way->look, look, looked);
}

/* What the look found, to the collector. */
static void hand_over(struct way *way)
{
	way->newest = way->found.newest;
	if (!way->has_begun) {
		way->has_begun = true;
		way->arrived = way->noted = way->found.forwarded;
		collector_begin(way->collector, way->found.forwarded);
	} else if (way->wants_now && way->page.n > 0) {
		way->is_wanted = false;
		collector_send(way->collector, way->after, way->last, buf_slice(&way->page));
	} else if (way->wants_now) {
		way->is_wanted = false;
		collector_nothing(way->collector);
	} else if (way->newest > collector_figures(way->collector).sent) {
		collector_poke(way->collector);
	}
}

static void look_later(struct way *way)
{
	event_add(way->again, &(struct timeval){ LOOK_MS / 1000, LOOK_MS % 1000 * 1000 });
}

/* Loop. */
static void looked(struct job *job)
{
	struct way *way = container_of(container_of(job, struct change, job), struct way, look);
	const bool is_well = way->look.err.kind == ERR_NONE;

	way->is_looking = false;
	if (end(way))
		return;
	if (is_well)
		hand_over(way);
	else if (log_may_repeat(&way->complained_ms, clock_monotonic_ms()))
		log_warning("audit_trail cannot be read: %s", way->look.err.text);
	if (is_well && way->is_wanted && !way->is_looking)
		begin_to_look(way);
	else if (!way->is_looking)
		look_later(way);
}

static void look_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	begin_to_look(arg);
}

/* Loop: the collector can take rows. */
static void wants(void *arg, uint64_t after)
{
	struct way *way = arg;

	way->is_wanted = true;
	way->after = after;
	if (!way->is_looking)
		begin_to_look(way);
}

/* ---- back into it ---- */

/* Writer. */
static int note(struct change *change, struct store *store, struct err *err)
{
	return store_note_forwarded(store, container_of(change, struct way, note)->noted, err);
}

static void noted(struct job *job);

/* While a row is noted a later one may arrive: `noted` is the writer's until then. */
static void begin_to_note(struct way *way)
{
	struct crew *crew = way->trail->crew;

	way->is_noting = true;
	way->noted = way->arrived;
	crew_begin(crew);
	crew_on_writer(crew, &way->note, note, noted);
}

/* Loop. One that could not be noted is, with the next that arrives. */
static void noted(struct job *job)
{
	struct way *way = container_of(container_of(job, struct change, job), struct way, note);

	way->is_noting = false;
	crew_note_store(way->trail->crew, &way->note.err);
	if (!end(way) && way->noted != way->arrived)
		begin_to_note(way);
}

/* Loop. */
static void arrived(void *arg, uint64_t row)
{
	struct way *way = arg;

	way->arrived = row;
	if (!way->is_noting)
		begin_to_note(way);
}

/* ---- birth and end ---- */

struct trail_plan {
	struct way *way; /* NULL: nothing is forwarded */
};

int trail_prepare(struct trail *trail, const struct snapshot *snapshot,
		  struct trail_plan **ret_plan, struct err *err)
{
	const struct collector_settings *settings = &snapshot->config->collector;
	scoped(trail_plan_free) struct trail_plan *plan = xcalloc(1, sizeof(*plan));
	struct way *way;

	if (settings->address[0] != '\0') {
		way = plan->way = xcalloc(1, sizeof(*way));
		LIST_INSERT_HEAD(&trail->ways, way, link);
		way->trail = trail;
		way->settings = settings;
		way->again = event_new(trail->crew->loop, -1, 0, look_again, way);
		if (collector_new(&way->collector, trail->crew->loop, settings,
				  &(struct collector_calls){ wants, arrived, way }, err) < 0)
			return err_within(err, "audit.syslog");
	}
	*ret_plan = take(plan);
	return 0;
}

void trail_plan_free(struct trail_plan **plan)
{
	if (*plan == NULL)
		return;
	way_free(&(*plan)->way);
	free_ptr(plan);
}

/* What has not arrived goes again, on the way that takes its place. */
static void leave(struct way *way)
{
	collector_close(way->collector);
	event_del(way->again);
	way->is_gone = true;
	if (!way->is_looking && !way->is_noting)
		way_free(&way);
}

/* Always a new connection: certificates may have been renewed in place. */
void trail_follow(struct trail *trail, struct snapshot *snapshot, struct trail_plan **plan)
{
	struct way *before = trail->way;

	trail->way = take((*plan)->way);
	trail_plan_free(plan);
	if (before != NULL && trail->way != NULL)
		collector_inherit(trail->way->collector, before->collector);
	if (before != NULL)
		leave(before);
	if (trail->way == NULL)
		return;
	trail->way->snapshot = snapshot_hold(snapshot);
	log_info("audit_collector address=%s", trail->way->settings->address);
	begin_to_look(trail->way);
}

struct trail *trail_new(struct crew *crew)
{
	struct trail *trail = xcalloc(1, sizeof(*trail));

	trail->crew = crew;
	return trail;
}

void trail_close(struct trail *trail)
{
	if (trail->way != NULL)
		leave(take(trail->way));
}

void trail_free(struct trail **trail)
{
	struct trail *t = *trail;
	struct way *way;

	if (t == NULL)
		return;
	while ((way = LIST_FIRST(&t->ways)) != NULL)
		way_free(&way);
	free_ptr(trail);
}

bool trail_figures(const struct trail *trail, struct collector_figures *ret_figures,
		   uint64_t *ret_waiting)
{
	const struct way *way = trail->way;

	if (way == NULL)
		return false;
	*ret_figures = collector_figures(way->collector);
	*ret_waiting = max(way->newest, ret_figures->arrived) - ret_figures->arrived;
	return true;
}
