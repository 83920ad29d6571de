/* Floods: days of them in a millisecond. */
#include "base/flood.h"

#include "sample.h"

enum { ERROR = 3, INFO = 6, INTERVAL_MS = 30000 };

static const struct flood_limit limit = { 3, INTERVAL_MS };
static const char refused[] = "refused origin=%s", delivered[] = "doc=%s outcome=%s";

static void what_is_beyond_is_left_out_and_told_once(void **state)
{
	static const struct {
		int64_t at_ms;
		bool passes;
		uint64_t told; /* before it, of those left out */
	} steps[] = {
		{ 0, true, 0 },      { 1, true, 0 },      { 2, true, 0 },       { 3, false, 0 },
		{ 29999, false, 0 }, { 30000, true, 2 },  { 30001, true, 0 },   { 30002, true, 0 },
		{ 30003, false, 0 }, { 90000, true, 1 },  { 90001, true, 0 },   { 200000, true, 0 },
		{ 200001, true, 0 }, { 200002, true, 0 }, { 200003, false, 0 },
	};
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));

	(void)state;
	for (size_t i = 0; i < length_of(steps); i++) {
		struct flood_told told = { 0 };

		assert_int_equal(flood_next(flood, &limit, false, steps[i].at_ms, &told),
				 steps[i].told > 0);
		assert_int_equal(told.left_out, steps[i].told);
		assert_int_equal(
			flood_lets_pass(flood, &limit, refused, INFO, "text", steps[i].at_ms),
			steps[i].passes);
	}
}

/* A thousand deliveries do not hide the one document that is rejected, nor another kind of line. */
static void each_kind_has_its_own_measure(void **state)
{
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	struct flood_told told;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(flood_lets_pass(flood, &limit, delivered, INFO, "good", i), i < 3);
	assert_true(flood_lets_pass(flood, &limit, delivered, ERROR, "bad", 1000));
	assert_true(flood_lets_pass(flood, &limit, refused, INFO, "other", 1000));
	assert_true(flood_next(flood, &limit, false, 31000, &told));
	assert_int_equal(told.left_out, 997);
	assert_int_equal(told.level, INFO);
	assert_int_equal(told.within_ms, 31000);
	assert_string_equal(told.last, "good");
	assert_false(flood_next(flood, &limit, false, 31000, &told));
}

static void the_end_does_not_wait(void **state)
{
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	struct flood_told told;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)flood_lets_pass(flood, &limit, refused, INFO, "text", 7);
	assert_false(flood_next(flood, &limit, false, 8, &told));
	assert_true(flood_next(flood, &limit, true, 8, &told));
	assert_int_equal(told.left_out, 2);
	assert_int_equal(told.within_ms, 1);
	assert_false(flood_next(flood, &limit, true, 8, &told));
}

static void without_a_limit_all_pass(void **state)
{
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	const struct flood_limit none = { 0, INTERVAL_MS };
	struct flood_told told;

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_true(flood_lets_pass(flood, &none, refused, INFO, "text", 0));
	assert_false(flood_next(flood, &none, true, 0, &told));
}

/* A reload: what was counted under the old limit is told by the new one. */
static void a_limit_may_change(void **state)
{
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	const struct flood_limit wide = { 100, 1000 };
	struct flood_told told;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)flood_lets_pass(flood, &limit, refused, INFO, "text", 0);
	assert_true(flood_lets_pass(flood, &wide, refused, INFO, "text", 10));
	assert_true(flood_next(flood, &wide, false, 1000, &told));
	assert_int_equal(told.left_out, 2);
}

/* More kinds than there is room for: what is quiet makes room, what was left out is kept, and nothing is lost. */
static void kinds_make_room_for_each_other(void **state)
{
	static const char formats[2 * FLOOD_KINDS] = "";
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	struct flood_told told;
	uint64_t left_out = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)flood_lets_pass(flood, &limit, refused, INFO, "kept", 0);
	for (size_t i = 0; i < length_of(formats); i++)
		assert_true(flood_lets_pass(flood, &limit, &formats[i], INFO, "text", 1));
	assert_int_equal(flood->count, FLOOD_KINDS);
	for (size_t i = 0; i < length_of(formats); i++)
		assert_true(
			flood_lets_pass(flood, &limit, &formats[i], INFO, "text", INTERVAL_MS + 1));
	while (flood_next(flood, &limit, true, INTERVAL_MS + 1, &told)) {
		assert_string_equal(told.last, "kept");
		left_out += told.left_out;
	}
	assert_int_equal(left_out, 1);
}

static void a_long_line_is_cut(void **state)
{
	scoped(free_ptr) struct flood *flood = xcalloc(1, sizeof(*flood));
	const struct flood_limit one = { 1, INTERVAL_MS };
	char text[2 * FLOOD_TEXT];
	struct flood_told told;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 2; i++)
		(void)flood_lets_pass(flood, &one, refused, INFO, text, 0);
	assert_true(flood_next(flood, &one, true, 0, &told));
	assert_int_equal(strlen(told.last), FLOOD_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_beyond_is_left_out_and_told_once),
		cmocka_unit_test(each_kind_has_its_own_measure),
		cmocka_unit_test(the_end_does_not_wait),
		cmocka_unit_test(without_a_limit_all_pass),
		cmocka_unit_test(a_limit_may_change),
		cmocka_unit_test(kinds_make_room_for_each_other),
		cmocka_unit_test(a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
