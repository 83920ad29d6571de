/* The log of what was committed: it has an end however long commits go on, and loses nothing. */
#include <sqlite3.h>
#include <sys/stat.h>

#include "store_fixture.h"

enum { BODY_BYTES = 1 << 20, MIB = 1 << 20 };

static int64_t log_bytes(const struct fixture *f)
{
	struct stat found;
	char path[128];

	snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &found), 0);
	return found.st_size;
}

static void commit_large(struct fixture *f, int number)
{
	static char body[BODY_BYTES];
	char unique_id[32];
	struct store_arrival large;

	memset(body, 'x', sizeof(body));
	snprintf(unique_id, sizeof(unique_id), "1.2.3.%d", number);
	large = arrival(f, unique_id, "");
	large.body = (struct slice){ body, sizeof(body) };
	take_in(f, &large);
}

/* As the writer does; `lags`: what is done beside it is done only then. */
static void mind_log(struct fixture *f, struct store *beside, bool lags)
{
	switch (store_fold_due(f->store)) {
	case FOLD_NOTHING:
		break;
	case FOLD_BESIDE:
		if (!lags)
			store_was_folded(f->store, store_fold(beside));
		break;
	case FOLD_HERE:
		store_fold(f->store);
		break;
	}
}

static struct store *open_beside(struct fixture *f)
{
	struct store *beside = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open_folding(&beside, f->store, &err), 0);
	return beside;
}

static void it_begins_anew_when_all_is_folded(void **state)
{
	struct fixture *f = *state;
	struct store *beside = open_beside(f);
	int64_t most = 0;

	for (int i = 0; i < 120; i++) {
		commit_large(f, i);
		mind_log(f, beside, false);
		most = max(most, log_bytes(f));
	}
	assert_in_range(most, MIB, 24 * MIB);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 120);
	store_free(&beside);
}

static void it_has_an_end_without_help(void **state)
{
	struct fixture *f = *state;
	struct store *beside = open_beside(f);
	int64_t most = 0;

	for (int i = 0; i < 160; i++) {
		commit_large(f, i);
		mind_log(f, beside, true);
		most = max(most, log_bytes(f));
	}
	assert_in_range(most, 60 * MIB, 70 * MIB);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 160);
	store_free(&beside);
}

/* Who reads an old snapshot keeps the log from beginning anew, and no longer than that. */
static void it_begins_anew_once_a_reader_has_ended(void **state)
{
	struct fixture *f = *state;
	struct store *beside = open_beside(f);
	sqlite3 *reader;
	int64_t grown;

	commit_large(f, 0);
	assert_int_equal(sqlite3_open_v2(f->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM document", NULL, NULL, NULL),
		SQLITE_OK);
	for (int i = 1; i <= 90; i++) {
		commit_large(f, i);
		mind_log(f, beside, false);
	}
	grown = log_bytes(f);
	assert_true(grown > 90 * MIB);
	sqlite3_close(reader);
	for (int i = 91; i <= 120; i++) {
		commit_large(f, i);
		mind_log(f, beside, false);
	}
	assert_true(log_bytes(f) < grown);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 121);
	store_free(&beside);
}

static void a_round_for_an_older_log_says_nothing_of_the_new_one(void **state)
{
	struct fixture *f = *state;
	enum store_fold due = FOLD_NOTHING;
	int number = 0;

	while (due != FOLD_BESIDE) {
		commit_large(f, number++);
		due = store_fold_due(f->store);
	}
	store_fold(f->store); /* all of it: the next commit begins the log anew */
	commit_large(f, number++);
	store_was_folded(f->store, 100000);
	for (due = FOLD_NOTHING; due == FOLD_NOTHING;) {
		assert_true(log_bytes(f) < 24 * MIB);
		commit_large(f, number++);
		due = store_fold_due(f->store);
	}
	assert_int_equal(due, FOLD_BESIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(it_begins_anew_when_all_is_folded),
		test(it_has_an_end_without_help),
		test(it_begins_anew_once_a_reader_has_ended),
		test(a_round_for_an_older_log_says_nothing_of_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
