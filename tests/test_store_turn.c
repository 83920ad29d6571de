/* What goes first when much waits: by priority, then each site and source in turn. */
#include "store_fixture.h"

static void queue_of(struct fixture *f, const char *unique_id, const char *source,
		     enum store_priority priority)
{
	struct store_arrival one = arrival(f, unique_id, "body");

	one.source = source;
	one.priority = priority;
	take_in(f, &one);
	f->now_ms++;
}

struct seen {
	char unique_id[16];
};

static void see(void *arg, const struct store_row *row)
{
	struct seen *seen = arg;

	snprintf(seen->unique_id, sizeof(seen->unique_id), "%s", row->unique_id);
}

static void ignore(void *arg, const struct store_event *event)
{
	(void)arg;
	(void)event;
}

/* Claims `most` and says which, by their ids. */
static void goes(struct fixture *f, size_t most, const char *expected)
{
	scoped(buf_done) struct buf ids = { 0 };
	struct store_due due[16];
	int64_t next_ms;
	size_t count = claim(f, most, due, &next_ms);

	for (size_t i = 0; i < count; i++) {
		struct seen seen;

		ok(store_show(f->store, &due[i].doc, see, ignore, &seen, &err));
		buf_addf(&ids, "%s%s", i ? " " : "", seen.unique_id);
	}
	assert_string_equal(buf_slice(&ids).p, expected);
}

static void sources_take_turns_whatever_their_backlog(void **state)
{
	struct fixture *f = *state;

	queue_of(f, "1.1", "LABO", PRIORITY_NORMAL);
	queue_of(f, "1.2", "LABO", PRIORITY_NORMAL);
	queue_of(f, "1.3", "LABO", PRIORITY_NORMAL);
	queue_of(f, "2.1", "DPI", PRIORITY_NORMAL);
	queue_of(f, "2.2", "DPI", PRIORITY_NORMAL);
	goes(f, 4, "2.1 1.1 2.2 1.2");
	goes(f, 4, "1.3");
}

/* A lane in trouble takes one at a time: the turn must not begin again with each. */
static void the_turn_goes_on_from_claim_to_claim(void **state)
{
	struct fixture *f = *state;

	queue_of(f, "1.1", "A", PRIORITY_NORMAL);
	queue_of(f, "1.2", "A", PRIORITY_NORMAL);
	queue_of(f, "2.1", "B", PRIORITY_NORMAL);
	queue_of(f, "2.2", "B", PRIORITY_NORMAL);
	goes(f, 1, "1.1");
	goes(f, 1, "2.1");
	goes(f, 1, "1.2");
	goes(f, 1, "2.2");
	goes(f, 1, "");
}

static void what_is_high_goes_before_what_is_low(void **state)
{
	struct fixture *f = *state;

	queue_of(f, "1.1", "A", PRIORITY_LOW);
	queue_of(f, "1.2", "A", PRIORITY_NORMAL);
	queue_of(f, "1.3", "A", PRIORITY_HIGH);
	queue_of(f, "1.4", "B", PRIORITY_HIGH);
	goes(f, 8, "1.3 1.4 1.2 1.1");
}

static void who_has_nothing_due_loses_its_turn_only(void **state)
{
	struct fixture *f = *state;
	struct store_due due[1];
	struct store_outcome later;
	int64_t next_ms;

	queue_of(f, "1.1", "A", PRIORITY_HIGH);
	claim(f, 1, due, &next_ms);
	later = outcome(f, due[0].doc, DOC_QUEUED);
	later.next_attempt_ms = f->now_ms + 1000;
	settle(f, &later);
	queue_of(f, "2.1", "B", PRIORITY_HIGH);
	queue_of(f, "3.1", "C", PRIORITY_LOW);
	goes(f, 8, "2.1 3.1");
	f->now_ms = later.next_attempt_ms;
	goes(f, 8, "1.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(sources_take_turns_whatever_their_backlog),
		test(the_turn_goes_on_from_claim_to_claim),
		test(what_is_high_goes_before_what_is_low),
		test(who_has_nothing_due_loses_its_turn_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
