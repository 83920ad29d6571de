/* Inputs made of other inputs, for the fuzzers: what was a message, well-formed XML, or an archive stays one, so that
 * what lies behind the first look of a parser is reached too. The same dice, the same result.
 */
#ifndef DMPFEED_TESTS_FUZZ_MUTATE_H
#define DMPFEED_TESTS_FUZZ_MUTATE_H

#include "base/buf.h"

struct dice {
	uint64_t state; /* the seed, at first */
};

/* 0 to n - 1. */
size_t dice_below(struct dice *dice, size_t n);

/* Each appends to `out`, which is empty and has a limit, something else than `text`. false: it is not of that
 * kind, or nothing else was found that fits.
 */
must_use bool mutate_hl7(struct slice text, struct dice *dice, struct buf *out);
must_use bool mutate_xml(struct slice text, struct dice *dice, struct buf *out);
must_use bool mutate_zip(struct slice text, struct dice *dice, struct buf *out);

/* Whichever it is. */
must_use bool mutate(struct slice text, struct dice *dice, struct buf *out);

/* Appends what the fuzzer makes of `bytes`; as text: letters stand for what is no ASCII text, and for each
 * byte of `reserved`.
 */
void mutate_bytes(struct slice bytes, struct buf *out);
void mutate_text(struct slice text, const char *reserved, struct buf *out);

/* As libFuzzer has them. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* As AFL++ has them (afl_custom_fuzz returns 0: this input is passed over). */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **ret_out, uint8_t *other,
		       size_t other_size, size_t most);
void afl_custom_deinit(void *state);

#endif
