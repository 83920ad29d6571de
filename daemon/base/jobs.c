/* Work off the loop: the only file with a mutex. */
#include "base/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Nothing works without a way back from a thread. Where this is made no journal has to be had either. */
static void __attribute__((noreturn, cold)) cannot_start(const char *without, int error)
{
	fprintf(stderr, "<3>cannot start: no %s: %s\n", without, strerrordesc_np(error));
	abort();
}

pthread_t job_thread(const char *name, void *(*run)(void *arg), void *arg)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, run, arg);

	if (rc != 0)
		cannot_start("thread", rc);
	pthread_setname_np(thread, name);
	return thread;
}

struct list {
	struct job *first, **end;
};

static void list_add(struct list *list, struct job *first)
{
	if (list->first == NULL)
		list->end = &list->first;
	*list->end = first;
	while (*list->end != NULL)
		list->end = &(*list->end)->next;
}

struct mailbox {
	pthread_mutex_t mutex;
	struct list list;
	int fd;
};

struct mailbox *mailbox_new(void)
{
	struct mailbox *mailbox = xcalloc(1, sizeof(*mailbox));

	pthread_mutex_init(&mailbox->mutex, NULL);
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0)
		cannot_start("descriptor", errno);
	return mailbox;
}

void mailbox_free(struct mailbox **mailbox)
{
	if (*mailbox == NULL)
		return;
	close((*mailbox)->fd);
	pthread_mutex_destroy(&(*mailbox)->mutex);
	free_ptr(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

void mailbox_post(struct mailbox *mailbox, struct job *first)
{
	static const uint64_t one = 1;
	bool was_empty;

	if (first == NULL)
		return;
	pthread_mutex_lock(&mailbox->mutex);
	was_empty = mailbox->list.first == NULL;
	list_add(&mailbox->list, first);
	pthread_mutex_unlock(&mailbox->mutex);
	while (was_empty && write(mailbox->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void mailbox_deliver(struct mailbox *mailbox)
{
	struct job *job, *next;
	uint64_t count;

	while (read(mailbox->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&mailbox->mutex);
	job = mailbox->list.first;
	mailbox->list.first = NULL;
	pthread_mutex_unlock(&mailbox->mutex);
	for (; job != NULL; job = next) {
		next = job->next; /* done() may free the job */
		job->next = NULL;
		job->done(job);
	}
}

struct inbox {
	pthread_mutex_t mutex;
	pthread_cond_t bell; /* rings when `wanted` are there, or at the end */
	struct list list;
	size_t count, wanted;
	bool closed;
};

struct inbox *inbox_new(void)
{
	struct inbox *inbox = xcalloc(1, sizeof(*inbox));

	pthread_mutex_init(&inbox->mutex, NULL);
	pthread_cond_init(&inbox->bell, NULL);
	inbox->wanted = 1;
	return inbox;
}

void inbox_free(struct inbox **inbox)
{
	if (*inbox == NULL)
		return;
	pthread_cond_destroy(&(*inbox)->bell);
	pthread_mutex_destroy(&(*inbox)->mutex);
	free_ptr(inbox);
}

void inbox_put(struct inbox *inbox, struct job *job)
{
	bool rings;

	pthread_mutex_lock(&inbox->mutex);
	job->next = NULL;
	list_add(&inbox->list, job);
	rings = ++inbox->count >= inbox->wanted;
	pthread_mutex_unlock(&inbox->mutex);
	if (rings) /* only now: or whoever wakes finds the mutex taken, and sleeps again */
		pthread_cond_signal(&inbox->bell);
}

void inbox_close(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->mutex);
	inbox->closed = true;
	pthread_cond_broadcast(&inbox->bell);
	pthread_mutex_unlock(&inbox->mutex);
}

/* With the mutex held, as the two below. */
static void inbox_await_one(struct inbox *inbox)
{
	while (inbox->list.first == NULL && !inbox->closed)
		pthread_cond_wait(&inbox->bell, &inbox->mutex);
}

static void inbox_await_more(struct inbox *inbox, size_t wanted, int64_t end_ms)
{
	const struct timespec end = { end_ms / 1000, end_ms % 1000 * 1000000 };
	int late = 0;

	inbox->wanted = wanted;
	while (inbox->count < wanted && !inbox->closed && late == 0)
		late = pthread_cond_clockwait(&inbox->bell, &inbox->mutex, CLOCK_MONOTONIC, &end);
	inbox->wanted = 1;
}

static struct job *inbox_empty(struct inbox *inbox)
{
	struct job *jobs = inbox->list.first;

	inbox->list.first = NULL;
	inbox->count = 0;
	return jobs;
}

struct job *inbox_take_more(struct inbox *inbox, size_t wanted, int64_t end_ms)
{
	struct job *jobs;

	pthread_mutex_lock(&inbox->mutex);
	if (inbox->count < wanted)
		inbox_await_more(inbox, wanted, end_ms);
	jobs = inbox_empty(inbox);
	pthread_mutex_unlock(&inbox->mutex);
	return jobs;
}

struct job *inbox_take_all(struct inbox *inbox)
{
	struct job *jobs;

	pthread_mutex_lock(&inbox->mutex);
	inbox_await_one(inbox);
	jobs = inbox_empty(inbox);
	pthread_mutex_unlock(&inbox->mutex);
	return jobs;
}

struct job *inbox_take_one(struct inbox *inbox)
{
	struct job *job;

	pthread_mutex_lock(&inbox->mutex);
	inbox_await_one(inbox);
	job = inbox->list.first;
	if (job != NULL) {
		inbox->list.first = job->next;
		inbox->count--;
		job->next = NULL;
	}
	pthread_mutex_unlock(&inbox->mutex);
	return job;
}

struct workers {
	struct workers_settings settings;
	struct mailbox *mailbox;
	struct inbox *inbox;
	pthread_t *threads;
};

static void *worker_main(void *arg)
{
	struct workers *workers = arg;
	const struct workers_settings *settings = &workers->settings;
	void *context = settings->context_new ? settings->context_new(settings->arg) : NULL;
	struct job *job;

	while ((job = inbox_take_one(workers->inbox)) != NULL) {
		job->then = NULL;
		job->run(job, context);
		if (job->then != NULL)
			inbox_put(job->then, job);
		else
			mailbox_post(workers->mailbox, job);
	}
	if (settings->context_free)
		settings->context_free(context);
	return NULL;
}

struct workers *workers_new(const struct workers_settings *settings, struct mailbox *mailbox)
{
	struct workers *workers = xcalloc(1, sizeof(*workers));

	workers->settings = *settings;
	workers->mailbox = mailbox;
	workers->inbox = inbox_new();
	workers->threads = xcalloc(settings->count, sizeof(*workers->threads));
	for (unsigned i = 0; i < settings->count; i++)
		workers->threads[i] = job_thread(settings->name, worker_main, workers);
	return workers;
}

void workers_submit(struct workers *workers, struct job *job)
{
	inbox_put(workers->inbox, job);
}

void workers_free(struct workers **workers)
{
	if (*workers == NULL)
		return;
	inbox_close((*workers)->inbox);
	for (unsigned i = 0; i < (*workers)->settings.count; i++)
		pthread_join((*workers)->threads[i], NULL);
	inbox_free(&(*workers)->inbox);
	free((*workers)->threads);
	free_ptr(workers);
}
