/* The one thread that owns the database. */
#include "queue/writer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

enum { GATHER_SHARE = 2, GATHER_MOST_MS = 5 };

/* Brings the log into the database beside the writer. The numbers are its own while it is at work. */
struct folding {
	struct store *store; /* NULL: it could not be opened, and the writer does it alone */
	struct inbox *inbox;
	struct job job;
	size_t pages;
	atomic_bool is_at_work;
	pthread_t thread;
};

struct writer {
	struct store *store;
	struct inbox *inbox;
	struct mailbox *mailbox;
	pthread_t thread;
	size_t batch_count; /* of the last batch */
	int64_t sync_ms;    /* its commit */
	struct folding folding;
};

static struct change *change_of(struct job *job)
{
	return container_of(job, struct change, job);
}

static void apply_in_savepoint(struct store *store, struct change *change)
{
	if (store_savepoint(store, &change->err) < 0)
		return;
	if (change->apply(change, store, &change->err) < 0) {
		store_savepoint_undo(store); /* a bad one takes back only itself */
	} else {
		change->moves = store_take_moves(store);
		store_savepoint_release(store);
	}
}

/* A batch that could not be committed fails every change in it. */
static void settle(struct job *batch, const struct err *err)
{
	if (err->kind == ERR_NONE)
		return;
	for (struct job *job = batch; job != NULL; job = job->next) {
		store_moves_done(&change_of(job)->moves);
		if (change_of(job)->err.kind == ERR_NONE)
			change_of(job)->err = *err;
	}
}

static void write_batch(struct writer *writer, struct job *batch)
{
	int64_t began_ms = 0;
	struct err err = { 0 };

	writer->batch_count = 0;
	if (store_begin(writer->store, &err) == 0) {
		for (struct job *job = batch; job != NULL; job = job->next, writer->batch_count++)
			apply_in_savepoint(writer->store, change_of(job));
		began_ms = clock_monotonic_ms();
		(void)!store_commit(writer->store, &err); /* the one sync; err tells */
		writer->sync_ms = clock_monotonic_ms() - began_ms;
	}
	settle(batch, &err);
	mailbox_post(writer->mailbox, batch); /* only now may anyone say "yes" */
}

/* ---- the log ---- */

static void *fold_beside(void *arg)
{
	struct folding *folding = arg;

	while (inbox_take_all(folding->inbox) != NULL) {
		folding->pages = store_fold(folding->store);
		atomic_store(&folding->is_at_work, false);
	}
	return NULL;
}

static void start_folding(struct folding *folding, const struct store *store)
{
	struct err err = { 0 };

	if (store_open_folding(&folding->store, store, &err) < 0)
		return;
	folding->inbox = inbox_new();
	if (pthread_create(&folding->thread, NULL, fold_beside, folding) != 0)
		abort(); /* at start only */
	pthread_setname_np(folding->thread, "folding");
}

static void end_folding(struct folding *folding)
{
	if (folding->store == NULL)
		return;
	inbox_close(folding->inbox);
	pthread_join(folding->thread, NULL);
	inbox_free(&folding->inbox);
	store_free(&folding->store);
}

/* Between two batches: those of the last have their answers on the way. */
static void mind_log(struct writer *writer)
{
	struct folding *folding = &writer->folding;

	if (atomic_load(&folding->is_at_work))
		return;
	if (folding->pages > 0)
		store_was_folded(writer->store, folding->pages);
	folding->pages = 0;
	switch (store_fold_due(writer->store)) {
	case FOLD_NOTHING:
		return;
	case FOLD_BESIDE:
		if (folding->store != NULL) {
			atomic_store(&folding->is_at_work, true);
			inbox_put(folding->inbox, &folding->job);
			return;
		}
		break;
	case FOLD_HERE:
		break;
	}
	store_fold(writer->store);
}

/* ---- batches ---- */

/* While one batch syncs, the next gathers. Where a sync is slow that is not enough: of the senders
 * that were just answered, the first to send again would have the disk for itself, and the others
 * would wait for two syncs. So as many as last time are awaited, for a share of what the last sync
 * took; where that is less than a millisecond, for nobody.
 */
static struct job *next_batch(struct writer *writer)
{
	return inbox_take_batch(writer->inbox, writer->batch_count,
				min(writer->sync_ms / GATHER_SHARE, (int64_t)GATHER_MOST_MS));
}

static void *writer_main(void *arg)
{
	struct writer *writer = arg;
	struct job *batch;

	while ((batch = next_batch(writer)) != NULL) {
		write_batch(writer, batch);
		mind_log(writer);
	}
	return NULL;
}

struct writer *writer_new(struct store **store, struct mailbox *mailbox)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));

	writer->store = take(*store);
	writer->mailbox = mailbox;
	writer->inbox = inbox_new();
	start_folding(&writer->folding, writer->store);
	if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
		abort(); /* at start only */
	pthread_setname_np(writer->thread, "writer");
	return writer;
}

void writer_submit(struct writer *writer, struct change *change)
{
	change->err = (struct err){ 0 };
	change->moves = (struct store_moves){ 0 };
	inbox_put(writer->inbox, &change->job);
}

void writer_follows(struct writer *writer, struct change *change)
{
	change->err = (struct err){ 0 };
	change->job.then = writer->inbox;
}

void writer_free(struct writer **writer)
{
	if (*writer == NULL)
		return;
	inbox_close((*writer)->inbox);
	pthread_join((*writer)->thread, NULL);
	end_folding(&(*writer)->folding);
	inbox_free(&(*writer)->inbox);
	store_free(&(*writer)->store);
	free_ptr(writer);
}
