/* The table of reasons: complete, or somebody is told nothing. */
#include "base/reason.h"

#include "hl7/charset.h"
#include "sample.h"

#define EVERY(reason) (enum reason reason = REASON_NONE + 1; reason < REASON_COUNT; reason++)

static void every_reason_has_a_code_of_its_own(void **state)
{
	(void)state;
	for
		EVERY(reason)
		{
			const char *code = reason_row(reason)->code;

			assert_non_null(code);
			assert_int_not_equal(strlen(code), 0);
			assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz_"), strlen(code));
			assert_int_equal(reason_of(code), reason);
		}
}

static void every_reason_speaks_both_languages(void **state)
{
	(void)state;
	for
		EVERY(reason)
		{
			const struct reason_row *row = reason_row(reason);
			const char *const sentences[] = { row->english, row->french,
							  row->action_english, row->action_french };

			for (size_t i = 0; i < length_of(sentences); i++) {
				if (sentences[i] == NULL || strlen(sentences[i]) == 0)
					fail_msg("%s lacks a sentence", row->code);
				assert_int_equal(sentences[i][strlen(sentences[i]) - 1], '.');
				assert_true(charset_is_utf8(slice_of(sentences[i])));
			}
			assert_string_not_equal(row->english, row->french);
		}
}

static void what_is_answered_has_a_code_of_the_profile(void **state)
{
	(void)state;
	for
		EVERY(reason)
		{
			const struct reason_row *row = reason_row(reason);

			if ((row->hl7_code != 0) != (row->hl7_ack != NULL))
				fail_msg("%s: ERR-3 and MSA-1 go together", row->code);
			if (row->hl7_code == 0)
				continue;
			assert_true(strcmp(row->hl7_ack, "AE") == 0 ||
				    strcmp(row->hl7_ack, "AR") == 0);
			assert_int_not_equal(strlen(hl7_error_text(row->hl7_code)), 0);
		}
}

static void no_reason_has_an_empty_row(void **state)
{
	const struct reason_row *row = reason_row(REASON_NONE);

	(void)state;
	assert_string_equal(row->code, "");
	assert_int_equal(row->hl7_code, 0);
	assert_null(row->hl7_ack);
	assert_string_equal(row->english, "");
	assert_ptr_equal(reason_row(REASON_COUNT), row);
	assert_ptr_equal(reason_row((enum reason)9999), row);
}

static void an_unknown_code_is_no_reason(void **state)
{
	(void)state;
	assert_int_equal(reason_of(""), REASON_NONE);
	assert_int_equal(reason_of("nonsense"), REASON_NONE);
	assert_int_equal(reason_of("INS_MISSING"), REASON_NONE);
}

/* Users, scripts and dashboards filter on these. */
static void codes_that_users_know_do_not_change(void **state)
{
	static const char *const codes[] = {
		"ins_not_qualified",
		"ins_missing",
		"ins_invalid",
		"patient_opposed",
		"dmp_absent",
		"dmp_closed",
		"policy_hold",
		"manual_hold",
		"waiting_predecessor",
		"retrying",
		"doubtful",
		"lane_stopped",
		"not_for_dmp",
		"type_not_accepted",
		"metadata_invalid",
		"document_invalid",
		"identifier_has_extension",
		"finess_mismatch",
		"masks_conflict",
		"predecessor_unknown",
		"too_large",
		"duplicate_foreign",
		"unchanged",
		"too_old",
		"dmp_error",
	};

	(void)state;
	for (size_t i = 0; i < length_of(codes); i++)
		if (reason_of(codes[i]) == REASON_NONE)
			fail_msg("%s has no row", codes[i]);
}

static void error_texts_are_those_of_the_profile(void **state)
{
	(void)state;
	assert_string_equal(hl7_error_text(0), "Message accepted");
	assert_string_equal(hl7_error_text(100), "Segment sequence error");
	assert_string_equal(hl7_error_text(207), "Application error");
	assert_string_equal(hl7_error_text(42), "");
	assert_string_equal(hl7_error_text(-1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_code_of_its_own),
		cmocka_unit_test(every_reason_speaks_both_languages),
		cmocka_unit_test(what_is_answered_has_a_code_of_the_profile),
		cmocka_unit_test(no_reason_has_an_empty_row),
		cmocka_unit_test(an_unknown_code_is_no_reason),
		cmocka_unit_test(codes_that_users_know_do_not_change),
		cmocka_unit_test(error_texts_are_those_of_the_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
