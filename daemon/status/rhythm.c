/* When a source usually sends. Pure. */
#include "status/rhythm.h"

#include "base/buf.h"
#include "status/workdays.h"

/* Chance alone keeps three documents away once in twenty silences. */
static const float least_usual = 3;

enum {
	SLOTS_AN_HOUR = 6,
	SLOTS_A_DAY = 24 * SLOTS_AN_HOUR,
	HOURS_A_WEEK = 7 * 24,
	DAYS = RHYTHM_SLOTS / SLOTS_A_DAY,
	SUNDAY = 3, /* 1970 began on a Thursday */
};

/* A walk from slot to slot, forward. What a day is by the calendar of people is looked up once. */
struct walk {
	int64_t day_ends; /* the first slot after it */
	bool is_holiday;
};

static size_t hour_of(int64_t slot)
{
	return (size_t)(slot / SLOTS_AN_HOUR % HOURS_A_WEEK);
}

static bool is_holiday(struct walk *walk, int64_t slot)
{
	int day;

	if (slot >= walk->day_ends) {
		day = calendar_day(slot * RHYTHM_SLOT_MS);
		walk->day_ends = calendar_begins_ms(calendar_add(day, 1)) / RHYTHM_SLOT_MS;
		walk->is_holiday = workdays_is_holiday(day);
	}
	return walk->is_holiday;
}

/* What is expected in a slot. Of a source that rests on Sundays nothing is on a public holiday either; one that
 * never rests is expected then as well.
 */
static float rate_at(const struct rhythm *rhythm, struct walk *walk, int64_t slot)
{
	const size_t hour = hour_of(slot);
	const float rate = rhythm->rates[hour], of_sunday = rhythm->rates[SUNDAY * 24 + hour % 24];

	return is_holiday(walk, slot) ? min(rate, of_sunday) : rate;
}

static uint16_t *count_at(struct rhythm *rhythm, int64_t slot)
{
	return &rhythm->counts[slot % RHYTHM_SLOTS];
}

void rhythm_note(struct rhythm *rhythm, int64_t slot, uint64_t documents)
{
	if (documents == 0 || slot <= rhythm->last - RHYTHM_SLOTS)
		return;
	if (rhythm->first == 0)
		rhythm->first = slot;
	for (int64_t passed = max(rhythm->last + 1, slot - RHYTHM_SLOTS + 1); passed <= slot;
	     passed++)
		*count_at(rhythm, passed) = 0;
	rhythm->last = max(rhythm->last, slot);
	rhythm->first = min(rhythm->first, slot);
	*count_at(rhythm, slot) = (uint16_t)min(documents, (uint64_t)UINT16_MAX);
	rhythm->learnt = false;
}

/* The slots that are known: up to the last, from the first arrival on or for four weeks. */
static int64_t oldest(const struct rhythm *rhythm)
{
	return max(rhythm->first, rhythm->last - RHYTHM_SLOTS + 1);
}

/* A public holiday says nothing of its day of the week. */
static void learn_rates(struct rhythm *rhythm)
{
	float slots[HOURS_A_WEEK] = { 0 };
	struct walk walk = { 0 };

	memset(rhythm->rates, 0, sizeof(rhythm->rates));
	for (int64_t slot = oldest(rhythm); slot <= rhythm->last; slot++) {
		if (is_holiday(&walk, slot))
			continue;
		slots[hour_of(slot)]++;
		rhythm->rates[hour_of(slot)] += *count_at(rhythm, slot);
	}
	for (size_t i = 0; i < HOURS_A_WEEK; i++)
		rhythm->rates[i] /= max(slots[i], 1.0f);
}

static int by_weight(const void *a, const void *b)
{
	const float one = *(const float *)a, other = *(const float *)b;

	return (one > other) - (one < other);
}

/* The heaviest silence that ended on each day, and of these the one that a tenth of them pass. Of the two
 * slots around a silence half was silent.
 */
static float learn_usual(struct rhythm *rhythm)
{
	float heaviest[DAYS + 1] = { 0 }, weight = 0;
	const int64_t from = oldest(rhythm);
	struct walk walk = { 0 };
	size_t days = 0;
	int64_t day = -1;

	for (int64_t slot = from; slot <= rhythm->last; slot++) {
		const float rate = rate_at(rhythm, &walk, slot);

		if (*count_at(rhythm, slot) == 0) {
			weight += rate;
			continue;
		}
		if (slot / SLOTS_A_DAY != day) {
			day = slot / SLOTS_A_DAY;
			days = min(days + 1, length_of(heaviest));
		}
		heaviest[days - 1] = max(heaviest[days - 1], weight + rate / 2);
		weight = rate / 2;
	}
	qsort(heaviest, days, sizeof(heaviest[0]), by_weight);
	return days > 0 ? heaviest[(days - 1) * 9 / 10] : 0;
}

void rhythm_learn(struct rhythm *rhythm)
{
	if (rhythm->learnt || rhythm->last == 0)
		return;
	learn_rates(rhythm);
	rhythm->usual = max(learn_usual(rhythm), least_usual);
	rhythm->learnt = true;
}

/* What should have come since the last arrival, which was somewhere in its slot. More than four weeks weigh
 * as much as four.
 */
static float weight_until(const struct rhythm *rhythm, int64_t now_ms)
{
	const int64_t now = min(now_ms / RHYTHM_SLOT_MS, rhythm->last + RHYTHM_SLOTS);
	struct walk walk = { 0 };
	float weight = rate_at(rhythm, &walk, rhythm->last) / 2;

	for (int64_t slot = rhythm->last + 1; slot < now; slot++)
		weight += rate_at(rhythm, &walk, slot);
	return weight;
}

int64_t rhythm_silence(const struct rhythm *rhythm, int64_t now_ms)
{
	if (rhythm->last - rhythm->first < RHYTHM_LEARNS_SLOTS || rhythm->usual <= 0)
		return 0;
	return (int64_t)(weight_until(rhythm, now_ms) / rhythm->usual * 100);
}

int64_t rhythm_last_ms(const struct rhythm *rhythm)
{
	return rhythm->last > 0 ? (rhythm->last + 1) * RHYTHM_SLOT_MS - 1 : 0;
}
