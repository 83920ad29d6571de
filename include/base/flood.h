/* Floods: of each kind of line so many in an interval; what comes beyond is counted, and told by one line once the
 * interval is over. A sender that connects in a loop, a folder of ten thousand bad files, an outage: the first lines
 * say it, and those of another kind are not carried away with the rest (the journal itself, past a limit of its own,
 * drops whatever comes).
 *
 * Pure: time is an argument. All-zero is none so far. Belongs to one thread.
 */
#ifndef DMPFEED_BASE_FLOOD_H
#define DMPFEED_BASE_FLOOD_H

#include "base/buf.h"

struct flood_limit {
	uint64_t burst; /* lines of a kind in an interval; 0: as many as come */
	int64_t interval_ms;
};

enum { FLOOD_KINDS = 64, FLOOD_TEXT = 256 };

struct flood {
	struct flood_kind {
		const char *
			format; /* what the lines of a kind have in common, with how much they matter */
		int level;
		int64_t since_ms;
		uint64_t passed, left_out;
		char last[FLOOD_TEXT]; /* of those that were left out, cut where it is too long */
	} kinds[FLOOD_KINDS];
	size_t count;
};

/* Whether a line of that kind is written; if not, it is counted. `format` is known by its address. */
bool flood_lets_pass(struct flood *flood, const struct flood_limit *limit, const char *format,
		     int level, const char *text, int64_t now_ms);

struct flood_told {
	int level;
	uint64_t left_out;
	int64_t within_ms;
	char last[FLOOD_TEXT];
};

/* Takes what is to be told of one kind whose interval is over (or of any kind, `at_once`), and forgets it. false:
 * nothing is. */
bool flood_next(struct flood *flood, const struct flood_limit *limit, bool at_once, int64_t now_ms,
		struct flood_told *ret_told);

#endif
