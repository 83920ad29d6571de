/* What the page shows beside the status. Loop only.
 *
 * What waits for a person is counted by the store every few seconds rather than kept here: each verb that
 * moves a document would have to say for which reason and site, and a figure that drifted would never come
 * right again. The index that the count reads holds only what is held or rejected, so a backlog costs it
 * nothing; and however much is held, it takes no more than a part of one worker's time.
 *
 * The curves are kept here. What happened before this start is read back from the ledger once.
 */
#include "operator/page_figures.h"

#include <event2/event.h>

#include "base/clock.h"
#include "crew/hands.h"
#include "queue/store_count.h"

enum {
	LOOK_MS = 5000,
	LOOK_SHARE = 50,    /* a look takes no more than one part in so many of a worker's time */
	MOST_WAITING = 500, /* states, reasons and sites, together */
	MOST_HISTORY = 1000000, /* rows of the ledger that are read back: some hundred megabytes */
	FINESS_TEXT = 16,
};

#define HOUR_MS INT64_C(3600000)
#define MONTH_MS (30 * 24 * HOUR_MS)

/* Counted by a worker. */
struct waiting {
	struct page_waiting rows[MOST_WAITING];
	char sites[MOST_WAITING][FINESS_TEXT];
	size_t count;
};

struct page_figures {
	struct page_figures_parts parts;
	struct snapshot *snapshot; /* held: its sites are here; */
	struct snapshot *next;     /* those of the next look; NULL: the same */
	struct status_site *sites;
	size_t site_count;

	struct waiting waiting;
	bool waiting_is_known;
	struct curve curve;

	struct job look;
	struct event *look_again;
	bool looking;
	struct waiting looked;
	int64_t *looked_delivered_ms; /* by site */
	int64_t delivered_after_ms;   /* what is older is known */
	bool looked_well;
	int64_t look_took_ms;

	struct job read_back;
	struct curve past;
	bool read_back_well;
};

/* ---- what sites are called ---- */

/* Legal entities too: lanes are called by their numbers. */
static void name_sites(struct page_figures *figures)
{
	const struct config *config = figures->snapshot->config;
	size_t count = 0;

	for (size_t i = 0; i < config->establishment_count; i++)
		count += 1 + config->establishments[i].site_count;
	figures->sites = xcalloc(count, sizeof(*figures->sites));
	figures->looked_delivered_ms = xcalloc(count, sizeof(int64_t));
	figures->site_count = 0;
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		figures->sites[figures->site_count++] =
			(struct status_site){ e->finess_ej, e->name, true, 0 };
		for (size_t j = 0; j < e->site_count; j++)
			figures->sites[figures->site_count++] =
				(struct status_site){ e->sites[j].metadata.finess_eg,
						      e->sites[j].metadata.name, false, 0 };
	}
	/* of one that is new, what was delivered to it in times past may be known */
	figures->delivered_after_ms = figures->curve.since_ms - MONTH_MS;
}

/* Nothing looks at the sites. */
static void take_next(struct page_figures *figures)
{
	if (figures->next == NULL)
		return;
	free(figures->sites);
	free(figures->looked_delivered_ms);
	snapshot_let_go(&figures->snapshot);
	figures->snapshot = take(figures->next);
	name_sites(figures);
}

void page_figures_follow(struct page_figures *figures, struct snapshot *snapshot)
{
	snapshot_let_go(&figures->next);
	figures->next = snapshot_hold(snapshot);
	if (!figures->looking)
		take_next(figures);
}

/* ---- what waits ---- */

static void add_waiting(void *arg, const struct store_waiting *waiting)
{
	struct waiting *looked = arg;
	char *site = looked->sites[looked->count];

	memset(site, 0, FINESS_TEXT);
	memcpy(site, waiting->site, min(strlen(waiting->site), (size_t)FINESS_TEXT - 1));
	looked->rows[looked->count++] = (struct page_waiting){
		.state = doc_state_text(waiting->state),
		.reason = waiting->reason,
		.documents = waiting->documents,
		.oldest_ms = waiting->oldest_ms,
	};
}

static void add_delivered(void *arg, const char *site, int64_t accepted_ms)
{
	struct page_figures *figures = arg;

	for (size_t i = 0; i < figures->site_count; i++)
		if (strcmp(figures->sites[i].finess, site) == 0)
			figures->looked_delivered_ms[i] = accepted_ms;
}

/* Worker. Names of sites do not change meanwhile. */
static void look(struct job *job, void *worker)
{
	struct page_figures *figures = container_of(job, struct page_figures, look);
	const int64_t began_ms = clock_monotonic_ms();
	struct err err = { 0 };
	struct store *reader = hands_reader(worker, &err);

	figures->looked.count = 0;
	figures->looked_well = reader != NULL &&
			       store_count_waiting_by_site(reader, MOST_WAITING, add_waiting,
							   &figures->looked, &err) == 0 &&
			       store_last_accepted(reader, figures->delivered_after_ms,
						   add_delivered, figures, &err) == 0;
	figures->look_took_ms = clock_monotonic_ms() - began_ms;
}

/* An hour is read again each time: what is counted follows the ledger at its own pace. */
static void note_delivered(struct page_figures *figures)
{
	for (size_t i = 0; i < figures->site_count; i++) {
		struct status_site *site = &figures->sites[i];

		site->last_delivered_ms =
			max(site->last_delivered_ms, figures->looked_delivered_ms[i]);
		figures->delivered_after_ms =
			max(figures->delivered_after_ms, site->last_delivered_ms - HOUR_MS);
	}
}

/* Loop. */
static void looked(struct job *job)
{
	struct page_figures *figures = container_of(job, struct page_figures, look);
	const int64_t wait_ms = max((int64_t)LOOK_MS, figures->look_took_ms * LOOK_SHARE);
	const struct timeval later = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	if (figures->looked_well) {
		figures->waiting = figures->looked;
		for (size_t i = 0; i < figures->waiting.count; i++)
			figures->waiting.rows[i].site = figures->waiting.sites[i];
		figures->waiting_is_known = true;
		note_delivered(figures);
	}
	figures->looking = false;
	take_next(figures);
	event_add(figures->look_again, &later);
}

static void look_again(evutil_socket_t fd, short what, void *arg)
{
	struct page_figures *figures = arg;

	(void)fd, (void)what;
	figures->looking = true;
	workers_submit(figures->parts.workers, &figures->look);
}

/* ---- the curves ---- */

void page_figures_moved(struct page_figures *figures, const struct store_moves *moves)
{
	const int64_t now_ms = clock_now_ms();
	int64_t received = 0; /* what only moved is one less and one more */

	for (enum doc_state state = 0; state < DOC_STATE_COUNT; state++)
		received += moves->change[state];
	curve_add(&figures->curve, CURVE_RECEIVED, now_ms, (uint64_t)max(received, (int64_t)0));
	curve_add(&figures->curve, CURVE_DELIVERED, now_ms,
		  (uint64_t)max(moves->change[DOC_DELIVERED], (int64_t)0));
	curve_add(&figures->curve, CURVE_REJECTED, now_ms,
		  (uint64_t)max(moves->change[DOC_REJECTED], (int64_t)0));
}

static void add_happened(void *arg, const struct store_happened *happened)
{
	struct page_figures *figures = arg;
	const bool is_new = strcmp(happened->what, "received") == 0;

	if (happened->at_ms >= figures->curve.since_ms)
		return; /* that is counted as it happens */
	if (is_new)
		curve_add(&figures->past, CURVE_RECEIVED, happened->at_ms, 1);
	if (!is_new && strcmp(happened->what, "settled") != 0)
		return;
	if (happened->state == DOC_DELIVERED)
		curve_add(&figures->past, CURVE_DELIVERED, happened->at_ms, 1);
	if (happened->state == DOC_REJECTED)
		curve_add(&figures->past, CURVE_REJECTED, happened->at_ms, 1);
}

/* Keeper. The beginning of the curve does not change any more. */
static void read_back(struct job *job, void *worker)
{
	struct page_figures *figures = container_of(job, struct page_figures, read_back);
	struct err err = { 0 };
	struct store *reader = hands_reader(worker, &err);

	figures->read_back_well =
		reader != NULL &&
		store_history(reader, curve_oldest_ms(figures->curve.since_ms), MOST_HISTORY,
			      add_happened, figures, &figures->past.since_ms, &err) == 0;
}

/* Loop. */
static void was_read_back(struct job *job)
{
	struct page_figures *figures = container_of(job, struct page_figures, read_back);

	if (figures->read_back_well)
		curve_join(&figures->curve, &figures->past);
}

/* ---- for the page ---- */

void page_figures_fill(const struct page_figures *figures, struct page *ret_page)
{
	ret_page->waiting = figures->waiting.rows;
	ret_page->waiting_count = figures->waiting.count;
	ret_page->waiting_is_known = figures->waiting_is_known;
}

void page_figures_tell(const struct page_figures *figures, struct status *status)
{
	status->sites = figures->sites;
	status->site_count = figures->site_count;
	status->curve = &figures->curve;
}

/* ---- birth and end ---- */

struct page_figures *page_figures_new(const struct page_figures_parts *parts)
{
	struct page_figures *figures = xcalloc(1, sizeof(*figures));

	figures->parts = *parts;
	figures->curve.since_ms = clock_now_ms();
	page_figures_follow(figures, parts->snapshot);
	figures->look = (struct job){ .run = look, .done = looked };
	figures->look_again = event_new(parts->loop, -1, 0, look_again, figures);
	figures->read_back = (struct job){ .run = read_back, .done = was_read_back };
	look_again(-1, 0, figures);
	workers_submit(parts->keeper, &figures->read_back);
	return figures;
}

void page_figures_free(struct page_figures **figures)
{
	struct page_figures *f = *figures;

	if (f == NULL)
		return;
	event_free(f->look_again);
	free(f->looked_delivered_ms);
	free(f->sites);
	snapshot_let_go(&f->snapshot);
	snapshot_let_go(&f->next);
	free_ptr(figures);
}
