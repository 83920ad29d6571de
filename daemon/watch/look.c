/* What a worker reads for the alerts: the disk, this process, the store, and what its arrivals tell of those who
 * send.
 */
#include "watch/look.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/disk.h"
#include "crew/hands.h"
#include "process.h"

_Static_assert(STORE_ARRIVAL_SLOT_MS == RHYTHM_SLOT_MS, "arrivals are counted by other slots");

/* ---- who sends ---- */

/* Each source once, however many doors it has. What is known of one stays known. */
static void add_sender(struct look *look, const char *name, struct look_sender *before,
		       size_t count)
{
	for (size_t i = 0; i < look->sender_count; i++)
		if (strcmp(look->senders[i].name, name) == 0)
			return;
	for (size_t i = 0; i < count; i++)
		if (before[i].name != NULL && strcmp(before[i].name, name) == 0) {
			look->senders[look->sender_count++] = before[i];
			before[i].name = NULL;
			return;
		}
	look->senders[look->sender_count++].name = xstrdup(name);
	look->next_slot = 0; /* all arrivals again: its own are not known yet */
}

static void free_senders(struct look_sender *senders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(senders[i].name);
	free(senders);
}

void look_name_senders(struct look *look, const struct config *config)
{
	struct look_sender *before = look->senders;
	const size_t count = look->sender_count;

	look->senders = xcalloc(config->mllp_count + config->drop_count, sizeof(*look->senders));
	look->sender_count = 0;
	for (size_t i = 0; i < config->mllp_count; i++)
		add_sender(look, config->mllp[i].source, before, count);
	for (size_t i = 0; i < config->drop_count; i++)
		add_sender(look, config->drops[i].source, before, count);
	free_senders(before, count);
}

void look_at_all_arrivals(struct look *look)
{
	look->next_slot = 0;
}

/* ---- the store ---- */

static void add_waiting(void *arg, const struct store_waiting *waiting)
{
	struct look_store *seen = arg;

	if (seen->waiting_count < LOOK_WAITING)
		seen->waiting[seen->waiting_count++] = (struct health_waiting){
			.state = doc_state_text(waiting->state),
			.reason = reason_row(waiting->reason)->code,
			.documents = waiting->documents,
			.oldest_ms = waiting->oldest_ms,
		};
}

static void add_lane(void *arg, const char *lane)
{
	struct look_lanes *lanes = arg;

	if (lanes->count == lanes->room) {
		lanes->room = lanes->room * 2 + 16;
		lanes->names = xrealloc(lanes->names, lanes->room * sizeof(*lanes->names));
	}
	snprintf(lanes->names[lanes->count++], LOOK_LANE_TEXT, "%s", lane);
}

static void look_at_lanes(struct look *look, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);

	look->lanes.count = 0;
	look->has_lanes =
		reader != NULL && store_queued_lanes(reader, add_lane, &look->lanes, err) == 0;
}

static int look_at_store(struct look_store *ret_seen, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);
	struct look_store seen = { 0 };
	int64_t misplaced_ms;

	if (reader == NULL || store_count_waiting(reader, add_waiting, &seen, err) < 0 ||
	    store_oldest_queued(reader, &seen.oldest_queued_ms, err) < 0 ||
	    store_oldest_invisible(reader, &seen.oldest_invisible_ms, err) < 0 ||
	    store_count_misplaced(reader, &seen.misplaced, &misplaced_ms, err) < 0)
		return -1;
	*ret_seen = seen;
	return 0;
}

static void add_arrivals(void *arg, const char *source, int64_t slot, uint64_t documents)
{
	struct look *look = arg;

	for (size_t i = 0; i < look->sender_count; i++)
		if (strcmp(look->senders[i].name, source) == 0)
			rhythm_note(&look->senders[i].rhythm, slot, documents);
}

/* What a clock that was ahead left for later does not count before then. */
static void look_at_senders(struct look *look, struct hands *hands, struct err *err)
{
	struct store *reader = hands_reader(hands, err);
	const int64_t slot = clock_now_ms() / RHYTHM_SLOT_MS;

	if (reader == NULL || store_arrivals(reader, min(look->next_slot, slot) - 1, slot,
					     add_arrivals, look, err) < 0)
		return;
	look->next_slot = slot;
	for (size_t i = 0; i < look->sender_count; i++)
		rhythm_learn(&look->senders[i].rhythm);
}

/* ---- all of it ---- */

/* Worker. The disk that it asks about is the one that the store, which it reads too, is on. */
static void run(struct job *job, void *hands)
{
	struct look *look = container_of(job, struct look, job);
	const int64_t began_ms = clock_monotonic_ms();
	scoped(free_ptr) char *wal = xasprintf("%s-wal", look->config->store.path);
	struct err err = { 0 };

	look->room = disk_room(look->config->state_dir);
	look->store_bytes = disk_file_bytes(look->config->store.path);
	look->wal_bytes = disk_file_bytes(wal);
	process_look(&look->process);
	(void)!look_at_store(&look->store, hands, &err); /* who has a document at stake tells why */
	look_at_lanes(look, hands, &err);
	look_at_senders(look, hands, &err);
	look->took_ms = clock_monotonic_ms() - began_ms;
}

void look_init(struct look *look, const struct config *config, void (*done)(struct job *job))
{
	*look = (struct look){ .job = { .run = run, .done = done }, .config = config };
	look->store.oldest_queued_ms = look->store.oldest_invisible_ms = INT64_MAX;
}

void look_done(struct look *look)
{
	free_senders(look->senders, look->sender_count);
	free(look->lanes.names);
}
