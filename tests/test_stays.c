/* What a message says of a stay, as the installation sees it: its site, whether it counts, and whether it is one to
 * be discreet about.
 */
#include "inbound/stays.h"

#include "sample.h"

static const char *sensitive[] = { "ADDICTO", "UF66" }, *elsewhere[] = { "CEGIDD" };
static struct config_unit units[] = { { "4410", "PSY" } }, other_units[] = { { "SMR1", "SMR" } };
static struct config_site sites[] = {
	{ .metadata = { .finess_eg = "990012345" },
	  .field = "MCO",
	  .units = units,
	  .unit_count = 1,
	  .sensitive_units = sensitive,
	  .sensitive_unit_count = 2,
	  .open_flags = "N P",
	  .stay_classes = "I R" },
	{ .metadata = { .finess_eg = "990012352" },
	  .field = "none",
	  .units = other_units,
	  .unit_count = 1,
	  .sensitive_units = elsewhere,
	  .sensitive_unit_count = 1,
	  .open_flags = "",
	  .stay_classes = "" },
};
static struct config_establishment establishment = { .finess_ej = "990000987",
						     .sites = sites,
						     .site_count = 2 };
static const struct config config = { .establishments = &establishment, .establishment_count = 1 };

static struct arena arena;

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static bool read_stay(const char *event, const char *rest, const char *door,
		      struct store_stay *stay)
{
	struct hl7_message message;
	struct err err = { 0 };
	char *text =
		arena_printf(&arena, "MSH|^~\\&|GAM|CH|PFI|CH|20261120100000||ADT^%s|1|P|2.5\r%s\r",
			     event, rest);

	if (hl7_parse(&message, slice_of(text), &arena, &err) < 0)
		fail_msg("%s", err.text);
	return stays_read(stay, &message, &config, door, &arena);
}

/* PV1 with class, unit, service and flag. */
static const char *visit(const char *class, const char *unit, const char *service, const char *flag)
{
	return arena_printf(&arena, "PV1||%s|%s|||||||%s||||||%s|||V1", class, unit, service, flag);
}

static void each_event_means_something_to_the_store(void **state)
{
	static const struct {
		const char *event, *zbe;
		enum store_said exists, ended;
		bool has_place, has_moved;
	} cases[] = {
		{ "A01", "", STORE_SAID_YES, STORE_UNSAID, true, false },
		{ "A02", "ZBE|1|20261120", STORE_SAID_YES, STORE_UNSAID, true, true },
		{ "A03", "", STORE_SAID_YES, STORE_SAID_YES, true, false },
		{ "A06", "", STORE_SAID_YES, STORE_UNSAID, true, false },
		{ "A07", "", STORE_SAID_YES, STORE_UNSAID, true, false },
		{ "A11", "", STORE_SAID_NO, STORE_UNSAID, false, false },
		{ "A12", "", STORE_UNSAID, STORE_UNSAID, true, false },
		{ "A13", "", STORE_SAID_YES, STORE_SAID_NO, true, false },
		{ "A54", "", STORE_UNSAID, STORE_UNSAID, true, false },
		{ "Z99", "ZBE|1|20261120||UPDATE|N|A02", STORE_SAID_YES, STORE_UNSAID, true,
		  false },
		{ "Z99", "ZBE|1|20261120||UPDATE|Y|A02", STORE_SAID_YES, STORE_UNSAID, false,
		  false },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A03", STORE_SAID_YES, STORE_SAID_NO, true,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct store_stay got;

		assert_true(read_stay(
			cases[i].event,
			arena_printf(&arena, "%s\r%s", visit("I", "UF12", "", ""), cases[i].zbe),
			"990012345", &got));
		print_message("# %s %s\n", cases[i].event, cases[i].zbe);
		assert_string_equal(got.number, "V1");
		assert_string_equal(got.lane, "990000987");
		assert_int_equal(got.exists, cases[i].exists);
		assert_int_equal(got.ended, cases[i].ended);
		assert_int_equal(got.has_place, cases[i].has_place);
		assert_int_equal(got.since_ms != 0, cases[i].has_moved);
	}
}

static void what_cannot_be_noted_is_not(void **state)
{
	struct store_stay got;

	(void)state;
	assert_false(read_stay("A31", visit("I", "UF12", "", ""), "990012345", &got));
	assert_false(read_stay("A01", "PV1||I|UF12", "990012345", &got));
	assert_false(read_stay("A01", visit("I", "UF12", "", ""), "990099999", &got));
}

static void the_unit_says_the_site(void **state)
{
	static const struct {
		const char *unit, *service, *door, *site, *field;
	} cases[] = {
		{ "UF12", "", "990012345", "990012345", "MCO" },
		{ "UF12", "", "990012352", "990012352", "" },
		{ "4410", "", "990012345", "990012345", "PSY" },
		{ "4410", "", "990012352", "990012345", "PSY" },
		{ "SMR1", "", "990012345", "990012352", "SMR" },
		{ "CEGIDD", "", "990012345", "990012352", "" },
		{ "UF12", "SMR1", "990012345", "990012352", "" },
		{ "", "", "990012345", "990012345", "MCO" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct store_stay got;

		assert_true(read_stay("A01", visit("I", cases[i].unit, cases[i].service, ""),
				      cases[i].door, &got));
		print_message("# %s %s\n", cases[i].unit, cases[i].door);
		assert_string_equal(got.site, cases[i].site);
		assert_string_equal(got.field, cases[i].field);
	}
}

static void its_class_says_whether_it_counts(void **state)
{
	static const struct {
		const char *class, *zbe;
		enum store_said counts;
	} cases[] = {
		{ "I", "", STORE_SAID_YES },
		{ "R", "", STORE_SAID_YES },
		{ "O", "", STORE_SAID_NO },
		{ "E", "", STORE_SAID_NO },
		{ "I R", "", STORE_SAID_NO }, /* no word of the list */
		{ "", "", STORE_UNSAID },
		{ "E", "ZBE|1|20261120||UPDATE|Y|A04", STORE_UNSAID }, /* what it was before */
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct store_stay got;

		assert_true(
			read_stay("Z99",
				  arena_printf(&arena, "%s\r%s",
					       visit(cases[i].class, "UF12", "", ""), cases[i].zbe),
				  "990012345", &got));
		assert_int_equal(got.counts, cases[i].counts);
	}
}

/* Default deny: whatever names a sensitive unit, and whatever flag is not known as harmless. */
static void units_and_flags_make_a_stay_discreet(void **state)
{
	static const struct {
		const char *unit, *service, *flag, *zbe, *door;
		bool by_unit;
		int flag_is;
	} cases[] = {
		{ "UF12", "", "", "", "990012345", false, STORE_FLAG_UNSAID },
		{ "ADDICTO", "", "", "", "990012345", true, STORE_FLAG_UNSAID },
		{ "ADDICTO^101", "", "", "", "990012345", true, STORE_FLAG_UNSAID },
		{ "UF12", "ADDICTO", "", "", "990012345", true, STORE_FLAG_UNSAID },
		{ "UF12", "", "", "ZBE|1|2026||INSERT|N||x^^^^^^UF^^^UF66", "990012345", true,
		  STORE_FLAG_UNSAID },
		{ "UF12", "", "", "ZBE|1|2026||INSERT|N||x^^^^^^UF^^^1|y^^^^^^UF^^^UF66",
		  "990012345", true, STORE_FLAG_UNSAID },
		/* by another site's door, and of another site */
		{ "ADDICTO", "", "", "", "990012352", true, STORE_FLAG_UNSAID },
		{ "CEGIDD", "", "", "", "990012345", true, STORE_FLAG_UNSAID },
		{ "ADDICT", "", "", "", "990012345", false, STORE_FLAG_UNSAID },
		{ "UF12", "", "N", "", "990012345", false, STORE_FLAG_OPEN },
		{ "UF12", "", "P", "", "990012345", false, STORE_FLAG_OPEN },
		{ "UF12", "", "I", "", "990012345", false, STORE_FLAG_DISCREET },
		{ "UF12", "", "Y", "", "990012345", false, STORE_FLAG_DISCREET },
		{ "UF12", "", "n", "", "990012345", false, STORE_FLAG_DISCREET },
		{ "UF12", "", "N", "", "990012352", false, STORE_FLAG_DISCREET },
		{ "UF12", "", "\"\"", "", "990012345", false, STORE_FLAG_UNSAID },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct store_stay got;

		assert_true(read_stay(
			"A01",
			arena_printf(&arena, "%s\r%s",
				     visit("I", cases[i].unit, cases[i].service, cases[i].flag),
				     cases[i].zbe),
			cases[i].door, &got));
		print_message("# case %zu\n", i);
		assert_int_equal(got.discretion.unit, cases[i].by_unit);
		assert_int_equal(got.discretion.flag, cases[i].flag_is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_means_something_to_the_store),
		cmocka_unit_test(what_cannot_be_noted_is_not),
		cmocka_unit_test(the_unit_says_the_site),
		cmocka_unit_test(its_class_says_whether_it_counts),
		cmocka_unit_test(units_and_flags_make_a_stay_discreet),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
