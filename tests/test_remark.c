/* What is told of a document that goes all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inbound/remark.h"

#define INS                                                                                        \
	{                                                                                          \
		"279035121518989", "1.2.250.1.213.1.4.10", "INS", "INS"                            \
	}
#define LOCAL "1.2.250.1.999.2"

static struct cda_id ids[] = { { "1.2.250.1.213.1.4.10", "279035121518989" }, { LOCAL, "77" } };

static const char *templates[] = { "2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1",
				   "1.3.6.1.4.1.19376.1.2.20" };

static const struct cda good = {
	.title = "Lettre de liaison",
	.effective_time = "20261120094500+0100",
	.set_id = { "1.2.250.1.999.3", "" },
	.templates = templates,
	.template_count = length_of(templates),
	.patient_ids = ids,
	.patient_id_count = 2,
};

static void a_good_document_is_not_remarked_on(void **state)
{
	(void)state;
	assert_int_equal(remarks_of(&good, NULL), 0);
}

static void local_ids_are_compared_as_lists(void **state)
{
	static const struct {
		struct transmission_id ids[3];
		size_t count;
		bool differ;
	} cases[] = {
		{ { INS, { "77", LOCAL, "PI", "CH" } }, 2, false },
		{ { { "77", LOCAL, "PI", "CH" }, INS }, 2, false },
		{ { INS, { "78", LOCAL, "PI", "CH" } }, 2, true },
		{ { INS, { "77", "1.2.250.1.999.9", "PI", "CH" } }, 2, true },
		{ { INS }, 1, true },
		{ { INS, { "77", LOCAL, "PI", "CH" }, { "5", "1.2.3", "PI", "CH" } }, 3, true },
		{ { { "1", "1.2.250.1.213.1.4.8", "INS", "INS" }, { "77", LOCAL, "PI", "CH" } },
		  2,
		  false },
		{ { INS, { "77", LOCAL, "PI", "CH" }, { "190000000000000", "", "NH", "" } },
		  3,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct transmission message = { .ids = cases[i].ids,
						      .id_count = cases[i].count };

		assert_int_equal(remarks_of(&good, &message),
				 cases[i].differ ? 1U << REMARK_LOCAL_IDS : 0);
	}
}

static void a_title_has_128_characters(void **state)
{
	struct cda cda = good;
	char title[2 * 129 + 1];

	(void)state;
	for (size_t i = 0; i < 129; i++)
		memcpy(title + 2 * i, "é", 2);
	title[2 * 129] = '\0';
	cda.title = title;
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_LONG_TITLE);
	title[2 * 128] = '\0';
	assert_int_equal(remarks_of(&cda, NULL), 0);
}

static void characters_of_one_byte_count_as_well(void **state)
{
	struct cda cda = good;
	char title[129 + 1];

	(void)state;
	memset(title, 'e', 129);
	title[129] = '\0';
	cda.title = title;
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_LONG_TITLE);
	title[128] = '\0';
	assert_int_equal(remarks_of(&cda, NULL), 0);
}

/* Of the header of the CI-SIS: the third is of IHE. */
static void each_of_two_templates_is_wanted(void **state)
{
	static const char *lists[][2] = {
		{ "2.16.840.1.113883.2.8.2.1", "1.3.6.1.4.1.19376.1.2.20" },
		{ "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(lists); i++) {
		struct cda cda = good;

		cda.templates = lists[i];
		cda.template_count = length_of(lists[i]);
		assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_TEMPLATES);
	}
}

static void what_is_missing_is_told(void **state)
{
	struct cda cda = good;

	(void)state;
	cda.template_count = 1;
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_TEMPLATES);
	cda.template_count = length_of(templates);
	cda.set_id.root = "";
	cda.effective_time = "202611200945";
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_NO_SET_ID | 1U << REMARK_NO_ZONE);
	cda.effective_time = "20261120"; /* a day has no zone */
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_NO_SET_ID);
}

static void what_the_message_lacks_is_told(void **state)
{
	const struct transmission_id local = { "77", LOCAL, "PI", "CH" };
	struct transmission message = { .ids = &local, .id_count = 1 };

	(void)state;
	message.sender.person_is_foreign = true;
	assert_int_equal(remarks_of(&good, &message), 1U << REMARK_FOREIGN_SENDER);
	message.sender.person_is_foreign = false;
	message.lacks_flag = true;
	assert_int_equal(remarks_of(&good, &message), 1U << REMARK_FLAG_MISSING);
}

static void each_remark_says_what_it_is_about(void **state)
{
	static const char *const said[REMARK_COUNT] = {
		[REMARK_LOCAL_IDS] = "local identifiers",
		[REMARK_INS_NOT_FIRST] = "the INS is not the first",
		[REMARK_TEMPLATES] = "templateId",
		[REMARK_LONG_TITLE] = "title",
		[REMARK_NO_SET_ID] = "setId",
		[REMARK_NO_ZONE] = "zone",
		[REMARK_FLAG_MISSING] = "a flag of edition 2.1",
		[REMARK_FOREIGN_SENDER] = "PRT-5.9",
	};

	(void)state;
	for (enum remark remark = 0; remark < REMARK_COUNT; remark++)
		assert_non_null(strstr(remark_text(remark), said[remark]));
}

static void the_ins_comes_first(void **state)
{
	struct cda_id other_way[] = { ids[1], ids[0] };
	struct cda cda = good;

	(void)state;
	cda.patient_ids = other_way;
	assert_int_equal(remarks_of(&cda, NULL), 1U << REMARK_INS_NOT_FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_document_is_not_remarked_on),
		cmocka_unit_test(local_ids_are_compared_as_lists),
		cmocka_unit_test(the_ins_comes_first),
		cmocka_unit_test(a_title_has_128_characters),
		cmocka_unit_test(characters_of_one_byte_count_as_well),
		cmocka_unit_test(each_of_two_templates_is_wanted),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(what_the_message_lacks_is_told),
		cmocka_unit_test(each_remark_says_what_it_is_about),
	};

	return cmocka_run_group_tests_name("remark", tests, NULL, NULL);
}
