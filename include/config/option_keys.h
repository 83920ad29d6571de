/* The keys of a table of options, as they nest: what a key is in its place, and what a person probably meant by one
 * that is none.
 *
 * A place is `within` a table: "" is its first column, "dmp.tls." what stands below dmp and tls.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_CONFIG_OPTION_KEYS_H
#define DMPFEED_CONFIG_OPTION_KEYS_H

#include "config/option.h"

enum option_key {
	OPTION_KEY_UNKNOWN,
	OPTION_KEY_VALUE, /* of a row, which is a value or a list */
	OPTION_KEY_GROUP, /* of several rows: "tls" */
};

enum option_key option_key_of(const struct option_table *of, const char *within, struct slice key);

/* Appends the keys of a place: "cert, key, min". `out` is empty. */
void option_keys_list(const struct option_table *of, const char *within, struct buf *out);

/* Appends a sentence about a key that is OPTION_KEY_UNKNOWN there: where it belongs in the `whole`, how it is spelt,
 * or what is known.
 */
void option_key_unknown(const struct option_table *whole, const struct option_table *of,
			const char *within, struct slice key, struct buf *sentence);

#endif
