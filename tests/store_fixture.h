/* A store in a temporary folder, documents that go through it, and time as an argument. */
#ifndef DMPFEED_TESTS_STORE_FIXTURE_H
#define DMPFEED_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "queue/store.h"

#ifndef STORE_FOLDER
#define STORE_FOLDER "/tmp"
#endif

static const char lane[] = "990000987";

struct fixture {
	char folder[64], path[96];
	struct store_settings settings;
	struct store *store;
	int64_t now_ms;
};

static inline void open_store(struct fixture *f)
{
	struct err err = { 0 };

	if (store_open(&f->store, &f->settings, &err) < 0)
		fail_msg("%s", err.text);
}

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "%s/test_store.XXXXXX",
		 access(STORE_FOLDER, W_OK) == 0 ? STORE_FOLDER : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/queue.db", f->folder);
	f->settings = (struct store_settings){ .path = f->path, .node = "here" };
	f->now_ms = 1795167666000;
	open_store(f);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	struct fixture *f = *state;
	char path[128];

	store_free(&f->store);
	for (size_t i = 0; i < length_of(endings); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, endings[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

#define ok(call)                                                                                   \
	do {                                                                                       \
		struct err err = { 0 };                                                            \
		if ((call) < 0)                                                                    \
			fail_msg("%s", err.text);                                                  \
	} while (0)

static inline struct store_arrival arrival(struct fixture *f, const char *unique_id,
					   const char *body)
{
	struct store_arrival arrival = {
		.doc = ulid_new(f->now_ms),
		.action = "submit",
		.unique_id = unique_id,
		.type_code = "11490-0",
		.lane = lane,
		.site = "990012345",
		.source = "DPI",
		.channel = "mllp",
		.origin = "A0001",
		.now_ms = f->now_ms,
		.state = DOC_QUEUED,
		.priority = PRIORITY_NORMAL,
		.body = slice_of(body),
		.metadata = slice_of("{}"),
	};

	sha256(arrival.body, arrival.digest);
	return arrival;
}

static inline struct store_receipt take_in(struct fixture *f, const struct store_arrival *arrival)
{
	struct store_receipt receipt;

	ok(store_begin(f->store, &err));
	ok(store_take_in(f->store, arrival, &receipt, &err));
	ok(store_commit(f->store, &err));
	return receipt;
}

static inline struct ulid queue_one(struct fixture *f, const char *unique_id)
{
	const struct store_arrival one = arrival(f, unique_id, "body");

	return take_in(f, &one).doc;
}

static inline size_t claim(struct fixture *f, size_t most, struct store_due *due, int64_t *next_ms)
{
	size_t count = 0;

	ok(store_begin(f->store, &err));
	ok(store_claim(f->store, lane, f->now_ms, most, due, &count, next_ms, &err));
	ok(store_commit(f->store, &err));
	return count;
}

static inline struct store_outcome outcome(struct fixture *f, struct ulid doc, enum doc_state state)
{
	return (struct store_outcome){
		.doc = doc,
		.now_ms = f->now_ms,
		.state = state,
		.attempt_counts = true,
		.code = "",
		.text = "",
		.note = "",
	};
}

static inline void settle(struct fixture *f, const struct store_outcome *outcome)
{
	ok(store_begin(f->store, &err));
	ok(store_settle(f->store, outcome, &err));
	ok(store_commit(f->store, &err));
}

static inline struct store_counts counts(struct fixture *f)
{
	struct store_counts counts;

	ok(store_count(f->store, &counts, &err));
	return counts;
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
