/* The metadata kept with a document: what is read is written the same. */
#include "document/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(buf_done) struct buf first = { 0 }, second = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;
	struct err err;

	if (metadata_parse(&metadata, (struct slice){ (const char *)data, size }, &arena, &err) < 0)
		return 0;
	metadata_write(&metadata, &first);
	if (metadata_parse(&metadata, buf_slice(&first), &arena, &err) < 0)
		abort();
	metadata_write(&metadata, &second);
	if (!slice_equal(buf_slice(&first), buf_slice(&second)))
		abort();
	return 0;
}
