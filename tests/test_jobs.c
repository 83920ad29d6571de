/* Work off the loop: one owner at a time, in order, with real threads. */
#include "base/jobs.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample.h"

struct task {
	struct job job;
	int number;
	int *log;      /* the numbers in the order of done(); the loop's */
	size_t *count; /* how many are in it */
	void *context; /* that it ran with */
	bool ran;
};

static struct task *task_of(struct job *job)
{
	return container_of(job, struct task, job);
}

static void task_run(struct job *job, void *worker)
{
	task_of(job)->ran = true;
	task_of(job)->context = worker;
}

static void task_done(struct job *job)
{
	struct task *task = task_of(job);

	assert_null(job->next);
	task->log[(*task->count)++] = task->number;
}

/* `count` tasks that write their numbers, from 0, into `log` when done. */
static struct task *tasks_new(size_t count, int *log, size_t *done)
{
	struct task *tasks = xcalloc(count, sizeof(*tasks));

	for (size_t i = 0; i < count; i++)
		tasks[i] = (struct task){ .job = { .run = task_run, .done = task_done },
					  .number = (int)i,
					  .log = log,
					  .count = done };
	return tasks;
}

static bool is_readable(const struct mailbox *mailbox, int timeout_ms)
{
	struct pollfd fd = { .fd = mailbox_fd(mailbox), .events = POLLIN };

	return poll(&fd, 1, timeout_ms) == 1;
}

/* What the loop does until so many are done. */
static void deliver_until(struct mailbox *mailbox, const size_t *done, size_t count)
{
	while (*done < count) {
		if (!is_readable(mailbox, 30000))
			fail_msg("%zu of %zu done", *done, count);
		mailbox_deliver(mailbox);
	}
}

static void mail_is_delivered_in_order_of_posting(void **state)
{
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	int log[5];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(5, log, &done);

	(void)state;
	mailbox_post(mailbox, &tasks[0].job);
	tasks[1].job.next = &tasks[2].job; /* a list, as the writer posts a batch */
	tasks[2].job.next = &tasks[3].job;
	mailbox_post(mailbox, &tasks[1].job);
	mailbox_post(mailbox, NULL);
	mailbox_post(mailbox, &tasks[4].job);
	assert_int_equal(done, 0);
	mailbox_deliver(mailbox);
	assert_int_equal(done, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(log[i], i);
}

static void descriptor_is_readable_while_mail_waits(void **state)
{
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	int log[3];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(2, log, &done);

	(void)state;
	assert_false(is_readable(mailbox, 0));
	mailbox_post(mailbox, NULL);
	assert_false(is_readable(mailbox, 0));
	mailbox_post(mailbox, &tasks[0].job);
	mailbox_post(mailbox, &tasks[1].job);
	assert_true(is_readable(mailbox, 0));
	mailbox_deliver(mailbox);
	assert_false(is_readable(mailbox, 0));
	mailbox_post(mailbox, &tasks[0].job);
	assert_true(is_readable(mailbox, 0));
	mailbox_deliver(mailbox);
	mailbox_deliver(mailbox); /* with nothing there: at once */
	assert_int_equal(done, 3);
}

struct reposting {
	struct job job;
	struct mailbox *mailbox;
	int left;
};

static void repost_done(struct job *job)
{
	struct reposting *reposting = container_of(job, struct reposting, job);

	if (reposting->left-- > 0)
		mailbox_post(reposting->mailbox, job);
	else
		free(reposting);
}

static void done_may_post_again_and_may_free(void **state)
{
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	struct reposting *reposting = xcalloc(1, sizeof(*reposting));

	(void)state;
	*reposting =
		(struct reposting){ .job = { .done = repost_done }, .mailbox = mailbox, .left = 3 };
	mailbox_post(mailbox, &reposting->job);
	for (int i = 0; i < 4; i++) {
		assert_true(
			is_readable(mailbox, 0)); /* what done() posts waits for the next turn */
		mailbox_deliver(mailbox);
	}
	assert_false(is_readable(mailbox, 0));
}

static void all_that_waits_is_taken_oldest_first(void **state)
{
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	struct job jobs[3] = { { 0 } }, *taken;

	(void)state;
	jobs[0].next = &jobs[2]; /* left over from another list */
	for (int i = 0; i < 3; i++)
		inbox_put(inbox, &jobs[i]);
	taken = inbox_take_all(inbox);
	assert_ptr_equal(taken, &jobs[0]);
	assert_ptr_equal(taken->next, &jobs[1]);
	assert_ptr_equal(taken->next->next, &jobs[2]);
	assert_null(taken->next->next->next);
	inbox_put(inbox, &jobs[1]);
	assert_ptr_equal(inbox_take_all(inbox), &jobs[1]);
	assert_null(jobs[1].next);
}

static void one_is_taken_alone(void **state)
{
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	struct job jobs[3] = { { 0 } };

	(void)state;
	for (int i = 0; i < 3; i++)
		inbox_put(inbox, &jobs[i]);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(inbox_take_one(inbox), &jobs[i]);
		assert_null(jobs[i].next);
	}
}

static void a_closed_inbox_is_emptied_before_its_end(void **state)
{
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	struct job jobs[3] = { { 0 } }, *rest;

	(void)state;
	for (int i = 0; i < 3; i++)
		inbox_put(inbox, &jobs[i]);
	inbox_close(inbox);
	assert_ptr_equal(inbox_take_one(inbox), &jobs[0]);
	rest = inbox_take_all(inbox);
	assert_ptr_equal(rest, &jobs[1]);
	assert_ptr_equal(rest->next, &jobs[2]);
	assert_null(inbox_take_one(inbox));
	assert_null(inbox_take_all(inbox));
}

struct taker {
	struct inbox *inbox;
	size_t taken;
};

static void *take_until_the_end(void *arg)
{
	struct taker *taker = arg;

	while (inbox_take_one(taker->inbox) != NULL)
		taker->taken++;
	return NULL;
}

static void who_waits_is_woken_by_a_job_and_by_the_end(void **state)
{
	enum { JOBS = 2000, TAKERS = 3 };
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	scoped(free_ptr) struct job *jobs = xcalloc(JOBS, sizeof(*jobs));
	struct taker takers[TAKERS];
	pthread_t threads[TAKERS];
	size_t taken = 0;

	(void)state;
	for (int i = 0; i < TAKERS; i++) {
		takers[i] = (struct taker){ .inbox = inbox };
		assert_int_equal(pthread_create(&threads[i], NULL, take_until_the_end, &takers[i]),
				 0);
	}
	for (int i = 0; i < JOBS; i++)
		inbox_put(inbox, &jobs[i]);
	inbox_close(inbox);
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(threads[i], NULL);
		taken += takers[i].taken;
	}
	assert_int_equal(taken, JOBS);
}

struct putter {
	struct inbox *inbox;
	struct job *jobs;
	size_t count;
};

static void *put_one_by_one(void *arg)
{
	struct putter *putter = arg;

	for (size_t i = 0; i < putter->count; i++)
		inbox_put(putter->inbox, &putter->jobs[i]);
	return NULL;
}

static size_t length_of_list(const struct job *job)
{
	size_t n = 0;

	for (; job != NULL; job = job->next)
		n++;
	return n;
}

static void more_waits_for_as_many_as_are_wanted(void **state)
{
	enum { JOBS = 8, AN_HOUR_MS = 3600 * 1000 };
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	struct job jobs[JOBS] = { { 0 } };
	struct putter putter = { inbox, jobs, JOBS };
	pthread_t thread;

	(void)state;
	for (int round = 0; round < 100; round++) {
		assert_int_equal(pthread_create(&thread, NULL, put_one_by_one, &putter), 0);
		assert_int_equal(length_of_list(inbox_take_more(inbox, JOBS,
								clock_monotonic_ms() + AN_HOUR_MS)),
				 JOBS);
		pthread_join(thread, NULL);
	}
	inbox_put(inbox, &jobs[0]); /* and afterwards one is enough again */
	assert_ptr_equal(inbox_take_one(inbox), &jobs[0]);
}

static void more_waits_no_longer_than_it_may(void **state)
{
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	const int64_t later_ms = clock_monotonic_ms() + 3600 * 1000;
	struct job job = { 0 };

	(void)state;
	assert_null(inbox_take_more(inbox, 0, later_ms));
	assert_null(inbox_take_more(inbox, 1, clock_monotonic_ms() + 1));
	inbox_put(inbox, &job);
	assert_ptr_equal(inbox_take_more(inbox, 2, clock_monotonic_ms() + 1), &job);
	inbox_put(inbox, &job);
	assert_ptr_equal(inbox_take_more(inbox, 2, 0), &job);
	inbox_put(inbox, &job);
	assert_ptr_equal(inbox_take_more(inbox, 0, later_ms), &job);
	inbox_put(inbox, &job);
	inbox_close(inbox);
	assert_ptr_equal(inbox_take_more(inbox, 2, later_ms), &job);
	assert_null(inbox_take_more(inbox, 2, later_ms));
}

static void one_worker_keeps_the_order(void **state)
{
	enum { JOBS = 500 };
	const struct workers_settings settings = { .count = 1, .name = "test" };
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	struct workers *workers = workers_new(&settings, mailbox);
	int log[JOBS];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(JOBS, log, &done);

	(void)state;
	for (int i = 0; i < JOBS; i++)
		workers_submit(workers, &tasks[i].job);
	deliver_until(mailbox, &done, JOBS);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(log[i], i);
		assert_true(tasks[i].ran);
		assert_null(tasks[i].context);
	}
	workers_free(&workers);
	assert_null(workers);
}

/* Contexts made and freed, counted from several threads. */
static atomic_int contexts_made, contexts_freed;

struct context {
	pthread_t owner;
	int used;
};

static void *context_new(void *arg)
{
	struct context *context = xcalloc(1, sizeof(*context));

	assert_string_equal(arg, "argument");
	context->owner = pthread_self();
	contexts_made++;
	return context;
}

static void context_free(void *p)
{
	struct context *context = p;

	if (pthread_equal(context->owner, pthread_self()))
		contexts_freed++;
	free(context);
}

static void task_run_in_context(struct job *job, void *worker)
{
	struct context *context = worker;

	task_of(job)->ran = pthread_equal(context->owner, pthread_self());
	context->used++; /* unguarded: only its own thread has it */
}

static void each_worker_has_a_context_of_its_own(void **state)
{
	enum { JOBS = 2000, WORKERS = 4 };
	static char argument[] = "argument";
	const struct workers_settings settings = { .count = WORKERS,
						   .name = "test",
						   .context_new = context_new,
						   .context_free = context_free,
						   .arg = argument };
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	struct workers *workers = workers_new(&settings, mailbox);
	int log[JOBS];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(JOBS, log, &done);

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		tasks[i].job.run = task_run_in_context;
		workers_submit(workers, &tasks[i].job);
	}
	deliver_until(mailbox, &done, JOBS);
	workers_free(&workers);
	for (int i = 0; i < JOBS; i++)
		assert_true(tasks[i].ran);
	assert_int_equal(contexts_made, WORKERS);
	assert_int_equal(contexts_freed, WORKERS);
}

static void what_was_submitted_is_finished_before_the_end(void **state)
{
	enum { JOBS = 300 };
	const struct workers_settings settings = { .count = 2, .name = "test" };
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	struct workers *workers = workers_new(&settings, mailbox);
	int log[JOBS];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(JOBS, log, &done);

	(void)state;
	for (int i = 0; i < JOBS; i++)
		workers_submit(workers, &tasks[i].job);
	workers_free(&workers);
	assert_int_equal(done, 0); /* done() is the loop's */
	mailbox_deliver(mailbox);
	assert_int_equal(done, JOBS);
}

struct traveller {
	struct job job;
	struct inbox *next;
};

static void go_on(struct job *job, void *worker)
{
	(void)worker;
	job->then = container_of(job, struct traveller, job)->next;
}

static void a_job_may_go_on_to_another_thread(void **state)
{
	const struct workers_settings settings = { .count = 1, .name = "test" };
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	scoped(inbox_free) struct inbox *inbox = inbox_new();
	struct workers *workers = workers_new(&settings, mailbox);
	struct traveller traveller = { .job = { .run = go_on }, .next = inbox };
	int log[1];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(1, log, &done);

	(void)state;
	workers_submit(workers, &traveller.job);
	assert_ptr_equal(inbox_take_one(inbox), &traveller.job);
	tasks[0].job.then = inbox; /* of an earlier way, which is over */
	workers_submit(workers, &tasks[0].job);
	deliver_until(mailbox, &done, 1);
	workers_free(&workers);
	inbox_close(inbox);
	assert_null(inbox_take_all(inbox));
}

static void workers_may_end_without_work(void **state)
{
	const struct workers_settings settings = { .count = 3, .name = "test" };
	scoped(mailbox_free) struct mailbox *mailbox = mailbox_new();
	struct workers *workers = workers_new(&settings, mailbox);

	(void)state;
	workers_free(&workers);
	workers_free(&workers);
}

static void nothing_can_be_freed(void **state)
{
	struct mailbox *mailbox = NULL;
	struct inbox *inbox = NULL;
	struct workers *workers = NULL;

	(void)state;
	mailbox_free(&mailbox);
	inbox_free(&inbox);
	workers_free(&workers);
}

static void mail_that_nobody_fetched_is_not_run(void **state)
{
	struct mailbox *mailbox = mailbox_new();
	int log[1];
	size_t done = 0;
	scoped(free_ptr) struct task *tasks = tasks_new(1, log, &done);

	(void)state;
	mailbox_post(mailbox, &tasks[0].job);
	mailbox_free(&mailbox);
	assert_int_equal(done, 0);
}

static void without_a_descriptor_it_ends_in_words(void **state)
{
	char said[200] = "";
	int pipes[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, 0 });
		mailbox_new();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(read(pipes[0], said, sizeof(said) - 1) > 0);
	assert_string_equal(said, "<3>cannot start: no descriptor: Too many open files\n");
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_delivered_in_order_of_posting),
		cmocka_unit_test(descriptor_is_readable_while_mail_waits),
		cmocka_unit_test(done_may_post_again_and_may_free),
		cmocka_unit_test(all_that_waits_is_taken_oldest_first),
		cmocka_unit_test(one_is_taken_alone),
		cmocka_unit_test(a_closed_inbox_is_emptied_before_its_end),
		cmocka_unit_test(who_waits_is_woken_by_a_job_and_by_the_end),
		cmocka_unit_test(more_waits_for_as_many_as_are_wanted),
		cmocka_unit_test(more_waits_no_longer_than_it_may),
		cmocka_unit_test(one_worker_keeps_the_order),
		cmocka_unit_test(each_worker_has_a_context_of_its_own),
		cmocka_unit_test(what_was_submitted_is_finished_before_the_end),
		cmocka_unit_test(a_job_may_go_on_to_another_thread),
		cmocka_unit_test(workers_may_end_without_work),
		cmocka_unit_test(nothing_can_be_freed),
		cmocka_unit_test(mail_that_nobody_fetched_is_not_run),
		cmocka_unit_test(without_a_descriptor_it_ends_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
