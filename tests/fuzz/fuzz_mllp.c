/* MLLP framing: the bytes whole, and arriving in two reads, say the same. */
#include "hl7/mllp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, payload = { 0 };
	size_t seen = 0, half = size ? data[size - 1] % size : 0;
	struct err err;
	ssize_t whole, first;

	in = slice_from(in, mllp_stray(in));
	whole = mllp_next(in, &seen, &payload, &err);
	if (whole > 0 && (size_t)whole != payload.n + 3)
		abort();
	seen = 0;
	first = mllp_next((struct slice){ in.p, min(half, in.n) }, &seen, &payload, &err);
	if ((first == 0 ? mllp_next(in, &seen, &payload, &err) : first) != whole)
		abort();
	return 0;
}
