/* A folder with every file that a configuration of a test may name, for test_config*.c. */
#ifndef DMPFEED_TESTS_CONFIG_WORLD_H
#define DMPFEED_TESTS_CONFIG_WORLD_H

#include "sample.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static char folder[] = "/tmp/test_config.XXXXXX";
static char *file; /* in it */

static void make_file(const char *name, const char *content, mode_t mode)
{
	scoped(free_ptr) char *path = xasprintf("%s/%s", folder, name);
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	fputs(content, stream);
	fclose(stream);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_folder(const char *name)
{
	scoped(free_ptr) char *path = xasprintf("%s/%s", folder, name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static int make_everything(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	file = xasprintf("%s/dmpfeed.yaml", folder);
	make_folder("values");
	make_folder("labo");
	make_folder("imagerie");
	make_folder("pki");
	make_file("values/errors.csv", "", 0644);
	make_file("pki/ca.pem", "", 0644);
	make_file("pki/auth.pem", "", 0644);
	make_file("pki/auth.key", "", 0640);
	make_file("pki/open.key", "", 0644);
	make_file("pki/sign.pem", "", 0644);
	make_file("pki/sign.key", "", 0640);
	make_file("pki/sign-chain.pem", "", 0644);
	make_file("number", "CNDA-4711\n", 0640);
	make_file("two-numbers", "CNDA 4711\n", 0640);
	make_file("nothing", "\n", 0640);
	make_file("login", "gateway:s3cret\n", 0640);
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int remove_everything(void **state)
{
	(void)state;
	free(file);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* `text` with `from`, which occurs once or more, replaced at its first place. */
static inline char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		fail_msg("nothing like \"%s\" to replace", from);
	return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static inline struct config *must_parse(const char *text)
{
	scoped(buf_done) struct buf errors = { 0 };
	struct config *config = NULL;

	if (config_parse(&config, file, slice_of(text), &errors) < 0)
		fail_msg("%s", errors.p);
	assert_null(errors.p);
	return config;
}

#endif
