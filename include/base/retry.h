/* When to try again. Pure. Any thread. */
#ifndef DMPFEED_BASE_RETRY_H
#define DMPFEED_BASE_RETRY_H

#include <stdint.h>

struct retry_settings {
	int64_t first_ms, most_ms;
};

/* Doubles from first_ms up to most_ms, give or take a quarter, so that a thousand documents do not
 * come back at once. `failures` counts from 1; `dice` is chance.
 */
int64_t retry_delay_ms(const struct retry_settings *retry, unsigned failures, uint32_t dice);

#endif
