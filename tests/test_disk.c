/* The room on a disk: what the system's own tools tell of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"

/* What df(1) says of the file system of /, in bytes. */
static uint64_t df(const char *column)
{
	scoped(free_ptr) char *command = xasprintf("df -B1 --output=%s / | tail -1", column);
	FILE *told = popen(command, "r");
	unsigned long long number = 0;

	assert_non_null(told);
	assert_int_equal(fscanf(told, "%llu", &number), 1);
	pclose(told);
	return number;
}

static void a_disk_has_the_size_that_df_tells(void **state)
{
	const struct disk_room room = disk_room("/");
	const uint64_t free_bytes = df("avail");

	(void)state;
	assert_int_equal(room.size_bytes, df("size"));
	/* others write meanwhile */
	assert_in_range(room.free_bytes, free_bytes - min(free_bytes, (uint64_t)1 << 32),
			free_bytes + ((uint64_t)1 << 32));
}

static void two_paths_on_one_disk_have_one_name(void **state)
{
	(void)state;
	assert_int_equal(disk_room("/proc").disk, disk_room("/proc/self").disk);
}

static void what_is_not_there_has_no_size(void **state)
{
	(void)state;
	assert_int_equal(disk_room("/nowhere/at/all").size_bytes, 0);
	assert_int_equal(disk_file_bytes("/nowhere/at/all"), 0);
}

static void a_file_has_its_bytes(void **state)
{
	char path[] = "/tmp/test_disk.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 12345), 0);
	assert_int_equal(disk_file_bytes(path), 12345);
	close(fd);
	unlink(path);
}

/* Of ten bytes, with room for `most`. */
static size_t read_of_ten(size_t most)
{
	char path[] = "/tmp/test_disk.XXXXXX";
	scoped(buf_done) struct buf bytes = { 0 };
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "0123456789", 10), 10);
	assert_int_equal(disk_read(path, most, &bytes), 0);
	close(fd);
	unlink(path);
	assert_memory_equal(bytes.p, "0123456789", bytes.n);
	return bytes.n;
}

static void a_file_is_read_whole_or_one_byte_beyond_what_it_may_have(void **state)
{
	(void)state;
	assert_int_equal(read_of_ten(11), 10);
	assert_int_equal(read_of_ten(10), 10);
	assert_int_equal(read_of_ten(9), 10);
	assert_int_equal(read_of_ten(3), 4);
}

static void a_copy_has_the_bytes_and_is_its_owners_alone(void **state)
{
	char path[] = "/tmp/test_disk.XXXXXX";
	scoped(buf_done) struct buf bytes = { 0 }, copied = { 0 };
	scoped(free_ptr) char *copy = NULL;
	int fd = mkstemp(path);
	struct stat found;

	(void)state;
	copy = xasprintf("%s.copy", path);
	for (int i = 0; i < 30000; i++) /* more than one piece */
		buf_addf(&bytes, "%d\n", i);
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
	close(fd);
	assert_int_equal(disk_copy(path, copy), 0);
	assert_int_equal(stat(copy, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	assert_int_equal(disk_read(copy, bytes.n, &copied), 0);
	assert_true(slice_equal(buf_slice(&copied), buf_slice(&bytes)));
	assert_int_equal(disk_copy(path, copy), EEXIST); /* and that one stays */
	assert_int_equal(disk_file_bytes(copy), bytes.n);
	unlink(copy);
	unlink(path);
}

static void what_cannot_be_copied_says_why_and_leaves_nothing(void **state)
{
	static const char copy[] = "/tmp/test_disk.none";

	(void)state;
	assert_int_equal(disk_copy("/nowhere/at/all", copy), ENOENT);
	assert_int_equal(disk_copy("/tmp", copy), EISDIR);
	assert_int_equal(access(copy, F_OK), -1);
}

static void what_cannot_be_read_says_why(void **state)
{
	scoped(buf_done) struct buf bytes = { 0 };

	(void)state;
	assert_int_equal(disk_read("/nowhere/at/all", 10, &bytes), ENOENT);
	assert_int_equal(disk_read("/tmp", 10, &bytes), EISDIR);
	assert_int_equal(bytes.n, 0);
}

static void what_may_never_end_is_not_read(void **state)
{
	char folder[] = "/tmp/test_disk.XXXXXX";
	scoped(buf_done) struct buf bytes = { 0 };
	scoped(free_ptr) char *pipe = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	pipe = xasprintf("%s/pipe", folder);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(disk_read(pipe, 10, &bytes), EINVAL); /* nobody writes to it */
	assert_int_equal(disk_read("/dev/zero", 10, &bytes), EINVAL);
	assert_int_equal(bytes.n, 0);
	unlink(pipe);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_has_the_size_that_df_tells),
		cmocka_unit_test(two_paths_on_one_disk_have_one_name),
		cmocka_unit_test(what_is_not_there_has_no_size),
		cmocka_unit_test(a_file_has_its_bytes),
		cmocka_unit_test(a_file_is_read_whole_or_one_byte_beyond_what_it_may_have),
		cmocka_unit_test(a_copy_has_the_bytes_and_is_its_owners_alone),
		cmocka_unit_test(what_cannot_be_copied_says_why_and_leaves_nothing),
		cmocka_unit_test(what_cannot_be_read_says_why),
		cmocka_unit_test(what_may_never_end_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
