/* A reply as the network brings it: the first line is its Content-Type, the rest its body. It is
 * read as the answer to each request that there is.
 */
#include <stddef.h>
#include <stdint.h>

#include "dispatch/outcome.h"
#include "dmp/existence.h"
#include "dmp/find.h"
#include "document/cda.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct error_table *shipped_errors(void)
{
	static struct error_table *errors;
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *file = xasprintf("%s/conf/dmp-errors.csv", root ? root : ".");
	struct err err = { 0 };

	if (errors == NULL && error_table_load(&errors, file, &err) < 0)
		abort();
	return errors;
}

static void read_as(enum transaction asked, struct slice content_type, struct slice body)
{
	scoped(arena_done) struct arena arena = { 0 };
	const struct exchange exchange = { .answered = true, .http_status = 200 };
	const struct attempt attempt = { .asked = asked, .was_doubtful = true, .unique_id = "1.2" };
	struct err err = { 0 };
	struct reply reply;
	const char *text;

	reply_read(&reply, asked, content_type, body, &arena);
	if (outcome_of(shipped_errors(), &attempt, &exchange, &reply).text == NULL)
		abort();
	if (find_read(&reply, &text, &err) == 1 && text[0] == '\0')
		abort();
	(void)existence_read(&reply, "279035121518989", "1.2.250.1.213.1.4.10", &text);
	if (text == NULL || reply_oddity(&reply, asked, "1") == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size }, content_type = { 0 };

	cda_start();
	slice_next(&body, '\n', &content_type);
	for (int asked = 0; asked < TRANSACTION_COUNT; asked++)
		read_as((enum transaction)asked, content_type, body);
	return 0;
}
