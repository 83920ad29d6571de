/* A month without the DMP, and the day after: a lane, the real store, and simulated time. */
#include "dispatch/lane.h"

#include "base/log.h"

#define STORE_FOLDER "/dev/shm" /* months of syncs, in memory */
#include "store_fixture.h"

#define START_MS ((int64_t)1795262400000) /* 2026-11-21T12:00:00Z */
#define NEVER_MS INT64_MAX
#define DAY_MS ((int64_t)24 * HOUR)

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
enum { DAYS = 31, AN_HOUR = 1 /* documents that come */, DOCUMENTS = DAYS * 24 * AN_HOUR };
enum { MOST = 8, EXCHANGE_MS = 200, AS_IT_IS = 512 /* the dice that leaves a delay alone */ };

static int64_t now_ms; /* since the machine started */
static int64_t set_ms; /* what the wall clock shows beyond that */

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
	return AS_IT_IS;
}

/* What stands between the lane and the store, as outbound.c does, and the DMP. */
struct world {
	struct fixture *f;
	struct lane *lane;
	enum outcome_kind fault; /* what the DMP's absence comes to */
	int64_t mended_ms, claimed_ms;
	struct store_due under_way[MOST]; /* oldest first */
	int64_t ends_ms[MOST];
	size_t in_flight, came, probes, most_in_vain;
	size_t claims[8],
		claim_count; /* how many went out in each of the first ones that got an answer */
};

static void change(struct world *world, int (*apply)(struct world *world, struct err *err))
{
	ok(store_begin(world->f->store, &err));
	ok(apply(world, &err));
	ok(store_commit(world->f->store, &err));
}

/* ---- documents come ---- */

static int take_in_an_hour(struct world *world, struct err *err)
{
	for (int i = 0; i < AN_HOUR; i++) {
		scoped(free_ptr) char *id = xasprintf("1.2.3.%zu", world->came++);
		struct store_arrival one = arrival(world->f, id, "body");
		struct store_receipt receipt;

		one.now_ms = simulated_wall_clock();
		one.doc = ulid_new(one.now_ms);
		if (store_take_in(world->f->store, &one, &receipt, err) < 0)
			return -1;
		assert_int_equal(receipt.taken, STORE_NEW);
	}
	return 0;
}

/* ---- and go ---- */

static void claim_of_world(void *arg, struct lane *of, size_t most)
{
	struct world *world = arg;
	const int64_t wall_ms = simulated_wall_clock();
	struct store *store = world->f->store;
	size_t count = 0, set_right;
	int64_t next_ms;

	(void)of;
	ok(store_begin(store, &err));
	if (wall_ms < world->claimed_ms)
		ok(store_clock_went_back(store, lane, wall_ms, &set_right, &err));
	world->claimed_ms = wall_ms;
	ok(store_claim(store, lane, wall_ms, most, world->under_way + world->in_flight, &count,
		       &next_ms, &err));
	ok(store_commit(store, &err));
	for (size_t i = 0; i < count; i++)
		world->ends_ms[world->in_flight++] = now_ms + EXCHANGE_MS;
	lane_claimed(world->lane, count, next_ms);
}

static int settle_oldest(struct world *world, struct err *err)
{
	const bool mended = now_ms >= world->mended_ms;
	const int64_t wall_ms = simulated_wall_clock();
	struct store_outcome row =
		outcome(world->f, world->under_way[0].doc, mended ? DOC_DELIVERED : DOC_QUEUED);

	assert_int_equal(world->under_way[0].attempt, 1); /* however often the lane failed */
	row.now_ms = wall_ms;
	row.attempt_counts = mended;
	row.next_attempt_ms = lane_next_attempt_ms(world->lane, world->fault, 1, 0, wall_ms);
	return store_settle(world->f->store, &row, err);
}

static void note(struct world *world)
{
	if (now_ms < world->mended_ms) {
		world->probes++;
		if (world->probes > MOST)
			world->most_in_vain = max(world->most_in_vain, world->in_flight);
	} else if (world->claim_count < length_of(world->claims)) {
		world->claims[world->claim_count++] = world->in_flight;
	}
}

static void end_oldest(struct world *world)
{
	const bool mended = now_ms >= world->mended_ms;

	note(world);
	change(world, settle_oldest);
	world->in_flight--;
	memmove(world->under_way, world->under_way + 1,
		sizeof(struct store_due) * world->in_flight);
	memmove(world->ends_ms, world->ends_ms + 1, sizeof(int64_t) * world->in_flight);
	lane_settled(world->lane, mended ? OUTCOME_DELIVERED : world->fault, 0,
		     (struct lane_why){ .english = mended ? "" : "the DMP is away" });
}

/* The next thing that happens. false: nothing more does. */
static bool live(struct world *world)
{
	const int64_t comes_ms = world->came < DOCUMENTS
					 ? START_MS + (int64_t)(world->came / AN_HOUR) * HOUR
					 : NEVER_MS;
	const int64_t ends_ms = world->in_flight ? world->ends_ms[0] : NEVER_MS;
	int64_t next_ms = min(comes_ms, ends_ms);

	next_ms = min(next_ms, lane_wakes_ms(world->lane));
	if (next_ms == NEVER_MS)
		return false;
	now_ms = max(now_ms, next_ms);
	if (next_ms == comes_ms) {
		change(world, take_in_an_hour);
		lane_poke(world->lane);
	} else if (next_ms == ends_ms) {
		end_oldest(world);
	} else {
		lane_wake(world->lane);
	}
	return true;
}

static struct world begin(struct fixture *f, enum outcome_kind fault)
{
	now_ms = START_MS;
	set_ms = 0;
	return (struct world){ .f = f,
			       .fault = fault,
			       .mended_ms = START_MS + DAYS * DAY_MS,
			       .claimed_ms = INT64_MAX };
}

static void open_lane(struct world *world)
{
	const struct lane_settings settings = {
		.name = lane,
		.most_in_flight = MOST,
		.retry = { .first_ms = 30 * SECOND, .most_ms = HOUR },
		.probe_ms = 15 * MINUTE,
		.clock_ms = simulated_clock,
		.wall_clock_ms = simulated_wall_clock,
		.chance = simulated_chance,
	};

	world->lane = lane_new(NULL, &settings, claim_of_world, world);
}

static void assert_all_delivered_once(struct world *world)
{
	const struct store_counts found = counts(world->f);

	assert_int_equal(found.documents[DOC_DELIVERED], DOCUMENTS);
	assert_int_equal(lane_figures(world->lane).delivered, DOCUMENTS);
	assert_int_equal(lane_figures(world->lane).state, LANE_OPEN);
}

static void see_row(void *arg, const struct store_row *row)
{
	size_t *rows = arg;

	assert_int_equal(row->attempts, 1);
	(*rows)++;
}

/* ---- a month ---- */

static void a_month_costs_few_probes_and_ages_no_document(void **state)
{
	static const struct {
		enum outcome_kind fault;
		size_t most_probes;
	} cases[] = {
		{ OUTCOME_RETRY_LANE, DAYS * 24 + 10 }, /* one an hour, and the first few */
		{ OUTCOME_HALT, DAYS * 24 * 4 + 10 },   /* four an hour */
	};

	for (size_t i = 0; i < length_of(cases); i++) {
		struct world world = begin(*state, cases[i].fault);
		size_t rows = 0;

		open_lane(&world);
		while (live(&world))
			;
		assert_in_range(world.probes, DAYS * 24 - 10, cases[i].most_probes);
		assert_int_equal(world.most_in_vain, 1);
		assert_all_delivered_once(&world);
		ok(store_list(world.f->store, &(struct store_filter){ .limit = DOCUMENTS + 1 },
			      see_row, &rows, &err));
		assert_int_equal(rows, DOCUMENTS);
		lane_free(&world.lane);
		tear_down(state);
		set_up(state);
	}
}

/* One, and two for each that was answered: as many at once as before only after some answers. */
static void the_way_back_begins_with_one_document(void **state)
{
	static const size_t expected[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct world world = begin(*state, OUTCOME_RETRY_LANE);

	open_lane(&world);
	while (live(&world))
		;
	assert_int_equal(world.claims[0], expected[0]);
	assert_int_equal(world.claims[1], expected[1]);
	for (size_t i = 0; i < length_of(expected); i++)
		assert_true(world.claims[i] <= (size_t)1 << i);
	assert_in_range(now_ms - world.mended_ms, 1, HOUR + DOCUMENTS * EXCHANGE_MS);
	lane_free(&world.lane);
}

/* Whoever sets the clock in the middle of it delays nothing by more than two pauses. */
static void a_clock_set_during_the_outage_delays_nothing(void **state)
{
	static const int64_t jumps_ms[] = { 365 * DAY_MS, -365 * DAY_MS, 365 * DAY_MS, 0 };
	struct world world = begin(*state, OUTCOME_RETRY_LANE);

	open_lane(&world);
	for (bool goes_on = true; goes_on;) {
		const int64_t day = (now_ms - START_MS) / DAY_MS;

		set_ms = jumps_ms[min(day / 10, (int64_t)3)];
		goes_on = live(&world);
	}
	assert_all_delivered_once(&world);
	assert_in_range(world.probes, DAYS * 24 - 20, DAYS * 24 + 20);
	assert_in_range(now_ms - world.mended_ms, 1, 2 * HOUR + DOCUMENTS * EXCHANGE_MS);
	lane_free(&world.lane);
}

/* The process dies on each day and another one finds the store as it was. */
static void a_gateway_started_anew_every_day_forgets_nothing(void **state)
{
	struct world world = begin(*state, OUTCOME_RETRY_LANE);
	int64_t day = 0;
	struct store_recovered recovered;

	open_lane(&world);
	for (bool goes_on = true; goes_on;) {
		goes_on = live(&world);
		if ((now_ms - START_MS) / DAY_MS == day || now_ms >= world.mended_ms)
			continue;
		day = (now_ms - START_MS) / DAY_MS;
		lane_free(&world.lane);
		store_free(&world.f->store);
		open_store(world.f);
		ok(store_begin(world.f->store, &err));
		ok(store_recover(world.f->store, simulated_wall_clock(), &recovered, &err));
		ok(store_commit(world.f->store, &err));
		world.in_flight = 0;
		world.claimed_ms = INT64_MAX;
		open_lane(&world);
		lane_poke(world.lane);
		goes_on = true;
	}
	assert_int_equal(counts(world.f).documents[DOC_DELIVERED], DOCUMENTS);
	lane_free(&world.lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_month_costs_few_probes_and_ages_no_document),
		test(the_way_back_begins_with_one_document),
		test(a_clock_set_during_the_outage_delays_nothing),
		test(a_gateway_started_anew_every_day_forgets_nothing),
	};

	log_set_level(LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
