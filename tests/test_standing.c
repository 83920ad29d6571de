/* Why a queued document has not left: of every state of its lane, and whatever its row says. */
#include "operator/standing.h"

#include "sample.h"

#define NOW_MS ((int64_t)1795262400000) /* 2026-11-21T12:00:00Z */

enum { MINUTE = 60000 };

static const struct lane_figures lanes[] = {
	{ .name = "100000001",
	  .state = LANE_OPEN,
	  .since_ms = NOW_MS - 5 * MINUTE,
	  .why = { "", "" },
	  .in_flight = 3,
	  .at_once = 4,
	  .rate_per_s = 20 },
	{ .name = "100000002",
	  .state = LANE_SLOWED,
	  .since_ms = NOW_MS - MINUTE,
	  .why = { "the DMP answers 503", "le DMP répond 503" },
	  .resumes_ms = NOW_MS + MINUTE },
	{ .name = "100000003",
	  .state = LANE_STOPPED,
	  .since_ms = NOW_MS - 2 * MINUTE,
	  .why = { "revoked", "révoqué" },
	  .resumes_ms = NOW_MS + 15 * MINUTE },
	{ .name = "100000004",
	  .state = LANE_STOPPED,
	  .since_ms = NOW_MS - 3 * MINUTE,
	  .why = { "no certificate", "pas de certificat" } },
	{ .name = "100000005",
	  .state = LANE_OPEN,
	  .since_ms = NOW_MS,
	  .why = { "", "" },
	  .queue_is_silent = true },
};

static struct standing *standing(void)
{
	return standing_new(lanes, length_of(lanes), NOW_MS);
}

static void what_keeps_it_is_told_from_lane_and_row(void **state)
{
	static const struct {
		const char *lane;
		enum reason own;
		int64_t next_ms; /* from now */
		enum reason reason, todo;
		const char *lane_state, *english;
		int64_t not_before_ms; /* from now; 0: none */
	} cases[] = {
		{ "100000001", REASON_NONE, -MINUTE, REASON_WAITING_TURN, REASON_WAITING_TURN,
		  "open", "3 under way, of at most 4 at once, and 20 a second may leave", 0 },
		{ "100000001", REASON_RETRYING, MINUTE, REASON_RETRYING, REASON_RETRYING, "open",
		  "", MINUTE },
		{ "100000001", REASON_LANE_STOPPED, -MINUTE, REASON_WAITING_TURN,
		  REASON_WAITING_TURN, "open",
		  "3 under way, of at most 4 at once, and 20 a second may leave", 0 },
		{ "100000002", REASON_NONE, -MINUTE, REASON_LANE_SLOWED, REASON_LANE_SLOWED,
		  "slowed", "the DMP answers 503", MINUTE },
		{ "100000002", REASON_DOUBTFUL, 3 * MINUTE, REASON_DOUBTFUL, REASON_LANE_SLOWED,
		  "slowed", "the DMP answers 503", 3 * MINUTE },
		{ "100000003", REASON_NONE, -MINUTE, REASON_LANE_STOPPED, REASON_LANE_STOPPED,
		  "stopped", "revoked", 15 * MINUTE },
		{ "100000003", REASON_RETRYING, MINUTE, REASON_RETRYING, REASON_LANE_STOPPED,
		  "stopped", "revoked", 15 * MINUTE },
		{ "100000004", REASON_NONE, MINUTE, REASON_LANE_STOPPED, REASON_LANE_STOPPED,
		  "stopped", "no certificate", 0 },
		{ "100000005", REASON_NONE, -MINUTE, REASON_WAITING_TURN, REASON_WAITING_TURN,
		  "open", "the queue did not answer; it is asked again", 0 },
		{ "199999999", REASON_NONE, -MINUTE, REASON_LANE_STOPPED, REASON_LANE_STOPPED,
		  "stopped",
		  "no establishment of the configuration has this FINESS: put it back, or cancel "
		  "what waits for it",
		  0 },
	};
	scoped(standing_free) struct standing *now = standing();

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct store_row row = { .lane = cases[i].lane,
					       .state = DOC_QUEUED,
					       .reason = cases[i].own,
					       .next_attempt_ms = NOW_MS + cases[i].next_ms };
		const struct standing_wait wait = standing_wait(now, &row);

		assert_string_equal(reason_row(wait.reason)->code,
				    reason_row(cases[i].reason)->code);
		assert_string_equal(reason_row(wait.todo)->code, reason_row(cases[i].todo)->code);
		assert_string_equal(wait.lane_state, cases[i].lane_state);
		assert_string_equal(wait.why.english, cases[i].english);
		assert_int_equal(wait.why.english[0] == '\0', wait.why.french[0] == '\0');
		assert_int_equal(wait.not_before_ms,
				 cases[i].not_before_ms ? NOW_MS + cases[i].not_before_ms : 0);
		assert_int_equal(standing_reason(now, &row), cases[i].reason);
	}
}

static void since_when_is_the_lanes_own(void **state)
{
	scoped(standing_free) struct standing *now = standing();

	(void)state;
	for (size_t i = 0; i < length_of(lanes); i++)
		assert_int_equal(standing_wait(now, &(struct store_row){ .lane = lanes[i].name,
									 .state = DOC_QUEUED })
					 .since_ms,
				 lanes[i].since_ms);
}

static void what_is_not_queued_has_its_own_reason(void **state)
{
	static const struct store_row held = { .lane = "100000003",
					       .state = DOC_HELD,
					       .reason = REASON_POLICY_HOLD };
	static const struct store_row sending = { .lane = "100000003", .state = DOC_SENDING };
	scoped(standing_free) struct standing *now = standing();

	(void)state;
	assert_int_equal(standing_reason(now, &held), REASON_POLICY_HOLD);
	assert_int_equal(standing_reason(now, &sending), REASON_NONE);
}

static void a_reason_of_the_lane_is_looked_for_in_what_is_queued(void **state)
{
	static const enum reason reasons[] = { REASON_WAITING_TURN, REASON_LANE_SLOWED,
					       REASON_LANE_STOPPED };
	static const char *const kept[] = { "100000001", "100000002", "100000004" };
	scoped(standing_free) struct standing *now = standing();

	(void)state;
	for (size_t i = 0; i < length_of(reasons); i++) {
		struct store_filter filter = { .reason = reason_row(reasons[i])->code };

		standing_narrow(now, &filter);
		assert_string_equal(filter.reason, "");
		assert_string_equal(filter.state, "queued");
		for (size_t j = 0; j < length_of(kept); j++)
			assert_int_equal(
				filter.is_wanted(filter.is_wanted_arg,
						 &(struct store_row){ .lane = kept[j],
								      .state = DOC_QUEUED }),
				i == j);
	}
}

static void any_other_filter_stays_as_it_is(void **state)
{
	static const struct store_filter filters[] = {
		{ .reason = "retrying", .state = "" },
		{ .reason = "", .state = "queued" },
		{ .reason = "lane_stopped", .state = "", .invisible = true },
	};
	scoped(standing_free) struct standing *now = standing();

	(void)state;
	for (size_t i = 0; i < length_of(filters); i++) {
		struct store_filter filter = filters[i];

		standing_narrow(now, &filter);
		assert_string_equal(filter.reason, filters[i].reason);
		assert_string_equal(filter.state, filters[i].state);
		assert_null(filter.is_wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_keeps_it_is_told_from_lane_and_row),
		cmocka_unit_test(since_when_is_the_lanes_own),
		cmocka_unit_test(what_is_not_queued_has_its_own_reason),
		cmocka_unit_test(a_reason_of_the_lane_is_looked_for_in_what_is_queued),
		cmocka_unit_test(any_other_filter_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
