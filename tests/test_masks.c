/* From whom a document is hidden, told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inbound/masks.h"

static struct coded coded(const char *code)
{
	return (struct coded){ code, "", "" };
}

static void what_hides_is_told_apart_whatever_its_order(void **state)
{
	static const struct {
		const char *before[4], *now[4];
		const char *said; /* NULL: the same */
	} cases[] = {
		{ { "N" }, { "N" }, NULL },
		{ { "N" }, { "R" }, NULL }, /* the document's own */
		{ { "N", "MASQUE_PS" }, { "N", "MASQUE_PS" }, NULL },
		{ { "N", "MASQUE_PS", "INVISIBLE_REPRESENTANTS_LEGAUX" },
		  { "N", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS" },
		  NULL },
		{ { "N" }, { "N", "MASQUE_PS" }, "professionals see" },
		{ { "N", "MASQUE_PS" }, { "N" }, "professionals do not see" },
		{ { "N" }, { "N", "INVISIBLE_PATIENT" }, "the patient sees" },
		{ { "N", "INVISIBLE_PATIENT" }, { "N" }, "the patient does not see" },
		{ { "N" }, { "N", "INVISIBLE_REPRESENTANTS_LEGAUX" }, "the guardians see" },
		{ { "N", "INVISIBLE_REPRESENTANTS_LEGAUX" }, { "N" }, "the guardians do not see" },
		{ { "N", "MASQUE_PS" },
		  { "N", "INVISIBLE_REPRESENTANTS_LEGAUX" },
		  "the guardians see" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct coded before_codes[4], now_codes[4];
		struct metadata before = { .confidentialities = before_codes };
		struct metadata now = { .confidentialities = now_codes };
		const char *said;

		for (size_t j = 0; j < 4 && cases[i].before[j] != NULL; j++)
			before_codes[before.confidentiality_count++] = coded(cases[i].before[j]);
		for (size_t j = 0; j < 4 && cases[i].now[j] != NULL; j++)
			now_codes[now.confidentiality_count++] = coded(cases[i].now[j]);
		said = masks_said_otherwise(&before, &now);
		if (cases[i].said == NULL)
			assert_null(said);
		else
			assert_string_equal(said, cases[i].said);
	}
}

static void a_secret_connection_is_one_beside_the_same_masks(void **state)
{
	const struct metadata open = { .secret_connection = false };
	const struct metadata secret = { .secret_connection = true };

	(void)state;
	assert_null(masks_said_otherwise(&secret, &secret));
	assert_string_equal(masks_said_otherwise(&open, &secret),
			    "was sent over no secret connection");
	assert_string_equal(masks_said_otherwise(&secret, &open),
			    "was sent over a secret connection");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hides_is_told_apart_whatever_its_order),
		cmocka_unit_test(a_secret_connection_is_one_beside_the_same_masks),
	};

	return cmocka_run_group_tests_name("masks", tests, NULL, NULL);
}
