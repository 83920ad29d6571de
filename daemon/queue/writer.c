/* The one thread that owns the database. */
#include "queue/writer.h"

#include <pthread.h>

#include "base/clock.h"

enum { GATHER_SHARE = 2, GATHER_MOST_MS = 5 };

struct writer {
	struct store *store;
	struct inbox *inbox;
	struct mailbox *mailbox;
	pthread_t thread;
	size_t batch_count; /* of the last batch */
	int64_t sync_ms;    /* its commit */
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

	while ((batch = next_batch(writer)) != NULL)
		write_batch(writer, batch);
	return NULL;
}

struct writer *writer_new(struct store **store, struct mailbox *mailbox)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));

	writer->store = take(*store);
	writer->mailbox = mailbox;
	writer->inbox = inbox_new();
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

void writer_free(struct writer **writer)
{
	if (*writer == NULL)
		return;
	inbox_close((*writer)->inbox);
	pthread_join((*writer)->thread, NULL);
	inbox_free(&(*writer)->inbox);
	store_free(&(*writer)->store);
	free_ptr(writer);
}
