/* The drop folder and pairs: a body waits for the sidecar that describes it, they are handed over as
 * one, and move together, whatever the file system can do and whenever the gateway dies.
 */
#include "drop_world.h"

static struct {
	bool without_links;
	void (*before_rename)(struct world *world); /* once */
	struct world *world;
} disk;

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	void (*before)(struct world *) = disk.before_rename;

	disk.before_rename = NULL;
	if (before != NULL)
		before(disk.world);
	return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

int linkat(int from, const char *name, int to, const char *new_name, int flags)
{
	if (disk.without_links) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_linkat, from, name, to, new_name, flags);
}

static int set_up(void **state)
{
	struct world *world;

	world_set_up(state);
	world = *state;
	world->settings.scan_ms = 50;
	world->settings.companion_wait_ms = HOUR_MS;
	disk.world = world;
	return 0;
}

static int tear_down(void **state)
{
	memset(&disk, 0, sizeof(disk));
	return world_tear_down(state);
}

static void start_again(void **state)
{
	tear_down(state);
	set_up(state);
}

/* letter.pdf and letter.yaml, handed over together. */
static struct drop_file *hand_over_pair(struct world *world)
{
	write_file(world, "letter.pdf", "body");
	write_file(world, "letter.yaml", "sidecar");
	open_drop(world);
	until(world, world->handed == 1);
	assert_handed(world, 0, "letter.pdf");
	assert_non_null(world->files[0]->companion);
	assert_string_equal(world->files[0]->companion->name, "letter.yaml");
	return world->files[0];
}

static void take_pair(struct drop_file *file, const char *result)
{
	struct err err = { 0 };

	if (drop_accept(file, NOON_MS, slice_of(result), &err) < 0)
		fail_msg("%s", err.text);
}

/* ---- together ---- */

static void a_pair_is_handed_over_as_one_whichever_comes_first(void **state)
{
	static const char *const orders[][2] = { { "letter.pdf", "letter.yaml" },
						 { "letter.yaml", "letter.pdf" } };

	for (size_t i = 0; i < length_of(orders); i++) {
		struct world *world = *state;

		open_drop(world);
		put_file(world, orders[i][0], "first");
		until(world, figures(world).waiting == 1);
		turn_for(world, 150);
		assert_int_equal(world->handed, 0);
		put_file(world, orders[i][1], "second");
		until(world, world->handed == 1);
		assert_handed(world, 0, "letter.pdf");
		assert_string_equal(world->files[0]->companion->name, "letter.yaml");
		assert_int_equal(figures(world).in_flight, 1);
		assert_int_equal(figures(world).waiting, 0);
		start_again(state);
	}
}

static void a_pair_waits_until_both_are_whole(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = 300;
	world->settings.companion_wait_ms = 100;
	open_drop(world);
	put_file(world, "letter.pdf", "body");
	for (int i = 0; i < 20; i++) {
		append(world, "letter.yaml", "more\n"); /* it is there, and being written */
		turn_for(world, 20);
	}
	assert_int_equal(world->handed, 0);
	until(world, world->handed == 1);
	assert_non_null(world->files[0]->companion);
}

static void endings_may_be_in_capitals(void **state)
{
	struct world *world = *state;

	write_file(world, "LETTER.PDF", "body");
	write_file(world, "LETTER.YAML", "sidecar");
	open_drop(world);
	until(world, world->handed == 1);
	assert_handed(world, 0, "LETTER.PDF");
	assert_string_equal(world->files[0]->companion->name, "LETTER.YAML");
}

static void other_files_do_not_wait(void **state)
{
	struct world *world = *state;

	write_file(world, "letter.xml", "<a/>");
	write_file(world, "letter.hl7", "MSH|");
	write_file(world, "letter.pdf", "alone");
	open_drop(world);
	until(world, world->handed == 2);
	turn_for(world, 150);
	assert_int_equal(world->handed, 2);
	assert_null(world->files[0]->companion);
}

static void a_sidecar_describes_one_body(void **state)
{
	struct world *world = *state;

	world->settings.companion_wait_ms = 200;
	write_file(world, "letter.pdf", "one");
	write_file(world, "letter.txt", "other");
	write_file(world, "letter.yaml", "sidecar");
	open_drop(world);
	until(world, world->handed == 1);
	assert_non_null(world->files[0]->companion);
	turn_for(world, 300);
	assert_int_equal(world->handed, 1); /* the sidecar may come back */
	take_pair(world->files[0], "");
	settle(world, 0, false);
	until(world, world->handed == 2);
	assert_null(world->files[1]->companion);
}

/* ---- alone ---- */

static void a_file_that_waited_in_vain_is_handed_over_alone(void **state)
{
	static const char *const names[] = { "letter.pdf", "letter.yaml" };

	for (size_t i = 0; i < length_of(names); i++) {
		struct world *world = *state;
		int64_t start_ms = clock_monotonic_ms();

		world->settings.companion_wait_ms = 300;
		world->settings.scan_ms = HOUR_MS; /* the end of its time is a reason to look */
		write_file(world, names[i], "alone");
		open_drop(world);
		until(world, world->handed == 1);
		assert_true(clock_monotonic_ms() - start_ms >= 300);
		assert_handed(world, 0, names[i]);
		assert_null(world->files[0]->companion);
		start_again(state);
	}
}

static void a_pair_that_could_not_be_dealt_with_comes_again_as_a_pair(void **state)
{
	struct world *world = *state;

	hand_over_pair(world);
	settle(world, 0, true);
	until(world, world->handed == 2);
	assert_handed(world, 1, "letter.pdf");
	assert_string_equal(world->files[1]->companion->name, "letter.yaml");
}

static void a_pair_in_flight_outlives_the_folder(void **state)
{
	struct world *world = *state;
	struct drop_file *file = hand_over_pair(world);
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };

	drop_free(&world->drop);
	assert_int_equal(drop_read(file->companion, &bytes, &err), 0);
	assert_true(slice_is(buf_slice(&bytes), "sidecar"));
	take_pair(file, "");
	settle(world, 0, false);
	assert_true(is_there(world, "done/" DAY "/letter.yaml"));
}

/* ---- moving ---- */

static void assert_moved(const struct world *world, const char *folder, const char *stem)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/" DAY "/%s.pdf", folder, stem);
	assert_content(world, name, "body");
	snprintf(name, sizeof(name), "%s/" DAY "/%s.yaml", folder, stem);
	assert_content(world, name, "sidecar");
}

static void assert_folder_is_empty(const struct world *world)
{
	assert_int_equal(count_in(world, "."), 2); /* done, rejected */
}

static void both_move_under_one_name_with_or_without_links(void **state)
{
	for (int without = 0; without < 2; without++) {
		struct world *world = *state;
		struct drop_file *file = hand_over_pair(world);

		disk.without_links = without;
		take_pair(file, "result");
		assert_moved(world, "done", "letter");
		assert_content(world, "done/" DAY "/letter.result.yaml", "result");
		assert_int_equal(count_in(world, "done/" DAY), 3);
		assert_folder_is_empty(world);
		settle(world, 0, false);
		assert_int_equal(figures(world).taken, 1);
		start_again(state);
	}
}

static void both_are_rejected_with_one_explanation(void **state)
{
	struct world *world = *state;
	struct drop_file *file = hand_over_pair(world);
	struct err err = { 0 };

	assert_int_equal(drop_reject(file, NOON_MS, slice_of("why"), &err), 0);
	assert_moved(world, "rejected", "letter");
	assert_content(world, "rejected/" DAY "/letter.error.yaml", "why");
	assert_folder_is_empty(world);
}

static void both_are_deleted_where_that_is_wanted(void **state)
{
	for (int without = 0; without < 2; without++) {
		struct world *world = *state;
		struct drop_file *file;

		world->settings.delete_when_done = true;
		file = hand_over_pair(world);
		disk.without_links = without;
		take_pair(file, "result");
		assert_folder_is_empty(world);
		assert_int_equal(count_in(world, "done"), 0);
		start_again(state);
	}
}

static void a_name_taken_by_either_gives_both_a_number(void **state)
{
	static const char *const taken[] = { "letter.pdf", "letter.yaml", "letter.result.yaml" };

	for (size_t i = 0; i < length_of(taken) * 2; i++) {
		struct world *world = *state;
		struct drop_file *file = hand_over_pair(world);
		char name[64];

		disk.without_links = i >= length_of(taken);
		assert_int_equal(mkdir(in(world, "done/" DAY), 0700), 0);
		snprintf(name, sizeof(name), "done/" DAY "/%s", taken[i % length_of(taken)]);
		write_file(world, name, "another's");
		take_pair(file, "result");
		assert_moved(world, "done", "letter-2");
		assert_content(world, name, "another's");
		assert_int_equal(count_in(world, "done/" DAY), 4);
		assert_folder_is_empty(world);
		start_again(state);
	}
}

static void replace_the_sidecar(struct world *world)
{
	put_file(world, "letter.yaml", "a new sidecar");
}

static void replace_the_body(struct world *world)
{
	put_file(world, "letter.pdf", "a new body");
}

/* Between the look and the move. */
static void what_is_new_stays(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct world *world = *state;
		struct drop_file *file = hand_over_pair(world);
		bool is_body = i % 2;

		disk.without_links = i / 2;
		disk.before_rename = is_body ? replace_the_body : replace_the_sidecar;
		take_pair(file, "");
		if (is_body) {
			assert_content(world, "letter.pdf", "a new body");
			assert_content(world, "letter.yaml", "sidecar");
			assert_int_equal(count_in(world, "done/" DAY), 0);
		} else {
			assert_content(world, "letter.yaml", "a new sidecar");
			assert_content(world, "done/" DAY "/letter.pdf", "body");
		}
		start_again(state);
	}
}

static void a_sidecar_that_is_gone_does_not_hold_its_body(void **state)
{
	struct world *world = *state;
	struct drop_file *file = hand_over_pair(world);

	assert_int_equal(unlink(in(world, "letter.yaml")), 0);
	take_pair(file, "");
	assert_content(world, "done/" DAY "/letter.pdf", "body");
	assert_int_equal(count_in(world, "done/" DAY), 1);
	assert_folder_is_empty(world);
}

/* ---- after a crash ---- */

/* Dead before the second step: the sidecar has two names, the body is where it was. */
static void a_move_cut_before_the_body_moved_is_done_again(void **state)
{
	struct world *world = *state;
	struct drop_file *file = hand_over_pair(world);

	assert_int_equal(mkdir(in(world, "done/" DAY), 0700), 0);
	assert_int_equal(link(in(world, "letter.yaml"), in(world, "done/" DAY "/letter.yaml")), 0);
	take_pair(file, "");
	assert_moved(world, "done", "letter");
	assert_int_equal(count_in(world, "done/" DAY), 2);
	assert_folder_is_empty(world);
}

static void move_the_body(struct world *world, const char *folder, const char *stem)
{
	char to[64];

	snprintf(to, sizeof(to), "%s/%s.pdf", folder, stem);
	assert_int_equal(rename(in(world, "letter.pdf"), in(world, to)), 0);
	snprintf(to, sizeof(to), "%s/%s.yaml", folder, stem);
	assert_int_equal(link(in(world, "letter.yaml"), in(world, to)), 0);
}

static struct drop_file *hand_over_sidecar(struct world *world)
{
	world->settings.companion_wait_ms = 100;
	open_drop(world);
	until(world, world->handed == 1);
	assert_handed(world, 0, "letter.yaml");
	return world->files[0];
}

/* Dead before the third step. */
static void a_move_cut_after_the_body_moved_is_finished(void **state)
{
	static const char *const folders[] = { "done/" DAY, "rejected/" DAY, "done" };

	for (size_t i = 0; i < length_of(folders); i++) {
		struct world *world = *state;
		struct drop_file *file;
		struct err err = { 0 };
		bool finished = false;

		assert_int_equal(drop_prepare(&world->settings, &err), 0);
		mkdir(in(world, folders[i]), 0700);
		write_file(world, "letter.pdf", "body");
		write_file(world, "letter.yaml", "sidecar");
		move_the_body(world, folders[i], "letter-2");
		file = hand_over_sidecar(world);
		assert_int_equal(drop_finish(file, &finished, &err), 0);
		assert_true(finished);
		assert_folder_is_empty(world);
		assert_int_equal(count_in(world, folders[i]), 2);
		take_pair(file, ""); /* nothing is left to move */
		assert_folder_is_empty(world);
		start_again(state);
	}
}

static void a_sidecar_that_came_alone_is_not_taken_for_one(void **state)
{
	struct world *world = *state;
	struct drop_file *file;
	struct err err = { 0 };
	bool finished = true;

	write_file(world, "letter.yaml", "sidecar");
	assert_int_equal(link(in(world, "letter.yaml"), in(world, ".kept")), 0); /* its sender's */
	file = hand_over_sidecar(world);
	assert_int_equal(drop_finish(file, &finished, &err), 0);
	assert_false(finished);
	assert_content(world, "letter.yaml", "sidecar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_pair_is_handed_over_as_one_whichever_comes_first),
		test(a_pair_waits_until_both_are_whole),
		test(endings_may_be_in_capitals),
		test(other_files_do_not_wait),
		test(a_sidecar_describes_one_body),
		test(a_file_that_waited_in_vain_is_handed_over_alone),
		test(a_pair_that_could_not_be_dealt_with_comes_again_as_a_pair),
		test(a_pair_in_flight_outlives_the_folder),
		test(both_move_under_one_name_with_or_without_links),
		test(both_are_rejected_with_one_explanation),
		test(both_are_deleted_where_that_is_wanted),
		test(a_name_taken_by_either_gives_both_a_number),
		test(what_is_new_stays),
		test(a_sidecar_that_is_gone_does_not_hold_its_body),
		test(a_move_cut_before_the_body_moved_is_done_again),
		test(a_move_cut_after_the_body_moved_is_finished),
		test(a_sidecar_that_came_alone_is_not_taken_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
