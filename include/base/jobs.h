/* Work off the loop, and the one way between threads.
 *
 * A job has one owner at a time: once submitted it belongs to the other thread; when done() is
 * called, on the loop, it is the loop's again (and may be freed there). A job sits inside the
 * struct that needs the work; container_of() leads back.
 */
#ifndef DMPFEED_BASE_JOBS_H
#define DMPFEED_BASE_JOBS_H

#include <pthread.h>

#include "base/buf.h"

struct inbox;

struct job {
	/* elsewhere: may block, touches only its own struct and the worker's context */
	void (*run)(struct job *job, void *worker);
	struct inbox *then; /* run() may say whose it is when it has run; else it is the loop's */
	/* on the loop: may touch what the loop owns */
	void (*done)(struct job *job);
	struct job *next;
};

/* At start: a thread of that name (15 characters at most). Where there can be none, the process says so and ends. */
pthread_t job_thread(const char *name, void *(*run)(void *arg), void *arg);

/* Towards the loop: finished jobs wait here until the loop, woken through the descriptor (an
 * eventfd, readable when there is something), calls their done().
 */
struct mailbox;
struct mailbox *mailbox_new(void);
int mailbox_fd(const struct mailbox *mailbox);

/* Any thread. `first` is a list linked by next, kept in order; NULL is nothing. */
void mailbox_post(struct mailbox *mailbox, struct job *first);

/* Loop. Calls done() of all that waits, in order of posting; never blocks. */
void mailbox_deliver(struct mailbox *mailbox);

/* After every thread that posts has ended; runs nothing. */
void mailbox_free(struct mailbox **mailbox);

/* Towards one thread: a list with a bell. Putting and closing: any thread. */
struct inbox *inbox_new(void);
void inbox_free(struct inbox **inbox);
void inbox_put(struct inbox *inbox, struct job *job);

/* What is in it is still handed out; after that, NULL. */
void inbox_close(struct inbox *inbox);

/* Wait for something, or for the end (NULL: closed and empty). All of it, oldest first and linked
 * by next; or the oldest alone, so that several threads may share an inbox.
 */
struct job *inbox_take_all(struct inbox *inbox);
struct job *inbox_take_one(struct inbox *inbox);

/* All of what is in it now, or NULL. While that is fewer than `wanted`, waits for them, until the moment
 * `end_ms` of the monotonic clock at most. For an inbox that one thread empties.
 */
struct job *inbox_take_more(struct inbox *inbox, size_t wanted, int64_t end_ms);

/* A pool of threads that share one inbox, each with a context of its own (keys, parsers, a read
 * connection). The context is made and freed on the worker's thread; making it must not fail: what
 * can fail is tried before.
 */
struct workers_settings {
	unsigned count;
	const char *name; /* of the threads, 15 characters at most */
	void *(*context_new)(void *arg);
	void (*context_free)(void *context);
	void *arg;
};

struct workers;
struct workers *workers_new(const struct workers_settings *settings, struct mailbox *mailbox);
void workers_submit(struct workers *workers, struct job *job); /* any thread */

/* Finishes what was submitted and ends the threads; the done() of it still waits in the mailbox. */
void workers_free(struct workers **workers);

#endif
