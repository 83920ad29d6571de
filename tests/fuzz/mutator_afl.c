/* The mutators as AFL++ takes them (AFL_CUSTOM_MUTATOR_LIBRARY): beside its own, which change bytes. Within a
 * value there is no libFuzzer to ask, so that bytes change here as simply as can be.
 */
#include "mutate.h"

struct afl_mutator {
	struct dice dice;
	struct buf out;
};

static struct dice byte_dice;

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most)
{
	size_t at = dice_below(&byte_dice, size + 1);

	if (size > 0 && dice_below(&byte_dice, 3) == 0) {
		at = min(at, size - 1);
		memmove(data + at, data + at + 1, --size - at);
		return size;
	}
	if (size < most && dice_below(&byte_dice, 2) == 0)
		memmove(data + at + 1, data + at, size++ - at);
	if (at < size)
		data[at] = (uint8_t)dice_below(&byte_dice, 256);
	return size;
}

void *afl_custom_init(void *afl, unsigned seed)
{
	struct afl_mutator *mutator = xcalloc(1, sizeof(*mutator));

	(void)afl;
	mutator->dice.state = byte_dice.state = seed;
	return mutator;
}

size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **ret_out, uint8_t *other,
		       size_t other_size, size_t most)
{
	struct afl_mutator *mutator = state;

	(void)other, (void)other_size;
	mutator->out.limit = most;
	*ret_out = data; /* never NULL */
	if (!mutate((struct slice){ (const char *)data, size }, &mutator->dice, &mutator->out))
		return 0;
	*ret_out = (uint8_t *)mutator->out.p;
	return mutator->out.n;
}

void afl_custom_deinit(void *state)
{
	struct afl_mutator *mutator = state;

	buf_done(&mutator->out);
	free(mutator);
}
