/* Bytes, borrowed and owned. */
#include "base/buf.h"

#include "sample.h"

static void slices_are_compared_byte_for_byte(void **state)
{
	(void)state;
	assert_true(slice_equal(bytes_of("a\0b"), bytes_of("a\0b")));
	assert_false(slice_equal(bytes_of("a\0b"), bytes_of("a\0c")));
	assert_false(slice_equal(bytes_of("a"), bytes_of("ab")));
	assert_true(slice_equal((struct slice){ NULL, 0 }, bytes_of("")));
	assert_true(slice_is(bytes_of("abc"), "abc"));
	assert_false(slice_is(bytes_of("abc\0"), "abc"));
	assert_false(slice_is(bytes_of("ABC"), "abc"));
	assert_true(slice_is((struct slice){ NULL, 0 }, ""));
	assert_true(slice_is_nocase(bytes_of("BaSe64"), "base64"));
	assert_false(slice_is_nocase(bytes_of("base6"), "base64"));
	assert_false(slice_is_nocase(bytes_of("base\0"
					      "4"),
				     "base64"));
	assert_true(slice_starts(bytes_of("abc"), "ab"));
	assert_true(slice_starts(bytes_of("abc"), ""));
	assert_false(slice_starts(bytes_of("a"), "ab"));
}

static void no_text_is_an_empty_slice(void **state)
{
	(void)state;
	assert_int_equal(slice_of(NULL).n, 0);
	assert_non_null(slice_of(NULL).p);
}

static void blanks_are_trimmed_at_both_ends_only(void **state)
{
	static const struct {
		const char *text, *trimmed;
	} cases[] = {
		{ "", "" },           { " \t\r\n ", "" }, { "a", "a" },
		{ " a b \n", "a b" }, { "\t\ta", "a" },   { "a\v ", "a\v" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_true(slice_is(slice_trim(slice_of(cases[i].text)), cases[i].trimmed));
	assert_int_equal(slice_trim((struct slice){ NULL, 0 }).n, 0);
}

static void the_rest_of_a_slice_is_empty_past_its_end(void **state)
{
	const struct slice abc = bytes_of("abc");

	(void)state;
	assert_slice(slice_from(abc, 0), "abc");
	assert_slice(slice_from(abc, 2), "c");
	assert_slice(slice_from(abc, 3), "");
	assert_slice(slice_from(abc, 4), "");
	assert_slice(slice_from(abc, SIZE_MAX), "");
	assert_int_equal(slice_from((struct slice){ NULL, 0 }, 1).n, 0);
}

static void parts_come_one_by_one(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *parts[4];
	} cases[] = {
		{ "", 1, { "" } },
		{ "a", 1, { "a" } },
		{ "a,b", 2, { "a", "b" } },
		{ ",", 2, { "", "" } },
		{ "a,,b,", 4, { "a", "", "b", "" } },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct slice rest = slice_of(cases[i].text), part;
		size_t count = 0;

		for (; slice_next(&rest, ',', &part); count++)
			assert_true(slice_is(part, cases[i].parts[count]));
		assert_int_equal(count, cases[i].count);
		assert_null(rest.p);
	}
}

static void nothing_has_no_parts(void **state)
{
	struct slice rest = { NULL, 0 }, part;

	(void)state;
	assert_false(slice_next(&rest, ',', &part));
}

static void numbers_are_digits_within_a_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t most;
		bool ok;
		uint64_t number;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "42", 42, true, 42 },
		{ "042", 42, true, 42 },
		{ "43", 42, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "0x1", 9, false, 0 },
		{ "1.5", 9, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		uint64_t number = 77;

		assert_int_equal(slice_to_u64(slice_of(cases[i].text), cases[i].most, &number),
				 cases[i].ok);
		assert_int_equal(number, cases[i].ok ? cases[i].number : 77);
	}
}

static void a_copy_of_a_slice_ends_with_nul(void **state)
{
	char *copy = slice_dup((struct slice){ "abcdef", 3 });

	(void)state;
	assert_string_equal(copy, "abc");
	free(copy);
	copy = slice_dup((struct slice){ NULL, 0 });
	assert_string_equal(copy, "");
	free(copy);
}

static void appending_keeps_a_nul_behind_the_bytes(void **state)
{
	scoped(buf_done) struct buf buf = { 0 };

	(void)state;
	assert_slice(buf_slice(&buf), "");
	buf_add(&buf, bytes_of("a\0b"));
	buf_add_text(&buf, "cd");
	buf_add_char(&buf, 'e');
	buf_addf(&buf, "%d-%s", 7, "f");
	assert_slice(buf_slice(&buf), "a\0bcde7-f");
	assert_int_equal(buf.p[buf.n], '\0');
	buf_add(&buf, (struct slice){ NULL, 0 });
	assert_int_equal(buf.p[buf.n], '\0');
}

static void formatted_text_may_be_of_any_length(void **state)
{
	(void)state;
	for (size_t n = 250; n < 262; n++) { /* around the room on the stack */
		scoped(buf_done) struct buf text = { 0 }, buf = { 0 };

		for (size_t i = 0; i < n; i++)
			buf_add_char(&text, 'x');
		buf_add_char(&buf, '<');
		buf_addf(&buf, "%s>", text.p);
		assert_int_equal(buf.n, n + 2);
		assert_int_equal(buf.p[n + 1], '>');
		assert_int_equal(buf.p[n + 2], '\0');
	}
}

static void a_full_buffer_remembers_and_keeps_what_it_had(void **state)
{
	scoped(buf_done) struct buf buf = { .limit = 4 };
	struct err err = { 0 };

	(void)state;
	buf_add_text(&buf, "abcd");
	assert_int_equal(buf_check(&buf, "the answer", &err), 0);
	buf_add_text(&buf, "e");
	buf_add_text(&buf, "");
	assert_int_equal(buf_check(&buf, "the answer", &err), -1);
	assert_int_equal(err.kind, ERR_REJECT);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
	assert_string_equal(err.text, "the answer would pass 4 bytes");
	assert_slice(buf_slice(&buf), "abcd");
}

static void an_append_that_does_not_fit_is_left_out_whole(void **state)
{
	scoped(buf_done) struct buf buf = { .limit = 4 };

	(void)state;
	buf_add_text(&buf, "abc");
	buf_add_text(&buf, "de");
	buf_add_text(&buf, "f"); /* would fit, but comes after a loss */
	assert_slice(buf_slice(&buf), "abc");
	assert_true(buf.overfull);
	assert_null(buf_reserve(&buf, 0));
}

static void formatted_text_obeys_the_limit(void **state)
{
	scoped(buf_done) struct buf buf = { .limit = 300 };

	(void)state;
	buf_addf(&buf, "%300d", 1);
	assert_int_equal(buf.n, 300);
	assert_false(buf.overfull);
	buf_addf(&buf, "%300d", 1);
	assert_int_equal(buf.n, 300);
	assert_true(buf.overfull);
}

static void clearing_keeps_memory_and_limit(void **state)
{
	scoped(buf_done) struct buf buf = { .limit = 4 };
	struct err err = { 0 };
	char *memory;

	(void)state;
	buf_add_text(&buf, "abcd");
	buf_add_text(&buf, "e");
	memory = buf.p;
	buf_clear(&buf);
	assert_slice(buf_slice(&buf), "");
	assert_int_equal(buf_check(&buf, "it", &err), 0);
	assert_int_equal(buf.limit, 4);
	buf_add_text(&buf, "efgh");
	assert_ptr_equal(buf.p, memory);
	buf_add_text(&buf, "i");
	assert_true(buf.overfull);
}

static void reserved_room_is_the_callers_to_fill(void **state)
{
	scoped(buf_done) struct buf buf = { 0 };

	(void)state;
	buf_add_text(&buf, "ab");
	for (size_t n = 0; n < 1000; n++) {
		char *end = buf_reserve(&buf, n);

		assert_ptr_equal(end, buf.p + buf.n);
		memset(end, 'x', n);
	}
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.overfull);
}

static void dropping_moves_the_rest_down(void **state)
{
	static const struct {
		size_t first;
		const char *rest;
	} cases[] = { { 0, "abc" }, { 1, "bc" }, { 3, "" }, { 9, "" } };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf buf = { 0 };

		buf_add_text(&buf, "abc");
		buf_drop(&buf, cases[i].first);
		assert_true(slice_is(buf_slice(&buf), cases[i].rest));
		assert_string_equal(buf.p, cases[i].rest);
	}
}

static void what_fits_keeps_its_bytes_and_may_grow_again(void **state)
{
	scoped(buf_done) struct buf buf = { 0 }, nothing = { 0 };

	(void)state;
	assert_non_null(buf_reserve(&buf, 100000));
	buf_add_text(&buf, "abc");
	buf_fit(&buf);
	assert_int_equal(buf.room, 4);
	assert_string_equal(buf.p, "abc");
	buf_add_text(&buf, "def");
	assert_string_equal(buf.p, "abcdef");
	buf_fit(&nothing);
	assert_null(nothing.p);
}

static void dropping_from_nothing_is_nothing(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_drop(&buf, 3);
	assert_null(buf.p);
}

static void done_leaves_an_empty_buffer(void **state)
{
	struct buf buf = { .limit = 9 };

	(void)state;
	buf_add_text(&buf, "abc");
	buf_done(&buf);
	assert_null(buf.p);
	assert_int_equal(buf.n + buf.room + buf.limit, 0);
	buf_done(&buf);
}

static void a_taken_pointer_is_no_longer_freed(void **state)
{
	char *kept;

	(void)state;
	{
		scoped(free_ptr) char *text = xstrdup("kept");

		kept = take(text);
		assert_null(text);
	}
	assert_string_equal(kept, "kept");
	free_ptr(&kept);
	assert_null(kept);
}

static void small_allocations_are_zeroed_and_never_null(void **state)
{
	char *zeroed = xcalloc(0, 0), *text = xasprintf("%s %d", "n", 5);
	int *numbers = xcalloc(3, sizeof(*numbers));

	(void)state;
	assert_non_null(zeroed);
	assert_string_equal(text, "n 5");
	assert_int_equal(numbers[0] + numbers[1] + numbers[2], 0);
	zeroed = xrealloc(zeroed, 0);
	assert_non_null(zeroed);
	free(zeroed);
	free(text);
	free(numbers);
}

static void a_member_leads_back_to_its_struct(void **state)
{
	struct pair {
		int first, second;
	} pair = { 1, 2 };
	int *second = &pair.second;

	(void)state;
	assert_ptr_equal(container_of(second, struct pair, second), &pair);
	assert_int_equal(min(3, 2) + max(3, 2), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_compared_byte_for_byte),
		cmocka_unit_test(no_text_is_an_empty_slice),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends_only),
		cmocka_unit_test(the_rest_of_a_slice_is_empty_past_its_end),
		cmocka_unit_test(parts_come_one_by_one),
		cmocka_unit_test(nothing_has_no_parts),
		cmocka_unit_test(numbers_are_digits_within_a_limit),
		cmocka_unit_test(a_copy_of_a_slice_ends_with_nul),
		cmocka_unit_test(appending_keeps_a_nul_behind_the_bytes),
		cmocka_unit_test(formatted_text_may_be_of_any_length),
		cmocka_unit_test(a_full_buffer_remembers_and_keeps_what_it_had),
		cmocka_unit_test(an_append_that_does_not_fit_is_left_out_whole),
		cmocka_unit_test(formatted_text_obeys_the_limit),
		cmocka_unit_test(clearing_keeps_memory_and_limit),
		cmocka_unit_test(reserved_room_is_the_callers_to_fill),
		cmocka_unit_test(dropping_moves_the_rest_down),
		cmocka_unit_test(what_fits_keeps_its_bytes_and_may_grow_again),
		cmocka_unit_test(dropping_from_nothing_is_nothing),
		cmocka_unit_test(done_leaves_an_empty_buffer),
		cmocka_unit_test(a_taken_pointer_is_no_longer_freed),
		cmocka_unit_test(small_allocations_are_zeroed_and_never_null),
		cmocka_unit_test(a_member_leads_back_to_its_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
