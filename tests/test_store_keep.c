/* What becomes of what is over: bodies go after their time, all else stays. */
#include <sqlite3.h>

#include "store_fixture.h"

static size_t purge(struct fixture *f, int64_t until_ms, size_t most)
{
	size_t count;

	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, until_ms, f->now_ms, most, &count, &err));
	ok(store_commit(f->store, &err));
	return count;
}

static struct ulid delivered_one(struct fixture *f, const char *unique_id)
{
	const struct ulid doc = queue_one(f, unique_id);
	const struct store_outcome delivered = outcome(f, doc, DOC_DELIVERED);
	struct store_due due[1];
	int64_t next_ms;

	assert_int_equal(claim(f, 1, due, &next_ms), 1);
	settle(f, &delivered);
	return doc;
}

static bool has_body(struct fixture *f, struct ulid doc)
{
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	struct err err = { 0 };
	const int has_metadata = store_load_metadata(f->store, &doc, &metadata, &err);
	bool loaded;

	assert_int_equal(metadata.n > 0, has_metadata);
	buf_clear(&metadata);
	loaded = store_load(f->store, &doc, &body, &metadata, &err) == 0;
	assert_int_equal(loaded, has_metadata);
	return loaded;
}

static void a_body_goes_after_its_time(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = delivered_one(f, "1.2.3.1");

	assert_int_equal(purge(f, f->now_ms - 1, 10), 0);
	assert_true(has_body(f, doc));
	assert_int_equal(purge(f, f->now_ms, 10), 1);
	assert_false(has_body(f, doc));
	assert_int_equal(purge(f, f->now_ms, 10), 0);
	assert_int_equal(counts(f).documents[DOC_DELIVERED], 1);
}

static void what_is_not_over_keeps_its_body(void **state)
{
	struct fixture *f = *state;
	struct store_arrival held = arrival(f, "1.2.3.9", "body");
	struct store_due due[1];
	struct ulid doc;
	int64_t next_ms;

	held.state = DOC_HELD;
	held.reason = REASON_POLICY_HOLD;
	take_in(f, &held);
	doc = queue_one(f, "1.2.3.1");
	queue_one(f, "1.2.3.2");
	claim(f, 1, due, &next_ms);
	assert_int_equal(purge(f, f->now_ms + 1000, 10), 0);
	assert_true(has_body(f, doc));
}

static void it_is_done_little_by_little(void **state)
{
	struct fixture *f = *state;

	delivered_one(f, "1.2.3.1");
	delivered_one(f, "1.2.3.2");
	delivered_one(f, "1.2.3.3");
	assert_int_equal(purge(f, f->now_ms, 2), 2);
	assert_int_equal(purge(f, f->now_ms, 2), 1);
}

/* It was purged, and is still known: it is not sent a second time. */
static void what_was_purged_is_still_known(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival again = arrival(f, "1.2.3.1", "body");
	struct store_audit audit;

	delivered_one(f, "1.2.3.1");
	purge(f, f->now_ms, 10);
	assert_int_equal(take_in(f, &again).taken, STORE_KNOWN);
	ok(store_verify(f->store, NULL, NULL, &audit, &err));
	assert_int_equal(audit.faults, 0);
	assert_int_equal(audit.rows, 5); /* received, claimed, settled, purged, received again */
}

/* Not even in a page that nothing uses any more. */
static void what_was_purged_is_not_in_the_file(void **state)
{
	static const char secret[] = "PATIENT-SECRET";
	struct fixture *f = *state;
	scoped(buf_done) struct buf body = { 0 };
	char path[128], bytes[65536];
	struct store_arrival one;
	bool found[2] = { false, false };

	while (body.n < 100000)
		buf_add_text(&body, secret);
	one = arrival(f, "1.2.3.1", body.p);
	one.state = DOC_CANCELLED;
	take_in(f, &one);
	for (int purged = 0; purged < 2; purged++) {
		FILE *file;

		if (purged)
			assert_int_equal(purge(f, f->now_ms, 1), 1);
		store_free(&f->store); /* which brings the log into the file */
		snprintf(path, sizeof(path), "%s", f->path);
		file = fopen(path, "r");
		for (size_t n; (n = fread(bytes, 1, sizeof(bytes), file)) > 0;)
			found[purged] |= memmem(bytes, n, secret, sizeof(secret) - 1) != NULL;
		fclose(file);
		open_store(f);
	}
	assert_true(found[0]);
	assert_false(found[1]);
}

static void a_sealed_body_cannot_take_another_s_place(void **state)
{
	static const char key[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct fixture *f = *state;
	scoped(buf_done) struct buf body = { 0 }, metadata = { 0 };
	struct keyring *keyring = NULL;
	struct err damaged = { 0 };
	struct ulid one;
	sqlite3 *db;

	ok(keyring_read(&keyring, slice_of(key), &err));
	store_free(&f->store);
	f->settings.keys = keyring;
	open_store(f);
	one = queue_one(f, "1.2.3.1");
	queue_one(f, "1.2.3.2"); /* the same bytes */
	ok(store_load(f->store, &one, &body, &metadata, &err));
	assert_true(slice_is(buf_slice(&body), "body"));
	buf_clear(&metadata);
	assert_int_equal(store_load_metadata(f->store, &one, &metadata, &damaged), 1);
	assert_true(slice_is(buf_slice(&metadata), "{}"));

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "UPDATE body SET bytes = (SELECT bytes FROM body WHERE seq = 2)"
			     " WHERE seq = 1",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	buf_clear(&body);
	assert_int_equal(store_load(f->store, &one, &body, &metadata, &damaged), -1);
	assert_int_equal(damaged.kind, ERR_HALT);
	assert_int_equal(body.n, 0);
	store_free(&f->store);
	keyring_free(&keyring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_body_goes_after_its_time),
		test(what_is_not_over_keeps_its_body),
		test(it_is_done_little_by_little),
		test(what_was_purged_is_still_known),
		test(what_was_purged_is_not_in_the_file),
		test(a_sealed_body_cannot_take_another_s_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
