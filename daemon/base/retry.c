/* When to try again. Any thread. */
#include "base/retry.h"

#include "base/buf.h"

int64_t retry_delay_ms(const struct retry_settings *retry, unsigned failures, uint32_t dice)
{
	int64_t delay = retry->first_ms;

	while (failures-- > 1 && delay < retry->most_ms)
		delay = min(delay * 2, retry->most_ms);
	return delay - delay / 4 + delay / 2 * (dice % 1024) / 1024;
}
