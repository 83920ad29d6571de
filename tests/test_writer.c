/* The writer: one thread, groups of changes, a failure that stays with its own change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "queue/writer.h"

struct fixture {
	char folder[64], path[96];
	struct store_settings settings;
	struct mailbox *mailbox;
	struct writer *writer;
};

struct deposit {
	struct change change;
	char unique_id[32];
	bool fails, refuses;
	unsigned applied;
	struct store_receipt receipt;
	unsigned *done;
};

static int apply(struct change *change, struct store *store, struct err *err)
{
	struct deposit *deposit = container_of(change, struct deposit, change);
	struct store_arrival arrival = {
		.doc = ulid_new(1795167666000),
		.action = "submit",
		.unique_id = deposit->unique_id,
		.type_code = "11490-0",
		.lane = "990000987",
		.site = "990012345",
		.source = "DPI",
		.channel = "mllp",
		.origin = "",
		.now_ms = 1795167666000,
		.state = DOC_QUEUED,
		.body = slice_of("body"),
		.metadata = slice_of("{}"),
	};

	deposit->applied++;
	if (deposit->refuses)
		return err_set(err, ERR_REJECT, "before having written");
	if (store_take_in(store, &arrival, &deposit->receipt, err) < 0)
		return -1;
	return deposit->fails ? err_set(err, ERR_REJECT, "after having written") : 0;
}

static void done(struct job *job)
{
	struct deposit *deposit =
		container_of(container_of(job, struct change, job), struct deposit, change);

	(*deposit->done)++;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct store *store = NULL;
	struct err err = { 0 };

	snprintf(f->folder, sizeof(f->folder), "/tmp/test_writer.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/queue.db", f->folder);
	f->settings = (struct store_settings){ .path = f->path, .node = "here" };
	assert_int_equal(store_open(&store, &f->settings, &err), 0);
	f->mailbox = mailbox_new();
	f->writer = writer_new(&store, f->mailbox);
	assert_null(store);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	struct fixture *f = *state;
	char path[128];

	writer_free(&f->writer);
	mailbox_free(&f->mailbox);
	for (size_t i = 0; i < length_of(endings); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, endings[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static void submit(struct fixture *f, struct deposit *deposit, unsigned number, unsigned *count)
{
	snprintf(deposit->unique_id, sizeof(deposit->unique_id), "1.2.3.%u", number);
	deposit->done = count;
	deposit->change.apply = apply;
	deposit->change.job.done = done;
	writer_submit(f->writer, &deposit->change);
}

static void deliver_until(struct fixture *f, const unsigned *count, unsigned wanted)
{
	struct pollfd bell = { .fd = mailbox_fd(f->mailbox), .events = POLLIN };

	while (*count < wanted) {
		assert_int_equal(poll(&bell, 1, 20000), 1);
		mailbox_deliver(f->mailbox);
	}
}

static uint64_t queued(struct fixture *f)
{
	struct store_counts counts;
	struct store *reader = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open_reader(&reader, &f->settings, &err), 0);
	assert_int_equal(store_count(reader, &counts, &err), 0);
	store_free(&reader);
	return counts.documents[DOC_QUEUED];
}

static void a_change_is_committed_when_done_is_called(void **state)
{
	struct fixture *f = *state;
	struct deposit deposit = { 0 };
	unsigned count = 0;

	submit(f, &deposit, 1, &count);
	deliver_until(f, &count, 1);
	assert_int_equal(deposit.change.err.kind, ERR_NONE);
	assert_int_equal(queued(f), 1);
}

static void a_bad_change_takes_back_only_itself(void **state)
{
	static struct deposit deposits[100];
	struct fixture *f = *state;
	unsigned count = 0;

	memset(deposits, 0, sizeof(deposits));
	for (unsigned i = 0; i < length_of(deposits); i++) {
		deposits[i].fails = i % 10 == 3;
		submit(f, &deposits[i], i + 1, &count);
	}
	deliver_until(f, &count, length_of(deposits));
	for (unsigned i = 0; i < length_of(deposits); i++)
		assert_int_equal(deposits[i].change.err.kind, i % 10 == 3 ? ERR_REJECT : ERR_NONE);
	assert_int_equal(queued(f), 90);
}

/* It is not worth a savepoint: nothing has to be taken back. */
static void a_refusal_costs_the_others_nothing(void **state)
{
	static struct deposit deposits[100];
	struct fixture *f = *state;
	unsigned count = 0;

	memset(deposits, 0, sizeof(deposits));
	for (unsigned i = 0; i < length_of(deposits); i++) {
		deposits[i].refuses = i % 10 == 3;
		submit(f, &deposits[i], i + 1, &count);
	}
	deliver_until(f, &count, length_of(deposits));
	for (unsigned i = 0; i < length_of(deposits); i++) {
		assert_int_equal(deposits[i].change.err.kind, i % 10 == 3 ? ERR_REJECT : ERR_NONE);
		assert_int_equal(deposits[i].change.moves.change[DOC_QUEUED], i % 10 != 3);
		assert_int_equal(deposits[i].applied, 1);
	}
	assert_int_equal(queued(f), 90);
}

/* As senders do that wait for their answer and go on. */
static void who_sends_again_and_again_is_always_answered(void **state)
{
	enum { SENDERS = 24, ROUNDS = 20 };
	static struct deposit deposits[SENDERS];
	struct fixture *f = *state;
	unsigned counts[SENDERS] = { 0 }, number = 0;

	memset(deposits, 0, sizeof(deposits));
	for (unsigned i = 0; i < SENDERS; i++)
		submit(f, &deposits[i], ++number, &counts[i]);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (unsigned i = 0; i < SENDERS; i++) {
			deliver_until(f, &counts[i], round);
			assert_int_equal(deposits[i].change.err.kind, ERR_NONE);
			if (round < ROUNDS)
				submit(f, &deposits[i], ++number, &counts[i]);
		}
	}
	assert_int_equal(queued(f), SENDERS * ROUNDS);
}

static void the_same_document_twice_in_one_group_is_one_document(void **state)
{
	struct fixture *f = *state;
	struct deposit first = { 0 }, second = { 0 };
	unsigned count = 0;

	submit(f, &first, 7, &count);
	submit(f, &second, 7, &count);
	deliver_until(f, &count, 2);
	assert_int_equal(first.receipt.taken, STORE_NEW);
	assert_int_equal(second.receipt.taken, STORE_KNOWN);
	assert_int_equal(queued(f), 1);
}

static void ending_commits_what_was_submitted(void **state)
{
	struct fixture *f = *state;
	struct deposit deposit = { 0 };
	unsigned count = 0;

	submit(f, &deposit, 1, &count);
	writer_free(&f->writer);
	assert_int_equal(queued(f), 1);
	mailbox_deliver(f->mailbox);
	assert_int_equal(count, 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_change_is_committed_when_done_is_called),
		test(a_bad_change_takes_back_only_itself),
		test(a_refusal_costs_the_others_nothing),
		test(who_sends_again_and_again_is_always_answered),
		test(the_same_document_twice_in_one_group_is_one_document),
		test(ending_commits_what_was_submitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
