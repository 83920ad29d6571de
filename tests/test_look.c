/* What a worker reads for the alerts, and what stays known of those who send. */
#include "store_fixture.h"

#include "base/clock.h"
#include "crew/hands.h"
#include "watch/look.h"

static void no_loop(struct job *job)
{
	(void)job;
}

static struct config config_of(struct fixture *f)
{
	return (struct config){ .state_dir = f->folder, .store = f->settings };
}

static void look_once(struct look *look, const struct store_settings *store)
{
	struct hands_settings settings = { store };
	void *hands = hands_new(&settings);

	look->job.run(&look->job, hands);
	hands_free(hands);
}

static void it_sees_the_disk_the_process_and_what_waits(void **state)
{
	struct fixture *f = *state;
	const struct config config = config_of(f);
	struct store_arrival held = arrival(f, "1.2.2", "body");
	struct look look;

	look_init(&look, &config, no_loop);
	queue_one(f, "1.2.1");
	held.state = DOC_HELD;
	held.reason = REASON_INS_NOT_QUALIFIED;
	take_in(f, &held);
	look_once(&look, &f->settings);
	assert_true(look.room.size_bytes > 0);
	assert_true(look.store_bytes > 0);
	assert_true(look.process.resident_bytes > 0);
	assert_int_equal(look.store.oldest_queued_ms, f->now_ms);
	assert_true(look.has_lanes);
	assert_int_equal(look.lanes.count, 1);
	assert_string_equal(look.lanes.names[0], lane);
	assert_int_equal(look.store.waiting_count, 1);
	assert_string_equal(look.store.waiting[0].state, "held");
	assert_string_equal(look.store.waiting[0].reason, "ins_not_qualified");
	assert_int_equal(look.store.waiting[0].documents, 1);
	look_done(&look);
}

static void a_store_that_cannot_be_asked_leaves_what_was_known(void **state)
{
	struct fixture *f = *state;
	const struct config config = config_of(f);
	const struct store_settings nowhere = { .path = "/nowhere/queue.db", .node = "here" };
	struct look look;

	look_init(&look, &config, no_loop);
	look_once(&look, &nowhere);
	assert_int_equal(look.store.oldest_queued_ms, INT64_MAX);
	queue_one(f, "1.2.1");
	look_once(&look, &f->settings);
	look_once(&look, &nowhere);
	assert_false(look.has_lanes);
	assert_int_equal(look.store.oldest_queued_ms, f->now_ms);
	look_done(&look);
}

static void come(struct fixture *f, const char *unique_id, const char *source, int64_t now_ms)
{
	struct store_arrival one = arrival(f, unique_id, unique_id);
	size_t count;

	one.source = source;
	one.now_ms = now_ms;
	take_in(f, &one);
	ok(store_begin(f->store, &err));
	ok(store_note_arrivals(f->store, now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
}

static int64_t last_slot(const struct look *look, const char *source)
{
	for (size_t i = 0; i < look->sender_count; i++)
		if (strcmp(look->senders[i].name, source) == 0)
			return look->senders[i].rhythm.last;
	fail_msg("%s does not send", source);
	return 0;
}

static void a_source_with_two_doors_is_one(void **state)
{
	struct mllp_settings mllp[] = { { .source = "DPI" }, { .source = "LIS" } };
	struct drop_settings drops[] = { { .source = "DPI" } };
	struct config config = config_of(*state);
	struct look look;

	config.mllp = mllp;
	config.mllp_count = length_of(mllp);
	config.drops = drops;
	config.drop_count = length_of(drops);
	look_init(&look, &config, no_loop);
	look_name_senders(&look, &config);
	assert_int_equal(look.sender_count, 2);
	assert_string_equal(look.senders[0].name, "DPI");
	assert_string_equal(look.senders[1].name, "LIS");
	look_done(&look);
}

static void what_is_known_of_a_source_outlives_a_reload(void **state)
{
	struct fixture *f = *state;
	const int64_t now_ms = clock_now_ms(), early_ms = now_ms - 3 * RHYTHM_SLOT_MS;
	struct mllp_settings one[] = { { .source = "DPI" } };
	struct mllp_settings both[] = { { .source = "LIS" }, { .source = "DPI" } };
	struct config config = config_of(f);
	struct look look;

	config.mllp = one;
	config.mllp_count = 1;
	look_init(&look, &config, no_loop);
	look_name_senders(&look, &config);
	come(f, "1.2.1", "DPI", early_ms);
	come(f, "1.2.2", "LIS", early_ms);
	look_once(&look, &f->settings);
	assert_int_equal(last_slot(&look, "DPI"), early_ms / RHYTHM_SLOT_MS);

	config.mllp = both;
	config.mllp_count = 2;
	look_name_senders(&look, &config);
	assert_int_equal(last_slot(&look, "DPI"), early_ms / RHYTHM_SLOT_MS);
	assert_int_equal(last_slot(&look, "LIS"), 0);
	look_once(&look, &f->settings); /* all arrivals again: it sent before it was named */
	assert_int_equal(last_slot(&look, "LIS"), early_ms / RHYTHM_SLOT_MS);
	look_done(&look);
}

static void arrivals_of_long_ago_are_read_when_that_is_asked(void **state)
{
	struct fixture *f = *state;
	const int64_t now_ms = clock_now_ms(), early_ms = now_ms - 3 * RHYTHM_SLOT_MS;
	struct mllp_settings one[] = { { .source = "DPI" } };
	struct config config = config_of(f);
	struct look look;

	config.mllp = one;
	config.mllp_count = 1;
	look_init(&look, &config, no_loop);
	look_name_senders(&look, &config);
	look_once(&look, &f->settings);
	come(f, "1.2.1", "DPI", early_ms); /* counted late */
	look_once(&look, &f->settings);
	assert_int_equal(last_slot(&look, "DPI"), 0);
	look_at_all_arrivals(&look);
	look_once(&look, &f->settings);
	assert_int_equal(last_slot(&look, "DPI"), early_ms / RHYTHM_SLOT_MS);
	look_done(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(it_sees_the_disk_the_process_and_what_waits),
		test(a_store_that_cannot_be_asked_leaves_what_was_known),
		test(a_source_with_two_doors_is_one),
		test(what_is_known_of_a_source_outlives_a_reload),
		test(arrivals_of_long_ago_are_read_when_that_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
