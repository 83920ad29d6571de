/* Durations, counted by size. Pure. */
#include "base/histogram.h"

#include "base/buf.h"

const int64_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000,
};

void histogram_add(struct histogram *histogram, int64_t ms)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && ms > histogram_bounds_ms[i])
		i++;
	histogram->counts[i]++;
	histogram->total_ms += (uint64_t)max(ms, (int64_t)0);
}

uint64_t histogram_count(const struct histogram *histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		count += histogram->counts[i];
	return count;
}
