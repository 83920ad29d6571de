/* The one thread that owns the database. */
#include "queue/writer.h"

#include <stdatomic.h>

#include "base/clock.h"

enum { GATHER_MOST_MS = 10, BATCH_MOST = 256 };

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
	struct job *batch, **end; /* under way: all of it, and where the next one goes */
	struct job *next;         /* came while it was synced */
	size_t batch_count;
	size_t expected;   /* in this batch, by what the last one was */
	int64_t sync_ms;   /* the last commit */
	int64_t gather_ms; /* the moment until when those expected are awaited */
	struct folding folding;
};

static struct change *change_of(struct job *job)
{
	return container_of(job, struct change, job);
}

static size_t count_of(const struct job *job)
{
	size_t count = 0;

	for (; job != NULL; job = job->next)
		count++;
	return count;
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
	folding->thread = job_thread("folding", fold_beside, folding);
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

/* While one batch syncs, the next gathers, and as long as one is applied it takes in what comes. Where a
 * sync is slow that is not enough: the senders that were just answered would find the next batch
 * gone without them, and all would wait for two syncs. So as many as there were, in the last batch and
 * while it was synced, are awaited: for less than what the last sync took, which is what they would wait
 * otherwise; where that is about a millisecond, for nobody.
 */
static void add_more(struct writer *writer)
{
	size_t wanted = 0;

	if (writer->batch_count >= BATCH_MOST)
		return;
	if (writer->batch_count < writer->expected && clock_monotonic_ms() < writer->gather_ms)
		wanted = (writer->expected - writer->batch_count + 1) / 2;
	/* by halves: what is there is worked on meanwhile */
	*writer->end = inbox_take_more(writer->inbox, wanted, writer->gather_ms);
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

/* -1: it has failed and written, which cannot be taken back alone. */
static int apply_after_mark(struct store *store, struct change *change)
{
	if (store_mark(store, &change->err) < 0)
		return -1;
	if (change->apply(change, store, &change->err) < 0)
		return store_is_as_marked(store) ? 0 : -1;
	change->moves = store_take_moves(store);
	return 0;
}

/* A savepoint keeps each page that is written as it was before, and a change hardly ever fails after it
 * has written. So there is none at first.
 */
static int apply_all(struct writer *writer)
{
	while (*writer->end != NULL) {
		if (apply_after_mark(writer->store, change_of(*writer->end)) < 0)
			return -1;
		writer->end = &(*writer->end)->next;
		writer->batch_count++;
		if (*writer->end == NULL)
			add_more(writer);
	}
	return 0;
}

/* All of it anew, each with a savepoint of its own. */
static int apply_all_again(struct writer *writer, struct err *err)
{
	store_rollback(writer->store);
	if (store_begin(writer->store, err) < 0)
		return -1;
	for (struct job *job = writer->batch; job != NULL; job = job->next) {
		change_of(job)->err = (struct err){ 0 };
		store_moves_done(&change_of(job)->moves);
		apply_in_savepoint(writer->store, change_of(job));
	}
	return 0;
}

static void write_batch(struct writer *writer)
{
	const int64_t began_ms = clock_monotonic_ms();
	struct err err = { 0 };

	writer->end = &writer->batch;
	writer->batch_count = 0;
	writer->gather_ms = began_ms + min(writer->sync_ms - 1, (int64_t)GATHER_MOST_MS);
	if (store_begin(writer->store, &err) == 0 &&
	    (apply_all(writer) == 0 || apply_all_again(writer, &err) == 0)) {
		const int64_t applied_ms = clock_monotonic_ms();

		(void)!store_commit(writer->store, &err); /* the one sync; err tells */
		writer->sync_ms = clock_monotonic_ms() - applied_ms;
	}
	settle(writer->batch, &err);
	writer->next = inbox_take_more(writer->inbox, 0, 0);
	writer->expected = writer->batch_count + count_of(writer->next);
	mailbox_post(writer->mailbox, writer->batch); /* only now may anyone say "yes" */
}

static struct job *next_batch(struct writer *writer)
{
	struct job *waiting = take(writer->next);

	return waiting != NULL ? waiting : inbox_take_all(writer->inbox);
}

static void *writer_main(void *arg)
{
	struct writer *writer = arg;

	while ((writer->batch = next_batch(writer)) != NULL) {
		write_batch(writer);
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
	writer->thread = job_thread("writer", writer_main, writer);
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
	change->moves = (struct store_moves){ 0 };
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
