/* Business acknowledgements on disk: one per message, ready with the outcome of its documents, kept
 * until the source has it.
 */
#include "store_fixture.h"
enum { MOST_WAIT_MS = 3600000 };

static const char header[] =
	"MSH|^~\\&|DPI-A|CH-A|PFI|CH-A|20261120101500||MDM^T02^MDM_T02|A0001|P|2.6";

/* ---- a source that asks ---- */

static void want(struct fixture *f, const char *origin, const struct ulid *docs, size_t count)
{
	static unsigned number;
	char control_id[24];
	struct store_ack_request request = {
		.source = "DPI",
		.origin = origin,
		.header = slice_of(header),
		.control_id = control_id,
		.doc_count = count,
		.now_ms = f->now_ms,
	};

	snprintf(control_id, sizeof(control_id), "G%u", ++number);
	memcpy(request.docs, docs, count * sizeof(*docs));
	ok(store_begin(f->store, &err));
	ok(store_want_ack(f->store, &request, &err));
	ok(store_commit(f->store, &err));
}

/* What would be sent now, in `arena`: whether there is something. */
static bool next_ack(struct fixture *f, const char *source, struct arena *arena,
		     struct store_ack *ret_ack, int64_t *ret_wait_ms)
{
	struct err err = { 0 };
	int got = store_next_ack(f->store, source, f->now_ms, MOST_WAIT_MS, arena, ret_ack,
				 ret_wait_ms, &err);

	if (got < 0)
		fail_msg("%s", err.text);
	return got > 0;
}

static void settle_ack(struct fixture *f, uint64_t number, bool told, int64_t due_ms)
{
	const struct store_ack_outcome outcome = { number, f->now_ms, due_ms, told };

	ok(store_begin(f->store, &err));
	ok(store_settle_ack(f->store, &outcome, &err));
	ok(store_commit(f->store, &err));
}

/* Sends what is due; returns how many there were. */
static size_t send_all(struct fixture *f)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;
	size_t count = 0;

	for (; next_ack(f, "DPI", &arena, &ack, &wait_ms); count++)
		settle_ack(f, ack.number, true, 0);
	return count;
}

static void end(struct fixture *f, struct ulid doc, enum doc_state state, const char *code,
		const char *text)
{
	struct store_outcome result = outcome(f, doc, state);
	struct store_due due[8];
	int64_t wait_ms;

	claim(f, 8, due, &wait_ms);
	result.code = code;
	result.text = text;
	settle(f, &result);
}

static void assert_next(struct fixture *f, bool positive, const char *code, const char *text)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_int_equal(ack.positive, positive);
	assert_string_equal(ack.code, code);
	assert_string_equal(ack.text, text);
	assert_true(slice_is(ack.header, header));
}

static void assert_nothing(struct fixture *f)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	assert_false(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_true(wait_ms == INT64_MAX);
}

/* ---- when it is ready ---- */

static void it_is_ready_once_the_document_is_delivered(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_due due[1];
	int64_t wait_ms;

	want(f, "A0001", &doc, 1);
	assert_nothing(f);
	claim(f, 1, due, &wait_ms);
	assert_nothing(f);
	settle(f,
	       &(struct store_outcome){ .doc = doc, .now_ms = f->now_ms, .state = DOC_DELIVERED });
	assert_next(f, true, "", "");
}

static void every_final_state_ends_the_wait_and_no_other(void **state)
{
	static const struct {
		enum doc_state state;
		bool ready, positive;
	} cases[] = {
		{ DOC_DELIVERED, true, true },  { DOC_SUPPRESSED, true, true },
		{ DOC_REFUSED, true, false },   { DOC_REJECTED, true, false },
		{ DOC_CANCELLED, true, false }, { DOC_HELD, false, false },
		{ DOC_QUEUED, false, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		char unique_id[32];
		struct store_arrival one;
		struct store_ack ack;
		struct ulid doc;
		int64_t wait_ms;

		snprintf(unique_id, sizeof(unique_id), "1.2.3.%zu", i);
		one = arrival(f, unique_id, "body");
		one.state = cases[i].state; /* from the start */
		doc = take_in(f, &one).doc;
		want(f, "A0001", &doc, 1);
		assert_int_equal(next_ack(f, "DPI", &arena, &ack, &wait_ms), cases[i].ready);
		if (cases[i].ready)
			assert_int_equal(ack.positive, cases[i].positive);
		send_all(f);
	}
}

static void a_refusal_keeps_the_words_of_the_dmp(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_REFUSED, "DMPClosed", "DMP fermé");
	assert_next(f, false, "DMPClosed", "DMP fermé");
}

static void a_document_in_trouble_says_nothing_yet(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");

	want(f, "A0001", &doc, 1);
	for (int i = 0; i < 3; i++)
		end(f, doc, DOC_QUEUED, "busy", "later");
	assert_nothing(f);
	end(f, doc, DOC_DELIVERED, "", "");
	assert_next(f, true, "", "");
}

/* ---- two documents ---- */

static void two_documents_make_one_acknowledgement(void **state)
{
	struct fixture *f = *state;
	const struct ulid docs[] = { queue_one(f, "1.2.3.1"), queue_one(f, "1.2.3.2") };

	want(f, "A0001", docs, 2);
	end(f, docs[1], DOC_DELIVERED, "", "");
	assert_nothing(f);
	end(f, docs[0], DOC_DELIVERED, "", "");
	assert_next(f, true, "", "");
	assert_int_equal(send_all(f), 1);
}

static void one_failure_of_two_is_told(void **state)
{
	struct fixture *f = *state;

	for (int failing = 0; failing < 2; failing++) {
		const struct ulid docs[] = { queue_one(f, failing ? "1.2.3.1" : "1.2.3.3"),
					     queue_one(f, failing ? "1.2.3.2" : "1.2.3.4") };

		want(f, "A0001", docs, 2);
		end(f, docs[failing], DOC_REJECTED, "XDSRepositoryError", "no");
		end(f, docs[!failing], DOC_DELIVERED, "", "");
		assert_next(f, false, "XDSRepositoryError", "no");
		assert_int_equal(send_all(f), 1);
	}
}

static void of_two_failures_the_first_document_speaks(void **state)
{
	struct fixture *f = *state;
	const struct ulid docs[] = { queue_one(f, "1.2.3.1"), queue_one(f, "1.2.3.2") };

	want(f, "A0001", docs, 2);
	end(f, docs[1], DOC_REJECTED, "second", "2");
	end(f, docs[0], DOC_REJECTED, "first", "1");
	assert_next(f, false, "first", "1");
}

/* ---- one per message ---- */

static void the_same_message_again_gets_no_second_one(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");

	want(f, "A0001", &doc, 1);
	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	want(f, "A0001", &doc, 1);
	assert_int_equal(send_all(f), 1);
	want(f, "A0001", &doc, 1);
	assert_int_equal(send_all(f), 0);
}

/* Real sources call every message 015. */
static void messages_of_one_name_are_told_apart_by_their_documents(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1"), other = queue_one(f, "1.2.3.2");

	want(f, "015", &one, 1);
	want(f, "015", &other, 1);
	end(f, one, DOC_DELIVERED, "", "");
	end(f, other, DOC_DELIVERED, "", "");
	assert_int_equal(send_all(f), 2);
}

/* It asked for an acknowledgement of that MSH-10, and would wait for ever. */
static void another_message_with_a_document_that_has_ended_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	const struct store_arrival again = arrival(f, "1.2.3.1", "body");

	end(f, doc, DOC_REFUSED, "DMPClosed", "DMP fermé");
	assert_int_equal(take_in(f, &again).taken, STORE_KNOWN);
	want(f, "A0002", &doc, 1);
	assert_next(f, false, "DMPClosed", "DMP fermé");
	assert_int_equal(send_all(f), 1);
}

static void nobody_is_told_who_did_not_ask(void **state)
{
	struct fixture *f = *state;

	end(f, queue_one(f, "1.2.3.1"), DOC_DELIVERED, "", "");
	assert_nothing(f);
}

static void what_was_not_committed_makes_nothing_ready(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	const struct store_outcome delivered = outcome(f, doc, DOC_DELIVERED);
	struct store_due due[1];
	int64_t wait_ms;

	want(f, "A0001", &doc, 1);
	claim(f, 1, due, &wait_ms);
	ok(store_begin(f->store, &err));
	ok(store_settle(f->store, &delivered, &err));
	store_rollback(f->store);
	assert_nothing(f);
	settle(f, &delivered);
	assert_next(f, true, "", "");
}

/* ---- until the source has it ---- */

static void it_is_kept_through_a_restart_under_one_name(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack first, again;
	int64_t wait_ms;

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	assert_true(next_ack(f, "DPI", &arena, &first, &wait_ms));
	store_free(&f->store);
	open_store(f);
	assert_true(next_ack(f, "DPI", &arena, &again, &wait_ms));
	assert_string_equal(again.control_id, first.control_id);
	assert_int_equal(again.ready_ms, first.ready_ms);
	assert_memory_equal(&again.doc, &doc, sizeof(doc));
}

static void one_that_was_refused_waits_and_lets_others_pass(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1"), other = queue_one(f, "1.2.3.2");
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	want(f, "A0001", &one, 1);
	want(f, "A0002", &other, 1);
	end(f, one, DOC_DELIVERED, "", "");
	end(f, other, DOC_DELIVERED, "", "");
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_string_equal(ack.origin, "A0001");
	settle_ack(f, ack.number, false, f->now_ms + 60000);
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_string_equal(ack.origin, "A0002");
	settle_ack(f, ack.number, true, 0);
	assert_false(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_int_equal(wait_ms, 60000);
	f->now_ms += wait_ms;
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_string_equal(ack.origin, "A0001");
	assert_int_equal(ack.attempt, 2);
}

/* Else it would wait for as long as the clock was wrong. */
static void one_that_waits_longer_than_any_pause_is_due(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	f->now_ms -= MOST_WAIT_MS;
	assert_false(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	assert_int_equal(wait_ms, MOST_WAIT_MS);
	f->now_ms -= 1;
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
}

static void one_that_was_sent_is_not_settled_twice(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct err err = { 0 };

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	settle_ack(f, 1, true, 0);
	assert_int_equal(store_settle_ack(f->store,
					  &(struct store_ack_outcome){ .number = 1, .told = true },
					  &err),
			 -1);
	assert_int_equal(err.kind, ERR_HALT);
}

static void each_source_has_a_queue_of_its_own(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	assert_false(next_ack(f, "LABO", &arena, &ack, &wait_ms));
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
}

/* ---- for people ---- */

struct depth {
	char source[16];
	uint64_t ready;
	int64_t oldest_ms;
	size_t sources;
};

static void see_depth(void *arg, const char *source, uint64_t ready, int64_t oldest_ms)
{
	struct depth *depth = arg;

	snprintf(depth->source, sizeof(depth->source), "%s", source);
	depth->ready = ready;
	depth->oldest_ms = oldest_ms;
	depth->sources++;
}

static void a_week_of_them_is_counted_and_none_is_lost(void **state)
{
	enum { PER_DAY = 24, DAYS = 7 };
	struct fixture *f = *state;
	const int64_t first_ms = f->now_ms;
	struct depth depth = { 0 };

	for (int i = 0; i < PER_DAY * DAYS; i++) {
		char name[32];
		struct ulid doc;

		snprintf(name, sizeof(name), "1.2.3.%d", i);
		doc = queue_one(f, name);
		want(f, name, &doc, 1);
		end(f, doc, DOC_DELIVERED, "", "");
		f->now_ms += 3600000;
	}
	ok(store_count_acks(f->store, see_depth, &depth, &err));
	assert_string_equal(depth.source, "DPI");
	assert_int_equal(depth.ready, PER_DAY * DAYS);
	assert_int_equal(depth.oldest_ms, first_ms);
	assert_int_equal(send_all(f), PER_DAY * DAYS);
	depth = (struct depth){ 0 };
	ok(store_count_acks(f->store, see_depth, &depth, &err));
	assert_int_equal(depth.sources, 0);
}

struct told {
	size_t count;
	char origin[24], note[4];
};

static void ignore_row(void *arg, const struct store_row *row)
{
	(void)arg;
	(void)row;
}

static void see_told(void *arg, const struct store_event *event)
{
	struct told *told = arg;

	if (strcmp(event->what, "source_told") != 0)
		return;
	told->count++;
	assert_int_equal(event->state, DOC_REFUSED);
	snprintf(told->origin, sizeof(told->origin), "%s", event->origin);
	snprintf(told->note, sizeof(told->note), "%s", event->note);
}

static void the_history_of_both_documents_tells_it(void **state)
{
	struct fixture *f = *state;
	const struct ulid docs[] = { queue_one(f, "1.2.3.1"), queue_one(f, "1.2.3.2") };
	scoped(arena_done) struct arena arena = { 0 };
	struct store_ack ack;
	int64_t wait_ms;

	want(f, "A0001", docs, 2);
	end(f, docs[0], DOC_REFUSED, "DMPClosed", "");
	end(f, docs[1], DOC_REFUSED, "DMPClosed", "");
	assert_true(next_ack(f, "DPI", &arena, &ack, &wait_ms));
	settle_ack(f, ack.number, false, f->now_ms);
	settle_ack(f, ack.number, true, 0);
	for (size_t i = 0; i < length_of(docs); i++) {
		struct told told = { 0 };

		ok(store_show(f->store, &docs[i], ignore_row, see_told, &told, &err));
		assert_int_equal(told.count, 1);
		assert_string_equal(told.origin, ack.control_id);
		assert_string_equal(told.note, "N");
	}
}

/* Telling a source later is no delivery. */
static void the_last_delivery_is_the_documents(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	const struct store_arrival again = arrival(f, "1.2.3.1", "body");
	const int64_t delivered_ms = f->now_ms;

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	f->now_ms += 3600000;
	assert_int_equal(send_all(f), 1);
	take_in(f, &again);
	assert_int_equal(counts(f).last_delivered_ms, delivered_ms);
}

/* As long as what was told is kept, the same message is known; then it is another. */
static void what_was_told_is_purged_with_its_document(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	size_t count;

	want(f, "A0001", &doc, 1);
	end(f, doc, DOC_DELIVERED, "", "");
	want(f, "A0002", &doc, 1);
	assert_int_equal(send_all(f), 2);
	want(f, "A0001", &doc, 1);
	assert_int_equal(send_all(f), 0);
	want(f, "A0003", &doc, 1); /* is not told yet: it stays */
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 1);
	want(f, "A0001", &doc, 1);
	assert_int_equal(send_all(f), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(it_is_ready_once_the_document_is_delivered),
		test(every_final_state_ends_the_wait_and_no_other),
		test(a_refusal_keeps_the_words_of_the_dmp),
		test(a_document_in_trouble_says_nothing_yet),
		test(two_documents_make_one_acknowledgement),
		test(one_failure_of_two_is_told),
		test(of_two_failures_the_first_document_speaks),
		test(the_same_message_again_gets_no_second_one),
		test(messages_of_one_name_are_told_apart_by_their_documents),
		test(another_message_with_a_document_that_has_ended_is_told_at_once),
		test(nobody_is_told_who_did_not_ask),
		test(what_was_not_committed_makes_nothing_ready),
		test(it_is_kept_through_a_restart_under_one_name),
		test(one_that_was_refused_waits_and_lets_others_pass),
		test(one_that_waits_longer_than_any_pause_is_due),
		test(one_that_was_sent_is_not_settled_twice),
		test(each_source_has_a_queue_of_its_own),
		test(a_week_of_them_is_counted_and_none_is_lost),
		test(the_history_of_both_documents_tells_it),
		test(the_last_delivery_is_the_documents),
		test(what_was_told_is_purged_with_its_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
