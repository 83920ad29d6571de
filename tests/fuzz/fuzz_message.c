/* A message as it comes from a frame or a file: cut, read, answered; the answer can be cut too. */
#include "hl7/ack.h"
#include "hl7/transmission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf answer = { 0 };
	const struct transmission_settings settings = { .profile_1_2 = size % 2 == 0 };
	struct transmission transmission;
	struct hl7_message message;
	struct err err = { 0 };
	struct ack ack = { .control_id = "G1", .err = &err };

	if (hl7_parse(&message, text, &arena, &err) == 0 &&
	    transmission_read(&transmission, &message, &settings, &arena, &err) == 0)
		err.kind = ERR_NONE;
	ack_build(text, &ack, &answer);
	if (answer.n == 0) /* to an acknowledgement */
		return 0;
	if (!charset_is_utf8(buf_slice(&answer)) ||
	    hl7_parse(&message, buf_slice(&answer), &arena, &err) < 0 ||
	    message.segment_count != (ack.err->kind == ERR_NONE ? 2 : 3))
		abort();
	return 0;
}
