/* One file of a drop folder, read and moved aside, on file systems of every mood. */
#include "drop_world.h"

/* ---- the moods of file systems ---- */

static struct {
	bool without_noreplace, without_links;
	int rename_errno;                                  /* not 0: no file can be moved */
	void (*before_rename)(void), (*after_fstat)(void); /* once */
} disk;

static void happen(void (**what)(void))
{
	void (*once)(void) = *what;

	if (once != NULL) {
		*what = NULL;
		once();
	}
}

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	happen(&disk.before_rename);
	errno = disk.rename_errno;
	if (disk.without_noreplace && flags != 0)
		errno = EINVAL;
	if (errno != 0)
		return -1;
	return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

int fstat(int fd, struct stat *found)
{
	int done = fstatat(fd, "", found, AT_EMPTY_PATH);

	happen(&disk.after_fstat);
	return done;
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
	return world_set_up(state);
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

/* ---- reading ---- */

static void a_file_is_read_whole(void **state)
{
	struct world *world = *state;
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };

	hand_over(world, "letter.xml", "<a>whole</a>");
	assert_int_equal(drop_read(world->files[0], &bytes, &err), 0);
	assert_string_equal(bytes.p, "<a>whole</a>");
	assert_int_equal(bytes.n, 12);
}

static void an_empty_file_is_read_too(void **state)
{
	struct world *world = *state;
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };

	hand_over(world, "letter.xml", "");
	assert_int_equal(drop_read(world->files[0], &bytes, &err), 0);
	assert_int_equal(bytes.n, 0);
}

static void a_file_at_the_limit_of_size_is_read_and_one_past_it_refused(void **state)
{
	struct world *world = *state;
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };

	world->settings.most_file_bytes = 4;
	hand_over(world, "letter.xml", "1234");
	assert_int_equal(drop_read(world->files[0], &bytes, &err), 0);
	put_file(world, "other.xml", "12345");
	until(world, world->handed == 2);
	assert_int_equal(drop_read(world->files[1], &bytes, &err), -1);
	assert_int_equal(err.kind, ERR_REJECT);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
	assert_string_equal(bytes.p, "1234");
}

static void vanish(struct world *world)
{
	assert_int_equal(unlink(in(world, "letter.xml")), 0);
}

static void be_touched(struct world *world)
{
	date_file(world, "letter.xml", 1700000000);
}

static void be_replaced(struct world *world)
{
	struct stat stat;

	write_file(world, ".new", "<b/>");
	assert_int_equal(lstat(in(world, "letter.xml"), &stat), 0);
	assert_int_equal(utimensat(AT_FDCWD, in(world, ".new"),
				   (struct timespec[]){ stat.st_mtim, stat.st_mtim }, 0),
			 0);
	assert_int_equal(rename(in(world, ".new"), in(world, "letter.xml")), 0);
}

static void shrink(struct world *world)
{
	assert_int_equal(truncate(in(world, "letter.xml"), 1), 0);
}

static void become_a_link(struct world *world)
{
	write_file(world, ".target", "<a/>");
	vanish(world);
	assert_int_equal(symlink(".target", in(world, "letter.xml")), 0);
}

static void become_a_pipe(struct world *world)
{
	vanish(world);
	assert_int_equal(mkfifo(in(world, "letter.xml"), 0600), 0);
}

static void become_a_folder(struct world *world)
{
	vanish(world);
	assert_int_equal(mkdir(in(world, "letter.xml"), 0700), 0);
}

/* What may have happened to a file since it was seen. */
static const struct fate {
	void (*happen)(struct world *world);
	enum err_kind read_kind;
	bool leaves_something;
} fates[] = {
	{ vanish, ERR_RETRY, false },          { grow, ERR_RETRY, true },
	{ shrink, ERR_RETRY, true },           { grow_within_its_time, ERR_RETRY, true },
	{ be_touched, ERR_RETRY, true },       { be_replaced, ERR_RETRY, true },
	{ become_a_link, ERR_REJECT, true },   { become_a_pipe, ERR_REJECT, true },
	{ become_a_folder, ERR_REJECT, true },
};

static void a_file_that_is_not_what_was_seen_is_not_read(void **state)
{
	for (size_t i = 0; i < length_of(fates); i++) {
		struct world *world = *state;
		struct buf bytes = { 0 };
		struct err err = { 0 };

		hand_over(world, "letter.xml", "<a/>");
		fates[i].happen(world);
		assert_int_equal(drop_read(world->files[0], &bytes, &err), -1);
		assert_int_equal(err.kind, fates[i].read_kind);
		assert_null(bytes.p);
		start_again(state);
	}
}

static struct world *disturbed;

static void grow_now(void)
{
	grow(disturbed);
}

static void shrink_now(void)
{
	shrink(disturbed);
}

static void be_touched_now(void)
{
	be_touched(disturbed);
}

static void a_file_that_changes_while_it_is_read_is_not_taken(void **state)
{
	static void (*const changes[])(void) = { grow_now, shrink_now, be_touched_now };

	for (size_t i = 0; i < length_of(changes); i++) {
		struct world *world = *state;
		struct buf bytes = { 0 };
		struct err err = { 0 };

		disturbed = world;
		hand_over(world, "letter.xml", "<a/>");
		disk.after_fstat = changes[i]; /* it has been opened, and found to be as it was */
		assert_int_equal(drop_read(world->files[0], &bytes, &err), -1);
		assert_int_equal(err.kind, ERR_RETRY);
		assert_null(bytes.p);
		start_again(state);
	}
}

/* ---- moving aside ---- */

static void a_file_that_was_taken_moves_to_done(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, "letter.xml", "<a/>");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), 0);
	assert_false(is_there(world, "letter.xml"));
	assert_content(world, "done/" DAY "/letter.xml", "<a/>");
	assert_int_equal(figures(world).taken, 0);
	settle(world, 0, false);
	assert_int_equal(figures(world).taken, 1);
	assert_int_equal(figures(world).rejected, 0);
	assert_int_equal(figures(world).in_flight, 0);
}

static void a_taken_file_moves_with_its_result(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, "batch.hl7", "FHS");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of("messages: []\n"), &err),
			 0);
	assert_content(world, "done/" DAY "/batch.hl7", "FHS");
	assert_content(world, "done/" DAY "/batch.result.yaml", "messages: []\n");
	assert_int_equal(count_in(world, "done/" DAY), 2);
	settle(world, 0, false);
	assert_int_equal(figures(world).taken, 1);
}

static void the_result_goes_away_with_its_file(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.delete_when_done = true;
	hand_over(world, "batch.hl7", "FHS");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of("messages: []\n"), &err),
			 0);
	assert_false(is_there(world, "batch.hl7"));
	assert_int_equal(count_in(world, "done"), 0);
}

static void a_file_that_was_taken_is_deleted_by_key(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.delete_when_done = true;
	hand_over(world, "letter.xml", "<a/>");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), 0);
	assert_false(is_there(world, "letter.xml"));
	assert_int_equal(count_in(world, "done"), 0);
}

static void a_rejected_file_moves_with_its_explanation(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, "letter.xml", "<a/>");
	assert_int_equal(drop_reject(world->files[0], NOON_MS, slice_of("errors: []\n"), &err), 0);
	assert_false(is_there(world, "letter.xml"));
	assert_content(world, "rejected/" DAY "/letter.xml", "<a/>");
	assert_content(world, "rejected/" DAY "/letter.error.yaml", "errors: []\n");
	assert_int_equal(count_in(world, "rejected/" DAY), 2);
	settle(world, 0, false);
	assert_int_equal(figures(world).rejected, 1);
	assert_int_equal(figures(world).taken, 0);
}

static void a_name_taken_in_done_gets_a_number(void **state)
{
	static const char *const moved[] = { "letter.xml", "letter-2.xml", "letter-3.xml" };
	struct world *world = *state;
	struct err err = { 0 };

	open_drop(world);
	for (size_t i = 0; i < length_of(moved); i++) {
		put_file(world, "letter.xml", moved[i]);
		until(world, world->handed == i + 1);
		assert_int_equal(drop_accept(world->files[i], NOON_MS, slice_of(""), &err), 0);
		settle(world, i, false);
	}
	assert_content(world, "done/" DAY "/letter.xml", "letter.xml");
	assert_content(world, "done/" DAY "/letter-2.xml", "letter-2.xml");
	assert_content(world, "done/" DAY "/letter-3.xml", "letter-3.xml");
}

static void a_rejected_file_and_its_explanation_share_a_number(void **state)
{
	static const struct {
		const char *name, *moved, *explanation;
	} files[] = {
		{ "letter.xml", "letter.xml", "letter.error.yaml" },
		{ "letter.xml", "letter-2.xml", "letter-2.error.yaml" },
		{ "letter.pdf", "letter-3.pdf", "letter-3.error.yaml" }, /* its note is taken */
		{ "letter", "letter-4", "letter-4.error.yaml" },
		{ "other.a.b", "other.a.b", "other.a.error.yaml" },
		{ "taken.xml", "taken-2.xml", "taken-2.error.yaml" }, /* the file's name is taken */
	};
	struct world *world = *state;
	struct err err = { 0 };
	char path[PATH_MAX];

	open_drop(world);
	assert_int_equal(mkdir(in(world, "rejected/" DAY), 0700), 0);
	write_file(world, "rejected/" DAY "/taken.xml", "old");
	for (size_t i = 0; i < length_of(files); i++) {
		put_file(world, files[i].name, files[i].moved);
		until(world, world->handed == i + 1);
		assert_int_equal(
			drop_reject(world->files[i], NOON_MS, slice_of(files[i].explanation), &err),
			0);
		settle(world, i, false);
		snprintf(path, sizeof(path), "rejected/" DAY "/%s", files[i].moved);
		assert_content(world, path, files[i].moved);
		snprintf(path, sizeof(path), "rejected/" DAY "/%s", files[i].explanation);
		assert_content(world, path, files[i].explanation);
	}
	assert_content(world, "rejected/" DAY "/taken.xml", "old");
	assert_int_equal(count_in(world, "rejected/" DAY), 2 * length_of(files) + 1);
}

static void a_name_too_long_for_its_number_is_cut_between_two_characters(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };
	char name[NAME_MAX + 1] = "", expected[PATH_MAX];

	strcpy(name, "x");
	for (size_t i = 0; i < 125; i++)
		strcat(name, "\xc3\xa9");
	strcat(name, ".xml"); /* 255 bytes */
	hand_over(world, name, "<a/>");
	assert_int_equal(drop_reject(world->files[0], NOON_MS, slice_of("why"), &err), 0);
	snprintf(expected, sizeof(expected), "rejected/" DAY "/%.243s.error.yaml", name);
	assert_content(world, expected, "why");
	snprintf(expected, sizeof(expected), "rejected/" DAY "/%s", name);
	assert_content(world, expected, "<a/>");
}

static void must_not_happen(void)
{
	fail_msg("something was moved");
}

static void what_took_the_place_of_a_file_is_left_to_be_taken_in_its_turn(void **state)
{
	for (size_t i = 0; i < 2 * length_of(fates); i++) {
		const struct fate *fate = &fates[i / 2];
		const bool accepted = i % 2;
		struct world *world = *state;
		struct err err = { 0 };

		hand_over(world, "letter.xml", "<a/>");
		fate->happen(world);
		disk.before_rename = must_not_happen;
		if (accepted)
			assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err),
					 0);
		else
			assert_int_equal(
				drop_reject(world->files[0], NOON_MS, slice_of("why"), &err), 0);
		assert_int_equal(is_there(world, "letter.xml"), fate->leaves_something);
		assert_int_equal(count_in(world, accepted ? "done/" DAY : "rejected/" DAY), 0);
		start_again(state);
	}
}

static void vanish_now(void)
{
	vanish(disturbed);
}

static void be_replaced_now(void)
{
	be_replaced(disturbed);
}

enum way { TAKE, TAKE_AND_DELETE, REJECT, WAYS };

static void move_while(struct world *world, enum way way, void (*change)(void))
{
	struct err err = { 0 };
	struct drop_file *file;

	disturbed = world;
	world->settings.delete_when_done = way == TAKE_AND_DELETE;
	file = hand_over(world, "letter.xml", "<a/>");
	disk.before_rename = change;
	assert_int_equal(way == REJECT ? drop_reject(file, NOON_MS, slice_of("why"), &err)
				       : drop_accept(file, NOON_MS, slice_of(""), &err),
			 0);
	assert_int_equal(count_in(world, "done/" DAY) + count_in(world, "rejected/" DAY), 0);
}

static void what_took_its_place_at_the_last_moment_is_put_back(void **state)
{
	static const struct {
		void (*change)(void);
		const char *left;
	} cases[] = { { be_replaced_now, "<b/>" }, { grow_now, "<a/><a/>" } };

	for (size_t i = 0; i < length_of(cases); i++) {
		for (enum way way = 0; way < WAYS; way++) {
			move_while(*state, way, cases[i].change);
			assert_content(*state, "letter.xml", cases[i].left);
			start_again(state);
		}
	}
}

static void a_file_that_vanishes_at_the_last_moment_is_no_error(void **state)
{
	for (enum way way = 0; way < WAYS; way++) {
		move_while(*state, way, vanish_now);
		start_again(state);
	}
}

static void a_file_that_cannot_be_moved_stays_and_leaves_no_explanation(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	hand_over(world, "letter.xml", "<a/>");
	disk.rename_errno = EROFS;
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(drop_reject(world->files[0], NOON_MS, slice_of("why"), &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_content(world, "letter.xml", "<a/>");
	assert_int_equal(count_in(world, "rejected/" DAY), 0);
	disk.rename_errno = 0;
	assert_int_equal(drop_reject(world->files[0], NOON_MS, slice_of("why"), &err), 0);
	assert_content(world, "rejected/" DAY "/letter.error.yaml", "why");
}

static void a_file_that_cannot_be_moved_comes_again_ever_more_rarely(void **state)
{
	struct world *world = *state;

	world->takes_all = true;
	world->settings.scan_ms = 20;
	open_drop(world);
	disk.rename_errno = EROFS;
	put_file(world, "letter.xml", "<a/>");
	turn_for(world,
		 1000); /* 20 ms and its doubles, less a quarter at most: six fit, not fifty */
	assert_in_range(world->handed, 3, 8);
	disk.rename_errno = 0;
	until(world, world->dealt_with == 1);
	assert_true(is_there(world, "done"));
	assert_false(is_there(world, "letter.xml"));
}

static void once_one_file_can_be_moved_the_others_are_tried_at_once(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.scan_ms = 200;
	hand_over(world, "first.xml", "<a/>");
	put_file(world, "second.xml", "<b/>");
	until(world, world->handed == 2);
	disk.rename_errno = EROFS;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(drop_accept(world->files[i], NOON_MS, slice_of(""), &err), -1);
	settle(world, 0, true);
	until(world, world->handed == 3);
	assert_handed(world, 2, "first.xml");
	disk.rename_errno = 0;
	assert_int_equal(drop_accept(world->files[2], NOON_MS, slice_of(""), &err), 0);
	world->settings.scan_ms = HOUR_MS;
	settle(world, 1, true);
	settle(world, 2, false);
	until(world, world->handed == 4);
	assert_handed(world, 3, "second.xml");
}

static void file_systems_that_can_do_less_move_files_too(void **state)
{
	for (int links = 0; links < 2; links++) {
		struct world *world = *state;
		struct err err = { 0 };

		disk.without_noreplace = true;
		disk.without_links = !links;
		open_drop(world);
		for (size_t i = 0; i < 4; i++) {
			put_file(world, "letter.xml", i % 2 ? "second" : "first");
			until(world, world->handed == i + 1);
			if (i < 2)
				assert_int_equal(
					drop_accept(world->files[i], NOON_MS, slice_of(""), &err),
					0);
			else
				assert_int_equal(drop_reject(world->files[i], NOON_MS,
							     slice_of("why"), &err),
						 0);
			settle(world, i, false);
			assert_false(is_there(world, "letter.xml"));
		}
		assert_content(world, "done/" DAY "/letter.xml", "first");
		assert_content(world, "done/" DAY "/letter-2.xml", "second");
		assert_content(world, "rejected/" DAY "/letter.xml", "first");
		assert_content(world, "rejected/" DAY "/letter-2.xml", "second");
		assert_content(world, "rejected/" DAY "/letter-2.error.yaml", "why");
		assert_int_equal(count_in(world, "rejected/" DAY), 4);
		start_again(state);
	}
}

static void a_folder_that_cannot_be_written_leaves_the_file_for_later(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.scan_ms = 50;
	hand_over(world, "letter.xml", "<a/>");
	assert_int_equal(rmdir(in(world, "done")), 0);
	assert_int_equal(rmdir(in(world, "rejected")), 0);
	write_file(world, "done", "in the way");
	write_file(world, "rejected", "in the way");
	assert_int_equal(drop_accept(world->files[0], NOON_MS, slice_of(""), &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(drop_reject(world->files[0], NOON_MS, slice_of("why"), &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_content(world, "letter.xml", "<a/>");

	settle(world, 0, true);
	assert_int_equal(unlink(in(world, "done")), 0);
	until(world, world->handed == 2);
	assert_int_equal(drop_accept(world->files[1], NOON_MS, slice_of(""), &err), 0);
	assert_content(world, "done/" DAY "/letter.xml", "<a/>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_is_read_whole),
		test(an_empty_file_is_read_too),
		test(a_file_at_the_limit_of_size_is_read_and_one_past_it_refused),
		test(a_file_that_is_not_what_was_seen_is_not_read),
		test(a_file_that_changes_while_it_is_read_is_not_taken),
		test(a_file_that_was_taken_moves_to_done),
		test(a_taken_file_moves_with_its_result),
		test(the_result_goes_away_with_its_file),
		test(a_file_that_was_taken_is_deleted_by_key),
		test(a_rejected_file_moves_with_its_explanation),
		test(a_name_taken_in_done_gets_a_number),
		test(a_rejected_file_and_its_explanation_share_a_number),
		test(a_name_too_long_for_its_number_is_cut_between_two_characters),
		test(what_took_the_place_of_a_file_is_left_to_be_taken_in_its_turn),
		test(what_took_its_place_at_the_last_moment_is_put_back),
		test(a_file_that_vanishes_at_the_last_moment_is_no_error),
		test(a_file_that_cannot_be_moved_stays_and_leaves_no_explanation),
		test(a_file_that_cannot_be_moved_comes_again_ever_more_rarely),
		test(once_one_file_can_be_moved_the_others_are_tried_at_once),
		test(file_systems_that_can_do_less_move_files_too),
		test(a_folder_that_cannot_be_written_leaves_the_file_for_later),
	};

	setenv("TZ", "Europe/Paris", 1); /* the day in done/DATE is the local one */
	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
