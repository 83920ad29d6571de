/* A store that begins from a backup: what waited may have been sent since. */
#include "queue/store_stay.h"
#include "store_versions.h"

/* As it was when the copy was made; what happened since is not known. */
static void restore(struct fixture *f, const struct fixture *copied)
{
	struct store_recovered found;

	store_free(&f->store);
	assert_int_equal(rename(copied->path, f->path), 0);
	open_store(f);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
}

static struct fixture copy(struct fixture *f)
{
	struct fixture copied = *f;
	uint64_t bytes;

	snprintf(copied.path, sizeof(copied.path), "%s/copy", f->folder);
	ok(store_backup(f->store, copied.path, &bytes, &err));
	return copied;
}

/* It waited when the copy was made: the DMP may have it, and only the DMP can delete it. */
static void what_may_have_been_sent_since_is_not_withdrawn(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct fixture copied = copy(f);
	struct store_receipt deletion;

	restore(f, &copied);
	deletion = delete_one(f, "1.2.3.1");
	assert_waits(deletion);
	end(f, doc, DOC_DELIVERED);
	end(f, deletion.doc, DOC_DELIVERED);
}

static void nor_is_it_superseded(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = come(f, "1.2.3.1", NULL, SAME).doc;
	const struct fixture copied = copy(f);
	struct store_arrival next = version(f, "1.2.3.2", "1.2.3.1", OTHER);
	struct store_receipt receipt;

	restore(f, &copied);
	next.supersedes = true;
	receipt = take_in(f, &next);
	assert_waits(receipt);
	end(f, doc, DOC_DELIVERED);
	end(f, receipt.doc, DOC_DELIVERED);
}

static void what_was_being_sent_of_a_discreet_stay_is_held(void **state)
{
	struct fixture *f = *state;
	struct store_arrival its = arrival(f, "1.2.3.1", "body");
	const struct store_stay stay = {
		.lane = lane,
		.number = "V1",
		.said_ms = f->now_ms,
		.exists = STORE_SAID_YES,
		.discretion = { .unit = true },
		.now_ms = f->now_ms,
	};
	struct store_due due[1];
	struct fixture copied;
	int64_t next_ms;

	its.facts.stay = "V1";
	take_in(f, &its);
	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, &stay, &err));
	ok(store_commit(f->store, &err));
	copied = copy(f);
	restore(f, &copied);
	assert_int_equal(counts(f).documents[DOC_HELD], 1);
	assert_int_equal(claim(f, 1, due, &next_ms), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_may_have_been_sent_since_is_not_withdrawn),
		test(nor_is_it_superseded),
		test(what_was_being_sent_of_a_discreet_stay_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
