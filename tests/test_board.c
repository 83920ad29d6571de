/* The board, over a year that is made by a rule, so that every figure can be worked out on paper.
 *
 * The rule, each day from 2025-09-30 to 2026-09-30 (R: a day of rest, W: any other; weekends and public
 * holidays are R):
 *
 *                      stays that end     letters that come     letters that the DMP takes
 *                        W      R            W      R              W      R
 *   A  010003720        10      2            8      1              8      1
 *   B  010003738         4      0            3      0              1      0
 *   C  2A0000014         1      1            1      1              1      1
 *
 * A and B are of one entity, C is another's. All that the DMP takes it takes at the first attempt, on the
 * day the stay ended. So a day of rest brings 2 letters where a working day brings 10: it weighs 0.2.
 *
 *                July   August   September   together       October to December
 *   W             22      21        22          65                 64
 *   R              9      10         8          27                 28
 */
#include "board/board_make.h"
#include "near.h"
#include "queue/store_sqlite.h"
#include "queue/store_stay.h"
#include "store_fixture.h"

static const char a[] = "010003720", b[] = "010003738", c[] = "2A0000014";
static const char first_entity[] = "010000001", second_entity[] = "2A0000022";

static const struct rule {
	const char *lane, *site;
	int stays[2], come[2], taken[2]; /* on a working day, on a day of rest */
} rules[] = {
	{ first_entity, a, { 10, 2 }, { 8, 1 }, { 8, 1 } },
	{ first_entity, b, { 4, 0 }, { 3, 0 }, { 1, 0 } },
	{ second_entity, c, { 1, 1 }, { 1, 1 }, { 1, 1 } },
};

/* ---- the hospital ---- */

static const char *own_plateaus[] = { "biologie" };
static struct config_site first_sites[] = {
	{ .metadata = { .finess_eg = a, .name = "Valbrume" },
	  .plateaus = own_plateaus,
	  .plateau_count = 1 },
	{ .metadata = { .finess_eg = b, .name = "Les Tilleuls" } },
};
static struct config_site second_sites[] = {
	{ .metadata = { .finess_eg = c, .name = "Ajaccio" }, .field = "none" },
};
static struct config_establishment establishments[] = {
	{ .finess_ej = first_entity,
	  .name = "CH de Valbrume",
	  .sites = first_sites,
	  .site_count = 2 },
	{ .finess_ej = second_entity,
	  .name = "CH d'Ajaccio",
	  .sites = second_sites,
	  .site_count = 1 },
};
static const struct config config = { .establishments = establishments,
				      .establishment_count = 2,
				      .letter_types = "11490-0  11506-3",
				      .keep_stays_ms = 400 * (int64_t)86400000 };

/* ---- the year ---- */

enum { DOCUMENTS = 1000000 }; /* that come besides are not so many */

static int64_t hour_of(int day, int hour)
{
	return calendar_begins_ms(day) + (int64_t)hour * 3600000;
}

struct year {
	struct count_acceptance *acceptances;
	size_t count, room;
	struct count_cell *cells;
	size_t cell_count, cell_room;
	char (*keys)[17];
	int64_t root;
};

static void add_cell(struct year *year, const struct rule *rule, int day,
		     enum count_outcome outcome, int n)
{
	if (n == 0)
		return;
	assert_true(year->cell_count < year->cell_room);
	year->cells[year->cell_count++] = (struct count_cell){ .lane = rule->lane,
							       .site = rule->site,
							       .field = "MCO",
							       .type_code = "11490-0",
							       .channel = COUNT_CHANNEL_DMP,
							       .outcome = outcome,
							       .day = day,
							       .n = n };
}

/* The letter of the stay of that number. */
static void add_acceptance(struct fixture *f, struct year *year, const struct rule *rule, int day,
			   int n)
{
	scoped(free_ptr) char *number = xasprintf("%s-%d-%d", rule->site, day, n);
	const int64_t root = ++year->root;
	struct store_patient stay;

	assert_true(year->count < year->room);
	ok(store_find_stay(f->store, rule->lane, number, &stay, &err));
	memcpy(year->keys[root], store_patient_key(&stay).p, 16);
	year->acceptances[year->count++] = (struct count_acceptance){
		.root = DOCUMENTS + root, /* no document is here */
		.current = DOCUMENTS + root,
		.outcome = COUNT_ACCEPTED,
		.accepted_ms = hour_of(day, 15),
		.submitted_ms = hour_of(day, 15),
		.attempts = 1,
		.facts = { .action = "submit",
			   .lane = rule->lane,
			   .site = rule->site,
			   .field = "MCO",
			   .unit = "UF1",
			   .source = "DPI",
			   .type_code = "11490-0",
			   .stay = { year->keys[root], 16 },
			   .patient = { year->keys[root], 16 },
			   .received_ms = hour_of(day, 14),
			   .created_ms = hour_of(day, 13),
			   .stay_end_ms = hour_of(day, 12),
			   .ins_qualified = true },
	};
}

static void note_stays(struct fixture *f, const struct rule *rule, int day, int count)
{
	for (int i = 0; i < count; i++) {
		scoped(free_ptr) char *number = xasprintf("%s-%d-%d", rule->site, day, i);
		struct store_stay stay = { .lane = rule->lane,
					   .number = number,
					   .said_ms = hour_of(day, 12),
					   .exists = STORE_SAID_YES,
					   .ended = STORE_SAID_YES,
					   .counts = STORE_SAID_YES,
					   .has_place = true,
					   .site = rule->site,
					   .unit = "UF1",
					   .field = "MCO",
					   .start_ms = hour_of(day, 8),
					   .end_ms = hour_of(day, 12) };

		if (i == 0 && rule->site == b)
			stay.discretion.flag = STORE_FLAG_DISCREET; /* one of the day */
		ok(store_note_stay(f->store, &stay, &err));
	}
}

static void add_day(struct fixture *f, struct year *year, int day)
{
	const struct workdays preset = workdays_preset();
	const int rest = workdays_is_rest(&preset, day);

	for (size_t i = 0; i < length_of(rules); i++) {
		const struct rule *rule = &rules[i];

		note_stays(f, rule, day, rule->stays[rest]);
		add_cell(year, rule, day, COUNT_RECEIVED, rule->come[rest]);
		add_cell(year, rule, day, COUNT_RECEIVED_QUALIFIED, rule->taken[rest]);
		add_cell(year, rule, day, COUNT_ACCEPTED, rule->taken[rest]);
		for (int n = 0; n < rule->taken[rest]; n++)
			add_acceptance(f, year, rule, day, n);
	}
}

/* Adds days on top of what is counted. */
static void live(struct fixture *f, int from, int to, int64_t roots_before)
{
	struct year year = { .room = 6000, .cell_room = 6000, .root = roots_before };
	struct store_tally now;
	struct count_changes changes;

	year.acceptances = xcalloc(year.room, sizeof(*year.acceptances));
	year.cells = xcalloc(year.cell_room, sizeof(*year.cells));
	year.keys = xcalloc(year.room + (size_t)roots_before + 1, sizeof(*year.keys));
	ok(store_begin(f->store, &err));
	for (int day = from; day <= to; day = calendar_add(day, 1))
		add_day(f, &year, day);
	ok(store_tally_now(f->store, &now, &err));
	changes = (struct count_changes){ .last = now.last,
					  .cells = year.cells,
					  .cell_count = year.cell_count,
					  .acceptances = year.acceptances,
					  .acceptance_count = year.count };
	ok(store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));
	free(year.acceptances);
	free(year.cells);
	free(year.keys);
}

static void live_the_year(struct fixture *f)
{
	live(f, 20250930, 20260930, 0);
}

static uint64_t import(struct fixture *f, enum store_figures kind, const char *series, int day,
		       const struct store_figure *figures, size_t count)
{
	const struct store_import import = { .kind = kind,
					     .series = series,
					     .source = "dim_import",
					     .file = "sejours.csv",
					     .actor = "dim",
					     .now_ms = hour_of(day, 9),
					     .figures = figures,
					     .count = count };
	uint64_t revision = 0;

	ok(store_begin(f->store, &err));
	ok(store_import_figures(f->store, &import, &revision, &err));
	ok(store_commit(f->store, &err));
	return revision;
}

/* ---- the board ---- */

#define HEAD                                                                                       \
	"schema: usage-targets/1\n"                                                                \
	"document_types: {ll: {type_codes: [\"11490-0\"]}, bio: {type_codes: []}}\n"               \
	"denominators:\n"                                                                          \
	"  adt: {source: adt}\n"                                                                   \
	"  dim: {source: dim_import, file: sejours.csv}\n"                                         \
	"  produits: {source: produced, unit: document}\n"                                         \
	"  rangs: {source: manual}\n"                                                              \
	"programmes:\n"                                                                            \
	"- id: p\n"                                                                                \
	"  windows:\n"                                                                             \
	"  - {id: s1, start: 2026-01-01, end: 2026-06-30, status: internal}\n"                     \
	"  - {id: s2, start: 2026-07-01, end: 2026-12-31, status: internal}\n"                     \
	"  - {id: s3, start: 2027-01-01, end: 2027-06-30, status: internal}\n"                     \
	"  indicators:\n"
#define STAYS "numerator: {aggregate: distinct_stays, types: [ll]}"
#define RATIO "threshold: {kind: ratio, op: \">=\", value: 0.70, status: internal}"

static struct targets *targets_of(const char *text)
{
	const struct target_file file = { "t.yaml", slice_of(text) };
	scoped(buf_done) struct buf errors = { 0 };
	struct targets *targets = NULL;

	if (targets_parse(&targets, &file, 1, &errors) < 0)
		fail_msg("%s", buf_slice(&errors).p);
	return targets;
}

static struct board_result *board(struct fixture *f, const struct targets *targets, int day,
				  int hour)
{
	const struct board_asked asked = { &config, targets, f->store, hour_of(day, hour) };
	struct board_result *result = NULL;

	ok(board_make(&asked, &result, &err));
	return result;
}

static const struct board_row *row_of(const struct board_result *result, const char *window,
				      const char *indicator, const char *place)
{
	for (size_t i = 0; i < result->row_count; i++) {
		const struct board_row *row = &result->rows[i];

		if (strcmp(row->window, window) == 0 && strcmp(row->indicator, indicator) == 0 &&
		    strcmp(row->place, place) == 0)
			return row;
	}
	return NULL;
}

/* The hand-computed table: -1 is "not known". */
struct expected {
	const char *indicator, *place;
	int64_t numerator, denominator;
	double rate;
	int64_t missing_now, missing_end;
	double pace, per_day, rate_end;
	enum target_state state;
};

static void expect_near(const struct expected *expected, const char *what, double is, double should)
{
	if (should < 0 ? !isnan(is) : !(fabs(is - should) < 5e-5))
		fail_msg("%s of %s at %s: %f, not %f", what, expected->indicator, expected->place,
			 is, should);
}

static void expect_rows(const struct board_result *result, const struct expected *table,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct expected *e = &table[i];
		const struct board_row *row = row_of(result, "s2", e->indicator, e->place);
		const struct projection *p = row ? &row->projection : NULL;

		if (row == NULL)
			fail_msg("no row of %s at %s", e->indicator, e->place);
		expect_near(e, "numerator",
			    (double)(row->denominator.is_known ? row->input.numerator_measured
							       : row->input.numerator),
			    (double)e->numerator);
		expect_near(e, "denominator",
			    row->denominator.is_known ? (double)row->denominator.n : NAN,
			    (double)e->denominator);
		expect_near(e, "rate", p->rate, e->rate);
		expect_near(e, "missing now", p->missing_now < 0 ? NAN : (double)p->missing_now,
			    (double)e->missing_now);
		expect_near(e, "missing at the end",
			    p->missing_end < 0 ? NAN : (double)p->missing_end,
			    (double)e->missing_end);
		expect_near(e, "pace", p->pace, e->pace);
		expect_near(e, "needed a day", p->per_day, e->per_day);
		expect_near(e, "rate at the end", p->rate_end, e->rate_end);
		if (p->state != e->state)
			fail_msg("%s at %s is %s, not %s", e->indicator, e->place,
				 target_state_text(p->state), target_state_text(e->state));
	}
}

/* On 30 September at 20:00. The last 28 days before it, 2 to 29 September, are 20 W and 8 R: they weigh
 * 20 + 8 * 0.2 = 21.6. What is left weighs 64 + 28 * 0.2 = 69.6.
 *
 * A, stays by ADT: 65 * 8 + 27 = 547 of 65 * 10 + 27 * 2 = 704. A day: 168 / 21.6, of 216 / 21.6 = 10.
 *    At the end (547 + 541.33) / (704 + 696) = 0.77738.
 * B: 65 of 260. A day: 20 / 21.6 = 0.92593 of 3.70370. At the end 129.444 / 517.778 = 0.25. Missing now
 *    182 - 65 = 117, at the end 362.44 - 65, so 298; a day 298 / 69.6 = 4.28161. Reachable: 65, and
 *    60 / 21.6 * 69.6 = 193.33 that will be produced, and 120 that wait: 378.33, just enough.
 * C: 92 of 92; a day 28 / 28: 21.6 weigh what 28 days bring: 1.29630; at the end 92 + 90.222 of as many.
 * The first entity: 612 of 964; a day 188 / 21.6 = 8.70370 of 13.70370; at the end 1217.778 / 1917.778.
 *    Missing now 674.8 - 612, so 63; at the end 1342.44 - 612, so 731: 10.50287 a day. Reachable: 612 + 120 +
 *    (168 + 60) / 21.6 * 69.6 = 734.67: 1466.67.
 *
 * Letters that come, of those that came: A 547 of 547, B 65 of 195.
 * The month of September, A and B: 22 * 9 + 8 = 206 of 250 letters; no day is left, 120 wait.
 * Weeks: 14 since 29 June; 4 in the 28 days: 4 / 21.6 = 0.18519 a day; at the end 26.889.
 */
static const struct expected at_the_end_of_september[] = {
	{ "adt", a, 547, 704, .77699, 0, 433, 7.77778, 6.22126, .77738, TARGET_MET_NOW },
	{ "adt", b, 65, 260, .25, 117, 298, .92593, 4.28161, .25, TARGET_AT_RISK },
	{ "adt", c, 92, 92, 1, 0, 36, 1.29630, .51724, 1, TARGET_MET_NOW },
	{ "entity", first_entity, 612, 964, .63485, 63, 731, 8.70370, 10.50287, .63499,
	  TARGET_AT_RISK },
	{ "entity", second_entity, 92, 92, 1, 0, 36, 1.29630, .51724, 1, TARGET_MET_NOW },
	{ "produits", a, 547, 547, 1, 0, 215, 7.77778, 3.08908, 1, TARGET_MET_NOW },
	{ "produits", b, 65, 195, .33333, 72, 207, .92593, 2.97414, .33333, TARGET_AT_RISK },
	{ "mois", first_entity, 206, -1, 206, 44, 44, 8.70370, -1, 206, TARGET_AT_RISK },
	{ "continuite", a, 14, -1, 14, 12, 12, .18519, .17241, 26.88889, TARGET_ON_TRACK },
	{ "inconnu", a, 547, 704, .77699, -1, -1, 7.77778, -1, .77738, TARGET_NO_TARGET },
	/* 400 more than the 185 of July: 585, of which 547 are there */
	{ "progres", a, 547, -1, 547, 38, 38, 7.77778, .54598, 1088.33333, TARGET_ON_TRACK },
	/* 0.5 is reached, 0.8 is the next: 1120 - 547; but 1088 will have come, at best */
	{ "paliers", a, 547, 704, .77699, 17, 573, 7.77778, 8.23276, .77738, TARGET_OUT_OF_REACH },
};

static const char year_targets[] = HEAD
	"  - {id: adt, " STAYS ", denominator: adt, " RATIO "}\n"
	"  - {id: entity, level: finess_ej, " STAYS ", denominator: adt, " RATIO "}\n"
	"  - {id: produits, numerator: {aggregate: documents, types: [ll]}, denominator: "
	"produits, " RATIO "}\n"
	"  - {id: mois, level: finess_ej, numerator: {aggregate: documents}, threshold: {kind: "
	"count, "
	"value: 250, per: month, status: internal}}\n"
	"  - {id: continuite, numerator: {aggregate: active_weeks}, threshold: {kind: count, "
	"value: 26, "
	"status: internal}}\n"
	"  - {id: inconnu, " STAYS
	", denominator: adt, threshold: {kind: ratio, value: null, status: "
	"to_confirm}}\n"
	"  - {id: progres, numerator: {aggregate: documents, types: [ll]}, threshold: {kind: "
	"delta, of: "
	"count, value: 400, reference: {start: 2026-07-01, end: 2026-07-31}, status: internal}}\n"
	"  - {id: paliers, " STAYS ", denominator: adt, threshold: {kind: tiers, of: ratio, tiers: "
	"[{value: 0.5, amount_eur: 1000}, {value: 0.8, amount_eur: 2000}], status: internal}}\n"
	"  - {id: tous, threshold: {kind: all_of, indicators: [adt, continuite], status: "
	"internal}}\n"
	"  - {id: biologie, applies_if: {own_plateau: biologie}, numerator: {aggregate: documents, "
	"types: [bio]}, denominator: produits, " RATIO "}\n"
	"  - {id: mss, numerator: {aggregate: messages, channel: [MSS_CIT]}, threshold: {kind: "
	"count, "
	"value: 5, status: internal}}\n";

static void hold(struct fixture *f, const char *id, const char *stay, enum reason reason)
{
	struct store_arrival one = arrival(f, id, "body");

	one.lane = first_entity;
	one.site = b;
	one.state = reason == REASON_NONE ? DOC_QUEUED : DOC_HELD;
	one.reason = reason;
	one.facts.field = "MCO";
	one.facts.stay = stay;
	take_in(f, &one);
}

/* 120 letters of B wait for an identity to be qualified: one of each of 120 stays that have none, three on each
 * of forty working days.
 */
static void hold_some(struct fixture *f)
{
	const struct workdays preset = workdays_preset();
	int held = 0;

	for (int day = 20260701; held < 120; day = calendar_add(day, 1))
		for (int n = 1; n < 4 && !workdays_is_rest(&preset, day); n++) {
			scoped(free_ptr) char *id = xasprintf("1.2.3.%d", held++);
			scoped(free_ptr) char *stay = xasprintf("%s-%d-%d", b, day, n);

			hold(f, id, stay, REASON_INS_NOT_QUALIFIED);
		}
}

static void a_year_of_three_sites(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(year_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	live_the_year(f);
	hold_some(f);
	result = board(f, targets, 20260930, 20);
	assert_true(result->weights_learned);
	expect_rows(result, at_the_end_of_september, length_of(at_the_end_of_september));
}

/* Of B, 29 September: the stay 0 has its letter, 1 to 3 have none. What waits brings a stay once, whatever waits of
 * it, one that has its letter not at all; and what goes under no circumstances brings nothing.
 */
static void what_waits_counts_as_the_rule_counts(void **state)
{
	static const struct {
		const char *stay;
		enum reason reason;
	} waiting[] = {
		{ "010003738-20260929-0", REASON_INS_NOT_QUALIFIED },
		{ "010003738-20260929-1", REASON_INS_NOT_QUALIFIED },
		{ "010003738-20260929-1", REASON_INS_NOT_QUALIFIED },
		{ "010003738-20260929-2", REASON_INS_NOT_QUALIFIED },
		{ "010003738-20260929-2", REASON_NONE },
		{ "010003738-20260929-3", REASON_INS_CHANGED },
		{ "010003738-20260929-3", REASON_INS_NOT_IN_DOCUMENT },
		{ "010003738-nobody-knows", REASON_NONE },
	};
	scoped(targets_free) struct targets *targets =
		targets_of(HEAD "  - {id: stays, " STAYS ", denominator: adt, " RATIO "}\n"
				"  - {id: any, numerator: {aggregate: distinct_stays, types: [ll], "
				"date_basis: accepted}, denominator: produits, " RATIO "}\n"
				"  - {id: late, numerator: {aggregate: documents, types: [ll], "
				"require: {max_delay_hours_after_stay_end: 24}}, denominator: "
				"produits, " RATIO "}\n"
				"  - {id: documents, numerator: {aggregate: documents, types: "
				"[ll]}, denominator: produits, " RATIO "}\n"
				"  - {id: patients, numerator: {aggregate: distinct_patients, "
				"types: [ll]}, denominator: produits, " RATIO "}\n");
	scoped(board_result_free) struct board_result *result = NULL;
	const struct projection_input *of;
	struct fixture *f = *state;

	live_the_year(f);
	for (size_t i = 0; i < length_of(waiting); i++) {
		scoped(free_ptr) char *id = xasprintf("1.2.4.%zu", i);

		hold(f, id, waiting[i].stay, waiting[i].reason);
	}
	result = board(f, targets, 20260930, 20);
	of = &row_of(result, "s2", "stays", b)->input;
	assert_int_equal(of->sendable, 1);
	assert_int_equal(of->recoverable, 1);
	of = &row_of(result, "s2", "any", b)->input;
	assert_int_equal(of->sendable, 2);
	assert_int_equal(of->recoverable, 1);
	of = &row_of(result, "s2", "documents", b)->input;
	assert_int_equal(of->sendable, 2);
	assert_int_equal(of->recoverable, 4);
	of = &row_of(result, "s2", "late", b)->input; /* a day and eight hours ago */
	assert_int_equal(of->sendable + of->recoverable, 0);
	of = &row_of(result, "s1", "documents", b)->input; /* it has ended */
	assert_int_equal(of->sendable + of->recoverable, 0);
}

static void what_is_said_of_it(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(year_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	live_the_year(f);
	hold_some(f);
	result = board(f, targets, 20260930, 20);
	/* counted with the others, and told: one on each of 65 working days */
	assert_int_equal(row_of(result, "s2", "adt", b)->denominator.sensitive, 65);
	assert_int_equal(row_of(result, "s2", "adt", a)->denominator.sensitive, 0);
	assert_string_equal(row_of(result, "s2", "adt", b)->english,
			    "Qualifying the identities that the documents of 120 stays wait for "
			    "brings you to 48.2% at the end; without them, 25.0% (target 70.0%).");
	assert_string_equal(
		row_of(result, "s2", "adt", a)->english,
		"Reached: 77.7% of 70.0% asked for. At the present pace the window ends "
		"at 77.7%.");
	assert_string_equal(row_of(result, "s2", "tous", a)->english,
			    "1 of 2 reached: adt MET_NOW, continuite ON_TRACK.");
	assert_int_equal(row_of(result, "s2", "tous", a)->projection.state, TARGET_ON_TRACK);
	assert_int_equal(row_of(result, "s2", "tous", b)->projection.state, TARGET_AT_RISK);
	assert_int_equal(row_of(result, "s2", "paliers", a)->tier, 2);
	assert_near(row_of(result, "s2", "paliers", a)->amount_eur, 2000, 0);
	assert_near(row_of(result, "s2", "progres", a)->reference, 185, 0);

	/* what cannot be counted says why, and where it does not apply there is nothing */
	assert_string_equal(
		row_of(result, "s2", "biologie", a)->english,
		"No code of a document type is filled in: write it in the targets' file.");
	assert_null(row_of(result, "s2", "biologie", b));
	assert_string_equal(row_of(result, "s2", "mss", a)->english,
			    "This gateway does not carry that channel: it cannot count it.");
	assert_false(row_of(result, "s2", "mss", a)->is_counted);
	assert_false(
		row_of(result, "s2", "mss", a)->input.is_ratio); /* five messages are no 500 % */
	assert_true(isnan(row_of(result, "s2", "mss", a)->projection.rate));

	/* windows that have begun */
	assert_non_null(row_of(result, "s1", "adt", a));
	assert_null(row_of(result, "s3", "adt", a));
	assert_true(row_of(result, "s1", "adt", a)->has_ended);
	assert_false(row_of(result, "s2", "adt", a)->has_ended);
}

/* Stays by the DIM: July and August of A; July of B; none of C. */
static const struct store_figure summer[] = {
	{ a, "MCO", 202607, 238 },
	{ a, "MCO", 202608, 230 },
	{ a, "SMR", 202608, 999 },
	{ b, "MCO", 202607, 88 },
};

static const char dim_targets[] =
	HEAD "  - {id: dim, scope: {champ: [MCO]}, " STAYS ", denominator: dim, " RATIO "}\n";

/* A: 43 * 8 + 19 = 363 of 238 + 230 = 468 until the end of August. Since then 22 + 8 * 0.2 = 23.6, with 230 /
 *    (21 + 10 * 0.2) = 10 stays a day: 704 tonight, and 1400 at the end.
 * B: 22 of 88 until the end of July, with 88 / (22 + 9 * 0.2) = 3.69748 a day; since then 23 + 23.6 = 46.6.
 *    Tonight 88 + 172.30 = 260.30, of which 70 % are 182.21: 118 lack.
 */
static const struct expected with_imports[] = {
	{ "dim", a, 363, 468, .77564, 0, 433, 7.77778, 6.22126, .77738, TARGET_MET_NOW },
	{ "dim", b, 22, 88, .25, 118, 298, .92593, 4.28161, .25006, TARGET_OUT_OF_REACH },
	{ "dim", c, 92, -1, -1, -1, -1, 1.29630, -1, -1, TARGET_NO_DENOMINATOR },
};

static void denominators_by_month_reach_as_far_as_they_go(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;
	const struct board_row *row;

	live_the_year(f);
	import(f, FIGURES_DENOMINATOR, "dim", 20260910, summer, length_of(summer));
	result = board(f, targets, 20260930, 20);
	expect_rows(result, with_imports, length_of(with_imports));
	row = row_of(result, "s2", "dim", a);
	assert_int_equal(row->denominator.until, 20260831);
	assert_int_equal(row->denominator.revision, 1);
	assert_string_equal(row->denominator.source, "dim_import");
	assert_string_equal(row->denominator.imported_by, "dim");
	assert_string_equal(row->denominator.gaps, ""); /* September is not over */
	assert_string_equal(row_of(result, "s1", "dim", c)->denominator.gaps, "2026-01..2026-06");
	row = row_of(result, "s2", "dim", b);
	assert_int_equal(row->denominator.until, 20260731);
	assert_string_equal(row->denominator.gaps, "2026-08");
	assert_non_null(strstr(row->french, "Chiffres de dim manquants : 2026-08 (dmpfeedctl "
					    "import-denominators sejours.csv)."));
	assert_string_equal(
		row_of(result, "s2", "dim", c)->english,
		"There is nothing to measure against yet. Figures of dim lack for "
		"2026-07, 2026-08 (dmpfeedctl import-denominators sejours.csv). This site "
		"has no field of activity (field): its documents without one do not "
		"count.");
}

/* On 14 August at 9:00 the DIM counted 100 stays of A since the first: 10 W (3 to 14) and 4 R,
 * which weigh 10.8. Letters until then: July 185, August 10 * 8 + 4 = 84. That the month is over
 * since makes no whole of it.
 */
static void a_figure_that_came_before_its_month_was_over_is_of_a_part(void **state)
{
	static const struct store_figure august[] = { { a, "MCO", 202607, 238 },
						      { a, "MCO", 202608, 100 },
						      { a, "MCO", 202609, 7 } };
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;
	const struct board_row *row;

	live_the_year(f);
	import(f, FIGURES_DENOMINATOR, "dim", 20260814, august, length_of(august));
	result = board(f, targets, 20260930, 20);
	row = row_of(result, "s2", "dim", a);
	assert_int_equal(row->denominator.until, 20260814);
	assert_int_equal(row->denominator.n, 338);
	assert_int_equal(row->input.numerator_measured, 269);
	assert_near(row->input.denominator_pace, 100 / 10.8, 1e-9);
	assert_string_equal(row->denominator.gaps, "2026-08");
}

/* The window is a part of July: 20 July to 31, 10 W and 2 R, of 22 and 9: 10.4 of 23.8 of 238 stays. */
static void a_month_that_the_window_cuts_counts_by_its_days(void **state)
{
	scoped(targets_free) struct targets *targets =
		targets_of("schema: usage-targets/1\n"
			   "denominators: {dim: {source: dim_import}}\n"
			   "programmes:\n"
			   "- id: p\n"
			   "  windows: [{id: s2, start: 2026-07-20, end: null, status: internal}]\n"
			   "  indicators: [{id: dim, scope: {finess_eg: [\"010003720\"], champ: "
			   "[MCO]}, numerator: "
			   "{aggregate: distinct_stays}, denominator: dim, " RATIO "}]\n");
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	live_the_year(f);
	import(f, FIGURES_DENOMINATOR, "dim", 20260810, summer, 1);
	result = board(f, targets, 20260930, 20);
	assert_int_equal(result->row_count, 1);
	assert_int_equal(result->rows[0].denominator.n, 104);
	assert_int_equal(result->rows[0].input.numerator_measured, 82);
	assert_int_equal(result->rows[0].projection.state, TARGET_MET_NOW);
	assert_int_equal(result->rows[0].projection.missing_end, -1); /* no end is known */
}

/* ---- a window that has ended ---- */

static void freeze_row(struct fixture *f, const struct board_row *row, int64_t now_ms)
{
	scoped(buf_done) struct buf json = { 0 };
	struct store_snapshot snapshot = { .programme = row->programme,
					   .window = row->window,
					   .indicator = row->indicator,
					   .place = row->place,
					   .frozen_ms = now_ms };

	targets_write_row(row, &json);
	snapshot.json = buf_slice(&json).p;
	ok(store_begin(f->store, &err));
	ok(store_freeze(f->store, &snapshot, &err));
	ok(store_commit(f->store, &err));
}

/* All of the half-year, A: 129 * 8 + 55 = 1087 letters; the DIM says 1400 stays, then that they were 1300. */
static void what_is_frozen_stays_and_the_new_revision_stands_beside_it(void **state)
{
	static const struct store_figure half_year[] = {
		{ a, "MCO", 202607, 238 }, { a, "MCO", 202608, 230 }, { a, "MCO", 202609, 236 },
		{ a, "MCO", 202610, 238 }, { a, "MCO", 202611, 220 }, { a, "MCO", 202612, 238 },
	};
	static const struct store_figure revised[] = { { a, "MCO", 202612, 138 } };
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *before = NULL, *after = NULL;
	scoped(buf_done) struct buf json = { 0 };
	struct fixture *f = *state;
	const struct board_row *row;

	live(f, 20260701, 20261231, 0);
	import(f, FIGURES_DENOMINATOR, "dim", 20270110, half_year, length_of(half_year));
	before = board(f, targets, 20270115, 9);
	row = row_of(before, "s2", "dim", a);
	assert_true(row->has_ended);
	assert_string_equal(row->frozen, "");
	assert_int_equal(row->input.numerator, 1087);
	assert_int_equal(row->denominator.n, 1400);
	freeze_row(f, row, hour_of(20270115, 9));

	import(f, FIGURES_DENOMINATOR, "dim", 20270301, revised, 1);
	after = board(f, targets, 20270302, 9);
	row = row_of(after, "s2", "dim", a);
	assert_int_equal(row->denominator.n, 1300);
	assert_int_equal(row->denominator.revision, 2);
	assert_int_equal(row->frozen_ms, hour_of(20270115, 9));
	assert_non_null(strstr(row->frozen, "\"numerator\":1087,\"denominator\":1400,"));
	assert_non_null(strstr(row->frozen, "\"revision\":1,"));
	targets_write_row(row, &json);
	assert_non_null(strstr(buf_slice(&json).p, "\"denominator\":1300,"));
	assert_non_null(strstr(buf_slice(&json).p, "\"frozen_at\":\"2027-01-15T08:00:00.000Z\""));
	assert_non_null(strstr(buf_slice(&json).p, "\"denominator\":1400,"));
}

/* Years later, of a window that is not counted any more, and of what no file of targets names any more. */
static void what_is_frozen_is_told_as_long_as_it_is_kept(void **state)
{
	static const struct store_figure half_year[] = {
		{ a, "MCO", 202607, 238 }, { a, "MCO", 202608, 230 }, { a, "MCO", 202609, 236 },
		{ a, "MCO", 202610, 238 }, { a, "MCO", 202611, 220 }, { a, "MCO", 202612, 238 },
	};
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(targets_free) struct targets *others = targets_of(
		"schema: usage-targets/1\nprogrammes:\n- id: q\n  windows:\n  - {id: w, "
		"start: 2029-01-01, end: null, status: internal}\n  indicators:\n  - {id: "
		"n, numerator: {aggregate: documents}, threshold: {kind: count, value: 1, "
		"status: internal}}\n");
	scoped(board_result_free) struct board_result *before = NULL, *later = NULL, *gone = NULL;
	scoped(buf_done) struct buf json = { 0 }, again = { 0 };
	struct fixture *f = *state;
	const struct board_row *row;

	live(f, 20260701, 20261231, 0);
	import(f, FIGURES_DENOMINATOR, "dim", 20270110, half_year, length_of(half_year));
	before = board(f, targets, 20270115, 9);
	freeze_row(f, row_of(before, "s2", "dim", a), hour_of(20270115, 9));

	later = board(f, targets, 20290301, 9);
	row = row_of(later, "s2", "dim", a);
	assert_true(row->is_as_frozen);
	assert_true(row->has_ended);
	assert_int_equal(row->input.numerator, 1087);
	assert_int_equal(row->denominator.n, 1400);
	assert_int_equal(row->frozen_ms, hour_of(20270115, 9));
	assert_int_equal(row->start, 20260701);
	assert_int_equal(row->end, 20261231);
	assert_string_equal(row->programme, "p");
	assert_string_equal(row->lane, first_entity);
	assert_non_null(strstr(row->english, "Frozen on 2027-01-15, and counted no longer"));
	assert_non_null(strstr(row->french, "Figé le 2027-01-15"));
	assert_null(row_of(later, "s2", "dim", b)); /* nothing was frozen of it */

	gone = board(f, others, 20290301, 9);
	row = row_of(gone, "s2", "dim", a);
	/* figure for figure what was frozen, but for what is said of it */
	targets_write_row(row_of(before, "s2", "dim", a), &json);
	targets_write_row(row, &again);
	assert_memory_equal(again.p, json.p, strstr(json.p, "\"sentence_en\"") - json.p);
	assert_non_null(strstr(again.p, "\"as_frozen\":true"));
	assert_memory_equal(strstr(again.p, "\"inputs\""), strstr(json.p, "\"inputs\""),
			    strstr(json.p, "\"frozen_at\"") - strstr(json.p, "\"inputs\""));
}

static void what_was_frozen_and_cannot_be_read_is_said(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct store_snapshot snapshot = { "p", "s0", "dim", a, hour_of(20260101, 9), "{}" };
	struct fixture *f = *state;
	const struct board_row *row;

	ok(store_begin(f->store, &err));
	ok(store_freeze(f->store, &snapshot, &err));
	ok(store_commit(f->store, &err));
	result = board(f, targets, 20290301, 9);
	row = row_of(result, "s0", "dim", a);
	assert_false(row->is_counted);
	assert_true(isnan(row->projection.rate));
	assert_non_null(strstr(row->english, "cannot be read"));
}

/* From 1 July 2026 on: on 30 September of the next year all but the first months of it are kept. */
static void stays_that_are_forgotten_are_missed(void **state)
{
	scoped(targets_free) struct targets *targets =
		targets_of("schema: usage-targets/1\ndenominators: {adt: {source: adt}}\n"
			   "programmes:\n- id: p\n  windows:\n  - {id: w, start: 2026-07-01, end: "
			   "null, status: internal}\n  indicators:\n  - {id: adt, numerator: "
			   "{aggregate: distinct_stays}, denominator: adt, " RATIO "}\n");
	scoped(board_result_free) struct board_result *result = NULL;
	static const char said[] =
		"What ADT messages said of stays that ended before 2026-08-26 is "
		"kept no longer (stays.keep): they lack in these figures.";
	struct fixture *f = *state;

	result = board(f, targets, 20270801, 9);
	assert_null(strstr(row_of(result, "w", "adt", a)->english, "stays.keep"));
	board_result_free(&result);
	result = board(f, targets, 20270930, 9);
	assert_non_null(strstr(row_of(result, "w", "adt", a)->english, said));
}

/* By A, 8 letters a working day and one on a day of rest. Of what must not be more, each tier is less. */
static void tiers_that_fall_are_reached_from_above(void **state)
{
	static const struct {
		int day;
		size_t tier;
		enum target_state state;
	} expected[] = { { 20260701, 2, TARGET_MET_NOW },   /* 8 letters */
			 { 20260702, 2, TARGET_AT_RISK },   /* 16 */
			 { 20260706, 1, TARGET_AT_RISK } }; /* 34 */
	scoped(targets_free) struct targets *targets = targets_of(
		HEAD "  - {id: plafond, numerator: {aggregate: documents, types: [ll]}, "
		     "threshold: {kind: tiers, of: count, op: \"<=\", tiers: [{value: 20, "
		     "amount_eur: 100}, {value: 10, amount_eur: 300}], status: internal}}\n");
	struct fixture *f = *state;

	live(f, 20260701, 20260706, 0);
	for (size_t i = 0; i < length_of(expected); i++) {
		scoped(board_result_free) struct board_result *result =
			board(f, targets, expected[i].day, 20);
		const struct board_row *row = row_of(result, "s2", "plafond", a);

		assert_int_equal(row->tier, expected[i].tier);
		assert_near(row->amount_eur, expected[i].tier == 1 ? 100 : 300, 0);
		assert_int_equal(row->projection.state, expected[i].state);
	}
}

/* The letter of B comes at 23:30 on the last of the 30 days, in which clocks went back: of the 10th of October. */
static void the_days_of_grace_are_days_of_paris(void **state)
{
	static const char text[] =
		"schema: usage-targets/1\nprogrammes:\n- id: p\n  windows:\n"
		"  - {id: s2, start: 2026-09-01, end: 2026-10-10, status: internal}\n  "
		"indicators:\n"
		"  - {id: n, numerator: {aggregate: documents, late_grace_days: 30}, "
		"threshold: {kind: count, value: 1, status: internal}}\n"
		"  - {id: tous, threshold: {kind: all_of, indicators: [n], status: internal}}\n";
	scoped(targets_free) struct targets *targets = targets_of(text);
	scoped(board_result_free) struct board_result *before = NULL, *after = NULL;
	struct count_acceptance late = { .root = 1,
					 .current = 1,
					 .accepted_ms = hour_of(20261110, 0) - 1800000,
					 .outcome = COUNT_ACCEPTED,
					 .facts = { .action = "submit",
						    .lane = first_entity,
						    .site = b,
						    .field = "MCO",
						    .unit = "",
						    .source = "DPI",
						    .type_code = "11490-0",
						    .stay_end_ms = hour_of(20261010, 12) } };
	struct count_changes changes = { .acceptances = &late, .acceptance_count = 1 };
	struct fixture *f = *state;
	struct store_tally now;

	before = board(f, targets, 20261109, 20);
	assert_false(row_of(before, "s2", "n", b)->has_ended);
	assert_false(row_of(before, "s2", "tous", b)->has_ended); /* nor what is made of it */
	ok(store_tally_now(f->store, &now, &err));
	ok(store_begin(f->store, &err));
	ok(store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));
	after = board(f, targets, 20261110, 9);
	assert_true(row_of(after, "s2", "n", b)->has_ended);
	assert_int_equal(row_of(after, "s2", "n", b)->input.numerator, 1);
	assert_true(row_of(after, "s2", "tous", b)->has_ended);
	assert_int_equal(row_of(after, "s2", "tous", b)->projection.state, TARGET_MET_NOW);
}

/* Older than a year, the month tells what came: of October 2025, half of which is in the window, 92 of A, and
 * the eight of the last of September.
 */
static void what_was_produced_long_ago_ends_with_the_window(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(
		"schema: usage-targets/1\ndenominators:\n  produits: {source: produced, unit: "
		"document}\n"
		"programmes:\n- id: p\n  windows:\n"
		"  - {id: w, start: 2025-09-01, end: 2025-10-15, status: internal}\n  indicators:\n"
		"  - {id: n, numerator: {aggregate: documents}, denominator: produits, " RATIO
		"}\n");
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	live_the_year(f);
	result = board(f, targets, 20261020, 20);
	assert_int_equal(row_of(result, "w", "n", a)->denominator.n, 100);
}

/* ---- counts of others ---- */

/* August of A, ours: 21 * 8 + 10 = 178. They say 173: ours are 2.9 % above. Of B only what was declared of June is
 * known elsewhere, nothing of its other months.
 */
static void official_counts_that_are_lower_are_told_by_type_and_month(void **state)
{
	static const struct store_figure official[] = {
		{ a, "11490-0", 202607, 185 },
		{ a, "11490-0", 202608, 173 },
		{ a, "11502-2", 202608, 40 },
	};
	static const struct store_figure declared[] = {
		{ b, "11490-0", 202606, 7 },
		{ a, "11490-0", 202608, 173 },
	};
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	live_the_year(f);
	import(f, FIGURES_OFFICIAL, "", 20260910, official, length_of(official));
	import(f, FIGURES_DECLARED, "", 20260911, declared, length_of(declared));
	result = board(f, targets, 20260930, 20);
	assert_int_equal(result->gap_count, 4);
	assert_int_equal(result->gaps[0].month, 202607);
	assert_int_equal(result->gaps[0].level, BOARD_WELL);
	assert_int_equal(result->gaps[0].declared, -1);
	assert_string_equal(result->gaps[1].type_code, "11490-0");
	assert_int_equal(result->gaps[1].month, 202608);
	assert_int_equal(result->gaps[1].ours, 178);
	assert_int_equal(result->gaps[1].official, 173);
	assert_int_equal(result->gaps[1].declared, 173);
	assert_near(result->gaps[1].gap, 0.0289, 0.0001);
	assert_int_equal(result->gaps[1].level, BOARD_WARN);
	assert_string_equal(result->gaps[2].type_code, "11502-2"); /* another gateway's */
	assert_int_equal(result->gaps[2].ours, 0);
	assert_int_equal(result->gaps[2].level, BOARD_CRIT);
	assert_string_equal(result->gaps[3].site, b);
	assert_int_equal(result->gaps[3].month, 202606);
	assert_int_equal(result->gaps[3].ours, 22); /* a working day, one */
	assert_int_equal(result->gaps[3].official, -1);
	assert_int_equal(result->gaps[3].declared, 7);
	assert_int_equal(result->gaps[3].level, BOARD_WELL);
}

/* ---- how well it goes ---- */

/* Twelve full weeks and three days before 30 September: from 6 July on, 62 W and 25 R. */
static void rates_of_a_site_gross_and_addressable(void **state)
{
	static const struct {
		enum count_outcome outcome;
		int64_t n;
	} ends[] = {
		{ COUNT_REFUSED_DMP_ABSENT, 20 },
		{ COUNT_REFUSED_PATIENT_OPPOSED, 3 },
		{ COUNT_REJECTED_FORMAT, 3 }, /* the first */
		{ COUNT_REJECTED_METADATA, 1 },
		{ COUNT_REJECTED_OTHER, 2 }, /* and the last of its kind */
	};
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct board_rate rates[BOARD_RATES];
	struct count_cell cells[length_of(ends)];
	struct count_changes changes = { .cells = cells, .cell_count = length_of(ends) };
	struct fixture *f = *state;
	struct store_tally now;

	live_the_year(f);
	hold_some(f);
	for (size_t i = 0; i < length_of(ends); i++)
		cells[i] = (struct count_cell){
			first_entity,    b,        "MCO",    "11490-0", COUNT_CHANNEL_DMP,
			ends[i].outcome, 20260920, ends[i].n
		};
	ok(store_tally_now(f->store, &now, &err));
	changes.last = now.last;
	ok(store_begin(f->store, &err));
	ok(store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));

	result = board(f, targets, 20260930, 20);
	assert_int_equal(result->quality_from, 20260706);
	assert_int_equal(result->quality_count, 3);
	assert_string_equal(result->qualities[1].site, b);
	assert_int_equal(result->qualities[1].received, 3 * 62);
	assert_int_equal(result->qualities[1].accepted, 62);
	assert_int_equal(result->qualities[1].waiting_for_ins, 120);
	board_rates(&result->qualities[1], rates);
	assert_string_equal(rates[0].name, "feed_rate_produced");
	assert_near(rates[0].rate, 62.0 / 186, 1e-9);
	assert_string_equal(rates[1].name, "addressable_rate");
	assert_near(rates[1].rate, 62.0 / 163, 1e-9);
	assert_near(rates[2].rate, 62.0 / 186, 1e-9); /* ins_ready_rate */
	assert_near(rates[3].rate, 62.0 / 68, 1e-9);  /* first_pass_rate */
	assert_near(rates[4].rate, 6.0 / 68, 1e-9);   /* reject_rate */
	assert_near(rates[8].rate, 1, 0);             /* continuity */
	/* four stays a working day, of which one has its letter, within hours */
	assert_string_equal(rates[9].name, "feed_rate_stays");
	assert_near(rates[9].rate, 62.0 / 248, 1e-9);
	assert_string_equal(rates[10].name, "docs_per_stay");
	assert_near(rates[10].rate, 62.0 / 248, 1e-9);
	assert_string_equal(rates[11].name, "same_day_rate");
	assert_near(rates[11].rate, 1, 0);
	assert_near(rates[12].rate + rates[13].rate + rates[14].rate, 0, 0);
	assert_string_equal(rates[15].name, "still_invisible_rate");
	assert_near(rates[15].rate, 0, 0);
	assert_int_equal(result->qualities[1].rejected_by[COUNT_REJECTED_FORMAT], 3);
	assert_int_equal(result->qualities[1].rejected_by[COUNT_REJECTED_METADATA], 1);
	assert_int_equal(result->qualities[1].rejected_by[COUNT_REJECTED_OTHER], 2);
}

/* Letters of a stay that ended on the 14th at noon, each a while later. */
static void letters_are_told_by_how_soon_they_came(void **state)
{
	static const int days[] = { -1, 0, 0, 1, 2, 8, 9, 30 };
	static const int64_t expected[BOARD_PROMPT] = { 3, 1, 2, 2 };
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct count_acceptance acceptances[length_of(days)];
	struct count_changes changes = { .acceptances = acceptances,
					 .acceptance_count = length_of(days) };
	struct fixture *f = *state;
	struct store_tally now;

	for (size_t i = 0; i < length_of(days); i++)
		acceptances[i] = (struct count_acceptance){
			.root = (int64_t)i + 1,
			.current = (int64_t)i + 1,
			.outcome = COUNT_ACCEPTED,
			.accepted_ms = hour_of(calendar_add(20260814, days[i]), i % 2 ? 0 : 23),
			.attempts = 1,
			.facts = { .action = "submit",
				   .lane = first_entity,
				   .site = a,
				   .field = "MCO",
				   .unit = "UF1",
				   .source = "DPI",
				   .type_code = i == 7 ? "11506-3" : "11490-0",
				   .stay_end_ms = hour_of(20260814, 12) },
		};
	ok(store_tally_now(f->store, &now, &err));
	ok(store_begin(f->store, &err));
	ok(store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));
	result = board(f, targets, 20260930, 20);
	assert_memory_equal(result->qualities[0].prompt, expected, sizeof(expected));
	assert_int_equal(result->qualities[0].letters, 8);
}

/* From 6 July on: patients leave UF1 of each site, of which documents come, and UF9, of which none does. */
static void units_of_which_nothing_comes_are_not_covered(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of(dim_targets);
	scoped(board_result_free) struct board_result *result = NULL;
	struct store_stay stay = { .lane = first_entity,
				   .number = "V9",
				   .said_ms = hour_of(20260901, 12),
				   .exists = STORE_SAID_YES,
				   .ended = STORE_SAID_YES,
				   .counts = STORE_SAID_YES,
				   .has_place = true,
				   .site = b,
				   .unit = "UF9",
				   .field = "SMR",
				   .start_ms = hour_of(20260801, 8),
				   .end_ms = hour_of(20260901, 12) };
	struct fixture *f = *state;

	live_the_year(f);
	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, &stay, &err));
	stay.number = "V10"; /* before the time that is looked at */
	stay.unit = "UF10";
	stay.end_ms = hour_of(20260705, 23);
	ok(store_note_stay(f->store, &stay, &err));
	ok(store_commit(f->store, &err));
	result = board(f, targets, 20260930, 20);
	assert_int_equal(result->unit_count, 4);
	assert_string_equal(result->units[1].site, b);
	assert_string_equal(result->units[1].unit, "UF1");
	assert_int_equal(result->units[1].accepted, 62);
	assert_int_equal(result->units[1].active_weeks, 12);
	assert_true(board_is_covered(&result->units[1]));
	assert_string_equal(result->units[2].unit, "UF9");
	assert_int_equal(result->units[2].discharges, 1);
	assert_int_equal(result->units[2].accepted, 0);
	assert_false(board_is_covered(&result->units[2]));
}

/* ---- which date counts ---- */

/* 1 900 documents were written in August, waited for an identity, and went in one hour of September. */
static void a_release_counts_in_the_month_that_the_basis_names(void **state)
{
	static const char text[] = HEAD "  - {id: accepted, numerator: {aggregate: documents, "
					"date_basis: accepted}, threshold: "
					"{kind: count, value: 1, per: month, status: internal}}\n"
					"  - {id: created, numerator: {aggregate: documents, "
					"date_basis: created}, threshold: "
					"{kind: count, value: 1, per: month, status: internal}}\n";
	scoped(targets_free) struct targets *targets = targets_of(text);
	scoped(board_result_free) struct board_result *august = NULL, *september = NULL;
	struct count_acceptance *all = xcalloc(1900, sizeof(*all));
	struct fixture *f = *state;
	struct count_changes changes = { .acceptances = all, .acceptance_count = 1900 };
	struct store_tally now;

	for (int i = 0; i < 1900; i++)
		all[i] = (struct count_acceptance){
			.root = i + 1,
			.current = i + 1,
			.outcome = COUNT_ACCEPTED,
			.accepted_ms = hour_of(20260914, 10) + i * 1000,
			.submitted_ms = hour_of(20260914, 10) + i * 1000,
			.attempts = 1,
			.facts = { .action = "submit",
				   .lane = first_entity,
				   .site = a,
				   .field = "MCO",
				   .unit = "",
				   .source = "DPI",
				   .type_code = "11490-0",
				   .received_ms = hour_of(20260820, 10),
				   .created_ms = hour_of(20260820, 9),
				   .ins_qualified = true },
		};
	ok(store_tally_now(f->store, &now, &err));
	changes.last = now.last;
	ok(store_begin(f->store, &err));
	ok(store_tally_apply(f->store, &now, &changes, &err));
	ok(store_commit(f->store, &err));
	free(all);

	september = board(f, targets, 20260930, 20);
	assert_int_equal(row_of(september, "s2", "accepted", a)->input.numerator, 1900);
	assert_int_equal(row_of(september, "s2", "created", a)->input.numerator, 0);
	august = board(f, targets, 20260831, 20);
	assert_int_equal(row_of(august, "s2", "accepted", a)->input.numerator, 0);
	assert_int_equal(row_of(august, "s2", "created", a)->input.numerator, 1900);
}

static void an_imported_rank(void **state)
{
	static const struct store_figure ranks[] = { { a, "MCO", 202607, 14 },
						     { a, "MCO", 202608, 9 },
						     { b, "MCO", 202608, 31 } };
	scoped(targets_free) struct targets *targets = targets_of(
		HEAD
		"  - {id: rang, denominator: rangs, threshold: {kind: rank, op: \"<=\", value: 10, "
		"status: internal}}\n");
	scoped(board_result_free) struct board_result *result = NULL;
	struct fixture *f = *state;

	import(f, FIGURES_DENOMINATOR, "rangs", 20260910, ranks, length_of(ranks));
	result = board(f, targets, 20260930, 20);
	assert_int_equal(row_of(result, "s2", "rang", a)->input.numerator, 9);
	assert_int_equal(row_of(result, "s2", "rang", a)->projection.state, TARGET_MET_NOW);
	assert_int_equal(row_of(result, "s2", "rang", b)->projection.state, TARGET_AT_RISK);
	assert_null(strstr(row_of(result, "s2", "rang", a)->english, "was imported"));
	assert_int_equal(row_of(result, "s2", "rang", c)->projection.state, TARGET_NO_DENOMINATOR);
	assert_non_null(strstr(row_of(result, "s2", "rang", c)->english,
			       "No figure of rangs was imported"));
}

static void without_targets_there_are_rates_alone(void **state)
{
	scoped(targets_free) struct targets *targets = targets_of("schema: usage-targets/1\n");
	scoped(board_result_free) struct board_result *result = NULL;
	scoped(buf_done) struct buf json = { 0 };
	struct fixture *f = *state;

	result = board(f, targets, 20260930, 20);
	assert_int_equal(result->row_count, 0);
	assert_int_equal(result->quality_count, 3);
	targets_write(result, &json);
	assert_non_null(strstr(json.p, "\"rows\":[]"));
	assert_non_null(strstr(json.p, "\"feed_rate_produced\":null"));
	buf_clear(&json);
	targets_write(NULL, &json);
	assert_string_equal(json.p, "{\"as_of\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_year_of_three_sites),
		test(what_waits_counts_as_the_rule_counts),
		test(what_is_said_of_it),
		test(denominators_by_month_reach_as_far_as_they_go),
		test(a_figure_that_came_before_its_month_was_over_is_of_a_part),
		test(a_month_that_the_window_cuts_counts_by_its_days),
		test(what_is_frozen_stays_and_the_new_revision_stands_beside_it),
		test(tiers_that_fall_are_reached_from_above),
		test(what_is_frozen_is_told_as_long_as_it_is_kept),
		test(what_was_frozen_and_cannot_be_read_is_said),
		test(stays_that_are_forgotten_are_missed),
		test(the_days_of_grace_are_days_of_paris),
		test(what_was_produced_long_ago_ends_with_the_window),
		test(official_counts_that_are_lower_are_told_by_type_and_month),
		test(rates_of_a_site_gross_and_addressable),
		test(letters_are_told_by_how_soon_they_came),
		test(units_of_which_nothing_comes_are_not_covered),
		test(a_release_counts_in_the_month_that_the_basis_names),
		test(an_imported_rank),
		test(without_targets_there_are_rates_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
