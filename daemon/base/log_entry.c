/* A line as journald keeps it. Pure. */
#include "base/log_entry.h"

/* clang-format off: a row a line */
static const struct log_key keys[] = {
	{ "ack", "what the sender was answered: AE, AR" },
	{ "address", "an address that is listened on or connected to" },
	{ "after_row", "the last row of the audit chain that the collector has" },
	{ "again", "when it is tried again" },
	{ "alert", "the alert, by its fixed name" },
	{ "attempt", "which attempt it was" },
	{ "attempts", "how many attempts there were" },
	{ "by", "who ordered it" },
	{ "bytes", "how much it was" },
	{ "changes", "how many keys a reload changed" },
	{ "channel", "the way it came: mllp, drop" },
	{ "code", "the DMP's code" },
	{ "config", "the configuration file" },
	{ "connections", "how many there are" },
	{ "days_left", "of a certificate" },
	{ "deletion", "the document that deletes this one in the DMP" },
	{ "doc", "the document: its id, from intake to the last line" },
	{ "documents", "how many" },
	{ "environment", "production, test or rehearsal" },
	{ "errors", "how many there are in the configuration" },
	{ "event", "of a message about an identity (ADT)" },
	{ "feeding", "whether the patient opposes it" },
	{ "figures", "how many were imported" },
	{ "file", "a dropped file: the digest of its name, which may be a patient's" },
	{ "folder", "a drop folder" },
	{ "forgotten", "how many were kept long enough" },
	{ "from", "whence it came, the state that it left, or the beginning of a period" },
	{ "frozen", "how many windows have ended" },
	{ "identities", "how many" },
	{ "identity", "what became of an identity" },
	{ "kind", "of imported figures" },
	{ "lane", "a legal entity's way to the DMP: its FINESS EJ" },
	{ "left_out", "how many lines like it were not written" },
	{ "listener", "an MLLP listener" },
	{ "lost", "how many lines the journal did not take" },
	{ "month", "of figures" },
	{ "moved", "where a dropped file went: done, rejected" },
	{ "ms", "how long it took" },
	{ "name", "of a listener or folder" },
	{ "needed", "the role that it takes" },
	{ "note", "what goes with a move" },
	{ "official", "the CNAM's figure" },
	{ "oldest", "since when the oldest waits" },
	{ "order", "what an operator ordered" },
	{ "origin", "the message's MSH-10, or the digest of the file's name" },
	{ "ours", "the gateway's own figure" },
	{ "outcome", "the state that an attempt to send led to" },
	{ "path", "of the queue" },
	{ "peer", "the address of who connected" },
	{ "peer_uid", "the user who connected" },
	{ "phase", "of a connection" },
	{ "positive", "whether a business acknowledgement is" },
	{ "probes", "when a stopped lane is tried again" },
	{ "reason", "why, by the reason's code" },
	{ "request", "the transaction with the DMP" },
	{ "resumes", "when a slowed lane or link goes on" },
	{ "revision", "of imported figures" },
	{ "role", "what who connected may do" },
	{ "rows", "how many were read" },
	{ "seconds", "by how much the clock jumped" },
	{ "severity", "of an alert" },
	{ "signal", "that ends the daemon" },
	{ "site", "a site: its FINESS EG" },
	{ "source", "the application that sent it" },
	{ "state", "the state it came to: of a document, a lane, a link" },
	{ "stays", "how many" },
	{ "structure", "that a certificate is of" },
	{ "subject", "what an alert is about" },
	{ "to", "the end of a period" },
	{ "type", "the document's type code" },
	{ "until", "how far was counted" },
	{ "version", "of dmpfeed" },
	{ "waiting", "how many wait" },
	{ "where", "the field that is at fault" },
	{ "zam", "the MSH-10 of a business acknowledgement" },
};
/* clang-format on */

const struct log_key *log_keys(size_t *ret_count)
{
	*ret_count = length_of(keys);
	return keys;
}

static int compare(const void *wanted, const void *row)
{
	const struct slice *key = wanted;
	const char *known = ((const struct log_key *)row)->key;
	const int order = strncmp(key->p, known, key->n);

	return order != 0 ? order : -(known[key->n] != '\0');
}

static bool is_key(struct slice text)
{
	return bsearch(&text, keys, length_of(keys), sizeof(keys[0]), compare) != NULL;
}

static bool has(const struct log_field *fields, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(fields[i].key, key))
			return true;
	return false;
}

static bool ends_with(struct slice word, char c)
{
	return word.n > 0 && word.p[word.n - 1] == c;
}

/* With the word in parentheses that follows it: "root (0)". */
static void take_what_belongs(struct slice *value, struct slice *rest)
{
	struct slice after = *rest, word;

	if (!slice_next(&after, ' ', &word) || !slice_starts(word, "(") ||
	    memchr(word.p, ')', word.n) == NULL)
		return;
	value->n = (size_t)(word.p + word.n - value->p);
	*rest = after;
}

size_t log_fields(struct slice line, struct log_field fields[static LOG_MOST_FIELDS])
{
	bool is_sentence = false;
	size_t count = 0;
	struct slice word;

	while (!is_sentence && count < LOG_MOST_FIELDS && slice_next(&line, ' ', &word)) {
		const char *sign = memchr(word.p, '=', word.n);
		struct slice key = { word.p, sign ? (size_t)(sign - word.p) : 0 };
		struct slice value = slice_from(word, key.n + 1);

		if (sign != NULL && !ends_with(word, ':'))
			take_what_belongs(&value, &line);
		is_sentence = ends_with(sign != NULL ? value : word, ':');
		value.n -= is_sentence && value.n > 0;
		if (value.n > 0 && is_key(key) && !has(fields, count, key))
			fields[count++] = (struct log_field){ key, value };
	}
	return count;
}

/* journald takes names of capitals, digits and _. */
void log_field_name(struct slice key, struct buf *out)
{
	if (!slice_is(key, "doc"))
		buf_add_text(out, "DMPFEED_");
	for (size_t i = 0; i < key.n; i++)
		buf_add_char(out, key.p[i] == '_' ? '_' : (char)(key.p[i] - 'a' + 'A'));
}

void log_entry(int severity, struct slice line, struct buf *out)
{
	struct log_field fields[LOG_MOST_FIELDS];
	const size_t count = log_fields(line, fields);

	buf_addf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=dmpfeedd\nMESSAGE=", severity);
	buf_add(out, line);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < count; i++) {
		log_field_name(fields[i].key, out);
		buf_add_char(out, '=');
		buf_add(out, fields[i].value);
		buf_add_char(out, '\n');
	}
}
