/* A line of the journal, whatever is in it: text that drives no terminal, and an entry in which nothing is a field but
 * what has a key of ours.
 */
#include "base/log_entry.h"
#include "base/log_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_shown(const char *text, size_t room)
{
	if (strlen(text) >= room)
		abort();
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort();
}

/* KEY=value, each on a line of its own. */
static void must_be_fields(struct slice entry, size_t most)
{
	struct slice line;
	size_t count = 0;

	while (slice_next(&entry, '\n', &line) && entry.p != NULL) {
		const size_t name = strspn(line.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

		if (name == 0 || name > 64 || line.p[name] != '=' || line.p[0] == '_')
			abort();
		count++;
	}
	if (line.n > 0 || count > most)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(free_ptr) char *raw = slice_dup((struct slice){ (const char *)data, size });
	scoped(buf_done) struct buf entry = { 0 };
	char text[2048], word[LOG_WORD];

	must_be_shown(log_text(raw, text, sizeof(text)), sizeof(text));
	must_be_shown(log_word(raw, word), sizeof(word));
	if (strchr(word, ' ') != NULL)
		abort();
	log_entry(6, slice_of(text), &entry);
	must_be_fields(buf_slice(&entry), LOG_MOST_FIELDS + 3);
	return 0;
}
