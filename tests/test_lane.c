/* A lane's policy, on simulated time: a week runs in a millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "dispatch/lane.h"

#define START_MS ((int64_t)1795262400000) /* 2026-11-21T12:00:00Z */
#define NEVER_MS INT64_MAX

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
enum { MOST = 8, AS_IT_IS = 512 /* the dice that leaves a delay alone */ };

static int64_t now_ms;
static int64_t set_ms; /* by how much somebody set the wall clock */
static uint32_t dice;

static int64_t simulated_clock(void)
{
	return now_ms;
}

static int64_t simulated_wall_clock(void)
{
	return now_ms + set_ms;
}

static uint32_t simulated_chance(void)
{
	return dice;
}

/* What the lane asked for since the test last looked; 0: nothing. */
struct asked {
	unsigned claims;
	size_t most;
};

static void remember(void *arg, struct lane *lane, size_t most)
{
	struct asked *asked = arg;

	(void)lane;
	asked->claims++;
	asked->most = most;
}

/* The same words in both languages, but for a mark. */
static struct lane_why why(const char *words)
{
	static char french[64];

	snprintf(french, sizeof(french), "fr %s", words);
	return (struct lane_why){ words, french };
}

static struct lane_settings settings(void)
{
	return (struct lane_settings){
		.name = "010000001",
		.most_in_flight = MOST,
		.retry = { .first_ms = 30 * SECOND, .most_ms = HOUR },
		.probe_ms = 15 * MINUTE,
		.clock_ms = simulated_clock,
		.wall_clock_ms = simulated_wall_clock,
		.chance = simulated_chance,
	};
}

static struct lane *lane_at_start(struct asked *asked)
{
	const struct lane_settings usual = settings();

	now_ms = START_MS;
	dice = AS_IT_IS;
	*asked = (struct asked){ 0 };
	return lane_new(NULL, &usual, remember, asked);
}

static void assert_asks(struct asked *asked, size_t most)
{
	assert_int_equal(asked->claims, 1);
	assert_int_equal(asked->most, most);
	*asked = (struct asked){ 0 };
}

static void assert_silent(const struct asked *asked)
{
	assert_int_equal(asked->claims, 0);
}

static void wait_until(struct lane *lane, int64_t time_ms)
{
	now_ms = time_ms;
	lane_wake(lane);
}

/* An open lane with `in_flight` documents under way, the queue being empty. */
static struct lane *lane_with(struct asked *asked, size_t in_flight)
{
	struct lane *lane = lane_at_start(asked);

	lane_poke(lane);
	assert_asks(asked, MOST);
	lane_claimed(lane, in_flight, NEVER_MS);
	assert_silent(asked);
	return lane;
}

/* A lane whose only document has just failed in this way. */
static struct lane *lane_after(struct asked *asked, enum outcome_kind kind, int64_t retry_after_ms)
{
	struct lane *lane = lane_with(asked, 1);

	lane_settled(lane, kind, retry_after_ms, why("the way is broken"));
	assert_silent(asked);
	return lane;
}

/* Lets the pause pass and hands the lane the one document it asks for. */
static void probe(struct lane *lane, struct asked *asked)
{
	wait_until(lane, lane_wakes_ms(lane));
	assert_asks(asked, 1);
	lane_claimed(lane, 1, NEVER_MS);
	assert_silent(asked);
}

/* ---- claims ---- */

/* An hour of a lane whose queue never ends and whose documents are settled at once. */
static void a_rate_limits_what_is_claimed(void **state)
{
	struct lane_settings limited = settings();
	struct asked asked = { 0 };
	struct lane *lane;
	size_t claimed = 0;

	(void)state;
	now_ms = START_MS;
	limited.rate = (struct bucket_settings){ .per_s = 2, .burst = 20 };
	lane = lane_new(NULL, &limited, remember, &asked);
	lane_poke(lane);
	while (now_ms < START_MS + HOUR) {
		assert_int_equal(asked.claims, 1);
		for (size_t left = asked.most; asked.claims > 0; left = asked.most) {
			asked = (struct asked){ 0 };
			claimed += left;
			lane_claimed(lane, left, START_MS);
			for (size_t i = 0; i < left; i++)
				lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
		}
		assert_in_range(lane_wakes_ms(lane) - now_ms, 1, 500);
		wait_until(lane, lane_wakes_ms(lane));
	}
	assert_in_range(claimed, 2 * 3600, 2 * 3600 + 20);
	lane_free(&lane);
}

static void a_lane_is_idle_until_it_is_poked(void **state)
{
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	assert_int_equal(lane_wakes_ms(lane), NEVER_MS);
	lane_wake(lane);
	assert_silent(&asked);
	lane_poke(lane);
	assert_asks(&asked, MOST);
	lane_free(&lane);
}

static void one_claim_is_outstanding_at_a_time(void **state)
{
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	lane_poke(lane);
	assert_asks(&asked, MOST);
	lane_poke(lane);
	lane_poke(lane);
	wait_until(lane, now_ms + HOUR);
	assert_silent(&asked);
	lane_free(&lane);
}

static void a_poke_during_a_claim_is_remembered_once(void **state)
{
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	lane_poke(lane);
	lane_poke(lane);
	lane_poke(lane);
	assert_asks(&asked, MOST);
	lane_claimed(lane, 0, NEVER_MS);
	assert_asks(&asked, MOST);
	lane_claimed(lane, 0, NEVER_MS);
	assert_silent(&asked);
	lane_free(&lane);
}

static void it_asks_for_no_more_than_fits(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 3);

	(void)state;
	lane_poke(lane);
	assert_asks(&asked, MOST - 3);
	lane_claimed(lane, MOST - 3, NEVER_MS);
	assert_int_equal(lane_figures(lane).in_flight, MOST);
	lane_poke(lane);
	assert_silent(&asked);
	lane_free(&lane);
}

static void after_a_full_answer_it_asks_again_as_soon_as_there_is_room(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, MOST);

	(void)state;
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_asks(&asked, 1);
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_silent(&asked);
	lane_claimed(lane, 1, NEVER_MS);
	assert_asks(&asked, 1);
	lane_free(&lane);
}

static void after_a_short_answer_it_waits_for_the_time_the_queue_named(void **state)
{
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	lane_poke(lane);
	assert_asks(&asked, MOST);
	lane_claimed(lane, 2, START_MS + HOUR);
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_int_equal(lane_wakes_ms(lane), START_MS + HOUR);
	wait_until(lane, START_MS + HOUR - 1);
	assert_silent(&asked);
	wait_until(lane, START_MS + HOUR);
	assert_asks(&asked, MOST - 1);
	lane_free(&lane);
}

static void it_asks_when_a_document_that_went_back_is_due(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 1);
	const int64_t again_ms = lane_next_attempt_ms(lane, OUTCOME_RETRY, 1, 0, now_ms);

	(void)state;
	assert_int_equal(again_ms, START_MS + 30 * SECOND);
	lane_settled(lane, OUTCOME_RETRY, 0, why("busy"));
	assert_asks(&asked, MOST);
	lane_claimed(lane, 0, again_ms);
	assert_int_equal(lane_wakes_ms(lane), again_ms);
	lane_free(&lane);
}

static void a_queue_that_cannot_answer_is_asked_again_ever_more_rarely(void **state)
{
	static const int64_t waits[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	for (unsigned round = 0; round < 2; round++) { /* an answer in between forgets it all */
		lane_poke(lane);
		assert_asks(&asked, MOST);
		for (size_t i = 0; i < length_of(waits); i++) {
			const int64_t again_ms = now_ms + waits[i] * SECOND;

			lane_claim_failed(lane);
			assert_int_equal(lane_wakes_ms(lane), again_ms);
			lane_poke(lane);
			assert_silent(&asked);
			wait_until(lane, again_ms);
			assert_asks(&asked, MOST);
		}
		lane_claimed(lane, 0, NEVER_MS);
	}
	lane_free(&lane);
}

static void a_closed_lane_claims_no_more_and_lets_what_is_in_flight_settle(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, MOST);

	(void)state;
	lane_close(lane);
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	lane_poke(lane);
	assert_silent(&asked);
	assert_int_equal(lane_wakes_ms(lane), NEVER_MS);
	assert_int_equal(lane_figures(lane).in_flight, MOST - 1);
	assert_int_equal(lane_figures(lane).delivered, 1);
	lane_free(&lane);
}

/* ---- slowed ---- */

static void a_slowed_lane_claims_nothing_until_it_resumes_with_one_document(void **state)
{
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);

	(void)state;
	assert_int_equal(lane_figures(lane).state, LANE_SLOWED);
	assert_int_equal(lane_figures(lane).resumes_ms, START_MS + 30 * SECOND);
	assert_int_equal(lane_figures(lane).since_ms, START_MS);
	assert_int_equal(lane_figures(lane).at_once, 1);
	lane_poke(lane);
	wait_until(lane, START_MS + 30 * SECOND - 1);
	assert_silent(&asked);
	assert_int_equal(lane_wakes_ms(lane), START_MS + 30 * SECOND);
	probe(lane, &asked);
	lane_poke(lane);
	assert_silent(&asked);
	assert_int_equal(lane_figures(lane).since_ms, START_MS);
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_int_equal(lane_figures(lane).state, LANE_OPEN);
	assert_int_equal(lane_figures(lane).since_ms, now_ms);
	assert_int_equal(lane_figures(lane).at_once, 2);
	lane_free(&lane);
}

static void pauses_double_up_to_the_longest(void **state)
{
	static const int64_t pauses[] = { 30, 60, 120, 240, 480, 960, 1920, 3600, 3600 };
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);

	(void)state;
	for (size_t i = 0; i < length_of(pauses); i++) {
		assert_int_equal(lane_figures(lane).resumes_ms, now_ms + pauses[i] * SECOND);
		probe(lane, &asked);
		lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("still broken"));
	}
	lane_free(&lane);
}

static void a_pause_varies_with_chance(void **state)
{
	struct asked asked;
	struct lane *lane;

	(void)state;
	lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);
	probe(lane, &asked);
	dice = 0; /* rolled for the pause after the next: what is foretold does not change */
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why(""));
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 60 * SECOND);
	probe(lane, &asked);
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why(""));
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 90 * SECOND);
	lane_free(&lane);
}

static void the_server_may_ask_for_a_longer_pause_but_not_for_a_shorter_one(void **state)
{
	static const struct {
		enum outcome_kind kind;
		int64_t retry_after, pause; /* seconds */
	} cases[] = {
		{ OUTCOME_RETRY_LANE, 0, 30 },      { OUTCOME_RETRY_LANE, 10, 30 },
		{ OUTCOME_RETRY_LANE, 120, 120 },   { OUTCOME_HALT, 0, 15 * 60 },
		{ OUTCOME_HALT, 20 * 60, 20 * 60 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct asked asked;
		struct lane *lane =
			lane_after(&asked, cases[i].kind, cases[i].retry_after * SECOND);

		assert_int_equal(lane_wakes_ms(lane), START_MS + cases[i].pause * SECOND);
		lane_free(&lane);
	}
}

static void documents_that_fail_together_are_one_failure(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 5);

	(void)state;
	for (int i = 0; i < 4; i++, now_ms += SECOND)
		lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("reset"));
	assert_int_equal(lane_figures(lane).resumes_ms, START_MS + 30 * SECOND);
	lane_settled(lane, OUTCOME_RETRY_LANE, MINUTE,
		     why("the last one was told when to come back"));
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + MINUTE);
	probe(lane, &asked);
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("still broken"));
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 60 * SECOND);
	lane_free(&lane);
}

static void an_answer_that_left_before_the_pause_does_not_end_it(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 2);

	(void)state;
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("reset"));
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_silent(&asked);
	assert_int_equal(lane_figures(lane).state, LANE_SLOWED);
	assert_int_equal(lane_figures(lane).delivered, 1);
	probe(lane, &asked);
	lane_free(&lane);
}

static void no_probe_leaves_while_an_older_document_is_in_flight(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 2);

	(void)state;
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("reset"));
	assert_int_equal(lane_wakes_ms(lane), NEVER_MS);
	wait_until(lane, START_MS + HOUR);
	assert_silent(&asked);
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	assert_int_equal(lane_figures(lane).state, LANE_OPEN);
	assert_asks(&asked, 2);
	lane_free(&lane);
}

/* ---- open again ---- */

static void any_answer_to_the_probe_opens_the_lane(void **state)
{
	static const enum outcome_kind troubles[] = { OUTCOME_RETRY_LANE, OUTCOME_HALT };
	static const enum outcome_kind answers[] = { OUTCOME_DELIVERED, OUTCOME_RETRY,
						     OUTCOME_REJECTED, OUTCOME_REFUSED };

	(void)state;
	for (size_t t = 0; t < length_of(troubles); t++)
		for (size_t a = 0; a < length_of(answers); a++) {
			struct asked asked;
			struct lane *lane = lane_after(&asked, troubles[t], 0);

			probe(lane, &asked);
			lane_settled(lane, answers[a], 0, why("whatever it says"));
			assert_int_equal(lane_figures(lane).state, LANE_OPEN);
			assert_string_equal(lane_figures(lane).why.english, "");
			assert_int_equal(lane_figures(lane).resumes_ms, 0);
			lane_free(&lane);
		}
}

static void each_answer_doubles_what_may_be_in_flight(void **state)
{
	static const size_t allowed[] = { 2, 4, 8, 8 };
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);
	size_t in_flight = 1;

	(void)state;
	probe(lane, &asked);
	for (size_t i = 0; i < length_of(allowed); i++) {
		lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
		in_flight--;
		assert_asks(&asked, allowed[i] - in_flight);
		in_flight = allowed[i];
		lane_claimed(lane, in_flight - lane_figures(lane).in_flight, NEVER_MS);
	}
	lane_free(&lane);
}

static void a_failure_after_an_answer_starts_with_the_shortest_pause(void **state)
{
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);

	(void)state;
	probe(lane, &asked);
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("still broken"));
	probe(lane, &asked);
	lane_settled(lane, OUTCOME_REFUSED, 0, why("no DMP"));
	assert_asks(&asked, 2);
	lane_claimed(lane, 1, NEVER_MS);
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("broken again"));
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 30 * SECOND);
	lane_free(&lane);
}

static void a_document_that_was_not_tried_says_nothing_of_the_way(void **state)
{
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);

	(void)state;
	probe(lane, &asked);
	lane_untried(lane);
	assert_int_equal(lane_figures(lane).state, LANE_SLOWED);
	assert_int_equal(lane_figures(lane).in_flight, 0);
	assert_asks(&asked, 1);
	lane_free(&lane);
}

/* ---- stopped ---- */

static void a_blocked_lane_stays_stopped_whatever_comes(void **state)
{
	struct asked asked;
	scoped(lane_free) struct lane *lane = lane_at_start(&asked);
	struct lane_figures figures;

	(void)state;
	lane_block(lane, why("dmp.sign.cert: it ended"));
	lane_poke(lane);
	assert_silent(&asked);
	assert_int_equal(lane_wakes_ms(lane), NEVER_MS);
	wait_until(lane, START_MS + 30 * (int64_t)DAY);
	lane_poke(lane);
	assert_silent(&asked);
	figures = lane_figures(lane);
	assert_int_equal(figures.state, LANE_STOPPED);
	assert_string_equal(figures.why.english, "dmp.sign.cert: it ended");
	assert_int_equal(figures.resumes_ms, 0);
	assert_int_equal(figures.since_ms, START_MS);
	lane_block(lane, why("dmp.sign.cert: it ended")); /* as a reload finds it */
	assert_int_equal(lane_figures(lane).since_ms, START_MS);
}

static void a_blocked_lane_goes_on_when_it_is_mended(void **state)
{
	const struct lane_settings usual = settings();
	struct asked asked;
	scoped(lane_free) struct lane *lane = lane_at_start(&asked);

	(void)state;
	lane_block(lane, why("dmp.sign.cert: it ended"));
	lane_poke(lane);
	lane_follow(lane, &usual);
	assert_asks(&asked, MOST);
	assert_int_equal(lane_figures(lane).state, LANE_OPEN);
	assert_string_equal(lane_figures(lane).why.english, "");
}

static void other_settings_keep_what_the_lane_has_learnt(void **state)
{
	struct lane_settings other = settings();
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_HALT, 0);
	const int64_t resumes_ms = lane_figures(lane).resumes_ms;

	(void)state;
	other.name = "another name, which does not count";
	other.most_in_flight = MOST / 2;
	lane_follow(lane, &other);
	assert_silent(&asked);
	assert_int_equal(lane_figures(lane).state, LANE_STOPPED);
	assert_int_equal(lane_figures(lane).resumes_ms, resumes_ms);
	assert_string_equal(lane_figures(lane).name, settings().name);
	probe(lane, &asked); /* one document, as before */
	lane_free(&lane);
}

static void other_settings_say_how_many_go_at_once(void **state)
{
	static const size_t mosts[] = { MOST / 2, MOST * 2, 1 };
	struct lane_settings other = settings();
	struct asked asked;
	scoped(lane_free) struct lane *lane = lane_at_start(&asked);

	(void)state;
	for (size_t i = 0; i < length_of(mosts); i++) {
		other.most_in_flight = mosts[i];
		lane_follow(lane, &other);
		lane_poke(lane);
		assert_asks(&asked, mosts[i]);
		lane_claimed(lane, 0, NEVER_MS);
	}
}

/* Reloading is no way to send more. */
static void the_same_rate_is_not_begun_anew(void **state)
{
	struct lane_settings slow = settings();
	struct asked asked;
	scoped(lane_free) struct lane *lane = lane_at_start(&asked);

	(void)state;
	slow.rate = (struct bucket_settings){ .per_s = 1, .burst = 2 };
	lane_follow(lane, &slow);
	lane_poke(lane);
	assert_asks(&asked, 2);
	lane_claimed(lane, 2, NEVER_MS);
	lane_follow(lane, &slow);
	assert_silent(&asked);
	wait_until(lane, START_MS + SECOND);
	assert_asks(&asked, 1);
}

static void a_stopped_lane_probes_every_quarter_of_an_hour(void **state)
{
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_HALT, 0);

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(lane_figures(lane).state, LANE_STOPPED);
		assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 15 * MINUTE);
		probe(lane, &asked);
		lane_settled(lane, OUTCOME_HALT, 0, why("revoked"));
	}
	lane_free(&lane);
}

static void a_stopped_lane_stays_stopped_when_its_probe_gets_no_answer(void **state)
{
	struct asked asked;
	struct lane *lane = lane_after(&asked, OUTCOME_HALT, 0);

	(void)state;
	probe(lane, &asked);
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("reset"));
	assert_int_equal(lane_figures(lane).state, LANE_STOPPED);
	assert_string_equal(lane_figures(lane).why.english, "the way is broken");
	assert_int_equal(lane_figures(lane).resumes_ms, now_ms + 15 * MINUTE);
	lane_free(&lane);
}

static void a_halt_during_a_pause_stops_the_lane(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 2);

	(void)state;
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("reset"));
	lane_settled(lane, OUTCOME_HALT, 0, why("revoked"));
	assert_int_equal(lane_figures(lane).state, LANE_STOPPED);
	assert_string_equal(lane_figures(lane).why.english, "revoked");
	assert_int_equal(lane_figures(lane).resumes_ms, START_MS + 15 * MINUTE);
	lane_free(&lane);
}

/* ---- a wall clock that is set ---- */

static const int64_t jumps_ms[] = { 365 * (int64_t)DAY, -365 * (int64_t)DAY, -MINUTE };

static void a_pause_lasts_as_long_whatever_is_done_to_the_wall_clock(void **state)
{
	static const enum outcome_kind faults[] = { OUTCOME_RETRY_LANE, OUTCOME_HALT };

	(void)state;
	for (size_t i = 0; i < length_of(faults) * length_of(jumps_ms); i++) {
		struct asked asked;
		struct lane *lane = lane_after(&asked, faults[i % length_of(faults)], 0);
		const int64_t resumes_ms = lane_wakes_ms(lane);

		set_ms = jumps_ms[i / length_of(faults)];
		assert_int_equal(lane_wakes_ms(lane), resumes_ms);
		assert_int_equal(lane_figures(lane).resumes_ms, resumes_ms + set_ms);
		wait_until(lane, resumes_ms - 1);
		assert_silent(&asked);
		wait_until(lane, resumes_ms);
		assert_asks(&asked, 1);
		set_ms = 0;
		lane_free(&lane);
	}
}

static void a_document_is_due_by_the_wall_clock_when_the_lane_resumes(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(jumps_ms); i++) {
		struct asked asked;
		struct lane *lane = lane_after(&asked, OUTCOME_RETRY_LANE, 0);

		set_ms = jumps_ms[i];
		assert_int_equal(lane_next_attempt_ms(lane, OUTCOME_RETRY_LANE, 1, 0,
						      simulated_wall_clock()),
				 lane_wakes_ms(lane) + set_ms);
		set_ms = 0;
		lane_free(&lane);
	}
}

static void what_the_queue_said_is_due_is_asked_for_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(jumps_ms); i++) {
		struct asked asked;
		struct lane *lane = lane_at_start(&asked);

		set_ms = jumps_ms[i];
		lane_poke(lane);
		lane_claimed(lane, 0, simulated_wall_clock() + HOUR);
		asked = (struct asked){ 0 };
		set_ms = jumps_ms[(i + 1) % length_of(jumps_ms)];
		assert_int_equal(lane_wakes_ms(lane), START_MS + HOUR);
		wait_until(lane, START_MS + HOUR);
		assert_asks(&asked, MOST);
		set_ms = 0;
		lane_free(&lane);
	}
}

/* ---- when a document is due again ---- */

static void a_document_at_fault_is_due_after_a_pause_of_its_own(void **state)
{
	static const struct {
		unsigned attempt;
		int64_t retry_after, wait; /* seconds */
	} cases[] = {
		{ 1, 0, 30 },     { 2, 0, 60 },  { 8, 0, 3600 },
		{ 100, 0, 3600 }, { 1, 90, 90 }, { 2, 10, 60 },
	};
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_int_equal(lane_next_attempt_ms(lane, OUTCOME_RETRY, cases[i].attempt,
						      cases[i].retry_after * SECOND, now_ms),
				 now_ms + cases[i].wait * SECOND);
	lane_free(&lane);
}

static void a_document_of_a_lane_at_fault_is_due_when_the_lane_resumes(void **state)
{
	static const enum outcome_kind faults[] = { OUTCOME_RETRY_LANE, OUTCOME_HALT };

	(void)state;
	for (size_t i = 0; i < length_of(faults); i++) {
		struct asked asked;
		struct lane *lane = lane_with(&asked, 2);
		int64_t foretold_ms;

		dice = 77; /* the next pause is foretold, so that both agree */
		foretold_ms = lane_next_attempt_ms(lane, faults[i], 5, 0, now_ms);
		lane_settled(lane, faults[i], 0, why(""));
		assert_int_equal(lane_figures(lane).resumes_ms, foretold_ms);

		now_ms += SECOND;
		assert_int_equal(lane_next_attempt_ms(lane, faults[i], 5, 0, now_ms), foretold_ms);
		lane_free(&lane);
	}
}

static void a_document_that_has_ended_is_never_due(void **state)
{
	static const enum outcome_kind ends[] = { OUTCOME_DELIVERED, OUTCOME_REJECTED,
						  OUTCOME_REFUSED };
	struct asked asked;
	struct lane *lane = lane_at_start(&asked);

	(void)state;
	for (size_t i = 0; i < length_of(ends); i++)
		assert_int_equal(lane_next_attempt_ms(lane, ends[i], 1, 0, now_ms), NEVER_MS);
	lane_free(&lane);
}

/* ---- a queue, a way, and a lane between them ---- */

enum { DOCUMENTS = 200, EXCHANGE_MS = 200 };

struct world {
	int64_t due_ms[DOCUMENTS];         /* NEVER_MS: delivered */
	size_t under_way[MOST], in_flight; /* oldest first; they began together or in turn */
	int64_t ends_ms[MOST];
	enum outcome_kind fault; /* what the way answers until it is mended */
	int64_t mended_ms;
	unsigned attempts_in_vain;
	size_t most_in_vain; /* most in flight at once after the first failure */
	int64_t last_in_vain_ms;
};

static void claim_of_world(void *arg, struct lane *lane, size_t most)
{
	struct world *world = arg;
	int64_t next_ms = NEVER_MS;
	size_t count = 0;

	for (size_t i = 0; i < DOCUMENTS; i++) {
		if (world->due_ms[i] <= now_ms && count < most) {
			world->due_ms[i] = NEVER_MS;
			world->ends_ms[world->in_flight] = now_ms + EXCHANGE_MS;
			world->under_way[world->in_flight++] = i;
			count++;
		}
		next_ms = min(next_ms, world->due_ms[i]);
	}
	if (world->attempts_in_vain > 0 && now_ms < world->mended_ms)
		world->most_in_vain = max(world->most_in_vain, world->in_flight);
	lane_claimed(lane, count, next_ms);
}

static void settle_one(struct world *world, struct lane *lane)
{
	const size_t document = world->under_way[0];
	const bool mended = now_ms >= world->mended_ms;

	world->in_flight--;
	memmove(world->under_way, world->under_way + 1, sizeof(size_t) * world->in_flight);
	memmove(world->ends_ms, world->ends_ms + 1, sizeof(int64_t) * world->in_flight);
	if (!mended) {
		world->due_ms[document] = lane_next_attempt_ms(lane, world->fault, 1, 0, now_ms);
		world->attempts_in_vain++;
		world->last_in_vain_ms = now_ms;
	}
	lane_settled(lane, mended ? OUTCOME_DELIVERED : world->fault, 0, why(mended ? "" : "down"));
}

/* Runs until nothing more happens. */
static void run(struct world *world, struct lane *lane)
{
	for (;;) {
		const int64_t wakes_ms = lane_wakes_ms(lane);
		const int64_t ends_ms = world->in_flight ? world->ends_ms[0] : NEVER_MS;

		if (min(wakes_ms, ends_ms) == NEVER_MS)
			return;
		now_ms = max(now_ms, min(wakes_ms, ends_ms));
		if (ends_ms <= wakes_ms)
			settle_one(world, lane);
		else
			lane_wake(lane);
	}
}

static struct world after_an_outage(enum outcome_kind fault, int64_t outage_ms)
{
	struct world world = { .fault = fault, .mended_ms = START_MS + outage_ms };
	const struct lane_settings usual = settings();
	struct lane *lane;

	now_ms = START_MS;
	dice = AS_IT_IS;
	lane = lane_new(NULL, &usual, claim_of_world, &world);
	lane_poke(lane);
	run(&world, lane);
	assert_int_equal(lane_figures(lane).state, LANE_OPEN);
	assert_int_equal(lane_figures(lane).delivered, DOCUMENTS);
	lane_free(&lane);
	return world;
}

/* Seven pauses of 30 s to 32 min come to 3810 s; after these, one probe an hour. Each probe adds
 * the fifth of a second that its exchange takes. */
static void an_outage_of_a_week_costs_one_probe_an_hour(void **state)
{
	const int64_t hours_s = 7 * DAY / SECOND - 3810;
	const struct world world = after_an_outage(OUTCOME_RETRY_LANE, 7 * (int64_t)DAY);

	(void)state;
	assert_int_equal(world.attempts_in_vain, MOST + 7 + hours_s / 3600);
	assert_int_equal(world.most_in_vain, 1);
}

static void after_an_outage_the_backlog_goes_within_the_longest_pause(void **state)
{
	const struct world world = after_an_outage(OUTCOME_RETRY_LANE, 7 * (int64_t)DAY);

	(void)state;
	assert_in_range(now_ms - world.mended_ms, 1, HOUR + DOCUMENTS * EXCHANGE_MS);
}

static void a_week_with_a_revoked_certificate_costs_four_probes_an_hour(void **state)
{
	const struct world world = after_an_outage(OUTCOME_HALT, 7 * (int64_t)DAY);

	(void)state;
	assert_in_range(world.attempts_in_vain, MOST + 7 * 24 * 4 - 1, MOST + 7 * 24 * 4);
	assert_int_equal(world.most_in_vain, 1);
}

/* ---- the loop ---- */

struct on_loop {
	struct event_base *loop;
	unsigned claims;
};

static void claim_on_loop(void *arg, struct lane *lane, size_t most)
{
	struct on_loop *on_loop = arg;

	(void)most;
	if (on_loop->claims++ == 0)
		lane_claimed(lane, 0, clock_now_ms() + 20);
	else
		event_base_loopbreak(on_loop->loop);
}

static void the_loop_wakes_it_when_the_time_has_come(void **state)
{
	const struct lane_settings real = { .name = "010000001", .most_in_flight = MOST };
	struct on_loop on_loop = { .loop = event_base_new() };
	struct lane *lane = lane_new(on_loop.loop, &real, claim_on_loop, &on_loop);
	const int64_t start_ms = clock_monotonic_ms();

	(void)state;
	lane_poke(lane);
	assert_int_equal(on_loop.claims, 1);
	event_base_dispatch(on_loop.loop);
	assert_int_equal(on_loop.claims, 2);
	assert_in_range(clock_monotonic_ms() - start_ms, 15, 10 * SECOND);
	lane_free(&lane);
	event_base_free(on_loop.loop);
}

static void the_three_states_have_names(void **state)
{
	(void)state;
	assert_string_equal(lane_state_text(LANE_OPEN), "open");
	assert_string_equal(lane_state_text(LANE_SLOWED), "slowed");
	assert_string_equal(lane_state_text(LANE_STOPPED), "stopped");
}

static void the_figures_tell_what_the_lane_does(void **state)
{
	struct asked asked;
	struct lane *lane = lane_with(&asked, 3);
	struct lane_figures figures;

	(void)state;
	now_ms += SECOND;
	lane_settled(lane, OUTCOME_DELIVERED, 0, why(""));
	now_ms += SECOND;
	lane_settled(lane, OUTCOME_RETRY_LANE, 0, why("connection refused"));
	figures = lane_figures(lane);
	assert_string_equal(figures.name, "010000001");
	assert_int_equal(figures.state, LANE_SLOWED);
	assert_string_equal(figures.why.english, "connection refused");
	assert_string_equal(figures.why.french, "fr connection refused");
	assert_int_equal(figures.in_flight, 1);
	assert_int_equal(figures.resumes_ms, now_ms + 30 * SECOND);
	assert_int_equal(figures.delivered, 1);
	assert_int_equal(figures.last_delivered_ms, START_MS + SECOND);
	lane_free(&lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_is_idle_until_it_is_poked),
		cmocka_unit_test(a_rate_limits_what_is_claimed),
		cmocka_unit_test(one_claim_is_outstanding_at_a_time),
		cmocka_unit_test(a_poke_during_a_claim_is_remembered_once),
		cmocka_unit_test(it_asks_for_no_more_than_fits),
		cmocka_unit_test(after_a_full_answer_it_asks_again_as_soon_as_there_is_room),
		cmocka_unit_test(after_a_short_answer_it_waits_for_the_time_the_queue_named),
		cmocka_unit_test(it_asks_when_a_document_that_went_back_is_due),
		cmocka_unit_test(a_queue_that_cannot_answer_is_asked_again_ever_more_rarely),
		cmocka_unit_test(a_closed_lane_claims_no_more_and_lets_what_is_in_flight_settle),
		cmocka_unit_test(a_slowed_lane_claims_nothing_until_it_resumes_with_one_document),
		cmocka_unit_test(pauses_double_up_to_the_longest),
		cmocka_unit_test(a_pause_varies_with_chance),
		cmocka_unit_test(the_server_may_ask_for_a_longer_pause_but_not_for_a_shorter_one),
		cmocka_unit_test(documents_that_fail_together_are_one_failure),
		cmocka_unit_test(an_answer_that_left_before_the_pause_does_not_end_it),
		cmocka_unit_test(no_probe_leaves_while_an_older_document_is_in_flight),
		cmocka_unit_test(any_answer_to_the_probe_opens_the_lane),
		cmocka_unit_test(each_answer_doubles_what_may_be_in_flight),
		cmocka_unit_test(a_failure_after_an_answer_starts_with_the_shortest_pause),
		cmocka_unit_test(a_document_that_was_not_tried_says_nothing_of_the_way),
		cmocka_unit_test(a_blocked_lane_stays_stopped_whatever_comes),
		cmocka_unit_test(a_blocked_lane_goes_on_when_it_is_mended),
		cmocka_unit_test(other_settings_keep_what_the_lane_has_learnt),
		cmocka_unit_test(other_settings_say_how_many_go_at_once),
		cmocka_unit_test(the_same_rate_is_not_begun_anew),
		cmocka_unit_test(a_stopped_lane_probes_every_quarter_of_an_hour),
		cmocka_unit_test(a_stopped_lane_stays_stopped_when_its_probe_gets_no_answer),
		cmocka_unit_test(a_halt_during_a_pause_stops_the_lane),
		cmocka_unit_test(a_pause_lasts_as_long_whatever_is_done_to_the_wall_clock),
		cmocka_unit_test(a_document_is_due_by_the_wall_clock_when_the_lane_resumes),
		cmocka_unit_test(what_the_queue_said_is_due_is_asked_for_in_time),
		cmocka_unit_test(a_document_at_fault_is_due_after_a_pause_of_its_own),
		cmocka_unit_test(a_document_of_a_lane_at_fault_is_due_when_the_lane_resumes),
		cmocka_unit_test(a_document_that_has_ended_is_never_due),
		cmocka_unit_test(an_outage_of_a_week_costs_one_probe_an_hour),
		cmocka_unit_test(after_an_outage_the_backlog_goes_within_the_longest_pause),
		cmocka_unit_test(a_week_with_a_revoked_certificate_costs_four_probes_an_hour),
		cmocka_unit_test(the_loop_wakes_it_when_the_time_has_come),
		cmocka_unit_test(the_three_states_have_names),
		cmocka_unit_test(the_figures_tell_what_the_lane_does),
	};

	log_set_level(LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
