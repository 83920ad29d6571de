/* How long something took, counted by size: for whoever wants to know more than an average. Cumulative
 * since it was all-zero. Pure; belongs to one thread.
 */
#ifndef DMPFEED_BASE_HISTOGRAM_H
#define DMPFEED_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 16 };

struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* each up to its bound, and not within the one
						  before; the last: beyond all bounds */
	uint64_t total_ms;
};

/* The upper bounds in milliseconds, ascending: from what a disk takes to what the DMP is waited for. */
extern const int64_t histogram_bounds_ms[HISTOGRAM_BOUNDS];

/* Less than nothing, by a clock that was set back, counts as nothing. */
void histogram_add(struct histogram *histogram, int64_t ms);

uint64_t histogram_count(const struct histogram *histogram);

#endif
