/* The two forms of one content: what would be left alone, version by version. "1.2.3.1" and "1.2.4.1" are the first. */
#include "queue/store_pair.h"
#include "store_versions.h"

static int tie(struct fixture *f, struct ulid one, struct ulid other)
{
	const struct ulid docs[] = { one, other };
	struct err why = { 0 };
	int result;

	ok(store_begin(f->store, &err));
	result = store_note_pair(f->store, docs, &why);
	ok(store_commit(f->store, &err));
	return result;
}

struct pair {
	struct ulid one, other;
};

/* Two documents of one message; `of` are what they replace, or NULL. */
static struct pair come_both(struct fixture *f, const char *one, const char *other, const char *of,
			     const char *other_of)
{
	const struct pair pair = { come(f, one, of, NULL).doc, come(f, other, other_of, NULL).doc };

	assert_int_equal(tie(f, pair.one, pair.other), 0);
	return pair;
}

/* What is due ends so, each in its turn. */
static void end_both(struct fixture *f, struct pair pair, enum doc_state one, enum doc_state other)
{
	struct store_due due[2];
	int64_t next_ms;

	assert_int_equal(claim(f, 2, due, &next_ms), 2);
	for (size_t i = 0; i < 2; i++) {
		const bool is_one = memcmp(&due[i].doc, &pair.one, sizeof(pair.one)) == 0;
		const struct store_outcome ended = outcome(f, due[i].doc, is_one ? one : other);

		settle(f, &ended);
	}
}

static struct pair deliver_both(struct fixture *f)
{
	const struct pair pair = come_both(f, "1.2.3.1", "1.2.4.1", NULL, NULL);

	end_both(f, pair, DOC_DELIVERED, DOC_DELIVERED);
	return pair;
}

/* Of a message that names these, the first of them looked at. */
static void assert_left(struct fixture *f, const char *one, const char *other, const char *left)
{
	const char *const unique_ids[] = { one, other };
	const struct store_named named = { unique_ids, other ? 2 : 1 };
	scoped(buf_done) struct buf found = { 0 };

	ok(store_find_left(f->store, one, &named, &found, &err));
	if (!slice_is(buf_slice(&found), left))
		fail_msg("%s and %s leave '%.*s', not '%s'", one, other ? other : "no other",
			 (int)found.n, found.n ? found.p : "", left);
}

static void order(struct fixture *f, struct ulid doc, enum order what)
{
	const struct store_order its = {
		.doc = doc, .order = what, .force = true, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
}

static void a_form_without_the_other_leaves_it(void **state)
{
	struct fixture *f = *state;

	come_both(f, "1.2.3.1", "1.2.4.1", NULL, NULL);
	assert_left(f, "1.2.3.1", NULL, "1.2.4.1");
	assert_left(f, "1.2.4.1", NULL, "1.2.3.1");
	assert_left(f, "1.2.3.1", "1.2.9", "1.2.4.1");
	assert_left(f, "1.2.3.1", "1.2.4.1", "");
	assert_left(f, "1.2.9", NULL, "");
}

static void a_document_that_came_alone_leaves_none(void **state)
{
	struct fixture *f = *state;

	deliver_first(f);
	assert_left(f, "1.2.3.1", NULL, "");
}

static void what_came_together_is_tied_once_and_for_all(void **state)
{
	struct fixture *f = *state;
	const struct pair pair = come_both(f, "1.2.3.1", "1.2.4.1", NULL, NULL);
	const struct ulid third = queue_one(f, "1.2.5.1");

	assert_int_equal(tie(f, pair.other, pair.one), 0);
	assert_int_equal(tie(f, pair.one, third), 1);
	assert_int_equal(tie(f, third, pair.other), 1);
	assert_left(f, "1.2.5.1", NULL, "");
	assert_left(f, "1.2.3.1", NULL, "1.2.4.1");
}

/* The new versions are the pair then; who still names the old ones is told nothing here. */
static void what_was_replaced_is_not_left(void **state)
{
	struct fixture *f = *state;

	deliver_both(f);
	end_both(f, come_both(f, "1.2.3.2", "1.2.4.2", "1.2.3.1", "1.2.4.1"), DOC_DELIVERED,
		 DOC_DELIVERED);
	assert_left(f, "1.2.3.1", NULL, "");
	assert_left(f, "1.2.3.2", NULL, "1.2.4.2");
	assert_left(f, "1.2.3.2", "1.2.4.1", "1.2.4.2");
}

static void what_was_deleted_is_not_left(void **state)
{
	struct fixture *f = *state;

	deliver_both(f);
	end(f, delete_one(f, "1.2.4.1").doc, DOC_DELIVERED);
	assert_left(f, "1.2.3.1", NULL, "");
}

static void until_its_deletion_is_done_a_form_is_there(void **state)
{
	struct fixture *f = *state;

	deliver_both(f);
	delete_one(f, "1.2.4.1");
	assert_left(f, "1.2.3.1", NULL, "1.2.4.1");
}

/* The new version did not pass: the DMP has the old one. Either name says what becomes of that form. */
static void behind_what_did_not_pass_stands_the_version_before(void **state)
{
	struct fixture *f = *state;

	deliver_both(f);
	end_both(f, come_both(f, "1.2.3.2", "1.2.4.2", "1.2.3.1", "1.2.4.1"), DOC_DELIVERED,
		 DOC_REJECTED);
	assert_left(f, "1.2.3.2", NULL, "1.2.4.1");
	assert_left(f, "1.2.3.2", "1.2.4.1", "");
	assert_left(f, "1.2.3.2", "1.2.4.2", "");
}

/* The first of its form did not pass; a person may have it tried again, until they give it up. */
static void what_may_be_tried_again_is_left_until_it_is_given_up(void **state)
{
	struct fixture *f = *state;
	const struct pair pair = come_both(f, "1.2.3.1", "1.2.4.1", NULL, NULL);

	end_both(f, pair, DOC_DELIVERED, DOC_REJECTED);
	assert_left(f, "1.2.3.1", NULL, "1.2.4.1");
	order(f, pair.other, ORDER_CANCEL);
	assert_left(f, "1.2.3.1", NULL, "");
}

/* It says what the version before it said, which stands for it in the DMP. */
static void what_was_not_sent_for_it_changes_nothing_is_there(void **state)
{
	struct fixture *f = *state;
	struct ulid one, other;

	one = come(f, "1.2.3.1", NULL, NULL).doc;
	other = come(f, "1.2.4.1", NULL, SAME).doc;
	assert_int_equal(tie(f, one, other), 0);
	end_both(f, (struct pair){ one, other }, DOC_DELIVERED, DOC_DELIVERED);
	one = come(f, "1.2.3.2", "1.2.3.1", NULL).doc;
	other = come(f, "1.2.4.2", "1.2.4.1", SAME).doc;
	assert_int_equal(tie(f, one, other), 0);
	end(f, one, DOC_DELIVERED);
	assert_left(f, "1.2.3.2", NULL, "1.2.4.1");
	assert_left(f, "1.2.3.2", "1.2.4.2", "");
	assert_left(f, "1.2.3.2", "1.2.4.1", "");
}

/* Both have to do with what the DMP has: the one behind is let go by the end of the one before it. */
static void both_forms_are_given_up_though_one_waits_for_the_other(void **state)
{
	struct fixture *f = *state;
	const struct ulid first = deliver_first(f);
	const struct ulid one = come(f, "1.2.3.2", "1.2.3.1", OTHER).doc;
	const struct store_receipt behind = come(f, "1.2.3.3", "1.2.3.1", OTHER);
	const struct store_order cancel = {
		.doc = one, .order = ORDER_CANCEL, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;
	struct store_moves moves;

	assert_int_equal(last_of(f, first).state, DOC_DELIVERED);
	assert_waits(behind);
	assert_int_equal(tie(f, one, behind.doc), 0);
	ok(store_begin(f->store, &err));
	moves = store_take_moves(f->store);
	store_moves_done(&moves);
	ok(store_order(f->store, &cancel, &ordered, &err));
	moves = store_take_moves(f->store);
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
	assert_memory_equal(&ordered.other, &behind.doc, sizeof(behind.doc));
	assert_int_equal(last_of(f, one).state, DOC_CANCELLED);
	assert_int_equal(last_of(f, behind.doc).state, DOC_CANCELLED);
	assert_string_equal(last_of(f, behind.doc).actor, "anne");
	assert_int_equal(moves.change[DOC_QUEUED], -1);
	assert_int_equal(moves.change[DOC_HELD], -1);
	assert_int_equal(moves.change[DOC_CANCELLED], 2);
	store_moves_done(&moves);
	assert_whole(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_form_without_the_other_leaves_it),
		test(a_document_that_came_alone_leaves_none),
		test(what_came_together_is_tied_once_and_for_all),
		test(what_was_replaced_is_not_left),
		test(what_was_deleted_is_not_left),
		test(until_its_deletion_is_done_a_form_is_there),
		test(behind_what_did_not_pass_stands_the_version_before),
		test(what_may_be_tried_again_is_left_until_it_is_given_up),
		test(what_was_not_sent_for_it_changes_nothing_is_there),
		test(both_forms_are_given_up_though_one_waits_for_the_other),
	};

	return cmocka_run_group_tests_name("store_pair", tests, NULL, NULL);
}
