/* Counts of the last day. Pure. */
#include "base/window.h"

#include "base/buf.h"

enum { HOUR_MS = 3600000 };

/* The hours that have passed since the last count are empty. */
static void move_on(struct window *window, int64_t hour)
{
	const int64_t passed = min(hour - window->hour, (int64_t)WINDOW_HOURS);

	for (int64_t i = 0; i < passed; i++)
		window->counts[(hour - i) % WINDOW_HOURS] = 0;
	window->hour = max(window->hour, hour);
}

void window_add(struct window *window, int64_t now_ms, uint64_t count)
{
	move_on(window, now_ms / HOUR_MS);
	window->counts[window->hour % WINDOW_HOURS] += count;
}

uint64_t window_sum(const struct window *window, int64_t now_ms)
{
	struct window moved = *window;
	uint64_t sum = 0;

	move_on(&moved, now_ms / HOUR_MS);
	for (size_t i = 0; i < WINDOW_HOURS; i++)
		sum += moved.counts[i];
	return sum;
}
