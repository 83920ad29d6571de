/* A line as journald keeps it (its native protocol, systemd.io/JOURNAL_NATIVE_PROTOCOL): the text, how much it
 * matters, and a field for each key=value of it, to search by. Pure. Any thread.
 *
 * A line is words with one blank between; key=value is a word, and a word in parentheses after it belongs to it
 * ("by=root (0)"). The first word that ends with a colon ends the keys: what follows is a sentence. A key counts
 * once: what comes later in a line, and may be from outside, replaces nothing.
 */
#ifndef DMPFEED_BASE_LOG_ENTRY_H
#define DMPFEED_BASE_LOG_ENTRY_H

#include "base/buf.h"

/* All keys that lines use, sorted. */
struct log_key {
	const char *key, *meaning; /* the latter for the manual */
};

const struct log_key *log_keys(size_t *ret_count);

/* Appends what the journal calls it: DOC, or DMPFEED_SOURCE. */
void log_field_name(struct slice key, struct buf *out);

enum { LOG_MOST_FIELDS = 24 };

struct log_field {
	struct slice key, value;
};

/* The fields of a line, in its order; how many. */
size_t log_fields(struct slice line, struct log_field fields[static LOG_MOST_FIELDS]);

/* Appends the datagram for a line of log_text(); severities are syslog's. */
void log_entry(int severity, struct slice line, struct buf *out);

#endif
