/* What may stand behind the keys of a sidecar: each value is read by a function that says what would be
 * right, where it is not. Shared by the files of sidecar, and by nobody else.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_SIDECAR_VALUES_H
#define DMPFEED_DOCUMENT_SIDECAR_VALUES_H

#include "base/yaml_tree.h"
#include "document/sidecar.h"

struct sidecar_reader {
	struct arena *arena;
	const struct sidecar_context *context;
	struct sidecar *sidecar;
	struct yaml_place places[SIDECAR_FAULTS]; /* of its faults */
};

struct sidecar_key;

/* Reads what is written behind a key, which is a text. NULL, or what would be right: the end of
 * "KEY is not …".
 */
typedef const char *sidecar_parse_fn(struct sidecar_reader *reader, const struct sidecar_key *key,
				     struct slice text, void *field);

struct sidecar_key {
	const char *name;
	sidecar_parse_fn *parse; /* NULL: a mapping or a list, read by `open` */
	void (*open)(struct sidecar_reader *reader, const struct sidecar_key *key,
		     const struct yaml_tree *tree, const char *path, void *into);
	size_t at; /* where in its struct */
	bool needed;
	bool (*spared)(const struct yaml_tree *map); /* true: it need not be there; or NULL */
	enum reason reason; /* of a value that is missing or wrong, if it has one of its own */
	const void *more;   /* words, a list of codes, a table: as `parse` or `open` wants */
	const char *help;   /* what it is: the end of "KEY is missing: …" */
};

sidecar_parse_fn sidecar_parse_text, sidecar_parse_id, sidecar_parse_oid, sidecar_parse_ins,
	sidecar_parse_ins_oid, sidecar_parse_finess, sidecar_parse_insee, sidecar_parse_word,
	sidecar_parse_status, sidecar_parse_version, sidecar_parse_flag, sidecar_parse_code,
	sidecar_parse_day, sidecar_parse_moment, sidecar_parse_time;

#endif
