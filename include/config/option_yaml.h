/* A struct from YAML and back, by its table of options: every key checked against the table, every
 * value by its row, every complaint with the line and column of what it is about, all of them
 * reported at once.
 *
 * Reads the disk only where option_parse() does. Owned by one thread at a time.
 */
#ifndef DMPFEED_CONFIG_OPTION_YAML_H
#define DMPFEED_CONFIG_OPTION_YAML_H

#include "base/yaml_tree.h"
#include "config/option.h"

struct option_reading;

/* `folder`: where relative paths start. Values are kept in `arena`. Both outlive the reading. */
struct option_reading *option_reading_new(const char *folder, struct arena *arena);
void option_reading_free(struct option_reading **reading);

/* A file that complaints will name. Returns the number that places of it have; the first is 0. */
unsigned option_add_file(struct option_reading *reading, const char *file);
const char *const *option_files(const struct option_reading *reading);

/* Fills *into from what the files say, read by the caller. -1: it is not even a mapping, and nothing
 * was filled; else 0, with every value that could be read in its place, complaints or not.
 */
must_use int option_read(struct option_reading *reading, const struct option_table *table,
			 const struct yaml_tree *tree, void *into);

/* A yaml_complain_fn, whose `arg` is a reading. */
void option_complain_at(void *reading, struct yaml_place place, const char *sentence);

/* A complaint about a member of what was filled: it stands where that was written or, for a
 * preset, where it could have been.
 */
void option_complain(struct option_reading *reading, const void *field, const char *format, ...)
	printf_like(3, 4);

/* Where that is, for a complaint about `beside`: "at line 4", and in which file when that is another. In
 * option_scratch().
 */
const char *option_where(struct option_reading *reading, const void *field, const void *beside);

/* For what is needed until the reading is freed. */
struct arena *option_scratch(struct option_reading *reading);

/* Appends every complaint, in order of the files, one line each: "FILE:LINE:COLUMN: sentence". Those of files
 * that may lack only if wanted: whoever opens them tells it too.
 */
void option_tell(struct option_reading *reading, bool with_lacking, struct buf *errors);

/* Were there no complaints but of files that may lack? */
bool option_is_usable(const struct option_reading *reading);

/* Nor any, when option_read() had ended, but of keys that nobody reads and of values whose preset can stand in
 * for them? The rest can then be looked at all the same, for what else is wrong.
 */
bool option_is_whole(const struct option_reading *reading);

/* Gives those values their presets. */
void option_stand_in(struct option_reading *reading);

/* Where each member was written, for those who complain when the reading is gone. */
struct option_spot {
	const void *field;
	struct yaml_place place;
};

struct option_spots {
	struct option_spot *list;
	size_t count;
	const char **files;
	size_t file_count;
};

struct option_spots *option_keep_spots(const struct option_reading *reading, struct arena *arena);

/* Appends one complaint about that member, as option_tell() does. */
void option_tell_one(const struct option_spots *spots, const void *field, const char *sentence,
		     struct buf *errors);

/* Appends the struct as YAML that option_read() reads to the same values. */
void option_write(const struct option_table *table, const void *from, struct buf *out);

#endif
