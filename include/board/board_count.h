/* What the board counts, place by place: numerators and denominators of one indicator over some days, and
 * how they went lately.
 *
 * The board's thread, with a read connection; a test, with any store. Time is an argument.
 */
#ifndef DMPFEED_BOARD_BOARD_COUNT_H
#define DMPFEED_BOARD_BOARD_COUNT_H

#include "config.h"
#include "queue/store_count.h"
#include "queue/store_target.h"
#include "status/targets_json.h"

struct board_asked {
	const struct config *config;
	const struct targets *targets; /* outlives the result */
	struct store *store;
	int64_t now_ms;
};

/* Is it one of those; none named: any is. */
bool board_is_named(const struct target_texts *texts, const char *text);

/* Room for one more in a list that doubles when it is full. */
void *board_grow(struct arena *arena, void *list, size_t count, size_t bytes);

struct board_place {
	const char *id, *name; /* finess_eg, or finess_ej of an entity */
	const char *lane;      /* finess_ej */
};

struct board_places {
	struct board_place *list;
	size_t count;
	bool by_entity;
};

struct board_counting {
	const struct config *config;
	struct store *store;
	struct arena *arena; /* of texts and arrays */
	int today;
	struct workdays workdays;
};

/* Where the indicator applies. */
struct board_places board_places_of(const struct board_counting *counting,
				    const struct target_indicator *indicator);

/* Of one place. */
struct board_measure {
	int64_t numerator;          /* of all the days that were asked for */
	int64_t numerator_measured; /* until the last day that the denominator is known for */
	struct board_denominator denominator;
	double denominator_pace; /* a day; of what is imported, in the last month that it is known for */
};

/* Of all days of [from, to] that have been; `grace`: documents may come so many days later. */
must_use int board_measure(const struct board_counting *counting,
			   const struct target_indicator *indicator,
			   const struct board_places *places, int from, int to,
			   struct board_measure *ret_measures, struct err *err);

/* What would count too if it were accepted at now_ms. */
struct board_awaited {
	int64_t sendable;    /* waits to be sent */
	int64_t recoverable; /* for an identity to be qualified */
};

must_use int board_await(const struct board_counting *counting,
			 const struct target_indicator *indicator,
			 const struct board_places *places, int from, int to, int64_t now_ms,
			 struct board_awaited *ret_awaited, struct err *err);

/* How it went lately: a day, over the last 28 days or since the first; and each of the last full weeks. */
struct board_pace {
	double numerator, denominator; /* denominator: < 0: told by months, see above */
	double produced;
	double weekly[PROJECTION_WEEKS];
	size_t weeks;
};

must_use int board_pace(const struct board_counting *counting,
			const struct target_indicator *indicator, const struct board_places *places,
			struct board_pace *ret_paces, struct err *err);

/* What was accepted over the whole of the gateway on each of the last 365 days. */
must_use int board_learn(const struct board_counting *counting, const struct workdays *preset,
			 struct workdays *ret_workdays, struct err *err);

#endif
