/* The files that dmpfeedctl writes. One thread. */
#include "ctl/ctl_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "ctl/ctl_words.h"

enum { MOST_FILES = 8, EXIT_NOT_WRITTEN = 1, FOLDER_MODE = 0750, MODE = 0640, SECRET_MODE = 0600 };

struct written {
	char *name;      /* "counters.csv" */
	char *path;      /* under which it will be known, */
	char *temporary; /* and until then */
	FILE *stream;
	json_t *about;
	struct digest *digest;
	uint64_t bytes, rows;
};

struct ctl_export {
	char *folder;
	struct written files[MOST_FILES];
	size_t count;
};

static bool complain(const char *path)
{
	scoped(free_ptr) char *about = xasprintf("%s: %s", path, strerror(errno));

	ctl_complain(EXIT_NOT_WRITTEN, ctl_say("cannot write the files"), about, "");
	return false;
}

/* ---- one file ---- */

/* It holds what points to single documents: for its owner alone. */
static bool is_secret(const char *name)
{
	return strcmp(name, "evidence.csv") == 0;
}

/* What is in no folder but ours, whoever answers. */
static bool is_sound(const char *name)
{
	const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz");

	return n > 0 && strcmp(name + n, ".csv") == 0;
}

/* Made anew, with the least that it may ever have. */
static FILE *make_file(const char *path, bool secret)
{
	int fd;

	unlink(path); /* of one that broke off */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  secret ? SECRET_MODE : MODE);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static struct written *new_file(struct ctl_export *export, const char *name)
{
	struct written *file = &export->files[export->count];

	if (export->count == MOST_FILES || !is_sound(name)) {
		ctl_complain(EXIT_NOT_WRITTEN, ctl_say("the answer of dmpfeedd broke off"), name,
			     "");
		return NULL;
	}
	*file = (struct written){
		.name = xstrdup(name),
		.path = xasprintf("%s/%s", export->folder, name),
		.temporary = xasprintf("%s/.%s.new", export->folder, name),
		.digest = digest_new(DIGEST_SHA256),
	};
	export->count++;
	file->stream = make_file(file->temporary, is_secret(name));
	return file->stream || complain(file->temporary) ? file : NULL;
}

static struct written *file_of(struct ctl_export *export, const char *name)
{
	for (size_t i = 0; i < export->count; i++)
		if (strcmp(export->files[i].name, name) == 0)
			return &export->files[i];
	return new_file(export, name);
}

static bool take_row(struct ctl_export *export, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "file"));
	const struct slice text = slice_of(json_string_value(json_object_get(row, "text")));
	struct written *file = file_of(export, slice_of(name).p);

	if (file == NULL)
		return false;
	if (json_object_get(row, "about"))
		file->about = json_incref(json_object_get(row, "about"));
	file->rows += (uint64_t)json_integer_value(json_object_get(row, "rows"));
	file->bytes += text.n;
	digest_add(file->digest, text);
	return fwrite(text.p, 1, text.n, file->stream) == text.n || complain(file->temporary);
}

bool ctl_export_take(struct ctl_export *export, const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (!take_row(export, row))
			return false;
	}
	return true;
}

/* ---- the end of all ---- */

static bool close_file(struct written *file)
{
	FILE *stream = take(file->stream);
	bool is_well = fflush(stream) == 0 && fsync(fileno(stream)) == 0;

	return (fclose(stream) == 0 && is_well) || complain(file->temporary);
}

static json_t *meta_of(struct written *file)
{
	json_t *meta = file->about ? json_incref(file->about) : json_object();
	uint8_t digest[SHA256_BYTES];
	char text[SHA256_BYTES * 2 + 1];

	digest_end(&file->digest, digest);
	json_object_set_new(meta, "rows", json_integer((json_int_t)file->rows));
	json_object_set_new(meta, "bytes", json_integer((json_int_t)file->bytes));
	json_object_set_new(meta, "sha256", json_string(hex(digest, sizeof(digest), text)));
	return meta;
}

/* counters.csv: counters.meta.json */
static char *meta_path(const struct ctl_export *export, const struct written *file)
{
	const int n = (int)(strlen(file->name) - strlen(".csv"));

	return xasprintf("%s/%.*s.meta.json", export->folder, n, file->name);
}

static bool write_meta(const struct written *file, const json_t *meta, const char *path)
{
	scoped(free_ptr) char *text = json_dumps(meta, JSON_INDENT(2));
	scoped(free_ptr) char *temporary = xasprintf("%s.new", path);
	FILE *stream = make_file(temporary, is_secret(file->name));
	bool is_well;

	if (stream == NULL)
		return complain(temporary);
	is_well = fprintf(stream, "%s\n", text) > 0 && fflush(stream) == 0 &&
		  fsync(fileno(stream)) == 0;
	is_well = fclose(stream) == 0 && is_well && rename(temporary, path) == 0;
	if (is_well)
		return true;
	complain(path);
	unlink(temporary);
	return false;
}

/* What it says of itself comes first: a file without that would be misread. */
static bool end_file(struct ctl_export *export, struct written *file, json_t *told)
{
	scoped(free_ptr) char *path = meta_path(export, file);
	json_t *meta = meta_of(file), *row = json_object();
	bool is_well;

	json_object_set_new(row, "path", json_string(file->path));
	json_object_set_new(row, "meta", json_string(path));
	json_object_set(row, "rows", json_object_get(meta, "rows"));
	json_object_set(row, "bytes", json_object_get(meta, "bytes"));
	json_object_set(row, "sha256", json_object_get(meta, "sha256"));
	json_object_set(row, "complete", json_object_get(meta, "complete"));
	json_array_append_new(told, row);
	is_well = write_meta(file, meta, path);
	json_decref(meta);
	return is_well && (rename(file->temporary, file->path) == 0 || complain(file->path));
}

json_t *ctl_export_end(struct ctl_export *export)
{
	json_t *told = json_array();
	bool is_well = true;

	for (size_t i = 0; i < export->count && is_well; i++)
		is_well = close_file(&export->files[i]);
	for (size_t i = 0; i < export->count && is_well; i++)
		is_well = end_file(export, &export->files[i], told);
	if (is_well)
		return told;
	json_decref(told);
	return NULL;
}

struct ctl_export *ctl_export_new(const char *folder)
{
	struct ctl_export *export;

	if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST) {
		complain(folder);
		return NULL;
	}
	export = xcalloc(1, sizeof(*export));
	export->folder = xstrdup(folder);
	return export;
}

void ctl_export_free(struct ctl_export **export)
{
	uint8_t digest[SHA256_BYTES];

	if (*export == NULL)
		return;
	for (size_t i = 0; i < (*export)->count; i++) {
		struct written *file = &(*export)->files[i];

		if (file->stream != NULL)
			fclose(file->stream);
		unlink(file->temporary); /* gone already where all went well */
		if (file->digest != NULL)
			digest_end(&file->digest, digest);
		json_decref(file->about);
		free(file->name);
		free(file->path);
		free(file->temporary);
	}
	free((*export)->folder);
	free_ptr(export);
}
