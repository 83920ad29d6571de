/* What the tests of the drop folder share: a gateway that is handed files, in a temporary folder, with
 * real workers and the real loop.
 */
#ifndef DMPFEED_TESTS_DROP_WORLD_H
#define DMPFEED_TESTS_DROP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/drop.h"

enum { PATIENCE_MS = 20000, MOST_FILES = 4096, HOUR_MS = 3600000, LONG_AGO_S = 1600000000 };

/* 2026-11-20T12:00:00Z, in the middle of that day in Europe */
#define NOON_MS INT64_C(1795176000000)
#define DAY "2026-11-20"

/* A gateway that keeps what it is handed until told, or takes all at once. */
struct world {
	char path[64];
	struct event_base *loop;
	struct event *tick, *posted;
	struct mailbox *mailbox;
	struct workers *workers;
	struct drop_settings settings;
	struct drop *drop;
	bool takes_all;
	size_t dealt_with;

	struct drop_file *files[MOST_FILES]; /* NULL once settled */
	char *names[MOST_FILES];
	size_t handed;
};

/* What the pipeline does with a file, in short. */
struct errand {
	struct job job;
	struct world *world;
	struct drop_file *file;
	struct buf bytes;
	struct err err;
};

static inline void errand_run(struct job *job, void *worker)
{
	struct errand *errand = container_of(job, struct errand, job);

	(void)worker;
	if (drop_read(errand->file, &errand->bytes, &errand->err) == 0)
		(void)!drop_accept(errand->file, NOON_MS, slice_of(""), &errand->err);
}

static inline void errand_done(struct job *job)
{
	struct errand *errand = container_of(job, struct errand, job);

	errand->world->dealt_with += errand->err.kind == ERR_NONE;
	drop_settle(errand->file, errand->err.kind != ERR_NONE);
	buf_done(&errand->bytes);
	free(errand);
}

static inline void on_file(void *arg, struct drop_file *file)
{
	struct world *world = arg;
	struct errand *errand;

	assert_true(world->handed < MOST_FILES);
	assert_ptr_equal(file->folder, &world->settings);
	world->names[world->handed] = xstrdup(file->name);
	if (!world->takes_all) {
		world->files[world->handed++] = file;
		return;
	}
	world->handed++;
	errand = xcalloc(1, sizeof(*errand));
	errand->job = (struct job){ .run = errand_run, .done = errand_done };
	errand->world = world;
	errand->file = file;
	workers_submit(world->workers, &errand->job);
}

static inline void on_posted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	mailbox_deliver(arg);
}

static inline void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static inline int world_set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const struct timeval often = { 0, 20000 }; /* so that until() sees its deadline */
	const struct workers_settings disk_workers = { .count = 2, .name = "disk" };

	strcpy(world->path, "/tmp/test_drop.XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->loop = event_base_new();
	world->tick = event_new(world->loop, -1, EV_PERSIST, on_tick, NULL);
	event_add(world->tick, &often);
	world->mailbox = mailbox_new();
	world->posted = event_new(world->loop, mailbox_fd(world->mailbox), EV_READ | EV_PERSIST,
				  on_posted, world->mailbox);
	event_add(world->posted, NULL);
	world->workers = workers_new(&disk_workers, world->mailbox);
	world->settings = (struct drop_settings){
		.name = "test",
		.path = world->path,
		.settle_ms = 0,
		.scan_ms = HOUR_MS,
		.most_file_bytes = 1 << 20,
		.most_in_flight = MOST_FILES,
	};
	*state = world;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int world_tear_down(void **state)
{
	struct world *world = *state;

	drop_free(&world->drop);
	for (size_t i = 0; i < world->handed; i++) {
		if (world->files[i] != NULL)
			drop_settle(world->files[i], false);
		free(world->names[i]);
	}
	workers_free(&world->workers);
	mailbox_deliver(world->mailbox);
	mailbox_free(&world->mailbox);
	event_free(world->tick);
	event_free(world->posted);
	event_base_free(world->loop);
	nftw(world->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(world);
	return 0;
}

/* Turns the loop until the condition holds. */
#define until(world, condition)                                                                    \
	do {                                                                                       \
		int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;                          \
		while (!(condition)) {                                                             \
			if (clock_monotonic_ms() > deadline_ms)                                    \
				fail_msg("never: %s", #condition);                                 \
			event_base_loop((world)->loop, EVLOOP_ONCE);                               \
		}                                                                                  \
	} while (0)

static inline void turn_for(struct world *world, int64_t ms)
{
	const int64_t until_ms = clock_monotonic_ms() + ms;

	until(world, clock_monotonic_ms() >= until_ms);
}

static inline struct drop_figures figures(const struct world *world)
{
	return drop_figures(world->drop);
}

static inline void open_drop(struct world *world)
{
	struct err err = { 0 };

	if (drop_new(&world->drop, world->loop, world->workers, &world->settings, on_file, world,
		     &err) < 0)
		fail_msg("%s", err.text);
}

static inline void settle(struct world *world, size_t i, bool again)
{
	drop_settle(take(world->files[i]), again);
}

/* ---- files ---- */

static inline const char *in(const struct world *world, const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % length_of(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", world->path, name);
	return path;
}

static inline void write_file(const struct world *world, const char *name, const char *text)
{
	FILE *file = fopen(in(world, name), "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* As a careful sender does. */
static inline void put_file(const struct world *world, const char *name, const char *text)
{
	write_file(world, ".coming", text);
	assert_int_equal(rename(in(world, ".coming"), in(world, name)), 0);
}

static inline void append(const struct world *world, const char *name, const char *text)
{
	FILE *file = fopen(in(world, name), "a");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static inline void date_file(const struct world *world, const char *name, time_t seconds)
{
	const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, in(world, name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline bool is_there(const struct world *world, const char *name)
{
	struct stat stat;

	return lstat(in(world, name), &stat) == 0;
}

static inline void assert_content(const struct world *world, const char *name, const char *text)
{
	char content[256] = "";
	FILE *file = fopen(in(world, name), "r");

	if (file == NULL)
		fail_msg("%s is not there", name);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(content, text);
}

static inline size_t count_in(const struct world *world, const char *folder)
{
	DIR *dir = opendir(in(world, folder));
	size_t n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n - (dir ? 2 : 0); /* without . and .. */
}

/* Opens the folder with one file in it, and has it handed over. */
static inline struct drop_file *hand_over(struct world *world, const char *name, const char *text)
{
	write_file(world, name, text);
	date_file(world, name, LONG_AGO_S);
	open_drop(world);
	until(world, world->handed == 1);
	return world->files[0];
}

static inline void assert_handed(const struct world *world, size_t i, const char *name)
{
	assert_true(world->handed > i);
	assert_string_equal(world->names[i], name);
}

/* ---- what others do to a file meanwhile ---- */

static inline void grow(struct world *world)
{
	append(world, "letter.xml", "<a/>"); /* opens and closes it each time */
}

static inline void grow_within_its_time(struct world *world)
{
	append(world, "letter.xml", "<a/>");
	date_file(world, "letter.xml", LONG_AGO_S);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
