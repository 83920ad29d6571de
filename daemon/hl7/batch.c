/* A batch file, cut into its messages. Pure. Any thread. */
#include "hl7/batch.h"

#include "hl7/message.h"

struct cutting {
	struct slice *messages;
	size_t count, room;
	struct slice message; /* being gathered; p NULL: none */
	bool in_file, in_batch, file_ended;
	size_t batches, before_batch; /* messages before the batch that is open */
	struct arena *arena;
	struct err *err;
};

/* A segment's name ends the line or is followed by the profile's delimiter: a line of Base64 may
 * begin with the same letters.
 */
static bool begins(struct slice line, const char *name)
{
	return hl7_is(line, name) && (line.n == 3 || line.p[3] == '|');
}

bool hl7_is_batch(struct slice text)
{
	text = hl7_bare(text);
	return begins(text, "FHS") || begins(text, "BHS");
}

static bool next_line(struct slice *rest, struct slice *ret_line)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && rest->p[n] != '\r' && rest->p[n] != '\n')
		n++;
	*ret_line = (struct slice){ rest->p, n };
	*rest = slice_from(*rest, n + 1);
	return true;
}

static int wrong(struct cutting *cutting, const char *where, const char *what)
{
	return err_refuse(cutting->err, REASON_SEQUENCE, where, "%s", what);
}

static int end_message(struct cutting *cutting)
{
	struct slice *grown;

	if (cutting->message.p == NULL)
		return 0;
	if (cutting->count == HL7_BATCH_MOST)
		return err_refuse(cutting->err, REASON_CARDINALITY, "MSH", "more than %d messages",
				  HL7_BATCH_MOST);
	if (cutting->count == cutting->room) {
		cutting->room = cutting->room * 2 + 16;
		grown = arena_alloc(cutting->arena, cutting->room * sizeof(*grown));
		if (cutting->count > 0)
			memcpy(grown, cutting->messages, cutting->count * sizeof(*grown));
		cutting->messages = grown;
	}
	cutting->messages[cutting->count++] = cutting->message;
	cutting->message = (struct slice){ 0 };
	return 0;
}

/* What a trailer counts, when it says so. */
static int check_count(struct cutting *cutting, struct slice line, const char *where, size_t count)
{
	struct slice said = line.n > 4 ? slice_from(line, 4) : slice_of("");
	size_t n = 0;
	uint64_t number;

	while (n < said.n && said.p[n] != '|')
		n++;
	said = slice_trim((struct slice){ said.p, n });
	if (said.n == 0)
		return 0;
	if (!slice_to_u64(said, UINT32_MAX, &number))
		return err_refuse(cutting->err, REASON_DATA_TYPE, where,
				  "the count is not a number");
	if (number != count)
		return err_refuse(cutting->err, REASON_CARDINALITY, where,
				  "the count is %llu, but there are %zu: the file was cut or put "
				  "together wrongly",
				  (unsigned long long)number, count);
	return 0;
}

static int on_fhs(struct cutting *cutting, struct slice line)
{
	(void)line;
	if (cutting->in_file || cutting->in_batch || cutting->count > 0)
		return wrong(cutting, "FHS", "a second file begins inside the first");
	cutting->in_file = true;
	return 0;
}

static int on_bhs(struct cutting *cutting, struct slice line)
{
	(void)line;
	if (cutting->in_batch)
		return wrong(cutting, "BTS", "a batch begins before the one before it has ended");
	cutting->in_batch = true;
	cutting->before_batch = cutting->count;
	return 0;
}

static int on_bts(struct cutting *cutting, struct slice line)
{
	if (!cutting->in_batch)
		return wrong(cutting, "BHS", "a batch ends that has not begun");
	cutting->in_batch = false;
	cutting->batches++;
	return check_count(cutting, line, "BTS-1", cutting->count - cutting->before_batch);
}

static int on_fts(struct cutting *cutting, struct slice line)
{
	if (!cutting->in_file || cutting->in_batch)
		return wrong(cutting, "FTS", "the file ends that has not begun, or inside a batch");
	cutting->in_file = false;
	cutting->file_ended = true;
	/* without BHS the messages are one batch, or none: both are written */
	return cutting->batches == 0 ? 0 : check_count(cutting, line, "FTS-1", cutting->batches);
}

static int on_msh(struct cutting *cutting, struct slice line)
{
	if (!cutting->in_file && !cutting->in_batch)
		return wrong(cutting, "MSH", "a message stands outside the batch");
	cutting->message = line;
	return 0;
}

static const struct {
	const char *name;
	int (*on)(struct cutting *cutting, struct slice line);
} marks[] = {
	{ "FHS", on_fhs }, { "BHS", on_bhs }, { "BTS", on_bts },
	{ "FTS", on_fts }, { "MSH", on_msh },
};

static int take_line(struct cutting *cutting, struct slice line)
{
	for (size_t i = 0; i < length_of(marks); i++) {
		if (!begins(line, marks[i].name))
			continue;
		if (cutting->file_ended)
			return wrong(cutting, "FTS", "something follows the end of the file");
		if (end_message(cutting) < 0)
			return -1;
		return marks[i].on(cutting, line);
	}
	if (cutting->message.p != NULL)
		cutting->message.n = (size_t)(line.p + line.n - cutting->message.p);
	else if (slice_trim(line).n > 0)
		return wrong(cutting, "MSH", "something stands outside any message");
	return 0;
}

int hl7_batch_cut(struct slice text, struct slice **ret_messages, size_t *ret_count,
		  struct arena *arena, struct err *err)
{
	struct cutting cutting = { .arena = arena, .err = err };
	struct slice rest = hl7_bare(text), line;

	while (next_line(&rest, &line))
		if (take_line(&cutting, line) < 0)
			return -1;
	if (cutting.in_batch)
		return wrong(&cutting, "BTS", "the batch does not end: the file was cut");
	if (cutting.in_file)
		return wrong(&cutting, "FTS", "the file does not end: it was cut");
	if (cutting.count == 0)
		return err_refuse(err, REASON_CARDINALITY, "MSH", "there is no message in it");
	*ret_messages = cutting.messages;
	*ret_count = cutting.count;
	return 0;
}
