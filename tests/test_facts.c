/* What counting wants to know of a document, from its message, its header and its site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "inbound/facts.h"

static struct config_unit units[] = { { "4410", "PSY" }, { "4411", "none" } };
static const struct config_site site = { .field = "MCO", .units = units, .unit_count = 2 };
static const struct config_site silent_site = { .field = "none" };

static struct cda header(void)
{
	return (struct cda){ .encounter = { "1.2.250.1.999.3", "V88001" },
			     .encounter_stop = "20261120083000+0100" };
}

static const struct metadata about = { .patient_ins = "279035121518989", .creation_ms = 1 };

static struct transmission message(void)
{
	return (struct transmission){ .identity_validated = true,
				      .visit_number = "V77",
				      .visit_end = "202611191015+0100",
				      .unit = "4410" };
}

static int64_t at(const char *hl7)
{
	int64_t time_ms = 0;
	struct err err = { 0 };
	bool zoned;

	assert_int_equal(clock_parse_hl7(slice_of(hl7), &time_ms, &zoned, &err), 0);
	return time_ms;
}

static void a_message_is_believed_before_the_header(void **state)
{
	const struct transmission its = message();
	const struct cda cda = header();
	const struct store_facts facts = facts_of(&cda, &about, &its, &site);

	(void)state;
	assert_string_equal(facts.stay, "V77");
	assert_int_equal(facts.stay_end_ms, at("202611191015+0100"));
	assert_string_equal(facts.unit, "4410");
	assert_string_equal(facts.field, "PSY");
	assert_int_equal(facts.created_ms, 1);
	assert_true(facts.ins_qualified);
}

static void the_header_says_what_the_message_does_not(void **state)
{
	struct transmission its = message();
	const struct cda cda = header();
	struct store_facts facts;

	(void)state;
	its.visit_number = its.visit_end = its.unit = "";
	its.identity_validated = false;
	facts = facts_of(&cda, &about, &its, &site);
	assert_string_equal(facts.stay, "V88001");
	assert_int_equal(facts.stay_end_ms, at("20261120083000+0100"));
	assert_string_equal(facts.unit, "");
	assert_string_equal(facts.field, "MCO");
	assert_false(facts.ins_qualified);

	facts = facts_of(&cda, &about, NULL, &silent_site);
	assert_string_equal(facts.stay, "V88001");
	assert_string_equal(facts.field, "");
	assert_true(facts.ins_qualified);
}

static void what_cannot_be_read_refuses_nothing(void **state)
{
	const struct metadata nobody = { .patient_ins = "" };
	struct transmission its = message();
	struct cda cda = header();
	struct store_facts facts;
	char unit[80];

	(void)state;
	memset(unit, 'x', sizeof(unit));
	unit[sizeof(unit) - 1] = '\0';
	its.visit_end = "yesterday";
	its.unit = unit;
	cda.encounter_stop = "tomorrow";
	facts = facts_of(&cda, &nobody, &its, &site);
	assert_int_equal(facts.stay_end_ms, 0);
	assert_string_equal(facts.unit, "");
	assert_string_equal(facts.field, "MCO");
	assert_false(facts.ins_qualified);
}

static void a_unit_may_be_of_another_field_or_of_none(void **state)
{
	struct store_facts facts = { 0 };

	(void)state;
	facts_tell_unit(&facts, &site, "4411");
	assert_string_equal(facts.field, "");
	facts_tell_unit(&facts, &site, "9999");
	assert_string_equal(facts.field, "MCO");
	assert_string_equal(facts.unit, "9999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_believed_before_the_header),
		cmocka_unit_test(the_header_says_what_the_message_does_not),
		cmocka_unit_test(what_cannot_be_read_refuses_nothing),
		cmocka_unit_test(a_unit_may_be_of_another_field_or_of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
