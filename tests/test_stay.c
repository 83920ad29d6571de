/* What a message says of a stay: what happened to it, where, when, and that nothing in it is refused. */
#include "hl7/stay.h"

#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample.h"

#define MESSAGE INT64_C(1795165200000) /* 2026-11-20 10:00 in Paris */
#define MINUTE INT64_C(60000)

static struct arena arena;

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

static struct stay read_bytes(struct slice bytes)
{
	struct hl7_message message;
	struct err err = { 0 };
	struct stay stay;

	if (hl7_parse(&message, slice_of(arena_dup(&arena, bytes)), &arena, &err) < 0)
		fail_msg("%s", err.text);
	stay_read(&stay, &message, &arena);
	return stay;
}

static struct stay read_message(const char *event, const char *rest)
{
	return read_bytes(slice_of(
		arena_printf(&arena, "MSH|^~\\&|GAM|CH|PFI|CH|20261120100000||ADT^%s|1|P|2.5\r%s",
			     event, rest)));
}

/* ---- what happened ---- */

static void each_event_says_what_happened(void **state)
{
	static const struct {
		const char *event, *zbe;
		enum stay_news news;
	} cases[] = {
		{ "A01", "", STAY_BEGINS },
		{ "A04", "", STAY_BEGINS },
		{ "A05", "", STAY_SEEN },
		{ "A02", "", STAY_MOVES },
		{ "A06", "", STAY_MOVES },
		{ "A07", "", STAY_MOVES },
		{ "A03", "", STAY_ENDS },
		{ "A11", "", STAY_NEVER_WAS },
		{ "A27", "", STAY_NEVER_WAS },
		{ "A38", "", STAY_NEVER_WAS },
		{ "A12", "", STAY_STAYS },
		{ "A13", "", STAY_GOES_ON },
		{ "A21", "", STAY_SEEN },
		{ "A54", "", STAY_SEEN },
		/* identities, and what nobody knows */
		{ "A28", "", STAY_NOTHING },
		{ "A31", "", STAY_NOTHING },
		{ "A40", "", STAY_NOTHING },
		{ "A47", "", STAY_NOTHING },
		{ "Z42", "", STAY_NOTHING },
		{ "", "", STAY_NOTHING },
		/* what is cancelled by its name is not cancelled twice */
		{ "A13", "ZBE|1|20261120||CANCEL|N|A03", STAY_GOES_ON },
		/* corrections */
		{ "Z99", "ZBE|1|20261120||UPDATE|N|A01", STAY_BEGINS },
		{ "Z99", "ZBE|1|20261120||UPDATE|N|A02", STAY_MOVES },
		{ "Z99", "ZBE|1|20261120||UPDATE|N|A03", STAY_ENDS },
		{ "Z99", "ZBE|1|20261120||UPDATE|N|A54", STAY_SEEN },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A01", STAY_NEVER_WAS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A04", STAY_NEVER_WAS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A05", STAY_NEVER_WAS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A14", STAY_NEVER_WAS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A02", STAY_STAYS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A06", STAY_STAYS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A07", STAY_STAYS },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A03", STAY_GOES_ON },
		{ "Z99", "ZBE|1|20261120||CANCEL|N|A13", STAY_SEEN },
		{ "Z99", "ZBE|1|20261120||UPDATE|N", STAY_SEEN },
		{ "Z99", "", STAY_SEEN },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct stay got = read_message(cases[i].event, cases[i].zbe);

		if (got.news != cases[i].news)
			fail_msg("%s %s: %d", cases[i].event, cases[i].zbe, got.news);
	}
}

static void a_document_tells_no_news_but_whose_it_is(void **state)
{
	const struct stay got =
		read_bytes(slice_of("MSH|^~\\&|DPI|CH|PFI|CH|20261120100000||MDM^T02|1|P|2.6\r"
				    "PV1||I|UF12|||||||||||||I|||V88001^^^CH&1.2.3&ISO^VN\r"));

	(void)state;
	assert_int_equal(got.news, STAY_NOTHING);
	assert_string_equal(got.number, "V88001");
	assert_string_equal(got.authority, "1.2.3");
	assert_string_equal(got.class, "I");
	assert_string_equal(got.flag, "I");
	assert_string_equal(stay_unit(&got), "UF12");
}

/* ---- when ---- */

static void times_are_the_nearest_that_are_said(void **state)
{
	static const struct {
		const char *event, *rest;
		int64_t said_ms, moved_ms, start_ms, end_ms;
	} cases[] = {
		{ "A01", "", MESSAGE, 0, MESSAGE, 0 },
		{ "A01", "EVN||20261120100100", MESSAGE + MINUTE, 0, MESSAGE + MINUTE, 0 },
		{ "A01", "EVN||20261120100100||||20261120095900", MESSAGE + MINUTE,
		  MESSAGE - MINUTE, MESSAGE - MINUTE, 0 },
		{ "A01", "ZBE|1|20261120095800", MESSAGE, MESSAGE - 2 * MINUTE,
		  MESSAGE - 2 * MINUTE, 0 },
		{ "A03", "ZBE|1|20261120095800", MESSAGE, MESSAGE - 2 * MINUTE, 0,
		  MESSAGE - 2 * MINUTE },
		{ "A02", "ZBE|1|20261120095800", MESSAGE, MESSAGE - 2 * MINUTE, 0, 0 },
		{ "A13", "", MESSAGE, 0, 0, 0 },
		{ "A03", "ZBE|1|yesterday", MESSAGE, 0, 0, MESSAGE },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct stay got = read_message(cases[i].event, cases[i].rest);

		if (got.said_ms != cases[i].said_ms || got.moved_ms != cases[i].moved_ms ||
		    got.start_ms != cases[i].start_ms || got.end_ms != cases[i].end_ms)
			fail_msg("%s %s: said %lld moved %lld start %lld end %lld", cases[i].event,
				 cases[i].rest, (long long)got.said_ms, (long long)got.moved_ms,
				 (long long)got.start_ms, (long long)got.end_ms);
	}
}

/* PV1 with that admission and that discharge. */
static const char *visit(const char *start, const char *end)
{
	scoped(buf_done) struct buf bars = { 0 };

	for (size_t i = 19; i < 44; i++)
		buf_add_char(&bars, '|');
	return arena_printf(&arena, "ZBE|1|20261120095800\rPV1||I|||||||||||||||||V1%s%s|%s",
			    buf_slice(&bars).p, start, end);
}

static void what_the_visit_says_counts_before_the_movement(void **state)
{
	const struct stay began = read_message("A01", visit("20261120094000", "")),
			  ended = read_message("A03", visit("20261110", "20261120095500")),
			  corrected = read_message("Z99", visit("20261110", "20261120095500"));

	(void)state;
	assert_string_equal(began.number, "V1");
	assert_int_equal(began.start_ms, MESSAGE - 20 * MINUTE);
	assert_int_equal(ended.end_ms, MESSAGE - 5 * MINUTE);
	assert_int_equal(corrected.news, STAY_ENDS); /* though it does not say what it corrects */
	assert_int_equal(corrected.end_ms, MESSAGE - 5 * MINUTE);
}

static void a_movement_of_the_past_is_told(void **state)
{
	(void)state;
	assert_true(read_message("Z99", "ZBE|1|20261120||UPDATE|Y|A02").is_past);
	assert_false(read_message("Z99", "ZBE|1|20261120||UPDATE|N|A02").is_past);
	assert_false(read_message("A02", "").is_past);
}

/* ---- which one, and where ---- */

static void the_unit_that_answers_comes_first(void **state)
{
	static const struct {
		const char *rest, *units; /* with a blank between them */
	} cases[] = {
		{ "", "" },
		{ "PV1||I|UF12", "UF12" },
		{ "PV1||I|UF12^101^1|||||||CARDIO", "UF12 CARDIO" },
		{ "PV1||I|^^^CHU&1&M^O", "" },
		{ "PV1||I|UF12|||||||UF12", "UF12" },
		{ "ZBE|1|2026||INSERT|N||Chir V^^^^^CHU&1&N^UF^^^6268|Soins^^^^^CHU&1&N^UF^^^6269",
		  "6268 6269" },
		{ "PV1||I|UF12\rZBE|1|2026||INSERT|N||Chir "
		  "V^^^^^CHU&1&N^UF^^^6268|x^^^^^^UF^^^6268",
		  "6268 UF12" },
		{ "ZBE|1|2026||INSERT|N|||Chir^^^^^^UF^^^6268", "6268" },
		{ "ZBE|1|2026||INSERT|N||CARDIO^^^^^^UF", "CARDIO" },
		{ "ZBE|1|2026||INSERT|N||Urgences^^^^^^UF^^^8782[CR]", "8782" },
		{ "PV1||I|[CR]", "[CR]" },
		{ "PV1||I|1234567890123456789012345678901234567890123456789012345678901234", /* 64 */
		  "1234567890123456789012345678901234567890123456789012345678901234" },
		{ "PV1||I|12345678901234567890123456789012345678901234567890123456789012345", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct stay got = read_message("A01", cases[i].rest);
		scoped(buf_done) struct buf units = { 0 };

		for (size_t j = 0; j < got.unit_count; j++)
			buf_addf(&units, "%s%s", j ? " " : "", got.units[j]);
		assert_string_equal(units.n ? units.p : "", cases[i].units);
	}
}

static void a_stay_is_known_by_its_number(void **state)
{
	static const struct {
		const char *visit_number, *number, *authority;
	} cases[] = {
		{ "000897406^^^CHU-X&000897406&M^VN^^20210409", "000897406", "000897406" },
		{ " 000897406^^^CHU-X^VN", "000897406", "CHU-X" },
		{ "V88001^^^CH-A&1.2.250.1.999.3&ISO^VN", "V88001", "1.2.250.1.999.3" },
		{ "V\\T\\1", "V&1", "" },
		{ "", "", "" },
		{ "\"\"", "", "" },
	};
	char long_number[STAY_NUMBER_MOST + 2];

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct stay got =
			read_message("A01", arena_printf(&arena, "PV1||I|||||||||||||||||%s",
							 cases[i].visit_number));

		assert_string_equal(got.number, cases[i].number);
		assert_string_equal(got.authority, cases[i].authority);
	}
	memset(long_number, '7', sizeof(long_number) - 1);
	long_number[sizeof(long_number) - 1] = '\0';
	assert_string_equal(
		read_message("A01", arena_printf(&arena, "PV1||I|||||||||||||||||%s", long_number))
			.number,
		"");
	assert_string_equal(read_message("A01", arena_printf(&arena, "PV1||I|||||||||||||||||%s",
							     long_number + 1))
				    .number,
			    long_number + 1);
}

static void every_beginning_of_a_message_is_read(void **state)
{
	struct buf bytes = { 0 };

	(void)state;
	sample_read("hl7/adt_admission.hl7", &bytes);
	for (size_t n = 1; n <= bytes.n; n++) {
		struct hl7_message message;
		struct err err = { 0 };
		struct stay stay;

		if (hl7_parse(&message, (struct slice){ bytes.p, n }, &arena, &err) < 0)
			continue;
		stay_read(&stay, &message, &arena);
		assert_non_null(stay.number);
		assert_true(stay.news == STAY_NOTHING || stay.news == STAY_BEGINS);
	}
	buf_done(&bytes);
}

/* ---- what is there ---- */

static int64_t time_of(const char *text)
{
	int64_t time_ms = 0;
	struct err err = { 0 };
	bool zoned;

	if (text[0] != '\0' && clock_parse_hl7(slice_of(text), &time_ms, &zoned, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return time_ms;
}

static void official_examples_are_read(void **state)
{
	static const struct {
		const char *file;
		enum stay_news news;
		const char *number, *flag, *unit;
		const char *said, *start, *end; /* in Paris */
	} cases[] = {
		{ "adt-consent/consult_no_feed_opposed.er7", STAY_BEGINS, "000297406", "N", "6268",
		  "20240309111154", "20240309110000", "" },
		{ "adt-consent/consult_not_asked_feed_not_asked.er7", STAY_BEGINS, "000997406", "N",
		  "6268", "20240311111154", "20240311110000", "" },
		{ "adt-consent/consult_yes_feed_not_opposed.er7", STAY_BEGINS, "000897406", "N",
		  "6268", "20240306111154", "20240306110000", "" },
		{ "adt-consent/old_positive_crlf_pam2.10.er7", STAY_BEGINS, "000897406", "P",
		  "6268", "20240306111154", "20240306110000", "" },
		{ "adt-movement/old_sgl_sortie_a03.er7", STAY_ENDS, "000897406", "N", "8782",
		  "20240306111154", "20240306110000", "20260309102840" },
		{ "adt-movement/sgl_admission_a01.er7", STAY_BEGINS, "000897406", "", "6268",
		  "20240306111154", "20240306110000", "" },
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
		struct stay got;

		/* beside the project, as a sample from tests/data */
		sample_read(arena_printf(&arena, "../../../shared/corpus/hl7/%s", cases[i].file),
			    &bytes);
		got = read_bytes(buf_slice(&bytes));
		print_message("# %s\n", cases[i].file);
		assert_int_equal(got.news, cases[i].news);
		assert_string_equal(got.number, cases[i].number);
		assert_string_equal(got.class, "I");
		assert_string_equal(got.flag, cases[i].flag);
		assert_string_equal(stay_unit(&got), cases[i].unit);
		assert_int_equal(got.said_ms, time_of(cases[i].said));
		assert_int_equal(got.start_ms, time_of(cases[i].start));
		assert_int_equal(got.end_ms, time_of(cases[i].end));
		buf_done(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_says_what_happened),
		cmocka_unit_test(a_document_tells_no_news_but_whose_it_is),
		cmocka_unit_test(times_are_the_nearest_that_are_said),
		cmocka_unit_test(what_the_visit_says_counts_before_the_movement),
		cmocka_unit_test(a_movement_of_the_past_is_told),
		cmocka_unit_test(the_unit_that_answers_comes_first),
		cmocka_unit_test(a_stay_is_known_by_its_number),
		cmocka_unit_test(every_beginning_of_a_message_is_read),
		cmocka_unit_test(official_examples_are_read),
	};

	return cmocka_run_group_tests(tests, setup, finish);
}
