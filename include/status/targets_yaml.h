/* How the files of targets are read: tables of keys, complaints with their place. Inside status/ only.
 */
#ifndef DMPFEED_STATUS_TARGETS_YAML_H
#define DMPFEED_STATUS_TARGETS_YAML_H

#include "base/yaml_tree.h"
#include "status/targets.h"

/* A document type or a group, as a file calls it. */
struct targets_name {
	struct slice name;
	struct target_texts codes;
};

struct targets_names {
	struct targets_name *list;
	size_t count;
};

struct targets_fault {
	struct yaml_place place;
	size_t number; /* in order of finding */
	const char *sentence;
};

enum { TARGETS_FAULTS = 100 };

/* One file being read. */
struct targets_reader {
	struct targets *targets;
	const char *file;
	struct arena scratch; /* the tree, the sentences */
	struct targets_fault faults[TARGETS_FAULTS];
	size_t fault_count; /* may pass TARGETS_FAULTS: the rest is counted only */

	/* what this file has defined so far */
	struct targets_names types, groups;
	struct target_denominator **denominators;
	size_t denominator_count;
	struct workdays workdays;
};

void targets_complain(struct targets_reader *reader, struct yaml_place place, const char *format,
		      ...) printf_like(3, 4);

/* ---- tables of keys ---- */

struct targets_key;

/* Reads what is written behind a key, which is not null, into its field. */
typedef void targets_read_fn(struct targets_reader *reader, const struct targets_key *key,
			     const struct yaml_tree *tree, void *field);

struct targets_key {
	const char *name;
	targets_read_fn *read;
	size_t at;        /* where in its struct */
	bool needed;      /* it must be written... */
	bool may_be_null; /* ... if only as null */
	const void *more; /* words, a table: as `read` wants */
	const char *help; /* what it is: the end of "KEY is missing: …", "KEY is not …" */
};

struct targets_table {
	const struct targets_key *keys;
	size_t count;
};

#define TARGETS_KEY(type, member) .at = offsetof(struct type, member)

/* Fills the struct from a mapping; whatever else it is, is complained about. */
void targets_read_map(struct targets_reader *reader, const struct targets_table *table,
		      const struct yaml_tree *map, void *into);

/* A word and what it means. */
struct targets_word {
	const char *word;
	int value;
};

targets_read_fn targets_read_text;   /* const char * */
targets_read_fn targets_read_id;     /* const char *: letters, digits, - _ . */
targets_read_fn targets_read_choice; /* an enum or an int: `more` is words, up to an empty one */
targets_read_fn targets_read_bits;   /* unsigned: one of the words, or a list of some */
targets_read_fn targets_read_flag;   /* bool */
targets_read_fn targets_read_number; /* double, not below 0 */
targets_read_fn targets_read_count;  /* uint64_t */
targets_read_fn targets_read_day;    /* int */
targets_read_fn targets_read_texts;  /* struct target_texts: a list of words */
targets_read_fn targets_read_finess; /* struct target_texts: a list of FINESS, in quotes */
targets_read_fn targets_read_fields; /* struct target_texts: a list of champs */
targets_read_fn targets_read_struct; /* a struct: `more` is its table */

/* -1 and a complaint when it is no list of something. */
must_use int targets_expect_list(struct targets_reader *reader, const struct targets_key *key,
				 const struct yaml_tree *tree);
must_use int targets_expect_map(struct targets_reader *reader, const struct targets_key *key,
				const struct yaml_tree *tree);

/* The text of a scalar; empty after a complaint. */
struct slice targets_expect_text(struct targets_reader *reader, const struct targets_key *key,
				 const struct yaml_tree *tree);

void targets_add_text(struct targets_reader *reader, struct target_texts *texts, const char *text);

/* ---- the parts of a file ---- */

void targets_read_file(struct targets_reader *reader, const struct yaml_tree *root);
targets_read_fn targets_read_programmes;
targets_read_fn targets_read_types; /* struct target_numerator: its types */

targets_read_fn targets_read_threshold; /* struct target_threshold */
targets_read_fn targets_read_status;    /* enum target_status */

/* The words of the files, for definitions. */
const char *targets_kind_text(enum target_kind kind);
const char *targets_aggregate_text(enum target_aggregate aggregate);
const char *targets_basis_text(enum target_basis basis);
void targets_add_channels(const struct target_numerator *numerator, struct buf *out);
void targets_add_outcomes(const struct target_numerator *numerator, struct buf *out);

/* The indicator's definition and its digest, once it was read. */
void targets_define(struct targets *targets, const struct target_programme *programme,
		    struct target_indicator *indicator);

#endif
