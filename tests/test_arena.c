/* Many small things with one end. */
#include "base/arena.h"

#include <stdalign.h>

#include "sample.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 17, 100, 3990, 4000, 4001, 100000, 1, 3 };
	scoped(arena_done) struct arena arena = { 0 };
	unsigned char *all[length_of(sizes)];

	(void)state;
	for (size_t i = 0; i < length_of(sizes); i++) {
		all[i] = arena_alloc(&arena, sizes[i]);
		assert_int_equal((uintptr_t)all[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(all[i][j], 0);
		memset(all[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < length_of(sizes); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(all[i][j], i + 1);
}

static void texts_are_copied_with_their_end(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };

	(void)state;
	assert_string_equal(arena_dup(&arena, (struct slice){ "abcdef", 3 }), "abc");
	assert_string_equal(arena_dup(&arena, (struct slice){ NULL, 0 }), "");
	assert_memory_equal(arena_dup(&arena, bytes_of("a\0b")), "a\0b", 4);
	assert_string_equal(arena_printf(&arena, "%s-%d", "PID", 3), "PID-3");
	assert_string_equal(arena_printf(&arena, "%s", ""), "");
	assert_int_equal(strlen(arena_printf(&arena, "%10000d", 1)), 10000);
}

static void what_was_handed_out_stays_where_it_is(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	char *first = arena_dup(&arena, slice_of("first"));

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_non_null(arena_alloc(&arena, 24));
	assert_string_equal(first, "first");
}

static void an_arena_may_be_used_again_after_its_end(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	arena_done(&arena);
	assert_non_null(arena_alloc(&arena, 1));
	arena_done(&arena);
	assert_null(arena.blocks);
	assert_non_null(arena_alloc(&arena, 1));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(texts_are_copied_with_their_end),
		cmocka_unit_test(what_was_handed_out_stays_where_it_is),
		cmocka_unit_test(an_arena_may_be_used_again_after_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
