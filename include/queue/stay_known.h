/* What is known of a stay, and what one more message makes of it.
 *
 * Pure.
 */
#ifndef DMPFEED_QUEUE_STAY_KNOWN_H
#define DMPFEED_QUEUE_STAY_KNOWN_H

#include "queue/store_stay.h"

/* Texts are borrowed. Each time `…said_ms` is when that was said last. */
struct stay_known {
	bool cancelled;
	int64_t exists_said_ms;
	int64_t start_ms, start_said_ms;
	int64_t end_ms, end_said_ms; /* 0: it goes on */
	const char *site, *unit, *field;
	int64_t since_ms, place_said_ms;
	bool counts;
	int64_t counts_said_ms;
};

/* Of which nothing was said yet. */
struct stay_known stay_unknown(void);

void stay_learn(struct stay_known *known, const struct store_stay *told);

#endif
