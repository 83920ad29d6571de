/* What the mutators need, and the choice between them. */
#include "mutate.h"

enum {
	GROWTH = 64,      /* bytes that one change of bytes may add */
	BROKEN_ONE_IN = 2 /* inputs that need not be well-formed: a parser sees those too */
};

/* splitmix64 */
size_t dice_below(struct dice *dice, size_t n)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (size_t)((z ^ (z >> 31)) % n);
}

void mutate_bytes(struct slice bytes, struct buf *out)
{
	const size_t left = out->limit - min(out->limit, out->n);
	const size_t most = min(bytes.n + GROWTH, max(left, bytes.n));
	char *room = buf_reserve(out, most);

	if (room == NULL)
		return;
	memcpy(room, bytes.p, bytes.n);
	out->n += LLVMFuzzerMutate((uint8_t *)room, bytes.n, most);
}

void mutate_text(struct slice text, const char *reserved, struct buf *out)
{
	const size_t start = out->n;

	mutate_bytes(text, out);
	for (size_t i = start; i < out->n; i++)
		if (out->p[i] < ' ' || out->p[i] > '~' || strchr(reserved, out->p[i]) != NULL)
			out->p[i] = (char)('a' + (unsigned char)out->p[i] % 26);
}

bool mutate(struct slice text, struct dice *dice, struct buf *out)
{
	return mutate_hl7(text, dice, out) || mutate_zip(text, dice, out) ||
	       mutate_xml(text, dice, out);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	scoped(buf_done) struct buf out = { .limit = most };
	struct dice dice = { seed };

	if (dice_below(&dice, BROKEN_ONE_IN) == 0 ||
	    !mutate((struct slice){ (const char *)data, size }, &dice, &out))
		return LLVMFuzzerMutate(data, size, most);
	memcpy(data, out.p, out.n);
	return out.n;
}
