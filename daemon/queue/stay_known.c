/* What is known of a stay. Pure. */
#include "queue/stay_known.h"

struct stay_known stay_unknown(void)
{
	return (struct stay_known){ .site = "",
				    .unit = "",
				    .field = "",
				    .exists_said_ms = INT64_MIN,
				    .start_said_ms = INT64_MIN,
				    .end_said_ms = INT64_MIN,
				    .since_ms = INT64_MIN,
				    .place_said_ms = INT64_MIN,
				    .counts = true,
				    .counts_said_ms = INT64_MIN };
}

/* Is it the newest word on that? Then the next one must be newer. */
static bool is_news(int64_t *said_ms, const struct store_stay *told)
{
	if (told->said_ms < *said_ms)
		return false;
	*said_ms = told->said_ms;
	return true;
}

/* A transfer that was entered late does not take back those that followed it, though it was said last. */
static bool is_overtaken(const struct stay_known *known, const struct store_stay *told)
{
	return told->since_ms != 0 && told->since_ms < known->since_ms;
}

static void guess_place(struct stay_known *known, const struct store_stay *told)
{
	known->site = told->site;
	known->field = told->field;
}

static void learn_place(struct stay_known *known, const struct store_stay *told)
{
	if (is_overtaken(known, told) || !is_news(&known->place_said_ms, told))
		return;
	known->site = told->site;
	known->unit = told->unit;
	known->field = told->field;
	if (told->since_ms != 0)
		known->since_ms = told->since_ms;
}

void stay_learn(struct stay_known *known, const struct store_stay *told)
{
	if (told->exists != STORE_UNSAID && is_news(&known->exists_said_ms, told))
		known->cancelled = told->exists == STORE_SAID_NO;
	if (told->ended != STORE_UNSAID && is_news(&known->end_said_ms, told))
		known->end_ms = told->ended == STORE_SAID_YES ? told->end_ms : 0;
	if (told->start_ms != 0 && is_news(&known->start_said_ms, told))
		known->start_ms = told->start_ms;
	if (told->has_place && told->unit[0] != '\0')
		learn_place(known, told);
	else if (known->site[0] == '\0')
		guess_place(known, told);
	if (told->counts != STORE_UNSAID && is_news(&known->counts_said_ms, told))
		known->counts = told->counts == STORE_SAID_YES;
}
