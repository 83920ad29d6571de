/* The queue on disk: real SQLite, a temporary folder, time as an argument. */
#include "queue/store_export.h"
#include "store_fixture.h"

/* ---- taking in ---- */

static void a_new_document_is_queued_with_its_bytes(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	struct store_arrival one = arrival(f, "1.2.3.1", "a\0b");
	struct store_receipt receipt;

	one.body = (struct slice){ "a\0b", 3 };
	sha256(one.body, one.digest);
	receipt = take_in(f, &one);
	assert_int_equal(receipt.taken, STORE_NEW);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
	ok(store_load(f->store, &receipt.doc, &body, &metadata, &err));
	assert_int_equal(body.n, 3);
	assert_memory_equal(body.p, "a\0b", 3);
	assert_true(slice_is(buf_slice(&metadata), "{}"));
}

static void a_document_of_any_size_is_kept_byte_for_byte(void **state)
{
	enum { MIB = 1 << 20 };
	static const size_t sizes[] = { MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 11 * MIB + 7 };
	struct fixture *f = *state;
	char *bytes = xcalloc(1, 12 * MIB);

	for (size_t i = 0; i < 12 * MIB; i++)
		bytes[i] = (char)(i * 2654435761U >> 13);
	for (size_t i = 0; i < length_of(sizes); i++) {
		scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
		scoped(free_ptr) char *id = xasprintf("1.2.3.%zu", i);
		struct store_arrival one = arrival(f, id, "");
		struct store_receipt receipt;

		one.body = (struct slice){ bytes, sizes[i] };
		sha256(one.body, one.digest);
		receipt = take_in(f, &one);
		ok(store_load(f->store, &receipt.doc, &body, &metadata, &err));
		assert_true(slice_equal(buf_slice(&body), one.body));
		assert_true(slice_is(buf_slice(&metadata), "{}"));
	}
	free(bytes);
}

static void the_same_document_again_is_known_and_nothing_new(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival first = arrival(f, "1.2.3.1", "body");
	const struct store_arrival again = arrival(f, "1.2.3.1", "body");
	const struct store_receipt receipt = take_in(f, &first);
	const struct store_receipt second = take_in(f, &again);

	assert_int_equal(second.taken, STORE_KNOWN);
	assert_memory_equal(&second.doc, &receipt.doc, sizeof(receipt.doc));
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
}

static void other_bytes_under_the_same_id_are_foreign(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival first = arrival(f, "1.2.3.1", "body");
	struct store_arrival other = arrival(f, "1.2.3.1", "another body");

	take_in(f, &first);
	assert_int_equal(take_in(f, &other).taken, STORE_FOREIGN);
	other.id_tells = true; /* built anew from the same */
	assert_int_equal(take_in(f, &other).taken, STORE_KNOWN);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
}

/* A document that replaces another has an id of its own; its deletion has the document's. */
static void a_document_has_one_row_and_its_deletion_another(void **state)
{
	struct fixture *f = *state;
	struct store_arrival first = arrival(f, "1.2.3.1", "body");
	struct store_arrival replacement = arrival(f, "1.2.3.1", "another body");
	struct store_arrival deletion = arrival(f, "1.2.3.1", "body");
	struct store_arrival again = arrival(f, "1.2.3.1", "body");

	replacement.action = "replace";
	deletion.action = again.action = "delete";
	assert_int_equal(take_in(f, &first).taken, STORE_NEW);
	assert_int_equal(take_in(f, &replacement).taken, STORE_FOREIGN);
	assert_int_equal(take_in(f, &deletion).taken, STORE_NEW);
	assert_int_equal(take_in(f, &again).taken, STORE_KNOWN);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 2);
}

static void a_document_may_be_taken_in_held_or_cancelled(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = arrival(f, "1.2.3.1", "body");
	struct store_arrival cancelled = arrival(f, "1.2.3.2", "body");
	struct store_due due[4];
	int64_t next_ms;

	held.state = DOC_HELD;
	held.reason = REASON_INS_NOT_QUALIFIED;
	cancelled.state = DOC_CANCELLED;
	cancelled.reason = REASON_NOT_FOR_DMP;
	take_in(f, &held);
	take_in(f, &cancelled);
	assert_int_equal(counts(f).documents[DOC_HELD], 1);
	assert_int_equal(counts(f).documents[DOC_CANCELLED], 1);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
}

static void what_was_not_committed_never_happened(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3.1", "body");
	struct store_receipt receipt;

	ok(store_begin(f->store, &err));
	ok(store_take_in(f->store, &one, &receipt, &err));
	store_rollback(f->store);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
}

static void an_undone_change_takes_back_only_itself(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival kept = arrival(f, "1.2.3.1", "body");
	const struct store_arrival undone = arrival(f, "1.2.3.2", "body");
	struct store_receipt receipt;

	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &kept, &receipt, &err));
	store_savepoint_release(f->store);
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &undone, &receipt, &err));
	store_savepoint_undo(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(counts(f).documents[DOC_QUEUED], 1);
	assert_int_equal(take_in(f, &undone).taken, STORE_NEW);
}

/* ---- sending ---- */

static void the_oldest_due_document_is_claimed_first(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = queue_one(f, "1.2.3.1");
	struct store_due due[1];
	int64_t next_ms;

	f->now_ms += 5;
	queue_one(f, "1.2.3.2");
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	assert_memory_equal(&due[0].doc, &first, sizeof(first));
	assert_int_equal(due[0].attempt, 1);
	assert_false(due[0].doubtful);
	assert_int_equal(next_ms, f->now_ms);
	assert_int_equal(counts(f).documents[DOC_SENDING], 1);
}

static void a_claimed_document_is_not_claimed_twice(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;

	queue_one(f, "1.2.3.1");
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	assert_true(next_ms == INT64_MAX);
}

static void another_lane_sees_nothing_of_it(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;
	size_t count;

	queue_one(f, "1.2.3.1");
	ok(store_begin(f->store, &err));
	ok(store_claim(f->store, "750000001", f->now_ms, 4, due, &count, &next_ms, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 0);
}

static void a_document_to_retry_waits_for_its_time(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_outcome later = outcome(f, doc, DOC_QUEUED);
	struct store_due due[4];
	int64_t next_ms;

	claim(f, 4, due, &next_ms);
	later.reason = REASON_RETRYING;
	later.next_attempt_ms = f->now_ms + 30000;
	settle(f, &later);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	assert_int_equal(next_ms, later.next_attempt_ms);
	f->now_ms = next_ms;
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_int_equal(due[0].attempt, 2);
}

/* ---- a clock that was set back ---- */

static size_t set_right(struct fixture *f)
{
	size_t count = 0;

	ok(store_begin(f->store, &err));
	ok(store_clock_went_back(f->store, lane, f->now_ms, &count, &err));
	ok(store_commit(f->store, &err));
	return count;
}

#define YEAR_MS ((int64_t)365 * 86400 * 1000)

static void documents_queued_in_a_year_to_come_keep_their_pause(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	struct store_outcome later;
	int64_t next_ms;

	f->now_ms += YEAR_MS;
	later = outcome(f, queue_one(f, "1.2.3"), DOC_QUEUED);
	later.next_attempt_ms = f->now_ms + 60000;
	claim(f, 4, due, &next_ms);
	settle(f, &later);
	queue_one(f, "1.2.4");
	f->now_ms -= YEAR_MS;
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	assert_int_equal(set_right(f), 2);
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_int_equal(next_ms, f->now_ms + 60000);
	f->now_ms += 60000;
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_memory_equal(&due[0].doc, &later.doc, sizeof(later.doc));
}

static void what_is_to_wait_long_waits_though_the_clock_is_looked_at(void **state)
{
	struct fixture *f = *state;
	struct store_outcome later = outcome(f, queue_one(f, "1.2.3"), DOC_QUEUED);
	struct store_due due[4];
	int64_t next_ms;

	later.next_attempt_ms = f->now_ms + YEAR_MS;
	claim(f, 4, due, &next_ms);
	settle(f, &later);
	f->now_ms += 1;
	assert_int_equal(set_right(f), 0);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	assert_int_equal(next_ms, later.next_attempt_ms);
}

static void a_lane_at_fault_does_not_age_its_documents(void **state)
{
	struct fixture *f = *state;
	struct store_outcome later = outcome(f, queue_one(f, "1.2.3.1"), DOC_QUEUED);
	struct store_due due[4];
	int64_t next_ms;

	later.attempt_counts = false;
	later.next_attempt_ms = f->now_ms;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(claim(f, 4, due, &next_ms), 1);
		assert_int_equal(due[0].attempt, 1);
		settle(f, &later);
	}
}

static void a_delivered_document_is_final(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	const struct store_outcome delivered = outcome(f, doc, DOC_DELIVERED);
	struct err err = { 0 };
	struct store_due due[4];
	int64_t next_ms;

	claim(f, 4, due, &next_ms);
	settle(f, &delivered);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 1);
	assert_int_equal(counts(f).last_delivered_ms, f->now_ms);
	assert_int_equal(store_settle(f->store, &delivered, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
}

/* ---- dying ---- */

static void what_was_being_sent_goes_again_in_doubt_after_a_restart(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_due due[4];
	int64_t next_ms;
	struct store_recovered found;

	claim(f, 4, due, &next_ms);
	store_free(&f->store);
	open_store(f);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(found.claimed, 1);
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_memory_equal(&due[0].doc, &doc, sizeof(doc));
	assert_true(due[0].doubtful);
	assert_int_equal(due[0].attempt, 2);
}

static void the_claims_of_another_node_are_left_alone(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;
	struct store_recovered found;

	queue_one(f, "1.2.3.1");
	claim(f, 4, due, &next_ms);
	store_free(&f->store);
	f->settings.node = "elsewhere";
	open_store(f);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(found.claimed, 0);
}

/* Another gateway died, or this one has a new name. */
static void a_lapsed_claim_of_another_node_is_taken_over_in_doubt(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = queue_one(f, "1.2.3.1");
	struct store_due due[4];
	int64_t next_ms;

	claim(f, 4, due, &next_ms);
	store_free(&f->store);
	f->settings.node = "elsewhere";
	open_store(f);
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	f->now_ms += 3600 * 1000;
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_memory_equal(&due[0].doc, &doc, sizeof(doc));
	assert_true(due[0].doubtful);
	f->now_ms += 3600 * 1000; /* our own is not taken from us while we live */
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
}

/* What is written out is of one moment, whatever is committed meanwhile. */
static void a_reader_sees_one_moment_from_begin_to_end(void **state)
{
	struct fixture *f = *state;
	scoped(store_free) struct store *reader = NULL;
	struct store_counts seen;

	queue_one(f, "1.2.3.1");
	ok(store_open_reader(&reader, &f->settings, &err));
	ok(store_begin_reading(reader, &err));
	ok(store_count(reader, &seen, &err));
	assert_int_equal(seen.documents[DOC_QUEUED], 1);
	queue_one(f, "1.2.3.2");
	ok(store_count(reader, &seen, &err));
	assert_int_equal(seen.documents[DOC_QUEUED], 1);
	store_end_reading(reader);
	ok(store_count(reader, &seen, &err));
	assert_int_equal(seen.documents[DOC_QUEUED], 2);
}

static void a_claim_of_a_year_to_come_lapses_an_hour_after_the_clock_was_set_back(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;

	f->now_ms += YEAR_MS;
	queue_one(f, "1.2.3.1");
	claim(f, 4, due, &next_ms);
	store_free(&f->store);
	f->settings.node = "elsewhere";
	open_store(f);
	f->now_ms -= YEAR_MS;
	assert_int_equal(set_right(f), 1);
	assert_int_equal(set_right(f), 0);
	f->now_ms += 3600 * 1000 - 1;
	assert_int_equal(claim(f, 4, due, &next_ms), 0);
	f->now_ms += 1;
	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	assert_true(due[0].doubtful);
}

static void a_lapsed_claim_is_recovered_at_start(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;
	struct store_recovered found;

	queue_one(f, "1.2.3.1");
	claim(f, 4, due, &next_ms);
	store_free(&f->store);
	f->settings.node = "elsewhere";
	f->now_ms += 3600 * 1000;
	open_store(f);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(found.claimed, 1);
}

static void a_second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open(&second, &f->settings, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, "another dmpfeedd"));
}

static void a_file_that_is_no_store_is_refused_and_left_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char text[16] = "";
	FILE *file;

	store_free(&f->store);
	file = fopen(f->path, "w");
	fputs("this is a letter, not a database, and it is longer than a header of one hundred "
	      "bytes"
	      " so that nobody can take it for an empty file",
	      file);
	fclose(file);
	assert_int_equal(store_open(&f->store, &f->settings, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	file = fopen(f->path, "r");
	assert_int_equal(fread(text, 1, 9, file), 9);
	fclose(file);
	assert_string_equal(text, "this is a");
}

/* ---- looking ---- */

struct seen {
	size_t rows, events;
	struct store_row row;
	char what[64][24];
	enum doc_state states[64];
};

static void see_row(void *arg, const struct store_row *row)
{
	struct seen *seen = arg;

	seen->rows++;
	seen->row = *row;
}

static void see_event(void *arg, const struct store_event *event)
{
	struct seen *seen = arg;

	snprintf(seen->what[seen->events], sizeof(seen->what[0]), "%s", event->what);
	seen->states[seen->events++] = event->state;
}

static void the_ledger_tells_the_whole_story(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3.1", "body");
	struct store_outcome result;
	struct store_due due[4];
	struct seen seen = { 0 };
	int64_t next_ms;

	result = outcome(f, take_in(f, &one).doc, DOC_QUEUED);
	result.next_attempt_ms = f->now_ms;
	claim(f, 4, due, &next_ms);
	settle(f, &result);
	take_in(f, &one);
	claim(f, 4, due, &next_ms);
	result.state = DOC_DELIVERED;
	settle(f, &result);

	ok(store_show(f->store, &result.doc, see_row, see_event, &seen, &err));
	assert_int_equal(seen.rows, 1);
	assert_int_equal(seen.events, 6);
	assert_string_equal(seen.what[0], "received");
	assert_string_equal(seen.what[1], "claimed");
	assert_string_equal(seen.what[2], "settled");
	assert_string_equal(seen.what[3], "received_again");
	assert_string_equal(seen.what[4], "claimed");
	assert_string_equal(seen.what[5], "settled");
	assert_int_equal(seen.states[5], DOC_DELIVERED);
}

static void an_unknown_document_is_not_shown(void **state)
{
	struct fixture *f = *state;
	const struct ulid nobody = ulid_new(f->now_ms);
	struct seen seen = { 0 };
	struct err err = { 0 };

	assert_int_equal(store_show(f->store, &nobody, see_row, see_event, &seen, &err), 1);
	assert_int_equal(seen.rows, 0);
}

static void lists_are_filtered_and_go_on_after_an_id(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = arrival(f, "1.2.3.9", "body");
	const struct ulid first = queue_one(f, "1.2.3.1");
	struct seen queued = { 0 }, by_reason = { 0 }, after = { 0 }, limited = { 0 };

	queue_one(f, "1.2.3.2");
	held.doc = ulid_new(f->now_ms);
	held.state = DOC_HELD;
	held.reason = REASON_POLICY_HOLD;
	take_in(f, &held);

	ok(store_list(f->store, &(struct store_filter){ .state = "queued", .limit = 10 }, see_row,
		      &queued, &err));
	assert_int_equal(queued.rows, 2);
	ok(store_list(f->store, &(struct store_filter){ .reason = "policy_hold", .limit = 10 },
		      see_row, &by_reason, &err));
	assert_int_equal(by_reason.rows, 1);
	assert_int_equal(by_reason.row.state, DOC_HELD);
	ok(store_list(f->store, &(struct store_filter){ .after = first, .limit = 10 }, see_row,
		      &after, &err));
	assert_int_equal(after.rows, 2);
	ok(store_list(f->store, &(struct store_filter){ .limit = 1 }, see_row, &limited, &err));
	assert_int_equal(limited.rows, 1);
}

static void a_document_and_its_deletion_are_found_by_their_unique_id(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = queue_one(f, "1.2.3.1");
	struct store_arrival deletion = arrival(f, "1.2.3.1", "delete it");
	struct seen none = { 0 }, one = { 0 }, both = { 0 };

	queue_one(f, "1.2.3.2^EXT");
	ok(store_list_unique(f->store, "1.2.3.2", see_row, &none, &err));
	assert_int_equal(none.rows, 0);
	ok(store_list_unique(f->store, "1.2.3.1", see_row, &one, &err));
	assert_int_equal(one.rows, 1);
	assert_memory_equal(&one.row.doc, &first, sizeof(first));
	ok(store_list_unique(f->store, "1.2.3.2^EXT", see_row, &one, &err));
	assert_int_equal(one.rows, 2);
	deletion.action = "delete";
	take_in(f, &deletion);
	ok(store_list_unique(f->store, "1.2.3.1", see_row, &both, &err));
	assert_int_equal(both.rows, 2);
	assert_memory_equal(&both.row.doc, &deletion.doc, sizeof(deletion.doc));
}

static bool is_second(const void *arg, const struct store_row *row)
{
	return strcmp(row->unique_id, arg) == 0;
}

static void what_is_not_wanted_takes_no_place_in_a_list(void **state)
{
	struct fixture *f = *state;
	struct seen wanted = { 0 };
	struct ulid second;

	queue_one(f, "1.2.3.1");
	second = queue_one(f, "1.2.3.2");
	queue_one(f, "1.2.3.3");
	ok(store_list(f->store,
		      &(struct store_filter){ .state = "queued",
					      .limit = 1,
					      .is_wanted = is_second,
					      .is_wanted_arg = "1.2.3.2" },
		      see_row, &wanted, &err));
	assert_int_equal(wanted.rows, 1);
	assert_memory_equal(&wanted.row.doc, &second, sizeof(second));
}

static void a_reader_sees_what_was_committed_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival one = arrival(f, "1.2.3.1", "body");
	struct store *reader = NULL;
	struct store_receipt receipt;
	struct store_counts seen;

	ok(store_open_reader(&reader, &f->settings, &err));
	ok(store_begin(f->store, &err));
	ok(store_take_in(f->store, &one, &receipt, &err));
	ok(store_count(reader, &seen, &err));
	assert_int_equal(seen.documents[DOC_QUEUED], 0);
	ok(store_commit(f->store, &err));
	ok(store_count(reader, &seen, &err));
	assert_int_equal(seen.documents[DOC_QUEUED], 1);
	store_free(&reader);
}

static void a_probe_writes_without_a_document(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		ok(store_begin(f->store, &err));
		ok(store_probe(f->store, f->now_ms + i, &err));
		ok(store_commit(f->store, &err));
	}
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
}

static void the_oldest_queued_document_is_known(void **state)
{
	struct fixture *f = *state;
	const int64_t first_ms = f->now_ms;
	int64_t oldest_ms;

	ok(store_oldest_queued(f->store, &oldest_ms, &err));
	assert_true(oldest_ms == INT64_MAX);
	queue_one(f, "1.2.3.1");
	f->now_ms += 1000;
	queue_one(f, "1.2.3.2");
	ok(store_oldest_queued(f->store, &oldest_ms, &err));
	assert_int_equal(oldest_ms, first_ms);
}

static void add_lane(void *arg, const char *found)
{
	buf_addf(arg, "%s ", found);
}

static void the_lanes_that_documents_are_queued_for_are_known(void **state)
{
	static const char *const ids[] = { "1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4" };
	struct fixture *f = *state;
	scoped(buf_done) struct buf none = { 0 }, lanes = { 0 };

	ok(store_queued_lanes(f->store, add_lane, &none, &err));
	assert_int_equal(none.n, 0);
	for (size_t i = 0; i < length_of(ids); i++) {
		struct store_arrival one = arrival(f, ids[i], "body");

		one.lane = i % 2 ? "990000987" : "990000995";
		(void)take_in(f, &one);
	}
	ok(store_queued_lanes(f->store, add_lane, &lanes, &err));
	assert_string_equal(lanes.p, "990000987 990000995 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_new_document_is_queued_with_its_bytes),
		test(a_document_of_any_size_is_kept_byte_for_byte),
		test(the_same_document_again_is_known_and_nothing_new),
		test(other_bytes_under_the_same_id_are_foreign),
		test(a_document_has_one_row_and_its_deletion_another),
		test(a_document_may_be_taken_in_held_or_cancelled),
		test(what_was_not_committed_never_happened),
		test(an_undone_change_takes_back_only_itself),
		test(the_oldest_due_document_is_claimed_first),
		test(a_claimed_document_is_not_claimed_twice),
		test(another_lane_sees_nothing_of_it),
		test(a_document_to_retry_waits_for_its_time),
		test(a_lane_at_fault_does_not_age_its_documents),
		test(documents_queued_in_a_year_to_come_keep_their_pause),
		test(what_is_to_wait_long_waits_though_the_clock_is_looked_at),
		test(a_delivered_document_is_final),
		test(what_was_being_sent_goes_again_in_doubt_after_a_restart),
		test(the_claims_of_another_node_are_left_alone),
		test(a_lapsed_claim_of_another_node_is_taken_over_in_doubt),
		test(a_reader_sees_one_moment_from_begin_to_end),
		test(a_claim_of_a_year_to_come_lapses_an_hour_after_the_clock_was_set_back),
		test(a_lapsed_claim_is_recovered_at_start),
		test(a_second_process_is_refused),
		test(a_file_that_is_no_store_is_refused_and_left_as_it_is),
		test(the_ledger_tells_the_whole_story),
		test(an_unknown_document_is_not_shown),
		test(lists_are_filtered_and_go_on_after_an_id),
		test(what_is_not_wanted_takes_no_place_in_a_list),
		test(a_document_and_its_deletion_are_found_by_their_unique_id),
		test(a_reader_sees_what_was_committed_and_nothing_else),
		test(the_oldest_queued_document_is_known),
		test(the_lanes_that_documents_are_queued_for_are_known),
		test(a_probe_writes_without_a_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
