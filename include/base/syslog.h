/* One message as syslog collectors take it: a line of RFC 5424, in the frame of RFC 5425 (octet counting). Pure.
 * Any thread.
 *
 * What comes from elsewhere cannot end a line, a value or a character: control characters read as JSON writes
 * them (\u000a), bytes that are not UTF-8 as U+FFFD.
 */
#ifndef DMPFEED_BASE_SYSLOG_H
#define DMPFEED_BASE_SYSLOG_H

#include "base/buf.h"

enum {
	SYSLOG_NOTICE = 5,         /* a severity */
	SYSLOG_LEAST_BYTES = 1024, /* of a line: the header and a few values fit */
	SYSLOG_MOST_BYTES = 65536,
};

struct syslog_param {
	const char *name;  /* ours: printable ASCII, 32 characters at most */
	const char *value; /* "": it is left out */
};

struct syslog_message {
	unsigned facility, severity;
	int64_t at_ms;
	const char *host, *app, *id; /* HOSTNAME, APP-NAME, MSGID; "": not known */
	const char *element;         /* the SD-ID: ours, as the name of a value is */
	const struct syslog_param *params;
	size_t param_count;
	const char *text; /* for people */
};

/* Appends it, with the count of its bytes before it. A line of more than `most_bytes` loses the end of its
 * text; then values, the last first.
 */
void syslog_add(const struct syslog_message *message, size_t most_bytes, struct buf *out);

#endif
