/* The files of targets, from their folder. At start. */
#include "setup/board_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/disk.h"
#include "base/yaml_tree.h"
#include "setup/board_limits.h"

enum { MOST_FILES = 50 };

/* ---- the folder ---- */

static int is_ours(const struct dirent *entry)
{
	const size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > strlen(".yaml") &&
	       strcmp(entry->d_name + n - strlen(".yaml"), ".yaml") == 0;
}

struct files {
	struct arena arena; /* paths */
	struct buf bytes[MOST_FILES];
	struct target_file list[MOST_FILES];
	size_t count;
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		buf_done(&files->bytes[i]);
	arena_done(&files->arena);
}

static int add_file(struct files *files, const char *folder, const char *name, struct buf *errors)
{
	const char *path = arena_printf(&files->arena, "%s/%s", folder, name);
	int failed;

	if (files->count == MOST_FILES) {
		buf_addf(errors, "%s:1:1: more than %d files of targets\n", path, MOST_FILES);
		return -1;
	}
	failed = disk_read(path, YAML_TREE_BYTES, &files->bytes[files->count]);
	if (failed != 0)
		buf_addf(errors, "%s:1:1: cannot be read (%s)\n", path, strerror(failed));
	else
		files->list[files->count] =
			(struct target_file){ path, buf_slice(&files->bytes[files->count]) };
	files->count++;
	return failed ? -1 : 0;
}

static int read_folder(struct files *files, const struct config *config, struct buf *errors)
{
	struct dirent **entries = NULL;
	int count = scandir(config->targets_dir, &entries, is_ours, alphasort), rc = 0;

	if (count < 0) {
		config_fault(config, &config->targets_dir, errors, "targets.dir cannot be read: %s",
			     strerror(errno));
		return -1;
	}
	for (int i = 0; i < count; i++) {
		if (add_file(files, config->targets_dir, entries[i]->d_name, errors) < 0)
			rc = -1;
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* ---- targets ---- */

int board_load_targets(struct targets **ret_targets, const struct config *config,
		       struct buf *errors)
{
	scoped(targets_free) struct targets *targets = NULL;
	scoped(files_done) struct files files = { 0 };

	if (config->targets_dir[0] != '\0' && read_folder(&files, config, errors) < 0)
		return -1;
	if (targets_parse(&targets, files.list, files.count, errors) < 0 ||
	    board_check_limits(targets, config, errors) < 0)
		return -1;
	*ret_targets = take(targets);
	return 0;
}

void board_print_targets(const struct targets *targets, struct buf *out)
{
	for (size_t i = 0; i < targets->programme_count; i++) {
		const struct target_programme *programme = &targets->programmes[i];

		buf_addf(out, "# targets: %s (%s) windows=%zu indicators=%zu%s\n", programme->id,
			 programme->file, programme->window_count, programme->indicator_count,
			 programme->closed ? " closed" : "");
	}
}
