/* What the files for spreadsheets hold, against tables made by hand. */
#include "operator/export_files.h"
#include "queue/store_count.h"
#include "queue/store_stay.h"
#include "store_fixture.h"
#include "tally.h"

static const char zeros[] = "010003720", corsican[] = "2A0000014";

static struct config_site sites[] = {
	{ .metadata = { .finess_eg = zeros, .name = "Valbrume; site Nord" } },
	{ .metadata = { .finess_eg = corsican, .name = "=Ajaccio" } },
};
static struct config_establishment establishments[] = {
	{ .finess_ej = lane, .name = "CH", .sites = sites, .site_count = 2 },
};

enum { HOUR_MS = 3600000 };

static int64_t at(int day, int hour)
{
	return calendar_begins_ms(day) + (int64_t)hour * HOUR_MS;
}

static bool claim_one(struct fixture *f)
{
	struct store_due due[2];
	int64_t next_ms;

	return claim(f, 2, due, &next_ms) == 1;
}

static void count_all(struct fixture *f)
{
	scoped(counters_free) struct counters *counters = NULL;
	struct count_changes changes;
	struct store_tally now;
	int applied = 0;

	ok(tally_fold(f->store, 1000, &now, &counters, &err));
	assert_non_null(counters);
	changes = counters_changes(counters);
	ok(store_begin(f->store, &err));
	ok(applied = store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(applied, 1);
}

/* ---- what is counted ---- */

static struct count_cell cell(const char *site, enum count_outcome outcome, int day, int64_t n)
{
	return (struct count_cell){ .lane = lane,
				    .site = site,
				    .field = "MCO",
				    .type_code = "11490-0",
				    .channel = COUNT_CHANNEL_DMP,
				    .outcome = outcome,
				    .day = day,
				    .n = n };
}

/* Accepted so many days after its stay ended, at an hour of that day; the stay ended at ten. */
static struct count_acceptance accepted(const char *unit, int ended, int days, int hour)
{
	static char stays[32][17];
	static int count;
	char *stay = stays[count];

	snprintf(stay, sizeof(stays[0]), "stay%012d", count);
	count++;
	return (struct count_acceptance){
		.root = count,
		.current = count,
		.outcome = COUNT_ACCEPTED,
		.accepted_ms = at(calendar_add(ended, days), hour),
		.attempts = 1,
		.facts = { .action = "submit",
			   .lane = lane,
			   .site = zeros,
			   .field = "MCO",
			   .unit = unit,
			   .source = "DPI",
			   .type_code = "11490-0",
			   .stay = { stay, 16 },
			   .stay_end_ms = at(ended, 10) },
	};
}

static void apply(struct fixture *f, const struct count_changes *changes)
{
	struct store_tally now;
	int applied = 0;

	ok(store_tally_now(f->store, &now, &err));
	ok(store_begin(f->store, &err));
	ok(applied = store_tally_apply(f->store, &now, changes, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(applied, 1);
}

static struct export_asked asked_of(struct fixture *f, const struct config *config,
				    const struct targets *targets)
{
	return (struct export_asked){ .config = config,
				      .targets = targets,
				      .reader = f->store,
				      .from = 202610,
				      .to = 202611,
				      .now_ms = f->now_ms };
}

static struct config config_of(void)
{
	return (struct config){ .establishments = establishments,
				.establishment_count = 1,
				.export_small_cell = 5 };
}

static void is(struct export_text *text, size_t rows, const char *expected)
{
	buf_add_text(&text->text, "");
	assert_string_equal(text->text.p ? text->text.p : "", expected);
	assert_int_equal(text->rows, rows);
}

static void texts_done(struct export_text (*texts)[EXPORT_FILES])
{
	for (size_t i = 0; i < EXPORT_FILES; i++)
		export_text_done(&(*texts)[i]);
}

static void counters_are_told_as_they_are(void **state)
{
	struct fixture *f = *state;
	const struct config config = config_of();
	const struct targets targets = { 0 };
	const struct export_asked asked = asked_of(f, &config, &targets);
	const struct count_cell cells[] = {
		cell(zeros, COUNT_ACCEPTED, 20261031, 3),
		cell(zeros, COUNT_ACCEPTED, 20261101, 7),
		cell(zeros, COUNT_RECEIVED, 20261102, 9),
		cell(corsican, COUNT_ACCEPTED, 20261130, 1),
		cell(zeros, COUNT_ACCEPTED, 20261201, 9),
	};
	scoped(texts_done) struct export_text texts[EXPORT_FILES] = { 0 };

	apply(f, &(struct count_changes){ .cells = cells, .cell_count = length_of(cells) });
	ok(export_add_month(&asked, 202611, texts, &err));
	is(&texts[EXPORT_COUNTERS], 3,
	   "\"990000987\";\"010003720\";\"Valbrume; site "
	   "Nord\";MCO;2026-11;DMP;11490-0;;ACCEPTED;7;ours\r\n"
	   "\"990000987\";\"010003720\";\"Valbrume; site "
	   "Nord\";MCO;2026-11;DMP;11490-0;;RECEIVED;9;ours\r\n"
	   "\"990000987\";\"2A0000014\";'=Ajaccio;MCO;2026-11;DMP;11490-0;;ACCEPTED;1;ours\r\n");
	is(&texts[EXPORT_REJECTIONS], 0, "");
	is(&texts[EXPORT_DELAYS], 0, "");
}

/* A day later by the calendar, whatever the hour; before the end is in time. */
static void delays_go_by_days_and_hours(void **state)
{
	struct fixture *f = *state;
	struct config config = config_of();
	const struct targets targets = { 0 };
	struct export_asked asked = asked_of(f, &config, &targets);
	const struct count_acceptance acceptances[] = {
		accepted("UF1", 20261103, 0, 8),  /* before it ended: d0, 0 h */
		accepted("UF1", 20261103, 0, 23), /* d0, 13 h */
		accepted("UF1", 20261103, 1, 0),  /* d1, 14 h */
		accepted("UF1", 20261103, 2, 10), /* d2_d8, 48 h */
		accepted("UF1", 20261103, 8, 23), /* d2_d8, 205 h */
		accepted("UF1", 20261103, 9, 0),  /* d9_plus, 206 h */
		accepted("UF2", 20261030, 2, 10), /* in November: 48 h */
		accepted("UF1", 20261031, 0, 23), /* in October */
	};
	scoped(texts_done) struct export_text texts[EXPORT_FILES] = { 0 };

	apply(f, &(struct count_changes){ .acceptances = acceptances,
					  .acceptance_count = length_of(acceptances) });
	ok(export_add_month(&asked, 202611, texts, &err));
	is(&texts[EXPORT_DELAYS], 2,
	   "\"010003720\";UF1;11490-0;2026-11;6;2;1;2;1;14,0;206,0\r\n"
	   "\"010003720\";UF2;11490-0;2026-11;1;0;0;1;0;48,0;48,0\r\n");
	buf_clear(&texts[EXPORT_DELAYS].text);
	texts[EXPORT_DELAYS].rows = 0;
	asked.outside = true;
	config.export_point = true;
	ok(export_add_month(&asked, 202611, texts, &err));
	is(&texts[EXPORT_DELAYS], 2,
	   "\"010003720\";UF1;11490-0;2026-11;6;<5;<5;<5;<5;14.0;206.0\r\n"
	   "\"010003720\";UF2;11490-0;2026-11;<5;;;;;;\r\n");
}

/* Of twelve, six and five that are told would leave one. */
static void a_masked_delay_does_not_follow_from_the_others(void **state)
{
	struct fixture *f = *state;
	struct config config = config_of();
	const struct targets targets = { 0 };
	struct export_asked asked = asked_of(f, &config, &targets);
	struct count_acceptance acceptances[12];
	scoped(texts_done) struct export_text texts[EXPORT_FILES] = { 0 };

	for (size_t i = 0; i < length_of(acceptances); i++)
		acceptances[i] = accepted("UF1", 20261103, i < 6 ? 0 : i < 11 ? 1 : 9, 10);
	apply(f, &(struct count_changes){ .acceptances = acceptances,
					  .acceptance_count = length_of(acceptances) });
	asked.outside = true;
	ok(export_add_month(&asked, 202611, texts, &err));
	is(&texts[EXPORT_DELAYS], 1, "\"010003720\";UF1;11490-0;2026-11;12;6;;0;<5;0,0;24,0\r\n");
}

/* The letter says that the stay ended two days before it was accepted; ADT, that it was the same day. */
static void what_adt_says_of_the_end_comes_first(void **state)
{
	struct fixture *f = *state;
	const struct config config = config_of();
	const struct targets targets = { 0 };
	struct export_asked asked = asked_of(f, &config, &targets);
	const int day = calendar_day(f->now_ms), month = calendar_month(day);
	const int64_t told_ms = f->now_ms - 48 * (int64_t)HOUR_MS;
	const struct store_stay stay = { .lane = lane,
					 .number = "V1",
					 .said_ms = f->now_ms,
					 .exists = STORE_SAID_YES,
					 .ended = STORE_SAID_YES,
					 .end_ms = f->now_ms,
					 .has_place = true,
					 .site = zeros,
					 .unit = "UF1",
					 .field = "MCO",
					 .counts = STORE_SAID_YES,
					 .now_ms = f->now_ms };
	scoped(texts_done) struct export_text texts[EXPORT_FILES] = { 0 };
	struct store_arrival letter = arrival(f, "1.2.3.1", "letter");
	struct store_outcome delivered;

	letter.site = zeros;
	letter.facts = (struct store_facts){ .stay = "V1", .stay_end_ms = told_ms };
	delivered = outcome(f, take_in(f, &letter).doc, DOC_DELIVERED);
	assert_true(claim_one(f));
	settle(f, &delivered);
	count_all(f);
	ok(export_add_month(&asked, month, texts, &err));
	assert_non_null(strstr(texts[EXPORT_DELAYS].text.p, ";1;0;0;1;0;48,0;48,0\r\n"));
	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, &stay, &err));
	ok(store_commit(f->store, &err));
	buf_clear(&texts[EXPORT_DELAYS].text);
	ok(export_add_month(&asked, month, texts, &err));
	assert_non_null(strstr(texts[EXPORT_DELAYS].text.p, ";1;1;0;0;0;0,0;0,0\r\n"));
}

static void rejections_are_told_with_what_to_do(void **state)
{
	struct fixture *f = *state;
	const struct config config = config_of();
	const struct targets targets = { 0 };
	struct export_asked asked = asked_of(f, &config, &targets);
	const struct count_rejection rejections[] = {
		{ lane, zeros, "=UF", "DPI", "11490-0", "XDSRegistryMetadataError",
		  COUNT_REJECTED_METADATA, REASON_DMP_ERROR, 202611, 2, at(20261101, 1),
		  at(20261102, 1) },
		{ lane, zeros, "=UF", "DPI", "11490-0", "", COUNT_BLOCKED_INS_NOT_QUALIFIED,
		  REASON_INS_NOT_QUALIFIED, 202610, 1, at(20261001, 1), at(20261001, 1) },
	};
	const struct count_changes changes = { .rejections = rejections,
					       .rejection_count = length_of(rejections) };
	scoped(texts_done) struct export_text texts[EXPORT_FILES] = { 0 };
	const struct reason_row *dmp = reason_row(REASON_DMP_ERROR);
	scoped(free_ptr) char *english = NULL, *french = NULL;

	apply(f, &changes);
	apply(f, &changes); /* another portion of the same */
	ok(export_add_month(&asked, 202611, texts, &err));
	english = xasprintf("\"010003720\";'=UF;DPI;2026-11;11490-0;REJECTED_METADATA;"
			    "XDSRegistryMetadataError;4;2026-11-01T00:00:00.000Z;"
			    "2026-11-02T00:00:00.000Z;\"%s\"\r\n",
			    dmp->action_english);
	is(&texts[EXPORT_REJECTIONS], 1, english);
	asked.outside = asked.french = true;
	buf_clear(&texts[EXPORT_REJECTIONS].text);
	texts[EXPORT_REJECTIONS].rows = 0;
	ok(export_add_month(&asked, 202611, texts, &err));
	french = xasprintf("\"010003720\";'=UF;DPI;2026-11;11490-0;REJECTED_METADATA;"
			   "XDSRegistryMetadataError;<5;;;\"%s\"\r\n",
			   dmp->action_french);
	is(&texts[EXPORT_REJECTIONS], 1, french);
}

/* Every column of every file has a meaning in both languages. */
static void columns_are_explained(void **state)
{
	(void)state;
	for (enum export_file file = 0; file < EXPORT_FILES; file++)
		for (int french = 0; french < 2; french++) {
			json_t *definitions = export_definitions(file, french);

			for (const char *const *c = export_file_columns(file); *c != NULL; c++)
				if (json_string_length(json_object_get(definitions, *c)) == 0)
					fail_msg("%s: %s", export_file_name(file), *c);
			json_decref(definitions);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(counters_are_told_as_they_are),
		test(delays_go_by_days_and_hours),
		test(a_masked_delay_does_not_follow_from_the_others),
		test(what_adt_says_of_the_end_comes_first),
		test(rejections_are_told_with_what_to_do),
		cmocka_unit_test(columns_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
