/* A source's answer to a business acknowledgement, and, of the same bytes, a message that asks for one
 * and the DMP's words about it: what goes out can be cut.
 */
#include "hl7/zam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { (const char *)data, size };
	scoped(arena_done) struct arena arena = { 0 };
	scoped(free_ptr) char *words = slice_dup(bytes);
	scoped(buf_done) struct buf out = { 0 };
	const struct zam zam = { .control_id = "G0003", .code = words, .text = words };
	struct hl7_message message;
	struct err err = { 0 };

	if (zam_read_answer(bytes, "G0003", &err) != ZAM_ACCEPTED && err.kind != ERR_RETRY)
		abort();
	zam_build(bytes, &zam, &out);
	if (!charset_is_utf8(buf_slice(&out)) ||
	    hl7_parse(&message, buf_slice(&out), &arena, &err) < 0 || message.segment_count != 4)
		abort();
	return 0;
}
