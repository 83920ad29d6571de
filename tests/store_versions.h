/* Versions of a document in a store: "1.2.3.1" is the first. */
#ifndef DMPFEED_TESTS_STORE_VERSIONS_H
#define DMPFEED_TESTS_STORE_VERSIONS_H

#include "store_fixture.h"

#define SAME "the same 32 bytes, whatever it is"
#define OTHER "and 32 bytes that are no such thing"

static inline struct slice said(const char *content)
{
	return (struct slice){ content, SHA256_BYTES };
}

static inline struct store_arrival version(struct fixture *f, const char *unique_id, const char *of,
					   const char *content)
{
	struct store_arrival next = arrival(f, unique_id, unique_id);

	next.action = of ? "replace" : "submit";
	next.follows = of ? of : "";
	if (content != NULL)
		next.content = said(content);
	return next;
}

static inline struct store_receipt come(struct fixture *f, const char *unique_id, const char *of,
					const char *content)
{
	const struct store_arrival next = version(f, unique_id, of, content);

	return take_in(f, &next);
}

static inline struct store_receipt delete_one(struct fixture *f, const char *unique_id)
{
	struct store_arrival last = arrival(f, unique_id, unique_id);

	last.action = "delete";
	last.follows = unique_id;
	return take_in(f, &last);
}

/* Takes what is due, which is that document, if any. */
static inline bool is_due(struct fixture *f, struct ulid doc)
{
	struct store_due due[4];
	int64_t next_ms;
	size_t count = claim(f, 4, due, &next_ms);

	assert_in_range(count, 0, 1);
	return count == 1 && memcmp(&due[0].doc, &doc, sizeof(doc)) == 0;
}

static inline void end(struct fixture *f, struct ulid doc, enum doc_state state)
{
	const struct store_outcome ended = outcome(f, doc, state);

	assert_true(is_due(f, doc));
	settle(f, &ended);
}

/* "1.2.3.1", which the DMP has. */
static inline struct ulid deliver_first(struct fixture *f)
{
	const struct ulid doc = come(f, "1.2.3.1", NULL, SAME).doc;

	end(f, doc, DOC_DELIVERED);
	return doc;
}

static inline void assert_suppressed(struct store_receipt receipt)
{
	assert_int_equal(receipt.taken, STORE_NEW);
	assert_int_equal(receipt.state, DOC_SUPPRESSED);
	assert_int_equal(receipt.reason, REASON_UNCHANGED);
}

static inline void assert_target(struct fixture *f, struct ulid doc, const char *unique_id)
{
	scoped(buf_done) struct buf target = { 0 };

	ok(store_target(f->store, &doc, &target, &err));
	assert_true(slice_is(buf_slice(&target), unique_id));
}

static inline void assert_waits(struct store_receipt receipt)
{
	assert_int_equal(receipt.state, DOC_HELD);
	assert_int_equal(receipt.reason, REASON_WAITING_PREDECESSOR);
}

/* It is due now, goes under that name, and is delivered. */
static inline void deliver_after(struct fixture *f, struct ulid doc, const char *unique_id)
{
	assert_target(f, doc, unique_id);
	end(f, doc, DOC_DELIVERED);
}

/* The last that happened to a document. */
struct last {
	enum doc_state state;
	enum reason reason;
	char what[32], note[ULID_TEXT], actor[16];
};

static inline void ignore_row(void *arg, const struct store_row *row)
{
	(void)arg, (void)row;
}

static inline void note_event(void *arg, const struct store_event *event)
{
	struct last *last = arg;

	last->state = event->state;
	last->reason = event->reason;
	snprintf(last->what, sizeof(last->what), "%s", event->what);
	snprintf(last->note, sizeof(last->note), "%s", event->note);
	snprintf(last->actor, sizeof(last->actor), "%s", event->actor);
}

static inline struct last last_of(struct fixture *f, struct ulid doc)
{
	struct last last = { 0 };

	ok(store_show(f->store, &doc, ignore_row, note_event, &last, &err));
	return last;
}

static inline void assert_note(struct fixture *f, struct ulid doc, const char *what, struct ulid of)
{
	const struct last last = last_of(f, doc);
	char id[ULID_TEXT];

	assert_int_equal(last.state, DOC_SUPPRESSED);
	assert_int_equal(last.reason, REASON_UNCHANGED);
	assert_string_equal(last.what, what);
	assert_string_equal(last.note, ulid_text(&of, id));
}

static inline void assert_whole(struct fixture *f)
{
	struct store_audit audit;

	ok(store_verify(f->store, NULL, NULL, &audit, &err));
	assert_int_equal(audit.faults, 0);
}

/* So many versions, each of the one before, that say what the first says; the name of the last. */
static inline void come_again(struct fixture *f, int count, char name[static 32])
{
	snprintf(name, 32, "1.2.3.1");
	ok(store_begin(f->store, &err));
	for (int i = 2; i < count + 2; i++) {
		struct store_receipt receipt;
		struct store_arrival next;
		char unique_id[32];

		snprintf(unique_id, sizeof(unique_id), "1.2.3.%d", i);
		next = version(f, unique_id, name, SAME);
		ok(store_take_in(f->store, &next, &receipt, &err));
		snprintf(name, 32, "%s", unique_id);
	}
	ok(store_commit(f->store, &err));
}

static inline struct store_ordered release(struct fixture *f, struct ulid doc, bool force)
{
	const struct store_order its = { .doc = doc,
					 .order = ORDER_RELEASE,
					 .force = force,
					 .actor = "anne",
					 .now_ms = f->now_ms };
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	return ordered;
}

static inline struct store_choice choice_of(struct fixture *f, enum store_feeding feeding)
{
	return (struct store_choice){ .ins = "279035121518989",
				      .ins_oid = "1.2.250.1.213.1.4.10",
				      .feeding = feeding,
				      .chosen_ms = f->now_ms,
				      .now_ms = f->now_ms };
}

static inline struct store_noted note_choice(struct fixture *f, enum store_feeding feeding)
{
	const struct store_choice choice = choice_of(f, feeding);
	struct store_noted noted;

	ok(store_begin(f->store, &err));
	ok(store_note_choice(f->store, &choice, &noted, &err));
	ok(store_commit(f->store, &err));
	return noted;
}

#endif
