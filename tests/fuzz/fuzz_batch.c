/* A batch file: its messages lie inside it, in order, and each can be parsed or refused. */
#include "hl7/batch.h"
#include "hl7/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size }, *messages;
	scoped(arena_done) struct arena arena = { 0 };
	const char *end = text.p;
	struct hl7_message message;
	struct err err = { 0 };
	size_t count;

	if (hl7_batch_cut(text, &messages, &count, &arena, &err) < 0)
		return err.kind == ERR_REJECT ? 0 : (abort(), 0);
	for (size_t i = 0; i < count; i++) {
		if (messages[i].p < end || messages[i].p + messages[i].n > text.p + text.n)
			abort();
		end = messages[i].p + messages[i].n;
		(void)!hl7_parse(&message, messages[i], &arena, &err);
	}
	return 0;
}
