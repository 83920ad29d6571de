/* When a source usually sends, so that its silence can be told from a night or a weekend.
 *
 * A silence is measured in documents that should have come meanwhile, not in hours: of the last four weeks,
 * how many come in each hour of the week is known, so a night in which none ever comes weighs nothing, and
 * twenty minutes of a busy morning weigh as much as they do. What is usual is the heaviest silence of an
 * ordinary day: of each day the heaviest is taken, and of these the one that nine in ten do not pass. A
 * share of all gaps would be of no use: of a source that sends fifty documents at once, forty-nine gaps are
 * nothing. And the worst of all would let one outage, or one public holiday, hide the next.
 *
 * A public holiday (of metropolitan France) is taken for a Sunday, and teaches nothing of its day of the week.
 *
 * Hours are of UTC: when summer time begins or ends, the pattern is off by one hour for some weeks, which is
 * within the factor that a silence is given. Pure; belongs to one thread.
 */
#ifndef DMPFEED_STATUS_RHYTHM_H
#define DMPFEED_STATUS_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

#define RHYTHM_SLOT_MS ((int64_t)600000) /* arrivals are counted by ten minutes */

enum {
	RHYTHM_SLOTS = 28 * 24 * 6,        /* four weeks of these */
	RHYTHM_LEARNS_SLOTS = 14 * 24 * 6, /* a source is not known before two weeks */
};

/* All-zero: nothing has come yet. */
struct rhythm {
	int64_t first, last;           /* slots since 1970 of the first and the last arrival; */
	uint16_t counts[RHYTHM_SLOTS]; /* in the four weeks up to the last */
	bool learnt;                   /* the two below are of these counts */
	float rates[7 * 24];           /* documents in a slot of that hour of the week */
	float usual; /* documents that an ordinary day's heaviest silence misses */
};

/* So many documents came in that slot, in all: a slot may be told again with more. Slots come in order,
 * but for one that is older than four weeks, which says nothing.
 */
void rhythm_note(struct rhythm *rhythm, int64_t slot, uint64_t documents);

/* Works out what is usual. While nothing comes it stays what it was: a source that died does not become one
 * that is usually silent.
 */
void rhythm_learn(struct rhythm *rhythm);

/* How many times its usual silence the source has been silent at now_ms, in hundredths; 0 while it is not
 * known well enough.
 */
int64_t rhythm_silence(const struct rhythm *rhythm, int64_t now_ms);

/* When it last sent, at the latest; 0: never. */
int64_t rhythm_last_ms(const struct rhythm *rhythm);

#endif
