/* One setting: how it is written, kept, bounded and printed. A row of a table is all there is to
 * an option; what the options are called is config_table.c's business.
 *
 * Reads the disk only to see whether a file or folder that is named exists. Any thread.
 */
#ifndef DMPFEED_CONFIG_OPTION_H
#define DMPFEED_CONFIG_OPTION_H

#include "base/arena.h"

enum option_kind {
	OPTION_TEXT,     /* const char *, `least` to `most` bytes without control characters */
	OPTION_NAME,     /* const char *: letters, digits, - _ . (logs and metrics use it) */
	OPTION_WORD,     /* const char *: one of `words` */
	OPTION_CHOICE,   /* an enum or a bool: the value beside one of `words` */
	OPTION_BOOLEAN,  /* bool: true, false */
	OPTION_COUNT,    /* uint64_t */
	OPTION_SIZE,     /* uint64_t, bytes: 20 MiB */
	OPTION_DURATION, /* int64_t, milliseconds: 30 s */
	OPTION_PATH, /* const char *: absolute, or from the folder of the file; "" where the preset
			    is "". So are: */
	OPTION_FOLDER,  /* a folder that exists */
	OPTION_FILE,    /* a file that can be read */
	OPTION_SECRET,  /* and that others cannot read */
	OPTION_KEY,     /* the same, of a private key; or the URI of one on a token, "pkcs11:…" */
	OPTION_ADDRESS, /* const char *: 127.0.0.1:2575, [::1]:2575 */
	OPTION_URL,     /* const char *: https; or "" where that is the preset */
	OPTION_WEBHOOK, /* const char *: https://, or http:// to this machine; or "" likewise. A secret: it is printed without its path */
	OPTION_PROXY,   /* const char *: http://host:port; or "" likewise */
	OPTION_FINESS,  /* const char *: nine characters in quotes */
	OPTION_OID,     /* const char *: `most` characters, to make longer ones under it */
	OPTION_SECTOR,  /* const char *: SA01 */
	OPTION_NETWORK, /* struct network: 10.1.0.0/16, 2001:db8::1 */
	OPTION_LIST,    /* an array of structs, each with a table of its own */
	OPTION_VALUES,  /* an array of values: the one row of that table says of what kind */
};

struct option_word {
	const char *word;
	int value; /* of a choice */
};

struct option {
	const char *name; /* as it nests: "dmp.timeout.connect" */
	enum option_kind kind;
	size_t at, bytes;   /* where in its struct, and how much: AT() */
	const char *preset; /* what is meant when the file is silent; NULL: it must be given */
	int64_t least, most;
	const struct option_word *words; /* up to an empty one */

	/* of both: the table of its entries, and where their number is kept (size_t) */
	const struct option_table *entries;
	size_t count_at;

	/* of a file: that it cannot be used is a complaint, and no reason to read nothing. Whoever
	 * opens it looks again: option_check_file(). */
	bool may_lack;

	bool restart; /* it takes effect at a start only: a reload that changes it is refused */

	const char *help; /* what it is: the end of "NAME is missing: …" */
};

#define AT(type, member) .at = offsetof(type, member), .bytes = sizeof(((type *)0)->member)

struct option_table {
	size_t struct_bytes;
	const struct option *options;
	size_t count;
};

/* What was written, and what it is relative to. */
struct option_text {
	struct slice text;
	bool quoted;
	const char *folder; /* where a relative path starts */
};

/* Reads a value that is no list into *field. -1: err (ERR_HALT) is a sentence that says what would
 * be right, for "NAME " to stand before it; *field is untouched.
 */
must_use int option_parse(const struct option *option, const struct option_text *written,
			  struct arena *arena, void *field, struct err *err);

/* Can this file be read, and by others not if it is a secret? Of a URI of a key, the files that it names. -1:
 * err as option_parse() has it.
 */
must_use int option_check_file(const char *path, bool secret, struct err *err);

/* Appends the value as YAML that option_parse() reads to the same value; of OPTION_WEBHOOK its origin alone, for what follows
 * the host is a secret.
 */
void option_print(const struct option *option, const void *field, struct buf *out);

#endif
