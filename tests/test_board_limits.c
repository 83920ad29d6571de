/* Limits that two files say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "setup/board_limits.h"

enum { DAY = 86400000 };

static const struct config config = {
	.file = "dmpfeed.yaml",
	.alerts = { .silence_factor = 3,
		    .certificate_ms = { 60 * (int64_t)DAY, 15 * (int64_t)DAY },
		    .absent_percent = { 5, 10 },
		    .absent_least = 200,
		    .invisible_warning_ms = 15 * (int64_t)DAY,
		    .invisible_critical_ms = 30 * (int64_t)DAY },
};

static int check(const char *alerts, struct buf *errors)
{
	scoped(targets_free) struct targets *targets = NULL;
	scoped(free_ptr) char *text = xasprintf("schema: usage-targets/1\n%s", alerts);
	const struct target_file file = { "t.yaml", slice_of(text) };

	if (targets_parse(&targets, &file, 1, errors) < 0)
		fail_msg("%s", errors->p);
	buf_add_text(errors, "");
	return board_check_limits(targets, &config, errors);
}

static void the_same_is_well_and_so_is_nothing(void **state)
{
	static const char *const files[] = {
		"",
		"alerts: {official_gap: {warn: 0.01, crit: 0.03}}\n",
		"alerts:\n"
		"  dmp_absent_rate:   {warn: 0.05, crit: 0.10, min_n: 200}\n"
		"  official_gap:      {warn: 0.02, crit: 0.05}\n"
		"  certificate_days:  {warn: 60, crit: 15}\n"
		"  silence_factor:    3\n"
		"  invisible_patient_days: {warn: 15, crit: 30}\n",
		"alerts: {dmp_absent_rate: {warn: 0.05, crit: 0.1}}\n",
	};

	(void)state;
	for (size_t i = 0; i < length_of(files); i++) {
		scoped(buf_done) struct buf errors = { 0 };

		assert_int_equal(check(files[i], &errors), 0);
		assert_string_equal(errors.p, "");
	}
}

static void what_contradicts_is_told_with_the_key_that_rings(void **state)
{
	scoped(buf_done) struct buf errors = { 0 };

	(void)state;
	assert_int_equal(check("alerts:\n"
			       "  dmp_absent_rate:   {warn: 0.04, crit: 0.12, min_n: 100}\n"
			       "  certificate_days:  {warn: 90, crit: 30}\n"
			       "  silence_factor:    4\n"
			       "  invisible_patient_days: {warn: 10, crit: 20}\n",
			       &errors),
			 -1);
#define LINE(theirs, said, ours, is, should)                                                       \
	"t.yaml:2:1: alerts: " theirs " is " said ", and " ours " in dmpfeed.yaml means " is       \
	", which is what rings: write " ours ": " should " there, or take this one away\n"
	assert_string_equal(
		errors.p,
		LINE("dmp_absent_rate.warn", "0.04", "alerts.dmp_absent_rate.warning", "5",
		     "4") LINE("dmp_absent_rate.crit", "0.12", "alerts.dmp_absent_rate.critical",
			       "10", "12") LINE("dmp_absent_rate.min_n", "100",
						"alerts.dmp_absent_rate.least_documents", "200",
						"100") LINE("certificate_days.warn", "90",
							    "alerts.certificate_expiring.warning",
							    "60 d", "90 d")
			LINE("certificate_days.crit", "30", "alerts.certificate_expiring.critical",
			     "15 d", "30 d") LINE("silence_factor", "4",
						  "alerts.source_silent.factor", "3", "4")
				LINE("invisible_patient_days.warn", "10",
				     "visibility.invisible_most", "15 d", "10 d")
					LINE("invisible_patient_days.crit", "20",
					     "alerts.invisible_too_long.critical", "30 d", "20 d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_well_and_so_is_nothing),
		cmocka_unit_test(what_contradicts_is_told_with_the_key_that_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
