/* What follows the ledger: from documents that come and go, through the store, to what is asked of it. */
#include <sqlite3.h>

#include "queue/store_export.h"
#include "queue/store_stay.h"
#include "queue/store_target.h"
#include "store_fixture.h"
#include "tally.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS, MANY = 1900 };

/* ---- counting ---- */

/* Up to the end of the ledger, in pieces of so many rows. */
static void count_all(struct fixture *f, size_t most)
{
	int more = 1;

	while (more > 0) {
		scoped(counters_free) struct counters *counters = NULL;
		struct store_tally now;
		int applied = 0;

		ok(more = tally_fold(f->store, most, &now, &counters, &err));
		if (more > 0) {
			const struct count_changes changes = counters_changes(counters);

			ok(store_begin(f->store, &err));
			ok(applied = store_tally_apply(f->store, &now, &changes, &err));
			ok(store_commit(f->store, &err));
			assert_int_equal(applied, 1);
		}
	}
}

static void count_anew(struct fixture *f, size_t most)
{
	int more = 1;

	ok(store_begin(f->store, &err));
	ok(store_tally_again(f->store, "root (0)", f->now_ms, &err));
	while (more > 0)
		ok(more = store_tally_empty(f->store, 7, &err));
	ok(store_commit(f->store, &err));
	count_all(f, most);
}

static int add_values(void *out, int count, char **values, char **names)
{
	(void)names;
	for (int i = 0; i < count; i++)
		buf_addf(out, "%s|", values[i] ? values[i] : "");
	buf_add_char(out, '\n');
	return 0;
}

static int read_sum(void *sum, int count, char **values, char **names)
{
	(void)count, (void)names;
	*(int64_t *)sum = values[0] ? atoll(values[0]) : 0;
	return 0;
}

static int64_t sum_of(sqlite3 *db, const char *outcomes)
{
	scoped(free_ptr) char *query =
		xasprintf("SELECT sum(n) FROM counter_month WHERE outcome IN (%s)", outcomes);
	int64_t sum = -1;

	assert_int_equal(sqlite3_exec(db, query, read_sum, &sum, NULL), SQLITE_OK);
	assert_true(sum > 0);
	return sum;
}

static void count_evidence(void *arg, const struct store_evidence *evidence)
{
	assert_true(evidence->submitted_ms <= evidence->accepted_ms);
	++*(int64_t *)arg;
}

/* In portions of so many rows of the ledger. */
static int64_t evidence_of_all(struct fixture *f, size_t most)
{
	uint64_t before, last = 0;
	int64_t count = 0;

	do {
		before = last;
		ok(store_evidence(f->store, before, most, INT64_MIN, INT64_MAX, count_evidence,
				  &count, &last, &err));
	} while (last != before);
	return count;
}

/* Every derived row, byte for byte. */
static void dump(struct fixture *f, struct buf *out)
{
	static const char *const queries[] = {
		"SELECT * FROM counter_day ORDER BY 1, 2, 3, 4, 5, 6, 7",
		"SELECT * FROM counter_month ORDER BY 1, 2, 3, 4, 5, 6, 7",
		"SELECT *, hex(stay), hex(patient) FROM acceptance ORDER BY root",
		"SELECT * FROM counter_rejection ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
		"SELECT * FROM lineage ORDER BY seq",
		"SELECT *, hex(key) FROM stay ORDER BY source, key",
		"SELECT last, until_ms FROM tally",
	};
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (size_t i = 0; i < length_of(queries); i++)
		if (sqlite3_exec(db, queries[i], add_values, out, NULL) != SQLITE_OK)
			fail_msg("%s: %s", queries[i], sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* What is told in parts, and what proves it, are the counters to the unit. */
static void parts_come_to_the_whole(struct fixture *f)
{
	static const char rejections[] =
		"SELECT month, lane, site, type_code, outcome, sum(n) FROM counter_rejection"
		" GROUP BY 1, 2, 3, 4, 5 EXCEPT"
		" SELECT month, lane, site, type_code, outcome, sum(n) FROM counter_month"
		" GROUP BY 1, 2, 3, 4, 5";
	static const char cells[] =
		"SELECT month, lane, site, type_code, outcome, sum(n) FROM counter_month"
		" WHERE outcome IN ('BLOCKED_INS_NOT_QUALIFIED', 'EXPIRED')"
		" OR outcome LIKE 'REFUSED%' OR outcome LIKE 'REJECTED%'"
		" GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) > 0 EXCEPT"
		" SELECT month, lane, site, type_code, outcome, sum(n) FROM counter_rejection"
		" GROUP BY 1, 2, 3, 4, 5";
	/* where its first version came: what was sent after a deletion is none of it, and brought none */
	static const char received[] =
		"SELECT r.lane, r.site, r.field, r.type_code, count(*) FROM document r"
		" WHERE NOT EXISTS (SELECT 1 FROM lineage g WHERE g.seq = r.seq) AND r.action <> "
		"'delete'"
		" AND (EXISTS (SELECT 1 FROM acceptance a WHERE a.root = r.seq) OR EXISTS (SELECT 1"
		"  FROM document d LEFT JOIN lineage g USING (seq) WHERE coalesce(g.root, d.seq) = "
		"r.seq"
		"  AND d.action <> 'delete' AND d.state NOT IN ('cancelled', 'suppressed')))"
		" GROUP BY 1, 2, 3, 4 EXCEPT SELECT lane, site, field, type_code, sum(n)"
		" FROM counter_month WHERE outcome = 'RECEIVED' GROUP BY 1, 2, 3, 4";
	static const char *const queries[] = { rejections, cells, received };
	scoped(buf_done) struct buf odd = { 0 };
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (size_t i = 0; i < length_of(queries); i++)
		if (sqlite3_exec(db, queries[i], add_values, &odd, NULL) != SQLITE_OK)
			fail_msg("%s", sqlite3_errmsg(db));
	if (odd.n > 0)
		fail_msg("%s", odd.p);
	assert_int_equal(evidence_of_all(f, 37), sum_of(db, "'ACCEPTED', 'ACCEPTED_RECONCILED',"
							    " 'REPLACED_OK'"));
	sqlite3_close(db);
}

static void add_number(void *arg, const struct store_number *number)
{
	buf_addf(arg, "%s %d: %lld\n", number->site, number->day, (long long)number->n);
}

#define assert_asked(f, asked, expected)                                                           \
	do {                                                                                       \
		scoped(buf_done) struct buf said = { 0 };                                          \
		buf_add_text(&said, "");                                                           \
		ok(store_numerator((f)->store, (asked), add_number, &said, &err));                 \
		assert_string_equal(said.p, expected);                                             \
	} while (0)

/* ---- documents ---- */

static int64_t begins(const char *day)
{
	int number = 0;

	assert_true(calendar_parse_day(slice_of(day), &number));
	return calendar_begins_ms(number);
}

static struct store_arrival of_stay(struct fixture *f, const char *unique_id, const char *stay)
{
	struct store_arrival one = arrival(f, unique_id, unique_id);

	one.ins = "190017400000123";
	one.ins_oid = "1.2.250.1.213.1.4.10";
	one.facts = (struct store_facts){ .field = "MCO",
					  .unit = "UF12",
					  .stay = stay,
					  .stay_end_ms = f->now_ms - HOUR_MS,
					  .created_ms = f->now_ms - 2 * HOUR_MS,
					  .ins_qualified = true };
	return one;
}

static void deliver(struct fixture *f)
{
	struct store_due due[1];
	struct store_outcome done;
	int64_t next_ms;

	while (claim(f, 1, due, &next_ms) == 1) {
		done = outcome(f, due[0].doc, DOC_DELIVERED);
		settle(f, &done);
	}
}

static void bring(struct fixture *f, const char *unique_id, const char *action, const char *follows)
{
	struct store_arrival one = of_stay(f, unique_id, "V88001");

	one.action = action;
	one.follows = follows;
	take_in(f, &one);
	deliver(f);
}

static struct store_numerator in_window(const char *from, const char *to, enum store_aggregate what)
{
	return (struct store_numerator){ .from_ms = begins(from),
					 .to_ms = begins(to),
					 .aggregate = what };
}

/* ---- the acceptance tests of counting ---- */

static void five_versions_count_once(void **state)
{
	static const char *const ids[] = { "1.1", "1.2", "1.3", "1.4", "1.5" };
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };
	struct store_numerator asked = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);

	for (size_t i = 0; i < length_of(ids); i++)
		bring(f, ids[i], i ? "replace" : "submit", i ? ids[i - 1] : "");
	count_all(f, 1);
	assert_asked(f, &asked, "990012345 20261120: 1\n");
	dump(f, &out);
	assert_non_null(strstr(out.p, "|DMP|ACCEPTED|1|"));
	assert_non_null(strstr(out.p, "|DMP|REPLACED_OK|4|"));
}

static void a_deleted_document_satisfies_its_stay_no_longer(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };
	struct store_numerator gross = in_window("2026-11-01", "2026-12-01", STORE_STAYS);
	struct store_numerator net = gross;

	net.net_of_deletions = true;
	bring(f, "1.1", "submit", "");
	count_all(f, 100);
	assert_asked(f, &net, "990012345 20261120: 1\n");
	f->now_ms += 20 * (int64_t)DAY_MS;
	bring(f, "1.1", "delete", "1.1");
	count_all(f, 100);
	assert_asked(f, &net, "");
	assert_asked(f, &gross, "990012345 20261120: 1\n");
	dump(f, &out);
	assert_non_null(strstr(out.p, "202611|990000987|990012345|MCO|11490-0|DMP|ACCEPTED|1|"));
	assert_non_null(strstr(out.p, "202612|990000987|990012345|MCO|11490-0|DMP|DELETED_OK|1|"));

	bring(f, "1.2", "submit", ""); /* another of the stay */
	count_all(f, 100);
	net.to_ms = begins("2027-01-01");
	assert_asked(f, &net, "990012345 20261210: 1\n");
}

/* A month that was reported stays what it was: the deletion is less in its own month. What is counted by its
 * stay is taken off where it counted.
 */
static void a_deleted_document_is_taken_off_when_it_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct store_numerator november = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);
	struct store_numerator december = in_window("2026-12-01", "2027-01-01", STORE_DOCUMENTS);
	struct store_numerator both = in_window("2026-11-01", "2027-01-01", STORE_DOCUMENTS);

	november.net_of_deletions = december.net_of_deletions = both.net_of_deletions = true;
	bring(f, "1.1", "submit", "");
	bring(f, "1.2", "submit", "");
	f->now_ms += 20 * (int64_t)DAY_MS;
	bring(f, "1.1", "delete", "1.1");
	count_all(f, 100);
	assert_asked(f, &november, "990012345 20261120: 2\n");
	assert_asked(f, &december, "990012345 20261210: -1\n");
	assert_asked(f, &both, "990012345 20261120: 2\n990012345 20261210: -1\n");
	november.basis = december.basis = STORE_BY_SUBMITTED;
	assert_asked(f, &november, "990012345 20261120: 2\n");
	assert_asked(f, &december, "990012345 20261210: -1\n");
	november.basis = december.basis = STORE_BY_STAY_END;
	assert_asked(f, &november, "990012345 20261120: 1\n");
	assert_asked(f, &december, "");
	november.basis = december.basis = STORE_BY_ACCEPTED;
	november.late_grace_days = december.late_grace_days = 8;
	assert_asked(f, &november, "990012345 20261120: 1\n");
	assert_asked(f, &december, "");
}

static void add_awaited(void *arg, const struct store_awaited *awaited)
{
	*(int64_t *)arg += awaited->n;
}

static int64_t awaited(struct fixture *f, const struct store_numerator *asked)
{
	int64_t sum = 0;

	count_all(f, 100);
	ok(store_awaited(f->store, asked, f->now_ms, add_awaited, &sum, &err));
	return sum;
}

static void let_in(struct fixture *f, const char *unique_id, const char *action,
		   const char *follows)
{
	struct store_arrival one = of_stay(f, unique_id, "V88001");

	one.action = action;
	one.follows = follows;
	take_in(f, &one);
}

/* Of versions that wait one after the other the lineage counts once; of what the DMP has, none does. */
static void versions_that_wait_would_count_once(void **state)
{
	struct fixture *f = *state;
	struct store_numerator asked = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);

	let_in(f, "1.1", "submit", "");
	assert_int_equal(awaited(f, &asked), 1);
	let_in(f, "1.2", "replace", "1.1");
	let_in(f, "2.1", "submit", "");
	assert_int_equal(awaited(f, &asked), 2);
	asked.aggregate = STORE_STAYS;
	assert_int_equal(awaited(f, &asked), 1);
	asked.aggregate = STORE_PATIENTS;
	assert_int_equal(awaited(f, &asked), 1);
	asked.from_ms = begins("2026-12-01");
	asked.to_ms = begins("2027-01-01");
	assert_int_equal(awaited(f, &asked), 0); /* not today */
	asked = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);
	deliver(f);
	let_in(f, "1.3", "replace", "1.2");
	assert_int_equal(awaited(f, &asked), 0);
	let_in(f, "3.1", "submit", "");
	assert_int_equal(awaited(f, &asked), 1);
	asked.aggregate = STORE_STAYS; /* it has two already */
	assert_int_equal(awaited(f, &asked), 0);
}

static void count_quality(void *arg, const struct store_quality *quality)
{
	*(struct store_quality *)arg = *quality;
}

static struct store_quality quality_of(struct fixture *f, int64_t hidden_before_ms)
{
	struct store_quality quality = { 0 };

	ok(store_quality(f->store, 0, hidden_before_ms, count_quality, &quality, &err));
	return quality;
}

/* Hidden from the patient at first, it counts, and its stay has its letter, when the DMP accepts it. The version
 * that shows it adds nothing but itself, a replacement: one more to the gross sum, for the DMP has stored it.
 */
static void what_was_hidden_and_is_shown_counts_once(void **state)
{
	struct fixture *f = *state;
	struct store_numerator documents = in_window("2026-11-01", "2027-01-01", STORE_DOCUMENTS);
	struct store_numerator stays = in_window("2026-11-01", "2027-01-01", STORE_STAYS);
	struct store_arrival hidden = of_stay(f, "1.1", "V88001");
	scoped(buf_done) struct buf out = { 0 };

	documents.net_of_deletions = stays.net_of_deletions = true;
	hidden.invisible = true;
	take_in(f, &hidden);
	deliver(f);
	count_all(f, 100);
	assert_asked(f, &documents, "990012345 20261120: 1\n");
	assert_asked(f, &stays, "990012345 20261120: 1\n");
	assert_int_equal(quality_of(f, f->now_ms).still_invisible, 0); /* not for that long */
	assert_int_equal(quality_of(f, f->now_ms + 1).still_invisible, 1);

	f->now_ms += 20 * (int64_t)DAY_MS;
	bring(f, "1.2", "replace", "1.1");
	count_all(f, 100);
	assert_asked(f, &documents, "990012345 20261120: 1\n");
	assert_asked(f, &stays, "990012345 20261120: 1\n");
	dump(f, &out);
	assert_non_null(strstr(out.p, "202611|990000987|990012345|MCO|11490-0|DMP|ACCEPTED|1|"));
	assert_non_null(strstr(out.p, "202612|990000987|990012345|MCO|11490-0|DMP|REPLACED_OK|1|"));
	assert_null(strstr(out.p, "202612|990000987|990012345|MCO|11490-0|DMP|ACCEPTED"));
	assert_int_equal(quality_of(f, f->now_ms + 1).invisible, 1); /* it was, at first; */
	assert_int_equal(quality_of(f, f->now_ms + 1).still_invisible, 0);
}

/* An external visit: it counts as a document and for its patient, and no stay is satisfied by it. */
static void a_document_without_a_stay_counts_and_satisfies_none(void **state)
{
	struct fixture *f = *state;
	struct store_numerator asked = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);
	struct store_arrival visit = of_stay(f, "1.1", "");
	scoped(buf_done) struct buf out = { 0 };

	visit.facts.stay_end_ms = 0;
	take_in(f, &visit);
	deliver(f);
	count_all(f, 100);
	asked.net_of_deletions = true;
	assert_asked(f, &asked, "990012345 20261120: 1\n");
	asked.aggregate = STORE_PATIENTS;
	assert_asked(f, &asked, "990012345 20261120: 1\n");
	asked.aggregate = STORE_STAYS;
	assert_asked(f, &asked, "");
	dump(f, &out);
	assert_non_null(strstr(out.p, "202611|990000987|990012345|MCO|11490-0|DMP|ACCEPTED|1|"));
}

/* ---- transfers ---- */

static void note_stay(struct fixture *f, const char *number, const char *site, const char *ins,
		      int64_t start_ms, int64_t end_ms)
{
	const struct store_stay stay = { .lane = lane,
					 .number = number,
					 .ins = ins,
					 .ins_oid = "1.2.250.1.213.1.4.10",
					 .said_ms = f->now_ms,
					 .exists = STORE_SAID_YES,
					 .ended = STORE_SAID_YES,
					 .counts = STORE_SAID_YES,
					 .has_place = true,
					 .site = site,
					 .unit = "UF12",
					 .field = "MCO",
					 .start_ms = start_ms,
					 .end_ms = end_ms,
					 .now_ms = f->now_ms };

	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, &stay, &err));
	ok(store_commit(f->store, &err));
}

/* The letter is of the second stay, at 990012345. Its patient came there from 010003720, at once; another
 * patient of that day did too; two days before, the same patient had left 2A0000014.
 */
static void a_letter_may_be_shared_by_the_stay_before_a_transfer(void **state)
{
	static const char same[] = "190017400000123", other[] = "290017400000145";
	struct fixture *f = *state;
	struct store_numerator asked = in_window("2026-11-01", "2026-12-01", STORE_STAYS);
	const int64_t moved_ms = begins("2026-11-18") + 10 * HOUR_MS;
	struct store_arrival letter = of_stay(f, "1.1", "V2");

	note_stay(f, "V0", "2A0000014", same, moved_ms - 90 * HOUR_MS, moved_ms - 48 * HOUR_MS);
	note_stay(f, "V1", "010003720", same, moved_ms - 40 * HOUR_MS, moved_ms);
	note_stay(f, "V9", "010003720", other, moved_ms - 40 * HOUR_MS, moved_ms);
	note_stay(f, "V2", "990012345", same, moved_ms + HOUR_MS, f->now_ms - HOUR_MS);
	take_in(f, &letter);
	deliver(f);
	count_all(f, 100);
	asked.basis = STORE_BY_STAY_END;
	assert_asked(f, &asked, "990012345 20261120: 1\n");
	asked.share_across_transfers = true;
	assert_asked(f, &asked, "010003720 20261118: 1\n990012345 20261120: 1\n");
	asked.basis = STORE_BY_ACCEPTED;
	assert_asked(f, &asked, "010003720 20261120: 1\n990012345 20261120: 1\n");
	asked.sites = (struct store_names){ (const char *const[]){ "010003720" }, 1 };
	assert_asked(f, &asked, "010003720 20261120: 1\n");
	asked.share_across_transfers = false;
	assert_asked(f, &asked, "");
	asked.sites.count = 0;

	/* What is said later without an identity takes none away. The letter of the first of the two satisfies
	 * that one no second time, but the stay before it.
	 */
	note_stay(f, "V1", "010003720", "", moved_ms - 40 * HOUR_MS, moved_ms);
	letter = of_stay(f, "1.2", "V1");
	letter.site = "010003720";
	take_in(f, &letter);
	deliver(f);
	count_all(f, 100);
	asked.share_across_transfers = true;
	assert_asked(f, &asked,
		     "010003720 20261120: 1\n2A0000014 20261120: 1\n990012345 20261120: 1\n");
}

static void a_document_of_the_last_moment_counts_in_its_window(void **state)
{
	static const char *const ends[] = { "2026-03-29", "2026-03-30", "2026-07-01",
					    "2026-10-25", "2026-10-26", "2027-01-01" };
	struct fixture *f = *state;
	char id[32];

	for (size_t i = 0; i < length_of(ends); i++) { /* 23:59:59.9 and 00:00:00.1, each alone */
		struct store_numerator asked = in_window("2026-01-01", ends[i], STORE_DOCUMENTS);
		char before[CALENDAR_TEXT];
		scoped(free_ptr) char *expected = NULL;
		int day = 0;

		assert_true(calendar_parse_day(slice_of(ends[i]), &day));
		asked.from_ms = begins(calendar_day_text(calendar_add(day, -1), before));
		f->now_ms = asked.to_ms - 100;
		snprintf(id, sizeof(id), "1.%zu.1", i + 1);
		bring(f, id, "submit", "");
		f->now_ms = asked.to_ms + 100;
		snprintf(id, sizeof(id), "1.%zu.2", i + 1);
		bring(f, id, "submit", "");
		count_all(f, 100);
		expected = xasprintf("990012345 %d: %d\n", calendar_add(day, -1),
				     i == 1 || i == 4 ? 2 : 1); /* the morning of the day before */
		assert_asked(f, &asked, expected);
	}
}

static void take_in_many(struct fixture *f)
{
	char id[32];

	ok(store_begin(f->store, &err));
	for (int i = 0; i < MANY; i++) {
		struct store_receipt receipt;
		struct store_arrival one;

		snprintf(id, sizeof(id), "1.2.%d", i);
		one = of_stay(f, id, id);
		one.facts.ins_qualified = false;
		one.state = DOC_HELD;
		one.reason = REASON_INS_NOT_QUALIFIED;
		one.release_ms = begins("2026-11-03") + 9 * HOUR_MS;
		ok(store_take_in(f->store, &one, &receipt, &err));
	}
	ok(store_commit(f->store, &err));
}

/* All in one transaction each: the test is about numbers. */
static void release_and_deliver_many(struct fixture *f)
{
	static struct store_due due[MANY];
	size_t count = 0;
	int64_t next_ms;

	ok(store_begin(f->store, &err));
	ok(store_release_due(f->store, f->now_ms, MANY, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, MANY);
	assert_int_equal(claim(f, MANY, due, &next_ms), MANY);
	ok(store_begin(f->store, &err));
	for (int i = 0; i < MANY; i++) {
		struct store_outcome done = outcome(f, due[i].doc, DOC_DELIVERED);

		done.now_ms += i * (int64_t)HOUR_MS / MANY;
		ok(store_settle(f->store, &done, &err));
	}
	ok(store_commit(f->store, &err));
}

static void what_was_blocked_counts_by_the_date_that_is_asked(void **state)
{
	struct fixture *f = *state;
	struct store_numerator november = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);
	struct store_numerator october = in_window("2026-10-01", "2026-11-01", STORE_DOCUMENTS);
	const struct store_produced produced = { .from_day = 20261001, .to_day = 20261031 };
	scoped(buf_done) struct buf out = { 0 };

	f->now_ms = begins("2026-10-20") + 10 * HOUR_MS;
	take_in_many(f);
	count_all(f, 1000);
	assert_asked(f, &november, "");
	f->now_ms = begins("2026-11-03") + 10 * HOUR_MS;
	release_and_deliver_many(f);
	count_all(f, 1000);

	assert_asked(f, &november, "990012345 20261103: 1900\n");
	assert_asked(f, &october, "");
	november.ins_qualified = true; /* by the time when they were sent */
	assert_asked(f, &november, "990012345 20261103: 1900\n");
	november.basis = october.basis = STORE_BY_SUBMITTED;
	assert_asked(f, &november, "990012345 20261103: 1900\n");
	november.basis = october.basis = STORE_BY_CREATED;
	assert_asked(f, &november, "");
	assert_asked(f, &october, "990012345 20261020: 1900\n");
	october.basis = STORE_BY_STAY_END;
	assert_asked(f, &october, "990012345 20261020: 1900\n");
	october.aggregate = STORE_PATIENTS;
	assert_asked(f, &october, "990012345 20261020: 1\n");
	ok(store_produced(f->store, &produced, add_number, &out, &err));
	assert_string_equal(out.p, "990012345 20261020: 1900\n");
	buf_clear(&out);
	dump(f, &out);
	assert_non_null(strstr(out.p, "|DMP|BLOCKED_INS_NOT_QUALIFIED|1900|"));
}

static void a_site_renumbered_in_the_window_keeps_its_count(void **state)
{
	static const struct store_alias aliases[] = { { "990012345", "2A0000014" } };
	static const char *const ids[] = { "1.1", "1.2", "1.3" };
	struct fixture *f = *state;
	struct store_numerator sites = in_window("2026-11-01", "2026-12-01", STORE_DOCUMENTS);
	struct store_numerator entity = sites;

	entity.by_lane = true;
	for (size_t i = 0; i < length_of(ids); i++) {
		struct store_arrival one = of_stay(f, ids[i], ids[i]);

		one.site = i < 2 ? "990012345" : "2A0000014";
		take_in(f, &one);
	}
	deliver(f);
	count_all(f, 100);
	assert_asked(f, &sites, "2A0000014 20261120: 1\n990012345 20261120: 2\n");
	assert_asked(f, &entity, " 20261120: 3\n");
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, aliases, 1, &err));
	ok(store_commit(f->store, &err));
	assert_asked(f, &sites, "2A0000014 20261120: 3\n");
	assert_asked(f, &entity, " 20261120: 3\n");
}

/* ---- any history ---- */

static uint32_t chance = 9;

static uint32_t dice(uint32_t faces)
{
	chance = chance * 1664525u + 1013904223u;
	return (chance >> 8) % faces;
}

struct history {
	struct fixture *f;
	struct ulid docs[1000];
	size_t count, ids;
};

static const char *pick(const char *const *words, uint32_t count)
{
	return words[dice(count)];
}

static void something_comes(struct history *h)
{
	static const char *const actions[] = { "submit", "submit", "replace", "delete" };
	static const char *const sites[] = { "990012345", "2A0000014", "010003720" };
	static const char *const types[] = { "11490-0", "34112-3" };
	static const char *const fields[] = { "MCO", "PSY", "" };
	static const enum reason reasons[] = { REASON_INS_NOT_QUALIFIED, REASON_POLICY_HOLD,
					       REASON_NOT_FOR_DMP };
	static const char *const contents[] = { "0123456789abcdef0123456789abcdef",
						"abcdef0123456789abcdef0123456789" };
	const uint32_t way = dice(8);
	const size_t number = dice(10) == 0 ? dice((uint32_t)h->ids + 1) : h->ids++;
	char id[32], follows[32], stay[32];
	struct store_receipt receipt;
	struct store_arrival one;

	/* the same document again names the same one */
	snprintf(id, sizeof(id), "1.%zu", number);
	snprintf(follows, sizeof(follows), "1.%u",
		 ((uint32_t)number * 2654435761u >> 8) % ((uint32_t)number + 3));
	snprintf(stay, sizeof(stay), "V%u", dice(20));
	one = of_stay(h->f, id, dice(5) ? stay : "");
	one.action = pick(actions, length_of(actions));
	one.site = pick(sites, length_of(sites));
	one.type_code = pick(types, length_of(types));
	one.facts.field = pick(fields, length_of(fields));
	one.facts.ins_qualified = dice(4) > 0;
	one.content = slice_of(pick(contents, length_of(contents)));
	one.supersedes = dice(2) == 0;
	if (strcmp(one.action, "submit") != 0)
		one.follows = follows;
	if (strcmp(one.action, "delete") == 0)
		one.unique_id = follows;
	if (way < 3) {
		one.state = way == 2 ? DOC_CANCELLED : DOC_HELD;
		one.reason = reasons[way];
	}
	ok(store_take_in(h->f->store, &one, &receipt, &err));
	if (receipt.taken == STORE_NEW && h->count < length_of(h->docs))
		h->docs[h->count++] = receipt.doc;
}

static void something_is_sent(struct history *h)
{
	static const struct {
		enum doc_state state;
		enum reason reason;
		const char *note;
	} ends[] = {
		{ DOC_DELIVERED, REASON_NONE, "" },
		{ DOC_DELIVERED, REASON_NONE, "" },
		{ DOC_DELIVERED, REASON_NONE, "confirmed_by_duplicate" },
		{ DOC_QUEUED, REASON_RETRYING, "" },
		{ DOC_QUEUED, REASON_DOUBTFUL, "" },
		{ DOC_REFUSED, REASON_DMP_ABSENT, "" },
		{ DOC_REJECTED, REASON_DMP_ERROR, "" },
	};
	struct store_due due[4];
	size_t count = 0;
	int64_t next_ms;

	ok(store_claim(h->f->store, lane, h->f->now_ms, length_of(due), due, &count, &next_ms,
		       &err));
	for (size_t i = 0; i < count; i++) {
		const uint32_t end = dice(length_of(ends));
		struct store_outcome done = outcome(h->f, due[i].doc, ends[end].state);

		done.reason = ends[end].reason;
		done.note = ends[end].note;
		done.doubtful = done.reason == REASON_DOUBTFUL;
		ok(store_settle(h->f->store, &done, &err));
	}
}

static void somebody_orders(struct history *h)
{
	const struct store_order order = { .doc = h->docs[dice((uint32_t)h->count)],
					   .order = dice(ORDER_COUNT),
					   .force = dice(2) == 0,
					   .actor = "root (0)",
					   .now_ms = h->f->now_ms };
	struct store_ordered ordered;

	ok(store_order(h->f->store, &order, &ordered, &err));
}

static void somebody_chooses(struct history *h)
{
	const struct store_choice choice = { .ins = "190017400000123",
					     .ins_oid = "1.2.250.1.213.1.4.10",
					     .feeding = dice(8) ? STORE_NOT_OPPOSED : STORE_OPPOSED,
					     .chosen_ms = h->f->now_ms,
					     .now_ms = h->f->now_ms };
	struct store_noted noted;

	ok(store_note_choice(h->f->store, &choice, &noted, &err));
}

static void something_happens(struct history *h)
{
	const uint32_t what = dice(20);
	size_t count;

	h->f->now_ms += dice(6 * HOUR_MS);
	if (h->count == 0 || what < 9)
		something_comes(h);
	else if (what < 16)
		something_is_sent(h);
	else if (what < 18)
		somebody_orders(h);
	else if (what < 19)
		somebody_chooses(h);
	else
		ok(store_purge(h->f->store, h->f->now_ms - 5 * (int64_t)DAY_MS, h->f->now_ms, 5,
			       &count, &err));
}

/* Counted as it came, in pieces of any size, with the store opened anew now and then: and counted again
 * from the first row, twice.
 */
static void any_history_counted_anew_gives_the_same(void **state)
{
	struct fixture *f = *state;
	struct history h = { .f = f };
	scoped(buf_done) struct buf followed = { 0 }, once = { 0 }, twice = { 0 };

	for (int round = 0; round < 150; round++) {
		ok(store_begin(f->store, &err));
		for (int i = 0; i < 10; i++)
			something_happens(&h);
		ok(store_commit(f->store, &err));
		if (dice(3) == 0)
			count_all(f, 1 + dice(50));
		if (dice(30) == 0) {
			struct store_recovered recovered;

			store_free(&f->store);
			open_store(f);
			ok(store_begin(f->store, &err));
			ok(store_recover(f->store, f->now_ms, &recovered, &err));
			ok(store_commit(f->store, &err));
		}
	}
	count_all(f, 7);
	dump(f, &followed);
	count_anew(f, 1000);
	dump(f, &once);
	count_anew(f, 13);
	dump(f, &twice);
	assert_string_equal(once.p, followed.p);
	assert_string_equal(twice.p, followed.p);
	parts_come_to_the_whole(f);
	/* and it was no empty history */
	assert_non_null(strstr(followed.p, "|ACCEPTED_RECONCILED|"));
	assert_non_null(strstr(followed.p, "|REPLACED_OK|"));
	assert_non_null(strstr(followed.p, "|DELETED_OK|"));
	assert_non_null(strstr(followed.p, "|SUPPRESSED_UNCHANGED|"));
	assert_non_null(strstr(followed.p, "|REFUSED_PATIENT_OPPOSED|"));
	assert_non_null(strstr(followed.p, "|2A0000014|"));
	assert_non_null(strstr(followed.p, "|010003720|"));
}

/* The patient and the stay are there by their keys alone. */
static void no_number_of_a_patient_or_a_stay_is_counted(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };

	bring(f, "1.1", "submit", "");
	count_all(f, 100);
	dump(f, &out);
	assert_null(strstr(out.p, "190017400000123"));
	assert_null(strstr(out.p, "V88001"));
	assert_non_null(strstr(out.p, "|ACCEPTED|"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(five_versions_count_once),
		test(versions_that_wait_would_count_once),
		test(what_was_hidden_and_is_shown_counts_once),
		test(a_document_without_a_stay_counts_and_satisfies_none),
		test(a_letter_may_be_shared_by_the_stay_before_a_transfer),
		test(a_deleted_document_satisfies_its_stay_no_longer),
		test(a_deleted_document_is_taken_off_when_it_is_deleted),
		test(a_document_of_the_last_moment_counts_in_its_window),
		test(what_was_blocked_counts_by_the_date_that_is_asked),
		test(a_site_renumbered_in_the_window_keeps_its_count),
		test(any_history_counted_anew_gives_the_same),
		test(no_number_of_a_patient_or_a_stay_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
