/* Text that cannot become markup, numbers and ages. TZ is Europe/Paris. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "status/html.h"

#define NOW_MS 1795340400000LL /* 2026-11-22T09:40:00Z, 10:40 in Paris */
#define NB "\xc2\xa0"
#define NARROW "\xe2\x80\xaf"

static void assert_text(struct buf *out, const char *text)
{
	assert_string_equal(out->p ? out->p : "", text);
	buf_clear(out);
}

static void text_cannot_become_markup(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	html_add(&out, "<script>alert(\"a\" & 'b')</script>");
	assert_text(&out, "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;");
	html_add(&out, "a\x01\x1b[31m\r\n\x7f"
		       "b\xc3\xa9");
	assert_text(&out, "a  [31m   b\xc3\xa9");
	html_add(&out, NULL);
	html_add(&out, "");
	assert_text(&out, "");
}

static void counts_are_grouped_by_thousands(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	html_add_count(&out, 0, true);
	assert_text(&out, "0");
	html_add_count(&out, 999, true);
	assert_text(&out, "999");
	html_add_count(&out, 1000, true);
	assert_text(&out, "1" NARROW "000");
	html_add_count(&out, 1234567, false);
	assert_text(&out, "1,234,567");
	html_add_count(&out, UINT64_MAX, false);
	assert_text(&out, "18,446,744,073,709,551,615");
}

static void durations_are_told_by_their_largest_units(void **state)
{
	static const struct {
		int64_t ms;
		const char *french;
	} cases[] = {
		{ -5, "0" NB "s" },
		{ 41900, "41" NB "s" },
		{ 60000, "1" NB "min" },
		{ 3599999, "59" NB "min" },
		{ 3600000, "1" NB "h" },
		{ 5400000, "1" NB "h" NB "30" NB "min" },
		{ 4 * 3600000 + 59 * 60000, "4" NB "h" },
		{ INT64_C(86400000) * 2 + 3600000, "2" NB "j" NB "1" NB "h" },
		{ INT64_C(86400000) * 30, "30" NB "j" },
	};
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		html_add_duration(&out, cases[i].ms, true);
		assert_text(&out, cases[i].french);
	}
}

static void ages_carry_the_time_itself(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	html_add_ago(&out, NOW_MS - 240000, NOW_MS, true);
	assert_text(&out, "<time datetime=\"2026-11-22T09:36:00.000Z\" title=\"22/11/2026 10:36\">"
			  "il y a" NB "4" NB "min</time>");
	html_add_ago(&out, NOW_MS - 240000, NOW_MS, false);
	assert_text(&out, "<time datetime=\"2026-11-22T09:36:00.000Z\" title=\"22" NB "Nov" NB
			  "2026 10:36\">4" NB "min" NB "ago</time>");
	html_add_ago(&out, 0, NOW_MS, true);
	assert_text(&out, "jamais");
	html_add_until(&out, NOW_MS + 30000, NOW_MS, false);
	assert_text(&out, "<time datetime=\"2026-11-22T09:40:30.000Z\" title=\"22" NB "Nov" NB
			  "2026 10:40\">in" NB "30" NB "s</time>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cannot_become_markup),
		cmocka_unit_test(counts_are_grouped_by_thousands),
		cmocka_unit_test(durations_are_told_by_their_largest_units),
		cmocka_unit_test(ages_carry_the_time_itself),
	};

	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
