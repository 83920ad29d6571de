/* The drop folder: what is whole and whose turn it is, with real files in a temporary folder, real
 * workers and the real loop.
 */
#include "drop_world.h"

static int set_up(void **state)
{
	return world_set_up(state);
}

static int tear_down(void **state)
{
	return world_tear_down(state);
}

static void start_again(void **state)
{
	tear_down(state);
	set_up(state);
}

/* ---- when a file is whole ---- */

static void a_file_renamed_into_place_is_whole_at_once(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = HOUR_MS;
	open_drop(world);
	put_file(world, "letter.xml", "<a/>");
	until(world, world->handed == 1);
	assert_handed(world, 0, "letter.xml");
	assert_true(figures(world).last_file_ms > 0);
}

/* Changes a file ten times. It is not handed over before the last change is settle_ms old. */
static void assert_left_while_it_changes(struct world *world, void (*change)(struct world *world))
{
	const size_t before = world->handed;
	int64_t changed_ms = 0;

	for (int i = 0; i < 10 && world->handed == before; i++) {
		changed_ms = clock_monotonic_ms();
		change(world);
		turn_for(world, 40);
	}
	until(world, world->handed > before);
	assert_true(clock_monotonic_ms() - changed_ms >= world->settings.settle_ms);
}

static void be_rewritten(struct world *world)
{
	write_file(world, "letter.xml", "<a/>");
}

/* By another file of the same size and time, and not by renaming that. */
static void be_relinked(struct world *world)
{
	unlink(in(world, ".new"));
	write_file(world, ".new", "<a/>");
	date_file(world, ".new", LONG_AGO_S);
	unlink(in(world, "letter.xml"));
	assert_int_equal(link(in(world, ".new"), in(world, "letter.xml")), 0);
}

static void a_file_being_written_is_left_until_it_has_settled(void **state)
{
	static void (*const changes[])(struct world *) = { grow, grow_within_its_time, be_rewritten,
							   be_relinked };

	for (size_t i = 0; i < length_of(changes); i++) {
		struct world *world = *state;

		world->settings.settle_ms = 200;
		world->settings.scan_ms = 20;
		open_drop(world);
		assert_left_while_it_changes(world, changes[i]);
		start_again(state);
	}
}

static void a_file_renamed_into_place_and_then_written_has_to_settle(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = 200;
	world->settings.scan_ms = 20;
	open_drop(world);
	put_file(world, "letter.xml", "<a/>");
	until(world, world->handed == 1);
	settle(world, 0, true);
	assert_left_while_it_changes(world, grow);
}

static void files_there_at_the_start_are_taken(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = 50;
	write_file(world, "one.xml", "1");
	write_file(world, "two.xml", "2");
	open_drop(world);
	until(world, world->handed == 2);
}

static void a_file_of_which_nobody_told_is_found_by_looking(void **state)
{
	struct world *world = *state;

	world->settings.scan_ms = 50;
	write_file(world, ".hidden", "<a/>");
	open_drop(world);
	turn_for(world, 100);
	/* a new link is neither written nor renamed: inotify has no word of it that we ask for */
	assert_int_equal(link(in(world, ".hidden"), in(world, "letter.xml")), 0);
	until(world, world->handed == 1);
}

static void names_of_files_that_are_not_ours_to_take_are_ignored(void **state)
{
	static const char *const names[] = {
		".letter.xml", "letter.tmp",  "letter.xml.tmp",    "letter.part",
		"letter.TMP",  "letter.Part", "letter.error.yaml", "batch.result.yaml",
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(names); i++)
		write_file(world, names[i], "<a/>");
	open_drop(world);
	write_file(world, "done/old.xml", "<a/>");
	put_file(world, "letter.yaml", "a: b"); /* a sidecar is */
	until(world, world->handed == 1);
	assert_handed(world, 0, "letter.yaml");
	turn_for(world, 100);
	assert_int_equal(world->handed, 1);
	assert_int_equal(figures(world).waiting, 0);
}

static void what_is_no_regular_file_stays_where_it_is(void **state)
{
	struct world *world = *state;

	write_file(world, ".target", "<a/>");
	assert_int_equal(symlink(".target", in(world, "link.xml")), 0);
	assert_int_equal(mkfifo(in(world, "pipe.xml"), 0600), 0);
	assert_int_equal(mkdir(in(world, "folder.xml"), 0700), 0);
	open_drop(world);
	put_file(world, "letter.xml", "<a/>");
	until(world, world->handed == 1);
	assert_handed(world, 0, "letter.xml");
	assert_int_equal(figures(world).waiting, 0);
	assert_true(is_there(world, "link.xml"));
	assert_true(is_there(world, "pipe.xml"));
	assert_true(is_there(world, "folder.xml"));
}

static void a_name_may_hold_any_bytes(void **state)
{
	static const char name[] = " a\n<3>forged\xff\x1b[2J\\.xml";
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, name, "<a/>");
	assert_handed(world, 0, name);
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), 0);
	assert_int_equal(count_in(world, "done/" DAY), 1);
}

/* ---- whose turn it is ---- */

static void files_come_oldest_first_then_by_name(void **state)
{
	static const struct {
		const char *name;
		time_t seconds;
	} files[] = {
		{ "newest.xml", 1700000300 },   { "b.xml", 1700000200 },
		{ "a.xml", 1700000200 },        { "c.xml", 1700000200 },
		{ "oldest.xml", 1700000100 },   { "B.xml", 1700000200 },
		{ "before 1970.xml", -100000 },
	};
	static const char *const order[] = { "before 1970.xml", "oldest.xml", "B.xml",     "a.xml",
					     "b.xml",           "c.xml",      "newest.xml" };
	struct world *world = *state;

	for (size_t i = 0; i < length_of(files); i++) {
		write_file(world, files[i].name, "<a/>");
		date_file(world, files[i].name, files[i].seconds);
	}
	open_drop(world);
	until(world, world->handed == length_of(files));
	for (size_t i = 0; i < length_of(order); i++)
		assert_handed(world, i, order[i]);
}

static void no_more_files_are_handed_over_than_may_be_in_flight(void **state)
{
	struct world *world = *state;

	world->settings.most_in_flight = 2;
	for (char name[] = "a.xml"; name[0] <= 'e'; name[0]++) {
		write_file(world, name, "<a/>");
		date_file(world, name, 1700000000);
	}
	open_drop(world);
	until(world, world->handed == 2);
	turn_for(world, 50);
	assert_int_equal(world->handed, 2);
	assert_int_equal(figures(world).in_flight, 2);
	assert_int_equal(figures(world).waiting, 3);
	settle(world, 1, false);
	until(world, world->handed == 3);
	assert_handed(world, 2, "c.xml");
	assert_int_equal(figures(world).in_flight, 2);
	assert_int_equal(figures(world).waiting, 2);
}

static void a_parked_file_makes_room_for_the_next(void **state)
{
	struct world *world = *state;

	world->settings.most_in_flight = 1;
	for (char name[] = "a.xml"; name[0] <= 'c'; name[0]++) {
		write_file(world, name, "<a/>");
		date_file(world, name, 1700000000);
	}
	open_drop(world);
	until(world, world->handed == 1);
	drop_park(world->files[0]);
	until(world, world->handed == 2);
	assert_int_equal(figures(world).in_flight, 1);
	assert_int_equal(figures(world).waiting, 2); /* the parked one, and the last */
	turn_for(world, 50);
	assert_int_equal(world->handed, 2);
	settle(world, 0, false);
	assert_int_equal(figures(world).in_flight, 1);
	settle(world, 1, false);
	until(world, world->handed == 3);
	assert_handed(world, 2, "c.xml");
}

/* As what cannot be moved: else a conversion that takes the last memory would take it for ever. */
static void a_file_settled_for_later_comes_ever_more_rarely(void **state)
{
	struct world *world = *state;
	int64_t settled_ms;

	world->settings.scan_ms = 100;
	hand_over(world, "letter.xml", "<a/>");
	for (size_t i = 0; i < 3; i++) {
		settled_ms = clock_monotonic_ms();
		drop_settle_later(world->files[i]);
		world->files[i] = NULL;
		until(world, world->handed == i + 2);
	}
	assert_true(clock_monotonic_ms() - settled_ms >= 300); /* 400, give or take a quarter */
}

static void a_file_is_handed_over_once_while_it_is_in_flight(void **state)
{
	struct world *world = *state;

	world->settings.scan_ms = 20;
	hand_over(world, "letter.xml", "<a/>");
	append(world, "letter.xml", "<b/>");
	turn_for(world, 200);
	assert_int_equal(world->handed, 1);
}

static void a_new_file_under_the_name_of_one_in_flight_comes_after_it(void **state)
{
	struct world *world = *state;
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };
	struct drop_file *file = hand_over(world, "letter.xml", "<old/>");

	world->settings.settle_ms = HOUR_MS;
	put_file(world, "letter.xml", "<new/>");
	turn_for(world, 50);
	assert_int_equal(world->handed, 1);
	assert_int_equal(drop_accept(file, NOON_MS, slice_of(""), &err), 0);
	assert_content(world, "letter.xml", "<new/>");
	settle(world, 0, false);
	until(world, world->handed == 2);
	assert_int_equal(drop_read(world->files[1], &bytes, &err), 0);
	assert_string_equal(bytes.p, "<new/>");
}

static void a_file_that_could_not_be_dealt_with_comes_again_at_a_later_scan(void **state)
{
	struct world *world = *state;
	int64_t settled_ms;

	world->settings.scan_ms = 200;
	hand_over(world, "letter.xml", "<a/>");
	settled_ms = clock_monotonic_ms();
	settle(world, 0, true);
	assert_int_equal(figures(world).waiting, 1);
	put_file(world, "other.xml", "<b/>"); /* other scans do not bring it back sooner */
	until(world, world->handed == 2);
	assert_handed(world, 1, "other.xml");
	until(world, world->handed == 3);
	assert_handed(world, 2, "letter.xml");
	assert_true(clock_monotonic_ms() - settled_ms >= 200);
	assert_int_equal(figures(world).taken, 0);
}

static void a_file_that_is_gone_does_not_come_again(void **state)
{
	struct world *world = *state;

	world->settings.scan_ms = 50;
	hand_over(world, "letter.xml", "<a/>");
	assert_int_equal(unlink(in(world, "letter.xml")), 0);
	settle(world, 0, true);
	turn_for(world, 300);
	assert_int_equal(world->handed, 1);
	assert_int_equal(figures(world).waiting, 0);
}

static void a_file_that_changed_while_in_flight_comes_again_as_soon_as_it_has_settled(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = 50;
	hand_over(world, "letter.xml", "<a/>");
	grow(world);
	turn_for(world, 50);
	settle(world, 0, true);
	until(world, world->handed == 2); /* in less than scan_ms */
}

static void a_file_taken_while_a_scan_runs_does_not_come_again(void **state)
{
	struct world *world = *state;
	struct pollfd posted = { .fd = mailbox_fd(world->mailbox), .events = POLLIN };
	struct err err = { 0 };

	world->settings.scan_ms = 20;
	hand_over(world, "letter.xml", "<a/>");
	event_del(world->posted);
	until(world, poll(&posted, 1, 0) == 1); /* a scan has seen the file, and waits to say so */
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), 0);
	settle(world, 0, false);
	event_add(world->posted, NULL);
	turn_for(world, 100);
	assert_int_equal(world->handed, 1);
	assert_int_equal(figures(world).waiting, 0);
}

static void closing_hands_over_no_more(void **state)
{
	struct world *world = *state;

	world->settings.most_in_flight = 1;
	write_file(world, "a.xml", "<a/>");
	write_file(world, "b.xml", "<b/>");
	open_drop(world);
	until(world, world->handed == 1);
	drop_close(world->drop);
	settle(world, 0, false);
	put_file(world, "c.xml", "<c/>");
	turn_for(world, 100);
	assert_int_equal(world->handed, 1);
}

static void files_in_flight_outlive_the_folder(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, "letter.xml", "<a/>");
	drop_free(&world->drop);
	assert_null(world->drop);
	assert_string_equal(world->files[0]->name, "letter.xml");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), 0);
	settle(world, 0, false);
	assert_true(is_there(world, "done/" DAY "/letter.xml"));
}

static void the_folder_may_be_freed_while_a_scan_runs(void **state)
{
	struct world *world = *state;

	open_drop(world);
	event_base_loop(world->loop, EVLOOP_ONCE);
	drop_free(&world->drop);
	assert_null(world->drop);
}

static void a_thousand_files_are_each_taken_once(void **state)
{
	enum { FILES = 1000 };
	struct world *world = *state;
	char name[32];

	world->takes_all = true;
	world->settings.most_in_flight = 16;
	world->settings.settle_ms = HOUR_MS;
	open_drop(world);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "letter %d.xml", i);
		put_file(world, name, "<a/>");
		if (i % 10 == 0)
			event_base_loop(world->loop, EVLOOP_NONBLOCK);
	}
	until(world, world->dealt_with == FILES);
	turn_for(world, 100);
	assert_int_equal(world->handed, FILES);
	assert_int_equal(figures(world).taken, FILES);
	assert_int_equal(figures(world).in_flight, 0);
	assert_int_equal(figures(world).waiting, 0);
	assert_int_equal(count_in(world, "done/" DAY), FILES);
	assert_int_equal(count_in(world, "."), 2);
}

/* ---- the folder itself ---- */

static void done_and_rejected_are_made_at_the_start(void **state)
{
	struct world *world = *state;
	struct stat stat;

	open_drop(world);
	assert_int_equal(lstat(in(world, "done"), &stat), 0);
	assert_int_equal(stat.st_mode & (S_IFMT | S_IRWXO | S_IWGRP), S_IFDIR);
	assert_int_equal(lstat(in(world, "rejected"), &stat), 0);
	assert_int_equal(stat.st_mode & (S_IFMT | S_IRWXO | S_IWGRP), S_IFDIR);
}

static void refuse_to_open(struct world *world, const char *text)
{
	struct err err = { 0 };

	assert_int_equal(drop_new(&world->drop, world->loop, world->workers, &world->settings,
				  on_file, world, &err),
			 -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, world->settings.path));
	if (strstr(err.text, text) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, text);
	assert_null(world->drop);
}

static void a_folder_that_cannot_be_used_is_refused_at_the_start(void **state)
{
	struct world *world = *state;

	world->settings.path = "/nonexistent/folder";
	refuse_to_open(world, "No such file");
	world->settings.path = world->path;
	write_file(world, "rejected", "in the way");
	refuse_to_open(world, "rejected");
	assert_int_equal(unlink(in(world, "rejected")), 0);
	assert_int_equal(rmdir(in(world, "done")), 0);
	assert_int_equal(symlink("/tmp", in(world, "done")),
			 0); /* files must not leave the folder */
	refuse_to_open(world, "done");
}

static void trouble_is_said_while_the_folder_cannot_be_read(void **state)
{
	struct world *world = *state;
	char away[80];

	world->settings.scan_ms = 20;
	snprintf(away, sizeof(away), "%s.away", world->path);
	open_drop(world);
	turn_for(world, 50);
	assert_string_equal(figures(world).trouble, "");
	assert_int_equal(rename(world->path, away), 0);
	until(world, figures(world).trouble[0] != '\0');
	assert_non_null(strstr(figures(world).trouble, "No such file"));
	assert_int_equal(rename(away, world->path), 0);
	until(world, figures(world).trouble[0] == '\0');
	put_file(world, "letter.xml", "<a/>");
	until(world, world->handed == 1);
}

static void another_folder_under_the_path_is_watched_in_its_turn(void **state)
{
	struct world *world = *state;
	char away[80];

	world->settings.settle_ms = HOUR_MS;
	world->settings.scan_ms = 20;
	snprintf(away, sizeof(away), "%s.away", world->path);
	open_drop(world);
	turn_for(world, 50);
	assert_int_equal(rename(world->path, away), 0);
	assert_int_equal(mkdir(world->path, 0700), 0);
	turn_for(world, 200);
	put_file(world, "letter.xml", "<a/>");
	until(world, world->handed == 1);
	nftw(away, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_renamed_into_place_is_whole_at_once),
		test(a_file_being_written_is_left_until_it_has_settled),
		test(a_file_renamed_into_place_and_then_written_has_to_settle),
		test(files_there_at_the_start_are_taken),
		test(a_file_of_which_nobody_told_is_found_by_looking),
		test(names_of_files_that_are_not_ours_to_take_are_ignored),
		test(what_is_no_regular_file_stays_where_it_is),
		test(a_name_may_hold_any_bytes),
		test(files_come_oldest_first_then_by_name),
		test(no_more_files_are_handed_over_than_may_be_in_flight),
		test(a_parked_file_makes_room_for_the_next),
		test(a_file_settled_for_later_comes_ever_more_rarely),
		test(a_file_is_handed_over_once_while_it_is_in_flight),
		test(a_new_file_under_the_name_of_one_in_flight_comes_after_it),
		test(a_file_that_could_not_be_dealt_with_comes_again_at_a_later_scan),
		test(a_file_that_is_gone_does_not_come_again),
		test(a_file_that_changed_while_in_flight_comes_again_as_soon_as_it_has_settled),
		test(a_file_taken_while_a_scan_runs_does_not_come_again),
		test(closing_hands_over_no_more),
		test(files_in_flight_outlive_the_folder),
		test(the_folder_may_be_freed_while_a_scan_runs),
		test(a_thousand_files_are_each_taken_once),
		test(done_and_rejected_are_made_at_the_start),
		test(a_folder_that_cannot_be_used_is_refused_at_the_start),
		test(trouble_is_said_while_the_folder_cannot_be_read),
		test(another_folder_under_the_path_is_watched_in_its_turn),
	};

	setenv("TZ", "Europe/Paris", 1); /* the day in done/DATE is the local one */
	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
