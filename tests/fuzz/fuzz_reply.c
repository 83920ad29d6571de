/* A reply as the network brings it: the first line is its Content-Type, the rest its body. */
#include <stddef.h>
#include <stdint.h>

#include "dispatch/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct slice body = { (const char *)data, size }, content_type = { 0 };
	const struct exchange exchange = { .answered = true, .http_status = 200 };
	struct reply reply;

	slice_next(&body, '\n', &content_type);
	reply_read(&reply, content_type, body, &arena);
	if (outcome_of(&exchange, &reply, false).text == NULL)
		abort();
	return 0;
}
