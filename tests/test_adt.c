/* What an ADT says, in the store's words. */
#include "inbound/adt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "document/traits.h"

#define TEST_OID "1.2.250.1.213.1.4.10"
#define INS "279035121518989^^^A&" TEST_OID "&ISO^INS"
#define REAL "277076322082910^^^A&1.2.250.1.213.1.4.8&ISO^INS"
#define IPP "4711^^^CH&1.2.3&ISO^PI"

static struct arena arena;

static struct adt read_text(const char *event, const char *ids, const char *status, const char *mrg)
{
	const char *text =
		arena_printf(&arena,
			     "MSH|^~\\&|GAM|CH|PFI|CH|20261120100000||ADT^%s^ADT|1|P|2.5\r"
			     "PID|||%s||PAT^DO^DO "
			     "RE^^^^L||19790328|F|||^^^^^^BDL^^51215|||||||||||||||||||||%s\r"
			     "MRG|%s\r",
			     event, ids, status, mrg);
	struct hl7_message message;
	struct err err = { 0 };
	struct adt adt;

	if (hl7_parse(&message, slice_of(text), &arena, &err) < 0)
		fail_msg("%s", err.text);
	adt_read(&adt, &message, ENVIRONMENT_TEST, &arena);
	return adt;
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void each_message_says_what_it_says(void **state)
{
	static const struct {
		const char *event, *ids, *status, *mrg;
		enum adt_identity identity;
		const char *ins; /* "": it is not qualified */
		bool has_status, is_withdrawn;
		size_t locals, merged;
	} cases[] = {
		{ "A28", INS "~" IPP, "VALI", "", ADT_TAKEN, "279035121518989", true, false, 2, 0 },
		{ "A28", IPP "~" INS, "PROV", "", ADT_TAKEN, "", true, false, 2, 0 },
		{ "A03", IPP, "VIDE", "", ADT_TAKEN, "", true, false, 2, 0 },
		/* VALI without an INS, or with one that is none, or not of this environment */
		{ "A31", IPP, "VALI", "", ADT_TAKEN, "", true, false, 2, 0 },
		{ "A31", IPP "~279035121518988^^^A&" TEST_OID "&ISO", "VALI", "", ADT_TAKEN, "",
		  true, false, 2, 0 },
		{ "A31", IPP "~" REAL, "VALI", "", ADT_TAKEN, "", true, false, 2, 0 },
		{ "A31", INS, "VALI", "", ADT_TAKEN, "279035121518989", true, false, 0, 0 },
		/* of no use: nobody, or nothing of the status */
		{ "A31", INS, "PROV", "", ADT_UNUSABLE, "", true, false, 0, 0 },
		{ "A31", IPP "~" INS, "", "", ADT_UNUSABLE, "", false, false, 2, 0 },
		{ "A31", "", "VALI", "", ADT_UNUSABLE, "", true, false, 0, 0 },
		/* mergers, with and without a status */
		{ "A40", IPP, "", "4712^^^CH&1.2.3&ISO^PI", ADT_TAKEN, "", false, false, 2, 2 },
		{ "A40", IPP "~" INS, "VALI", "4712^^^CH&1.2.3&ISO^PI~" INS, ADT_TAKEN,
		  "279035121518989", true, false, 2, 2 },
		{ "A31", IPP, "PROV", "4712^^^CH&1.2.3&ISO^PI", ADT_TAKEN, "", true, false, 2, 0 },
		/* changes: of the hospital's number, of the INS, to none, to what it was */
		{ "A47", IPP "~" INS, "VALI", "4712^^^CH&1.2.3&ISO^PI", ADT_TAKEN,
		  "279035121518989", true, false, 2, 2 },
		{ "A47", IPP "~" INS, "VALI", REAL, ADT_TAKEN, "279035121518989", true, true, 2,
		  0 },
		{ "A47", IPP "~\"\"^^^A&" TEST_OID "&ISO^INS", "", INS, ADT_TAKEN, "", true, true,
		  2, 0 },
		{ "A47", IPP "~" INS, "PROV", IPP "~" INS, ADT_TAKEN, "", true, true, 2, 0 },
		{ "A60", IPP "~" INS, "VALI", "", ADT_IGNORED, "", false, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct adt adt =
			read_text(cases[i].event, cases[i].ids, cases[i].status, cases[i].mrg);
		const struct store_identity *said = &adt.identity;
		const bool expects = cases[i].identity == ADT_TAKEN;

		if (adt.has_identity != cases[i].identity ||
		    strcmp(slice_of(said->ins).p, cases[i].ins) != 0 ||
		    said->has_status != cases[i].has_status ||
		    said->is_withdrawn != cases[i].is_withdrawn ||
		    said->local_count != cases[i].locals || said->merged_count != cases[i].merged)
			fail_msg("case %zu: %d '%s' %d %d %zu %zu", i, adt.has_identity,
				 slice_of(said->ins).p, said->has_status, said->is_withdrawn,
				 said->local_count, said->merged_count);
		assert_int_equal(adt_leaves_something(&adt), expects);
	}
}

static void a_number_is_kept_under_both_names_of_its_domain(void **state)
{
	const struct adt adt = read_text("A28", IPP "~" INS, "VALI", "");
	const struct store_identity *said = &adt.identity;
	struct traits traits;

	(void)state;
	assert_string_equal(said->locals[0].domain, "1.2.3");
	assert_string_equal(said->locals[1].domain, "CH");
	assert_string_equal(said->locals[1].number, "4711");
	assert_string_equal(said->traits, "19790328F");
	assert_true(traits_read(&traits, said->facts, &arena));
	assert_string_equal(traits.family, "PAT");
	assert_string_equal(traits.given_names, "DO RE");
	assert_string_equal(traits.birth_place, "51215");
	assert_string_equal(traits.ins, "279035121518989");
}

static void traits_are_read_as_they_were_written(void **state)
{
	const struct traits said = { "1", "2", "A\nB", "", "C", "M", "19790328", "" };
	scoped(buf_done) struct buf kept = { 0 };
	struct traits got;

	(void)state;
	traits_write(&said, &kept);
	for (size_t n = 0; n < kept.n; n++) /* nor a part of it */
		assert_false(traits_read(&got, (struct slice){ kept.p, n }, &arena));
	assert_true(traits_read(&got, buf_slice(&kept), &arena));
	assert_string_equal(got.family, "A B");
	assert_string_equal(got.given_names, "C");
	assert_string_equal(got.birth_place, "");
	buf_addf(&kept, "x");
	assert_false(traits_read(&got, buf_slice(&kept), &arena));
}

static void what_is_compared_is_known_of_both(void **state)
{
	(void)state;
	assert_string_equal(traits_compared("19790328", "M", &arena), "19790328M");
	assert_string_equal(traits_compared("19790328", "U", &arena), "");
	assert_string_equal(traits_compared("1979", "M", &arena), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_says_what_it_says),
		cmocka_unit_test(a_number_is_kept_under_both_names_of_its_domain),
		cmocka_unit_test(traits_are_read_as_they_were_written),
		cmocka_unit_test(what_is_compared_is_known_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
