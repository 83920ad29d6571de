/* What is taken back from the DMP, by a person: its deletion, or the one that is there already. */
#include "queue/store_pair.h"
#include "store_versions.h"

static const char id[] = "1.2.3.1";

static struct store_ordered recall(struct fixture *f, struct ulid doc)
{
	const struct store_recall its = {
		.doc = doc,
		.deletion = ulid_new(f->now_ms),
		.body = slice_of("deletion"),
		.metadata = slice_of("{}"),
		.actor = "anne",
		.now_ms = f->now_ms,
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_recall(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	if (ordered.refusal == NULL)
		assert_whole(f);
	return ordered;
}

static void refuse(struct fixture *f, struct ulid doc, enum reason reason)
{
	struct store_outcome ended = outcome(f, doc, DOC_REJECTED);

	assert_true(is_due(f, doc));
	ended.reason = reason;
	settle(f, &ended);
}

static void its_deletion_goes_once(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = deliver_first(f);
	const struct store_ordered ordered = recall(f, doc);

	assert_null(ordered.refusal);
	assert_non_null(recall(f, doc).refusal);
	end(f, ordered.deletion, DOC_DELIVERED);
	assert_non_null(recall(f, doc).refusal);
}

/* It was withdrawn, came again, and was delivered: its former deletion has not touched what the DMP has. */
static void one_that_was_withdrawn_once_can_be_recalled(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = come(f, id, NULL, SAME).doc;
	const struct ulid deletion = delete_one(f, id).doc;
	struct store_ordered ordered;
	struct last last;
	char text[ULID_TEXT];

	assert_int_equal(last_of(f, deletion).state, DOC_SUPPRESSED);
	assert_int_equal(come(f, id, NULL, SAME).taken, STORE_TAKEN_UP);
	end(f, doc, DOC_DELIVERED);
	ordered = recall(f, doc);
	assert_null(ordered.refusal);
	assert_memory_equal(&ordered.deletion, &deletion, sizeof(deletion));
	last = last_of(f, doc);
	assert_string_equal(last.what, "recalled");
	assert_string_equal(last.note, ulid_text(&deletion, text));
	assert_string_equal(last_of(f, deletion).actor, "anne");
	end(f, deletion, DOC_DELIVERED);
	assert_non_null(recall(f, doc).refusal);
}

static void so_can_one_whose_deletion_came_too_early(void **state)
{
	struct fixture *f = *state;
	const struct ulid deletion = delete_one(f, id).doc;
	struct ulid doc, next;

	refuse(f, deletion, REASON_PREDECESSOR_UNKNOWN);
	doc = deliver_first(f);
	next = come(f, "1.2.3.2", id, OTHER).doc;
	assert_null(recall(f, doc).refusal);
	end(f, next, DOC_DELIVERED); /* which came before that */
	end(f, deletion, DOC_DELIVERED);
}

static void what_is_recalled_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	const struct ulid deletion = delete_one(f, id).doc;
	struct store_order retry = { .order = ORDER_RETRY, .actor = "anne", .now_ms = f->now_ms };
	struct store_outcome ended;
	struct store_ordered ordered;

	refuse(f, deletion, REASON_PREDECESSOR_UNKNOWN);
	retry.doc = come(f, id, NULL, SAME).doc;
	assert_true(is_due(f, retry.doc));
	ended = outcome(f, retry.doc, DOC_REJECTED);
	ended.reason = REASON_TOO_OLD;
	ended.doubtful = true;
	settle(f, &ended);
	assert_null(recall(f, retry.doc).refusal);
	end(f, deletion, DOC_DELIVERED);
	ok(store_order(f->store, &retry, &ordered, &err));
	assert_non_null(ordered.refusal);
}

static void one_whose_deletion_was_purged_needs_its_source(void **state)
{
	struct fixture *f = *state;
	size_t purged;
	struct ulid doc;

	refuse(f, delete_one(f, id).doc, REASON_PREDECESSOR_UNKNOWN);
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 9, &purged, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(purged, 1);
	doc = deliver_first(f);
	assert_non_null(recall(f, doc).refusal);
}

/* ---- one of two forms ---- */

static struct ulid come_with(struct fixture *f, struct ulid doc)
{
	const struct ulid both[] = { doc, come(f, "1.2.4.1", NULL, SAME).doc };

	ok(store_begin(f->store, &err));
	ok(store_note_pair(f->store, both, &err));
	ok(store_commit(f->store, &err));
	return both[1];
}

static void nobody_recalls_one_form_while_the_other_is_on_its_way(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = deliver_first(f);
	const struct ulid other = come_with(f, doc);
	struct store_order order = {
		.doc = other, .order = ORDER_HOLD, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	assert_non_null(recall(f, doc).refusal); /* queued */
	ok(store_order(f->store, &order, &ordered, &err));
	assert_null(ordered.refusal);
	assert_non_null(recall(f, doc).refusal); /* held */
	order.order = ORDER_RELEASE;
	ok(store_order(f->store, &order, &ordered, &err));
	assert_true(is_due(f, other));
	ordered = recall(f, doc); /* sending */
	assert_non_null(ordered.refusal);
	assert_memory_equal(&ordered.other, &other, sizeof(other));
}

static void one_form_is_recalled_once_the_other_has_ended(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = deliver_first(f);
	const struct ulid other = come_with(f, doc);
	struct store_ordered ordered;

	refuse(f, other, REASON_DMP_ERROR);
	ordered = recall(f, doc);
	assert_null(ordered.refusal);
	assert_memory_equal(&ordered.other, &other, sizeof(other));
	assert_non_null(recall(f, other).refusal); /* the DMP does not have it */
	end(f, ordered.deletion, DOC_DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(its_deletion_goes_once),
		test(one_that_was_withdrawn_once_can_be_recalled),
		test(so_can_one_whose_deletion_came_too_early),
		test(what_is_recalled_is_not_tried_again),
		test(one_whose_deletion_was_purged_needs_its_source),
		test(nobody_recalls_one_form_while_the_other_is_on_its_way),
		test(one_form_is_recalled_once_the_other_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
