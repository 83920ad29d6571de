/* What the store counts: what is asked of it, and how the tables follow the ledger. */
#include "queue/order.h"
#include "queue/store_count.h"
#include "queue/store_sqlite.h"
#include "queue/store_stay.h"
#include "store_fixture.h"

enum { HOUR_MS = 3600000 };

static const char site[] = "990012345", other_site[] = "2A0000014";

/* ---- by hand ---- */

static int64_t at(const char *day, int hour) /* in Paris, in winter and on ordinary days */
{
	int number;

	assert_true(calendar_parse_day(slice_of(day), &number));
	return calendar_begins_ms(number) + (int64_t)hour * HOUR_MS;
}

static struct count_acceptance accepted(int64_t root, const char *day, const char *stay)
{
	static const char keys[][17] = { "0123456789abcdef", "1123456789abcdef" };

	return (struct count_acceptance){
		.root = root,
		.current = root,
		.outcome = COUNT_ACCEPTED,
		.accepted_ms = at(day, 12),
		.submitted_ms = at(day, 11),
		.attempts = 1,
		.facts = { .action = "submit",
			   .lane = lane,
			   .site = site,
			   .field = "MCO",
			   .unit = "UF12",
			   .source = "DPI",
			   .type_code = "11490-0",
			   .stay = stay ? slice_of(stay) : (struct slice){ 0 },
			   .patient = { keys[root % 2], 16 },
			   .received_ms = at(day, 10),
			   .created_ms = at(day, 9),
			   .ins_qualified = true },
	};
}

static int apply(struct fixture *f, const struct count_changes *changes)
{
	struct store_tally now;
	int applied = -1;

	ok(store_tally_now(f->store, &now, &err));
	ok(store_begin(f->store, &err));
	ok(applied = store_tally_apply(f->store, &now, changes, &err));
	ok(store_commit(f->store, &err));
	return applied;
}

static void add_number(void *arg, const struct store_number *number)
{
	buf_addf(arg, "%s/%s/%s %d: %lld\n", number->lane, number->site, number->field, number->day,
		 (long long)number->n);
}

#define assert_numbers(f, asked, expected)                                                         \
	do {                                                                                       \
		scoped(buf_done) struct buf said = { 0 };                                          \
		buf_add_text(&said, "");                                                           \
		ok(store_numerator((f)->store, (asked), add_number, &said, &err));                 \
		assert_string_equal(said.p, expected);                                             \
	} while (0)

static const char one_stay[] = "stay-of-16-bytes", another_stay[] = "STAY-OF-16-BYTES";

/* Six lineages: of one stay on two days, of another, of another type, of another site, deleted, without a
 * stay and in doubt.
 */
static void count_six(struct fixture *f)
{
	struct count_acceptance six[] = {
		accepted(1, "2026-10-05", one_stay),     accepted(2, "2026-10-06", one_stay),
		accepted(3, "2026-10-06", another_stay), accepted(4, "2026-10-07", one_stay),
		accepted(5, "2026-10-12", another_stay), accepted(6, "2026-10-13", NULL),
	};
	const struct count_changes changes = { .last = 0,
					       .acceptances = six,
					       .acceptance_count = 6 };

	six[0].facts.stay_end_ms = six[0].accepted_ms - 2 * HOUR_MS;
	six[1].facts.stay_end_ms = six[0].facts.stay_end_ms;
	six[2].facts.type_code = "11502-2";
	six[3].facts.site = other_site;
	six[3].facts.field = "PSY";
	six[4].deleted_ms = six[4].accepted_ms + HOUR_MS;
	six[4].facts.ins_qualified = false;
	six[5].outcome = COUNT_ACCEPTED_RECONCILED;
	assert_int_equal(apply(f, &changes), 1);
}

static struct store_numerator of_october(enum store_aggregate aggregate)
{
	return (struct store_numerator){ .from_ms = at("2026-10-01", 0),
					 .to_ms = at("2026-11-01", 0),
					 .aggregate = aggregate };
}

static void documents_are_counted_by_day(void **state)
{
	static const char *const type = "11502-2", *const field = "PSY", *const corse = other_site;
	struct store_numerator asked = of_october(STORE_DOCUMENTS);
	struct fixture *f = *state;

	count_six(f);
	assert_numbers(f, &asked,
		       "990000987/2A0000014/PSY 20261007: 1\n"
		       "990000987/990012345/MCO 20261005: 1\n"
		       "990000987/990012345/MCO 20261006: 2\n"
		       "990000987/990012345/MCO 20261012: 1\n"
		       "990000987/990012345/MCO 20261013: 1\n");
	asked.net_of_deletions = asked.not_reconciled = true;
	asked.by_lane = true;
	assert_numbers(f, &asked,
		       "990000987// 20261005: 1\n990000987// 20261006: 2\n"
		       "990000987// 20261007: 1\n");
	asked.types = (struct store_names){ &type, 1 };
	assert_numbers(f, &asked, "990000987// 20261006: 1\n");
	asked.types.count = 0;
	asked.sites = (struct store_names){ &corse, 1 };
	asked.fields = (struct store_names){ &field, 1 };
	assert_numbers(f, &asked, "990000987// 20261007: 1\n");
	asked.channel = "MSS_CIT";
	assert_numbers(f, &asked, "");
}

static void add_last(void *arg, const char *of, int64_t accepted_ms)
{
	buf_addf(arg, "%s %lld\n", of, (long long)(accepted_ms - at("2026-11-20", 0)) / HOUR_MS);
}

static void each_site_tells_its_last_acceptance(void **state)
{
	struct fixture *f = *state;
	struct count_acceptance list[] = { accepted(1, "2026-11-20", NULL),
					   accepted(2, "2026-11-21", NULL),
					   accepted(3, "2026-11-22", NULL) };
	struct count_changes changes = { .last = 1, .acceptances = list, .acceptance_count = 3 };
	scoped(buf_done) struct buf told = { 0 };

	list[2].facts.site = other_site;
	assert_int_equal(apply(f, &changes), 1);
	ok(store_last_accepted(f->store, 0, add_last, &told, &err));
	assert_string_equal(told.p, "2A0000014 60\n990012345 36\n");
	buf_clear(&told);
	ok(store_last_accepted(f->store, at("2026-11-21", 12), add_last, &told, &err));
	assert_string_equal(told.p, "2A0000014 60\n");

	buf_clear(&told);
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, &(struct store_alias){ "990012345", "990054321" }, 1,
			      &err));
	ok(store_commit(f->store, &err));
	ok(store_last_accepted(f->store, 0, add_last, &told, &err));
	assert_string_equal(told.p,
			    "2A0000014 60\n990054321 36\n"); /* it is that of its former number */
}

static void stays_patients_and_weeks_are_counted_once(void **state)
{
	struct store_numerator asked = of_october(STORE_STAYS);
	struct fixture *f = *state;

	count_six(f);
	assert_numbers(f, &asked,
		       "990000987/2A0000014/PSY 20261007: 1\n"
		       "990000987/990012345/MCO 20261005: 1\n"
		       "990000987/990012345/MCO 20261006: 1\n");
	asked.by_lane = true; /* a stay on two sites is one */
	assert_numbers(f, &asked, "990000987// 20261005: 1\n990000987// 20261006: 1\n");
	asked = of_october(STORE_PATIENTS);
	assert_numbers(f, &asked,
		       "990000987/2A0000014/PSY 20261007: 1\n"
		       "990000987/990012345/MCO 20261005: 1\n"
		       "990000987/990012345/MCO 20261006: 1\n");
	asked = of_october(STORE_WEEKS);
	assert_numbers(f, &asked,
		       "990000987/2A0000014/ 20261005: 1\n"
		       "990000987/990012345/ 20261005: 1\n"
		       "990000987/990012345/ 20261012: 1\n");
}

static void identity_delay_and_basis_are_filters(void **state)
{
	struct store_numerator asked = of_october(STORE_DOCUMENTS);
	struct fixture *f = *state;

	count_six(f);
	asked.by_lane = asked.ins_qualified = true;
	asked.from_ms = at("2026-10-12", 0);
	assert_numbers(f, &asked, "990000987// 20261013: 1\n");

	asked = of_october(STORE_DOCUMENTS);
	asked.by_lane = asked.has_most_delay = true;
	asked.most_delay_ms = 2 * HOUR_MS; /* the second of that stay came a day later */
	assert_numbers(f, &asked, "990000987// 20261005: 1\n");

	asked = of_october(STORE_DOCUMENTS);
	asked.by_lane = true;
	asked.basis = STORE_BY_SUBMITTED;
	asked.from_ms = at("2026-10-05", 11);
	asked.to_ms = asked.from_ms + 1;
	assert_numbers(f, &asked, "990000987// 20261005: 1\n");
	asked.basis = STORE_BY_CREATED;
	assert_numbers(f, &asked, "");
	asked.basis = STORE_BY_STAY_END;
	asked.from_ms = at("2026-10-05", 10);
	asked.to_ms = asked.from_ms + 1;
	assert_numbers(f, &asked, "990000987// 20261005: 2\n");
}

/* The stay ended on the last day of the window, the document came eight days later. */
static void a_late_document_counts_for_its_stay_within_the_grace(void **state)
{
	struct count_acceptance late = accepted(1, "2026-11-08", one_stay);
	const struct count_changes changes = { .acceptances = &late, .acceptance_count = 1 };
	struct store_numerator asked = of_october(STORE_STAYS);
	struct fixture *f = *state;

	late.facts.stay_end_ms = at("2026-10-31", 12);
	assert_int_equal(apply(f, &changes), 1);
	assert_numbers(f, &asked, "");
	asked.late_grace_days = 7;
	assert_numbers(f, &asked, "");
	asked.late_grace_days = 30;
	assert_numbers(f, &asked, "990000987/990012345/MCO 20261108: 1\n");

	asked.from_ms = at("2026-11-01", 0); /* and for that window alone */
	asked.to_ms = at("2026-12-01", 0);
	assert_numbers(f, &asked, "");
}

/* ---- sites ---- */

static void add_cell(void *arg, const struct count_cell *cell, const char *current)
{
	char day[CALENDAR_TEXT];

	buf_addf(arg, "%s %s=%s %s %s %s %s %s: %lld\n", cell->lane, cell->site, current,
		 cell->field, cell->type_code, cell->channel, count_outcome_text(cell->outcome),
		 cell->day > 999999 ? calendar_day_text(cell->day, day)
				    : calendar_month_text(cell->day, day),
		 (long long)cell->n);
}

static struct count_cell cell(const char *of_site, int day, int64_t n)
{
	return (struct count_cell){ .lane = lane,
				    .site = of_site,
				    .field = "MCO",
				    .type_code = "11490-0",
				    .channel = COUNT_CHANNEL_DMP,
				    .outcome = COUNT_RECEIVED,
				    .day = day,
				    .n = n };
}

static void a_renumbered_site_is_one_and_both_numbers_are_told(void **state)
{
	static const struct store_alias aliases[] = { { "990012345", "2A0000014" } };
	const struct count_cell cells[] = { cell(site, 20261005, 3), cell(other_site, 20261005, 4),
					    cell(site, 20261101, 5) };
	const struct count_changes changes = { .cells = cells, .cell_count = 3 };
	const struct store_produced produced = { .from_day = 20261001, .to_day = 20261031 };
	struct store_numerator asked = of_october(STORE_STAYS);
	scoped(buf_done) struct buf out = { 0 };
	struct fixture *f = *state;

	count_six(f);
	assert_int_equal(apply(f, &changes), 1);
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, aliases, 1, &err));
	ok(store_commit(f->store, &err));

	assert_numbers(
		f, &asked, /* the stay of both is one now */
		"990000987/2A0000014/MCO 20261005: 1\n990000987/2A0000014/MCO 20261006: 1\n");
	ok(store_produced(f->store, &produced, add_number, &out, &err));
	ok(store_counters(f->store, 20261001, 20261031, add_cell, &out, &err));
	ok(store_counters_by_month(f->store, 202610, 202612, add_cell, &out, &err));
	assert_string_equal(out.p,
			    "990000987/2A0000014/MCO 20261005: 7\n"
			    "990000987 2A0000014=2A0000014 MCO 11490-0 DMP RECEIVED 2026-10-05: 4\n"
			    "990000987 990012345=2A0000014 MCO 11490-0 DMP RECEIVED 2026-10-05: 3\n"
			    "990000987 2A0000014=2A0000014 MCO 11490-0 DMP RECEIVED 2026-10: 4\n"
			    "990000987 990012345=2A0000014 MCO 11490-0 DMP RECEIVED 2026-10: 3\n"
			    "990000987 990012345=2A0000014 MCO 11490-0 DMP RECEIVED 2026-11: 5\n");
}

/* ---- stays ---- */

static void note_stay(struct fixture *f, const char *number, const char *ends, bool cancelled)
{
	const struct store_stay stay = { .lane = lane,
					 .number = number,
					 .exists = cancelled ? STORE_SAID_NO : STORE_SAID_YES,
					 .ended = STORE_SAID_YES,
					 .end_ms = at(ends, 14),
					 .has_place = true,
					 .site = site,
					 .unit = "UF12",
					 .field = "MCO",
					 .now_ms = f->now_ms };

	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, &stay, &err));
	ok(store_commit(f->store, &err));
}

#define assert_ended(f, asked, expected)                                                           \
	do {                                                                                       \
		scoped(buf_done) struct buf said = { 0 };                                          \
		buf_add_text(&said, "");                                                           \
		ok(store_stays_ended((f)->store, (asked), add_number, &said, &err));               \
		assert_string_equal(said.p, expected);                                             \
	} while (0)

static void a_stay_ends_when_the_adt_says_so(void **state)
{
	const struct count_stay told = { slice_of(one_stay), lane, site, "", "MCO",
					 at("2026-10-20", 8) };
	const struct count_changes changes = { .stays = &told, .stay_count = 1 };
	struct store_ended asked = { .from_ms = at("2026-10-01", 0), .to_ms = at("2026-11-01", 0) };
	struct fixture *f = *state;

	assert_int_equal(apply(f, &changes), 1);
	note_stay(f, "V1", "2026-10-05", false);
	note_stay(f, "V2", "2026-10-05", false);
	note_stay(f, "V3", "2026-11-05", false);
	assert_ended(f, &asked,
		     "990000987/990012345/MCO 20261005: 2\n990000987/990012345/MCO 20261020: 1\n");
	note_stay(f, "V1", "2026-10-06", false); /* the last word counts */
	note_stay(f, "V2", "2026-10-05", true);
	asked.adt_only = true;
	assert_ended(f, &asked, "990000987/990012345/MCO 20261006: 1\n");
}

static int keep_stay(void *arg, const struct count_event *event, struct err *error)
{
	(void)error;
	buf_add(arg, event->facts.stay);
	return 0;
}

/* What a document of a stay says is what an ADT says, under one key, which the number cannot be read from. */
static void a_document_and_an_adt_name_one_stay(void **state)
{
	struct store_arrival one;
	struct store_ended asked = { .from_ms = at("2026-10-01", 0), .to_ms = at("2026-11-01", 0) };
	struct fixture *f = *state;
	scoped(buf_done) struct buf seen = { 0 };
	uint8_t key[16];
	struct count_stay told = { { (const char *)key, 16 }, lane, site, "", "MCO", 0 };
	const struct count_changes changes = { .last = 1, .stays = &told, .stay_count = 1 };

	one = arrival(f, "1.2.3", "body");
	one.facts = (struct store_facts){ .stay = "V88001", .field = "MCO", .ins_qualified = true };
	take_in(f, &one);
	ok(store_tally_read(f->store, 0, 10, keep_stay, &seen, &err));
	assert_int_equal(seen.n, 16);
	memcpy(key, seen.p, 16);
	told.end_ms = at("2026-10-09", 9);
	assert_int_equal(apply(f, &changes), 1);
	assert_ended(f, &asked, "990000987/990012345/MCO 20261009: 1\n");
	note_stay(f, "V88001", "2026-10-12", false);
	assert_ended(f, &asked, "990000987/990012345/MCO 20261012: 1\n");
}

static int keep_return(void *arg, const struct count_event *event, struct err *error)
{
	(void)error;
	if (strcmp(event->what, "retried") == 0)
		buf_addf(arg, "%s%lld", event->was_out ? " out " : " in ", (long long)event->seq);
	return 0;
}

static void give(struct fixture *f, struct ulid doc, enum order order)
{
	const struct store_order its = {
		.doc = doc, .order = order, .force = true, .actor = "", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
}

/* Whoever cancels a document takes it out of the counts; tried again, it is in them. What other documents went
 * through in between is no matter, nor what was never out.
 */
static void what_is_tried_again_was_out_if_it_was_cancelled(void **state)
{
	struct fixture *f = *state;
	const struct ulid one = queue_one(f, "1.2.3.1"), two = queue_one(f, "1.2.3.2"),
			  three = queue_one(f, "1.2.3.3");
	struct store_arrival next = arrival(f, "1.2.3.4", "body");
	scoped(buf_done) struct buf seen = { 0 };

	next.follows = "1.2.3.3";
	next.action = "replace";
	next.supersedes = true;
	take_in(f, &next); /* a new version takes its place: it is cancelled for that */
	give(f, one, ORDER_CANCEL);
	give(f, two, ORDER_RETRY);
	give(f, one, ORDER_RETRY);
	give(f, one, ORDER_RETRY);
	give(f, two, ORDER_CANCEL);
	give(f, three, ORDER_RETRY);
	give(f, two, ORDER_RETRY);
	ok(store_tally_read(f->store, 0, 100, keep_return, &seen, &err));
	assert_string_equal(seen.p, " in 2 out 1 in 1 out 3 out 2");
}

/* Beside stays that ADT tells of, those of documents alone would be more than all. */
static void stays_that_no_adt_told_of_can_be_left_out(void **state)
{
	struct store_numerator asked = of_october(STORE_STAYS);
	struct fixture *f = *state;
	struct store_patient known;
	struct count_acceptance two[] = { accepted(1, "2026-10-05", one_stay),
					  accepted(2, "2026-10-06", another_stay) };
	const struct count_changes changes = { .acceptances = two, .acceptance_count = 2 };

	note_stay(f, "V88001", "2026-10-05", false);
	ok(store_find_stay(f->store, lane, "V88001", &known, &err));
	two[0].facts.stay = store_patient_key(&known);
	assert_int_equal(apply(f, &changes), 1);
	assert_numbers(f, &asked,
		       "990000987/990012345/MCO 20261005: 1\n"
		       "990000987/990012345/MCO 20261006: 1\n");
	asked.adt_only = true;
	assert_numbers(f, &asked, "990000987/990012345/MCO 20261005: 1\n");
}

/* As the stays that have ended are: else one of two sites has more than all, and the other too few. */
static void a_stay_that_an_adt_told_of_counts_where_it_ended(void **state)
{
	static const char *const corse = other_site, *const here = site, *const unit = "UF12";
	struct store_numerator asked = of_october(STORE_STAYS);
	struct fixture *f = *state;
	struct store_patient known;
	struct count_acceptance elsewhere[] = { accepted(1, "2026-10-06", one_stay) };
	const struct count_changes changes = { .acceptances = elsewhere, .acceptance_count = 1 };

	note_stay(f, "V88001", "2026-10-05", false);
	ok(store_find_stay(f->store, lane, "V88001", &known, &err));
	elsewhere[0].facts.stay = store_patient_key(&known);
	elsewhere[0].facts.site = other_site;
	elsewhere[0].facts.field = "SMR";
	elsewhere[0].facts.unit = "UF99";
	assert_int_equal(apply(f, &changes), 1);
	assert_numbers(f, &asked, "990000987/2A0000014/SMR 20261006: 1\n");
	asked.adt_only = true;
	assert_numbers(f, &asked, "990000987/990012345/MCO 20261006: 1\n");
	asked.units = (struct store_names){ &unit, 1 };
	asked.sites = (struct store_names){ &here, 1 };
	assert_numbers(f, &asked, "990000987/990012345/MCO 20261006: 1\n");
	asked.sites = (struct store_names){ &corse, 1 };
	assert_numbers(f, &asked, "");
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, &(struct store_alias){ here, corse }, 1, &err));
	ok(store_commit(f->store, &err));
	assert_numbers(f, &asked, "990000987/2A0000014/MCO 20261006: 1\n");
}

/* ---- the mark ---- */

static void what_was_read_at_another_mark_is_not_applied(void **state)
{
	const struct count_cell cells[] = { cell(site, 20261005, 3) };
	const struct count_changes changes = { .last = 2, .cells = cells, .cell_count = 1 };
	scoped(buf_done) struct buf out = { 0 };
	struct fixture *f = *state;
	struct store_tally before, now;
	int applied = -1;

	queue_one(f, "1.2.3");
	queue_one(f, "1.2.4");
	ok(store_tally_now(f->store, &before, &err));
	assert_int_equal(before.last, 0);
	assert_int_equal(before.newest, 2);
	assert_int_equal(apply(f, &changes), 1);

	ok(store_begin(f->store, &err));
	ok(applied = store_tally_apply(f->store, &before, &changes, &err));
	assert_int_equal(applied, 0);
	ok(store_commit(f->store, &err));
	ok(store_tally_now(f->store, &now, &err));
	assert_int_equal(now.last, 2);
	assert_int_equal(now.until_ms, f->now_ms);
	ok(store_counters(f->store, 20261001, 20261031, add_cell, &out, &err));
	assert_string_equal(
		out.p, "990000987 990012345=990012345 MCO 11490-0 DMP RECEIVED 2026-10-05: 3\n");
}

static void counting_anew_empties_little_by_little(void **state)
{
	const struct count_cell cells[] = { cell(site, 20261005, 3), cell(site, 20261006, 3) };
	const struct count_root roots[] = { { 2, 1 }, { 3, 1 } };
	const struct count_stay told = { slice_of(one_stay), lane, site, "", "MCO",
					 at("2026-10-20", 8) };
	const struct count_changes changes = { .cells = cells,
					       .cell_count = 2,
					       .roots = roots,
					       .root_count = 2,
					       .stays = &told,
					       .stay_count = 1 };
	const struct store_ended asked = { .from_ms = at("2026-10-01", 0),
					   .to_ms = at("2026-11-01", 0) };
	struct store_numerator october = of_october(STORE_DOCUMENTS);
	scoped(buf_done) struct buf out = { 0 };
	struct fixture *f = *state;
	struct store_tally now;
	int more = 1, rounds = 0;

	count_six(f);
	assert_int_equal(apply(f, &changes), 1);
	note_stay(f, "V1", "2026-10-05", false);
	ok(store_begin(f->store, &err));
	ok(store_tally_again(f->store, "root (0)", f->now_ms, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(apply(f, &changes), 0); /* not while the old numbers go */
	ok(store_tally_now(f->store, &now, &err));
	assert_true(now.is_emptying);
	for (; more > 0; rounds++) {
		ok(store_begin(f->store, &err));
		ok(more = store_tally_empty(f->store, 4, &err));
		ok(store_commit(f->store, &err));
	}
	assert_int_equal(rounds, 1 + 1 + 2 + 1 + 1 + 1); /* days, month, acceptances, … */
	ok(store_tally_now(f->store, &now, &err));
	assert_false(now.is_emptying);
	assert_int_equal(now.last, 0);
	assert_int_equal(now.edition, 2);
	assert_numbers(f, &october, "");
	assert_ended(f, &asked, "990000987/990012345/MCO 20261005: 1\n"); /* the ADT's stays */
	ok(store_counters(f->store, 0, 99999999, add_cell, &out, &err));
	ok(store_counters_by_month(f->store, 0, 999999, add_cell, &out, &err));
	assert_int_equal(out.n, 0);
}

static void old_days_go_and_months_stay(void **state)
{
	const struct count_cell cells[] = { cell(site, 20250930, 1), cell(site, 20251001, 2),
					    cell(site, 20251002, 4) };
	const struct count_changes changes = { .cells = cells, .cell_count = 3 };
	scoped(buf_done) struct buf out = { 0 };
	struct fixture *f = *state;
	int more = 1, rounds = 0;

	assert_int_equal(apply(f, &changes), 1);
	for (; more > 0; rounds++) {
		ok(store_begin(f->store, &err));
		ok(more = store_tally_forget(f->store, 20251002, 1, &err));
		ok(store_commit(f->store, &err));
	}
	assert_int_equal(rounds, 3);
	ok(store_counters(f->store, 0, 99999999, add_cell, &out, &err));
	ok(store_counters_by_month(f->store, 0, 999999, add_cell, &out, &err));
	assert_string_equal(out.p,
			    "990000987 990012345=990012345 MCO 11490-0 DMP RECEIVED 2025-10-02: 4\n"
			    "990000987 990012345=990012345 MCO 11490-0 DMP RECEIVED 2025-09: 1\n"
			    "990000987 990012345=990012345 MCO 11490-0 DMP RECEIVED 2025-10: 6\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(documents_are_counted_by_day),
		test(each_site_tells_its_last_acceptance),
		test(stays_patients_and_weeks_are_counted_once),
		test(identity_delay_and_basis_are_filters),
		test(a_late_document_counts_for_its_stay_within_the_grace),
		test(a_renumbered_site_is_one_and_both_numbers_are_told),
		test(a_stay_ends_when_the_adt_says_so),
		test(a_document_and_an_adt_name_one_stay),
		test(what_is_tried_again_was_out_if_it_was_cancelled),
		test(stays_that_no_adt_told_of_can_be_left_out),
		test(a_stay_that_an_adt_told_of_counts_where_it_ended),
		test(what_was_read_at_another_mark_is_not_applied),
		test(counting_anew_empties_little_by_little),
		test(old_days_go_and_months_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
