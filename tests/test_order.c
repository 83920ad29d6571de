/* What may be ordered of a document, state by state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "queue/order.h"

static bool may(enum order order, struct order_case its, bool forced)
{
	return order_refusal(order, &its, forced) == NULL;
}

static void each_order_has_its_states(void **state)
{
	static const struct {
		enum order order;
		const char *states; /* from which it may be given, without force */
	} cases[] = {
		{ ORDER_HOLD, "queued" },
		{ ORDER_RELEASE, "held" },
		{ ORDER_RETRY, "queued refused rejected" },
		{ ORDER_CANCEL, "held queued refused rejected" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		for (enum doc_state from = 0; from < DOC_STATE_COUNT; from++) {
			const struct order_case its = { .state = from };
			bool wanted = strstr(cases[i].states, doc_state_text(from)) != NULL;

			if (may(cases[i].order, its, false) != wanted)
				fail_msg("%s of what is %s", order_text(cases[i].order),
					 doc_state_text(from));
		}
	}
}

/* What is under way or done cannot be ordered about, however hard one insists. */
static void force_does_not_reach_what_is_sent(void **state)
{
	(void)state;
	for (enum order order = 0; order < ORDER_COUNT; order++) {
		assert_false(may(order, (struct order_case){ .state = DOC_SENDING }, true));
		assert_false(may(order, (struct order_case){ .state = DOC_DELIVERED }, true));
		assert_false(may(order, (struct order_case){ .state = DOC_SUPPRESSED }, true));
	}
}

static void some_orders_want_force(void **state)
{
	static const struct {
		enum order order;
		struct order_case its;
	} cases[] = {
		{ ORDER_RELEASE,
		  { DOC_HELD, REASON_INS_NOT_QUALIFIED, false, false, false, false } },
		{ ORDER_RELEASE,
		  { DOC_HELD, REASON_WAITING_PREDECESSOR, false, false, false, false } },
		{ ORDER_RETRY, { DOC_CANCELLED, REASON_WITHDRAWN, false, false, false, false } },
		{ ORDER_RETRY,
		  { DOC_REFUSED, REASON_PATIENT_OPPOSED, false, false, false, false } },
		{ ORDER_RETRY, { DOC_REJECTED, REASON_DMP_ERROR, false, false, false, true } },
		{ ORDER_RETRY, { DOC_REFUSED, REASON_DMP_ABSENT, false, false, false, true } },
		{ ORDER_CANCEL, { DOC_QUEUED, REASON_DOUBTFUL, true, false, false, false } },
		{ ORDER_CANCEL, { DOC_REJECTED, REASON_TOO_OLD, true, false, false, false } },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct order_refusal *refusal =
			order_refusal(cases[i].order, &cases[i].its, false);

		assert_non_null(refusal);
		assert_non_null(strstr(refusal->english, "--force"));
		assert_non_null(strstr(refusal->french, "--force"));
		assert_true(may(cases[i].order, cases[i].its, true));
	}
}

/* Or releasing it would pass over the identity without a word. */
static void a_hold_for_the_identity_is_not_covered_by_another(void **state)
{
	const struct order_case its = { DOC_HELD, REASON_INS_NOT_QUALIFIED, false, false, false,
					false };
	const struct order_case by_policy = { DOC_HELD, REASON_POLICY_HOLD, false, false, false,
					      false };

	(void)state;
	assert_false(may(ORDER_HOLD, its, true));
	assert_true(may(ORDER_HOLD, by_policy, false));
}

/* No person can answer for an INS that is not in the document. */
static void what_carries_no_ins_is_not_released_without_it(void **state)
{
	static const struct {
		struct order_case its;
		bool may;
	} cases[] = {
		{ { DOC_HELD, REASON_INS_NOT_QUALIFIED, false, false, true, false }, false },
		{ { DOC_HELD, REASON_INS_NOT_IN_DOCUMENT, false, false, true, false }, false },
		{ { DOC_HELD, REASON_INS_CHANGED, false, false, false, false }, false },
		{ { DOC_HELD, REASON_INS_NOT_QUALIFIED, false, false, false, false }, true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		if (may(ORDER_RELEASE, cases[i].its, true) != cases[i].may)
			fail_msg("case %zu", i);
}

static void what_was_purged_cannot_be_sent_again(void **state)
{
	const struct order_case its = { .state = DOC_REJECTED, .purged = true };

	(void)state;
	assert_false(may(ORDER_RETRY, its, true));
	assert_true(may(ORDER_CANCEL, its, false));
}

/* How the other form stands. */
static void both_forms_are_given_up_or_none(void **state)
{
	static const struct {
		struct order_case other;
		bool changes, may, may_if_forced;
	} cases[] = {
		{ { .state = DOC_QUEUED }, true, true, true },
		{ { .state = DOC_HELD }, false, true, true },
		{ { .state = DOC_CANCELLED }, true, true, true },
		{ { .state = DOC_SENDING }, false, false, false },
		{ { .state = DOC_SENDING }, true, false, false },
		{ { .state = DOC_DELIVERED }, false, true, true },
		{ { .state = DOC_DELIVERED }, true, false, true },
		{ { .state = DOC_QUEUED, .doubtful = true }, false, false, true },
		{ { .state = DOC_CANCELLED, .doubtful = true }, false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct order_refusal *refusal =
			order_refusal_by_other(&cases[i].other, cases[i].changes, false);
		const struct order_refusal *forced =
			order_refusal_by_other(&cases[i].other, cases[i].changes, true);

		if ((refusal == NULL) != cases[i].may || (forced == NULL) != cases[i].may_if_forced)
			fail_msg("case %zu", i);
		if (refusal != NULL && forced == NULL)
			assert_non_null(strstr(refusal->french, "--force"));
	}
}

static void every_refusal_is_a_sentence_in_both_languages(void **state)
{
	(void)state;
	for (enum order order = 0; order < ORDER_COUNT; order++) {
		for (enum doc_state from = 0; from < DOC_STATE_COUNT; from++) {
			const struct order_case its = { .state = from };
			const struct order_refusal *refusal = order_refusal(order, &its, false);

			if (refusal == NULL)
				continue;
			assert_int_equal(refusal->english[strlen(refusal->english) - 1], '.');
			assert_int_equal(refusal->french[strlen(refusal->french) - 1], '.');
		}
	}
}

static void orders_are_known_by_name(void **state)
{
	enum order read;

	(void)state;
	for (enum order order = 0; order < ORDER_COUNT; order++) {
		assert_true(order_parse(slice_of(order_text(order)), &read));
		assert_int_equal(read, order);
	}
	assert_false(order_parse(slice_of("purge"), &read));
	assert_false(order_parse(slice_of(""), &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order_has_its_states),
		cmocka_unit_test(force_does_not_reach_what_is_sent),
		cmocka_unit_test(some_orders_want_force),
		cmocka_unit_test(a_hold_for_the_identity_is_not_covered_by_another),
		cmocka_unit_test(what_carries_no_ins_is_not_released_without_it),
		cmocka_unit_test(what_was_purged_cannot_be_sent_again),
		cmocka_unit_test(both_forms_are_given_up_or_none),
		cmocka_unit_test(every_refusal_is_a_sentence_in_both_languages),
		cmocka_unit_test(orders_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
