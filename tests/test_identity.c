/* An ADT of PAM France: what it says of the feeding of a DMP, and that nothing in it is refused. */
#include "hl7/identity.h"

#include <time.h>
#include <unistd.h>

#include "sample.h"

#define TEST_OID "1.2.250.1.213.1.4.10"
#define NIR_OID "1.2.250.1.213.1.4.8"
#define INS "279035121518989^^^ASIP-SANTE-INS-NIR&" TEST_OID "&ISO^INS"

#define EV_2026 INT64_C(1795165140000) /* 2026-11-20 09:59 in Paris */
#define MESSAGE INT64_C(1795165200000) /* 10:00 */

static struct arena arena;

static bool is_ins(const char *oid)
{
	return strcmp(oid, TEST_OID) == 0 || strcmp(oid, NIR_OID) == 0;
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1", 1);
	tzset();
	return 0;
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct identity read_text(const char *text)
{
	struct identity identity;
	struct hl7_message message;
	struct err err = { 0 };

	if (hl7_parse(&message, slice_of(arena_dup(&arena, slice_of(text))), &arena, &err) < 0)
		fail_msg("%s", err.text);
	identity_read(&identity, &message, is_ins, &arena);
	return identity;
}

static struct identity read_message(const char *event, const char *ids, const char *statuses,
				    const char *zfa)
{
	return read_text(arena_printf(&arena,
				      "MSH|^~\\&|GAM|CH|PFI|CH|20261120100000||ADT^%s^ADT|1|P|2.5\r"
				      "PID|||%s%s%s\rPV1||I\r%s\r",
				      event, ids, "|||||||||||||||||||||||||||||", statuses, zfa));
}

/* ---- the choice ---- */

static void each_zfa_says_what_it_says(void **state)
{
	static const struct {
		const char *zfa;
		enum identity_feeding feeding;
		int64_t feeding_ms;
		enum identity_dmp dmp;
		int64_t dmp_ms;
	} cases[] = {
		{ "ZFA|ACTIF|20261120095900|||||||INO|20261120095900|IC|20261120095900",
		  FEEDING_NOT_OPPOSED, EV_2026, DMP_OPEN, EV_2026 },
		{ "ZFA|ACTIF|20261120095900|||||||IO|20261120095900|INC|20261120095900",
		  FEEDING_OPPOSED, EV_2026, DMP_OPEN, EV_2026 },
		{ "ZFA|||||||||INO|20261120095900|INC|20261120095900", FEEDING_NOT_OPPOSED, EV_2026,
		  DMP_UNSAID, 0 },
		{ "ZFA|ACTIF|20261120095900|||||||NA||NA|", FEEDING_NOT_ASKED, MESSAGE, DMP_OPEN,
		  EV_2026 },
		{ "ZFA|FERME|||||||||", FEEDING_UNSAID, MESSAGE, DMP_CLOSED, 0 },
		{ "ZFA|INEXISTANT", FEEDING_UNSAID, MESSAGE, DMP_ABSENT, 0 },
		{ "ZFA|||||||||IO", FEEDING_OPPOSED, MESSAGE, DMP_UNSAID, 0 },
		{ "ZFA||||||||| IO ^informed", FEEDING_OPPOSED, MESSAGE, DMP_UNSAID, 0 },
		/* with a zone, and what is no time */
		{ "ZFA|||||||||IO|20261120085900+0000", FEEDING_OPPOSED, EV_2026, DMP_UNSAID, 0 },
		{ "ZFA|||||||||IO|yesterday", FEEDING_OPPOSED, MESSAGE, DMP_UNSAID, 0 },
		/* what is none of its codes, or is not there */
		{ "ZFA|ouvert||||||||io|20261120095900", FEEDING_UNSAID, EV_2026, DMP_UNSAID, 0 },
		{ "ZFA|||||||||\"\"", FEEDING_UNSAID, MESSAGE, DMP_UNSAID, 0 },
		{ "ZFA", FEEDING_UNSAID, MESSAGE, DMP_UNSAID, 0 },
		{ "ZFM|8", FEEDING_UNSAID, MESSAGE, DMP_UNSAID, 0 },
		/* consultation is another right */
		{ "ZFA|||||||||||INC|20261120095900", FEEDING_UNSAID, MESSAGE, DMP_UNSAID, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct identity got = read_message("A31", INS, "VALI", cases[i].zfa);

		if (got.feeding != cases[i].feeding || got.feeding_ms != cases[i].feeding_ms ||
		    got.dmp != cases[i].dmp || got.dmp_ms != cases[i].dmp_ms)
			fail_msg("%s: %d at %lld, %d at %lld", cases[i].zfa, got.feeding,
				 (long long)got.feeding_ms, got.dmp, (long long)got.dmp_ms);
	}
}

static void the_date_of_the_closing_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_message("A31", INS, "VALI", "ZFA|FERME||20261120095900").closed_ms,
			 EV_2026);
}

static void only_events_that_have_choices_make_one(void **state)
{
	static const char *const with[] = { "A01", "A04", "A05", "A14", "A28", "A31", "Z99" };
	static const char *const without[] = { "A02", "A03", "A08", "A11", "A40", "A47", "Z42" };

	(void)state;
	for (size_t i = 0; i < length_of(with); i++) {
		const struct identity got =
			read_message(with[i], INS, "VALI", "ZFA|||||||||IO|20261120095900");

		assert_string_equal(got.event, with[i]);
		assert_int_equal(got.feeding, FEEDING_OPPOSED);
	}
	for (size_t i = 0; i < length_of(without); i++) {
		const struct identity got =
			read_message(without[i], INS, "VALI", "ZFA|ACTIF||||||||IO|20261120095900");

		assert_string_equal(got.event, without[i]);
		assert_int_equal(got.feeding, FEEDING_UNSAID);
		assert_int_equal(got.dmp, DMP_UNSAID);
	}
}

/* ---- whose ---- */

static void the_ins_is_found_by_its_domain(void **state)
{
	static const struct {
		const char *ids, *ins, *ins_oid;
	} cases[] = {
		{ INS, "279035121518989", TEST_OID },
		{ "4711^^^CH&1.2.250.1.999.1&ISO^PI~" INS, "279035121518989", TEST_OID },
		{ " 277076322082910 ^^^A& " NIR_OID " &ISO", "277076322082910", NIR_OID },
		{ INS "~277076322082910^^^A&" NIR_OID "&ISO^INS", "279035121518989", TEST_OID },
		{ "\"\"^^^A&" NIR_OID "&ISO^INS~" INS, "279035121518989", TEST_OID },
		{ "277076322082910^^^A&1.2.250.1.213.1.4.13&ISO^NH", "", "" },
		{ "277076322082910^^^A&" NIR_OID "&ISO^NH", "", "" },
		{ "277076322082910^^^A&" NIR_OID "&ISO^NH~" INS, "279035121518989", TEST_OID },
		{ "4711^^^CH&1.2.250.1.999.1&ISO^PI", "", "" },
		{ "277076322082910^^^ASIP-SANTE-INS-NIR^INS", "", "" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct identity got =
			read_message("A28", cases[i].ids, "VALI", "ZFA|||||||||IO");

		assert_string_equal(got.ins, cases[i].ins);
		assert_string_equal(got.ins_oid, cases[i].ins_oid);
	}
}

static void an_identity_is_qualified_by_vali_among_others(void **state)
{
	(void)state;
	assert_true(read_message("A28", INS, "VALI", "").validated);
	assert_true(read_message("A28", INS, "FICT~VALI", "").validated);
	assert_false(read_message("A28", INS, "PROV", "").validated);
	assert_false(read_message("A28", INS, "", "").validated);
}

static void a_message_without_a_patient_says_nothing_of_one(void **state)
{
	const struct identity got = read_text("MSH|^~\\&|GAM\r");

	(void)state;
	assert_string_equal(got.event, "");
	assert_string_equal(got.ins, "");
	assert_false(got.validated);
	assert_int_equal(got.message_ms, 0);
	assert_int_equal(got.feeding, FEEDING_UNSAID);
}

/* ---- who it is ---- */

#define EVENT(event) "MSH|^~\\&|GAM|CH|PFI|CH|20261120100000||ADT^" event "^ADT|1|P|2.5\r"
#define EV_2025 INT64_C(1763629200000) /* 2025-11-20 10:00 in Paris */

static void assert_number(const struct identity_number *got, const char *number, const char *name,
			  const char *oid)
{
	assert_string_equal(got->number, number);
	assert_string_equal(got->name, name);
	assert_string_equal(got->oid, oid);
}

static void local_numbers_are_those_of_the_patient(void **state)
{
	const struct identity got = read_message("A28",
						 "1^^^CH&1.2.3&ISO^PI~2^^^CH^PI~3^^^&1.2.4&ISO~4^^^"
						 "CH&1.2.3&ISO^AN~5^^^CH&1.2.3&ISO^NH~6~"
						 "\"\"^^^CH&1.2.5&ISO^PI~" INS,
						 "VALI", "");

	(void)state;
	assert_int_equal(got.now.local_count, 3);
	assert_number(&got.now.local[0], "1", "CH", "1.2.3");
	assert_number(&got.now.local[1], "2", "CH", "");
	assert_number(&got.now.local[2], "3", "", "1.2.4");
	assert_number(&got.now.ins, "279035121518989", "ASIP-SANTE-INS-NIR", TEST_OID);
	assert_int_equal(got.then.local_count, 0);
}

static void no_more_numbers_than_there_is_room_for_are_read(void **state)
{
	const struct identity got = read_message("A28",
						 "1^^^A~2^^^A~3^^^A~4^^^A~5^^^A~6^^^A~7^^^A~8^^^A~9"
						 "^^^A~" INS,
						 "VALI", "");

	(void)state;
	assert_int_equal(got.now.local_count, IDENTITY_NUMBERS_MOST);
	assert_string_equal(got.ins, "279035121518989");
}

/* PAM France, A47: an INS is taken away by a null; MRG-1 has what was. */
static void mergers_and_changes_say_what_was(void **state)
{
	const struct identity merged =
		read_text(EVENT("A40") "PID|||4711^^^CH&1.2.3&ISO^PI~" INS
				       "\rMRG|4712^^^CH&1.2.3&ISO^PI~" INS "\r");
	const struct identity changed =
		read_text(EVENT("A47") "PID|||4711^^^CH&1.2.3&ISO^PI~\"\"^^^A&" NIR_OID
				       "&ISO^INS\rMRG|277076322082910^^^A&" NIR_OID "&ISO^INS\r");

	(void)state;
	assert_int_equal(merged.kind, IDENTITY_MERGE);
	assert_int_equal(merged.then.local_count, 1);
	assert_number(&merged.then.local[0], "4712", "CH", "1.2.3");
	assert_number(&merged.now.local[0], "4711", "CH", "1.2.3");
	assert_int_equal(changed.kind, IDENTITY_CHANGE);
	assert_true(changed.now.ins_is_null);
	assert_string_equal(changed.ins, "");
	assert_number(&changed.then.ins, "277076322082910", "A", NIR_OID);
	assert_int_equal(read_text(EVENT("A28") "PID|||" INS).kind, IDENTITY_UPDATE);
	assert_int_equal(read_text(EVENT("A60") "PID|||" INS).kind, IDENTITY_IGNORED);
	assert_int_equal(read_text(EVENT("") "PID|||" INS).kind, IDENTITY_IGNORED);
}

static void a_silent_status_is_no_status(void **state)
{
	static const struct {
		const char *statuses;
		bool has, validated;
	} cases[] = {
		{ "VALI", true, true }, { "PROV", true, false },  { "FICT~VALI", true, true },
		{ "", false, false },   { "\"\"", false, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct identity got = read_message("A31", INS, cases[i].statuses, "");

		assert_int_equal(got.has_status, cases[i].has);
		assert_int_equal(got.validated, cases[i].validated);
	}
}

static void traits_are_those_at_birth(void **state)
{
	static const char pid[] =
		"PID|||" INS
		"||DE VINCI^^^^Mme^^D~NESSI^RUTH^RUTH ISABELLE^^Mme^^L||197707140830|F|||"
		"^^Paris^^75007^FRA^H~^^Mazoires^^63420^FRA^BDL^^63220\r";
	const struct identity got = read_text(arena_printf(&arena, "%s%s", EVENT("A28"), pid));

	(void)state;
	assert_string_equal(got.traits.family, "NESSI");
	assert_string_equal(got.traits.given, "RUTH");
	assert_string_equal(got.traits.given_names, "RUTH ISABELLE");
	assert_string_equal(got.traits.birth_date, "19770714");
	assert_string_equal(got.traits.sex, "F");
	assert_string_equal(got.traits.birth_place, "63220");
}

static void traits_that_are_not_there_are_empty(void **state)
{
	const struct identity got = read_text(EVENT("A28") "PID|||" INS "||DE VINCI^^^^^^D||1977");

	(void)state;
	assert_string_equal(got.traits.family, "");
	assert_string_equal(got.traits.birth_date, "");
	assert_string_equal(got.traits.birth_place, "");
}

/* EVN-2, when it was recorded, is of the identity; EVN-6 is of what happened at the bedside. */
static void an_identity_is_as_it_was_when_it_was_recorded(void **state)
{
	(void)state;
	assert_int_equal(read_text(EVENT("A31") "PID|||" INS).recorded_ms, MESSAGE);
	assert_int_equal(read_text(EVENT("A31") "EVN||20251120100000||||20240101000000\rPID|||" INS)
				 .recorded_ms,
			 EV_2025);
	assert_int_equal(read_text(EVENT("A31") "EVN||soon\rPID|||" INS).recorded_ms, MESSAGE);
}

/* Cut anywhere: no end of it makes more of it than there is. */
static void half_a_message_says_half_of_it(void **state)
{
	static const char whole[] = EVENT(
		"A47") "EVN||20251120100000\rPID|||4711^^^CH&1.2.3&ISO^PI~" INS
		       "||A^B^C^^^^L||19770714|F|||^^^^^^BDL^^63220|||||||||||||||||||||VALI\r"
		       "MRG|4712^^^CH&1.2.3&ISO^PI~" INS "\r";

	(void)state;
	for (size_t n = sizeof("MSH|^~\\&|"); n < sizeof(whole); n++) {
		struct hl7_message message;
		struct identity got;
		struct err err = { 0 };

		if (hl7_parse(&message, (struct slice){ whole, n }, &arena, &err) < 0)
			continue; /* it ends within a segment's name */
		identity_read(&got, &message, is_ins, &arena);
		/* half an INS is a number of another domain */
		assert_true(got.now.local_count <= 2 && got.then.local_count <= 2);
		assert_true(!got.validated || got.now.local_count == 1);
	}
}

/* ---- what is there ---- */

static void our_samples_are_read(void **state)
{
	struct identity got;
	struct buf admission = { 0 }, identity = { 0 };

	(void)state;
	sample_read("hl7/adt_admission.hl7", &admission);
	sample_read("hl7/adt_identity.hl7", &identity);
	got = read_text(admission.p);
	assert_int_equal(got.feeding, FEEDING_OPPOSED);
	assert_true(got.validated);
	assert_string_equal(got.ins, "279035121518989");
	assert_int_equal(read_text(identity.p).feeding, FEEDING_UNSAID);
	buf_done(&admission);
	buf_done(&identity);
}

static void official_examples_are_read(void **state)
{
	static const struct {
		const char *file;
		enum identity_feeding feeding;
		const char *ins;
	} cases[] = {
		{ "adt-consent/consult_no_feed_opposed.er7", FEEDING_OPPOSED, "279035121518989" },
		{ "adt-consent/consult_not_asked_feed_not_asked.er7", FEEDING_NOT_ASKED,
		  "279035121518989" },
		{ "adt-consent/consult_yes_feed_not_opposed.er7", FEEDING_NOT_OPPOSED,
		  "279035121518989" },
		{ "adt-consent/old_positive_crlf_pam2.10.er7", FEEDING_NOT_OPPOSED,
		  "277076322082910" },
		{ "adt-movement/old_sgl_sortie_a03.er7", FEEDING_UNSAID, "279035121518989" },
		{ "adt-movement/sgl_admission_a01.er7", FEEDING_NOT_OPPOSED, "279035121518989" },
	};
	const char *root = getenv("DMPFEED_SOURCE");
	const char *folder =
		arena_printf(&arena, "%s/../shared/corpus/hl7", root != NULL ? root : ".");

	(void)state;
	if (access(folder, R_OK) < 0) {
		printf("# SKIP the corpus is not there: %s\n", folder);
		return; /* cmocka has no word for a test that is skipped */
	}
	for (size_t i = 0; i < length_of(cases); i++) {
		struct buf bytes = { 0 };
		struct identity got;

		/* beside the project, as a sample from tests/data */
		sample_read(arena_printf(&arena, "../../../shared/corpus/hl7/%s", cases[i].file),
			    &bytes);
		got = read_text(bytes.p);
		if (got.feeding != cases[i].feeding || strcmp(got.ins, cases[i].ins) != 0 ||
		    !got.validated)
			fail_msg("%s: %d", cases[i].file, got.feeding);
		if (got.kind != IDENTITY_UPDATE || got.now.local_count != 1 ||
		    strcmp(got.now.local[0].number, "000003") != 0 ||
		    strcmp(got.now.local[0].name, "CHU-X") != 0 || got.recorded_ms == 0 ||
		    strcmp(got.traits.birth_place, "63220") != 0)
			fail_msg("%s: %s", cases[i].file, got.traits.birth_place);
		buf_done(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_zfa_says_what_it_says),
		cmocka_unit_test(the_date_of_the_closing_is_read),
		cmocka_unit_test(only_events_that_have_choices_make_one),
		cmocka_unit_test(the_ins_is_found_by_its_domain),
		cmocka_unit_test(an_identity_is_qualified_by_vali_among_others),
		cmocka_unit_test(a_message_without_a_patient_says_nothing_of_one),
		cmocka_unit_test(local_numbers_are_those_of_the_patient),
		cmocka_unit_test(no_more_numbers_than_there_is_room_for_are_read),
		cmocka_unit_test(mergers_and_changes_say_what_was),
		cmocka_unit_test(a_silent_status_is_no_status),
		cmocka_unit_test(traits_are_those_at_birth),
		cmocka_unit_test(traits_that_are_not_there_are_empty),
		cmocka_unit_test(an_identity_is_as_it_was_when_it_was_recorded),
		cmocka_unit_test(half_a_message_says_half_of_it),
		cmocka_unit_test(our_samples_are_read),
		cmocka_unit_test(official_examples_are_read),
	};

	return cmocka_run_group_tests(tests, setup, finish);
}
